/**
 * Judges a round: every record of Kafka is in the warehouse once, as what it is, with the payload that was sent; and
 * the ledger says so.
 */
import { spawn } from "node:child_process"
import { once } from "node:events"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { fileURLToPath } from "node:url"
import { installPython } from "../../scripts/support/python.ts"
import { duckDb, type Inspect, snowflake } from "../support/Inspect.ts"
import { kindOf } from "./Load.ts"
import { bootstrap, committed, ends, type World } from "./World.ts"

export interface Verdict {
  readonly records: number
  readonly duplicates: number
  readonly gaps: number
  /** Everything that is not as it should be, the first of each sort in words. */
  readonly problems: ReadonlyArray<string>
}

const python = () => installPython("fuzz", "a Kafka client for the fuzz run", requirements)
const requirements = fileURLToPath(new URL("../fuzz/requirements.txt", import.meta.url))
const script = fileURLToPath(new URL("committed.py", import.meta.url))

/**
 * What Kafka holds: the number of each record, by partition and offset; none where an offset was aborted or is Kafka's
 * own. Read by another client.
 */
const readTopic = async (world: World): Promise<ReadonlyArray<ReadonlyArray<number | undefined>>> => {
  const all = await ends(world)
  const found: ReadonlyArray<Array<number | undefined>> = all.map((end) => Array.from({ length: end }))
  const child = spawn(join(await python(), "python"), [script, bootstrap(world), world.topic, all.join()], {
    stdio: ["ignore", "pipe", "inherit"]
  })
  const closed = once(child, "close")
  for await (const line of createInterface({ input: child.stdout })) {
    const [partition = Number.NaN, offset = Number.NaN, seq] = line.split(" ").map(Number)
    const numbers = found[partition]
    if (numbers !== undefined) numbers[offset] = seq
  }
  const [code] = await closed
  if (code !== 0) throw new Error(`reading ${world.topic} ended with ${code}`)
  return found
}

const pageSize = 20_000

/** Judges what is in the warehouse; every member has to be gone (DuckDB lets one process in). */
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
      if (seq === undefined) {
        complain("a row that was never committed", `${partition}:${row["kafka_offset"]}`)
        continue
      }
      const expected = world.content.eventOf(seq)
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
      const bytes = Buffer.from(String(letter["payload_base64"]), "base64")
      const sent = seq === undefined ? null : world.content.payloadOf(seq)
      if (seq === undefined || kindOf(seq) !== "broken" || !bytes.equals(Buffer.from(sent ?? "")))
        complain("a dead letter that should be none", `${partition}:${letter["kafka_offset"]}`)
    }
    let skipped = 0
    for (const [offset, seq] of numbers.entries()) {
      if (seen[offset] === 1) continue
      const isSkip = seq === undefined || (kindOf(seq) === "tombstone" && world.env["TOMBSTONES"] === "skip")
      skipped += isSkip ? 1 : 0
      gaps += isSkip ? 0 : 1
      if (!isSkip) complain("a gap", `${partition}:${offset}`)
    }
    // Without a ledger Kafka alone knows, below.
    if (world.sink === "streaming") continue
    const [entry] = await inspect.query(
      `SELECT NEXT_OFFSET, SKIPPED FROM BRONZE.CONSUMER_OFFSETS WHERE CONSUMER_GROUP = '${world.group}' AND TOPIC = '${world.topic}' AND PARTITION = ${partition}`
    )
    if (entry?.["next_offset"] !== numbers.length)
      complain("the ledger is not at last + 1", `${partition}: ${entry?.["next_offset"]}, not ${numbers.length}`)
    if (entry?.["skipped"] !== skipped)
      complain("skips miscounted", `${partition}: ${entry?.["skipped"]}, not ${skipped}`)
  }
  const kafkaSays = await committed(world)
  const logEnds = truth.map((numbers) => numbers.length)
  if (String(kafkaSays) !== String(logEnds)) complain("Kafka's committed offsets", `${kafkaSays}, not ${logEnds}`)
  await inspect.close()
  const records = truth.flat().filter((seq) => seq !== undefined).length
  return { records, duplicates, gaps, problems: [...problems.values()] }
}

/** DuckDB keeps the text, so the whole of it is compared; the emulator re-writes JSON, so the number in it is. */
async function* rowsOf(inspect: Inspect, { sink, table }: World, partition: number, end: number) {
  const event = sink === "duckdb" ? "RAW_EVENT::VARCHAR" : "RAW_EVENT:seq::STRING"
  // By ranges of offsets, so that a duplicate cannot hide at the edge of a page; the last range is open, for rows that
  // belong nowhere.
  for (let from = 0; ; from += pageSize) {
    const isLast = from + pageSize >= end
    yield* await inspect.query(
      `SELECT KAFKA_OFFSET, KAFKA_KEY, ${event} AS EVENT FROM BRONZE.${table} WHERE KAFKA_PARTITION = ${partition} AND KAFKA_OFFSET >= ${from} ${isLast ? "" : `AND KAFKA_OFFSET < ${from + pageSize}`}`
    )
    if (isLast) return
  }
}
