// The broker of the demo: the local Kafka if it runs already, else one that the demo starts and also stops.

import { findLocalKafka, type LocalKafka, startLocalKafka } from "../kafka/local.ts"
import { createTopics } from "../kafka/topics.ts"
import { freePort, isFree } from "../support/freePort.ts"

export interface DemoKafka {
  readonly bootstrap: string
  /** Stops it if the demo has started it, and nobody has stopped or restarted it since; else leaves it alone. Says which. */
  release(): Promise<void>
}

export const DEFAULT_PORT = 19_092
const PARTITIONS = 3

export const prepareKafka = async (say: (line: string) => void): Promise<DemoKafka> => {
  const running = await findLocalKafka()
  const kafka = running ?? (await startLocalKafka(await choosePort(say), say))
  const release = async () => {
    const now = await findLocalKafka()
    if (now === undefined) return say(`Apache Kafka (${kafka.owner}) was stopped meanwhile; its data are kept.`)
    // Whoever restarted it wants it to run.
    return running === undefined && now.owner === kafka.owner ? stop(now, say) : leave(now, say)
  }
  try {
    const created = await createTopics(kafka.bootstrap, PARTITIONS)
    const state = running === undefined ? "is ready" : "is already running, and is used as it is"
    say(`Apache Kafka ${state}: ${kafka.bootstrap} (${kafka.owner}).`)
    if (created.length > 0) say(`Created the topics ${created.join(" and ")}, ${PARTITIONS} partitions each.`)
    return { bootstrap: kafka.bootstrap, release }
  } catch (error) {
    await release()
    throw error
  }
}

/** The default port, or a free one when another program has it; without Docker the port above is needed as well. */
const choosePort = async (say: (line: string) => void): Promise<number> => {
  let port = DEFAULT_PORT
  while (!((await isFree(port)) && (await isFree(port + 1)))) port = await freePort()
  if (port !== DEFAULT_PORT) say(`Port ${DEFAULT_PORT} is in use by another program: taking port ${port}.`)
  return port
}

const stop = async (kafka: LocalKafka, say: (line: string) => void): Promise<void> => {
  say(`Stopping Apache Kafka (${kafka.owner}), which this demo started…`)
  await kafka.stop()
  say("Stopped; its data are kept. To have it run for longer: npm run kafka -- start")
}

const leave = async (kafka: LocalKafka, say: (line: string) => void): Promise<void> =>
  say(`Apache Kafka (${kafka.owner}) was not started by this demo and keeps running. To stop it: npm run kafka -- stop`)
