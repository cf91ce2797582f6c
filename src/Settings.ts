/** Every setting of the service: its variable, type, default and meaning; read once, before anything connects, with all mistakes reported together. */
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import type * as Redacted from "effect/Redacted"
import type { Route } from "./domain/Route.ts"

export interface KafkaSettings {
  readonly brokers: ReadonlyArray<string>
  readonly ssl: { readonly ca?: string; readonly cert?: string; readonly key?: Redacted.Redacted } | undefined
  readonly sasl:
    | {
        readonly mechanism: "plain" | "scram-sha-256" | "scram-sha-512"
        readonly username: string
        readonly password: Redacted.Redacted
      }
    | undefined
  readonly group: string
  readonly autoOffsetReset: "earliest" | "latest"
}

export interface SnowflakeSettings {
  readonly account: string
  readonly user: string
  readonly database: string
  readonly schema: string
  readonly warehouse: string | undefined
  readonly role: string | undefined
  /** An address to connect to in place of the account's own. */
  readonly host: string | undefined
  readonly credentials:
    | { readonly _tag: "Password"; readonly password: Redacted.Redacted }
    | { readonly _tag: "KeyPair"; readonly path: string; readonly passphrase: Redacted.Redacted | undefined }
    | { readonly _tag: "OAuth"; readonly token: Redacted.Redacted }
    | { readonly _tag: "AccessToken"; readonly token: Redacted.Redacted }
}

export type SinkSettings =
  | ({ readonly _tag: "Snowflake" } & SnowflakeSettings)
  | { readonly _tag: "DuckDb"; readonly path: string }

export class Settings extends Context.Service<
  Settings,
  {
    readonly kafka: KafkaSettings
    readonly routes: ReadonlyArray<Route>
    readonly batch: { readonly size: number; readonly timeout: Duration.Duration }
    readonly write: { readonly maxRows: number; readonly maxBytes: number; readonly concurrency: number }
    readonly bufferMaxBytes: number
    readonly delivery: "exactly-once" | "at-least-once"
    readonly tombstones: "insert" | "skip"
    readonly dlqTopic: string | undefined
    readonly sink: SinkSettings
    readonly log: {
      readonly level: "Trace" | "Debug" | "Info" | "Warn" | "Error" | "Fatal"
      readonly format: "text" | "json"
      readonly file: string | undefined
    }
    readonly http: { readonly host: string; readonly port: number }
    readonly shutdownTimeout: Duration.Duration
  }
>()("bronze/Settings") {}
