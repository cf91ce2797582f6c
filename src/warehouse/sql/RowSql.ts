/** How the row at a place is asked for, in every dialect; the place is bound. */
import * as Predicate from "effect/Predicate"
import type { Position } from "../../domain/KafkaRecord.ts"
import type { Dialect } from "./Tables.ts"

export const select = (names: Dialect, table: string): string =>
  `SELECT * FROM ${names.qualified(table)} WHERE KAFKA_TOPIC = ? AND KAFKA_PARTITION = ? AND KAFKA_OFFSET = ? LIMIT 1`

export const binds = ({ offset, partition, topic }: Position): ReadonlyArray<string | number> => [
  topic,
  partition,
  offset
]

/** The first row of an answer. */
export const toRow = ([row]: ReadonlyArray<unknown>): Readonly<Record<string, unknown>> | undefined =>
  Predicate.isObject(row) ? { ...row } : undefined
