// Where the shop listens, by its own two variables; both are checked together, in the words of the service's settings.
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Parse from "../../src/settings/Parse.ts"
import { Settings, SettingsError } from "../../src/settings/Settings.ts"

export const API_PORT = "SHOP_API_PORT"
export const PAGE_PORT = "SHOP_PAGE_PORT"
export const defaultPorts = { [API_PORT]: 8000, [PAGE_PORT]: 3000 } as const

const port = (name: keyof typeof defaultPorts) =>
  Config.String(name).pipe(
    Config.withDefault(""),
    Config.map((text) => (text === "" ? Result.succeed(defaultPorts[name]) : Parse.integer(1, 65_535)(text))),
    Config.map(Result.mapError((problems) => problems.map((problem) => `${name}: ${problem}`)))
  )

export const ports = Effect.gen(function* () {
  const [api, page] = [yield* port(API_PORT), yield* port(PAGE_PORT)]
  if (Result.isSuccess(api) && Result.isSuccess(page)) {
    if (api.success !== page.success) return { api: api.success, page: page.success }
    return yield* new SettingsError({ problems: [`${PAGE_PORT}: expected another port than ${API_PORT}`] })
  }
  const problems = [api, page].flatMap((result) => (Result.isFailure(result) ? result.failure : []))
  return yield* new SettingsError({ problems })
})

/** The live page of the service, which takes HTTP_HOST and HTTP_PORT from the same environment. */
export const livePage = Effect.map(Settings, ({ http }) => {
  const here = ["127.0.0.1", "0.0.0.0", "::", "::1"].includes(http.host)
  return http.port === 0 ? null : `http://${here ? "localhost" : http.host}:${http.port}`
})
