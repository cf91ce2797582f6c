/** Asks the service for what is not in its snapshots, and tells it to do something; a refusal is an error that says why. */

/** @param {Response} response */
const answer = async (response) => {
  /** @type {unknown} */
  const body = await response.json().catch(() => null)
  if (response.ok && body !== null) return body
  const reason = body !== null && typeof body === "object" && "error" in body ? String(body.error) : ""
  throw new Error(reason === "" ? `the service answered with status ${response.status}` : reason)
}

/** Leaves out what is empty. @param {string} path @param {Readonly<Record<string, string>>} [query] */
export const get = async (path, query = {}) => {
  const given = Object.entries(query).filter(([, value]) => value !== "")
  const search = new URLSearchParams(given).toString()
  return answer(await fetch(search === "" ? path : `${path}?${search}`))
}

/** @param {string} path @param {Readonly<Record<string, unknown>>} body */
export const post = async (path, body) =>
  answer(
    await fetch(path, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body)
    })
  )

const STARTING_MS = 20_000

/**
 * Whether the warehouse can be expected to answer: a service that has just been started may not have looked at it yet.
 * @param {Snapshot} snapshot
 */
export const isAskable = ({ at, ready, startedAt }) => ready.ok || at - startedAt > STARTING_MS

/** @param {unknown} error */
export const messageOf = (error) => (error instanceof Error ? error.message : String(error))
