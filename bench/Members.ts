/** The part that measures one, two and four members of a group on 8 partitions, while each statement takes 300 ms. */
import { setTimeout as sleep } from "node:timers/promises"
import { freePort } from "../scripts/support/freePort.ts"
import type { Bench, Part } from "./Bench.ts"
import * as Load from "./Load.ts"
import { settingsFor } from "./NullClient.ts"
import { topicOf } from "./Orders.ts"
import type { Measurement } from "./Results.ts"
import * as Service from "./Service.ts"
import type { Figures } from "./Subject.ts"
import { machineCpuSeconds } from "./Usage.ts"

const partitions = 8
const latency = 300

/** Long enough for some writes of each session, in milliseconds. */
const window = 20_000

export const subjectOf = (members: number, locks: boolean): string =>
  `${members} ${members === 1 ? "member" : "members"}${locks ? ", the ledger locked from UPDATE to COMMIT" : ""}`

export const counts = [1, 2, 4] as const

const measure = async (bench: Bench, members: number, locks: boolean): Promise<Figures> => {
  const topic = topicOf(bench.events, { partitions })
  await Load.fill(bench.bootstrap, topic, bench.say)
  await bench.snowflake.control({ latency: 0, locks, reset: true })
  const settings = settingsFor(bench.snowflake.url)
  const env = await Service.environment({ ...bench, topic: topic.name, settings })
  const services = await Promise.all(
    Array.from({ length: members }, async () => Service.launch({ ...env, HTTP_PORT: String(await freePort()) }))
  )
  try {
    await Promise.all(services.map(({ process }) => process.line(/Joining group/, { timeout: 120_000 })))
    await bench.snowflake.control({ latency, locks })
    const each = String(partitions / members)
    const began = Math.max(...(await Promise.all(services.map((service) => Service.assigned(service, each)))))
    const [cpu, at] = [machineCpuSeconds(), performance.now()]
    await Promise.race([sleep(window), bench.snowflake.reached(topic.events, window)])
    const busyCores = (machineCpuSeconds() - cpu) / ((performance.now() - at) / 1000)
    const { commits } = await bench.snowflake.stats()
    // From the first commit of the complete group to the last: what it took to join is not in it.
    const [first, ...rest] = commits.filter((commit) => commit.at > began)
    const last = rest.at(-1)
    if (first === undefined || last === undefined) throw new Error(`${commits.length} writes in ${window / 1000} s`)
    const seconds = (last.at - first.at) / 1000
    const events = rest.reduce((sum, { rows }) => sum + rows, 0)
    return { events, seconds, rate: events / seconds, busyCores }
  } finally {
    await Promise.all(services.map(Service.kill))
  }
}

const members: Part = {
  name: "members",
  about: "1, 2 and 4 members on 8 partitions, 300 ms per statement",
  runs: "not quick",
  run: async (bench) => {
    const measured: Array<Measurement> = []
    for (const locks of [false, true])
      for (const count of counts) {
        const subject = subjectOf(count, locks)
        const figures = await measure(bench, count, locks)
        measured.push({ part: members.name, subject, round: 1, figures })
        bench.say(
          `  ${subject}: ${Math.round(figures.rate ?? 0)} events/s, ${figures.busyCores?.toFixed(1)} cores busy`
        )
      }
    return measured
  }
}

export const parts: ReadonlyArray<Part> = [members]
