/**
 * One fuzz run against real parts: librdkafka sends, the built service reads and writes, and each record is accounted
 * for.
 */

import { start } from "../../scripts/support/bronzeProcess.ts"
import * as Random from "../chaos/Random.ts"
import type { Inspect } from "../support/Inspect.ts"
import { eventually, type RealKafka, unique } from "../support/RealKafka.ts"
import { type Account, account, type Rules, type Stored } from "./Account.ts"
import * as Framed from "./Framed.ts"
import * as Records from "./Records.ts"
import { placeOf, send } from "./Send.ts"

export interface Sink {
  readonly name: "duckdb" | "snowflake"
  readonly env: Readonly<Record<string, string>>
  readonly keepsText: boolean
  /**
   * The type of a column that gets integers of up to 38 digits; the emulator has 64 bits for a NUMBER, and refuses the
   * rest.
   */
  readonly userId: "NUMBER" | "STRING"
  /** Milliseconds since 1970 of a timestamp, in its SQL. */
  readonly millis: (column: string) => string
  /** JSON as text, in its SQL. */
  readonly json: (column: string) => string
  /** Opens it once the service has let go of it. */
  readonly inspect: () => Promise<Inspect>
}

const partitions = 3
const columns = "ORDER_ID=order_id,AMOUNT=amount:FLOAT,PAID=paid:BOOLEAN,PAID_AT=paid_at:TIMESTAMP"

export const run = async (kafka: RealKafka, sink: Sink, count: number, seed: number): Promise<Account> => {
  const registry = await Framed.serve()
  try {
    return await runWith(registry.url, kafka, sink, count, seed)
  } finally {
    registry.close()
  }
}

const runWith = async (
  registry: string,
  kafka: RealKafka,
  sink: Sink,
  count: number,
  seed: number
): Promise<Account> => {
  const random = Random.make(seed)
  const topic = unique("fuzz")
  const table = `FUZZ_${topic.slice(-8).toUpperCase()}`
  const rules: Rules = { keepsText: sink.keepsText, tombstones: sink.name === "duckdb" ? "insert" : "skip" }
  const group = unique("fuzz")
  const env = {
    KAFKA_BOOTSTRAP_SERVERS: kafka.bootstrap,
    CONSUMER_GROUP_ID: group,
    BRONZE_ROUTES: `${topic}=${table}(${columns},USER_ID=user_id:${sink.userId})`,
    BATCH_TIMEOUT: "0.5",
    BATCH_SIZE: "1000",
    TOMBSTONES: rules.tombstones,
    SCHEMA_REGISTRY_URL: registry,
    ...sink.env
  }
  const records = Array.from({ length: count }, () => Records.record(random))
  const sent = await send(kafka.bootstrap, topic, partitions, records)
  await expectExit(env, ["init"])
  const service = start(env)
  const total = async () => (await kafka.committed(group, topic)).reduce((sum, next) => sum + Math.max(0, next), 0)
  await Promise.race([
    eventually(total, (done) => done === count, 60_000 + count * 20),
    service.exit.then((code) => Promise.reject(new Error(`the service ended with ${code}:\n${service.output()}`)))
  ])
  service.signal("SIGTERM")
  const code = await service.exit
  if (code !== 0) throw new Error(`the service ended with ${code}:\n${service.output()}`)
  await expectExit(env, ["audit"])
  const inspect = await sink.inspect()
  try {
    const stored = [
      ...(await read(inspect, sink, table, count, "row", sink.json("RAW_EVENT"), "NULL")),
      ...(await read(inspect, sink, "DEAD_LETTERS", count, "letter", "PAYLOAD_BASE64", "CAUSE", topic))
    ]
    const ledger = `SELECT SUM(SKIPPED) AS N FROM BRONZE.CONSUMER_OFFSETS WHERE TOPIC = '${topic}'`
    const [skipped] = await inspect.query(ledger)
    return account(sent, stored, Number(skipped?.["n"] ?? 0), rules)
  } finally {
    await inspect.close()
  }
}

const expectExit = async (env: Readonly<Record<string, string>>, args: ReadonlyArray<string>): Promise<void> => {
  const command = start(env, args)
  const code = await command.exit
  if (code !== 0) throw new Error(`${args.join(" ")} ended with ${code}:\n${command.output()}`)
}

/** Rows of a page at most, so that no answer has to fit into memory whole. */
const page = 2000

const read = async (
  inspect: Inspect,
  { json, millis }: Sink,
  table: string,
  count: number,
  fate: Stored["fate"],
  content: string,
  cause: string,
  topic?: string
): Promise<ReadonlyArray<Stored>> => {
  const stored: Array<Stored> = []
  for (let from = 0; from <= count; from += page) {
    const where = `KAFKA_OFFSET >= ${from} AND KAFKA_OFFSET < ${from + page}${topic === undefined ? "" : ` AND KAFKA_TOPIC = '${topic}'`}`
    const rows = await inspect.query(
      `SELECT KAFKA_PARTITION AS P, KAFKA_OFFSET AS AT, ${content} AS CONTENT, KAFKA_KEY AS KEY_TEXT, ${json("KAFKA_HEADERS")} AS HEADERS, ${millis("KAFKA_TIMESTAMP")} AS MILLIS, ${cause} AS CAUSE FROM BRONZE.${table} WHERE ${where}`
    )
    for (const row of rows)
      stored.push({
        place: placeOf(row["p"], row["at"]),
        fate,
        content: text(row["content"]),
        key: text(row["key_text"]),
        headers: text(row["headers"]),
        timestamp: row["millis"] === null ? null : Number(row["millis"]),
        cause: text(row["cause"])
      })
  }
  return stored
}

const text = (value: unknown): string | null => (value === null || value === undefined ? null : String(value))
