/** Where the lines of a grid stand: round numbers, and round times of day where the reader is. */

/** So many steps of time are round, in seconds. */
const steps = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400]

/** From 0 to `top`, about `count` of them. @param {number} top @param {number} count */
export const ticksTo = (top, count) => {
  const rough = top / Math.max(1, count)
  const power = 10 ** Math.floor(Math.log10(rough))
  const step = ([1, 2, 5].find((factor) => factor * power >= rough) ?? 10) * power
  // A sum of steps would drift: 0.1 + 0.2.
  return Array.from({ length: Math.floor(top / step + 1e-9) + 1 }, (_, index) => index * step)
}

/** Between two times in seconds, at most `count`. @param {number} from @param {number} to @param {number} count */
export const timesBetween = (from, to, count) => {
  const rough = (to - from) / Math.max(1, count)
  const step = steps.find((one) => one >= rough) ?? 86_400
  const zone = new Date(to * 1000).getTimezoneOffset() * 60
  const first = Math.ceil((from - zone) / step) * step + zone
  const times = Array.from(
    { length: Math.max(0, Math.floor((to - first) / step) + 1) },
    (_, index) => first + index * step
  )
  return { step, times }
}
