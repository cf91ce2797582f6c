/** A real registry behind a port that can be opened and closed, and schemas that are registered by hand. */
import { connect as connectTcp, createServer, type Socket } from "node:net"
import * as Schema from "effect/Schema"
import type { RegistryServer } from "../../../scripts/registry/server.ts"

/** What `/readyz` says; nothing before it listens. */
export const readiness = (httpPort: number): Promise<string> =>
  fetch(`http://127.0.0.1:${httpPort}/readyz`).then(
    (answer) => answer.text(),
    () => ""
  )

/** The registry at another port, which can be closed. */
export const addressAt = (registry: RegistryServer, port: number): string =>
  `http://127.0.0.1:${port}${new URL(registry.url).pathname}`
export const openAt = async (registry: RegistryServer, port: number): Promise<() => Promise<void>> => {
  const target = new URL(registry.url)
  const open = new Set<Socket>()
  const proxy = createServer((socket) => {
    const upstream = connectTcp(Number(target.port), target.hostname)
    socket.pipe(upstream).pipe(socket)
    for (const end of [socket, upstream]) {
      open.add(end)
      end.on("error", () => socket.destroy())
    }
  })
  await new Promise<void>((resolve) => proxy.listen(port, "127.0.0.1", resolve))
  return async () => {
    const closed = new Promise((resolve) => proxy.close(resolve))
    for (const end of open) end.destroy()
    await closed
  }
}

/** Registers an Avro schema by hand, and frames a body with its id. */
export const framer = async (registry: RegistryServer, subject: string, schema: string) => {
  const answer = await fetch(`${registry.url}/subjects/${subject}/versions`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ schema })
  })
  const { id } = Schema.decodeUnknownSync(Schema.Struct({ id: Schema.Int }))(await answer.json())
  return (body: string): Buffer => {
    const frame = Buffer.alloc(5)
    frame.writeUInt32BE(id, 1)
    return Buffer.concat([frame, Buffer.from(body, "hex")])
  }
}
