// `npm run kafka -- start|stop|status|topics|groups`: a real Apache Kafka on this machine for development, with the default topics.

import { deleteLocalKafkaData, findLocalKafka, type LocalKafka, startLocalKafka } from "./kafka/local.ts"
import { createTopics, listGroups, listTopics } from "./kafka/topics.ts"

const USAGE = `A real Apache Kafka broker on this machine, with the topics raw.orders.v1 and raw.clicks.v1.

  npm run kafka -- start               start it (does nothing when it runs already)
  npm run kafka -- status              address, process and topics; exit code 0 when it runs, 3 when not
  npm run kafka -- topics              its topics
  npm run kafka -- topics create NAME  create a topic (nothing happens when it is there)
  npm run kafka -- groups              its consumer groups: state, members, lag
  npm run kafka -- stop                stop it; the data are kept
  npm run kafka -- stop --delete       stop it and delete the data

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
    say(NOT_THERE)
    return NOT_RUNNING
  }
  say(`Apache Kafka is running on ${kafka.bootstrap} (${kafka.owner}).`)
  await showTopics(kafka)
  return 0
}

const NOT_THERE = "Apache Kafka is not running. Start it: npm run kafka -- start"

/** Exit code 3 while there is no broker to ask. */
const withKafka = async (use: (kafka: LocalKafka) => Promise<void>): Promise<number> => {
  const kafka = await findLocalKafka()
  if (kafka === undefined) {
    say(NOT_THERE)
    return NOT_RUNNING
  }
  await use(kafka)
  return 0
}

const createTopic = (name: string) =>
  withKafka(async ({ bootstrap }) => {
    const partitions = numberFrom("KAFKA_TOPIC_PARTITIONS", 3, 10_000)
    const created = await createTopics(bootstrap, partitions, [name])
    say(created.length > 0 ? `Created ${name} with ${partitions} partitions.` : `${name} is already there.`)
  })

const showGroups = () =>
  withKafka(async ({ bootstrap }) => {
    const groups = await listGroups(bootstrap)
    if (groups.length === 0) say("There are no consumer groups.")
    for (const { lag, members, name, state } of groups)
      say(`  ${name}  ${state}, ${members} ${members === 1 ? "member" : "members"}, lag ${lag}`)
  })

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
    if (command === "topics") return withKafka(showTopics)
    if (command === "groups") return showGroups()
    if (command === "--help" || command === "-h") {
      process.stdout.write(USAGE)
      return 0
    }
  }
  const [verb, name, ...others] = rest
  if (command === "topics" && verb === "create" && name !== undefined && others.length === 0) return createTopic(name)
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
