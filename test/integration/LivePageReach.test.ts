/**
 * The live page for those who enlarge it or have no mouse: at 200 % nothing is cut or runs out of the window, and the
 * keyboard reaches and works all that can be clicked.
 */
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { Browser, Locator, Page } from "playwright-core"
import { afterAll, afterEach, assert, beforeAll, describe, inject, it } from "vitest"
import { killAll } from "../../scripts/support/bronzeProcess.ts"
import { cutOff, faults, isFocusSeen, openBrowser, tabStops, unreached, visit } from "../support/Browser.ts"
import { listening, rowsWritten, says, serve } from "../support/LivePage.ts"
import { connect, eventually, messages, order, type RealKafka } from "../support/RealKafka.ts"

let kafka: RealKafka
let browser: Browser
let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "bronze-reach-"))
  kafka = await connect(inject("kafka"))
  browser = await openBrowser()
})
afterEach(async () => {
  killAll()
  await Promise.all(browser.contexts().map((context) => context.close()))
})
afterAll(async () => {
  await browser?.close()
  await kafka?.close()
  await rm(folder, { recursive: true, force: true })
})

const isFocused = (part: Locator): Promise<boolean> =>
  part.evaluate((node) => node === node.ownerDocument.activeElement)
/** Waits until it has the focus; else the error names what has it. */
const focused = (part: Locator) =>
  eventually(
    async () =>
      (await isFocused(part)) ? "" : part.page().evaluate<string>("document.activeElement.outerHTML.slice(0, 200)"),
    (other) => other === "",
    5000
  )

/** A service with rows and two dead letters, and its page. */
const furnished = async () => {
  const { job, run, url } = await serve(kafka, folder, { HTTP_SHOW_EVENTS: "true" })
  await listening(run())
  const broken = [1, 2].map((id) => ({
    key: `bad-${id}`,
    value: `{"order_id": "o${id}", "${"long".repeat(40)}", broken`
  }))
  await kafka.produce(job.orders, [...messages(40, order), ...broken])
  return { job, url }
}
const settled = async (page: Page, place: string): Promise<void> => {
  await rowsWritten(page, 40)
  await page.getByRole("button", { name: `Open ${place}` }).waitFor()
}

describe("the live page", () => {
  it("is whole at 200 % and at 400 %: nothing runs out of the window, nothing is cut off", async () => {
    const { job, url } = await furnished()
    for (const [width, deviceScaleFactor] of [
      [640, 2],
      [320, 4]
    ] as const) {
      const viewport = { width, height: 800 / deviceScaleFactor }
      const { page } = await visit(browser, url, { viewport, deviceScaleFactor })
      await settled(page, `${job.orders}/0@40`)
      await page.locator("#settings summary").click()
      await page.locator("#rows-rows summary").first().click()
      await page
        .locator("#rows-rows")
        .getByText(/^As stored in/)
        .waitFor()
      assert.deepStrictEqual(await cutOff(page), [], `${width} px`)
      await page.getByRole("button", { name: `Open ${job.orders}/0@40` }).click()
      await page.getByRole("dialog").getByText("Bytes").click()
      assert.deepStrictEqual(await cutOff(page), [], `the dead letter, ${width} px`)
      assert.deepStrictEqual(await faults(page), [])
      await page.context().close()
    }
  })

  it("is worked by keyboard alone: each thing that can be clicked is a stop, its focus is seen, and returns", async () => {
    const { job, url } = await furnished()
    const { errors, page } = await visit(browser, url)
    const [first, second] = [`${job.orders}/0@40`, `${job.orders}/0@41`]
    await settled(page, first)

    const stops = await tabStops(page)
    assert.deepStrictEqual(await unreached(page), [])
    assert.deepStrictEqual(
      stops.filter(({ isSeen }) => !isSeen).map(({ name }) => name),
      []
    )

    const help = page.getByRole("button", { name: "What is Lag?" })
    await help.focus()
    await page.keyboard.press("Enter")
    const text = page.getByText(/^Records in Kafka that are not durable/)
    await text.waitFor()
    await page.keyboard.press("Escape")
    await text.waitFor({ state: "hidden" })
    await focused(help)

    const row = page.locator("#rows-rows summary").first()
    await row.focus()
    await page.keyboard.press("Space")
    await page
      .locator("#rows-rows")
      .getByText(/^As stored in/)
      .waitFor()
    await page.keyboard.press("Enter")
    await focused(row)

    const open = page.getByRole("button", { name: `Open ${first}` })
    const drawer = page.getByRole("dialog")
    await open.focus()
    await page.keyboard.press("Enter")
    await drawer.waitFor()
    // Round once and more: it does not leave the drawer, but for the browser's own bar, which has the body's focus.
    for (let press = 0; press < 12; press++) {
      assert.isTrue(
        await page.evaluate<boolean>(
          "document.activeElement === document.body || document.activeElement.closest('dialog') !== null"
        )
      )
      assert.isFalse(await isFocused(open))
      await page.keyboard.press("Tab")
    }
    await page.keyboard.press("Escape")
    await drawer.waitFor({ state: "hidden" })
    await focused(open)

    await page.keyboard.press("Space")
    await drawer.getByLabel("Repaired payload").fill("{}")
    await page.keyboard.press("Tab")
    assert.isTrue(await isFocusSeen(page))
    await page.keyboard.press("Enter")
    await drawer.getByText("1 replayed.").waitFor()
    await page.keyboard.press("Escape")
    await open.waitFor({ state: "detached" })
    // The button that opened it has gone with its letter: the next one has the focus.
    await focused(page.getByRole("button", { name: `Open ${second}` }))

    await page.getByRole("button", { name: `Pause ${job.orders}` }).press("Space")
    await says(page.locator("#topics-rows"), new RegExp(`${job.orders} paused`))
    await page.getByRole("button", { name: `Resume ${job.orders}` }).press("Enter")
    await page.getByRole("button", { name: `Pause ${job.orders}` }).waitFor()
    assert.deepStrictEqual(errors, [])
  })
})
