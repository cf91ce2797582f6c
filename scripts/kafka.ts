// `npm run kafka -- start|stop|status`: a real Apache Kafka on this machine for development, with the default topics.

import { deleteLocalKafkaData, findLocalKafka, type LocalKafka, startLocalKafka } from "./kafka/local.ts"
import { createTopics, listTopics } from "./kafka/topics.ts"

const USAGE = `A real Apache Kafka broker on this machine, with the topics raw.orders.v1 and raw.clicks.v1.

  npm run kafka -- start           start it (does nothing when it runs already)
  npm run kafka -- status          address, process and topics; exit code 0 when it runs, 3 when not
  npm run kafka -- stop            stop it; the data are kept
  npm run kafka -- stop --delete   stop it and delete the data

It runs in Docker where an engine answers, else on Java 17 or newer with jars that Maven downloads once.

  KAFKA_PORT              port on 127.0.0.1 (default 19092; without Docker the port above it is used too)
  KAFKA_TOPIC_PARTITIONS  partitions of a topic that is created (default 3)
`

const NOT_RUNNING = 3
const USAGE_ERROR = 64

const say = (line: string): void => {
  process.stdout.write(`${line}\n`)
}

const numberFrom = (name: string, fallback: number, highest: number): number => {
  const text = process.env[name]
  if (text === undefined || text === "") return fallback
  const value = Number(text)
  if (Number.isInteger(value) && value >= 1 && value <= highest) return value
  throw new Error(`${name} is "${text}"; expected a whole number from 1 to ${highest}.`)
}

const start = async (): Promise<number> => {
  const port = numberFrom("KAFKA_PORT", 19_092, 65_534)
  const partitions = numberFrom("KAFKA_TOPIC_PARTITIONS", 3, 10_000)
  const running = await findLocalKafka()
  const kafka = running ?? (await startLocalKafka(port, say))
  const created = await createTopics(kafka.bootstrap, partitions)
  if (created.length > 0) say(`Created ${created.join(" and ")}.`)
  say(
    `Apache Kafka ${running === undefined ? "is ready" : "is already running"} on ${kafka.bootstrap} (${kafka.owner}).`
  )
  return 0
}

const stop = async (deleteData: boolean): Promise<number> => {
  const kafka = await findLocalKafka()
  if (kafka === undefined) {
    say("Apache Kafka is not running.")
  } else {
    say(`Stopping Apache Kafka (${kafka.owner})…`)
    await kafka.stop()
    say(deleteData ? "Stopped." : `Stopped. The data are kept in ${kafka.dataDir}.`)
  }
  if (deleteData) {
    await deleteLocalKafkaData()
    say("The data are deleted.")
  }
  return 0
}

const status = async (): Promise<number> => {
  const kafka = await findLocalKafka()
  if (kafka === undefined) {
    say("Apache Kafka is not running. Start it: npm run kafka -- start")
    return NOT_RUNNING
  }
  say(`Apache Kafka is running on ${kafka.bootstrap} (${kafka.owner}).`)
  await showTopics(kafka)
  return 0
}

const showTopics = async ({ bootstrap }: LocalKafka): Promise<void> => {
  const topics = await listTopics(bootstrap)
  const width = Math.max(0, ...topics.map(({ name }) => name.length))
  for (const { name, partitions } of topics) {
    say(`  ${name.padEnd(width)}  ${partitions} ${partitions === 1 ? "partition" : "partitions"}`)
  }
}

const run = (args: ReadonlyArray<string>): Promise<number> | number => {
  const [command, ...rest] = args
  const deleteData = command === "stop" && rest.length === 1 && rest[0] === "--delete"
  if (rest.length === 0 || deleteData) {
    if (command === "start") return start()
    if (command === "stop") return stop(deleteData)
    if (command === "status") return status()
    if (command === "--help" || command === "-h") {
      process.stdout.write(USAGE)
      return 0
    }
  }
  const problem = command === undefined ? "Specify a command." : `Unknown: ${args.join(" ")}`
  process.stderr.write(`${problem}\n\n${USAGE}`)
  return USAGE_ERROR
}

try {
  process.exitCode = await run(process.argv.slice(2))
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 1
}
