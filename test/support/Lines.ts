/** Keeps what is logged, so that a test can read it: `LEVEL message`. */
import * as Logger from "effect/Logger"

export const make = () => {
  const lines: Array<string> = []
  const logger = Logger.make<unknown, void>(({ logLevel, message }) => {
    lines.push(`${logLevel} ${Array.isArray(message) ? message.join(" ") : message}`)
  })
  return { lines, layer: Logger.layer([logger]) }
}
