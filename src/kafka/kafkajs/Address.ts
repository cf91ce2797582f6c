/**
 * IPv6 addresses for kafkajs, which splits host and port at the first colon. It gets them in the notation for names
 * that may hold no colon (`[::1]:9092` as `--1.ipv6-literal.net:9092`), and the sockets are opened to what they mean;
 * nobody else sees that notation.
 */
import { connect, isIP } from "node:net"
import { connect as connectTls } from "node:tls"
import type { ISocketFactory } from "kafkajs"

const suffix = ".ipv6-literal.net"
const literal = /[0-9a-fA-F-]+\.ipv6-literal\.net/g

/** A broker's address as kafkajs can take it. */
export const encode = (address: string): string =>
  address.replace(/^\[([0-9a-fA-F:.]+)\]:/, (_, host: string) => `${host.replaceAll(":", "-")}${suffix}:`)

const hostOf = (host: string): string =>
  host.endsWith(suffix) ? host.slice(0, -suffix.length).replaceAll("-", ":") : host

/** Text of kafkajs's with the addresses as they were given. */
export const decode = (text: string): string => text.replaceAll(literal, (host) => `[${hostOf(host)}]`)

const keepAlive = 60_000

/** Opens what kafkajs asks for, in the way that it would itself. */
export const socketFactory: ISocketFactory = ({ host, onConnect, port, ssl }) => {
  const target = { host: hostOf(host), port }
  const socket =
    // Without options of its own it is TLS all the same, by the authorities that Node knows.
    ssl === undefined || ssl === null
      ? connect(target, onConnect)
      : connectTls({ ...target, ...(isIP(target.host) === 0 && { servername: target.host }), ...ssl }, onConnect)
  socket.setKeepAlive(true, keepAlive)
  return socket
}
