/** One environment variable of the service: how it is declared, and how its text is read. */
import * as Config from "effect/Config"
import * as Result from "effect/Result"
import * as Parse from "./Parse.ts"

/** One variable; reading it never fails for a malformed value, so that all of them can be looked at together. */
export interface Variable<A> {
  readonly name: string
  /** As it would be typed; empty when there is none. */
  readonly default: string
  readonly meaning: string
  readonly secret: boolean
  /** What an absent variable means, and what stands in for a malformed one until its problem is reported. */
  readonly fallback: A
  readonly config: Config.Config<Parse.Parsed<A>>
}

/** A variable that is empty counts as absent: compose files and charts set such. */
const read = <A>(name: string, parse: Parse.Parse<A>, fallback: A) =>
  Config.String(name).pipe(
    Config.withDefault(""),
    Config.map((text): Parse.Parsed<A> => (text === "" ? Result.succeed(fallback) : parse(text)))
  )

export const variable = <A>(name: string, byDefault: string, meaning: string, parse: Parse.Parse<A>): Variable<A> => {
  const fallback = Result.getOrThrowWith(parse(byDefault), (problems) => new Error(`${name}: ${problems}`))
  return { name, default: byDefault, meaning, secret: false, fallback, config: read(name, parse, fallback) }
}

export const optional = <A>(name: string, meaning: string, parse: Parse.Parse<A>): Variable<A | undefined> => ({
  name,
  default: "",
  meaning,
  secret: false,
  fallback: undefined,
  config: read<A | undefined>(name, parse, undefined)
})

export const secret = (name: string, meaning: string, parse = Parse.secret) => ({
  ...optional(name, meaning, parse),
  secret: true
})

/** The variable that names a file which holds a secret, as Kubernetes and Docker mount them. */
export const fileVariable = (name: string): string => `${name}_FILE`
