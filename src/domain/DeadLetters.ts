/** Dead letters as the warehouse stores them: their fields, the filters, and how one that is too large is truncated. */
import type { Position } from "./KafkaRecord.ts"
import type { DeadLetter } from "./Outcome.ts"

/** A row of DEAD_LETTERS. Times are milliseconds since 1970. */
export interface StoredDeadLetter extends Position {
  readonly table: string
  readonly timestamp: number | null
  readonly key: string | null
  readonly headers: string | null
  readonly cause: string
  readonly message: string | null
  /** The size of what is kept of the payload, in bytes; null for a tombstone. */
  readonly bytes: number | null
  /** Whether that is only the beginning of the original. */
  readonly truncated: boolean
  /** The bytes in base64; null for a tombstone, and when they were not asked for. */
  readonly payload: string | null
  readonly ingestedAt: number
  /** When it was replayed into its table; null while it is pending. */
  readonly replayedAt: number | null
}

/** The bytes that are kept of it; null for a tombstone, and when they were not asked for. */
export const payloadOf = ({ payload }: StoredDeadLetter): Buffer | null =>
  payload === null ? null : Buffer.from(payload, "base64")

/** Which dead letters; every field narrows the choice. */
export interface DeadLetterFilter {
  readonly topic?: string | undefined
  readonly cause?: string | undefined
  /** Became a dead letter at this time or later, in milliseconds since 1970. */
  readonly since?: number | undefined
  /** Became a dead letter before this time. */
  readonly until?: number | undefined
  /** Only those whose key or message has this text, in either case. */
  readonly search?: string | undefined
  /** Only these places. */
  readonly at?: ReadonlyArray<Position> | undefined
  /** Those that were replayed as well; else only those that wait. */
  readonly replayed?: boolean | undefined
  /** With their payloads. */
  readonly payload?: boolean | undefined
  /** The newest ones, at most this many. */
  readonly limit: number
}

/**
 * What is kept of a payload at most: on Snowflake what a STRING column takes in base64 (16 MiB), on DuckDB what can be
 * held in memory. Cut before it is base64, so that nothing is made of what will not be kept.
 */
export const keptBytes = { Snowflake: 12 * 1024 * 1024 - 64 * 1024, DuckDb: 64 * 1024 * 1024 } as const

/** What the message of a letter says whose payload is not whole. */
export const cutNote = (size: number): string => `; of its ${size} bytes only the first are kept`

/** The bytes that a base64 text stands for, by its length and its last characters. */
export const sizeOf = (characters: number, ending: string): number => {
  const padding = ending.endsWith("==") ? 2 : ending.endsWith("=") ? 1 : 0
  return (characters / 4) * 3 - padding
}

/** The letter with no more than the first `maxBytes` of its payload; its message says so. */
export const shortened = (letter: DeadLetter, maxBytes: number): DeadLetter => {
  const size = letter.payload === null ? 0 : sizeOf(letter.payload.length, letter.payload.slice(-2))
  if (letter.payload === null || size <= maxBytes) return letter
  // Three bytes are four characters: cut between two such groups, so that nothing is decoded.
  const groups = Math.floor(Math.max(0, maxBytes) / 3)
  const said = letter.truncated === true ? "" : cutNote(size)
  return {
    ...letter,
    payload: letter.payload.slice(0, groups * 4),
    message: `${letter.message}${said}`,
    truncated: true
  }
}

/**
 * The letter with less in it, for whoever did not take it: first much less of its payload, then none, then without
 * headers, key and message. Undefined when only its coordinates and its cause are left, which no limit of size can
 * refuse.
 */
export const smaller = (letter: DeadLetter): DeadLetter | undefined => {
  if (letter.payload !== null && letter.payload !== "") {
    const size = sizeOf(letter.payload.length, letter.payload.slice(-2))
    return shortened(letter, size > 4096 ? size / 4 : 0)
  }
  if (letter.headers !== null) return { ...letter, headers: null, message: `${letter.message}; headers left out` }
  if (letter.key !== null) return { ...letter, key: null, message: `${letter.message}; key left out` }
  return letter.message === "" ? undefined : { ...letter, message: "" }
}
