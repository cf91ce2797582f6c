// @ts-check
/** Asks the shop's API what became of an event, until that is known or a minute is over; it never throws. */

/** @typedef {import("../landed.ts").Landed} Landed */

const EVERY_MS = 500
const LIMIT_MS = 60_000

/**
 * @param {string} api @param {string} at
 * @returns {Promise<Landed>}
 */
const ask = async (api, at) => {
  try {
    const response = await fetch(`${api}/api/v1/landed?at=${encodeURIComponent(at)}`, {
      signal: AbortSignal.timeout(5000)
    })
    return response.ok ? await response.json() : { state: "unknown" }
  } catch {
    return { state: "unknown" }
  }
}

/** @param {Landed} landed @param {number} took in milliseconds */
const sentence = (landed, took) => {
  const after = `after ${(took / 1000).toFixed(1)} s`
  if (landed.state === "row") return `Row in ${landed.table} ${after}`
  if (landed.state === "dead letter") return `Dead letter in ${landed.table}: ${landed.cause}`
  return `Written ${after}`
}

/**
 * @param {string} api @param {import("./send.js").Answer} sent
 * @param {() => boolean} isWanted false once nobody looks at the answer any more
 * @returns {Promise<{ readonly text: string, readonly isRow: boolean } | null>}
 */
export const waitFor = async (api, { at, began }, isWanted) => {
  const end = performance.now() + LIMIT_MS
  while (isWanted() && performance.now() < end) {
    const landed = await ask(api, at)
    if (landed.state !== "unknown")
      return { text: sentence(landed, performance.now() - began), isRow: landed.state !== "dead letter" }
    await new Promise((resolve) => setTimeout(resolve, EVERY_MS))
  }
  return null
}
