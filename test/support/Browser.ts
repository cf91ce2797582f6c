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

/**
 * What a reader cannot get at: what stands outside of the window and in no box that scrolls, and texts that are wider
 * or higher than what shows them. One line that ends in an ellipsis is meant to.
 */
export const cutOff = (page: Page): Promise<ReadonlyArray<string>> =>
  page.evaluate<ReadonlyArray<string>>(`(() => {
    const width = document.documentElement.clientWidth
    const found = []
    if (document.documentElement.scrollWidth > width) found.push("the page is wider than the window")
    const scrolls = (node) => /auto|scroll/.test(getComputedStyle(node).overflowX)
    for (const node of document.body.querySelectorAll("*")) {
      const box = node.getBoundingClientRect()
      if (!node.checkVisibility() || box.width <= 1 || node.closest(".unseen, svg")) continue
      const style = getComputedStyle(node)
      const name = node.tagName.toLowerCase() + (node.id ? "#" + node.id : "." + node.className)
      let isInBox = false
      for (let up = node.parentElement; up !== null; up = up.parentElement) isInBox ||= scrolls(up)
      if (!isInBox && (box.left < -1 || box.right > width + 1)) found.push(name + " is outside")
      const isClipped = /hidden|clip/.test(style.overflowX) && style.textOverflow !== "ellipsis"
      const isWider = node.scrollWidth > node.clientWidth + 1 || node.scrollHeight > node.clientHeight + 1
      if (isClipped && isWider) found.push(name + " is cut")
    }
    return found
  })()`)

export interface TabStop {
  readonly name: string
  /** Whether a reader sees that it has the focus. */
  readonly isSeen: boolean
}

const nameOf = `(node) => {
  const label = node.getAttribute("aria-label") ?? node.textContent.trim().replace(/\\s+/g, " ").slice(0, 40)
  return node.tagName.toLowerCase() + (node.id ? "#" + node.id : "") + " " + label
}`

/** Whether what has the focus is marked; where it is not seen itself, what stands beside it. */
export const isFocusSeen = (page: Page): Promise<boolean> =>
  page.evaluate<boolean>(`(() => {
    const marked = (node) => node !== null && getComputedStyle(node).outlineStyle !== "none"
    return marked(document.activeElement) || marked(document.activeElement.nextElementSibling)
  })()`)

/** Where the Tab key stops, from the top of the page once round. */
export const tabStops = async (page: Page): Promise<ReadonlyArray<TabStop>> => {
  const stops: Array<TabStop> = []
  // A focus that is taken away leaves its place behind, where the next Tab goes on.
  await page.evaluate(`(() => {
    for (const node of document.querySelectorAll("[data-stop]")) node.removeAttribute("data-stop")
    document.body.tabIndex = -1
    document.body.focus()
    document.body.removeAttribute("tabindex")
  })()`)
  for (;;) {
    await page.keyboard.press("Tab")
    const name = await page.evaluate<string | null>(`(() => {
      const node = document.activeElement
      if (node === null || node === document.body || node.dataset.stop) return null
      node.dataset.stop = "seen"
      return (${nameOf})(node)
    })()`)
    if (name === null) return stops
    stops.push({ name, isSeen: await isFocusSeen(page) })
  }
}

/** What can be clicked, is seen, and was no stop of the Tab key; of a group of radio buttons one is enough. */
export const unreached = (page: Page): Promise<ReadonlyArray<string>> =>
  page.evaluate<ReadonlyArray<string>>(`(() => {
    const all = "a[href], button, input, select, textarea, summary, [onclick], [tabindex]"
    const isStop = (node) => node.dataset.stop !== undefined
    const isInGroup = ({ name, type }) =>
      type === "radio" && [...document.querySelectorAll("input[name=" + name + "]")].some(isStop)
    return [...document.querySelectorAll(all)]
      .filter((node) => node.checkVisibility() && !node.disabled && !isStop(node) && !isInGroup(node))
      .map(${nameOf})
  })()`)
