/**
 * How `dlq` shows dead letters: a table of many, or one in full. Text payloads are shown as text, without control
 * sequences.
 */
import { isUtf8 } from "node:buffer"
import * as Coordinates from "../../domain/Coordinates.ts"
import { payloadOf, type StoredDeadLetter } from "../../domain/DeadLetters.ts"
import * as Instants from "../../domain/Instants.ts"
import * as Layout from "../support/Layout.ts"
import * as Screen from "../support/Screen.ts"

/** How much of a payload is shown on a screen. */
const shownBytes = 16_384
const shownHex = 256

const time = (millis: number | null): string => (millis === null ? "-" : Instants.text(millis))

export const list = (letters: ReadonlyArray<StoredDeadLetter>, now: number, columns: number): string =>
  Layout.table(
    [
      ["RECORD", "CAUSE", "RECEIVED", "BYTES", "REPLAYED", "MESSAGE"],
      ...letters.map(({ bytes, cause, ingestedAt, message, replayedAt, truncated, ...at }) => [
        // Without its partition and offset it would name no record.
        Coordinates.format({ ...at, topic: Layout.shorten(at.topic, Math.max(16, columns / 3)) }),
        cause,
        Screen.ago(ingestedAt, now),
        bytes === null ? "-" : `${Screen.count(bytes)}${truncated ? "+" : ""}`,
        replayedAt === null ? "-" : Screen.ago(replayedAt, now),
        Screen.harmless(message ?? "")
      ])
    ],
    [3],
    columns,
    [0]
  )

export const one = (letter: StoredDeadLetter): string => {
  const { bytes, cause, headers, ingestedAt, key, message, replayedAt, table, timestamp } = letter
  const size =
    bytes === null ? "none (a tombstone, or left out)" : Screen.plural(bytes, letter.truncated ? "first byte" : "byte")
  const fields = [
    ["record", Coordinates.format(letter)],
    ["timestamp", time(timestamp)],
    ["key", key ?? "-"],
    ["headers", headers ?? "-"],
    ["table", table],
    ["cause", cause],
    ["message", message ?? "-"],
    ["received", time(ingestedAt)],
    ["replayed", replayedAt === null ? "no" : time(replayedAt)],
    ["payload", size]
  ]
  const lines = Layout.table(fields.map(([name = "", value = ""]) => [name, Screen.harmless(value)]))
  const payload = payloadOf(letter)
  return payload === null ? lines : `${lines}\n\n${preview(payload)}`
}

const preview = (payload: Buffer): string => {
  const isText = isUtf8(payload)
  const shown = payload.subarray(0, isText ? shownBytes : shownHex)
  const rest = payload.length - shown.length
  const text = isText ? shown.toString("utf8").split("\n").map(Screen.harmless).join("\n") : hex(shown)
  return rest === 0 ? text : `${text}\n… and ${Screen.plural(rest, "byte")} more; use --raw for all of them`
}

/** `0010  7b 22 61 22 …  {"a"…` */
const hex = (bytes: Buffer): string =>
  Array.from({ length: Math.ceil(bytes.length / 16) }, (_, row) => {
    const line = bytes.subarray(row * 16, row * 16 + 16)
    const digits = Array.from(line, (byte) => byte.toString(16).padStart(2, "0")).join(" ")
    const letters = Array.from(line, (byte) => (byte >= 32 && byte < 127 ? String.fromCharCode(byte) : ".")).join("")
    return `${(row * 16).toString(16).padStart(4, "0")}  ${digits.padEnd(47)}  ${letters}`
  }).join("\n")
