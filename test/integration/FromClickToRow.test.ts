/**
 * The whole way in the browser, as a person takes it: a click in the shop is a row that the live page opens; a broken
 * event is a dead letter, which is repaired there, replayed, and then a row. With SCREENSHOTS=<folder> it leaves a
 * picture of each step there.
 */
import { mkdir, mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import type { Browser, Page } from "playwright-core"
import { afterAll, afterEach, assert, beforeAll, describe, inject, it } from "vitest"
import { killAll, start } from "../../scripts/support/bronzeProcess.ts"
import { freePort } from "../../scripts/support/freePort.ts"
import { openBrowser, visit } from "../support/Browser.ts"
import { duckDb } from "../support/Inspect.ts"
import { countRows } from "../support/Job.ts"
import { textOf } from "../support/LivePage.ts"
import { connect, type RealKafka, unique } from "../support/RealKafka.ts"

const program = fileURLToPath(new URL("../../scripts/shop.ts", import.meta.url))
const pictures = process.env["SCREENSHOTS"]

let kafka: RealKafka
let browser: Browser
let folder: string

/** What is in view, small enough for a row of pictures. */
const picture = async (page: Page, step: string): Promise<void> => {
  if (pictures === undefined) return
  await mkdir(pictures, { recursive: true })
  await page.screenshot({ path: join(pictures, `way-${step}.png`) })
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "bronze-way-"))
  kafka = await connect(inject("kafka"))
  browser = await openBrowser()
})
afterEach(killAll)
afterAll(async () => {
  await browser?.close()
  await kafka?.close()
  await rm(folder, { recursive: true, force: true })
})

describe("in the browser", () => {
  it("one's own click is named as a row within a minute and opened; a broken event is repaired and replayed into a row", async () => {
    // On pictures topics have the names that they have by default.
    const topic = (name: string) => (pictures === undefined ? unique(name) : `${name}.v1`)
    const [orders, clicks, path] = [topic("raw.orders"), topic("raw.clicks"), join(folder, "bronze.duckdb")]
    await Promise.all([kafka.createTopic(orders), kafka.createTopic(clicks)])
    const [live, api, shopPage] = [await freePort(), await freePort(), await freePort()]
    const env = {
      KAFKA_BOOTSTRAP_SERVERS: kafka.bootstrap,
      CONSUMER_GROUP_ID: unique("group"),
      BRONZE_ROUTES: `${orders}=ORDERS_RAW(ORDER_ID=order_id,USER_ID=user_id:NUMBER), ${clicks}=CLICKS_RAW(USER_ID=user_id:NUMBER,ITEM_ID=item_id:NUMBER)`,
      ...{ SINK: "duckdb", DUCKDB_PATH: path, HTTP_PORT: String(live), HTTP_SHOW_EVENTS: "true" },
      ...{ SHOP_API_PORT: String(api), SHOP_PAGE_PORT: String(shopPage), NODE_OPTIONS: "--import tsx" }
    }
    assert.strictEqual(await start(env, ["init"]).exit, 0)
    const service = start(env)
    const shop = start(env, [], program)
    await Promise.all([service.line(/Assigned/), shop.line(/Sending to/)])

    const viewport = { width: 1100, height: 720 }
    const thrown: Array<string> = []
    const { errors, page } = await visit(browser, `http://localhost:${shopPage}`, { viewport, reducedMotion: "reduce" })
    await page.getByLabel("You are user").fill("4711")
    const clickedAt = performance.now()
    await page.getByRole("button", { name: /^Chicken Biryani/ }).click()
    await page.getByText(/^Row in CLICKS_RAW after \d+\.\d s$/).waitFor()
    const took = performance.now() - clickedAt
    const clickId = (await page.locator("#sent code").first().textContent()) ?? ""
    await picture(page, "1-click")

    const opened = page.waitForEvent("popup")
    await page.getByRole("link", { name: "See the row" }).click()
    const livePage = await opened
    await livePage.setViewportSize(viewport)
    livePage.on("pageerror", ({ message }) => thrown.push(message))
    const rows = livePage.locator("#rows-rows")
    const row = rows.locator("tr").filter({ hasText: `${clicks}/0@0` })
    await row.getByText("As stored in CLICKS_RAW:").waitFor()
    assert.isBelow(took, 60_000)
    assert.include(await textOf(row.locator("pre")), clickId)
    assert.match(await textOf(row.locator(".stored")), /^USER_ID 4711 ITEM_ID 5 /)
    await picture(livePage, "2-row")

    await page.bringToFront()
    await page.getByRole("button", { name: "Send a broken event" }).click()
    await page.getByText("Dead letter in DEAD_LETTERS: not_json").waitFor()
    await picture(page, "3-broken")
    const [place = ""] = await page.locator("#sent code").allTextContents()
    assert.match(place, /\/0@\d+$/)
    await page.getByRole("link", { name: "See the dead letter" }).click()
    const letters = livePage.locator("#dead-letters-rows")
    await livePage.bringToFront()
    await letters.getByRole("button", { name: `Open ${place}` }).click()
    const drawer = livePage.getByRole("dialog")
    await drawer.getByText("the payload is not JSON: Unexpected token 'o', at byte 0").waitFor()
    assert.strictEqual(await drawer.locator("#letter-text mark").textContent(), "o")
    await picture(livePage, "4-dead-letter")

    await drawer.getByLabel("Repaired payload").fill('{"user_id": 4711, "order_id": "repaired by hand"}')
    await drawer.getByRole("button", { name: "Replay with this payload" }).click()
    await drawer.getByText("1 replayed.").waitFor()
    await drawer.getByRole("link", { name: "See the row" }).click()
    await drawer.waitFor({ state: "hidden" })
    await rows.getByText("As stored in ORDERS_RAW:").waitFor()
    assert.match(await textOf(rows.locator(".stored")), /^ORDER_ID repaired by hand USER_ID 4711 /)
    await picture(livePage, "5-repaired")
    assert.strictEqual(await letters.locator("tr").count(), 0)
    await livePage.getByLabel("replayed ones, too").check()
    await letters.getByText(/^replayed; /).waitFor()
    assert.deepStrictEqual([...errors, ...thrown], [])

    service.signal("SIGTERM")
    assert.strictEqual(await service.exit, 0, service.output())
    const inspect = await duckDb(path)
    const counts = await Promise.all([
      countRows(inspect, "CLICKS_RAW", `RAW_EVENT ->> '$.click_id' = '${clickId}'`),
      countRows(inspect, "ORDERS_RAW", "ORDER_ID = 'repaired by hand'"),
      countRows(inspect, "DEAD_LETTERS", "REPLAYED_AT IS NOT NULL")
    ])
    await inspect.close()
    assert.deepStrictEqual(counts, [1, 1, 1])
  })
})
