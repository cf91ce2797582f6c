/** Estimates the cost of this process: a virtual warehouse is billed for the time it runs, not for its work. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { Session } from "./Driver.ts"

/**
 * AUTO_SUSPEND as sql/snowflake/01_schema.sql sets it, and the least that is paid for each time a warehouse wakes up.
 */
export const autoSuspendSeconds = 60

/** Of the smallest size; each size more doubles it. */
export const creditsPerHour = 1

/** What BEGIN, COMMIT, ALTER SESSION and the like ask for needs no warehouse. */
const needsWarehouse = /^(INSERT|UPDATE|MERGE|SELECT|WITH)\b/

const autoSuspend = autoSuspendSeconds * 1000

/**
 * Adds up the time that statements keep a warehouse awake; what others do on it is not known here. Times in
 * milliseconds.
 */
export const make = () => {
  let awake = 0
  let until = 0
  return {
    ran: (began: number, ended: number): void => {
      const next = ended + autoSuspend
      awake += began > until ? next - began : Math.max(0, next - until)
      until = Math.max(until, next)
    },
    credits: (now: number): number => ((awake - Math.max(0, until - now)) / 3_600_000) * creditsPerHour
  }
}

/** The session, with its statements noted. */
export const metered = (session: Session, { ran }: ReturnType<typeof make>): Session => {
  const noted = <A, E>(sql: string, send: Effect.Effect<A, E>): Effect.Effect<A, E> =>
    needsWarehouse.test(sql)
      ? Effect.flatMap(Clock.currentTimeMillis, (began) =>
          Effect.ensuring(
            send,
            Effect.map(Clock.currentTimeMillis, (ended) => ran(began, ended))
          )
        )
      : send
  return {
    ...session,
    execute: (sql, binds) => noted(sql, session.execute(sql, binds)),
    query: (sql, binds) => noted(sql, session.query(sql, binds)),
    read: (sql, most) => noted(sql, session.read(sql, most))
  }
}

/** What BATCH_TIMEOUT comes to, in a sentence. */
export const told = (seconds: number): string =>
  seconds < autoSuspendSeconds
    ? `BATCH_TIMEOUT ${seconds} is shorter than AUTO_SUSPEND (${autoSuspendSeconds} s): a trickle of events keeps the warehouse awake, up to 24 credits a day for XS, twice that for each size more. BATCH_TIMEOUT=300 makes it about ${Math.round(creditsPerDay(300))}`
    : `BATCH_TIMEOUT ${seconds}: a trickle of events costs up to ${creditsPerDay(seconds).toFixed(1)} credits a day for XS, twice that for each size more`

/** Credits a day on the smallest size where events trickle in all day, so that a write comes each `seconds`. */
export const creditsPerDay = (seconds: number): number =>
  24 * creditsPerHour * Math.min(1, (autoSuspendSeconds + 3) / seconds)
