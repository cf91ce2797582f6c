// A TCP proxy on 127.0.0.1 that can go away and come back: what is behind it keeps its state meanwhile.
import { connect, createServer, type Server, type Socket } from "node:net"
import { freePort } from "./freePort.ts"

export interface TcpProxy {
  readonly port: number
  /** Resets every connection and refuses new ones, as a server that is not there. */
  down(): Promise<void>
  /** Listens again, on the same port. */
  up(): Promise<void>
  close(): Promise<void>
}

export const startProxy = async ({
  targetPort,
  port
}: {
  readonly targetPort: number
  readonly port?: number
}): Promise<TcpProxy> => {
  const listenPort = port ?? (await freePort())
  const open = new Set<Socket>()
  let server: Server | undefined

  const up = async (): Promise<void> => {
    if (server !== undefined) return
    const next = createServer((client) => join(client, connect(targetPort, "127.0.0.1"), open))
    await new Promise<void>((resolve, reject) => {
      next.once("error", reject)
      next.listen(listenPort, "127.0.0.1", resolve)
    })
    server = next
  }

  const down = async (): Promise<void> => {
    const last = server
    server = undefined
    if (last === undefined) return
    const closed = new Promise<void>((resolve) => {
      last.close(() => resolve())
    })
    for (const socket of open) socket.resetAndDestroy()
    await closed
  }

  await up()
  return { port: listenPort, up, down, close: down }
}

const join = (client: Socket, target: Socket, open: Set<Socket>): void => {
  for (const [from, to] of [
    [client, target],
    [target, client]
  ] as const) {
    open.add(from)
    from.setNoDelay(true)
    from.pipe(to)
    // An error is followed by close, which ends the other side: nothing to do about it here.
    from.on("error", () => {})
    from.on("close", () => {
      open.delete(from)
      to.destroy()
    })
  }
}
