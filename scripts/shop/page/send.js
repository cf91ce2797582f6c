// @ts-check
/** Sends one event to the shop's API and says in words what came back; it never throws. */

/**
 * `at` is where the event is in Kafka, empty when that is not known; `began` is when it was sent, by performance.now().
 * @typedef {{ readonly ok: boolean, readonly text: string, readonly id: string, readonly at: string,
 *   readonly began: number }} Answer
 */

/** Longer than the API itself waits for Kafka. */
const LIMIT_MS = 20_000

/**
 * @param {string} url
 * @param {object} event
 * @returns {Promise<Answer>}
 */
export const send = async (url, event) => {
  const began = performance.now()
  try {
    const response = await fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(event),
      signal: AbortSignal.timeout(LIMIT_MS)
    })
    const isJson = /json/.test(response.headers.get("content-type") ?? "")
    const body = isJson ? await response.json() : {}
    const took = Math.round(performance.now() - began)
    const at = response.headers.get("kafka-record") ?? ""
    if (response.status === 201)
      return { ok: true, text: `In Kafka after ${took} ms`, id: body.order_id ?? body.click_id ?? at, at, began }
    return { ok: false, text: `${response.status}: ${body.detail}`, id: "", at: "", began }
  } catch (error) {
    const late = error instanceof DOMException && error.name === "TimeoutError"
    const text = late
      ? `No answer within ${LIMIT_MS / 1000} s`
      : `No answer from ${new URL(url).origin}. Is the shop running?`
    return { ok: false, text, id: "", at: "", began }
  }
}
