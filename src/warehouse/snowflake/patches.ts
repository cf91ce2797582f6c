/**
 * What is changed inside snowflake-sdk, all of it here. Each change knows the version and the shape that it was made
 * for, and refuses to start on another: an upgrade has to look at them again.
 */
import { createRequire } from "node:module"
import { promisify } from "node:util"
import { type CompressCallback, gzip, type InputType, type ZlibOptions } from "node:zlib"
import { filled } from "./RowBinds.ts"

/** The version that these changes were made for. */
export const version = "3.3.0"

/**
 * A request of more bytes is compressed: a bind is quoted once more in it, and beyond 1 MB Snowflake need not take it
 * as it is.
 */
const largestPlain = 800_000

/** Each piece of output costs a turn of the event loop. */
const outputChunk = 512 * 1024

type Http = typeof import("snowflake-sdk/dist/lib/http/axios_instance.js")

const require = createRequire(import.meta.url)
const compress = promisify(gzip)
let isApplied = false

/** To be called once the driver is loaded, before its first request; doing it again changes nothing. */
export const apply = (): void => {
  if (isApplied) return
  const { version: found }: { readonly version: string } = require("snowflake-sdk/package.json")
  if (found !== version)
    throw new Error(`snowflake-sdk ${found} is installed, and patches.ts was made for ${version}: review each patch`)
  const http: Http = require("snowflake-sdk/dist/lib/http/axios_instance.js")
  if (typeof http.default?.interceptors?.request?.use !== "function")
    throw new Error("snowflake-sdk has no axios instance where patches.ts looks for it")
  sendOnceWithBinds(http)
  skipUselessGzip(require("node:zlib"))
  isApplied = true
}

/**
 * The driver repeats a failed statement 7 times (75 s in all) and offers no option; its retry middleware reads this
 * field, though. The bytes of large binds come in here, and large requests are compressed, as other drivers of
 * Snowflake do.
 */
const sendOnceWithBinds = (http: Http): void => {
  http.default.interceptors.request.use(async (request) => {
    const data = filled(request.data)
    Object.assign(request, { snowflakeRetryConfig: { maxRetries: 1 }, data })
    if (!(data instanceof Buffer) || data.length <= largestPlain || request.headers.has("Content-Encoding"))
      return request
    request.headers.set("Content-Encoding", "gzip")
    return Object.assign(request, { data: await compress(data, { level: 1, chunkSize: outputChunk }) })
  })
}

/**
 * The driver compresses each request, which is half of its work, and sends it uncompressed all the same: the result
 * comes after the request has left (dist/lib/http/base.js). Told that it could not be compressed, it continues as it
 * always does. Its calls are those without options.
 */
const skipUselessGzip = (zlib: typeof import("node:zlib")): void => {
  const { gzip } = zlib
  const skip = (buffer: InputType, options: ZlibOptions | null, callback: CompressCallback): void => {
    if (options === null) callback(new Error("not compressed"), Buffer.alloc(0))
    else gzip(buffer, options, callback)
  }
  Object.assign(zlib, { gzip: Object.assign(skip, gzip) })
}
