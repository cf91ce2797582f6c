/** IPv6 brokers: connected to, and called by their own address. */
import { createServer } from "node:net"
import { assert, describe, it } from "@effect/vitest"
import kafkajs from "kafkajs"
import { KafkaError } from "../../../../src/kafka/KafkaError.ts"
import * as Address from "../../../../src/kafka/kafkajs/Address.ts"

describe("the address of a broker", () => {
  it("keeps what kafkajs can take", () => {
    for (const address of ["broker-1:9092", "127.0.0.1:9092"]) assert.strictEqual(Address.encode(address), address)
  })
  it("is reported as it was given", () => {
    const text = `connect ECONNREFUSED ${Address.encode("[2001:db8::7]:9092")}`
    assert.strictEqual(Address.decode(text), "connect ECONNREFUSED [2001:db8::7]:9092")
    assert.include(KafkaError.from("connect", new Error(text)).message, "[2001:db8::7]:9092")
  })
  it("is connected to", async () => {
    const met = new Promise<void>((resolve) => {
      const server = createServer((socket) => {
        resolve()
        socket.destroy()
        server.close()
      })
      server.listen(0, "::1", () => {
        const address = server.address()
        const port = typeof address === "object" && address !== null ? address.port : 0
        const kafka = new kafkajs.Kafka({
          ...{ brokers: [Address.encode(`[::1]:${port}`)], socketFactory: Address.socketFactory },
          ...{ logLevel: kafkajs.logLevel.NOTHING, retry: { retries: 0 } }
        })
        kafka
          .admin()
          .connect()
          .catch(() => undefined)
      })
    })
    await met
  })

  it("is connected to by TLS also where no certificate is named", async () => {
    const hello = new Promise<number | undefined>((resolve) => {
      const server = createServer((socket) =>
        socket.once("data", (bytes) => {
          resolve(bytes[0])
          socket.destroy()
          server.close()
        })
      )
      server.listen(0, "127.0.0.1", () => {
        const address = server.address()
        const port = typeof address === "object" ? (address?.port ?? 0) : 0
        Address.socketFactory({ host: "127.0.0.1", port, ssl: {}, onConnect: () => undefined }).on("error", () => {})
      })
    })
    // The first byte of a TLS handshake.
    assert.strictEqual(await hello, 22)
  })
})
