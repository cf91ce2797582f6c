/**
 * `npm run chaos:mutations`: takes one guarantee out of a copy of the service at a time, and demands that the chaos
 * suite notices.
 */
import { cp, mkdir, readFile, rm, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { run } from "./Chaos.ts"
import { mutations } from "./Mutations.ts"
import { scenarios } from "./Scenarios.ts"

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
