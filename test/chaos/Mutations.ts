/** The guarantees that `npm run chaos:mutations` takes out, each as an edit of the built service. */
import type { Options } from "./Chaos.ts"
import type { Sink } from "./World.ts"

export interface Mutation {
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

export const mutations: ReadonlyArray<Mutation> = [
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
        file: "pipeline/Landing.js",
        from: "return writer.write(batch)",
        to: "return Effect.andThen(committing(positions), writer.write(batch))"
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
        file: "pipeline/Landing.js",
        from: "Effect.andThen(landing, committing(positions))",
        to: "Effect.andThen(committing(positions), landing)"
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
