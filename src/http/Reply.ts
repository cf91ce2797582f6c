/** Answers of the API as JSON: what was asked for, or a sentence that says why not. */
import * as ByteSize from "effect/ByteSize"
import * as Effect from "effect/Effect"
import * as HttpIncomingMessage from "effect/http/HttpIncomingMessage"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Schema from "effect/Schema"
import { hide } from "../domain/Secrets.ts"
import { WarehouseError } from "../warehouse/WarehouseError.ts"
import type { Failure } from "./WarehouseCalls.ts"

/** There is nothing at the place that was asked for. */
export class NotFound extends Schema.TaggedError<NotFound>()("NotFound", { message: Schema.String }) {}

/** The largest event that is replayed, in base64, and what stands around it. */
const maxBody = ByteSize.mebibytes(32)

const json = (body: unknown, status = 200) =>
  HttpServerResponse.text(JSON.stringify(body), { status, contentType: "application/json" })

const statusOf = (error: unknown): number => {
  if (error instanceof WarehouseError) return error.reason === "unavailable" ? 503 : 422
  return error instanceof NotFound ? 404 : 400
}

const failed = (error: unknown) => {
  const isFault = error instanceof WarehouseError
  const body: Failure = {
    error: hide(error instanceof Error ? error.message : String(error)),
    ...(isFault && { reason: error.reason }),
    ...(isFault && error.code !== undefined && { code: error.code })
  }
  return json(body, statusOf(error))
}

/** Whatever fails says why. */
const told = <B, R>(found: Effect.Effect<B, unknown, R>) =>
  found.pipe(
    Effect.map((body) => json(body)),
    Effect.catch((error) => Effect.succeed(failed(error)))
  )

/** The answer to a POST whose body is JSON of this shape. */
export const toBody = <A, B, I, R>(asks: Schema.Codec<A, I>, run: (asked: A) => Effect.Effect<B, unknown, R>) =>
  told(Effect.flatMap(HttpServerRequest.schemaBodyJson(asks), run)).pipe(
    Effect.provideService(HttpIncomingMessage.MaxBodySize, maxBody)
  )

/** The answer to a GET whose parameters are of this shape. */
export const toParameters = <A, B, I extends Readonly<Record<string, string | undefined>>, R>(
  asks: Schema.Codec<A, I>,
  run: (asked: A) => Effect.Effect<B, unknown, R>
) => told(Effect.flatMap(HttpServerRequest.schemaSearchParams(asks), run))
