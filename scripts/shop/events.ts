// What the shop takes and what it makes of it: a request is decoded once, and every fault is named by its field; fields
// that it does not know are passed on as they were written. The events look like those of src/cli/support/Samples.ts.
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as SchemaIssue from "effect/SchemaIssue"

const wholeNumber = (minimum: number, maximum: number) => {
  const message = `expected a whole number from ${minimum} to ${maximum}`
  return Schema.Number.annotate({ message }).check(
    Schema.isInt({ message }),
    Schema.isBetween({ minimum, maximum }, { message })
  )
}

const amount = (minimum: number, maximum: number) => {
  const message = `expected a number from ${minimum} to ${maximum}`
  return Schema.Number.annotate({ message }).check(Schema.isBetween({ minimum, maximum }, { message }))
}

const text = (what: string, pattern: RegExp) => {
  const message = `expected ${what}`
  return Schema.String.annotate({ message }).check(Schema.isPattern(pattern, { message }))
}

/** Beyond this JSON's numbers are no longer exact. */
const id = wholeNumber(1, Number.MAX_SAFE_INTEGER)

const ownField = Schema.optionalKey(Schema.Never.annotate({ message: "is set by the shop" }))

const OrderRequest = Schema.Struct({
  order_id: ownField,
  status: ownField,
  created_at: ownField,
  user_id: id,
  item_id: id,
  // Half of a surrogate pair is no character; a warehouse would refuse the row.
  item_name: text(
    "1 to 200 characters, not all of them blank, none of them a control character",
    /^(?=.*[^\p{Z}\p{C}\u115f\u1160\u2800\u3164\uffa0])[^\p{Cc}\p{Cs}]{1,200}$/u
  ),
  price: amount(0, 100_000),
  quantity: Schema.optionalKey(wholeNumber(1, 1000))
}).annotate({ message: "expected a JSON object" })

const ClickRequest = Schema.Struct({
  click_id: ownField,
  clicked_at: ownField,
  user_id: id,
  item_id: id,
  page: Schema.optionalKey(text("a path such as /menu, up to 200 characters", /^\/[^\s\p{Cc}\p{Cs}]{0,199}$/u))
}).annotate({ message: "expected a JSON object" })

const BrokenRequest = Schema.Struct({ user_id: id }).annotate({ message: "expected a JSON object" })

/** The body of a request, and what JSON.parse made of it. */
export interface Body {
  readonly text: string
  readonly parsed: unknown
}

/** What Kafka gets. */
export interface Event {
  readonly key: string
  readonly value: string
  /** For the log. */
  readonly about: string
}

export interface Fault {
  /** Empty when it is the body as a whole. */
  readonly field: string
  readonly message: string
}

export class BadRequest extends Schema.TaggedError<BadRequest>()("BadRequest", {
  faults: Schema.Array(Schema.Struct({ field: Schema.String, message: Schema.String }))
}) {}

const issues = SchemaIssue.makeFormatterStandardSchemaV1({
  leafHook: (issue) => {
    if (issue._tag === "MissingKey") return "is missing"
    return SchemaIssue.defaultLeafHook(issue)
  }
})

/** One fault a field: a number out of range may also be no whole one. */
const faultsOf = ({ issue }: Schema.SchemaError): ReadonlyArray<Fault> => [
  ...new Map(
    issues(issue).issues.map(({ message, path = [] }) => {
      const field = path.map(String).join(".")
      return [field, { field, message }]
    })
  ).values()
]

const decode = <A>(schema: Schema.Decoder<A>) => {
  const decodeAll = Schema.decodeUnknownEffect(schema, { errors: "all" })
  return ({ parsed }: Body) =>
    Effect.mapError(decodeAll(parsed), (error) => new BadRequest({ faults: faultsOf(error) }))
}
const decodeOrder = decode(OrderRequest)
const decodeClick = decode(ClickRequest)
const decodeBroken = decode(BrokenRequest)

const members = (fields: object): string => JSON.stringify(fields).slice(1, -1)

/** The members of the client's object, every byte as it came, between those of the shop. */
const around = (before: object, { text }: Body, after: object): string =>
  `{${members(before)},${text.trim().slice(1, -1).trim()},${members(after)}}`

export const order = (body: Body, order_id: string, created_at: string) =>
  Effect.map(
    decodeOrder(body),
    ({ item_id, quantity, user_id }): Event => ({
      key: String(user_id),
      value: around({ order_id }, body, {
        ...(quantity === undefined && { quantity: 1 }),
        status: "placed",
        created_at
      }),
      about: `user ${user_id}, item ${item_id}`
    })
  )

export const click = (body: Body, click_id: string, clicked_at: string) =>
  Effect.map(
    decodeClick(body),
    ({ item_id, page, user_id }): Event => ({
      key: String(user_id),
      value: around({ click_id }, body, { ...(page === undefined && { page: "/menu" }), clicked_at }),
      about: `user ${user_id}, item ${item_id}`
    })
  )

/** What a producer with a fault would send: no JSON, so that the service makes a dead letter of it. */
export const broken = (body: Body, id: string) =>
  Effect.map(
    decodeBroken(body),
    ({ user_id }): Event => ({
      key: String(user_id),
      value: `order ${id} of user ${user_id}: 2 x Chicken Biryani`,
      about: `user ${user_id}`
    })
  )
