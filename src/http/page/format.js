/** How the page says numbers, durations, sizes and times: grouped thinly, with their unit, in local time. */

const NO_BREAK = "\u00a0"
const THIN = "\u202f"

/** @param {Quantity} quantity */
export const say = ([value, unit]) => (unit === "" ? value : `${value}${NO_BREAK}${unit}`)

/** @param {number} digits */
const withDigits = (digits) => {
  const format = new Intl.NumberFormat("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits })
  return (/** @type {number} */ value) => format.format(value).replaceAll(",", THIN)
}
const whole = withDigits(0)
const tenths = withDigits(1)
const hundredths = withDigits(2)

/** Three digits that count: 0.42, 7.31, 12.5, 340. @param {number} value */
const short = (value) => (value < 10 ? hundredths(value) : value < 100 ? tenths(value) : whole(value))

/** @param {number} value */
export const count = (value) => whole(value)

/** @param {number} number @param {string} one @param {string} [many] */
export const plural = (number, one, many = `${one}s`) => `${whole(number)}${NO_BREAK}${number === 1 ? one : many}`

/** @param {number} value @returns {Quantity} */
export const perSecond = (value) => [value === 0 ? "0" : value < 100 ? tenths(value) : whole(value), "/s"]

/** @param {number} seconds @returns {Quantity} */
export const duration = (seconds) => {
  if (seconds < 0.001) return [seconds <= 0 ? "0" : "< 1", "ms"]
  if (seconds < 0.9995) return [seconds < 0.0995 ? tenths(seconds * 1000) : whole(seconds * 1000), "ms"]
  if (seconds < 59.95) return [short(seconds), "s"]
  return [span(seconds), ""]
}

/** In the two largest units: 1 min 05 s, 2 h 14 min, 3 d 4 h. @param {number} seconds */
export const span = (seconds) => {
  const total = Math.max(0, Math.round(seconds))
  if (total < 60) return `${total}${NO_BREAK}s`
  const minutes = Math.floor(total / 60)
  if (minutes < 60) return join(minutes, "min", total % 60, "s")
  const hours = Math.floor(minutes / 60)
  return hours < 24 ? join(hours, "h", minutes % 60, "min") : join(Math.floor(hours / 24), "d", hours % 24, "h")
}

/** @param {number} large @param {string} unit @param {number} small @param {string} smallUnit */
const join = (large, unit, small, smallUnit) =>
  `${large}${NO_BREAK}${unit}${small === 0 ? "" : ` ${small}${NO_BREAK}${smallUnit}`}`

/** @param {number} value @returns {Quantity} */
export const bytes = (value) => {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"]
  const power = Math.min(units.length - 1, value < 1 ? 0 : Math.floor(Math.log2(value) / 10))
  const scaled = value / 1024 ** power
  return [power === 0 || Number.isInteger(scaled) ? whole(scaled) : short(scaled), units[power] ?? ""]
}

/** @param {number} share */
export const percent = (share) => `${share > 0 && share < 0.1 ? tenths(share * 100) : whole(share * 100)}${NO_BREAK}%`

/** For the scale of a chart: 1.5k, 20M. @param {number} value */
export const compact = (value) =>
  value < 1000 ? String(Number(value.toPrecision(6))) : compactNumber.format(value).toLowerCase().replace("m", "M")

const compactNumber = new Intl.NumberFormat("en-US", { notation: "compact", maximumFractionDigits: 1 })
const clockTime = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" })
const hourMinute = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" })
const dayMonth = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short" })
const complete = new Intl.DateTimeFormat("en-GB", { dateStyle: "full", timeStyle: "long" })

/** With the day when it is not today. @param {number} at */
export const time = (at) => {
  const isToday = new Date(at).toDateString() === new Date().toDateString()
  return isToday ? clockTime.format(at) : `${dayMonth.format(at)} ${clockTime.format(at)}`
}

/** The time of day, and all of it on a closer look. @param {Element | null | undefined} cell @param {number} at */
export const setTime = (cell, at) => {
  if (!(cell instanceof HTMLElement)) return
  const text = time(at)
  if (cell.textContent !== text) cell.textContent = text
  cell.title = fullTime(at)
}

/** @param {number} at */
export const timeOfTick = (at) => hourMinute.format(at)

/** @param {number} at */
export const fullTime = (at) => complete.format(at)

export const zone = () => new Intl.DateTimeFormat().resolvedOptions().timeZone
