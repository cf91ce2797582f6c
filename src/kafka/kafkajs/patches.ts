/**
 * All changes to the inside of kafkajs. Each change knows the version and the shape that it was made for, and refuses
 * to start on another: an upgrade has to look at them again.
 */
import { createRequire } from "node:module"
import type { Batch, Kafka } from "kafkajs"
import * as FetchResponse from "./FetchResponse.ts"

/** The version that these changes were made for. */
export const version = "2.2.4"

interface FetchArguments {
  readonly topics: ReadonlyArray<FetchResponse.AskedTopic>
}

interface FetchExchange {
  readonly response: { readonly decode: (raw: Buffer) => Promise<unknown>; readonly parse: unknown }
}

interface FetchModule {
  protocol: (of: { readonly version: string | number }) => (request: FetchArguments) => FetchExchange
}

const require = createRequire(import.meta.url)
let isApplied = false

/** To be called before the first connection; doing it again changes nothing. */
export const apply = (): void => {
  if (isApplied) return
  const { version: found }: { readonly version: string } = require("kafkajs/package.json")
  if (found !== version)
    throw new Error(`kafkajs ${found} is installed, and patches.ts was made for ${version}: review each patch`)
  decodeFetches()
  restWhenIdle()
  logInAgain()
  isApplied = true
}

/**
 * kafkajs lets records of aborted transactions through, takes an integer key of 0 for the end of one, needs the square
 * of the time for many headers, loses null ones, finds the prototype's names among them, unpacks whatever size comes,
 * fails all partitions for one batch, and reads the gap at the end of a compacted batch one offset a fetch.
 */
const decodeFetches = (): void => {
  const fetch: FetchModule = require("kafkajs/src/protocol/requests/fetch/index.js")
  const original = fetch.protocol
  if (typeof original !== "function") throw new Error("kafkajs has no fetch protocol where patches.ts looks for it")
  fetch.protocol = ({ version }) => {
    const exchange = original({ version })
    const number = Number(version)
    // Before version 4 there are no record batches.
    if (number < 4) return exchange
    return (request) => {
      const made = exchange(request)
      const decode = (raw: Buffer) => FetchResponse.decode(number, raw, request.topics)
      return { ...made, response: { ...made.response, decode } }
    }
  }
}

interface RequestQueue {
  readonly pending: ReadonlyArray<unknown>
  readonly scheduleCheckPendingRequests: () => void
}

/**
 * A connection with nothing to send looks at its empty queue a thousand times a second, for its timer is set to a time
 * that has passed (kafkajs issue 1704). Whatever is sent later is looked at when it comes: that is what kafkajs does
 * then.
 */
const restWhenIdle = (): void => {
  const { prototype }: { readonly prototype: RequestQueue } = require("kafkajs/src/network/requestQueue/index.js")
  const { scheduleCheckPendingRequests } = prototype
  if (typeof scheduleCheckPendingRequests !== "function")
    throw new Error("kafkajs has no request queue where patches.ts looks for it")
  Object.assign(prototype, {
    scheduleCheckPendingRequests(this: RequestQueue) {
      if (this.pending.length > 0) scheduleCheckPendingRequests.call(this)
    }
  })
}

interface SaslAuthenticator {
  /** Milliseconds as text, and 0 for no end. */
  sessionLifetime: string
  readonly authenticate: () => Promise<void>
}

/** The part of a session after which the connection logs in again, as in Kafka's own client. */
const sessionPart = 0.85

/**
 * kafkajs logs in again a fixed time before a session ends. Where the session is no longer than that, it does so with
 * every request, which brokers refuse. Here the time is a part of the session.
 */
const logInAgain = (): void => {
  const {
    prototype
  }: { readonly prototype: SaslAuthenticator } = require("kafkajs/src/broker/saslAuthenticator/index.js")
  const { authenticate } = prototype
  if (typeof authenticate !== "function")
    throw new Error("kafkajs has no SASL authenticator where patches.ts looks for it")
  Object.assign(prototype, {
    async authenticate(this: SaslAuthenticator) {
      await authenticate.call(this)
      this.sessionLifetime = String(Math.floor(Number(this.sessionLifetime) * sessionPart))
    }
  })
}

/** The offset that was asked for; kafkajs keeps it in the batch, though not in its types. */
export const fetchedOffset = (batch: Batch): number => {
  const offset = Number(Reflect.get(batch, "fetchedOffset"))
  if (!Number.isSafeInteger(offset)) throw new Error("kafkajs keeps no fetchedOffset in a batch")
  return offset
}

/** Makes a connection to the cluster of its own, for requests that kafkajs's public clients cannot send. */
export const createCluster = <A>(kafka: Kafka, options: object): A => {
  const symbol = Object.getOwnPropertySymbols(kafka).find(({ description }) => /createCluster$/.test(description ?? ""))
  const create: unknown = symbol === undefined ? undefined : Reflect.get(kafka, symbol)
  if (typeof create !== "function") throw new Error("kafkajs has no createCluster where patches.ts looks for it")
  return create(options)
}
