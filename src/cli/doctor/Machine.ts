/** What `doctor` checks on this machine: clock, disk space, log file, HTTP port. */
import { access, constants, statfs } from "node:fs/promises"
import { createServer } from "node:net"
import { dirname, resolve } from "node:path"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as LogFile from "../../observe/LogFile.ts"
import { Settings } from "../../settings/Settings.ts"
import { type RunningService, urlOf } from "../support/RunningService.ts"
import { bad, type Finding, good, skipped, warning } from "./Finding.ts"

/** Milliseconds: from the first on freshness is wrong; beyond a minute, logins with a key pair are refused. */
const noticed = 5000
const tolerated = 30_000

/**
 * Against the warehouse's clock, by the Date header of its answer; that needs no login, which a wrong clock may cost.
 */
export const clock: Effect.Effect<Finding, never, Settings> = Effect.gen(function* () {
  const { sink } = yield* Settings
  if (sink._tag === "DuckDb") return skipped("clock", "DuckDB uses the clock of this machine")
  const host = sink.host ?? `${sink.account}.snowflakecomputing.com`
  const url = /^https?:/.test(host) ? host : `https://${host}/`
  const asked = yield* Clock.currentTimeMillis
  const answer = yield* Effect.tryPromise((signal) => fetch(url, { method: "HEAD", redirect: "manual", signal })).pipe(
    Effect.timeout("5 seconds"),
    Effect.result
  )
  const date = Result.isSuccess(answer) ? Date.parse(answer.success.headers.get("date") ?? "") : Number.NaN
  if (Number.isNaN(date)) return skipped("clock", `${url} did not send its time`)
  // The header has no fractions, and was written on half of the way.
  const skew = (asked + (yield* Clock.currentTimeMillis)) / 2 - (date + 500)
  const seconds = Math.round(Math.abs(skew) / 1000)
  const difference = `${seconds} s ${skew > 0 ? "ahead of" : "behind"} ${new URL(url).host}`
  if (Math.abs(skew) <= noticed) return good("clock", `within ${Math.max(1, seconds)} s of ${new URL(url).host}`)
  const remedy = "Set this machine's clock (NTP: timedatectl set-ntp true)"
  return Math.abs(skew) <= tolerated
    ? warning("clock", `${difference}: freshness is wrong by that much`, remedy)
    : bad("clock", `${difference}: beyond a minute, logins with a key pair are refused`, remedy)
})

const reason = (error: unknown): string => (error instanceof Error ? error.message : String(error))

/** Asked without making the file. */
export const logFile: Effect.Effect<Finding, never, Settings> = Effect.gen(function* () {
  const { file } = (yield* Settings).log
  if (file === undefined) return skipped("log file", "LOG_FILE is empty: stdout only")
  const writable = (path: string) => Effect.tryPromise({ try: () => access(path, constants.W_OK), catch: reason })
  const exists = yield* Effect.promise(() =>
    access(file).then(
      () => true,
      () => false
    )
  )
  const refused = yield* Effect.promise(() => LogFile.refusal(file))
  const looked = yield* Effect.result(
    refused === undefined ? writable(exists ? file : dirname(resolve(file))) : Effect.fail(`${file}: ${refused}`)
  )
  return Result.isSuccess(looked)
    ? good("log file", file)
    : warning(
        "log file",
        `${looked.failure}; the service runs without it`,
        "Set LOG_FILE to a writable file, or leave it empty"
      )
})

const GiB = 1024 ** 3
/** DuckDB's log of changes grows to 1 GB before it is worked in. */
const comfortable = 2 * GiB
const tight = GiB / 4

/** Room for what grows: the database and the log. */
export const disk = Effect.gen(function* () {
  const { log, sink } = yield* Settings
  const files = [
    ...(sink._tag === "DuckDb" ? [{ name: "DUCKDB_PATH", path: sink.path, enough: comfortable }] : []),
    ...(log.file === undefined ? [] : [{ name: "LOG_FILE", path: log.file, enough: tight }])
  ]
  const findings = yield* Effect.forEach(files, ({ enough, name, path }) =>
    Effect.tryPromise(() => statfs(dirname(resolve(path)))).pipe(
      Effect.map(({ bavail, bsize }): Finding => {
        const free = bavail * bsize
        const detail = `${(free / GiB).toFixed(1)} GiB free for ${path}`
        const remedy = `Free disk space, or set ${name} to a file on another disk`
        if (free >= enough) return good("disk", detail)
        return free < tight && name === "DUCKDB_PATH" ? bad("disk", detail, remedy) : warning("disk", detail, remedy)
      }),
      // A folder that does not exist is reported elsewhere.
      Effect.orElseSucceed(() => undefined)
    )
  )
  return findings.filter((finding) => finding !== undefined)
})

/** Whether the live page, health and metrics can be had; without them the service runs all the same. */
export const httpPort = Effect.fnUntraced(function* (running: RunningService | undefined) {
  const { http } = yield* Settings
  const check = "http port"
  if (http.port === 0) return skipped(check, "HTTP_PORT is 0: no live page, health and metrics")
  if (running !== undefined) return good(check, `the service (${running.version}) answers at ${running.url}`)
  const refused = yield* Effect.callback<NodeJS.ErrnoException | undefined>((resume) => {
    const server = createServer()
    server.once("error", (error) => resume(Effect.succeed(error)))
    server.listen(http.port, http.host, () => server.close(() => resume(Effect.succeed(undefined))))
  })
  if (refused === undefined) return good(check, `${urlOf(http)} is free`)
  const remedy =
    refused.code === "EADDRINUSE"
      ? `Set HTTP_PORT to a free port, or to 0 for none (to see who uses it: ss -ltnp 'sport = :${http.port}')`
      : refused.code === "EACCES"
        ? "Set HTTP_PORT to 1024 or more"
        : "Set HTTP_HOST to an address of this machine: 127.0.0.1, or 0.0.0.0 for all"
  const detail = refused.code === "EADDRINUSE" ? `another program listens on port ${http.port}` : refused.message
  return warning(check, `${detail}; the service runs without live page, health and metrics`, remedy)
})
