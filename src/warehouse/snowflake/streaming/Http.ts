/** The one place that sends a request to the streaming API: whatever is answered is a value, the rest is `unavailable`. */
import { arch, platform } from "node:os"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import { version } from "../../../Version.ts"
import type { WarehouseError } from "../../WarehouseError.ts"
import { type Answer, unreachable } from "./Errors.ts"

export interface Request {
  readonly method: "GET" | "POST" | "PUT" | "DELETE"
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: Uint8Array
}

export interface Answered extends Answer {
  readonly headers: Readonly<Record<string, string | undefined>>
}

export type Send = (doing: string, request: Request) => Effect.Effect<Answered, WarehouseError>

/** An answer that takes longer is lost; the writer asks again. */
const patience = "60 seconds"

/** Without Accept the API refuses everything; the first is the form of name that Snowflake recommends. */
const always = {
  "user-agent": `BronzeConsumer/${version} (${platform()} ${arch()}) NODE/${process.versions.node}`,
  accept: "application/json"
}

export const make: Effect.Effect<Send, never, HttpClient.HttpClient> = Effect.map(
  HttpClient.HttpClient,
  (client): Send =>
    (doing, { body, headers, method, url }) => {
      const { "content-type": contentType = "application/json", ...others } = headers
      const request = HttpClientRequest.make(method)(url, { headers: { ...always, ...others } })
      return client
        .execute(body === undefined ? request : HttpClientRequest.bodyUint8Array(request, body, contentType))
        .pipe(
          Effect.flatMap((answer) =>
            Effect.map(answer.text, (text) => ({
              status: answer.status,
              text,
              isJson: answer.headers["content-type"]?.includes("json") === true,
              headers: answer.headers
            }))
          ),
          Effect.timeout(patience),
          Effect.mapError((cause) => unreachable(doing, cause))
        )
    }
)
