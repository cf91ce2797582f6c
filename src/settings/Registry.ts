/** The settings of the schema registry, and the format of each topic, which may need one. */
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Format from "../domain/Format.ts"
import type { Route } from "../domain/Route.ts"
import type { Routing } from "../domain/RouteText.ts"
import * as Template from "../domain/Template.ts"
import { checkCertificates } from "./Keys.ts"
import type { RegistrySettings } from "./Model.ts"
import type { Reader } from "./Reader.ts"
import { variables } from "./Variables.ts"

const { registryCa, registryCert, registryKey, registryPassword, registryToken, registryUrl, registryUsername } =
  variables

/** Undefined where no registry is set; what was given beside it is then read for its form alone. */
export const registry = Effect.fnUntraced(function* (reader: Reader): Effect.fn.Return<RegistrySettings | undefined> {
  const url = yield* reader.get(registryUrl)
  const username = yield* reader.get(registryUsername)
  const password = yield* reader.get(registryPassword)
  const token = yield* reader.get(registryToken)
  const ca = yield* reader.pem(registryCa)
  const cert = yield* reader.pem(registryCert)
  const key = yield* reader.secretPem(registryKey)
  if (url === undefined) return undefined
  if (username !== undefined && password === undefined)
    reader.require(registryPassword, `with ${registryUsername.name}`)
  if (password !== undefined && username === undefined)
    reader.require(registryUsername, `with ${registryPassword.name}`)
  if (token !== undefined && username !== undefined)
    reader.note(registryToken, `expected either a token or ${registryUsername.name}, got both`)
  if (cert !== undefined && key === undefined) reader.require(registryKey, `with ${registryCert.name}`)
  if (key !== undefined && cert === undefined) reader.require(registryCert, `with ${registryKey.name}`)
  if (ca !== undefined) checkCertificates(reader, registryCa, ca)
  if (cert !== undefined) checkCertificates(reader, registryCert, cert)
  return {
    url,
    authorization: authorizationOf(username, password, token),
    tls: {
      ...(ca === undefined ? {} : { ca }),
      ...(cert === undefined ? {} : { cert }),
      ...(key === undefined ? {} : { key })
    }
  }
})

const authorizationOf = (
  username: string | undefined,
  password: Redacted.Redacted | undefined,
  token: Redacted.Redacted | undefined
): Redacted.Redacted | undefined => {
  if (token !== undefined) return Redacted.make(`Bearer ${Redacted.value(token)}`)
  if (username === undefined || password === undefined) return undefined
  return Redacted.make(`Basic ${Buffer.from(`${username}:${Redacted.value(password)}`).toString("base64")}`)
}

/** With a registry, every raw table has a column for the schema of a row. */
export const withSchemaIds = (routes: ReadonlyArray<Route>, hasRegistry: boolean): ReadonlyArray<Route> =>
  hasRegistry ? routes.map((route) => ({ ...route, table: { ...route.table, hasSchemaIds: true } })) : routes

/** The format of every routed topic, of every template, and of topics of a template that are named. */
export const formats = Effect.fnUntraced(function* (
  reader: Reader,
  { routes, templates }: Routing,
  hasRegistry: boolean
): Effect.fn.Return<ReadonlyMap<string, Format.Format>> {
  const given = yield* reader.get(variables.formats)
  const known = [...routes, ...templates].map(({ topic }) => topic)
  const others = [...given.keys()].filter((topic) => !known.includes(topic))
  const ofTemplates = Template.expand(templates, others, routes).routes
  const strange = others.find((topic) => !ofTemplates.some((route) => route.topic === topic))
  if (strange !== undefined)
    reader.note(variables.formats, `expected topics of ${variables.routes.name}, got "${strange}"`)
  const byDefault = hasRegistry ? Format.withRegistry : Format.withoutRegistry
  const entries = [...known, ...others].map((topic): readonly [string, Format.Format] => {
    const format = { ...byDefault, ...given.get(topic) }
    if (!hasRegistry && Format.needsRegistry(format))
      reader.require(registryUrl, `because of the format of ${topic} in ${variables.formats.name}`)
    return [topic, format]
  })
  return new Map(entries)
})
