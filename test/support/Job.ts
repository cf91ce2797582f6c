/**
 * One job of the service against real parts: topics, tables and a group of its own, so that tests do not see each
 * other.
 */
import { assert } from "vitest"
import { start } from "../../scripts/support/bronzeProcess.ts"
import type { Inspect } from "./Inspect.ts"
import { privateKeyFile } from "./privateKey.ts"
import { type RealKafka, unique } from "./RealKafka.ts"

export interface Job {
  readonly orders: string
  readonly clicks: string
  readonly ordersTable: string
  readonly clicksTable: string
  readonly group: string
  readonly env: Readonly<Record<string, string>>
}

export const makeJob = async (
  kafka: Pick<RealKafka, "bootstrap" | "createTopic">,
  sink: Readonly<Record<string, string>>,
  {
    extra = {},
    partitions = 1
  }: { readonly partitions?: number; readonly extra?: Readonly<Record<string, string>> } = {}
): Promise<Job> => {
  const orders = unique("raw.orders")
  const clicks = unique("raw.clicks")
  const id = orders.slice(-8).toUpperCase()
  const group = unique("group")
  await Promise.all([kafka.createTopic(orders, partitions), kafka.createTopic(clicks)])
  const env = {
    KAFKA_BOOTSTRAP_SERVERS: kafka.bootstrap,
    CONSUMER_GROUP_ID: group,
    BRONZE_ROUTES: `${orders}=ORDERS_${id}(ORDER_ID=order_id,USER_ID=user_id:NUMBER), ${clicks}=CLICKS_${id}(USER_ID=user_id:NUMBER)`,
    ...sink,
    ...extra
  }
  const created = start(env, ["init"])
  assert.strictEqual(await created.exit, 0, created.output())
  return { orders, clicks, ordersTable: `ORDERS_${id}`, clicksTable: `CLICKS_${id}`, group, env }
}

/** The settings that lead to the emulator. */
export const snowflakeAt = (url: string): Readonly<Record<string, string>> => ({
  SNOWFLAKE_HOST: url,
  SNOWFLAKE_ACCOUNT: "test",
  SNOWFLAKE_USER: "bronze",
  SNOWFLAKE_PASSWORD: "s3cret-password",
  SNOWFLAKE_DATABASE: "LAKE",
  SNOWFLAKE_WAREHOUSE: "LOAD"
})

/** The same through the streaming API, which takes no password and needs no virtual warehouse. */
export const streamingAt = (url: string): Readonly<Record<string, string>> => {
  const { SNOWFLAKE_PASSWORD: _, SNOWFLAKE_WAREHOUSE: __, ...account } = snowflakeAt(url)
  return { ...account, SNOWFLAKE_WRITER: "streaming", SNOWFLAKE_PRIVATE_KEY_PATH: privateKeyFile() }
}

export const countRows = async (inspect: Inspect, table: string, where = "TRUE"): Promise<number> =>
  Number((await inspect.query(`SELECT COUNT(*) AS N FROM BRONZE.${table} WHERE ${where}`))[0]?.["n"])

/**
 * P3 as a question to the warehouse: how many rows, how many distinct offsets, and from where to where, by partition.
 */
export const coverage = (inspect: Inspect, table: string): Promise<ReadonlyArray<Readonly<Record<string, unknown>>>> =>
  inspect.query(
    `SELECT KAFKA_PARTITION AS P, COUNT(*) AS TOTAL, COUNT(DISTINCT KAFKA_OFFSET) AS OFFSETS, MIN(KAFKA_OFFSET) AS FIRST, MAX(KAFKA_OFFSET) AS LAST FROM BRONZE.${table} GROUP BY KAFKA_PARTITION ORDER BY 1`
  )

/** Each partition's log from the first record to the last, once. */
export const complete = (ends: ReadonlyArray<number>): ReadonlyArray<Readonly<Record<string, unknown>>> =>
  ends.flatMap((end, p) => (end === 0 ? [] : [{ p, total: end, offsets: end, first: 0, last: end - 1 }]))
