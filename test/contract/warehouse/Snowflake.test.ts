/** The contract through the real driver, on the Snowflake emulator. */
import { generateKeyPairSync } from "node:crypto"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import { startNullSnowflake } from "../../../bench/NullClient.ts"
import { type Emulator, startEmulator } from "../../../scripts/emulator/emulator.ts"
import type { SnowflakeSettings } from "../../../src/settings/Model.ts"
import { Settings } from "../../../src/settings/Settings.ts"
import * as Snowflake from "../../../src/warehouse/snowflake/Snowflake.ts"
import { Warehouse } from "../../../src/warehouse/Warehouse.ts"
import * as FaultProxy from "../../chaos/FaultProxy.ts"
import { batchOf, claimAll } from "../../support/warehouse/batches.ts"
import * as SnowflakeInspector from "../../support/warehouse/SnowflakeInspector.ts"
import { type Given, Inspector, settings } from "../../support/warehouse/Subject.ts"
import { suite } from "../../support/warehouse/WarehouseSuite.ts"

let emulator: Emulator | undefined
let proxy: FaultProxy.FaultProxy | undefined
beforeAll(async () => {
  emulator = await startEmulator()
  proxy = await FaultProxy.start({ targetPort: emulator.port })
})
afterAll(async () => {
  await proxy?.close()
  await emulator?.stop()
})

const holdCommit = Effect.gen(function* () {
  const reached = yield* Deferred.make<void>()
  const released = yield* Deferred.make<void>()
  proxy?.at("commit", "before", () =>
    Effect.runPromise(Effect.andThen(Deferred.succeed(reached, undefined), Deferred.await(released)))
  )
  return { reached: Deferred.await(reached), release: Effect.asVoid(Deferred.succeed(released, undefined)) }
})

let databases = 0
const account = (given: Partial<SnowflakeSettings> = {}) => ({
  _tag: "Snowflake" as const,
  writer: "sql" as const,
  account: "account",
  user: "user",
  database: `DB${++databases}`,
  schema: "BRONZE",
  warehouse: "WH",
  role: "BRONZE_WRITER",
  host: emulator?.url,
  credentials: { _tag: "Password" as const, password: Redacted.make("secret") },
  ...given
})

const warehouse = (sink: ReturnType<typeof account>, given?: Given) =>
  Snowflake.layer.pipe(Layer.provide(Layer.succeed(Settings, settings(sink, given))))

const open = (given?: Given) =>
  Layer.unwrap(
    Effect.sync(() => {
      const sink = account({ host: `http://127.0.0.1:${proxy?.port}` })
      const inspector = SnowflakeInspector.make({ ...sink, host: emulator?.url })
      return Layer.merge(warehouse(sink, given), Layer.succeed(Inspector, Inspector.of({ ...inspector, holdCommit })))
    })
  )

suite({
  name: "Snowflake",
  keepsText: false,
  widest: "9".repeat(38),
  hasTables: true,
  refusedEvent: '{"a":}',
  open
})

describe("a transaction that Snowflake has ended", () => {
  const transactions = (seconds: number) =>
    Effect.promise(() =>
      fetch(`${emulator?.url}/emulator/options`, {
        method: "POST",
        body: JSON.stringify({ "idle-transaction-s": seconds })
      })
    )

  it.live("before the ledger moved: nothing of it lands outside, and the next attempt lands whole", () => {
    const sink = account({ host: `http://127.0.0.1:${proxy?.port}` })
    const { rows, run } = SnowflakeInspector.make({ ...sink, host: emulator?.url })
    return Effect.gen(function* () {
      const { init, ledger, write } = yield* Warehouse
      yield* init
      const batch = batchOf("ORDERS_RAW", yield* claimAll(), [{ offset: 0 }, { offset: 1 }])
      // Its rows are in, it has the lock, and somebody else waits: so Snowflake ends it.
      yield* Effect.addFinalizer(() => transactions(300))
      proxy?.at("ledger", "before", () =>
        Effect.runPromise(
          Effect.andThen(transactions(0.1), run("UPDATE {T}CONSUMER_OFFSETS SET OWNER = OWNER WHERE FALSE"))
        )
      )
      const error = yield* Effect.flip(write(batch))
      assert.strictEqual(error.reason, "unavailable")
      assert.deepStrictEqual(yield* rows("ORDERS_RAW"), [])
      assert.strictEqual((yield* ledger).find(({ partition }) => partition === 0)?.next, 0)
      yield* transactions(300)
      yield* write(batch)
      assert.deepStrictEqual(
        (yield* rows("ORDERS_RAW")).map(({ offset }) => offset),
        [0, 1]
      )
      assert.strictEqual((yield* ledger).find(({ partition }) => partition === 0)?.next, 2)
    }).pipe(Effect.scoped, Effect.provide(warehouse(sink)))
  })
})

describe("Snowflake", () => {
  it.live("says where it writes and as whom", () =>
    Effect.gen(function* () {
      const { target } = yield* Warehouse
      assert.match(
        target,
        /^Snowflake account account at http.*, DB\d+\.BRONZE, as user user with role BRONZE_WRITER, warehouse WH$/
      )
      assert.notInclude(target, "secret")
    }).pipe(Effect.provide(open()))
  )

  it.live("a refused login is a problem that names the user, within a second or so", () =>
    Effect.gen(function* () {
      const credentials = { _tag: "Password" as const, password: Redacted.make("wrong") }
      const started = Date.now()
      const [problem] = yield* Effect.provide(
        Effect.flatMap(Warehouse, ({ preflight }) => preflight),
        warehouse(account({ credentials }))
      )
      assert.include(problem?.what, "Incorrect username or password")
      assert.notInclude(JSON.stringify(problem), "wrong")
      assert.isBelow(Date.now() - started, 3000)
    })
  )

  it.live("a key file that does not exist is a problem, not a fault", () =>
    Effect.gen(function* () {
      const credentials = { _tag: "KeyPair" as const, path: "/nowhere/key.p8", passphrase: undefined }
      const [problem] = yield* Effect.provide(
        Effect.flatMap(Warehouse, ({ preflight }) => preflight),
        warehouse(account({ credentials }))
      )
      assert.include(problem?.what, "SNOWFLAKE_PRIVATE_KEY_PATH")
    })
  )

  it.live(
    "logs in with a key pair (encrypted too), an OAuth token or an access token; a wrong passphrase is a problem",
    () =>
      Effect.gen(function* () {
        const look = (credentials: SnowflakeSettings["credentials"]) =>
          Effect.provide(
            Effect.flatMap(Warehouse, ({ init, preflight }) => Effect.andThen(init, preflight)),
            warehouse(account({ credentials }))
          )
        const home = mkdtempSync(join(tmpdir(), "bronze-keys-"))
        const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 })
        const plain = join(home, "plain.p8")
        const locked = join(home, "locked.p8")
        writeFileSync(plain, privateKey.export({ type: "pkcs8", format: "pem" }))
        writeFileSync(
          locked,
          privateKey.export({ type: "pkcs8", format: "pem", cipher: "aes-256-cbc", passphrase: "open" })
        )
        const token = Redacted.make("token")
        const keyPair = (path: string, passphrase?: string) => ({
          _tag: "KeyPair" as const,
          path,
          passphrase: passphrase === undefined ? undefined : Redacted.make(passphrase)
        })
        const good = [
          keyPair(plain),
          keyPair(locked, "open"),
          { _tag: "OAuth" as const, token },
          { _tag: "AccessToken" as const, token }
        ]
        for (const credentials of good) assert.deepStrictEqual(yield* look(credentials), [], credentials._tag)
        const error = yield* Effect.flip(look(keyPair(locked, "shut")))
        assert.strictEqual(error.reason, "denied")
        assert.include(error.message, "SNOWFLAKE_PRIVATE_KEY_PASSPHRASE")
        rmSync(home, { recursive: true })
      })
  )

  it.live("a column that only others could fill is a problem with its remedy; one with a default is none", () =>
    Effect.gen(function* () {
      const { init, preflight } = yield* Warehouse
      const { run } = yield* Inspector
      yield* init
      yield* run("DROP TABLE {T}CLICKS_RAW")
      yield* run(
        `CREATE TABLE {T}CLICKS_RAW (USER_ID NUMBER(38,0), RAW_EVENT VARIANT, INGESTION_TIMESTAMP TIMESTAMP_NTZ NOT NULL, KAFKA_TOPIC STRING NOT NULL,
         KAFKA_PARTITION NUMBER(38,0) NOT NULL, KAFKA_OFFSET NUMBER(38,0) NOT NULL, KAFKA_TIMESTAMP TIMESTAMP_NTZ, KAFKA_KEY STRING, KAFKA_HEADERS VARIANT,
         REGION STRING DEFAULT 'eu' NOT NULL, TENANT STRING NOT NULL)`
      )
      const problems = yield* preflight
      assert.lengthOf(problems, 1)
      assert.match(problems[0]?.what ?? "", /^column TENANT of table .*CLICKS_RAW.* takes no NULL/)
      assert.match(problems[0]?.remedy ?? "", /^ALTER TABLE .* ALTER COLUMN "TENANT" DROP NOT NULL;$/)
      const claimed = yield* claimAll()
      const { deadLetters, write } = yield* Warehouse
      const error = yield* Effect.flip(write(batchOf("CLICKS_RAW", claimed, [{ offset: 0 }, { offset: 1 }])))
      assert.strictEqual(error.reason, "denied", "somebody changed the table while the service ran: no record's fault")
      assert.match(error.message, /^column TENANT of table .*CLICKS_RAW.* DROP NOT NULL/)
      assert.lengthOf(yield* deadLetters({ limit: 10 }), 0)
    }).pipe(Effect.provide(open()))
  )

  it.live("an address where nobody answers is unavailable, soon", () =>
    Effect.gen(function* () {
      const started = Date.now()
      const error = yield* Effect.flip(
        Effect.provide(
          Effect.flatMap(Warehouse, ({ preflight }) => preflight),
          warehouse(account({ host: "http://127.0.0.1:1" }))
        )
      )
      assert.strictEqual(error.reason, "unavailable")
      assert.isBelow(Date.now() - started, 5000)
    })
  )

  it.live("no warehouse selected is a problem with the GRANT that fixes it", () =>
    Effect.gen(function* () {
      const [problem] = yield* Effect.provide(
        Effect.flatMap(Warehouse, ({ init, preflight }) => Effect.andThen(init, preflight)),
        warehouse({ ...account(), warehouse: undefined })
      )
      assert.include(problem?.remedy, "GRANT USAGE ON WAREHOUSE")
    })
  )

  it.live("more than one ledger row for a partition become one at the next claim, with the rights of the role", () =>
    Effect.gen(function* () {
      const { claim, coverage, init, ledger, write } = yield* Warehouse
      const { run } = yield* Inspector
      yield* init
      const claimed = yield* claimAll()
      yield* write(batchOf("ORDERS_RAW", claimed, [{ offset: 0 }, { offset: 1 }]))
      // A twin that is the same, and one that another member got ahead on.
      const columns = "CONSUMER_GROUP, TOPIC, PARTITION, NEXT_OFFSET, EPOCH, OWNER, UPDATED_AT, START_OFFSET, SKIPPED"
      const ours = "FROM {T}CONSUMER_OFFSETS WHERE CONSUMER_GROUP = 'group' AND PARTITION = 0"
      yield* run(`INSERT INTO {T}CONSUMER_OFFSETS (${columns}) SELECT ${columns} ${ours}`)
      yield* run(
        `INSERT INTO {T}CONSUMER_OFFSETS (${columns}) SELECT CONSUMER_GROUP, TOPIC, PARTITION, 1, 7, OWNER, UPDATED_AT, START_OFFSET, 0 ${ours} LIMIT 1`
      )
      const late = claimed.map((entry) => ({ ...entry, next: entry.partition === 0 ? 2 : 0 }))
      assert.strictEqual((yield* Effect.flip(write(batchOf("ORDERS_RAW", late, [{ offset: 2 }])))).reason, "fenced")
      assert.deepInclude(yield* ledger, { topic: "raw.orders.v1", partition: 0, next: 2, epoch: 7, owner: "member-1" })
      const mine = yield* claim([{ topic: "raw.orders.v1", partition: 0, offset: 0 }], "b")
      assert.deepStrictEqual(mine, [{ topic: "raw.orders.v1", partition: 0, next: 2, epoch: 8, owner: "b" }])
      yield* write(batchOf("ORDERS_RAW", mine, [{ offset: 2 }]))
      const [zero] = yield* coverage
      assert.deepInclude(zero, { rows: 3, duplicates: 0, missing: 0 })
      assert.deepInclude(zero?.ledger, { start: 0, next: 3, skipped: 0 })
    }).pipe(Effect.provide(open()))
  )

  it.live("gives more to a statement once answers are slow, compressed, and all of it lands as it was", () => {
    const rows = Array.from({ length: 30_000 }, (_, offset) => ({
      offset,
      event: `{"n":${offset},"dish":"Crème 味噌"}`
    }))
    return Effect.gen(function* () {
      const { init, write } = yield* Warehouse
      const { rows: landed } = yield* Inspector
      yield* init
      yield* write(batchOf("ORDERS_RAW", yield* claimAll(), rows))
      const stored = yield* landed("ORDERS_RAW")
      assert.deepStrictEqual(
        stored.map(({ event }) => JSON.parse(event ?? "")),
        rows.map(({ event }) => JSON.parse(event))
      )
    }).pipe(Effect.provide(open()))
  })

  it.live("gives less to a statement while answers are prompt", () =>
    Effect.gen(function* () {
      const server = yield* Effect.acquireRelease(Effect.promise(startNullSnowflake), ({ stop }) =>
        Effect.promise(stop)
      )
      const rows = Array.from({ length: 20_000 }, (_, offset) => ({ offset, event: `"${"x".repeat(200)}"` }))
      const inserts = Effect.fnUntraced(function* (latency: number) {
        yield* Effect.promise(() => server.control({ latency, reset: true }))
        const context = yield* Layer.build(warehouse(account({ host: server.url }), { delivery: "at-least-once" }))
        yield* Context.get(context, Warehouse).write(batchOf("ORDERS_RAW", [], rows))
        const stats = yield* Effect.promise(server.stats)
        assert.strictEqual(stats.rows, rows.length)
        return stats.inserts
      })
      const slow = yield* inserts(300)
      assert.isBelow(slow, (yield* inserts(0)) - 2)
    }).pipe(Effect.scoped)
  )

  it.live("resumes by itself after the server was restarted and all sessions are gone", () =>
    Effect.gen(function* () {
      const { init, ledger } = yield* Warehouse
      yield* init
      assert.deepStrictEqual(yield* ledger, [])
      yield* Effect.promise(async () => emulator?.restart())
      // The data lived in memory: at first there is nothing but a session that is gone, then a table that is missing.
      const error = yield* Effect.flip(ledger)
      assert.oneOf(error.reason, ["unavailable", "denied"])
      yield* init
      assert.deepStrictEqual(yield* ledger, [])
    }).pipe(Effect.provide(open()))
  )
})
