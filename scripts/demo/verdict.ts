// The verdict of the demo: every record of Kafka's range is in exactly one place, by its coordinates; nothing else is
// there.
import { offsetAt, type Position, TOPICS } from "./group.ts"
import { verbose } from "./options.ts"
import { count, detailBlank, plural, say, showRows, styled } from "./page.ts"
import type { Query, Warehouse } from "./warehouse.ts"

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

/** One row for each partition, in their order, in SQL that DuckDB and Snowflake both take. */
const question = ({ committed, from }: Measure): string => {
  const ofPartitions = from.map((at, index) => {
    const [low, high] = [at.offset, offsetAt(committed, at)]
    const inRange = `KAFKA_OFFSET >= ${low} AND KAFKA_OFFSET < ${high}`
    return `SELECT ${index} AS NUMBER_IN_LIST,
      COUNT(CASE WHEN IS_ROW = 1 THEN 1 END) AS STORED_ROWS, COUNT(CASE WHEN IS_ROW = 0 THEN 1 END) AS DEAD_LETTERS,
      COUNT(*) - COUNT(DISTINCT KAFKA_OFFSET) AS TWICE,
      ${high - low} - COUNT(DISTINCT CASE WHEN ${inRange} THEN KAFKA_OFFSET END) AS MISSING,
      COUNT(CASE WHEN NOT (${inRange}) THEN 1 END) AS OUT_OF_RANGE
    FROM SEEN WHERE KAFKA_TOPIC = '${at.topic}' AND KAFKA_PARTITION = ${at.partition}`
  })
  return `${SEEN} ${ofPartitions.join(" UNION ALL ")} ORDER BY NUMBER_IN_LIST`
}

const countPartitions = async (query: Query, measure: Measure) => {
  const { rows } = await query(question(measure))
  return measure.from.map((at, index) => {
    const numbers = rows[index]?.map(Number) ?? []
    if (numbers[0] !== index || !numbers.every(Number.isSafeInteger))
      throw new Error(`The tables could not be counted: ${JSON.stringify(rows)}`)
    const [low, high] = [at.offset, offsetAt(measure.committed, at)]
    const [, inTables = 0, deadLetters = 0, twice = 0, missing = 0, foreign = 0] = numbers
    return { ...at, low, high, records: high - low, rows: inTables, deadLetters, twice, missing, foreign }
  })
}

const sum = (numbers: ReadonlyArray<number>): number => numbers.reduce((total, number) => total + number, 0)

const columns = ["records", "rows", "deadLetters", "twice", "missing"] as const

/** Prints the numbers; true only if they hold. */
export const verdict = async (warehouse: Warehouse, measure: Measure): Promise<boolean> => {
  const partitions = await warehouse.read((query) => countPartitions(query, measure))
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
    // The records themselves do not say who sent them.
    say(
      `${plural(produced - measure.sent, "more record")} than the demo produced: something else sends to these topics.`
    )
  if (waiting > 0) say(`${plural(waiting, "event")} came too late: uncommitted in Kafka, read at the next start.`)
  say(
    `produced ${count(produced)} ${isSum ? "=" : "≠"} rows ${count(rows)} + dead letters ${count(deadLetters)} + skipped ${skipped}`
  )
  say(
    `coordinates (topic, partition, offset): ${isExact ? "each exactly once, without a gap" : "NOT each exactly once"}`
  )
  const holds = isSum && isExact
  say(
    holds ? styled("green", "PASS: every record exactly once.") : styled("red", "FAIL: not every record exactly once.")
  )
  return holds
}
