/** An account on the emulator for the streaming writer, and what the emulator has seen of it. */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { SinkSettings } from "../../../src/settings/Model.ts"
import { Settings } from "../../../src/settings/Settings.ts"
import * as Streaming from "../../../src/warehouse/snowflake/streaming/Streaming.ts"
import { Warehouse } from "../../../src/warehouse/Warehouse.ts"
import * as StreamingClient from "../emulator/StreamingClient.ts"
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

/** The switches of an emulator. */
export const control = (url: string) => {
  type Asked = Readonly<Record<string, unknown>>
  return {
    options: (options: Asked) => StreamingClient.control(url, "options", options),
    fault: (fault: Asked) => StreamingClient.control(url, "faults", fault),
    channel: (change: Asked) => StreamingClient.control(url, "streaming", change),
    seen: (database: string) =>
      Effect.map(StreamingClient.seenAll(url), (seen) => {
        const requests = seen.requests.filter(({ path }) => path.includes(`/${database}/`))
        return {
          channels: seen.channels.filter(({ database_name }) => database_name === database),
          requests,
          appends: requests.filter(({ path }) => path.endsWith("/rows"))
        }
      })
  }
}
