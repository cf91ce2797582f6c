/** What the settings of the two sides are, once they have been read and checked. */
import type * as Duration from "effect/Duration"
import type * as Redacted from "effect/Redacted"

export interface KafkaSettings {
  readonly brokers: ReadonlyArray<string>
  readonly ssl: { readonly ca?: string; readonly cert?: string; readonly key?: Redacted.Redacted } | undefined
  readonly sasl: Login | undefined
  readonly group: string
  readonly sessionTimeout: Duration.Duration
  readonly autoOffsetReset: "earliest" | "latest"
  readonly ledgerMissing: "stop" | "committed" | "earliest"
  readonly offsetsLost: "stop" | "continue"
}

export interface RegistrySettings {
  /** Without a slash at its end. */
  readonly url: string
  /** The value of the header. */
  readonly authorization: Redacted.Redacted | undefined
  readonly tls: { readonly ca?: string; readonly cert?: string; readonly key?: Redacted.Redacted }
}

/** How to log in to the brokers; the last two send a token. */
export type Login =
  | {
      readonly _tag: "Password"
      readonly mechanism: "plain" | "scram-sha-256" | "scram-sha-512"
      readonly username: string
      readonly password: Redacted.Redacted
    }
  | ({ readonly _tag: "OAuth" } & OAuthLogin)
  | { readonly _tag: "AwsIam"; readonly region: string }

export interface OAuthLogin {
  readonly tokenUrl: string
  readonly clientId: string
  readonly clientSecret: Redacted.Redacted
  readonly scope: string | undefined
  readonly extensions: Readonly<Record<string, string>>
}

/** The login as it is shown: by whom, and how. */
export const loginName = (login: Login): string => {
  switch (login._tag) {
    case "Password":
      return `${login.username} (${login.mechanism})`
    case "OAuth":
      return `client ${login.clientId} (oauthbearer)`
    case "AwsIam":
      return `the AWS identity of this process (aws-msk-iam, ${login.region})`
  }
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

/** INSERTs over the driver, or rows over the streaming API. */
export type SnowflakeWriter = "sql" | "streaming"

export type SinkSettings =
  | ({ readonly _tag: "Snowflake"; readonly writer: SnowflakeWriter } & SnowflakeSettings)
  | { readonly _tag: "DuckDb"; readonly path: string }
