/** Whole random records: keys, headers and times as odd as Kafka allows them; the same seed makes the same records. */
import type { Random } from "../chaos/Random.ts"
import * as Framed from "./Framed.ts"
import * as Values from "./Values.ts"

export const codecs = ["none", "gzip", "snappy", "lz4", "zstd"] as const

export interface Fuzzed {
  readonly value: Buffer | null
  /** Of a value that names a schema: the JSON that it should become, or undefined where it cannot be read. */
  readonly framed?: Pick<Framed.Framed, "event">
  readonly key: Buffer | null
  /** In the order in which they are sent; a name may come more than once. */
  readonly headers: ReadonlyArray<readonly [name: string, value: Buffer | null]>
  /** Milliseconds since 1970, above 0: producers take 0 for the current time. */
  readonly timestamp: number
  readonly codec: (typeof codecs)[number]
}

const headerNames = [
  ...["trace", "id", "content-type", "", " ", "é", "日本", 'a"b', "a\\b", "0", "10", "2"],
  // What every JavaScript object has by itself.
  ...["__proto__", "constructor", "toString", "hasOwnProperty", "valueOf", "__defineGetter__"]
] as const

const long = (value: bigint): Buffer => {
  const bytes = Buffer.alloc(8)
  bytes.writeBigInt64BE(value)
  return bytes
}

const texts = ["", "k", "42", "käse", '{"id":1}', "base64:AAA=", "a\u0000b", "😀", "x".repeat(5000), "\u2028", "'"].map(
  (text) => Buffer.from(text)
)
const binary = [
  long(42n),
  long(200n),
  Buffer.alloc(4),
  Buffer.from([0xff]),
  Buffer.from([0xc3, 0x28]),
  Buffer.from([0xed, 0xa0, 0x80])
]

const bytes = (random: Random): Buffer => random.pick(random.below(3) === 0 ? binary : texts)

const timestamps = [
  1,
  1_000,
  1_770_460_200,
  1_770_460_200_123,
  253_402_300_799_999,
  253_402_300_800_000,
  2 ** 53 - 1
] as const

const content = (random: Random): Pick<Fuzzed, "framed" | "value"> => {
  if (random.below(6) > 0) return { value: Values.value(random) }
  const framed = Framed.value(random)
  return { value: framed.value, framed }
}

export const record = (random: Random): Fuzzed => ({
  ...content(random),
  key: random.below(4) === 0 ? null : bytes(random),
  headers: Array.from({ length: random.below(3) === 0 ? random.below(6) : 0 }, () => [
    random.pick(headerNames),
    random.below(5) === 0 ? null : bytes(random)
  ]),
  timestamp: random.below(5) === 0 ? random.pick(timestamps) : 1_770_460_200_000 + random.below(1_000_000),
  codec: random.pick(codecs)
})
