/** What became of a record: exactly one of a row, a dead letter or a skip (P1), each with the record's coordinates. */
import type { Position } from "./KafkaRecord.ts"

/** What a queued outcome takes in memory besides its bytes: objects and typed columns, as heap snapshots show them. */
const overheadBytes = (columns: number): number => 400 + 48 * columns

/** What its coordinates take in a write. */
const placeBytes = 160

/** Why a record could not become a row; a small, closed set, fit for a metric label. */
export const deadLetterCauses = [
  "not_json",
  "not_utf8",
  "not_avro",
  "not_protobuf",
  "unknown_schema",
  "too_large",
  "refused",
  "undecodable"
] as const
export type DeadLetterCause = (typeof deadLetterCauses)[number]

/** Why a record was skipped on purpose; `control` stands for offsets that Kafka itself uses (transaction markers). */
export type SkipReason = "tombstone" | "control"

/** The record that an outcome comes from. */
export interface Source extends Position {
  /** When the producer (or the broker) stamped the record: milliseconds since 1970. */
  readonly timestamp: number
  /** The key as text; bytes that are not UTF-8, and text that begins so, are written `base64:…`. */
  readonly key: string | null
  /** A JSON object of the headers, or null when there are none; values as for `key`. */
  readonly headers: string | null
  /** Of its key, headers and payload. */
  readonly bytes: number
}

/** A row of a raw table. */
export interface BronzeRow extends Source {
  readonly _tag: "BronzeRow"
  /** JSON in UTF-8: the payload as it came, or what its schema makes of it; null for a tombstone. */
  readonly event: Uint8Array | null
  /**
   * The typed columns in the table's order, in the text form of their type (timestamps `2026-02-07 10:30:00.123456` in
   * UTC); null where the event has none that fits.
   */
  readonly columns: ReadonlyArray<string | null>
  /** The registry's id of the schema that the payload was written with. */
  readonly schemaId?: number | undefined
}

/** A row of DEAD_LETTERS. */
export interface DeadLetter extends Source {
  readonly _tag: "DeadLetter"
  readonly cause: DeadLetterCause
  readonly message: string
  /** The original bytes in base64; null for a tombstone. */
  readonly payload: string | null
  /** Whether `payload` holds only the first of them; `message` then says how many there were. */
  readonly truncated?: boolean
}

/** A record that a setting, or Kafka itself, says to pass over: counted, and covered by the offsets. */
export interface Skip extends Position {
  readonly _tag: "Skip"
  readonly reason: SkipReason
  readonly bytes: number
}

export type Outcome = BronzeRow | DeadLetter | Skip

/** What an outcome takes of the byte budget. */
export const heldBytes = (outcome: Outcome): number =>
  outcome.bytes + overheadBytes(outcome._tag === "BronzeRow" ? outcome.columns.length : 0)

/** What it takes in a write. */
export const writtenBytes = ({ bytes }: Outcome): number => bytes + placeBytes
