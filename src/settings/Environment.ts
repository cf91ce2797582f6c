/** The environment variables of this process that are there, as whoever reads settings wants them. */
export const defined = (): Record<string, string> =>
  Object.fromEntries(
    Object.entries(process.env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]]))
  )
