/**
 * The live page as a person sees it: Chromium in front of the real process, which reads a real Kafka and writes a
 * DuckDB file.
 */
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { Browser, Page } from "playwright-core"
import { afterAll, afterEach, assert, beforeAll, describe, inject, it } from "vitest"
import { killAll, start } from "../../scripts/support/bronzeProcess.ts"
import { freePort } from "../../scripts/support/freePort.ts"
import { faults, openBrowser, screenshot, styleOf, visit } from "../support/Browser.ts"
import { listening, rowsWritten, says, serve as serveIn } from "../support/LivePage.ts"
import { connect, eventually, messages, order, type RealKafka } from "../support/RealKafka.ts"

const kafkaAt = inject("kafka")
let kafka: RealKafka
let browser: Browser
let folder: string

const serve = (extra: Record<string, string> = {}) => serveIn(kafka, folder, extra)

const chart = async (page: Page, id: string) => (await page.locator(`#${id} .plot`).getAttribute("aria-label")) ?? ""

const broken = { key: "bad", value: '{"password": "do-not-show-me", broken' }

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "bronze-page-"))
  kafka = await connect(kafkaAt)
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

describe("the live page", () => {
  it("shows health, counts, lag, batches and dead letters; no payload, no secret, nothing from elsewhere", async () => {
    const { job, run, url } = await serve()
    await listening(run())
    const { errors, hosts, page } = await visit(browser, url)
    await says(page.locator("#health"), /^Healthy Live and ready\. live yes ready yes$/)
    assert.strictEqual(await page.title(), "Healthy · Bronze Consumer")
    await says(page.locator("#write"), /nothing written in the last minute/)

    await kafka.produce(job.orders, [...messages(57, order), broken, ...messages(193, order, 57)])
    await rowsWritten(page, 250)
    await says(page.locator("#rate-in-sub"), /^251 since the start$/)
    await says(page.locator("#stored"), /^250 in the tables at \d\d:\d\d:\d\d; 1 dead letter pending$/)
    await says(page.locator("#partitions-rows"), new RegExp(`${job.orders} 0 0 251 251`))
    await says(page.locator("#dead-letters-rows"), new RegExp(`^\\S+ not_json ${job.orders}/0@57 \\S`))
    await says(page.locator("#notes"), /1 dead letter in 15 minutes/)
    await says(page.locator("#rows"), /Payloads are hidden/)
    await says(page.locator("#rows-rows"), new RegExp(`${job.ordersTable} ${job.orders}/0@250`))
    const card = page.locator("#tables-list article").filter({ hasText: job.ordersTable })
    await says(card, /250 rows written size [1-9]\d* time \d+ bytes 0 shutdown 0 rebalance 0 .*Write time \S+ m?s/)

    await says(
      page.locator("#writes-rows"),
      new RegExp(`${job.ordersTable} \\d+ \\S+ \\w+ \\S+ m?s size ${job.orders}/0@0–99`)
    )
    await page.locator("#settings summary").click()
    await says(page.locator("#settings-rows"), / LOG_FILE not set environment /)
    await says(
      page.locator("#settings-rows"),
      /BATCH_SIZE 100 default BATCH_TIMEOUT 1 environment .*SNOWFLAKE_PASSWORD <redacted> environment/
    )
    await screenshot(page, "page-light")
    // One that has left the list is found in its table, and shown as the others are: without its payload.
    await page.goto(`${url}/#row=${job.orders}/0@3`)
    await says(page.locator("#rows-rows"), new RegExp(`^stored ${job.ordersTable} ${job.orders}/0@3$`))
    const json = await (await fetch(`${url}/api/snapshot`)).text()
    for (const text of [await page.content(), json]) {
      for (const secret of ["do-not-show-me", "s3cret", "Chicken Biryani"]) assert.notInclude(text, secret)
    }
    assert.deepStrictEqual([...hosts], [new URL(url).host])
    assert.deepStrictEqual(errors, [])
  })

  it("shows payloads when HTTP_SHOW_EVENTS is on: one line, the whole on request, and always as text", async () => {
    const { job, run, url } = await serve({ HTTP_SHOW_EVENTS: "true" })
    await listening(run())
    const { errors, page } = await visit(browser, url)
    const value = JSON.stringify({
      order_id: "<img src=x onerror=alert(1)>",
      note: "long ".repeat(60),
      last: "the end"
    })
    await kafka.produce(job.orders, [
      { key: "a", value },
      { key: "gone", value: null }
    ])
    const rows = page.locator("#rows-rows")
    await says(rows, /no value \(a tombstone\)/)
    const line = rows.locator("summary").filter({ hasText: "long" })
    assert.isBelow((await line.boundingBox())?.height ?? Number.POSITIVE_INFINITY, 30)
    assert.isFalse(await rows.getByText("the end").last().isVisible())
    await line.click()
    const opened = rows.locator("details[open]")
    assert.strictEqual(await opened.locator("pre").textContent(), JSON.stringify(JSON.parse(value), null, 2))
    assert.strictEqual(await rows.locator("img").count(), 0)
    await kafka.produce(job.orders, messages(60, order))
    await rowsWritten(page, 62)
    await says(page.locator("#rows-held"), /^Paused while you read: 60 newer$/)
    assert.isTrue(
      await rows.locator("details[open] pre").isVisible(),
      "what was opened stays open, however many rows come in"
    )
    await line.click()
    await page.mouse.move(0, 0)
    await says(rows, new RegExp(`${job.orders}/0@61`))
    assert.strictEqual(await rows.getByText("the end").count(), 0)

    const filter = page.getByRole("searchbox", { name: /last rows/ })
    await filter.fill("the end")
    await says(rows, new RegExp(`^\\S+ ${job.ordersTable} ${job.orders}/0@0 `))
    await filter.fill("gone")
    await says(rows, /no value \(a tombstone\)/)
    await filter.fill("")
    await page.getByRole("button", { name: "Pause", exact: true }).click()
    await kafka.produce(job.orders, messages(2, order))
    await says(page.locator("#rows-held"), /2 newer$/)
    await page.locator("body").press("p")
    await says(rows, new RegExp(`${job.orders}/0@63`))
    assert.deepStrictEqual(errors, [])
  })

  it("opens at the part that the address names: a link to the rows shows them, on a phone, too", async () => {
    const { job, run, url } = await serve({ HTTP_SHOW_EVENTS: "true" })
    await listening(run())
    await kafka.produce(job.orders, messages(30, order))
    for (const viewport of [
      { width: 1280, height: 800 },
      { width: 390, height: 844 }
    ]) {
      const { page } = await visit(browser, `${url}/#rows`, { viewport })
      await rowsWritten(page, 30)
      const top = await eventually(
        async () => (await page.locator("#rows-title").boundingBox())?.y ?? -1,
        (y) => y >= 0 && y < viewport.height / 2
      )
      assert.isAtLeast(top, 0)
      const { page: plain } = await visit(browser, url, { viewport: { width: 1280, height: 800 } })
      await rowsWritten(plain, 30)
      assert.isBelow((await plain.locator("#rows-title").boundingBox())?.y ?? 9999, 400, "high on the page without it")
    }
    const { page } = await visit(browser, `${url}/#row=${job.orders}/0@25`)
    await says(page.locator("#rows-rows"), new RegExp(`^\\S+ ${job.ordersTable} ${job.orders}/0@25 `))
    assert.strictEqual(await page.locator("#rows-rows tr").count(), 1)
    await says(page.locator("#rows-rows .stored"), /^ORDER_ID order-25 USER_ID 25 /)
    // One that has left the list is asked of its table; @2 is not @25, and what is in no table is said to be.
    await page.goto(`${url}/#row=${job.orders}/0@2`)
    await says(page.locator("#rows-rows .stored"), /^ORDER_ID order-2 USER_ID 2 /)
    assert.strictEqual(await page.locator("#rows-rows tr").count(), 1)
    await page.goto(`${url}/#row=${job.orders}/0@99`)
    await says(page.locator("#no-rows"), /0@99 cannot be shown: there is no row of .*0@99 in/)
  })

  it("says since when the service is unreachable, comes back by itself, and keeps what its charts had", async () => {
    const { job, run, url } = await serve()
    const first = run()
    await listening(first)
    const { page } = await visit(browser, url, { reducedMotion: "reduce" })
    await says(page.locator("#headline"), /^Healthy$/)
    await kafka.produce(job.orders, [...messages(500, order), broken])
    await rowsWritten(page, 500)
    await says(page.locator("#counters-rows"), /Dead letters 1 1 /)
    // Thousands are set apart by a thin blank.
    const highest = (text: string) => Number(/in: last .*?, highest ([\d.]+)/.exec(text.replaceAll("\u202f", ""))?.[1])
    const before = await eventually(
      () => chart(page, "chart-rates"),
      (text) => highest(text) > 5
    )
    const from = /^From \S+/.exec(before)?.[0] ?? "?"

    first.signal("SIGTERM")
    assert.strictEqual(await first.exit, 0, first.output())
    await says(page.locator("#headline"), /^No connection since \d\d:\d\d:\d\d$/)
    assert.match(await page.title(), /^No connection since/)
    assert.isBelow(Number(await styleOf(page.locator("#content"), "opacity")), 0.9)
    await screenshot(page, "page-away")

    // Until the new process has samples of its own to greet with, for they must not push out those of the old one.
    await page.route("**/api/events", (route) => route.abort())
    await listening(run())
    await eventually(
      async () => JSON.parse(await (await fetch(`${url}/api/snapshot`)).text()),
      ({ at, startedAt }) => Date.parse(at) - Date.parse(startedAt) > 5000
    )
    await page.unroute("**/api/events")
    await says(page.locator("#health"), /^Healthy /)
    await kafka.produce(job.orders, [...messages(7, order, 500), broken])
    await rowsWritten(page, 7)
    const after = await chart(page, "chart-rates")
    assert.include(after, from)
    assert.isAtLeast(highest(after), highest(before))
    assert.notInclude(after, "-")
    await says(page.locator("#counters-rows"), /Dead letters 2 1 /)
    await screenshot(page, "page-restarted")
  })

  it("is for those who have HTTP_TOKEN, where it is set: a browser asks for it once, and all of the page comes", async () => {
    const { run, url } = await serve({ HTTP_TOKEN: "s3cret-token" })
    await listening(run())
    const httpCredentials = { username: "me", password: "s3cret-token" }
    const { page } = await visit(browser, url, { httpCredentials })
    await says(page.locator("#health"), /^Healthy Live and ready\. live yes ready yes$/)
    assert.notInclude(await page.content(), "s3cret-token")
    const stranger = await browser.newPage()
    const refused = await stranger.goto(url).catch(() => undefined)
    // Chromium shows a page that asks, or none at all.
    assert.strictEqual(refused?.status() ?? 401, 401)
    assert.strictEqual(await stranger.locator("#health").count(), 0)
  })

  it("says in words why it is not ready", async () => {
    const [port, away] = [await freePort(), await freePort()]
    const DUCKDB_PATH = join(folder, "away.duckdb")
    const env = { SINK: "duckdb", DUCKDB_PATH, KAFKA_BOOTSTRAP_SERVERS: `127.0.0.1:${away}`, HTTP_PORT: String(port) }
    await listening(start(env))
    const { page } = await visit(browser, `http://127.0.0.1:${port}`)
    await says(page.locator("#health"), /^Not ready .*Kafka: .*live yes ready no$/)
    await says(page.locator("#spoken"), /^Not ready\. /)
    assert.strictEqual(await page.title(), "Not ready · Bronze Consumer")
    await screenshot(page, "page-not-ready")
  })

  it("fits a phone, dark and light; the choice is kept and the charts follow it", async () => {
    const { job, run, url } = await serve({ HTTP_SHOW_EVENTS: "true" })
    await listening(run())
    const options = { viewport: { width: 390, height: 844 }, colorScheme: "dark", isMobile: true } as const
    const { errors, page } = await visit(browser, url, options)
    await kafka.produce(job.orders, [...messages(40, order), { key: "bad", value: "{broken".repeat(40) }])
    await rowsWritten(page, 40)
    await page.locator("#settings summary").click()
    const width = () => page.evaluate<number>("document.documentElement.scrollWidth")
    const ground = () => styleOf(page.locator("body"), "background-color")
    assert.strictEqual(await width(), 390)
    const lag = page.locator("#chart-lag")
    const isGridInTheme = async () =>
      (await styleOf(lag.locator(".grid"), "stroke")) === (await styleOf(lag, "border-top-color"))
    const dark = await ground()
    const darkLine = await styleOf(lag.locator(".line"), "stroke")
    assert.isTrue(await isGridInTheme())
    await screenshot(page, "page-phone-dark")

    await page.getByRole("radio", { name: "Light" }).press("Space")
    assert.notStrictEqual(await ground(), dark)
    assert.notStrictEqual(await styleOf(lag.locator(".line"), "stroke"), darkLine)
    assert.isTrue(await isGridInTheme())
    await page.reload()
    await rowsWritten(page, 40)
    assert.notStrictEqual(await ground(), dark)
    assert.strictEqual(await width(), 390)
    await screenshot(page, "page-phone-light")
    assert.deepStrictEqual(errors, [])
  })

  it("names its parts for those who do not see them, and speaks only of its health", async () => {
    const { run, url } = await serve()
    await listening(run())
    const { page } = await visit(browser, url)
    await says(page.locator("#spoken"), /^Healthy\. Live and ready\.$/)
    assert.strictEqual(await page.locator("h1").count(), 1)
    for (const role of ["banner", "main", "contentinfo"] as const)
      assert.strictEqual(await page.getByRole(role).count(), 1)
    for (const image of await page.getByRole("img").all())
      assert.match((await image.getAttribute("aria-label")) ?? "", /^From /)
    for (const table of await page.locator("table").all())
      assert.match((await table.locator("caption").textContent()) ?? "", /\w/)
    assert.deepStrictEqual(await page.locator("[aria-live]").evaluateAll((nodes) => nodes.map(({ id }) => id)), [
      "spoken"
    ])
    await page.keyboard.press("Tab")
    const outline = await styleOf(page.locator(":focus + span"), "outline-style")
    assert.strictEqual(outline, "solid")
  })

  it("shows a dead letter with its fault marked; repaired and replayed, it is a row", async () => {
    const { job, run, url } = await serve({ HTTP_SHOW_EVENTS: "true" })
    await listening(run())
    const value = '{"order_id": "o1", "note": "café", broken'
    await kafka.produce(job.orders, [...messages(3, order), { key: "bad", value }, { key: "worse", value: "[1," }])
    const { errors, page } = await visit(browser, url)
    await rowsWritten(page, 3)
    const letters = page.locator("#dead-letters-rows")
    for (const offset of [3, 4]) await says(letters, new RegExp(`${job.orders}/0@${offset} `))
    await page.getByRole("searchbox", { name: /dead letters/ }).fill("no such text")
    await says(page.locator("#no-dead-letters"), /^None matches\.$/)
    await page.getByRole("searchbox", { name: /dead letters/ }).fill("")

    await page.getByRole("button", { name: `Open ${job.orders}/0@3` }).click()
    const drawer = page.getByRole("dialog")
    await says(drawer, new RegExp(`bronze-consumer dlq replay ${job.orders}/0@3`))
    assert.strictEqual(await drawer.locator("#letter-text").textContent(), value)
    assert.strictEqual(await drawer.locator("#letter-text mark").textContent(), "b")
    assert.deepStrictEqual(await faults(page), [])
    await screenshot(page, "page-dead-letter")
    await drawer.getByLabel("Repaired payload").fill('{"order_id": "o1", "note": "café"}')
    await drawer.getByRole("button", { name: "Replay with this payload" }).click()
    await says(drawer, /1 replayed\./)
    await drawer.getByRole("button", { name: "Close" }).click()
    await says(letters, new RegExp(`^\\S+ not_json ${job.orders}/0@4 `))
    assert.strictEqual(await letters.locator("tr").count(), 1)
    await page.getByLabel("replayed ones, too").check()
    await says(letters, new RegExp(`${job.orders}/0@3 replayed`))
    assert.deepStrictEqual(errors, [])
  })

  it("pauses a topic and resumes it", async () => {
    const { job, run, url } = await serve()
    await listening(run())
    const { page } = await visit(browser, url)
    await says(page.locator("#headline"), /^Healthy$/)
    await page.getByRole("button", { name: `Pause ${job.orders}` }).click()
    await says(page.locator("#topics-rows"), new RegExp(`${job.orders} paused`))
    await kafka.produce(job.orders, messages(10, order))
    await says(page.locator("#topics-rows"), new RegExp(`${job.orders} paused \\d+ 10 `))
    await page.getByRole("button", { name: `Resume ${job.orders}` }).click()
    await rowsWritten(page, 10)
  })

  it("has no fault that axe-core finds: contrast, names, roles; at three widths, dark and light", async () => {
    const { job, run, url } = await serve({ HTTP_SHOW_EVENTS: "true" })
    await listening(run())
    await kafka.produce(job.orders, [...messages(30, order), broken])
    for (const colorScheme of ["light", "dark"] as const)
      for (const width of [390, 1280, 1920]) {
        const { errors, page } = await visit(browser, url, { viewport: { width, height: 900 }, colorScheme })
        await rowsWritten(page, 30)
        await page.locator("#rows-rows summary").first().click()
        await page.locator("#settings summary").click()
        assert.deepStrictEqual(await faults(page), [], `${colorScheme}, ${width} px`)
        assert.strictEqual(await page.evaluate<number>("document.documentElement.scrollWidth"), width)
        assert.deepStrictEqual(errors, [])
        await page.context().close()
      }
  })

  it("shows 15 minutes, an hour or six, and what was dragged over", async () => {
    const { job, run, url } = await serve()
    await listening(run())
    await kafka.produce(job.orders, messages(30, order))
    const { page } = await visit(browser, url)
    await rowsWritten(page, 30)
    await page.getByRole("button", { name: "6 h" }).click()
    assert.strictEqual(await page.getByRole("button", { name: "6 h" }).getAttribute("aria-pressed"), "true")
    const plot = page.locator("#chart-lag svg")
    await plot.scrollIntoViewIfNeeded()
    const { height, width, x, y } = (await plot.boundingBox()) ?? { height: 0, width: 0, x: 0, y: 0 }
    const scale = async () => (await page.locator("#chart-lag text").allTextContents()).join(" ")
    assert.match(await scale(), /^0 (5|10|20)( \d\d+)+( \d\d:\d\d:[03]0)+$/, "round values, round times")
    await page.mouse.move(x + width * 0.5, y + height / 2)
    // One time is pointed at in all of them.
    for (const id of ["lag", "rates"]) await says(page.locator(`#chart-${id} h3`), / at \d\d:\d\d:\d\d$/)
    await page.mouse.down()
    await page.mouse.move(x + width * 0.75, y + height / 2, { steps: 5 })
    await page.mouse.up()
    assert.match(await scale(), /:[1245]\d|:\d5/, "a shorter time in shorter steps")
    await page.getByRole("button", { name: "Reset zoom" }).click()
    assert.isFalse(await page.getByRole("button", { name: "Reset zoom" }).isVisible())
    assert.match(await chart(page, "chart-lag"), /^From /)
  })
})
