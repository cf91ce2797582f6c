/** The one spelling of a record's place, `topic/partition@offset`: written everywhere, and read back from anywhere. */
import * as Result from "effect/Result"
import type { Position } from "./KafkaRecord.ts"

export const format = ({ offset, partition, topic }: Position): string => `${topic}/${partition}@${offset}`

const whole = (digits: string | undefined): number | undefined => {
  const value = digits !== undefined && /^\d{1,16}$/.test(digits) ? Number(digits) : Number.NaN
  return Number.isSafeInteger(value) ? value : undefined
}

const position = (topic = "", partition?: string, offset?: string): Position | undefined => {
  const numbers = { partition: whole(partition), offset: whole(offset) }
  return /^[\w.-]+$/.test(topic) && numbers.partition !== undefined && numbers.offset !== undefined
    ? { topic, partition: numbers.partition, offset: numbers.offset }
    : undefined
}

/** `raw.orders.v1/0@57`, also with blanks around the @; undefined when it is anything else. */
export const parse = (text: string): Position | undefined => {
  const [, topic, partition, offset] = /^\s*([^/\s]+)\/(\d+)\s*@\s*(\d+)\s*$/.exec(text) ?? []
  return position(topic, partition, offset)
}

/** Places as the words of a command line: each in that spelling, or as three words, `TOPIC PARTITION OFFSET`. */
export const parseAll = (words: ReadonlyArray<string>): Result.Result<ReadonlyArray<Position>, string> => {
  const [first, ...rest] = words
    .join(" ")
    .trim()
    .replaceAll(/\s*@\s*/g, "@")
    .split(/\s+/)
  if (first === undefined || first === "") return Result.succeed([])
  const isOneWord = first.includes("@") || first.includes("/")
  const found = isOneWord ? parse(first) : position(first, rest[0], rest[1])
  if (found === undefined) {
    const got = isOneWord ? [first] : [first, ...rest.slice(0, 2)]
    return Result.fail(`expected topic/partition@offset, or TOPIC PARTITION OFFSET, got "${got.join(" ")}"`)
  }
  return Result.map(parseAll(isOneWord ? rest : rest.slice(2)), (others) => [found, ...others])
}
