/** An account on the emulator for the streaming writer, and what the emulator has seen of it. */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import type { SinkSettings } from "../../../src/settings/Model.ts"
import { Settings } from "../../../src/settings/Settings.ts"
import * as Streaming from "../../../src/warehouse/snowflake/streaming/Streaming.ts"
import { Warehouse } from "../../../src/warehouse/Warehouse.ts"
import { privateKeyFile } from "../privateKey.ts"
import { type Given, settings } from "./Subject.ts"

export type Account = Extract<SinkSettings, { readonly _tag: "Snowflake" }>

let databases = 0
const path = privateKeyFile()

/** In a database of its own. */
export const account = (host: string, given: Partial<Account> = {}): Account => ({
  _tag: "Snowflake",
  writer: "streaming",
  account: "my_org-my_account",
  user: "loader",
  database: `STREAMS${++databases}`,
  schema: "BRONZE",
  warehouse: "WH",
  role: "BRONZE_WRITER",
  host,
  credentials: { _tag: "KeyPair", path, passphrase: undefined },
  ...given
})

export interface StreamingGiven extends Given {
  /** How long what was accepted may take to become durable. */
  readonly patience?: Duration.Duration
}

export const warehouse = (sink: Account, given: StreamingGiven = {}) =>
  Streaming.layer.pipe(
    Layer.provide(
      Layer.succeed(Settings, { ...settings(sink, given), progressTimeout: given.patience ?? Duration.seconds(60) })
    )
  )

/** The same, where a write ends when it is durable, as everywhere else. */
export const patient = (sink: Account, given?: Given) =>
  Layer.effect(
    Warehouse,
    Effect.map(Warehouse, (inner) =>
      Warehouse.of({
        ...inner,
        write: (batch) => Effect.andThen(inner.write(batch), inner.durable?.(batch.ranges) ?? Effect.void)
      })
    )
  ).pipe(Layer.provide(warehouse(sink, given)))

const Seen = Schema.Struct({
  channels: Schema.Array(
    Schema.Struct({
      database_name: Schema.String,
      pipe_name: Schema.String,
      channel_name: Schema.String,
      last_committed_offset_token: Schema.NullOr(Schema.String)
    })
  ),
  requests: Schema.Array(
    Schema.Struct({
      method: Schema.String,
      path: Schema.String,
      requestId: Schema.NullOr(Schema.String),
      retryCount: Schema.NullOr(Schema.String),
      continuationToken: Schema.NullOr(Schema.String),
      startOffsetToken: Schema.NullOr(Schema.String),
      endOffsetToken: Schema.NullOr(Schema.String),
      sha256: Schema.String,
      bytes: Schema.Number,
      status: Schema.NullOr(Schema.Number)
    })
  )
})
const decodeSeen = Schema.decodeUnknownSync(Seen)

/** The switches of an emulator. */
export const control = (url: string) => {
  const post = (path: string, body: unknown) =>
    Effect.promise(async () => {
      const answer = await fetch(url + path, { method: "POST", body: JSON.stringify(body) })
      if (!answer.ok) throw new Error(await answer.text())
    })
  return {
    options: (options: Readonly<Record<string, unknown>>) => post("/emulator/options", options),
    fault: (fault: Readonly<Record<string, unknown>>) => post("/emulator/faults", fault),
    channel: (change: Readonly<Record<string, unknown>>) => post("/emulator/streaming", change),
    seen: (database: string) =>
      Effect.promise(async () => {
        const { channels, requests } = decodeSeen(await (await fetch(`${url}/emulator/streaming`)).json())
        return {
          channels: channels.filter(({ database_name }) => database_name === database),
          requests: requests.filter(({ path }) => path.includes(`/${database}/`)),
          appends: requests.filter(({ path }) => path.includes(`/${database}/`) && path.endsWith("/rows"))
        }
      })
  }
}
