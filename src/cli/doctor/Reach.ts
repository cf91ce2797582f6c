/**
 * Whether something listens at an address, and whether it speaks TLS: kafkajs reports "Closed connection" for half a
 * dozen causes, which this distinguishes.
 */
import { connect } from "node:net"
import { connect as connectTls } from "node:tls"
import * as Effect from "effect/Effect"

/** Milliseconds; who answers at all does so sooner. */
const patience = 5000

/** `[::1]:9092` and `broker-1:9092` alike. */
const partsOf = (address: string): { readonly host: string; readonly port: number } => {
  const colon = address.lastIndexOf(":")
  return { host: address.slice(0, colon).replace(/^\[|\]$/g, ""), port: Number(address.slice(colon + 1)) }
}

/** Why the address is unreachable; undefined when it answers. */
export const unreachable = (address: string): Effect.Effect<string | undefined> =>
  Effect.callback<string | undefined>((resume) => {
    const socket = connect(partsOf(address))
    const end = (reason: string | undefined): void => {
      socket.destroy()
      resume(Effect.succeed(reason))
    }
    socket.setTimeout(patience, () =>
      end(`${address} does not answer within ${patience / 1000} s: a firewall, or a wrong address`)
    )
    socket.once("connect", () => end(undefined))
    socket.once("error", (error) => end(inWords(address, error)))
    return Effect.sync(() => socket.destroy())
  })

const inWords = (address: string, error: NodeJS.ErrnoException): string => {
  const { host, port } = partsOf(address)
  switch (error.code) {
    case "ECONNREFUSED":
      return `nothing listens on port ${port} of ${host}`
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return `unknown host ${host}`
    default:
      // Node gathers one error per address of the host, and its own message is empty then.
      return `${address}: ${error.message || error.code}`
  }
}

/** Whether what listens there answers a TLS handshake. */
export const speaksTls = (address: string): Effect.Effect<boolean> =>
  Effect.callback<boolean>((resume) => {
    // The question is who it is, not whether it is trusted; nothing is sent.
    const socket = connectTls({ ...partsOf(address), rejectUnauthorized: false })
    const end = (answer: boolean): void => {
      socket.destroy()
      resume(Effect.succeed(answer))
    }
    socket.setTimeout(patience, () => end(false))
    socket.once("secureConnect", () => end(true))
    socket.once("error", () => end(false))
    return Effect.sync(() => socket.destroy())
  })
