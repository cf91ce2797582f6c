/** What `doctor` checks of the schema registry: that it is there, and lets us in. */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { Settings } from "../../settings/Settings.ts"
import { bad, type Finding, good } from "./Finding.ts"

/** Nothing where none is set. */
export const registry: Effect.Effect<ReadonlyArray<Finding>, never, Settings> = Effect.gen(function* () {
  const settings = (yield* Settings).registry
  if (settings === undefined) return []
  const RegistryClient = yield* Effect.promise(() => import("../../schema/RegistryClient.ts"))
  const answer = yield* RegistryClient.make(settings).pipe(
    Effect.flatMap(({ ping }) => Effect.result(ping)),
    Effect.provide(RegistryClient.http(settings))
  )
  return [
    Result.isSuccess(answer)
      ? good("schema registry", settings.url)
      : bad("schema registry", answer.failure.message, "Set SCHEMA_REGISTRY_URL, and the login that it needs")
  ]
})
