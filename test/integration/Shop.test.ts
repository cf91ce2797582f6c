/**
 * The shop as its users meet it: the API by what it answers and what is in Kafka then, the page in Chromium, where a
 * click becomes a row.
 */
import { mkdtemp, rm } from "node:fs/promises"
import { type IncomingMessage, request } from "node:http"
import { connect as open } from "node:net"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import type { Browser } from "playwright-core"
import { afterAll, afterEach, assert, beforeAll, describe, inject, it } from "vitest"
import { freePort, startBroker } from "../../scripts/kafka/broker.ts"
import { type BronzeProcess, killAll, start } from "../../scripts/support/bronzeProcess.ts"
import { cutOff, openBrowser, screenshot, tabStops, unreached, visit } from "../support/Browser.ts"
import { duckDb } from "../support/Inspect.ts"
import { countRows, makeJob } from "../support/Job.ts"
import { connect, eventually, type RealKafka, unique } from "../support/RealKafka.ts"

const program = fileURLToPath(new URL("../../scripts/shop.ts", import.meta.url))

interface Shop {
  readonly process: BronzeProcess
  readonly api: string
  readonly page: string
  readonly env: Readonly<Record<string, string>>
}

/** A shop on free ports. */
const startShop = async (env: Readonly<Record<string, string>>): Promise<Shop> => {
  const [api, page] = [await freePort(), await freePort()]
  const own = {
    ...env,
    SHOP_API_PORT: String(api),
    SHOP_PAGE_PORT: String(page),
    // The shop is TypeScript that is run as it is.
    NODE_OPTIONS: "--import tsx"
  }
  const process = start(own, [], program)
  return { process, api: `http://127.0.0.1:${api}`, page: `http://localhost:${page}`, env: own }
}

const json = { "content-type": "application/json" }
const biryani = { user_id: 123, item_id: 5, item_name: "Chicken Biryani", price: 12.99 }

const post = async (url: string, value: unknown, headers: Readonly<Record<string, string>> = json) => {
  const sent = typeof value === "string" ? value : JSON.stringify(value)
  const response = await fetch(url, { method: "POST", headers, body: sent })
  const answer: unknown = await response.json()
  if (typeof answer !== "object" || answer === null) throw new Error(`no object: ${JSON.stringify(answer)}`)
  const body: Readonly<Record<string, unknown>> = Object.fromEntries(Object.entries(answer))
  return { status: response.status, headers: response.headers, body }
}

let kafka: RealKafka

/** Topics of a test's own, as the shop is told of them. */
const makeTopics = async (on: RealKafka) => {
  const [orders, clicks] = [unique("raw.orders"), unique("raw.clicks")]
  await Promise.all([on.createTopic(orders, 3), on.createTopic(clicks, 3)])
  const env = { KAFKA_BOOTSTRAP_SERVERS: on.bootstrap, BRONZE_ROUTES: `${orders}=ORDERS_RAW, ${clicks}=CLICKS_RAW` }
  return { orders, clicks, env }
}

beforeAll(async () => {
  kafka = await connect(inject("kafka"))
})
afterEach(killAll)
afterAll(() => kafka?.close())

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

describe("the API", () => {
  it("takes orders and clicks: 201 means that the event is in Kafka, as it was answered, keyed by its user", async () => {
    const topics = await makeTopics(kafka)
    const { api, process } = await startShop(topics.env)
    await process.line(/Sending to/)
    const order = await post(`${api}/api/v1/orders/`, biryani)
    const click = await post(`${api}/api/v1/clicks`, { user_id: 7, item_id: 5 })
    assert.strictEqual(order.status, 201)
    assert.strictEqual(click.status, 201)
    const { created_at, order_id, ...rest } = order.body
    assert.match(String(order_id), uuid)
    assert.isBelow(Math.abs(Date.parse(String(created_at)) - Date.now()), 60_000)
    assert.deepStrictEqual(rest, { ...biryani, quantity: 1, status: "placed" })
    assert.match(String(click.body["click_id"]), uuid)

    for (const [topic, key, event] of [
      [topics.orders, "123", order.body],
      [topics.clicks, "7", click.body]
    ] as const) {
      const [record] = await kafka.read(topic, 1)
      assert.strictEqual(String(record?.key), key)
      assert.deepStrictEqual(JSON.parse(String(record?.value)), event)
    }
  })

  it("refuses what is wrong with a 4xx that says what, and sends nothing", async () => {
    const topics = await makeTopics(kafka)
    const { api, page, process } = await startShop(topics.env)
    await process.line(/Sending to/)
    const orders = `${api}/api/v1/orders/`
    const cases: ReadonlyArray<
      readonly [body: unknown, status: number, detail: RegExp, headers?: Record<string, string>]
    > = [
      ["order 7", 400, /JSON/],
      ["", 400, /JSON/],
      [[biryani], 422, /^expected a JSON object$/],
      [{}, 422, /user_id: is missing; item_id: is missing; item_name: is missing; price: is missing/],
      [{ ...biryani, user_id: "abc" }, 422, /^user_id: expected a whole number from 1 to \d+$/],
      [{ ...biryani, user_id: 0 }, 422, /^user_id: /],
      [{ ...biryani, item_id: 1.5 }, 422, /^item_id: /],
      ['{"user_id":9007199254740993,"item_id":5,"item_name":"Dal","price":1}', 422, /^user_id: /],
      ['{"user_id":1,"item_id":5,"item_name":"Dal","price":1e999}', 422, /^price: expected a number from 0 to/],
      [{ ...biryani, price: -1, quantity: 0 }, 422, /^(?=.*price: )(?=.*quantity: )/],
      [{ ...biryani, item_name: "" }, 422, /^item_name: expected 1 to 200 characters/],
      [{ ...biryani, item_name: "a\u0007" }, 422, /^item_name: /],
      [{ ...biryani, item_name: "  " }, 422, /^item_name: .*not all of them blank/],
      [{ ...biryani, item_name: "\u00a0\u200b\u3164" }, 422, /^item_name: /],
      [{ ...biryani, item_name: "\ud800" }, 422, /^item_name: /],
      [{ ...biryani, order_id: "mine", status: "paid" }, 422, /^(?=.*order_id: is set by the shop)(?=.*status: )/],
      [{ ...biryani, delivery_address: { city: "Berlin" }, price: "12.99" }, 422, /^price: expected a number/],
      [biryani, 415, /application\/json/, { "content-type": "text/plain" }],
      [biryani, 415, /in UTF-8, got the charset utf-16$/, { "content-type": "application/json; charset=utf-16" }],
      [biryani, 415, /got the charset latin1$/, { "content-type": 'application/json;charset="latin1"' }],
      [biryani, 415, /Content-Encoding, got "gzip"$/, { ...json, "content-encoding": "gzip" }],
      [{ ...biryani, item_name: "x".repeat(20_000) }, 413, /at most 16384 bytes/]
    ]
    for (const [body, status, detail, headers] of cases) {
      const answer = await post(orders, body, headers)
      assert.strictEqual(answer.status, status, JSON.stringify(body))
      assert.match(String(answer.body["detail"]), detail)
      assert.strictEqual(answer.headers.get("content-type"), "application/problem+json")
    }
    const notUtf8 = await fetch(orders, {
      method: "POST",
      headers: json,
      body: Buffer.from('{"user_id":"\xff"}', "latin1")
    })
    assert.strictEqual(notUtf8.status, 400)
    for (const url of [orders, `${api}/healthz`, `${api}/nothing`, `${page}/`, `${page}/addresses.json`]) {
      const { hostname, pathname, port } = new URL(url)
      const foreign = request({ hostname, port, path: pathname, headers: { host: "evil.example" } }).end()
      const refused = await new Promise<IncomingMessage>((resolve) => foreign.once("response", resolve))
      refused.resume()
      assert.strictEqual(refused.statusCode, 421, url)
    }
    const wrongMethod = await fetch(orders)
    assert.strictEqual(wrongMethod.status, 405)
    assert.strictEqual(wrongMethod.headers.get("allow"), "POST, OPTIONS")
    assert.strictEqual((await fetch(`${api}/api/v1/nothing`)).status, 404)
    assert.strictEqual((await post(`${api}/api/v1/clicks/`, { user_id: 1 })).status, 422)
    assert.strictEqual((await post(`${api}/api/v1/broken/`, {})).status, 422)
    assert.strictEqual((await post(`${api}/api/v1/broken/`, { user_id: 1 }, {})).status, 415)
    assert.strictEqual((await fetch(`${api}/api/v1/landed?at=${topics.orders}`)).status, 422)

    const asked = async (origin: string) =>
      (await fetch(orders, { method: "OPTIONS", headers: { origin, "access-control-request-method": "POST" } })).headers
    assert.strictEqual((await asked(page)).get("access-control-allow-origin"), page)
    assert.isNull((await asked("http://elsewhere.example")).get("access-control-allow-origin"))

    assert.deepStrictEqual(await kafka.ends(topics.orders), [0, 0, 0])
    assert.deepStrictEqual(await kafka.ends(topics.clicks), [0, 0, 0])
  })

  it("passes on fields that it does not know as they were written, and says what the service made of a record", async () => {
    const path = join(await mkdtemp(join(tmpdir(), "bronze-shop-")), "bronze.duckdb")
    const live = String(await freePort())
    const job = await makeJob(kafka, { SINK: "duckdb", DUCKDB_PATH: path }, { extra: { BATCH_TIMEOUT: "1" } })
    const env = { ...job.env, HTTP_PORT: live, HTTP_TOKEN: "a-token-of-the-page" }
    const { api, process } = await startShop(env)
    await process.line(/Sending to/)
    // Numbers that JavaScript would round, and a name that is special to it.
    const tomorrow = `"delivery_address": {"city": "Zürich", "zip": 8001.10}, "payment_method":"card","trace_id":9007199254740993,"__proto__":{"a":1}`
    const known = JSON.stringify(biryani).slice(1, -1)
    const order = await post(`${api}/api/v1/orders/`, ` {${known}, ${tomorrow} }\n`)
    assert.strictEqual(order.status, 201)
    assert.deepInclude(order.body, { ...biryani, payment_method: "card", quantity: 1, status: "placed" })
    const [record] = await kafka.read(job.orders, 1)
    assert.include(String(record?.value), tomorrow)

    const broken = await fetch(`${api}/api/v1/broken/`, { method: "POST", headers: json, body: '{"user_id":7}' })
    assert.strictEqual(broken.status, 201)
    const places = [order.headers, broken.headers].map((headers) => headers.get("kafka-record"))
    assert.deepStrictEqual(places, [`${job.orders}/0@0`, `${job.orders}/0@1`])
    const landed = async (at: string | null): Promise<unknown> =>
      (await fetch(`${api}/api/v1/landed?at=${encodeURIComponent(at ?? "")}`)).json()
    assert.deepStrictEqual(await landed(places[0] ?? null), { state: "unknown" }, "no service runs")

    const service = start(env)
    const [row, letter] = await Promise.all(
      places.map((at) =>
        eventually(
          () => landed(at),
          (answer) => JSON.stringify(answer) !== '{"state":"unknown"}'
        )
      )
    )
    assert.deepStrictEqual(row, { state: "row", table: job.ordersTable })
    assert.deepStrictEqual(letter, { state: "dead letter", table: "DEAD_LETTERS", cause: "not_json" })
    for (const at of [`${job.orders}/0@2`, `${job.clicks}/0@0`, "another.topic/0@0"])
      assert.deepStrictEqual(await landed(at), { state: "unknown" }, at)

    service.signal("SIGTERM")
    assert.strictEqual(await service.exit, 0, service.output())
    const inspect = await duckDb(path)
    const rows = await inspect.query(
      `SELECT RAW_EVENT ->> '$.delivery_address.city' AS CITY, RAW_EVENT ->> '$.payment_method' AS METHOD, RAW_EVENT ->> '$.trace_id' AS TRACE FROM BRONZE.${job.ordersTable}`
    )
    await inspect.close()
    await rm(dirname(path), { recursive: true, force: true })
    assert.deepStrictEqual(rows, [{ city: "Zürich", method: "card", trace: "9007199254740993" }])
  })

  it("starts without Kafka and says how to start one, answers 503 while it is unreachable, and works again when it is back", async () => {
    const dataDir = await mkdtemp(join(tmpdir(), "bronze-shop-"))
    const broker = await startBroker({ dataDir })
    const own = await connect(broker.bootstrap)
    try {
      const topics = await makeTopics(own)
      await broker.stop()
      const { api, process } = await startShop(topics.env)
      await process.line(/Kafka is unreachable.*npm run kafka -- start/)
      assert.strictEqual((await fetch(`${api}/healthz`)).status, 503)
      await broker.restart()
      await process.line(/Sending to/)
      // A broker that is back answers before each of its partitions has a leader.
      const accepted = () =>
        eventually(
          () => post(`${api}/api/v1/orders/`, biryani),
          ({ status }) => status === 201
        )
      await accepted()

      broker.kill()
      const refused = await post(`${api}/api/v1/orders/`, biryani)
      assert.strictEqual(refused.status, 503)
      assert.match(String(refused.body["detail"]), /Could not send to|did not acknowledge/)
      await broker.restart()
      await accepted()
      assert.strictEqual((await fetch(`${api}/healthz`)).status, 200)
      // What was answered with 503 may have arrived as well; what was answered with 201 did.
      const ends = await own.ends(topics.orders)
      assert.isAtLeast(
        ends.reduce((sum, end) => sum + end, 0),
        2
      )
    } finally {
      await own.close()
      broker.kill()
      await rm(dataDir, { recursive: true, force: true })
    }
  })
})

describe("the process", () => {
  it("says which port is taken and how to choose another one, and which settings are malformed", async () => {
    const { env } = await makeTopics(kafka)
    const first = await startShop(env)
    await first.process.line(/Page: /)
    const second = start(first.env, [], program)
    assert.strictEqual(await second.exit, 1)
    assert.match(second.output(), /Port \d+ is in use by another program.*SHOP_(API|PAGE)_PORT=\d+ npm run shop/)
    const third = start({ ...first.env, SHOP_API_PORT: "http", SHOP_PAGE_PORT: "70000" }, [], program)
    assert.strictEqual(await third.exit, 78)
    for (const name of ["SHOP_API_PORT", "SHOP_PAGE_PORT"])
      assert.match(third.output(), new RegExp(`${name}: expected a whole number from 1 to 65535`))
    assert.notMatch(second.output() + third.output(), /\n\s+at /, "no stack trace")
  })

  it("stops on SIGINT: a request under way is answered and its event is in Kafka; an idle connection holds nothing up", async () => {
    const topics = await makeTopics(kafka)
    const { api, process } = await startShop(topics.env)
    await process.line(/Sending to/)
    const port = Number(new URL(api).port)
    const idle = open(port, "127.0.0.1")
    const busy = open(port, "127.0.0.1")
    const body = JSON.stringify(biryani)
    const head = `POST /api/v1/orders/ HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n`
    await new Promise((resolve) => busy.write(`${head}${body.slice(0, 10)}`, resolve))
    // Answered on another connection after that: the first one has been read by then.
    assert.strictEqual((await fetch(`${api}/healthz`)).status, 200)

    process.signal("SIGINT")
    await process.line(/SIGINT: stopping/)
    const at = Date.now()
    const answer = new Promise<string>((resolve) => busy.once("data", (chunk) => resolve(String(chunk))))
    busy.write(body.slice(10))
    assert.match(await answer, /^HTTP\/1\.1 201 /)
    assert.strictEqual(await process.exit, 0, process.output())
    assert.isBelow(Date.now() - at, 8000)
    idle.destroy()
    const [record] = await kafka.read(topics.orders, 1)
    assert.deepInclude(JSON.parse(String(record?.value)), biryani)
  })
})

describe("half a request", () => {
  it("does not hold up the end", async () => {
    const topics = await makeTopics(kafka)
    const { api, process } = await startShop(topics.env)
    await process.line(/Sending to/)
    const port = Number(new URL(api).port)
    const head = "POST /api/v1/orders/ HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    const halves = await Promise.all(
      [`${head}Content-Length: 100\r\n\r\n{"user`, head, `GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n${head}`].map(
        async (half) => {
          const socket = open(port, "127.0.0.1")
          // Cut off, as it should be.
          socket.on("error", () => {})
          await new Promise((resolve) => socket.write(half, resolve))
          return socket
        }
      )
    )
    // Answered after that: the others have been read by then.
    assert.strictEqual((await fetch(`${api}/healthz`)).status, 200)
    const at = Date.now()
    process.signal("SIGTERM")
    assert.strictEqual(await process.exit, 0, process.output())
    assert.isBelow(Date.now() - at, 6000)
    for (const socket of halves) socket.destroy()
    assert.deepStrictEqual(await kafka.ends(topics.orders), [0, 0, 0])
  })
})

describe("the page, in Chromium", () => {
  let browser: Browser
  let folder: string

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "bronze-shop-"))
    browser = await openBrowser()
  })
  afterAll(async () => {
    await browser?.close()
    await rm(folder, { recursive: true, force: true })
  })

  it("turns a click and an order into rows, which the live page shows", async () => {
    const path = join(folder, "bronze.duckdb")
    const live = await freePort()
    const job = await makeJob(kafka, { SINK: "duckdb", DUCKDB_PATH: path }, { extra: { BATCH_TIMEOUT: "1" } })
    const env = { ...job.env, HTTP_PORT: String(live), HTTP_SHOW_EVENTS: "true" }
    const service = start(env)
    const shop = await startShop(env)
    await Promise.all([service.line(/Assigned/), shop.process.line(/Sending to/)])

    const { errors, hosts, page } = await visit(browser, shop.page)
    await page.getByLabel("You are user").fill("4711")
    await page.getByRole("button", { name: /^Chicken Biryani/ }).click()
    await page.getByText(new RegExp(`^Row in ${job.clicksTable} after \\d+\\.\\d s$`)).waitFor()
    await page.getByRole("button", { name: "Order Chicken Biryani, $12.99" }).click()
    await page.getByText(new RegExp(`^Row in ${job.ordersTable} after \\d+\\.\\d s$`)).waitFor()
    const links = await page.getByRole("link", { name: "See the row" }).all()
    assert.deepStrictEqual(await Promise.all(links.map((link) => link.getAttribute("href"))), [
      `http://localhost:${live}/#row=${job.orders}/0@0`,
      `http://localhost:${live}/#row=${job.clicks}/0@0`
    ])
    const [orderId = "", clickId = ""] = await page.locator("#sent code").allTextContents()
    assert.match(orderId, uuid)
    assert.match(clickId, uuid)

    // Each link leads to its own row among the last ones, in one window.
    const [toOrder, toClick] = links
    assert(toOrder !== undefined && toClick !== undefined)
    const [livePage] = await Promise.all([page.waitForEvent("popup"), toOrder.click()])
    await livePage.locator("#rows-rows").getByText(orderId).first().waitFor()
    await toClick.click()
    await livePage.locator("#rows-rows").getByText(clickId).first().waitFor()
    await screenshot(livePage, "shop-click-arrived")

    await page.getByRole("button", { name: "Send a broken event" }).click()
    await page.getByText("Dead letter in DEAD_LETTERS: not_json").waitFor()
    const letter = page.getByRole("link", { name: "See the dead letter" })
    assert.strictEqual(await letter.getAttribute("href"), `http://localhost:${live}/#dead-letters`)
    await screenshot(page, "shop-landed")
    assert.deepStrictEqual(errors, [])
    assert.deepStrictEqual(
      [...hosts].sort(),
      [new URL(shop.page).host, new URL(shop.api).host.replace("127.0.0.1", "localhost")].sort()
    )

    service.signal("SIGTERM")
    assert.strictEqual(await service.exit, 0, service.output())
    const inspect = await duckDb(path)
    const seen = await Promise.all([
      countRows(inspect, job.clicksTable, `RAW_EVENT ->> '$.click_id' = '${clickId}' AND USER_ID = 4711`),
      countRows(inspect, job.ordersTable, `ORDER_ID = '${orderId}' AND USER_ID = 4711`)
    ])
    await inspect.close()
    assert.deepStrictEqual(seen, [1, 1])
  })

  it("can be used by keyboard alone, fits a phone, and says why something was refused", async () => {
    const { env } = await makeTopics(kafka)
    const shop = await startShop(env)
    await shop.process.line(/Sending to/)
    for (const [name, options] of [
      ["light", { colorScheme: "light" }],
      ["dark", { colorScheme: "dark" }],
      ["phone", { colorScheme: "light", viewport: { width: 390, height: 844 } }],
      ["phone-dark", { colorScheme: "dark", viewport: { width: 320, height: 640 } }]
    ] as const) {
      const { page } = await visit(browser, shop.page, options)
      await page.getByRole("button", { name: /^Order Mango Lassi/ }).waitFor()
      // From the field in the header: the first dish, then its order button; HTTP_PORT=0 leaves no live page to link
      // to.
      await page.getByLabel("You are user").fill("0")
      for (const key of ["Tab", "Enter"]) await page.keyboard.press(key)
      await page.getByText(/^422: user_id: expected a whole number from 1/).waitFor()
      await page.getByLabel("You are user").fill("1")
      for (const key of ["Tab", "Tab", "Enter"]) await page.keyboard.press(key)
      await page.getByText(/^In Kafka after/).waitFor()
      assert.match((await page.locator("#sent > li").allTextContents())[0] ?? "", /^\s*Order\s+Masala Dosa/)
      assert.strictEqual(await page.getByRole("link").count(), 0)
      const room = await page.evaluate("[document.documentElement.scrollWidth, window.innerWidth]")
      assert.deepStrictEqual(room, [options.viewport?.width ?? 1360, options.viewport?.width ?? 1360])
      assert.deepStrictEqual(await cutOff(page), [], name)
      const hidden = (await tabStops(page)).filter(({ isSeen }) => !isSeen)
      assert.deepStrictEqual([...hidden, ...(await unreached(page))], [], name)
      await screenshot(page, `shop-${name}`)
      await page.close()
    }

    const { page } = await visit(browser, shop.page)
    const dish = page.getByRole("button", { name: /^Pad Thai/ })
    await dish.waitFor()
    shop.process.signal("SIGINT")
    await shop.process.exit
    await dish.click()
    await page.getByText(/^No answer from http:\/\/localhost:\d+\. Is the shop running\?$/).waitFor()
  })
})
