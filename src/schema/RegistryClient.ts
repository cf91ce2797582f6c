/** Asks the registry for a schema and for what it imports, once; every answer that is none is an error with a reason. */
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import type * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { hide } from "../domain/Secrets.ts"
import type { RegistrySettings } from "../settings/Model.ts"
import type { SchemaId } from "./Framing.ts"
import { RegistryError } from "./RegistryError.ts"

const Reference = Schema.Struct({ name: Schema.String, subject: Schema.String, version: Schema.Int })
type Reference = typeof Reference.Type

/** What the registry answers; it leaves out the type where that is Avro. */
const Answer = Schema.fromJsonString(
  Schema.Struct({
    schema: Schema.String,
    schemaType: Schema.optional(Schema.NullOr(Schema.String)),
    references: Schema.optional(Schema.NullOr(Schema.Array(Reference)))
  })
)
const decodeAnswer = Schema.decodeUnknownResult(Answer)
const decodeRefusal = Schema.decodeUnknownResult(
  Schema.fromJsonString(Schema.Struct({ error_code: Schema.Int, message: Schema.optional(Schema.String) }))
)

/** A schema as text, with those that it refers to: each after the ones that it needs itself. */
export interface Registered {
  readonly type: string
  readonly schema: string
  readonly references: ReadonlyArray<string>
}

export interface RegistryClient {
  readonly ask: (id: SchemaId) => Effect.Effect<Registered, RegistryError>
  /** Whether there is a registry that lets us in. */
  readonly ping: Effect.Effect<void, RegistryError>
}

/** An answer that takes longer is lost. */
const patience = "30 seconds"
/** So many are asked for at once. */
const concurrency = 4
/** More than any schema refers to. */
const maxReferences = 1000

export const make = ({
  authorization,
  url
}: RegistrySettings): Effect.Effect<RegistryClient, never, HttpClient.HttpClient> =>
  Effect.map(HttpClient.HttpClient, (client) => {
    const headers = {
      accept: "application/vnd.schemaregistry.v1+json, application/json",
      ...(authorization && { authorization: Redacted.value(authorization) })
    }
    const fetch = (path: string) =>
      client.execute(HttpClientRequest.get(`${url}${path}`, { headers })).pipe(
        Effect.flatMap((answer) => Effect.map(answer.text, (text) => ({ status: answer.status, text }))),
        Effect.timeout(patience),
        Effect.mapError((cause) => unreachable(url, cause))
      )
    const get = (path: string, what: string) =>
      Effect.flatMap(fetch(path), ({ status, text }) => Effect.fromResult(read(url, what, status, text)))

    /** What a schema refers to, each once; a reference that leads back is not followed. */
    const referencesOf = (
      references: ReadonlyArray<Reference>,
      seen: Set<string>
    ): Effect.Effect<ReadonlyArray<string>, RegistryError> =>
      Effect.forEach(references, ({ subject, version }) => {
        const path = `/subjects/${encodeURIComponent(subject)}/versions/${version}`
        if (seen.has(path)) return Effect.succeed([])
        seen.add(path)
        if (seen.size > maxReferences)
          return new RegistryError({ reason: "unreadable", message: `it refers to more than ${maxReferences} schemas` })
        return get(path, `version ${version} of ${subject}, which a schema refers to`).pipe(
          Effect.flatMap((answer) =>
            Effect.map(referencesOf(answer.references, seen), (inner) => [...inner, answer.schema])
          )
        )
      }).pipe(Effect.map((lists) => lists.flat()))

    return {
      ask: (id) => {
        const path = typeof id === "number" ? `/schemas/ids/${id}` : `/schemas/guids/${id}`
        return get(path, `schema ${id}`).pipe(
          Effect.flatMap(({ references, schema, type }) =>
            Effect.map(referencesOf(references, new Set()), (texts) => ({ type, schema, references: texts }))
          )
        )
      },
      ping: Effect.flatMap(fetch("/schemas/types"), ({ status, text }) =>
        status === 200 ? Effect.void : Effect.asVoid(Effect.fromResult(read(url, "list of types", status, text)))
      )
    }
  })

/** The client of the registry's own certificates. */
export const http = ({ tls: { ca, cert, key } }: RegistrySettings): Layer.Layer<HttpClient.HttpClient> =>
  NodeHttpClient.layerNodeHttpOptions({
    keepAlive: true,
    maxSockets: concurrency,
    ...(ca && { ca }),
    ...(cert && { cert }),
    ...(key && { key: Redacted.value(key) })
  })

/** TLS that does not come about has to be fixed; it is said with the reason that Node gives. */
const unreachable = (url: string, cause: unknown): RegistryError => {
  const chain = chainOf(cause)
  const said = chain.map(({ code, message }) => (message === "" ? code : message)).filter((text) => text !== "")
  const isTls = chain.some(({ code }) => /CERT|SELF_SIGNED|ERR_TLS|ERR_SSL|UNABLE_TO_|EPROTO/.test(code))
  return new RegistryError({
    reason: isTls ? "denied" : "unavailable",
    message: hide(`${url} does not answer: ${said.at(-1) ?? "unknown"}`),
    cause
  })
}

const chainOf = (error: unknown): ReadonlyArray<{ readonly code: string; readonly message: string }> => {
  if (!(error instanceof Error)) return []
  const code: unknown = Reflect.get(error, "code")
  const inner: unknown = error.cause ?? Reflect.get(error, "reason")
  return [{ code: typeof code === "string" ? code : "", message: error.message }, ...chainOf(inner)]
}

interface Answered {
  readonly type: string
  readonly schema: string
  readonly references: ReadonlyArray<Reference>
}

const read = (url: string, what: string, status: number, text: string): Result.Result<Answered, RegistryError> => {
  if (status === 200) {
    const answer = decodeAnswer(text)
    if (Result.isSuccess(answer)) {
      const { references, schema, schemaType } = answer.success
      return Result.succeed({ type: schemaType ?? "AVRO", schema, references: references ?? [] })
    }
    return Result.fail(strange(url, "its answer is not that of a schema registry"))
  }
  if (status === 401 || status === 403)
    return Result.fail(
      new RegistryError({
        reason: "denied",
        message: `${url} answers ${status}: check SCHEMA_REGISTRY_USERNAME and SCHEMA_REGISTRY_PASSWORD, or SCHEMA_REGISTRY_TOKEN, and their rights`
      })
    )
  const refusal = decodeRefusal(text)
  const code = Result.isSuccess(refusal) ? refusal.success.error_code : undefined
  // Without a code of its own it is some other server's 404: the address is wrong.
  if (status === 404 && code !== undefined && String(code).startsWith("404"))
    return Result.fail(new RegistryError({ reason: "unknown", message: `the registry has no ${what} (${code})` }))
  const said = Result.isSuccess(refusal) ? (refusal.success.message ?? "") : ""
  if (status === 429 || status >= 500)
    return Result.fail(
      new RegistryError({ reason: "unavailable", message: hide(`${url} answers ${status} ${said}`.trim()) })
    )
  return Result.fail(strange(url, hide(`it answers ${status} ${said}`.trim())))
}

const strange = (url: string, what: string): RegistryError =>
  new RegistryError({ reason: "unavailable", isUnknown: true, message: `${url}: ${what}; check SCHEMA_REGISTRY_URL` })
