/** Stops the next COMMIT on its way to the server, until it is released. */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import type { FaultProxy } from "../../chaos/FaultProxy.ts"

export const holdCommit = (proxy: FaultProxy) =>
  Effect.gen(function* () {
    const reached = yield* Deferred.make<void>()
    const released = yield* Deferred.make<void>()
    proxy.at("commit", "before", () =>
      Effect.runPromise(Effect.andThen(Deferred.succeed(reached, undefined), Deferred.await(released)))
    )
    return { reached: Deferred.await(reached), release: Effect.asVoid(Deferred.succeed(released, undefined)) }
  })
