/**
 * The part that measures one, two and four members of a group on 8 partitions, while each statement, or each answer of the
 * streaming API, takes 300 ms.
 */
import { setTimeout as sleep } from "node:timers/promises"
import { freePort } from "../scripts/support/freePort.ts"
import { type Bench, type Part, steadyRate } from "./Bench.ts"
import * as Load from "./Load.ts"
import { settingsFor, streamingSettingsFor } from "./NullClient.ts"
import { topicOf } from "./Orders.ts"
import type { Measurement } from "./Results.ts"
import * as Service from "./Service.ts"
import type { Figures } from "./Subject.ts"
import { machineCpuSeconds } from "./Usage.ts"

const partitions = 8
const latency = 300

/** Long enough for some writes of each session, in milliseconds. */
const window = 20_000

/** What the members share besides the topic. */
export const doors = ["", ", the ledger locked from UPDATE to COMMIT", ", streaming"] as const
export type Door = (typeof doors)[number]

export const subjectOf = (members: number, door: Door): string =>
  `${members} ${members === 1 ? "member" : "members"}${door}`

export const counts = [1, 2, 4] as const

const measure = async (bench: Bench, members: number, door: Door): Promise<Figures> => {
  const locks = door === doors[1]
  const topic = topicOf(bench.events, { partitions })
  await Load.fill(bench.bootstrap, topic, bench.say)
  await bench.snowflake.control({ latency: 0, locks, reset: true })
  const { folder, snowflake } = bench
  const settings = door === doors[2] ? await streamingSettingsFor(snowflake.url, folder) : settingsFor(snowflake.url)
  const env = await Service.environment({ ...bench, topic: topic.name, settings })
  const services = await Promise.all(
    Array.from({ length: members }, async () => Service.launch({ ...env, HTTP_PORT: String(await freePort()) }))
  )
  try {
    await Promise.all(services.map(({ process }) => process.line(/Joining group/, { timeout: 120_000 })))
    await bench.snowflake.control({ latency, locks, durable: 0 })
    const each = String(partitions / members)
    const began = Math.max(...(await Promise.all(services.map((service) => Service.assigned(service, each)))))
    const [cpu, at] = [machineCpuSeconds(), performance.now()]
    await Promise.race([sleep(window), bench.snowflake.reached(topic.events, window)])
    const busyCores = (machineCpuSeconds() - cpu) / ((performance.now() - at) / 1000)
    const { commits } = await bench.snowflake.stats()
    // Of the complete group: what it took to join is not in it.
    const complete = commits.filter((commit) => commit.at > began)
    return { rate: steadyRate(complete), busyCores }
  } finally {
    await Promise.all(services.map(Service.kill))
  }
}

const members: Part = {
  name: "members",
  about: "1, 2 and 4 members on 8 partitions, 300 ms per statement or answer",
  runs: "not quick",
  run: async (bench) => {
    const measured: Array<Measurement> = []
    for (const door of doors)
      for (const count of counts) {
        const subject = subjectOf(count, door)
        const figures = await measure(bench, count, door)
        measured.push({ part: members.name, subject, round: 1, figures })
        bench.say(
          `  ${subject}: ${Math.round(figures.rate ?? 0)} events/s, ${figures.busyCores?.toFixed(1)} cores busy`
        )
      }
    return measured
  }
}

export const parts: ReadonlyArray<Part> = [members]
