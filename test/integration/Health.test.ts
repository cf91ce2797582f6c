/**
 * Health and metrics of the real process: what probes, a real Prometheus and a person with curl get to see while things
 * go well, stand still or hang.
 */
import { execFile, spawn } from "node:child_process"
import { once } from "node:events"
import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { request as httpRequest, type IncomingMessage } from "node:http"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { promisify } from "node:util"
import { afterAll, afterEach, assert, beforeAll, describe, inject, it } from "vitest"
import { startEmulator } from "../../scripts/emulator/emulator.ts"
import { startBroker } from "../../scripts/kafka/broker.ts"
import { killAll, start } from "../../scripts/support/bronzeProcess.ts"
import { ensureDebianPackage } from "../../scripts/support/debian.ts"
import { freePort } from "../../scripts/support/freePort.ts"
import { makeJob, snowflakeAt } from "../support/Job.ts"
import { connect, eventually, messages, order, type RealKafka } from "../support/RealKafka.ts"

let kafka: RealKafka
let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "bronze-health-"))
  kafka = await connect(inject("kafka"))
})
afterEach(killAll)
afterAll(async () => {
  await kafka?.close()
  await rm(folder, { recursive: true, force: true })
})

const duckDb = () => ({ SINK: "duckdb", DUCKDB_PATH: join(folder, `${Math.random()}.duckdb`) })

/** The endpoints of a service that will listen on this port. */
const at = (port: number) => {
  const get = async (path: string) => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`)
    return { status: response.status, text: await response.text() }
  }
  const status = async (path: string) => (await get(path)).status
  /** A metric's value; undefined where there is no such series. */
  const metric = async (series: string): Promise<number | undefined> => {
    const line = (await get("/metrics")).text.split("\n").find((text) => text.startsWith(`${series} `))
    return line === undefined ? undefined : Number(line.split(" ").at(-1))
  }
  return { get, status, metric }
}

describe("who may ask", () => {
  /** Like fetch, which does not let anybody choose the Host header. */
  const ask = async (
    port: number,
    path: string,
    options: { method?: string; headers?: Record<string, string> } = {}
  ) => {
    const request = httpRequest({ host: "127.0.0.1", port, path, ...options })
    request.end()
    const response = await new Promise<IncomingMessage>((resolve) => request.once("response", resolve))
    let text = ""
    response.on("data", (chunk) => {
      text += String(chunk)
    })
    // The stream of events has no end of its own.
    if (path !== "/api/events" || response.statusCode !== 200) await once(response, "end")
    request.destroy()
    return { status: response.statusCode, headers: response.headers, text }
  }

  it("a name of this machine, with GET: nothing is told to another one, on no path", async () => {
    const port = await freePort()
    const job = await makeJob(kafka, duckDb(), { extra: { HTTP_PORT: String(port), LOG_FORMAT: "json" } })
    const service = start(job.env)
    await service.line(/Live page/)
    for (const path of [
      "/",
      "/api/snapshot",
      "/api/events",
      "/metrics",
      "/livez",
      "/readyz",
      "/page/app.js",
      "/none"
    ]) {
      const refused = await ask(port, path, { headers: { host: "evil.example" } })
      assert.deepStrictEqual(
        [refused.status, refused.text],
        [421, "This answers to localhost, 127.0.0.1 and [::1] only\n"]
      )
      const host = `localhost:${port}`
      const posted = await ask(port, path, { method: "POST", headers: { host } })
      assert.deepStrictEqual([posted.status, posted.headers.allow], [405, "GET, HEAD"], path)
      const expected = path === "/none" ? 404 : path === "/readyz" ? [200, 503] : 200
      assert.include([expected].flat(), (await ask(port, path, { headers: { host } })).status, path)
      assert.include([expected].flat(), (await ask(port, path, { method: "HEAD", headers: { host } })).status, path)
    }
    service.signal("SIGTERM")
    assert.strictEqual(await service.exit, 0)
  })

  it("who has HTTP_TOKEN, where it is set; probes need none, and status uses it", async () => {
    const port = await freePort()
    const token = join(folder, "token")
    await writeFile(token, "s3cret-token\n")
    const extra = {
      ...{ HTTP_PORT: String(port), HTTP_HOST: "0.0.0.0", HTTP_TOKEN_FILE: token },
      BATCH_TIMEOUT: "0.5"
    }
    const job = await makeJob(kafka, duckDb(), { extra })
    const service = start(job.env)
    await service.line(/Live page/)
    assert.notInclude(service.output(), "anyone who can reach this address")
    const bearer = { authorization: "Bearer s3cret-token" }
    const basic = { authorization: `Basic ${Buffer.from("me:s3cret-token").toString("base64")}` }
    for (const path of ["/", "/api/snapshot", "/api/events", "/metrics", "/page/app.js"]) {
      assert.strictEqual((await ask(port, path)).status, 401, path)
      assert.strictEqual((await ask(port, path, { headers: { authorization: "Bearer wrong" } })).status, 401, path)
      assert.strictEqual((await ask(port, path, { headers: bearer })).status, 200, path)
      assert.strictEqual((await ask(port, path, { headers: basic })).status, 200, path)
    }
    assert.strictEqual((await ask(port, "/livez")).status, 200)
    assert.notInclude((await ask(port, "/api/events", { headers: bearer })).text, "s3cret-token")
    await eventually(
      async () => (await ask(port, "/readyz")).status,
      (status) => status === 200
    )
    // A table whose rows are not among the last 20 that the page shows has a last write, too.
    await kafka.produce(job.clicks, [{ value: "{}" }])
    await service.line(/Inserted 1 /)
    await kafka.produce(job.orders, messages(30, order))
    await service.line(/Inserted 30 /)
    const status = start(job.env, ["status", "--json"])
    assert.strictEqual(await status.exit, 0, status.output())
    const { tables } = JSON.parse(status.output())
    assert.deepStrictEqual(
      tables.map(({ lastWriteAt, rows }: { lastWriteAt: unknown; rows: number }) => [typeof lastWriteAt, rows]),
      [
        ["string", 30],
        ["string", 1],
        ["object", 0]
      ]
    )
    assert.include(status.output(), `"url":"http://127.0.0.1:${port}"`)
    assert.notInclude(service.output(), "s3cret-token")
    service.signal("SIGTERM")
    assert.strictEqual(await service.exit, 0)
  })

  it("whoever reaches an open address without a token, which is warned about", async () => {
    const job = await makeJob(kafka, duckDb(), { extra: { HTTP_HOST: "0.0.0.0", HTTP_PORT: String(await freePort()) } })
    const service = start(job.env)
    await service.line(
      /WARNING - HTTP_HOST 0\.0\.0\.0: anyone who can reach this address can read live page, API and metrics/
    )
    await service.line(/Live page/)
    service.signal("SIGTERM")
    assert.strictEqual(await service.exit, 0)
  })
})

describe("metrics", () => {
  it("please promtool, are scraped by a real Prometheus, and tell what became durable", async () => {
    const [port, prometheusPort] = [await freePort(), await freePort()]
    const job = await makeJob(kafka, duckDb(), { extra: { BATCH_TIMEOUT: "0.5", HTTP_PORT: String(port) } })
    await kafka.produce(job.orders, [...messages(250, order), { value: "{broken" }, { value: null }])
    const service = start(job.env)
    const { get, metric } = at(port)
    await service.line(/Live page/)
    await eventually(
      () => metric(`bronze_rows_written_total{table="${job.ordersTable}"}`),
      (rows) => rows === 251
    )

    await ensureDebianPackage("prometheus", "prometheus")
    const file = join(folder, "metrics.txt")
    await writeFile(file, (await get("/metrics")).text)
    const lint = await promisify(execFile)("sh", ["-c", `promtool check metrics < ${file}`])
    assert.strictEqual(lint.stdout + lint.stderr, "")

    const config = join(folder, "prometheus.yml")
    await writeFile(
      config,
      `global: { scrape_interval: 1s }\nscrape_configs:\n  - job_name: bronze\n    static_configs: [{ targets: ["127.0.0.1:${port}"] }]\n`
    )
    const prometheus = spawn(
      "prometheus",
      [
        `--config.file=${config}`,
        `--storage.tsdb.path=${join(folder, "tsdb")}`,
        `--web.listen-address=127.0.0.1:${prometheusPort}`
      ],
      { stdio: "ignore" }
    )
    try {
      const query = async (expression: string): Promise<string> => {
        const url = `http://127.0.0.1:${prometheusPort}/api/v1/query?query=${encodeURIComponent(expression)}`
        return fetch(url).then(
          (response) => response.text(),
          () => "not up yet"
        )
      }
      await eventually(
        () => query(`bronze_rows_written_total{table="${job.ordersTable}"}`),
        (answer) => answer.includes('"251"')
      )
      assert.match(await query("up"), /"1"\]/)
      assert.match(await query(`bronze_dead_letters_total{topic="${job.orders}",cause="not_json"}`), /"1"\]/)
      assert.match(await query(`histogram_quantile(0.5, bronze_freshness_seconds_bucket)`), /"\d+(\.\d+)?"\]/)
    } finally {
      prometheus.kill("SIGKILL")
      await once(prometheus, "close")
    }
    assert.strictEqual(
      await eventually(
        () => metric(`bronze_consumer_lag{topic="${job.orders}",partition="0"}`),
        (lag) => lag === 0
      ),
      0
    )
  })
})

describe("health", () => {
  it("stays healthy on a topic that has one record and then nothing, and the next record comes through", async () => {
    const port = await freePort()
    const job = await makeJob(kafka, duckDb(), {
      extra: { BATCH_TIMEOUT: "0.2", PROGRESS_TIMEOUT: "1", HTTP_PORT: String(port) }
    })
    await kafka.produce(job.orders, messages(1, order))
    const service = start(job.env)
    const { metric, status } = at(port)
    await service.line(/Kafka offsets committed/)
    // Many times PROGRESS_TIMEOUT, and long enough for two looks at the lag.
    for (const until = Date.now() + 12_000; Date.now() < until; ) {
      assert.deepStrictEqual([await status("/livez"), await status("/readyz")], [200, 200], service.output())
      await new Promise((resolve) => setTimeout(resolve, 500))
    }
    await kafka.produce(job.orders, messages(1, order, 1))
    await eventually(
      () => metric(`bronze_rows_written_total{table="${job.ordersTable}"}`),
      (rows) => rows === 2
    )
    assert.notInclude(service.output(), "rejoining the group")
  })

  it("of a warehouse that hangs: not ready, then not alive; healthy again when it continues, and nothing is lost or duplicated", async () => {
    const port = await freePort()
    const emulator = await startEmulator()
    try {
      const job = await makeJob(kafka, snowflakeAt(emulator.url), {
        extra: { BATCH_TIMEOUT: "0.2", PROGRESS_TIMEOUT: "2", READY_MAX_PENDING: "1", HTTP_PORT: String(port) }
      })
      const service = start(job.env)
      const { get, metric, status } = at(port)
      await kafka.produce(job.orders, messages(10, order))
      await service.line(/Kafka offsets committed/)
      assert.deepStrictEqual([await status("/livez"), await status("/readyz")], [200, 200])

      process.kill(emulator.pid, "SIGSTOP")
      await kafka.produce(job.orders, messages(10, order, 10))
      await eventually(
        () => status("/readyz"),
        (code) => code === 503
      )
      assert.include((await get("/readyz")).text, "the oldest record in memory has waited")
      await service.line(/no answer within PROGRESS_TIMEOUT; reconnecting/)
      await eventually(
        () => status("/livez"),
        (code) => code === 503
      )
      assert.include((await get("/livez")).text, "there is something to write, but no progress")

      process.kill(emulator.pid, "SIGCONT")
      await eventually(
        () => metric(`bronze_rows_written_total{table="${job.ordersTable}"}`),
        (rows) => rows === 20
      )
      await eventually(
        async () => [await status("/livez"), await status("/readyz")].join(),
        (codes) => codes === "200,200"
      )
      service.signal("SIGTERM")
      assert.strictEqual(await service.exit, 0, service.output())
      const audit = start(job.env, ["audit"])
      assert.strictEqual(await audit.exit, 0, audit.output())
    } finally {
      process.kill(emulator.pid, "SIGCONT")
      await emulator.stop()
    }
  })

  it("of a broker that is unreachable: not ready, and says so, from before the first connection on; and yet alive", async () => {
    const port = await freePort()
    const broker = await startBroker({ dataDir: join(folder, "away-kafka") })
    try {
      const late = await connect(broker.bootstrap)
      const job = await makeJob(late, duckDb(), { extra: { HTTP_PORT: String(port) } })
      await late.close()
      await broker.stop()
      const service = start(job.env)
      const { get, status } = at(port)
      await service.line(/Live page/)
      await eventually(
        async () => (await get("/readyz")).text,
        (text) => text.includes("Kafka: Could not")
      )
      assert.strictEqual(await status("/livez"), 200)
      await broker.restart()
      await eventually(
        () => status("/readyz"),
        (code) => code === 200,
        60_000
      )
      await broker.stop()
      await eventually(
        () => status("/readyz"),
        (code) => code === 503,
        60_000
      )
      assert.include((await get("/readyz")).text, "Kafka:")
      assert.strictEqual(await status("/livez"), 200)
    } finally {
      await broker.stop()
    }
  })
})

describe("the HTTP server", () => {
  it("that finds its port taken costs the page, not the service", async () => {
    const port = await freePort()
    const job = await makeJob(kafka, duckDb(), { extra: { BATCH_TIMEOUT: "0.2", HTTP_PORT: String(port) } })
    const taken = spawn(process.execPath, [
      "-e",
      `require("node:http").createServer().listen(${port}, "127.0.0.1", () => console.log("up"))`
    ])
    await once(taken.stdout, "data")
    try {
      await kafka.produce(job.orders, messages(3, order))
      const service = start(job.env)
      await service.line(
        new RegExp(`WARNING - Cannot listen on http://127.0.0.1:${port} .*set HTTP_PORT to another port, or to 0`)
      )
      await service.line(/Kafka offsets committed/)
      taken.kill()
      await service.line(/Live page, health and metrics: /)
      assert.strictEqual((await at(port).get("/livez")).status, 200)
    } finally {
      taken.kill()
    }
  })

  it("shows neither secrets nor payloads, and does not hold up the end while somebody watches", async () => {
    const port = await freePort()
    const job = await makeJob(kafka, duckDb(), {
      extra: { BATCH_TIMEOUT: "0.2", HTTP_PORT: String(port), SNOWFLAKE_PASSWORD: "s3cret-password" }
    })
    await kafka.produce(job.orders, messages(3, order))
    const service = start(job.env)
    await service.line(/Kafka offsets committed/)
    const { get } = at(port)
    const events = await fetch(`http://127.0.0.1:${port}/api/events`)
    const reader = events.body?.getReader()
    let seen = ""
    while (!seen.includes("event: snapshot")) seen += new TextDecoder().decode((await reader?.read())?.value)
    const shown = seen + (await get("/api/snapshot")).text + (await get("/metrics")).text
    assert.include(shown, '"name":"SNOWFLAKE_PASSWORD","value":"<redacted>"')
    assert.notInclude(shown, "s3cret")
    assert.notInclude(shown, "Biryani")
    const asked = Date.now()
    service.signal("SIGTERM")
    assert.strictEqual(await service.exit, 0)
    assert.isBelow(Date.now() - asked, 5000)
  })
})
