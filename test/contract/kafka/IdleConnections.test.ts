/**
 * Brokers close connections that are idle, Azure's after four minutes: what is asked next opens another one and
 * succeeds. On a real broker that does so after two seconds.
 */
import { subscribe, unsubscribe } from "node:diagnostics_channel"
import { appendFileSync, mkdtempSync, rmSync } from "node:fs"
import { Socket } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { type Broker, startBroker } from "../../../scripts/kafka/broker.ts"
import * as Admin from "../../../src/kafka/Admin.ts"
import * as KafkaClient from "../../../src/kafka/kafkajs/Client.ts"
import * as Producer from "../../../src/kafka/Producer.ts"
import * as Settings from "../../../src/settings/Settings.ts"
import { connect, unique } from "../../support/RealKafka.ts"

const dataDir = mkdtempSync(join(tmpdir(), "bronze-idle-"))
let broker: Broker

beforeAll(async () => {
  broker = await startBroker({ dataDir })
  appendFileSync(join(dataDir, "server.properties"), "connections.max.idle.ms=2000\n")
  await broker.restart()
}, 120_000)
afterAll(async () => {
  await broker?.stop()
  rmSync(dataDir, { recursive: true, force: true })
})

/** The sockets that this process opens to the broker from now on. */
const watchSockets = Effect.gen(function* () {
  const sockets = new Set<Socket>()
  const opened = (message: unknown): void => {
    if (typeof message === "object" && message !== null && "socket" in message && message.socket instanceof Socket)
      sockets.add(message.socket)
  }
  yield* Effect.acquireRelease(
    Effect.sync(() => subscribe("net.client.socket", opened)),
    () => Effect.sync(() => unsubscribe("net.client.socket", opened))
  )
  return sockets
})

const closed = (socket: Socket): Promise<void> =>
  socket.destroyed ? Promise.resolve() : new Promise((resolve) => socket.once("close", () => resolve()))

describe("a broker that closes idle connections", () => {
  it.live(
    "costs neither an error nor a retry of ours",
    () =>
      Effect.gen(function* () {
        const topic = unique("raw.idle")
        const kafka = yield* Effect.promise(() => connect(broker.bootstrap))
        yield* Effect.promise(() => kafka.createTopic(topic))
        yield* Effect.promise(() => kafka.close())
        const sockets = yield* watchSockets
        const ask = Effect.gen(function* () {
          const admin = yield* Admin.Admin
          const { send } = yield* Producer.Producer
          yield* send(topic, [{ key: null, value: "{}" }])
          yield* admin.topics
          yield* admin.committed("nobody", [topic])
          return (yield* admin.ranges([topic])).map(({ high }) => high)
        })
        const layer = Layer.mergeAll(Admin.layer, Producer.layer).pipe(
          Layer.provideMerge(KafkaClient.layer),
          Layer.provide(Settings.layer),
          Layer.provide(Settings.environment({ SINK: "duckdb", KAFKA_BOOTSTRAP_SERVERS: broker.bootstrap }))
        )
        const answers = yield* Effect.gen(function* () {
          const before = yield* ask
          const opened = sockets.size
          yield* Effect.promise(() => Promise.all([...sockets].map(closed)))
          const after = yield* ask
          assert.isAbove(opened, 1)
          assert.isAbove(sockets.size, opened)
          return [before, after]
        }).pipe(Effect.provide(layer))
        assert.deepStrictEqual(answers, [[1], [2]])
      }),
    60_000
  )
})
