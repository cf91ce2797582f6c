/**
 * The headers of every answer: nothing from elsewhere, nowhere else to, never inside another page, and kept by nobody,
 * because any answer may show data.
 */
import * as HttpServerResponse from "effect/http/HttpServerResponse"

export const set = HttpServerResponse.setHeaders({
  "content-security-policy":
    "default-src 'self'; style-src 'self' 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cache-control": "no-store"
})
