/** Dead letters for the page: a list without payloads, and one with its payload and the place of the fault. */
import { isUtf8 } from "node:buffer"
import * as Effect from "effect/Effect"
import * as HttpRouter from "effect/http/HttpRouter"
import * as Schema from "effect/Schema"
import * as Coordinates from "../domain/Coordinates.ts"
import { payloadOf } from "../domain/DeadLetters.ts"
import * as Instants from "../domain/Instants.ts"
import * as LettersAt from "../pipeline/LettersAt.ts"
import { Warehouse } from "../warehouse/Warehouse.ts"
import * as Fault from "./Fault.ts"
import * as Place from "./Place.ts"
import * as Reply from "./Reply.ts"

const Limit = Schema.NumberFromString.check(Schema.isInt(), Schema.isBetween({ minimum: 1, maximum: 1000 }))

const Asked = Schema.Struct({
  topic: Schema.optionalKey(Schema.String),
  cause: Schema.optionalKey(Schema.String),
  search: Schema.optionalKey(Schema.String),
  replayed: Schema.optionalKey(Schema.Literals(["true", "false"])),
  since: Schema.optionalKey(Instants.FromText),
  until: Schema.optionalKey(Instants.FromText),
  limit: Schema.optionalKey(Limit)
})

export const routes = HttpRouter.use(
  Effect.fnUntraced(function* (router) {
    const warehouse = yield* Warehouse

    yield* router.add(
      "GET",
      "/api/dead-letters",
      Reply.toParameters(Asked, ({ limit = 100, replayed, ...filter }) =>
        Effect.map(warehouse.deadLetters({ ...filter, replayed: replayed === "true", limit: limit + 1 }), (found) => ({
          letters: found.slice(0, limit).map(({ payload: _, ...letter }) => Instants.inText(letter)),
          more: found.length > limit
        }))
      )
    )

    yield* router.add(
      "GET",
      "/api/dead-letter",
      Reply.toParameters(Place.Asked, ({ at: text }) =>
        Effect.gen(function* () {
          const at = yield* Place.parse(text)
          const [letter] = yield* LettersAt.find([at], { payload: true })
          if (letter === undefined)
            return yield* new Reply.NotFound({ message: `there is no dead letter at ${Coordinates.format(at)}` })
          const bytes = payloadOf(letter)
          const { payload: base64, ...fields } = letter
          const fault = bytes === null ? undefined : Fault.of(bytes)
          return {
            letter: Instants.inText({
              ...fields,
              text: bytes !== null && isUtf8(bytes) ? bytes.toString("utf8") : null,
              base64,
              hint: fault ?? letter.message ?? letter.cause
            })
          }
        }).pipe(Effect.provideService(Warehouse, warehouse))
      )
    )
  })
)
