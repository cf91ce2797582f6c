/** Values as JSON text, digit for digit: docs/reference/schemas.md has the rules, each with its test. */

/** JSON has no word for what is no number. */
const nonFinite = (value: number): string => (Number.isNaN(value) ? '"NaN"' : value > 0 ? '"Inf"' : '"-Inf"')

export const double = (value: number): string =>
  Number.isFinite(value) ? (Object.is(value, -0) ? "-0" : String(value)) : nonFinite(value)

/** Below this a float has fewer than six digits. */
const smallestNormal = 2 ** -126

/** The shortest text that is the same number again in 32 bits: 0.1, not 0.10000000149011612. */
export const float = (value: number): string => {
  if (!Number.isFinite(value) || Number.isInteger(value)) return double(value)
  for (let digits = Math.abs(value) < smallestNormal ? 1 : 6; digits < 9; digits++) {
    const shorter = Number(value.toPrecision(digits))
    if (Math.fround(shorter) === value) return String(shorter)
  }
  return String(Number(value.toPrecision(9)))
}

export const base64 = (bytes: Buffer): string => `"${bytes.toString("base64")}"`

/** The integer that bytes stand for: two's complement, big-endian. */
export const twosComplement = (bytes: Buffer): bigint =>
  bytes.length === 0 ? 0n : BigInt.asIntN(bytes.length * 8, BigInt(`0x${bytes.toString("hex")}`))

/** The number of digits that a number of the warehouse holds. */
const maxDigits = 38

/** `unscaled` / 10^`scale`; a text where it has more digits than a number of the warehouse takes. */
export const decimal = (unscaled: bigint, scale: number): string => {
  const negative = unscaled < 0n
  const digits = String(negative ? -unscaled : unscaled)
  const padded = digits.padStart(scale + 1, "0")
  const text = scale === 0 ? padded : `${padded.slice(0, -scale)}.${padded.slice(-scale)}`
  const signed = negative ? `-${text}` : text
  return digits.length > maxDigits ? `"${signed}"` : signed
}

/** What a Date holds, in milliseconds. */
const lastMillis = 8.64e15
export const dayMillis = 86_400_000

/** `"2026-01-02T00:00:00.000Z"`; undefined where there is no such date. */
export const isoOf = (millis: number): string | undefined =>
  Math.abs(millis) <= lastMillis ? `"${new Date(millis).toISOString()}"` : undefined

/** `"03:04:05.678Z"`, of milliseconds since midnight; undefined where a day does not have so many. */
export const timeOf = (millis: number): string | undefined =>
  millis >= 0 && millis < dayMillis ? `"${new Date(millis).toISOString().slice(11)}"` : undefined
