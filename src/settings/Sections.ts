/**
 * Puts the settings of Kafka and of the sink together; what they need of each other is checked here, each problem noted
 * by variable.
 */
import { dirname } from "node:path"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { quote } from "../domain/Secrets.ts"
import { checkCertificates, checkClientKey, checkSnowflakeKey } from "./Keys.ts"
import { login } from "./Login.ts"
import type { KafkaSettings, SinkSettings, SnowflakeSettings } from "./Model.ts"
import type { Reader } from "./Reader.ts"
import { variables } from "./Variables.ts"

export const kafka = Effect.fnUntraced(function* (reader: Reader) {
  const protocol = yield* reader.get(variables.protocol)
  return {
    brokers: yield* reader.get(variables.brokers),
    ssl: yield* ssl(reader, protocol.ssl),
    sasl: yield* login(reader, protocol.sasl),
    group: yield* reader.get(variables.group),
    sessionTimeout: yield* reader.get(variables.sessionTimeout),
    autoOffsetReset: yield* reader.get(variables.autoOffsetReset),
    ledgerMissing: yield* reader.get(variables.ledgerMissing),
    offsetsLost: yield* reader.get(variables.offsetsLost)
  } satisfies KafkaSettings
})

const ssl = Effect.fnUntraced(function* (reader: Reader, wanted: boolean) {
  if (!wanted) return undefined
  const ca = yield* reader.pem(variables.sslCa)
  const cert = yield* reader.pem(variables.sslCert)
  const key = yield* reader.secretPem(variables.sslKey)
  const hasCert = (yield* reader.get(variables.sslCert)) !== undefined
  const hasKey = (yield* reader.get(variables.sslKey)) !== undefined
  if (hasCert && !hasKey) reader.require(variables.sslKey, `with ${variables.sslCert.name}`)
  if (hasKey && !hasCert) reader.require(variables.sslCert, `with ${variables.sslKey.name}`)
  if (ca !== undefined) checkCertificates(reader, variables.sslCa, ca)
  if (cert !== undefined) checkCertificates(reader, variables.sslCert, cert)
  if (key !== undefined) checkClientKey(reader, Redacted.value(key), cert)
  return {
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key })
  }
})

/**
 * The sink; undefined only when there is a problem. Variables of the sink that is not used are read for their form
 * alone.
 */
export const sink = Effect.fnUntraced(function* (reader: Reader): Effect.fn.Return<SinkSettings | undefined> {
  const snowflakeRead = yield* readSnowflake(reader)
  const path = yield* reader.get(variables.duckdbPath)
  const kind = yield* reader.get(variables.sink)
  // What another sink needs says nothing to somebody who meant neither.
  if (reader.isFaulty(variables.sink)) return undefined
  if (kind === "Snowflake") return yield* snowflake(reader, snowflakeRead)
  const folder = dirname(path)
  const exists = yield* Effect.orElseSucceed(reader.fileSystem.exists(folder), () => false)
  if (!exists) reader.note(variables.duckdbPath, `expected a file in a folder that exists, got ${quote(path)}`)
  return { _tag: "DuckDb", path }
})

type SnowflakeRead = Effect.Success<ReturnType<typeof readSnowflake>>

const readSnowflake = Effect.fnUntraced(function* (reader: Reader) {
  return {
    writer: yield* reader.get(variables.writer),
    account: yield* reader.get(variables.account),
    host: yield* reader.get(variables.host),
    user: yield* reader.get(variables.user),
    database: yield* reader.get(variables.database),
    schema: yield* reader.get(variables.schema),
    warehouse: yield* reader.get(variables.warehouse),
    role: yield* reader.get(variables.role),
    authenticator: yield* reader.get(variables.authenticator),
    path: yield* reader.get(variables.privateKeyPath),
    passphrase: yield* reader.get(variables.passphrase),
    token: yield* reader.get(variables.token),
    password: yield* reader.get(variables.password)
  }
})

const snowflake = Effect.fnUntraced(function* (reader: Reader, read: SnowflakeRead) {
  const why = `with ${variables.sink.name}=snowflake`
  const account = read.account ?? accountOf(read.host)
  if (account === undefined) reader.require(variables.account, `${why} (or ${variables.host.name})`)
  if (read.user === undefined) reader.require(variables.user, why)
  if (read.database === undefined) reader.require(variables.database, why)
  const found = yield* credentials(reader, read)
  if (account === undefined || read.user === undefined || read.database === undefined || found === undefined)
    return undefined
  const { database, host, role, schema, user, warehouse, writer } = {
    ...read,
    user: read.user,
    database: read.database
  }
  if (writer === "streaming") checkStreaming(reader, found)
  return {
    _tag: "Snowflake" as const,
    writer,
    account,
    user,
    database,
    schema,
    warehouse,
    role,
    host,
    credentials: found
  }
})

/** The streaming API knows neither passwords nor OAuth tokens of others. */
const checkStreaming = (reader: Reader, { _tag }: SnowflakeSettings["credentials"]): void => {
  if (_tag === "KeyPair" || _tag === "AccessToken") return
  reader.note(
    variables.writer,
    `streaming takes a key pair (${variables.privateKeyPath.name}) or a programmatic access token (${variables.token.name}); Snowflake's streaming API does not accept ${_tag === "Password" ? "a password" : "an OAuth token"}`
  )
}

/**
 * `myorg-me.privatelink.snowflakecomputing.com` → `myorg-me`; any other address needs no account, but the driver wants
 * a word.
 */
const accountOf = (host: string | undefined): string | undefined =>
  host === undefined
    ? undefined
    : (/^([A-Za-z][A-Za-z0-9_-]*)\./.exec(host.replace(/^https?:\/\//, ""))?.[1] ?? "local")

const credentials = Effect.fnUntraced(function* (
  reader: Reader,
  { authenticator, passphrase, password, path, token }: SnowflakeRead
): Effect.fn.Return<SnowflakeSettings["credentials"] | undefined> {
  const inferred = path ? "KeyPair" : token ? "AccessToken" : password ? "Password" : undefined
  const way = authenticator ?? inferred
  const why = `with ${variables.authenticator.name}=`
  switch (way) {
    case undefined:
      // What was given and cannot be used is reported already.
      if ([variables.privateKeyPath, variables.token].some(reader.isFaulty)) return undefined
      return reader.require(
        variables.password,
        `to log in (or ${variables.privateKeyPath.name}, or ${variables.token.name})`
      )
    case "KeyPair": {
      if (path === undefined) return reader.require(variables.privateKeyPath, `${why}snowflake_jwt`)
      const pem = yield* reader.file(variables.privateKeyPath, path)
      if (pem !== undefined) checkSnowflakeKey(reader, path, pem, passphrase)
      return { _tag: way, path, passphrase }
    }
    case "Password":
      return password === undefined ? reader.require(variables.password, `${why}snowflake`) : { _tag: way, password }
    case "OAuth":
    case "AccessToken": {
      const word = way === "OAuth" ? "oauth" : "programmatic_access_token"
      return token === undefined ? reader.require(variables.token, `${why}${word}`) : { _tag: way, token }
    }
  }
})
