/**
 * The SQL of the ledger's lock on Snowflake: rows that carry nothing, so that a stale rewrite of them could lose
 * nothing.
 */
import type { TopicPartition } from "../../domain/KafkaRecord.ts"
import { jsonArray } from "../sql/Binds.ts"
import { consumerOffsets, type Dialect, quoted } from "../sql/Tables.ts"

/**
 * The lock rows of a group stand in the ledger under this name, one for each partition, so that no reader of the group
 * sees them.
 */
export const lockGroup = (group: string): string => `#lock:${group}`

/** Where the rows of a partition that had more than one are put away. `id` is new each time. */
export const retiredGroup = (group: string, id: string): string => `#retired:${group}:${id}`

/** n topic, p partition. */
export const partitionsBind = (partitions: ReadonlyArray<TopicPartition>): string =>
  jsonArray(partitions, ({ partition, topic }) => `{"n":${JSON.stringify(topic)},"p":${partition}}`)

const ledger = (names: Dialect): string => names.qualified(consumerOffsets.name)

const fromBind =
  "FROM (SELECT f.value:n::STRING AS N, f.value:p::NUMBER AS P FROM TABLE(FLATTEN(INPUT => PARSE_JSON(?))) f) s"

/**
 * Takes the lock of these partitions until the end of the transaction, and says how many of them have a lock row at
 * least. What follows in the transaction begins after the lock is held, and so sees whatever others have committed
 * under it. Binds: partitions, lock group.
 */
export const lock = (names: Dialect): string =>
  `UPDATE ${ledger(names)} SET UPDATED_AT = SYSDATE()
${fromBind}
WHERE CONSUMER_GROUP = ? AND TOPIC = s.N AND "PARTITION" = s.P`

/**
 * Makes the lock rows that are missing. Two members that do so at once make two, which is harmless: whoever committed
 * last sees both, so any two that lock afterwards have a row in common. Binds: lock group, partitions, lock group.
 */
export const addLocks = (names: Dialect): string =>
  `INSERT INTO ${ledger(names)} (CONSUMER_GROUP, TOPIC, "PARTITION", NEXT_OFFSET, EPOCH, OWNER, UPDATED_AT)
SELECT ?, s.N, s.P, 0, 0, 'lock', SYSDATE()
${fromBind}
WHERE NOT EXISTS (SELECT 1 FROM ${ledger(names)} l WHERE l.CONSUMER_GROUP = ? AND l.TOPIC = s.N AND l."PARTITION" = s.P)`

/** Puts all rows of these partitions away. Binds: retired group, partitions, group. */
export const retire = (names: Dialect): string =>
  `UPDATE ${ledger(names)} SET CONSUMER_GROUP = ?, UPDATED_AT = SYSDATE()
${fromBind}
WHERE CONSUMER_GROUP = ? AND TOPIC = s.N AND "PARTITION" = s.P`

/**
 * Makes one row again of those put away: the one that got furthest, for the records up to it are durable, under the
 * highest epoch. Binds: group, retired group.
 */
export const restore = (names: Dialect): string => {
  const columns = consumerOffsets.fields.map(({ name }) => quoted(name))
  const values = columns.map((name) =>
    name === '"CONSUMER_GROUP"' ? "?" : name === '"EPOCH"' ? 'MAX(EPOCH) OVER (PARTITION BY TOPIC, "PARTITION")' : name
  )
  return `INSERT INTO ${ledger(names)} (${columns.join(", ")})
SELECT ${values.join(", ")} FROM ${ledger(names)} WHERE CONSUMER_GROUP = ?
QUALIFY ROW_NUMBER() OVER (PARTITION BY TOPIC, "PARTITION" ORDER BY NEXT_OFFSET DESC, EPOCH DESC) = 1`
}
