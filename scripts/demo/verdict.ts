// The verdict of the demo: every record of Kafka's range is in exactly one place, by its coordinates; nothing else is
// there.
import { offsetAt, type Position, TOPICS } from "./group.ts"
import { verbose } from "./options.ts"
import { count, detailBlank, plural, say, showRows } from "./page.ts"
import { type Query, readTables } from "./tables.ts"

/** What the demo takes for its measure: Kafka's own offsets, from the group's start to its last commit. */
export interface Measure {
  readonly from: ReadonlyArray<Position>
  readonly committed: ReadonlyArray<Position>
  readonly ends: ReadonlyArray<Position>
  /** How many records `produce` has reported. */
  readonly sent: number
}

const SEEN = `
  WITH SEEN AS (
    SELECT KAFKA_TOPIC, KAFKA_PARTITION, KAFKA_OFFSET, 1 AS IS_ROW FROM BRONZE.ORDERS_RAW
    UNION ALL SELECT KAFKA_TOPIC, KAFKA_PARTITION, KAFKA_OFFSET, 1 FROM BRONZE.CLICKS_RAW
    UNION ALL SELECT KAFKA_TOPIC, KAFKA_PARTITION, KAFKA_OFFSET, 0 FROM BRONZE.DEAD_LETTERS
  )`

const checkPartition = async (query: Query, { from, committed }: Measure, at: Position) => {
  const [low, high] = [offsetAt(from, at), offsetAt(committed, at)]
  const inRange = `KAFKA_OFFSET >= ${low} AND KAFKA_OFFSET < ${high}`
  const { rows } = await query(`${SEEN}
    SELECT COUNT(*) FILTER (IS_ROW = 1), COUNT(*) FILTER (IS_ROW = 0), COUNT(*) - COUNT(DISTINCT KAFKA_OFFSET),
      ${high - low} - COUNT(DISTINCT KAFKA_OFFSET) FILTER (${inRange}), COUNT(*) FILTER (NOT (${inRange}))
    FROM SEEN WHERE KAFKA_TOPIC = '${at.topic}' AND KAFKA_PARTITION = ${at.partition}`)
  const [inTables = 0, deadLetters = 0, twice = 0, missing = 0, foreign = 0] = rows[0]?.map(Number) ?? []
  return { ...at, low, high, records: high - low, rows: inTables, deadLetters, twice, missing, foreign }
}

const sum = (numbers: ReadonlyArray<number>): number => numbers.reduce((total, number) => total + number, 0)

const columns = ["records", "rows", "deadLetters", "twice", "missing"] as const

/** Prints the numbers; true only if they hold. */
export const verdict = async (measure: Measure): Promise<boolean> => {
  const partitions = await readTables((query) =>
    // One after the other: they share a connection.
    measure.from.reduce(
      async (before, at) => [...(await before), await checkPartition(query, measure, at)],
      Promise.resolve<ReadonlyArray<Awaited<ReturnType<typeof checkPartition>>>>([])
    )
  )
  if (verbose)
    showRows(
      ["PARTITION", "OFFSETS", "RECORDS", "ROWS", "DEAD", "TWICE", "MISSING"],
      partitions.map(({ deadLetters, high, low, missing, partition, records, rows, topic, twice }) =>
        [`${topic}/${partition}`, `${low} to ${high - 1}`, records, rows, deadLetters, twice, missing].map(String)
      )
    )
  else
    showRows(
      ["TOPIC", "PARTITIONS", "RECORDS", "ROWS", "DEAD", "TWICE", "MISSING"],
      TOPICS.map((topic) => {
        const own = partitions.filter((partition) => partition.topic === topic)
        return [topic, own.length, ...columns.map((name) => sum(own.map((partition) => partition[name])))].map(String)
      })
    )
  const produced = sum(partitions.map(({ records }) => records))
  const rows = sum(partitions.map(({ rows }) => rows))
  const deadLetters = sum(partitions.map(({ deadLetters }) => deadLetters))
  // TOMBSTONES=insert, the default: no record is ever skipped.
  const skipped = 0
  const isExact = partitions.every(({ foreign, missing, twice }) => foreign === 0 && missing === 0 && twice === 0)
  const isSum = produced === rows + deadLetters + skipped && produced >= measure.sent
  const waiting = sum(measure.ends.map((end) => end.offset - offsetAt(measure.committed, end)))

  detailBlank()
  if (produced > measure.sent)
    say(`${plural(produced - measure.sent, "event")} came from the shop or another terminal.`)
  if (waiting > 0) say(`${plural(waiting, "event")} came too late: uncommitted in Kafka, read at the next start.`)
  say(
    `produced ${count(produced)} ${isSum ? "=" : "≠"} rows ${count(rows)} + dead letters ${count(deadLetters)} + skipped ${skipped}`
  )
  say(
    `coordinates (topic, partition, offset): ${isExact ? "each exactly once, without a gap" : "NOT each exactly once"}`
  )
  say(isSum && isExact ? "PASS: every record exactly once." : "FAIL: not every record exactly once.")
  return isSum && isExact
}
