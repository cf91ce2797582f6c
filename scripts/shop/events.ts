// What the shop takes and what it makes of it: a request is decoded once, and every fault is named by its field; the
// events look like those of src/cli/support/Samples.ts.
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

const OrderRequest = Schema.Struct({
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
  user_id: id,
  item_id: id,
  page: Schema.optionalKey(text("a path such as /menu, up to 200 characters", /^\/[^\s\p{Cc}\p{Cs}]{0,199}$/u))
}).annotate({ message: "expected a JSON object" })

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
    if (issue._tag === "UnexpectedKey") return "there is no such field"
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

// A misspelt field that is optional would otherwise be dropped without a word.
const strictly = { errors: "all", onExcessProperty: "error" } as const
const decodeOrder = Schema.decodeUnknownEffect(OrderRequest, strictly)
const decodeClick = Schema.decodeUnknownEffect(ClickRequest, strictly)
const refuse = (error: Schema.SchemaError): BadRequest => new BadRequest({ faults: faultsOf(error) })

export const order = (body: unknown, order_id: string, created_at: string) =>
  Effect.mapBoth(decodeOrder(body), {
    onFailure: refuse,
    onSuccess: ({ quantity = 1, ...request }) => ({ order_id, ...request, quantity, status: "placed", created_at })
  })

export const click = (body: unknown, click_id: string, clicked_at: string) =>
  Effect.mapBoth(decodeClick(body), {
    onFailure: refuse,
    onSuccess: ({ page = "/menu", ...request }) => ({ click_id, ...request, page, clicked_at })
  })
