/** The settings for display: what was set or the default, and where it was set; never a secret. */
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import { notAPath, shown } from "../domain/Secrets.ts"
import { SettingsFiles, sourceOf } from "./SettingsFile.ts"
import { fileVariable, lists, table, variables } from "./Variables.ts"

export interface ShownSetting {
  readonly name: string
  readonly value: string
  readonly isDefault: boolean
  /** `default`, `environment`, or the place in a file; and the place that it wins over. */
  readonly source: string
}

/** Routes may be many. */
const maxLength = 300

/** A certificate may be in its variable as a whole; it is not for reading. */
const safely = (value: string): string => {
  if (notAPath(value) !== undefined) return "<PEM or other text>"
  const safe = shown(value)
  return safe.length > maxLength ? `${safe.slice(0, maxLength)}…` : safe
}

const read = (name: string) => Effect.orElseSucceed(Config.String(name), () => "")

/** In the order of the table, by the current ConfigProvider. */
export const list: Effect.Effect<ReadonlyArray<ShownSetting>> = Effect.gen(function* () {
  const files = yield* SettingsFiles
  return yield* Effect.forEach(
    table,
    Effect.fnUntraced(function* ({ default: byDefault, name, secret }): Effect.fn.Return<ShownSetting> {
      const unset = { name, value: byDefault, isDefault: true, source: "default" }
      const source = sourceOf(files, name)
      const value = yield* Config.String(name).pipe(Effect.orElseSucceed(() => undefined))
      if (secret) {
        const isSet = Boolean(value) || (yield* read(fileVariable(name))) !== ""
        return isSet ? { name, value: "<redacted>", isDefault: false, source } : unset
      }
      // Of LOG_FILE alone the empty value says something: none.
      if (value === undefined || (value === "" && name !== variables.logFile.name)) return unset
      // A list may be folded over many lines.
      const text = lists.includes(name)
        ? value
            .replace(/\s+/g, " ")
            .trim()
            .slice(0, maxLength + 1)
        : value
      return { name, value: safely(text), isDefault: value === byDefault, source }
    })
  )
})
