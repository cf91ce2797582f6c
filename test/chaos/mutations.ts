/**
 * `npm run chaos:mutations`: takes one guarantee out of a copy of the service at a time, and demands that the chaos
 * suite notices.
 */
import { cp, mkdir, readFile, rm, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { type Options, run } from "./Chaos.ts"
import { scenarios } from "./Scenarios.ts"
import type { Sink } from "./World.ts"

interface Mutation {
  readonly name: string
  /** A file of dist, what is in it, and what takes its place. */
  readonly edits: ReadonlyArray<{ readonly file: string; readonly from: string; readonly to: string }>
  readonly sink: Sink
  readonly mode?: Options["mode"]
  /** The scenarios that should bring it to light. */
  readonly by: RegExp
}

const streamingFile = (name: string): string => `warehouse/snowflake/streaming/${name}.js`

const withoutFence = {
  edits: [{ file: "warehouse/snowflake/Sql.js", from: " AND EPOCH = s.E AND NEXT_OFFSET = s.F", to: "" }],
  sink: "snowflake",
  by: /lost_reply|SIGSTOP/
} as const

const mutations: ReadonlyArray<Mutation> = [
  { ...withoutFence, name: "the fence is taken out" },
  {
    ...withoutFence,
    name: "the fence is taken out, where a statement that waited reads what was before",
    mode: "snapshot"
  },
  { ...withoutFence, name: "the fence is taken out, where a MERGE does not wait", mode: "twins" },
  {
    name: "the ledger is read too late",
    edits: [
      {
        file: "pipeline/Claims.js",
        from: "? place.low : place.stand.next",
        to: "? place.low : (place.committed ?? place.low)"
      }
    ],
    sink: "snowflake",
    by: /SIGKILL after COMMIT/
  },
  {
    name: "the commit goes before the write",
    edits: [
      {
        file: "pipeline/Pipeline.js",
        from: "return writer.write(batch)",
        to: "return Effect.andThen(commit(assignment, positions), writer.write(batch))"
      }
    ],
    sink: "snowflake",
    by: /SIGKILL (while the INSERT runs|before COMMIT|between)/
  },
  {
    name: "Queue.end becomes Queue.shutdown",
    edits: [{ file: "pipeline/OpenGroup.js", from: "Queue.end(last.queue)", to: "Queue.shutdown(last.queue)" }],
    sink: "duckdb",
    by: /in hand/
  },
  {
    name: "kafkajs decides what is committed",
    edits: [{ file: "kafka/kafkajs/patches.js", from: "number < 4", to: "number < 40" }],
    sink: "duckdb",
    by: /in hand|backlog/
  },
  {
    name: "what is accepted is committed to Kafka",
    edits: [
      {
        file: "pipeline/Pipeline.js",
        from: "Effect.andThen(landing, one.withPermit(commit(assignment, positions)))",
        to: "Effect.andThen(one.withPermit(commit(assignment, positions)), landing)"
      }
    ],
    sink: "streaming",
    by: /SIGKILL when the rows are accepted|accepted and not durable/
  },
  {
    name: "records that are durable are sent again",
    edits: [{ file: streamingFile("Append"), from: "row.offset > lastRow", to: "row.offset >= 0" }],
    sink: "streaming",
    by: /SIGKILL when the offset tokens are there|storm/
  },
  {
    name: "other bytes go under the token of a request whose answer was lost",
    edits: [
      {
        file: streamingFile("Channel"),
        from: "return Effect.andThen(paced, send);",
        to: "accepted = inFlight.body.end; inFlight = undefined; return Effect.void;"
      }
    ],
    sink: "streaming",
    by: /streaming API: (reset|429)/
  },
  {
    name: "offset tokens are compared as text",
    edits: [
      {
        file: streamingFile("Append"),
        from: "row.offset > lastRow",
        to: "String(row.offset) > String(lastRow)"
      }
    ],
    sink: "streaming",
    by: /SIGKILL before the rows are sent|storm/
  }
]

const root = fileURLToPath(new URL("../../", import.meta.url))
const say = (line: string): void => void process.stdout.write(`${line}\n`)
let missed = 0
for (const [index, mutation] of mutations.entries()) {
  say(`\n${mutation.name}:`)
  const copy = join(root, ".cache", "mutants", String(index))
  await rm(copy, { recursive: true, force: true })
  await mkdir(copy, { recursive: true })
  await cp(join(root, "dist"), join(copy, "dist"), { recursive: true })
  await cp(join(root, "package.json"), join(copy, "package.json"))
  for (const { file, from, to } of mutation.edits) {
    const path = join(copy, "dist", file)
    const text = await readFile(path, "utf8")
    if (text.replace(from, to) === text) throw new Error(`${file} has no ${from} to take out`)
    await writeFile(path, text.replace(from, to))
  }
  const { problems } = await run({
    seed: 7,
    sinks: [mutation.sink],
    scenarios: scenarios.filter(({ isSlow, name }) => isSlow !== true && mutation.by.test(name)),
    perRound: 10,
    // Round after round until it is noticed: a fault may meet a claim, which has no rows.
    limit: 120_000,
    ...(mutation.mode && { mode: mutation.mode }),
    say,
    program: join(copy, "dist", "main.js")
  })
  if (problems.length === 0) missed += 1
  say(problems.length === 0 ? "NOT NOTICED" : `noticed, as expected: ${problems.join("; ").slice(0, 300)}`)
}
process.exit(missed === 0 ? 0 : 1)
