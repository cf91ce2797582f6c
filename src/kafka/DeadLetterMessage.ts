/** A dead letter as a record of DLQ_TOPIC: its bytes as they came, what is known of it in the headers. */
import { bytesOf } from "../domain/Bytes.ts"
import { sizeOf } from "../domain/DeadLetters.ts"
import type { DeadLetter } from "../domain/Outcome.ts"
import type { Message } from "./Producer.ts"

export const make = (letter: DeadLetter): Message => ({
  key: letter.key === null ? null : bytesOf(letter.key),
  // Of a payload that was cut to nothing there is no value.
  value:
    letter.payload === null || (letter.payload === "" && letter.truncated === true)
      ? null
      : Buffer.from(letter.payload, "base64"),
  headers: {
    "bronze.cause": letter.cause,
    "bronze.message": letter.message,
    "bronze.topic": letter.topic,
    "bronze.partition": String(letter.partition),
    "bronze.offset": String(letter.offset),
    "bronze.timestamp": String(letter.timestamp),
    ...(letter.truncated === true && { "bronze.truncated": "true" }),
    ...(letter.headers !== null && { "bronze.headers": letter.headers })
  }
})

/** The names of the headers, their coordinates and what Kafka adds for a record. */
const overhead = 300

const bytes = ({ headers, key, message, payload }: DeadLetter): number =>
  overhead +
  (payload === null ? 0 : sizeOf(payload.length, payload.slice(-2))) +
  [key, headers, message].reduce((sum, text) => sum + (text === null ? 0 : Buffer.byteLength(text)), 0)

/** Neighbours that are no more than `maxBytes` together; what is larger stands alone. */
export const chunks = (
  letters: ReadonlyArray<DeadLetter>,
  maxBytes: number
): ReadonlyArray<ReadonlyArray<DeadLetter>> => {
  const found: Array<Array<DeadLetter>> = []
  let size = Number.POSITIVE_INFINITY
  for (const letter of letters) {
    const more = bytes(letter)
    if (size + more > maxBytes) {
      found.push([])
      size = 0
    }
    found.at(-1)?.push(letter)
    size += more
  }
  return found
}
