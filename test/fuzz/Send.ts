/** Sends fuzzed records with librdkafka, a client of its own, and says where each one landed. */
import { spawn } from "node:child_process"
import { once } from "node:events"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { Readable } from "node:stream"
import { pipeline } from "node:stream/promises"
import { fileURLToPath } from "node:url"
import { installPython } from "../../scripts/support/python.ts"
import type { Fuzzed } from "./Records.ts"

const here = fileURLToPath(new URL(".", import.meta.url))

/** A place in the topic, as a key for maps. */
export const placeOf = (partition: unknown, offset: unknown): string => `${partition}@${offset}`

const line = ({ codec, headers, key, timestamp, value }: Fuzzed): string =>
  `${JSON.stringify({
    codec,
    timestamp,
    key: key?.toString("base64") ?? null,
    value: value?.toString("base64") ?? null,
    headers: headers.map(([name, content]) => [name, content?.toString("base64") ?? null])
  })}\n`

/** Makes the topic as well. Each record by its place. */
export const send = async (
  bootstrap: string,
  topic: string,
  partitions: number,
  records: ReadonlyArray<Fuzzed>
): Promise<ReadonlyMap<string, Fuzzed>> => {
  const python = join(
    await installPython("fuzz", "a Kafka client for the fuzz run", join(here, "requirements.txt")),
    "python"
  )
  const child = spawn(python, [join(here, "producer.py"), bootstrap, topic, String(partitions)], {
    stdio: ["pipe", "pipe", "inherit"]
  })
  const closed = once(child, "close")
  const sent = new Map<string, Fuzzed>()
  createInterface({ input: child.stdout }).on("line", (text) => {
    const [index, partition, offset] = text.split(" ")
    const record = records[Number(index)]
    if (record !== undefined) sent.set(placeOf(partition, offset), record)
  })
  await pipeline(Readable.from(records.map(line)), child.stdin)
  const [code] = await closed
  if (code !== 0 || sent.size !== records.length)
    throw new Error(`the producer ended with ${code}; ${sent.size} of ${records.length} records were sent`)
  return sent
}
