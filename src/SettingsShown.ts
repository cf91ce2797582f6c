/** The settings as people may see them: what was set or the default, and never a secret. */
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import { table, variables } from "./SettingsTable.ts"

export interface ShownSetting {
  readonly name: string
  readonly value: string
  readonly isDefault: boolean
}

/** A certificate may stand in its variable as a whole. */
const maxLength = 300

/** In the order of the table, by the current ConfigProvider. */
export const list: Effect.Effect<ReadonlyArray<ShownSetting>> = Effect.forEach(
  table,
  ({ default: byDefault, name, secret }) =>
    Config.String(name).pipe(
      Effect.map((value): ShownSetting => {
        const shown = secret ? "<redacted>" : value.length > maxLength ? `${value.slice(0, maxLength)}…` : value
        // Of LOG_FILE alone the empty value says something: none.
        const isAbsent = value === "" && name !== variables.logFile.name
        return { name, value: isAbsent ? byDefault : shown, isDefault: isAbsent || value === byDefault }
      }),
      Effect.orElseSucceed((): ShownSetting => ({ name, value: byDefault, isDefault: true }))
    )
)
