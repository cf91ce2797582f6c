/** Pauses and resumes a topic of the running service, for as long as the process lives. */
import * as Effect from "effect/Effect"
import * as HttpRouter from "effect/http/HttpRouter"
import * as Schema from "effect/Schema"
import { ConsumerGroup } from "../kafka/ConsumerGroup.ts"
import { Progress } from "../observe/Progress.ts"
import { Settings } from "../settings/Settings.ts"
import * as Reply from "./Reply.ts"

const Asked = Schema.Struct({ topic: Schema.String })

export const routes = HttpRouter.use(
  Effect.fnUntraced(function* (router) {
    const settings = yield* Settings
    const group = yield* ConsumerGroup
    const progress = yield* Progress
    for (const action of ["pause", "resume"] as const)
      yield* router.add(
        "POST",
        `/api/topics/${action}`,
        Reply.toBody(Asked, ({ topic }) =>
          Effect.gen(function* () {
            if (!settings.routes.some((route) => route.topic === topic))
              return yield* new Reply.NotFound({ message: `BRONZE_ROUTES has no route for ${topic}` })
            yield* group[action](topic)
            yield* Effect.logInfo(`Topic ${topic}: ${action} by request`)
            return { pausedTopics: progress.view().pausedTopics }
          })
        )
      )
  })
)
