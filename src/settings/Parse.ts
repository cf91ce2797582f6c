/** Parses the text of a setting: each kind returns a value, or says what was expected. */
import * as ByteSize from "effect/ByteSize"
import * as Duration from "effect/Duration"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Format from "../domain/Format.ts"
import { parseRoutes, type Routing } from "../domain/RouteText.ts"
import { hide, notAPath, quote } from "../domain/Secrets.ts"

/** Either the value, or every problem with the text; a problem is what follows `NAME: ` in a message. */
export type Parsed<A> = Result.Result<A, ReadonlyArray<string>>
export type Parse<A> = (text: string) => Parsed<A>

/** The one form of a message about a value. */
export const expected = (what: string, text: string): string => `expected ${what}, got ${quote(text, 80)}`

const refuse = (what: string, text: string): Parsed<never> => Result.fail([expected(what, text)])

/** The word of `words` that was probably meant, if one is near. */
export const nearest = (word: string, words: ReadonlyArray<string>): string | undefined => {
  const near = words
    .map((candidate) => ({ candidate, distance: distance(word.toUpperCase(), candidate.toUpperCase()) }))
    .sort((a, b) => a.distance - b.distance)[0]
  return near !== undefined && near.distance <= Math.max(1, Math.floor(word.length / 3)) ? near.candidate : undefined
}

export const didYouMean = (word: string, words: ReadonlyArray<string>): string => {
  const meant = nearest(word, words)
  return meant === undefined ? "" : ` (did you mean ${meant}?)`
}

/** Levenshtein's distance; one word that begins with the other (USER, USERNAME) counts as near. */
const distance = (a: string, b: string): number => {
  if (a !== b && (a.startsWith(b) || b.startsWith(a))) return Math.min(2, Math.abs(a.length - b.length))
  let row = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const substituted = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(substituted, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1))
    }
    row = next
  }
  return row[b.length] ?? 0
}

/** Any text that is not blank. */
export const text =
  (what: string): Parse<string> =>
  (raw) =>
    raw.trim() === "" ? refuse(`${what}, not blank`, raw) : Result.succeed(raw.trim())

/** The path of a file; a key or a certificate in its place is said to be that, and not shown. */
export const path: Parse<string> = (raw) => {
  const reason = notAPath(raw.trim())
  return reason === undefined ? text("a file")(raw) : Result.fail([`expected the path of a file, got ${reason}`])
}

/**
 * The file of the embedded database: DuckDB takes what is before a colon for another kind of database, or for one in
 * memory.
 */
export const databaseFile: Parse<string> = (raw) => {
  if (!/^\w*:/.test(raw.trim())) return path(raw)
  const advice = /^\w+:[^/]/.test(raw.trim()) ? "; a file of that name is written with ./ before it" : ""
  return Result.fail([`${expected("the path of a file, and no other database", raw)}${advice}`])
}

/** Text of a given form. */
export const matching =
  (what: string, pattern: RegExp): Parse<string> =>
  (raw) =>
    pattern.test(raw.trim()) ? Result.succeed(raw.trim()) : refuse(what, raw)

/** What begins with # in the ledger is the service's own: locks, and rows that were put away. */
export const group: Parse<string> = (raw) =>
  raw.trim().startsWith("#")
    ? refuse("a consumer group that does not begin with #", raw)
    : text("a consumer group")(raw)

/** A secret: never quoted in a message, and kept exactly as it is. */
export const secret: Parse<Redacted.Redacted> = (raw) =>
  raw.trim() === "" ? Result.fail(["expected a secret, got blanks"]) : Result.succeed(Redacted.make(raw))

/** A secret that is in a header. */
export const token: Parse<Redacted.Redacted> = (raw) =>
  /^[\x21-\x7e]+$/.test(raw)
    ? secret(raw)
    : Result.fail(["expected a token of visible ASCII characters, without blanks and line breaks"])

/** One of a few words, in any case; a word may stand for a value of ours. */
export const choice =
  <const A>(choices: Readonly<Record<string, A>>, also: Readonly<Record<string, A>> = {}): Parse<A> =>
  (raw) => {
    const words = Object.keys(choices)
    const word = raw.trim().toUpperCase()
    const found = Object.entries({ ...choices, ...also }).find(([name]) => name.toUpperCase() === word)
    if (found !== undefined) return Result.succeed(found[1])
    return refuse(words.length === 1 ? words.join("") : `one of ${words.join(", ")}`, raw).pipe(
      Result.mapError((problems) => problems.map((problem) => `${problem}${didYouMean(raw.trim(), words)}`))
    )
  }

export const integer =
  (minimum: number, maximum: number): Parse<number> =>
  (raw) => {
    const value = /^[+-]?\d+$/.test(raw.trim()) ? Number(raw) : Number.NaN
    return value >= minimum && value <= maximum
      ? Result.succeed(value)
      : refuse(`a whole number from ${minimum} to ${maximum}`, raw)
  }

/** A plain number of seconds, as `5` or `0.25`. */
export const seconds =
  (minimum: number, maximum: number): Parse<Duration.Duration> =>
  (raw) => {
    const value = /^\d*\.?\d+$|^\d+\.$/.test(raw.trim()) ? Number(raw) : Number.NaN
    return value >= minimum && value <= maximum
      ? Result.succeed(Duration.seconds(value))
      : refuse(`a number of seconds from ${minimum} to ${maximum} (5 or 0.5, without a unit)`, raw)
  }

/** A size: plain bytes, or with a unit (`1MiB`, `64 mib`, `8 MB`). */
export const bytes =
  (minimum: number, maximum: number): Parse<number> =>
  (raw) => {
    const value = Option.getOrUndefined(ByteSize.fromString(withUnit(raw.trim())))
    const size = value === undefined ? Number.NaN : Number(ByteSize.toBigInt(value))
    return size >= minimum && size <= maximum
      ? Result.succeed(size)
      : refuse(`a size from ${showBytes(minimum)} to ${showBytes(maximum)} (1048576, 1MiB or 8 MB)`, raw)
  }

const withUnit = (raw: string): string => {
  const match = /^([\d.]+)\s*([A-Za-z]*)$/.exec(raw)
  const [, amount = "", unit = ""] = match ?? []
  const letters = unit.toLowerCase().replace(/b$|bytes?$/, "")
  const known = { "": "B", k: "kB", m: "MB", g: "GB", ki: "KiB", mi: "MiB", gi: "GiB" }[letters]
  return match === null || known === undefined ? raw : `${amount} ${known}`
}

export const showBytes = (size: number): string =>
  size % 1_048_576 === 0 ? `${size / 1_048_576}MiB` : size % 1024 === 0 ? `${size / 1024}KiB` : `${size} bytes`

/** The address of a page, without a user in it: what is wrong with it is said without showing it. */
export const address: Parse<string> = (raw) =>
  /^https?:\/\/[^\s/@?#]+(?:\/[^\s@#]*)?$/i.test(raw.trim()) && URL.canParse(raw.trim())
    ? Result.succeed(raw.trim())
    : refuse("an address such as https://login.example.com/oauth2/token, without a user or a password", raw)

/** `name=value, …` as Kafka takes SASL extensions; `auth` is the token's own name. */
export const extensions: Parse<Readonly<Record<string, string>>> = (raw) => {
  const pairs = raw.split(",").map((pair) => pair.trim())
  const isWrong = (pair: string) => !/^(?!auth=)[A-Za-z]+=[\x21-\x7e]+$/.test(pair)
  return pairs.some(isWrong)
    ? refuse("name=value, …, each name of letters, none of them auth", raw)
    : Result.succeed(Object.fromEntries(pairs.map((pair) => pair.split(/=(.*)/s, 2))))
}

/** A comma separated list of `host:port`. */
export const hostPorts: Parse<ReadonlyArray<string>> = (raw) => {
  // A password may hold a comma, so that its parts would not be known as parts of one.
  if (raw.includes("@"))
    return Result.fail([
      "expected host:port, …, got one with a user or a password in it: KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD take these"
    ])
  const hosts = raw.split(",").map((host) => host.trim())
  const problems = hosts.filter((host) => !isHostPort(host)).map((host) => expected("host:port, …", host))
  return problems.length > 0 ? Result.fail(problems) : Result.succeed(hosts)
}

const isHostPort = (host: string): boolean => {
  const port = /^(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9_.-]+):(\d{1,5})$/.exec(host)?.[1]
  return port !== undefined && Number(port) >= 1 && Number(port) <= 65535
}

/** `topic=TABLE(COLUMN=json.path:TYPE,…), …`; with `+` before them, besides those that are given here. */
export const routes =
  (besides: string): Parse<Routing> =>
  (raw) => {
    const added = /^\s*\+(.*)$/s.exec(raw)?.[1]
    const parsed = parseRoutes(added === undefined ? raw : `${besides}, ${added}`)
    return parsed.problems.length > 0 ? Result.fail(parsed.problems.map(hide)) : Result.succeed(parsed)
  }

/** `topic=VALUE/KEY, …` */
export const formats: Parse<ReadonlyMap<string, Format.PartialFormat>> = (raw) => {
  const parsed = Format.parse(raw)
  return parsed.problems.length > 0 ? Result.fail(parsed.problems.map(hide)) : Result.succeed(parsed.formats)
}

/** An address without a user in it, and without the slash at its end. */
export const httpUrl: Parse<string> = (raw) => {
  if (raw.includes("@"))
    return Result.fail([
      "expected an address, got one with a user or a password in it: SCHEMA_REGISTRY_USERNAME and SCHEMA_REGISTRY_PASSWORD take these"
    ])
  return matching(
    "an address such as https://registry.example.com",
    /^https?:\/\/[^\s/?#]+[^\s?#]*$/
  )(raw).pipe(Result.map((url) => url.replace(/\/+$/, "")))
}
