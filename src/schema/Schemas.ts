/**
 * Finds what decodes the records of a schema id. A schema never changes, so that each is asked for once, however many
 * partitions wait for it; a registry that does not answer is asked again until it does.
 */
import * as Cache from "effect/Cache"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import { Progress } from "../observe/Progress.ts"
import * as Retry from "../Retry.ts"
import { Settings } from "../settings/Settings.ts"
import * as BodyDecoder from "./BodyDecoder.ts"
import type { SchemaId } from "./Framing.ts"
import { RegistryError } from "./RegistryError.ts"

type Find = (id: SchemaId) => Effect.Effect<BodyDecoder.BodyDecoder, RegistryError>

export class Schemas extends Context.Service<
  Schemas,
  {
    /** While the service runs, this fails only where the registry has no such schema, or none that can be used. */
    readonly find: Find
  }
>()("bronze/schema/Schemas") {}

/** More schemas than one process meets. */
const capacity = 10_000

/** A schema that is not there may be registered later; a producer that makes up ids must not have us ask for each. */
const recall = Duration.minutes(1)

const cached = (find: Find): Effect.Effect<Schemas["Service"]> =>
  Effect.map(
    Cache.makeWith(find, {
      capacity,
      timeToLive: (exit) => (Exit.isSuccess(exit) ? Duration.infinity : recall)
    }),
    (cache) => Schemas.of({ find: (id) => Cache.get(cache, id) })
  )

const none = Schemas.of({
  find: (id) => new RegistryError({ reason: "unknown", message: `schema ${id}: SCHEMA_REGISTRY_URL is not set` })
})

/** Nothing of it is loaded without a registry. `patient` is what one question may take. */
const make = <R>(patient: (find: Find) => Effect.Effect<Find, never, R>): Layer.Layer<Schemas, never, Settings | R> =>
  Layer.unwrap(
    Effect.gen(function* () {
      const { registry } = yield* Settings
      if (registry === undefined) return Layer.succeed(Schemas, none)
      const RegistryClient = yield* Effect.promise(() => import("./RegistryClient.ts"))
      const find = Effect.map(
        RegistryClient.make(registry),
        ({ ask }): Find =>
          (id) =>
            Effect.flatMap(ask(id), (registered) => BodyDecoder.make(id, registered))
      )
      return Layer.effect(Schemas, find.pipe(Effect.flatMap(patient), Effect.flatMap(cached))).pipe(
        Layer.provide(RegistryClient.http(registry))
      )
    })
  )

/** For the service: asks until there is an answer, and reports the registry as unreachable meanwhile. */
export const layer: Layer.Layer<Schemas, never, Settings | Progress> = make((find) =>
  Effect.gen(function* () {
    const progress = yield* Progress
    const mentioned: Retry.Mentioned = new Map()
    const forever = () =>
      Retry.forever<RegistryError>("Could not get a schema from the registry", (error) => error.isRetryable, mentioned)
    return (id) =>
      find(id).pipe(
        Effect.tapError((error) =>
          Effect.sync(() => {
            if (error.isRetryable) progress.away("registry", error.message)
            else progress.up("registry")
          })
        ),
        Effect.retry(forever()),
        Effect.tap(() => Effect.sync(() => progress.up("registry")))
      )
  })
)

/** For commands, which somebody waits for: a few tries. */
export const layerBrief: Layer.Layer<Schemas, never, Settings> = make((find) =>
  Effect.succeed((id: SchemaId) =>
    find(id).pipe(Effect.retry({ schedule: Retry.backoff, while: ({ isRetryable }) => isRetryable, times: 3 }))
  )
)
