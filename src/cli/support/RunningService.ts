/** Asks a service that runs with the same settings for its figures, over HTTP; no service is an answer, too. */
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as Instants from "../../domain/Instants.ts"
import { hide } from "../../domain/Secrets.ts"
import { Position } from "../../http/WarehouseCalls.ts"
import { Settings } from "../../settings/Settings.ts"

const View = Schema.fromJsonString(
  Schema.Struct({
    at: Instants.FromText,
    startedAt: Instants.FromText,
    version: Schema.String,
    ready: Schema.Struct({ ok: Schema.Boolean, reasons: Schema.Array(Schema.String) }),
    group: Schema.String,
    writes: Schema.String,
    partitions: Schema.Array(
      Schema.Struct({
        ...{ topic: Schema.String, partition: Schema.Int, next: Schema.Int, stopped: Schema.Boolean },
        topicId: Schema.optionalKey(Schema.String)
      })
    ),
    deadLetters: Schema.Array(Schema.Struct({ ...Position.fields, at: Instants.FromText, cause: Schema.String })),
    rows: Schema.Array(Position)
  })
)

/** Of `GET /api/snapshot`, what the commands use. */
export interface RunningService extends Schema.Schema.Type<typeof View> {
  readonly url: string
}

const decode = Schema.decodeUnknownEffect(View)

/** Where a service with these settings listens, as somebody on this machine calls it. */
export const urlOf = ({ host, port }: Pick<Settings["Service"]["http"], "host" | "port">): string => {
  const name = host === "0.0.0.0" || host === "::" ? "127.0.0.1" : host
  return `http://${name.includes(":") ? `[${name}]` : name}:${port}`
}

/** The service that listens where these settings say, of any group; undefined when none answers. */
export const listening: Effect.Effect<RunningService | undefined, never, Settings> = Effect.gen(function* () {
  const { http } = yield* Settings
  if (http.port === 0) return undefined
  const url = urlOf(http)
  const headers: Record<string, string> =
    http.token === undefined ? {} : { authorization: `Bearer ${Redacted.value(http.token)}` }
  const text = yield* Effect.tryPromise(async (signal) =>
    (await fetch(`${url}/api/snapshot`, { headers, signal })).text()
  )
  const view = yield* decode(text)
  return { ...view, url }
}).pipe(
  Effect.timeout("2 seconds"),
  Effect.orElseSucceed(() => undefined)
)

/** The service of this group; undefined when nobody answers, or somebody else. */
export const ask: Effect.Effect<RunningService | undefined, never, Settings> = Effect.gen(function* () {
  const { kafka } = yield* Settings
  const service = yield* listening
  return service?.group === hide(kafka.group) ? service : undefined
})
