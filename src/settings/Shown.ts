/** The settings for display: what was set or the default, never a secret. */
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import { notAPath, shown } from "../domain/Secrets.ts"
import { fileVariable, table, variables } from "./Variables.ts"

export interface ShownSetting {
  readonly name: string
  readonly value: string
  readonly isDefault: boolean
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
export const list: Effect.Effect<ReadonlyArray<ShownSetting>> = Effect.forEach(
  table,
  Effect.fnUntraced(function* ({ default: byDefault, name, secret }): Effect.fn.Return<ShownSetting> {
    const value = yield* Config.String(name).pipe(Effect.orElseSucceed(() => undefined))
    if (secret) {
      const isSet = Boolean(value) || (yield* read(fileVariable(name))) !== ""
      return { name, value: isSet ? "<redacted>" : byDefault, isDefault: !isSet }
    }
    // Of LOG_FILE alone the empty value says something: none.
    if (value === undefined || (value === "" && name !== variables.logFile.name))
      return { name, value: byDefault, isDefault: true }
    return { name, value: safely(value), isDefault: value === byDefault }
  })
)
