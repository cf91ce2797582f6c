/**
 * What is changed inside snowflake-sdk is in force in the version that is installed; an upgrade that breaks a change
 * turns this red.
 */
import { createServer, type IncomingHttpHeaders } from "node:http"
import { createRequire } from "node:module"
import zlib from "node:zlib"
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import * as Patches from "../../../../src/warehouse/snowflake/patches.ts"
import { lend, RowBind } from "../../../../src/warehouse/snowflake/RowBinds.ts"

const require = createRequire(import.meta.url)

interface Received {
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
}

const received: Array<Received> = []
let status = 200
const server = createServer((request, response) => {
  const chunks: Array<Buffer> = []
  request.on("data", (chunk: Buffer) => chunks.push(chunk))
  request.on("end", () => {
    received.push({ headers: request.headers, body: Buffer.concat(chunks) })
    response.writeHead(status, { "content-type": "application/json" }).end("{}")
  })
})

beforeAll(async () => {
  Patches.apply()
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
})
afterAll(() => new Promise((resolve) => server.close(resolve)))

/** A request through the driver's own HTTP client; what the server got for it. */
const post = async (data: unknown): Promise<ReadonlyArray<Received>> => {
  const http: typeof import("snowflake-sdk/dist/lib/http/axios_instance.js") = require("snowflake-sdk/dist/lib/http/axios_instance.js")
  const address = server.address()
  const port = typeof address === "object" && address !== null ? address.port : 0
  received.length = 0
  // As the driver asks for each statement.
  const config = { useSnowflakeRetryMiddleware: true }
  await http.default.post(`http://127.0.0.1:${port}/queries/v1/query-request`, data, config).catch(() => undefined)
  return [...received]
}

describe("snowflake-sdk", () => {
  it(`is the version that the changes were made for, ${Patches.version}`, () => {
    const { version }: { readonly version: string } = require("snowflake-sdk/package.json")
    assert.strictEqual(version, Patches.version)
  })

  it("sends large binds as their bytes, in place of their tokens", async () => {
    const { lent, takeBack } = lend([new RowBind(Buffer.from('[{"v":"é\\"1"}]'))])
    const [request] = await post({ sqlText: "INSERT", bindings: { "1": { type: "TEXT", value: lent[0] } } })
    takeBack()
    assert.deepStrictEqual(JSON.parse(String(request?.body)), {
      sqlText: "INSERT",
      bindings: { "1": { type: "TEXT", value: '[{"v":"é\\"1"}]' } }
    })
    assert.isUndefined(request?.headers["content-encoding"])
  })

  it("compresses large requests", async () => {
    const { lent, takeBack } = lend([new RowBind(Buffer.alloc(1_000_000, "a"))])
    const [request] = await post({ bindings: { "1": { type: "TEXT", value: lent[0] } } })
    takeBack()
    assert.strictEqual(request?.headers["content-encoding"], "gzip")
    assert.isBelow(request?.body.length ?? 0, 100_000)
    assert.include(String(zlib.gunzipSync(request?.body ?? "")), "aaaa")
  })

  it("repeats a request that failed once, not seven times", async () => {
    status = 503
    const requests = await post({ sqlText: "SELECT 1" })
    status = 200
    assert.strictEqual(requests.length, 2)
  })

  it("does not compress what it sends uncompressed, and others still can", async () => {
    const { gzip }: typeof import("node:zlib") = require("node:zlib")
    const refused = await new Promise((resolve) =>
      Reflect.apply(gzip, undefined, [Buffer.from("x"), null, (error: unknown) => resolve(error)])
    )
    assert.instanceOf(refused, Error)
    const packed = await new Promise<Buffer>((resolve, reject) =>
      gzip(Buffer.from("x"), { level: 1 }, (error, result) => (error === null ? resolve(result) : reject(error)))
    )
    assert.strictEqual(String(zlib.gunzipSync(packed)), "x")
    // The call that this is about: with null for its options.
    const source = await import("node:fs/promises").then(({ readFile }) =>
      readFile(require.resolve("snowflake-sdk/dist/lib/http/base.js"), "utf8")
    )
    assert.match(source, /gzip\([^,()]+, null,/)
  })
})
