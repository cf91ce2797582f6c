// The end of the demo, for a person: the shop and the consumer with its live page run side by side until Ctrl-C, so
// that one sees one's own click become a row.
import { connect } from "node:net"
import { setTimeout as wait } from "node:timers/promises"
import { API_PORT, defaultPorts, PAGE_PORT } from "../shop/settings.ts"
import { freePort, isFree } from "../support/freePort.ts"
import { ENV_FILE, writeEnv } from "./folder.ts"
import { blank, say, showLogs } from "./page.ts"
import { runUntilStopped, stopped } from "./run.ts"
import { type Environment, shop, start } from "./service.ts"

const LIVE_PORT = 9464
const LIMIT_MS = 60_000

export const keepShop = async (settings: Environment): Promise<void> => {
  const live = await choosePort(LIVE_PORT)
  const page = await choosePort(defaultPorts[PAGE_PORT])
  const api = await choosePort(defaultPorts[API_PORT])
  const env = {
    ...settings,
    HTTP_PORT: String(live),
    HTTP_SHOW_EVENTS: "true",
    [PAGE_PORT]: String(page),
    [API_PORT]: String(api)
  }
  await writeEnv(env)
  // The shop is named first, so that it is stopped first: what it still sends is read.
  await runUntilStopped([start(env, [], shop), start(env, [])], async () => {
    await Promise.all([ready(`http://127.0.0.1:${api}/healthz`), ready(`http://127.0.0.1:${live}/readyz`)])
    if (stopped.aborted) return
    invite(page, live)
    showLogs()
  })
}

const invite = (page: number, live: number): void => {
  blank()
  say(`Open   http://localhost:${page}   and click a dish, or order it: that is an event in Kafka.`)
  say(`Watch  http://localhost:${live}   : within about 5 seconds your click is a row there.`)
  blank()
  say("From another terminal in this folder:")
  say(`   npx bronze-consumer --env-file ${ENV_FILE} status`)
  say(`   npx bronze-consumer --env-file ${ENV_FILE} produce --count 20`)
  say("Ctrl-C flushes, stops all of it, and counts again.")
  blank()
}

/**
 * The usual port, or a free one. A browser asks for localhost on ::1 first: another program there would take our place.
 */
const choosePort = async (usual: number): Promise<number> => {
  if ((await isFree(usual)) && !(await answersOnIpv6(usual))) return usual
  const port = await freePort()
  say(`Port ${usual} is in use by another program: taking port ${port}.`)
  return port
}

const answersOnIpv6 = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect({ host: "::1", port })
    socket.once("connect", () => {
      socket.destroy()
      resolve(true)
    })
    socket.once("error", () => resolve(false))
  })

/** Resolves when it answers with 200, or when the user has stopped the demo. */
const ready = async (url: string): Promise<void> => {
  const until = Date.now() + LIMIT_MS
  while (!stopped.aborted) {
    const isReady = await fetch(url, { signal: AbortSignal.timeout(5000) }).then(
      ({ ok }) => ok,
      () => false
    )
    if (isReady) return
    if (Date.now() > until) throw new Error(`${url} was not ready within ${LIMIT_MS / 1000} s.`)
    await wait(200)
  }
}
