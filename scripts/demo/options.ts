// What the demo is asked for on its command line.

export const USAGE = `Kafka to a warehouse on this machine: sends events, writes them with the service, and counts every record.

  npm run demo                     into DuckDB; at a terminal it then stays, with a shop and the live page, until Ctrl-C
  npm run demo -- --snowflake      into a Snowflake emulator, with SQL
  npm run demo -- --streaming      into a Snowflake emulator, over Snowpipe Streaming
  npm run demo -- --stay           stays without a terminal, too
  npm run demo -- --verbose        shows the logs of the service, and each query with its result
  npm run demo -- --help           shows this

It uses the Kafka of \`npm run kafka -- start\` where that runs. Else it starts one, and stops it at the end.
Tables and settings are in .cache/demo. Exit codes: 0 every record exactly once, 1 not so, 130 interrupted.
`

const flags = ["--snowflake", "--streaming", "--stay", "--verbose", "--help", "-h"]

/** The words that mean nothing here, or not together. */
export const unknown = (words: ReadonlyArray<string>): ReadonlyArray<string> => {
  const sinks = ["--snowflake", "--streaming"]
  if (sinks.every((sink) => words.includes(sink))) return sinks
  return words.filter((word) => !flags.includes(word))
}

export type Sink = "duckdb" | "snowflake" | "streaming"

export const sinkOf = (words: ReadonlyArray<string>): Sink =>
  words.includes("--streaming") ? "streaming" : words.includes("--snowflake") ? "snowflake" : "duckdb"

const given = process.argv.slice(2)

export const sink = sinkOf(given)

export const asksForHelp = given.includes("--help") || given.includes("-h")

export const verbose = given.includes("--verbose")

/**
 * Whether it continues after the verdict until Ctrl-C: for a person at a terminal, and with `npm run demo -- --stay`.
 */
export const stays = given.includes("--stay") || (process.stdout.isTTY === true && process.stdin.isTTY === true)
