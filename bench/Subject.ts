/** Runs a subject as a process of its own, and measures it from where it begins to where it ends. */
import { fileURLToPath } from "node:url"
import { start } from "../scripts/support/bronzeProcess.ts"
import type { Measurement } from "./Results.ts"
import * as Usage from "./Usage.ts"

export type Figures = Measurement["figures"]

/** No subject takes longer; one that does has failed. */
const limit = 900_000

export const run = async (file: string, args: ReadonlyArray<string | number>): Promise<Figures> => {
  const program = fileURLToPath(new URL(file, import.meta.url))
  const subject = start({ NODE_OPTIONS: "--import=tsx" }, args.map(String), program)
  try {
    await subject.line(/^begin$/, { timeout: 60_000 })
    const usage = Usage.watch(subject.pid)
    const { text } = await subject.line(/^\{"events"/, { timeout: limit })
    const used = usage.stop()
    const { events, seconds }: { readonly events: number; readonly seconds: number } = JSON.parse(text)
    return figuresOf(events, seconds, used)
  } finally {
    subject.signal("SIGKILL")
    await subject.exit
  }
}

export const figuresOf = (events: number, seconds: number, used: Usage.Used): Figures => ({
  ...{ events, seconds },
  rate: events / seconds,
  cpuPerMillion: (used.cpuSeconds / events) * 1_000_000,
  ...{ peakRss: used.peakRss, growth: used.growth }
})
