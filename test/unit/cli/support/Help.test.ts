/** Help fits the terminal, and what was not understood is said in a line. */
import { assert, describe, it } from "@effect/vitest"
import * as Console from "effect/Console"
import * as CliError from "effect/cli/CliError"
import * as Effect from "effect/Effect"
import { run } from "../../../../src/cli/Cli.ts"
import { wrap } from "../../../../src/cli/support/Help.ts"
import * as Misuse from "../../../../src/cli/support/Misuse.ts"

/** What a command line prints. */
const printed = async (words: ReadonlyArray<string>): Promise<string> => {
  const lines: Array<string> = []
  const console: Console.Console = { ...globalThis.console, log: (...texts) => void lines.push(texts.join(" ")) }
  await Effect.runPromise(Effect.provideService(run(words), Console.Console, console))
  return lines.join("\n")
}
const commands = ["run", "init", "doctor", "status", "monitor", "produce", "audit", "reset", "dlq"]

describe("help", () => {
  it("fits 80 columns, whole words, examples apart, for every command", async () => {
    for (const words of [
      [],
      ...commands.map((name) => [name]),
      ...["list", "show", "replay"].map((name) => ["dlq", name])
    ]) {
      const text = await printed([...words, "--help"])
      for (const line of text.split("\n")) assert.isAtMost(line.length, 80, `${words.join(" ")}: ${line}`)
      assert.match(text, /\n\nEXAMPLES\n/)
      assert.strictEqual(await printed(["help", ...words]), text)
    }
  })
  it("of a wide terminal uses it, and that of a narrow one stays in its columns", () => {
    const text = "FLAGS\n  --rate number    Events per second (default: as fast as Kafka accepts them)"
    assert.strictEqual(wrap(text, 100), text)
    assert.strictEqual(
      wrap(text, 44),
      "FLAGS\n  --rate number    Events per second\n                   (default: as fast as\n                   Kafka accepts them)"
    )
  })
  it("counts no colours, and breaks no command", () => {
    const green = (word: string) => `\u001b[32m${word}\u001b[0m`
    const line = `  ${green("run")}    Consume until stopped`
    assert.strictEqual(wrap(`SUBCOMMANDS\n${line}`, 31), `SUBCOMMANDS\n${line}`)
    const command = "  bronze-consumer reset raw.orders.v1 --to earliest --dry-run"
    assert.include(
      wrap(`USAGE\n  x\nEXAMPLES\n  # What would happen\n${command}`, 20),
      `\n\nEXAMPLES\n  # What would\n  # happen\n${command}`
    )
  })
})

describe("words", () => {
  it("help and version are commands", async () => {
    assert.match(await printed(["help", "produce"]), /--new-fields/)
    assert.match(await printed(["version"]), /^bronze-consumer v\d/)
    assert.strictEqual(await printed(["version"]), await printed(["--version"]))
  })
  it("that have a wrong value: the flag, the value, what it must be", () => {
    const said = (expected: string, value = "0", kind: "flag" | "argument" = "flag") =>
      Misuse.describe(new CliError.InvalidValue({ option: "rate", value, expected, kind }))
    assert.strictEqual(
      said("Schema validation failed: Expected a value greater than 0"),
      "--rate 0: must be greater than 0"
    )
    assert.strictEqual(
      said("Schema validation failed: Expected a value between 1 and 10"),
      "--rate 0: must be between 1 and 10"
    )
    assert.strictEqual(said("Expected a string representing a finite number", "x"), "--rate x: must be a number")
    assert.strictEqual(said("Expected an integer", "1.5", "argument"), "RATE 1.5: must be a whole number")
    assert.strictEqual(said('"a" | "b"', "c"), "--rate c: must be one of a, b")
    assert.strictEqual(said("Path does not exist: /a/b", "b"), "--rate b: does not exist")
    assert.strictEqual(said("number", ""), "--rate needs a value")
  })
})
