/**
 * A real Chromium without a window, and what its pages complained of and asked for: nothing a person would have to look
 * for stays unseen.
 */
import { mkdir, readFile } from "node:fs/promises"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { type Browser, type BrowserContextOptions, chromium, type Locator, type Page } from "playwright-core"
import { ensureDebianPackage, findProgram } from "../../scripts/support/debian.ts"
import { cacheDir } from "../../scripts/support/paths.ts"

const flags = [
  ...["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"],
  ...["--disable-background-networking", "--disable-component-update", "--disable-sync"]
]

/** Each with a profile of its own. */
export const openBrowser = async (): Promise<Browser> => {
  const named = process.env["CHROMIUM"] ?? (await findProgram("chromium", "chromium-browser", "google-chrome"))
  return chromium.launch({
    executablePath: named ?? (await ensureDebianPackage("chromium", "chromium")),
    args: flags
  })
}

export interface Visit {
  readonly page: Page
  /** What went to the console as an error, and exceptions that nobody caught. */
  readonly errors: ReadonlyArray<string>
  /** The host:port of every request. */
  readonly hosts: ReadonlySet<string>
}

export const visit = async (browser: Browser, url: string, options: BrowserContextOptions = {}): Promise<Visit> => {
  const page = await browser.newPage({ viewport: { width: 1360, height: 900 }, ...options })
  page.setDefaultTimeout(30_000)
  const errors: Array<string> = []
  const hosts = new Set<string>()
  page.on("console", (message) => {
    if (message.type() === "error") errors.push(message.text())
  })
  page.on("pageerror", ({ message }) => errors.push(message))
  page.on("request", (request) => hosts.add(new URL(request.url()).host))
  await page.goto(url)
  return { page, errors, hosts }
}

/** The whole page as .cache/screenshots/NAME.png, for a person to look at. */
export const screenshot = async (page: Page, name: string): Promise<void> => {
  const folder = join(cacheDir, "screenshots")
  await mkdir(folder, { recursive: true })
  await page.screenshot({ path: join(folder, `${name}.png`), fullPage: true })
}

/** A property of its style as the browser has computed it. */
export const styleOf = async (node: Locator, property: string): Promise<string> =>
  String(
    await node.evaluate((element, name) => {
      return element.ownerDocument.defaultView.getComputedStyle(element).getPropertyValue(name)
    }, property)
  )

/** What axe-core finds wrong with a page for those who do not see it, hear it or use a mouse, and where. */
export const faults = async (page: Page): Promise<ReadonlyArray<string>> => {
  await page.evaluate(await readFile(fileURLToPath(import.meta.resolve("axe-core/axe.min.js")), "utf8"))
  return page.evaluate<ReadonlyArray<string>>(
    `axe.run().then(({ violations }) => violations.flatMap(({ id, nodes }) => nodes.map(({ target }) => id + ": " + target)))`
  )
}
