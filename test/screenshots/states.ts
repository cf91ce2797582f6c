/** The live page in each of its states, over a real Kafka and the emulator of Snowflake, which both go away in the end. */
import { join } from "node:path"
import type { Browser, BrowserContextOptions, Page } from "playwright-core"
import { startEmulator } from "../../scripts/emulator/emulator.ts"
import { startBroker } from "../../scripts/kafka/broker.ts"
import { start } from "../../scripts/support/bronzeProcess.ts"
import { freePort } from "../../scripts/support/freePort.ts"
import { openBrowser, visit } from "../support/Browser.ts"
import { snowflakeAt } from "../support/Job.ts"
import { listening, says } from "../support/LivePage.ts"
import { click, connect, messages, order, type RealKafka } from "../support/RealKafka.ts"

const [orders, clicks] = ["raw.orders.v1", "raw.clicks.v1"]

/** A trickle that rises and falls, and two broken events, so that every part of the page has something to show. */
const produceFor = async (kafka: RealKafka, seconds: number): Promise<void> => {
  for (let second = 0; second < seconds; second++) {
    const count = Math.round(30 + 20 * Math.sin(second / 5))
    await kafka.produce(orders, messages(count, order, second * 100))
    await kafka.produce(clicks, messages(Math.round(count / 2), click, second * 100))
    if (second % 20 === 10) await kafka.produce(orders, [{ key: "42", value: '{"order_id": "o-42", status: new}' }])
    await new Promise((resolve) => setTimeout(resolve, 1000))
  }
}

const looks: ReadonlyArray<readonly [name: string, options: BrowserContextOptions, isWhole: boolean]> = [
  ["1280", { viewport: { width: 1280, height: 900 } }, true],
  ["1920", { viewport: { width: 1920, height: 1080 } }, false],
  ["390", { viewport: { width: 390, height: 844 }, isMobile: true }, false],
  ["light", { viewport: { width: 1100, height: 720 }, colorScheme: "light" }, false],
  ["dark", { viewport: { width: 1100, height: 720 }, colorScheme: "dark" }, false],
  ["200-percent", { viewport: { width: 640, height: 450 }, deviceScaleFactor: 2 }, false]
]

const open = async (browser: Browser, url: string, options: BrowserContextOptions): Promise<Page> => {
  const { page } = await visit(browser, url, { reducedMotion: "reduce", ...options })
  await says(page.locator("#stored"), /in the tables/)
  return page
}

/** `fileOf` gives each picture its place. */
export const takeStates = async (folder: string, fileOf: (name: string) => string): Promise<void> => {
  const broker = await startBroker({ dataDir: join(folder, "kafka") })
  const emulator = await startEmulator({ dataDir: join(folder, "snowflake") })
  const kafka = await connect(broker.bootstrap)
  const browser = await openBrowser()
  try {
    await Promise.all([kafka.createTopic(orders, 3), kafka.createTopic(clicks, 3)])
    const port = await freePort()
    const url = `http://127.0.0.1:${port}`
    const settings = { KAFKA_BOOTSTRAP_SERVERS: broker.bootstrap, ...snowflakeAt(emulator.url) }
    await start(settings, ["init"]).exit
    const service = start({ ...settings, HTTP_PORT: String(port), HTTP_SHOW_EVENTS: "true" })
    await listening(service)
    await service.line(/Assigned/)
    await produceFor(kafka, 5)
    await kafka.produce(clicks, messages(100, click))
    const pages = await Promise.all(looks.map(([, options]) => open(browser, url, options)))
    await produceFor(kafka, 45)
    for (const [index, [name, , fullPage]] of looks.entries())
      await pages[index]?.screenshot({ path: fileOf(name), fullPage })
    await Promise.all(pages.map((page) => page.context().close()))

    const page = await open(browser, url, { viewport: { width: 1100, height: 720 } })
    const take = (name: string) => page.screenshot({ path: fileOf(name) })
    for (let round = 0; round < 20; round++) await kafka.produce(orders, messages(2000, order, round * 2000))
    await says(page.locator("#rate-out"), /\d \d{3} \/s/)
    await take("under-load")

    await emulator.stop()
    await kafka.produce(orders, messages(300, order))
    await says(page.locator("#health"), /^Not ready .*(Snowflake|warehouse)/i)
    await take("warehouse-away")
    await emulator.restart()
    await says(page.locator("#health"), /^Healthy/)

    await broker.stop()
    await says(page.locator("#health"), /^Not ready .*Kafka/)
    await take("kafka-away")
  } finally {
    await browser.close()
    broker.kill()
    await emulator.stop()
  }
}
