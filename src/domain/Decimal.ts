/** Decimal numbers by their digits, never through a float: `1e3`, `+5` and `12.50` are exact. */

/** `digits` times ten to the power of `exponent`. */
export interface Decimal {
  readonly negative: boolean
  /** Without leading zeros; empty for zero. */
  readonly digits: string
  readonly exponent: number
}

/** Longer texts are no numbers that a column could hold. */
const longest = 1000
const shape = /^([+-]?)(\d*)(?:\.(\d*))?(?:e([+-]?\d{1,6}))?$/i

/** Undefined when the text, trimmed, is no decimal number. */
export const parse = (text: string): Decimal | undefined => {
  const trimmed = text.trim()
  const match = trimmed.length > longest ? null : shape.exec(trimmed)
  if (match === null) return undefined
  const [, sign, whole = "", fraction = "", exponent = "0"] = match
  if (whole === "" && fraction === "") return undefined
  return {
    negative: sign === "-",
    digits: `${whole}${fraction}`.replace(/^0+/, ""),
    exponent: Number(exponent) - fraction.length
  }
}

/** How many digits are before the point; zero and less for numbers below one. */
export const wholeDigits = ({ digits, exponent }: Decimal): number => (digits === "" ? 0 : digits.length + exponent)

/** The digits before the point once it has been moved `places` to the right, and those after it. */
const split = ({ digits, exponent }: Decimal, places: number): readonly [whole: string, rest: string] => {
  const point = digits.length + exponent + places
  if (point <= 0) return ["0", digits === "" ? "" : `${"0".repeat(Math.min(-point, longest))}${digits}`]
  return [digits.slice(0, point).padEnd(point, "0"), digits.slice(point)]
}

const signed = (negative: boolean, value: bigint): bigint => (negative ? -value : value)

/** The nearest integer, halves away from zero, as Snowflake rounds; undefined beyond 38 digits. */
export const rounded = (decimal: Decimal): bigint | undefined => {
  if (wholeDigits(decimal) > 38) return undefined
  const [whole, rest] = split(decimal, 0)
  const value = BigInt(whole === "" ? "0" : whole) + (rest.charAt(0) >= "5" ? 1n : 0n)
  return value < 10n ** 38n ? signed(decimal.negative, value) : undefined
}

/**
 * The integer at or below the number times ten to the power of `places`; for numbers of few digits before the point.
 */
export const floored = (decimal: Decimal, places: number): bigint => {
  const [whole, rest] = split(decimal, places)
  const value = signed(decimal.negative, BigInt(whole === "" ? "0" : whole))
  return decimal.negative && /[1-9]/.test(rest) ? value - 1n : value
}
