/** Judges a round: every record of Kafka stands in the warehouse once, as what it is, with the payload that was sent; and the ledger says so. */
import kafkajs from "kafkajs"
import { duckDb, type Inspect, snowflake } from "../support/Inspect.ts"
import { kindOf, payloadOf } from "./Load.ts"
import { bootstrap, committed, ends, type World } from "./World.ts"

export interface Verdict {
  readonly records: number
  readonly duplicates: number
  readonly gaps: number
  /** Everything that is not as it should be, the first of each sort in words. */
  readonly problems: ReadonlyArray<string>
}

/** What Kafka holds: the number of each record, by partition and offset. */
const readTopic = async (world: World): Promise<ReadonlyArray<ReadonlyArray<number>>> => {
  const all = await ends(world)
  const found: ReadonlyArray<Array<number>> = all.map(() => [])
  const kafka = new kafkajs.Kafka({
    brokers: bootstrap(world).split(","),
    logLevel: kafkajs.logLevel.NOTHING,
    retry: { retries: 20 }
  })
  const consumer = kafka.consumer({ groupId: `${world.group}.oracle.${Date.now()}`, sessionTimeout: 10_000 })
  await consumer.connect()
  await consumer.subscribe({ topic: world.topic, fromBeginning: true })
  let left = all.reduce((sum, end) => sum + end, 0)
  await new Promise<void>((resolve, reject) => {
    if (left === 0) resolve()
    consumer
      .run({
        autoCommit: false,
        eachBatch: async ({ batch }) => {
          const line = found[batch.partition]
          for (const { key, offset } of batch.messages) {
            if (line === undefined || line[Number(offset)] !== undefined) continue
            line[Number(offset)] = Number(key)
            left -= 1
          }
          if (left === 0) resolve()
        }
      })
      .catch(reject)
  })
  await consumer.disconnect()
  return found
}

const pageSize = 20_000

/** Judges what stands in the warehouse; every member has to be gone (DuckDB lets one process in). */
export const judge = async (world: World): Promise<Verdict> => {
  const truth = await readTopic(world)
  const inspect =
    world.sink === "duckdb"
      ? await duckDb(world.env["DUCKDB_PATH"] ?? "")
      : await snowflake(world.snowflake?.emulator.url ?? "", "LAKE")
  const problems = new Map<string, string>()
  const complain = (sort: string, detail: string): void =>
    void (problems.has(sort) || problems.set(sort, `${sort}: ${detail}`))
  let duplicates = 0
  let gaps = 0
  for (const [partition, numbers] of truth.entries()) {
    const seen = new Uint8Array(numbers.length)
    const meet = (offset: number, what: string): number | undefined => {
      const count = seen[offset]
      if (count === undefined) complain("a row of nowhere", `${partition}:${offset}`)
      else if (count > 0) {
        duplicates += 1
        complain("a duplicate", `${partition}:${offset} (${what})`)
      }
      seen[offset] = 1
      return numbers[offset]
    }
    for await (const row of rowsOf(inspect, world, partition, numbers.length)) {
      const seq = meet(Number(row["kafka_offset"]), "row")
      if (seq === undefined) continue
      const expected = payloadOf(seq)
      const isEvent = kindOf(seq) === "event" || (kindOf(seq) === "tombstone" && world.env["TOMBSTONES"] === "insert")
      if (!isEvent) complain("a row that should be none", `${partition}:${row["kafka_offset"]}`)
      const same =
        world.sink === "duckdb"
          ? row["event"] === expected
          : String(row["event"]) === String(expected === null ? null : seq)
      if (!same || row["kafka_key"] !== String(seq))
        complain("a payload that differs", `${partition}:${row["kafka_offset"]} ${row["event"]}`)
    }
    for (const letter of await inspect.query(
      `SELECT KAFKA_OFFSET, PAYLOAD_BASE64 FROM BRONZE.DEAD_LETTERS WHERE KAFKA_TOPIC = '${world.topic}' AND KAFKA_PARTITION = ${partition}`
    )) {
      const seq = meet(Number(letter["kafka_offset"]), "dead letter")
      const bytes = Buffer.from(String(letter["payload_base64"]), "base64").toString("utf8")
      if (seq === undefined || kindOf(seq) !== "broken" || bytes !== payloadOf(seq))
        complain("a dead letter that should be none", `${partition}:${letter["kafka_offset"]}`)
    }
    let skipped = 0
    for (const [offset, seq] of numbers.entries()) {
      if (seen[offset] === 1) continue
      const isSkip = kindOf(seq) === "tombstone" && world.env["TOMBSTONES"] === "skip"
      skipped += isSkip ? 1 : 0
      gaps += isSkip ? 0 : 1
      if (!isSkip) complain("a gap", `${partition}:${offset}`)
    }
    const [entry] = await inspect.query(
      `SELECT NEXT_OFFSET, SKIPPED FROM BRONZE.CONSUMER_OFFSETS WHERE CONSUMER_GROUP = '${world.group}' AND TOPIC = '${world.topic}' AND PARTITION = ${partition}`
    )
    if (entry?.["next_offset"] !== numbers.length)
      complain("the ledger is not at last + 1", `${partition}: ${entry?.["next_offset"]}, not ${numbers.length}`)
    if (entry?.["skipped"] !== skipped)
      complain("skips miscounted", `${partition}: ${entry?.["skipped"]}, not ${skipped}`)
  }
  const kafkaSays = await committed(world)
  const records = truth.map((numbers) => numbers.length)
  if (String(kafkaSays) !== String(records)) complain("Kafka's committed offsets", `${kafkaSays}, not ${records}`)
  await inspect.close()
  return { records: records.reduce((sum, count) => sum + count, 0), duplicates, gaps, problems: [...problems.values()] }
}

/** DuckDB keeps the text, so the whole of it is compared; the emulator re-writes JSON, so the number in it is. */
async function* rowsOf(inspect: Inspect, { sink, table }: World, partition: number, end: number) {
  const event = sink === "duckdb" ? "RAW_EVENT::VARCHAR" : "RAW_EVENT:seq::STRING"
  // By ranges of offsets, so that a duplicate cannot hide at the edge of a page; the last range is open, for rows that belong nowhere.
  for (let from = 0; ; from += pageSize) {
    const isLast = from + pageSize >= end
    yield* await inspect.query(
      `SELECT KAFKA_OFFSET, KAFKA_KEY, ${event} AS EVENT FROM BRONZE.${table} WHERE KAFKA_PARTITION = ${partition} AND KAFKA_OFFSET >= ${from} ${isLast ? "" : `AND KAFKA_OFFSET < ${from + pageSize}`}`
    )
    if (isLast) return
  }
}
