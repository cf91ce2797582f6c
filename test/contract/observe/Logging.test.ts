/** The log: its exact text and JSON form, its levels, its file, and no secret in it. */

import { execFileSync } from "node:child_process"
import {
  chmodSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync
} from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { setInterval } from "node:timers/promises"
import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as TestClock from "effect/testing/TestClock"
import * as TestConsole from "effect/testing/TestConsole"
import * as Logging from "../../../src/observe/Logging.ts"
import * as Settings from "../../../src/settings/Settings.ts"

const folder = mkdtempSync(join(tmpdir(), "bronze-logging-"))

/** What `program` logs to stdout under these settings. */
const logged = (env: Record<string, string>, program: Effect.Effect<void>) =>
  Effect.gen(function* () {
    yield* TestClock.setTime(new Date(2026, 1, 7, 10, 30, 0).getTime())
    yield* program.pipe(
      Effect.provide(
        Logging.layer.pipe(
          Layer.provide(Settings.layer),
          Layer.provide(Settings.environment({ SINK: "duckdb", LOG_FILE: "", ...env }))
        )
      )
    )
    return yield* TestConsole.logLines
  })

const logs = (name: string, env: Record<string, string>, program: Effect.Effect<void>, lines: ReadonlyArray<string>) =>
  it.effect(name, () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* logged(env, program), lines)
    })
  )

describe("text", () => {
  logs("a line", {}, Effect.logInfo("Inserted 100 orders into Snowflake"), [
    "2026-02-07 10:30:00 - INFO - Inserted 100 orders into Snowflake"
  ])
  logs(
    "levels in Python's words, those below LOG_LEVEL left out",
    { LOG_LEVEL: "warning" },
    Effect.logInfo("no").pipe(Effect.andThen(Effect.logWarning("w")), Effect.andThen(Effect.logError("e"))),
    ["2026-02-07 10:30:00 - WARNING - w", "2026-02-07 10:30:00 - ERROR - e"]
  )
  logs("debug", { LOG_LEVEL: "debug" }, Effect.logDebug("d"), ["2026-02-07 10:30:00 - DEBUG - d"])
  logs(
    "fields and annotations as key=value, quoted where needed",
    {},
    Effect.logInfo("retrying", { attempt: 2, topic: "raw.orders.v1", why: "no route" }).pipe(
      Effect.annotateLogs({ table: "ORDERS_RAW" })
    ),
    ['2026-02-07 10:30:00 - INFO - retrying table=ORDERS_RAW attempt=2 topic=raw.orders.v1 why="no route"']
  )
  logs(
    "a cause is one line, without a stack",
    {},
    Effect.logError("write failed", Cause.fail(new Error("connection lost\n  at line 2"))),
    ["2026-02-07 10:30:00 - ERROR - write failed: connection lost at line 2"]
  )
  logs("an event is one line, whatever it quotes", {}, Effect.logInfo("a\r\n2026 - INFO - forged"), [
    "2026-02-07 10:30:00 - INFO - a 2026 - INFO - forged"
  ])
  it.effect("at DEBUG a cause follows in full", () =>
    Effect.gen(function* () {
      const lines = yield* logged({ LOG_LEVEL: "DEBUG" }, Effect.logError("x", Cause.fail(new Error("lost"))))
      const [first, ...rest] = String(lines[0]).split("\n")
      assert.strictEqual(first, "2026-02-07 10:30:00 - ERROR - x: lost")
      assert.match(rest.join("\n"), /Error: lost[\s\S]+Logging\.test\.ts/)
    })
  )
})

describe("json", () => {
  it.effect("one flat object a line; a field replaces neither time nor level", () =>
    Effect.gen(function* () {
      const lines = yield* logged(
        { LOG_FORMAT: "json" },
        Effect.logWarning("retrying", { attempt: 2, level: "forged" }, Cause.fail(new Error("lost"))).pipe(
          Effect.annotateLogs({ table: "T" })
        )
      )
      assert.deepStrictEqual(
        lines.map((line) => JSON.parse(String(line))),
        [
          {
            timestamp: new Date(2026, 1, 7, 10, 30, 0).toISOString(),
            level: "WARNING",
            message: "retrying",
            table: "T",
            attempt: 2,
            error: "lost"
          }
        ]
      )
      assert.notInclude(String(lines[0]), "\n")
    })
  )
})

describe("secrets", () => {
  for (const LOG_FORMAT of ["text", "json"])
    it.effect(`are redacted in ${LOG_FORMAT}`, () =>
      Effect.gen(function* () {
        const secret = Redacted.make("s3cret")
        const lines = yield* logged(
          { LOG_FORMAT },
          Effect.logInfo("with", { secret, nested: { secret } }, secret).pipe(Effect.annotateLogs({ token: secret }))
        )
        assert.notInclude(String(lines[0]), "s3cret")
        assert.include(String(lines[0]), "<redacted")
      })
    )
})

describe("LOG_FILE", () => {
  it.effect("is appended to, and complete when the layer is released", () =>
    Effect.gen(function* () {
      const LOG_FILE = join(folder, "a.log")
      yield* logged({ LOG_FILE }, Effect.logInfo("first"))
      yield* logged({ LOG_FILE }, Effect.logInfo("second"))
      assert.strictEqual(
        readFileSync(LOG_FILE, "utf8"),
        "2026-02-07 10:30:00 - INFO - first\n2026-02-07 10:30:00 - INFO - second\n"
      )
    })
  )
  /** Two lines with something in between, in one run. */
  const between = (LOG_FILE: string, act: () => void) =>
    logged(
      { LOG_FILE },
      Effect.gen(function* () {
        yield* Effect.logInfo("before")
        yield* TestClock.adjust("1 second")
        yield* written(LOG_FILE, "before")
        act()
        yield* Effect.logInfo("after")
      })
    )
  /** The batch is written in the background. */
  const written = (path: string, text: string): Effect.Effect<void> =>
    Effect.promise(async () => {
      for await (const _ of setInterval(5)) if (readFileSync(path, "utf8").includes(text)) return
    })
  const text = (path: string) => readFileSync(path, "utf8").replace(/^.* - INFO - /gm, "")

  it.effect("is opened again when it was moved, as logrotate does, or deleted; and continues after a truncation", () =>
    Effect.gen(function* () {
      const LOG_FILE = join(folder, "rotated.log")
      yield* between(LOG_FILE, () => renameSync(LOG_FILE, `${LOG_FILE}.1`))
      assert.deepStrictEqual([text(`${LOG_FILE}.1`), text(LOG_FILE)], ["before\n", "after\n"])
      rmSync(LOG_FILE)
      yield* between(LOG_FILE, () => rmSync(LOG_FILE))
      assert.strictEqual(text(LOG_FILE), "after\n")
      yield* between(LOG_FILE, () => writeFileSync(LOG_FILE, ""))
      assert.strictEqual(text(LOG_FILE), "after\n")
    })
  )
  it.effect("is for this user and its group", () =>
    Effect.gen(function* () {
      const LOG_FILE = join(folder, "mode.log")
      yield* logged({ LOG_FILE }, Effect.logInfo("x"))
      assert.strictEqual(statSync(LOG_FILE).mode & 0o137, 0)
    })
  )
  it.effect("may be a link of this user's own", () =>
    Effect.gen(function* () {
      const LOG_FILE = join(folder, "own-link.log")
      symlinkSync(join(folder, "target.log"), LOG_FILE)
      yield* logged({ LOG_FILE }, Effect.logInfo("x"))
      assert.strictEqual(text(join(folder, "target.log")), "x\n")
    })
  )
  describe.runIf(process.getuid?.() === 0)("in a world-writable folder", () => {
    const open = join(folder, "open")
    mkdirSync(open)
    chmodSync(open, 0o1777)
    const somebody = ["-h", "65534:65534"]
    const victim = join(folder, "victim")
    const traps: ReadonlyArray<readonly [name: string, set: (path: string) => void]> = [
      [
        "a link of somebody else",
        (path) => {
          symlinkSync(victim, path)
          execFileSync("chown", [...somebody, path])
        }
      ],
      [
        "a file of somebody else",
        (path) => {
          writeFileSync(path, "")
          execFileSync("chown", [...somebody, path])
        }
      ],
      ["a second name of a file", (path) => linkSync(victim, path)],
      ["a pipe", (path) => execFileSync("mkfifo", [path])]
    ]
    for (const [name, set] of traps)
      it.effect(`${name} is neither followed nor written, at start or later`, () =>
        Effect.gen(function* () {
          writeFileSync(victim, "mine")
          const LOG_FILE = join(open, "x.log")
          rmSync(LOG_FILE, { force: true })
          set(LOG_FILE)
          const lines = yield* logged({ LOG_FILE }, Effect.logInfo("continues"))
          assert.match(String(lines[0]), /WARNING - LOG_FILE cannot be written, logging continues without it: .+/)
          assert.match(String(lines[1]), /continues/)
          rmSync(LOG_FILE)
          const all = yield* between(LOG_FILE, () => {
            rmSync(LOG_FILE)
            set(LOG_FILE)
          })
          assert.strictEqual(all.filter((line) => String(line).includes("LOG_FILE cannot be written")).length, 2)
          assert.strictEqual(readFileSync(victim, "utf8"), "mine")
          if (lstatSync(LOG_FILE).isFile()) assert.notInclude(readFileSync(LOG_FILE, "utf8"), "after")
        })
      )
  })
  it.effect("that cannot be written is a warning", () =>
    Effect.gen(function* () {
      const lines = yield* logged({ LOG_FILE: join(folder, "not", "there.log") }, Effect.logInfo("continues"))
      assert.match(String(lines[0]), / - WARNING - LOG_FILE cannot be written, logging continues without it: .+/)
      assert.strictEqual(lines[1], "2026-02-07 10:30:00 - INFO - continues")
    })
  )
})

describe("early", () => {
  it.effect("is text on stdout", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(new Date(2026, 1, 7, 10, 30, 0).getTime())
      yield* Effect.logError("BATCH_SIZE: no").pipe(Effect.provide(Logging.early))
      assert.deepStrictEqual(yield* TestConsole.logLines, ["2026-02-07 10:30:00 - ERROR - BATCH_SIZE: no"])
    })
  )
})
