/**
 * Payloads as producers send them, by chance: good JSON in odd dress, JSON that is nearly good, and what is none at
 * all.
 */
import type { Random } from "../chaos/Random.ts"

/** Scalars that have been a trouble to somebody, as JSON. */
const scalars = [
  ...["0", "-0", "1", "-1", "12.50", "1.10", "1e3", "1E2", "1e400", "-1e400", "1e-400", "9007199254740993", "2.5"],
  ...["-9007199254740993", "9223372036854775808", "12345678901234567890123456789012345678", "0.1234567890123456789"],
  ...["1770460200", "1770460200000", "1770460200000000", "1770460200.5", "true", "false", "null", '""', '" 5 "'],
  ...['"+5"', '"1e3"', '"007"', '"NaN"', '"-Infinity"', '"abc"', '"yes"', '"0x10"', '"2026-02-07T10:30:00Z"'],
  ...['"2026-02-30"', '"2026-02-07 10:30:00.123456+00"', '"9999-12-31T23:59:59.999Z"', '"0000-00-00"', '"1770460200"'],
  ...[
    '"\\u0000"',
    '"x\\u0000y"',
    '"\\ud83d\\ude00"',
    '"😀"',
    '"\\\\ud800"',
    '"\\u2028\u2028"',
    '"\\uffff"',
    '"é"',
    '"日本"'
  ],
  ...[
    '"\\"\\\\\\/\\b\\f\\n\\r\\t"',
    '"\'; DROP TABLE x; --"',
    '"$x"',
    '"\u007f\u0080"',
    '"a\u202eb"',
    '"<script>"',
    "[]",
    "{}"
  ]
] as const

/** What JSON.parse takes and the JSON functions of a warehouse do not read. */
const lone = ['"\\ud800"', '"nice \\ud83d"', '"\\ude00\\ud83d"', '"\\udfff"', '{"\\udc00":1}'] as const

const names = [
  ...[
    "order_id",
    "user_id",
    "amount",
    "paid",
    "paid_at",
    "order",
    "item_name",
    "price",
    "a",
    "b",
    "",
    " ",
    "é",
    "日本"
  ],
  ...[
    "__proto__",
    "constructor",
    "toString",
    "hasOwnProperty",
    "0",
    "10",
    'a\\"b',
    "\\u0061",
    "\\u0000",
    "order\\u005fid"
  ]
] as const

const blanks = ["", "", "", " ", "\n", "\t ", "\r\n"] as const

/** A JSON text; `deep` levels at most below it. */
export const json = (random: Random, deep: number): string => {
  const blank = () => random.pick(blanks)
  const many = <A>(make: () => A): ReadonlyArray<A> => Array.from({ length: random.below(6) }, make)
  const roll = random.below(10)
  if (deep === 0 || roll < 5) return random.pick(scalars)
  if (roll < 7) return `[${many(() => `${blank()}${json(random, deep - 1)}${blank()}`).join(",")}]`
  const member = () => `${blank()}"${random.pick(names)}"${blank()}:${blank()}${json(random, deep - 1)}${blank()}`
  return `{${many(member).join(",")}}`
}

const event = (random: Random): string =>
  `{"order_id":${json(random, 1)},"user_id":${json(random, 1)},"amount":${random.pick(scalars)},"paid":${random.pick(scalars)},"paid_at":${random.pick(scalars)},"x":${json(random, 4)}}`

const nested = (random: Random): string => {
  const levels = random.pick([50, 1000, 10_000, 10_239, 10_240, 20_000])
  return random.below(2) === 0
    ? `{"user_id":9007199254740993,"x":${"[".repeat(levels)}${"]".repeat(levels)}}`
    : `${'{"a":'.repeat(levels)}1${"}".repeat(levels)}`
}

const bytes = (random: Random, length: number): Buffer => Buffer.from(Array.from({ length }, () => random.below(256)))

/** A good text with a byte changed, left out or put in. */
const spoilt = (random: Random): Buffer => {
  const text = Buffer.from(event(random))
  const at = random.below(text.length)
  const rest = text.subarray(at + random.below(2))
  return random.below(4) === 0
    ? text.subarray(0, at)
    : Buffer.concat([text.subarray(0, at), bytes(random, random.below(2)), rest])
}

const broken = [
  ...["hello", "NaN", "{'a':1}", '{"a":1,}', '{"a":01}', '{"a":+1}', '{"a":.5}', '{"a":1}\n{"a":2}', '\ufeff{"a":1}'],
  ...[" ", "\n", '"', "[", "//x\n{}", "{a:1}", '{"a":"\n"}', '{"a":"\\x"}', '{"a":Infinity}', "undefined", "nul"]
] as const

/** The bytes of one record's value; null for a tombstone. */
export const value = (random: Random): Buffer | null => {
  const roll = random.below(1000)
  if (roll < 500) return Buffer.from(event(random))
  if (roll < 700) return Buffer.from(json(random, 6))
  if (roll < 820) return spoilt(random)
  if (roll < 860) return Buffer.from(random.pick(broken))
  if (roll < 890) return Buffer.from(`{"x":${json(random, 2)},"y":${random.pick(lone)}}`)
  if (roll < 920) return bytes(random, random.below(40))
  if (roll < 940) return Buffer.concat([Buffer.from([0, 0, 0, 0, 7]), Buffer.from(event(random))])
  if (roll < 965) return null
  if (roll < 985) return Buffer.alloc(0)
  if (roll < 990) return Buffer.from(nested(random))
  return Buffer.from(JSON.stringify({ order_id: "x".repeat(random.below(100_000)), user_id: random.below(1000) }))
}
