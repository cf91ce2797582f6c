/**
 * What a log line looks like and where it goes; one event is one line, in text or JSON, without secrets, whoever wrote
 * the message.
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Formatter from "effect/Formatter"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import * as References from "effect/References"
import * as Secrets from "../domain/Secrets.ts"
import { Settings } from "../settings/Settings.ts"
import * as LogFile from "./LogFile.ts"

/** The words users know: Python's. */
const words: Readonly<Record<LogLevel.LogLevel, string>> = {
  All: "DEBUG",
  Trace: "DEBUG",
  Debug: "DEBUG",
  Info: "INFO",
  Warn: "WARNING",
  Error: "ERROR",
  Fatal: "CRITICAL",
  None: "INFO"
}

interface Event {
  readonly message: string
  readonly fields: Readonly<Record<string, unknown>>
  /** What failed, in one line; the whole story in `details`, at level DEBUG only. */
  readonly error: string | undefined
  readonly details: string | undefined
}

const eventOf = ({ cause, fiber, message }: Logger.Options<unknown>): Event => {
  const texts: Array<string> = []
  const fields: Record<string, unknown> = { ...fiber.getRef(References.CurrentLogAnnotations) }
  for (const part of Array.isArray(message) ? message : [message]) {
    if (isFields(part)) Object.assign(fields, part)
    else texts.push(oneLine(showError(part)))
  }
  const failed = cause.reasons.length > 0
  const isDebug = LogLevel.isLessThanOrEqualTo(fiber.getRef(References.MinimumLogLevel), "Debug")
  return {
    message: texts.join(" "),
    fields,
    error: failed ? oneLine(showError(Cause.squash(cause))) : undefined,
    details: failed && isDebug ? Cause.pretty(cause) : undefined
  }
}

const isFields = (part: unknown): part is Record<string, unknown> =>
  typeof part === "object" && part !== null && Object.getPrototypeOf(part) === Object.prototype

const showError = (value: unknown): string =>
  typeof value === "string" ? value : value instanceof Error ? value.message || value.name : Formatter.format(value)

const oneLine = (text: string): string => text.trim().replace(/\s*[\r\n]+\s*/g, " ")

const showField = (value: unknown): string => {
  const text = oneLine(showError(value))
  return text === "" || /[\s="]/.test(text) ? JSON.stringify(text) : text
}

const two = (value: number): string => String(value).padStart(2, "0")

/** `2026-02-07 10:30:00`, local time. */
const stamp = (date: Date): string =>
  `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`

/** `2026-02-07 10:30:00 - INFO - message key=value` */
export const text: Logger.Logger<unknown, string> = Logger.make((options) => {
  const { details, error, fields, message } = eventOf(options)
  const said = [message, error].filter(Boolean).join(": ")
  const extra = Object.entries(fields).map(([key, value]) => ` ${key}=${showField(value)}`)
  const line = `${stamp(options.date)} - ${words[options.logLevel]} - ${said}${extra.join("")}`
  return Secrets.hide(details === undefined ? line : `${line}\n${details}`)
})

/** One flat JSON object a line; a field of the event never replaces time, level or message. */
export const json: Logger.Logger<unknown, string> = Logger.make((options) => {
  const { details, error, fields, message } = eventOf(options)
  const plain = Object.entries(fields).map(([key, value]) => [key, value instanceof Error ? showError(value) : value])
  const head = {
    timestamp: options.date.toISOString(),
    level: words[options.logLevel],
    message: message || error || ""
  }
  const line = Formatter.formatJson({
    ...head,
    ...Object.fromEntries(plain),
    ...head,
    ...(error !== undefined && { error }),
    ...(details !== undefined && { cause: details })
  })
  const parsed: unknown = JSON.parse(line)
  return Secrets.json(parsed)
})

/** What a logger of somebody else gets: the same event, with the secrets in its texts hidden. */
export const withoutSecrets = <Output>(logger: Logger.Logger<unknown, Output>): Logger.Logger<unknown, Output> =>
  Logger.make((options) => {
    const whole = Cause.pretty(options.cause)
    const safe = Secrets.hide(whole)
    return logger.log({
      ...options,
      message: hideIn(options.message),
      cause: safe === whole ? options.cause : Cause.fail(safe)
    })
  })

const hideIn = (part: unknown): unknown => {
  if (typeof part === "string") return Secrets.hide(part)
  if (Array.isArray(part)) return part.map(hideIn)
  if (part instanceof Error) return Secrets.hide(showError(part))
  return isFields(part) ? Object.fromEntries(Object.entries(part).map(([key, value]) => [key, hideIn(value)])) : part
}

/**
 * When nobody reads stdout any more (`… | head`), what is written there is lost and nothing else; unheard, the error
 * would end the process.
 */
const lostReader: Layer.Layer<never> = Layer.effectDiscard(
  Effect.acquireRelease(
    Effect.sync(() => {
      const ignore = (): void => {}
      process.stdout.on("error", ignore)
      process.stderr.on("error", ignore)
      return ignore
    }),
    (ignore) =>
      Effect.sync(() => {
        process.stdout.off("error", ignore)
        process.stderr.off("error", ignore)
      })
  )
)

/** The log of the service: stdout, and LOG_FILE, which is appended to and flushed at the end. */
export const layer: Layer.Layer<never, never, Settings> = Layer.unwrap(
  Effect.gen(function* () {
    const { log } = yield* Settings
    const format = log.format === "json" ? json : text
    const stdout = Logger.withConsoleLog(format)
    const level = Layer.merge(Layer.succeed(References.MinimumLogLevel, log.level), lostReader)
    if (log.file === undefined) return Layer.merge(Logger.layer([stdout]), level)
    const write = yield* LogFile.make(log.file, (reason) =>
      Effect.logWarning(`LOG_FILE cannot be written, logging continues without it: ${reason}`).pipe(
        Effect.provide(Logger.layer([stdout]))
      )
    )
    const file = yield* Logger.batched(format, {
      window: "500 millis",
      flush: (lines) => write(`${lines.join("\n")}\n`)
    })
    return Layer.merge(Logger.layer([stdout, file]), level)
  })
)

/** Before the settings are read, and when they cannot be: text on stdout. */
export const early: Layer.Layer<never> = Layer.merge(Logger.layer([Logger.withConsoleLog(text)]), lostReader)

/** For commands, whose stdout belongs to their output: text on stderr, from the level on that matters to a person. */
export const stderr = (level: LogLevel.LogLevel): Layer.Layer<never> =>
  Layer.merge(Logger.layer([Logger.withConsoleError(text)]), Layer.succeed(References.MinimumLogLevel, level))
