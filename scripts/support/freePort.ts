// Free TCP ports on 127.0.0.1, below the range from which the kernel takes ports for outgoing connections.
import { createServer } from "node:net"

const LOWEST = 20_000
const HIGHEST = 32_700
const handedOut = new Set<number>()

/** A port of the ephemeral range could be taken by any client while a stopped broker waits for its restart. */
export const freePort = async (): Promise<number> => {
  for (;;) {
    const port = LOWEST + Math.floor(Math.random() * (HIGHEST - LOWEST))
    if (handedOut.has(port) || !(await isFree(port))) continue
    handedOut.add(port)
    return port
  }
}

export const isFree = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const server = createServer()
    server.once("error", () => resolve(false))
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)))
  })
