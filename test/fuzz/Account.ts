/**
 * Accounts for each record: a row or a dead letter that holds what was sent, or one of the skips that the ledger
 * counts.
 */
import { isDeepStrictEqual } from "node:util"
import { fateOf, headersOf, storedHeaders, textOf } from "./Expected.ts"
import type { Fuzzed } from "./Records.ts"

/** What the warehouse holds of a record. */
export interface Stored {
  readonly place: string
  readonly fate: "row" | "letter"
  /** RAW_EVENT, or the payload in base64. */
  readonly content: string | null
  readonly key: string | null
  readonly headers: string | null
  readonly timestamp: number | null
  readonly cause: string | null
}

export interface Rules {
  /** Whether RAW_EVENT keeps the text byte for byte, or only the value. */
  readonly keepsText: boolean
  readonly tombstones: "insert" | "skip"
}

export interface Account {
  readonly rows: number
  readonly letters: number
  readonly skipped: number
  readonly problems: ReadonlyArray<string>
}

export const account = (
  sent: ReadonlyMap<string, Fuzzed>,
  stored: Iterable<Stored>,
  skipped: number,
  rules: Rules
): Account => {
  const problems: Array<string> = []
  const seen = new Set<string>()
  const counts = { row: 0, letter: 0 }
  for (const found of stored) {
    const record = sent.get(found.place)
    if (seen.has(found.place)) problems.push(`${found.place}: there twice`)
    seen.add(found.place)
    if (record === undefined) {
      problems.push(`${found.place}: never sent`)
      continue
    }
    counts[found.fate]++
    const difference = differenceOf(record, found, rules)
    if (difference !== undefined) problems.push(`${found.place}: ${difference}`)
  }
  const absent = [...sent].filter(([place]) => !seen.has(place))
  const vanished = absent.filter(([, record]) => rules.tombstones === "insert" || fateOf(record) !== "tombstone")
  problems.push(...vanished.map(([place]) => `${place}: neither row nor dead letter`))
  if (absent.length - vanished.length !== skipped)
    problems.push(`${absent.length - vanished.length} tombstones are missing; the ledger counts ${skipped} skipped`)
  return { rows: counts.row, letters: counts.letter, skipped, problems }
}

const differenceOf = (sent: Fuzzed, found: Stored, rules: Rules): string | undefined => {
  const fate = fateOf(sent)
  if (found.fate !== (fate === "letter" ? "letter" : "row"))
    return `is a ${found.fate} (${found.cause}), sent ${sent.value?.toString("utf8").slice(0, 100)}`
  if (fate === "tombstone" ? found.content !== null : !holds(sent, found, rules))
    return `holds other content: ${found.content?.slice(0, 100)}`
  if (found.key !== (sent.key && textOf(sent.key))) return `has the key ${JSON.stringify(found.key)}`
  if (storedHeaders(found.headers) !== headersOf(sent)) return `has the headers ${found.headers}`
  const isStorable = sent.timestamp <= 253_402_300_799_999
  return found.timestamp === (isStorable ? sent.timestamp : null) ? undefined : `has the time ${found.timestamp}`
}

const holds = ({ framed, value }: Fuzzed, { content, fate }: Stored, { keepsText }: Rules): boolean => {
  if (fate === "letter") return content === (value?.toString("base64") ?? null)
  const text = framed?.event ?? value?.toString("utf8") ?? null
  if (content === text) return true
  // Comparing goes less deep than parsing does.
  if (keepsText || content === null || text === null) return false
  return isDeepStrictEqual(JSON.parse(content, unsigned), JSON.parse(text, unsigned))
}

/** A warehouse that keeps values and not texts knows one zero only. */
const unsigned = (_: string, value: unknown): unknown => (value === 0 ? 0 : value)
