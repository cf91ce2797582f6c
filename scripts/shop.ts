// `npm run shop`: a demo front door that makes events: an API on port 8000, and a page on port 3000 with dishes to
// click and to order.
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Runtime from "effect/Runtime"
import * as Layers from "../src/app/Layers.ts"
import * as Shutdown from "../src/app/Shutdown.ts"
import { told } from "../src/cli/support/Failure.ts"
import * as Logging from "../src/observe/Logging.ts"
import { environment, Settings } from "../src/settings/Settings.ts"
import * as Api from "./shop/api.ts"
import * as Kafka from "./shop/kafka.ts"
import * as Page from "./shop/pageFiles.ts"
import { serve } from "./shop/server.ts"
import { API_PORT, livePage, PAGE_PORT, ports } from "./shop/settings.ts"

const shop = Effect.gen(function* () {
  const { kafka, shutdownTimeout } = yield* Settings
  const port = yield* ports
  const topics = yield* Kafka.topics
  const live = yield* livePage
  const api = `http://localhost:${port.api}`
  const page = `http://localhost:${port.page}`
  yield* Shutdown.watch(shutdownTimeout)
  yield* Layer.build(
    Layer.mergeAll(
      serve(Api.layer(topics, [page, `http://127.0.0.1:${port.page}`]), port.api, API_PORT),
      serve(Page.layer({ api, live }), port.page, PAGE_PORT)
    )
  )
  yield* Effect.logInfo(`API: POST ${api}/api/v1/orders/ and ${api}/api/v1/clicks/`)
  yield* Effect.logInfo(`Page: ${page}`)
  yield* Kafka.untilThere(topics)
  yield* Effect.logInfo(`Sending to ${topics.orders} and ${topics.clicks} of ${kafka.brokers.join(", ")}`)
  return yield* Effect.never
})

NodeRuntime.runMain(
  shop.pipe(
    Effect.scoped,
    Effect.provide(Layers.kafka),
    Effect.onInterrupt(() => Effect.logInfo("Stopped: what got 201 is in Kafka")),
    Effect.provide(Layers.kafkaSettings),
    Effect.provide(environment()),
    told,
    Effect.provide(Logging.early)
  ),
  {
    disableErrorReporting: true,
    // A signal is the usual end: it was stopped, nothing failed.
    teardown: (exit, onExit) =>
      Exit.isFailure(exit) && Cause.hasInterruptsOnly(exit.cause) ? onExit(0) : Runtime.defaultTeardown(exit, onExit)
  }
)
