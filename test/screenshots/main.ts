/**
 * `npm run screenshots`: remakes the pictures of docs/images: the way from a click to its row, which its test takes, and
 * the live page in its states.
 */
import { mkdir, mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { killAll } from "../../scripts/support/bronzeProcess.ts"
import { runOrThrow } from "../../scripts/support/command.ts"
import { projectRoot } from "../../scripts/support/paths.ts"
import { takeStates } from "./states.ts"

const images = join(projectRoot, "docs", "images")
const say = (line: string): void => void process.stdout.write(`${line}\n`)
const folder = await mkdtemp(join(tmpdir(), "bronze-screenshots-"))

try {
  say("The way from a click to its row…")
  const test = "test/integration/FromClickToRow.test.ts"
  const { CHROMIUM = "" } = process.env
  await runOrThrow("npx", ["vitest", "run", "--project", "integration", test], {
    cwd: projectRoot,
    env: { SCREENSHOTS: images, ...(CHROMIUM !== "" && { CHROMIUM }) }
  })
  await mkdir(join(images, "page"), { recursive: true })
  await takeStates(folder, (name) => {
    say(`page/${name}.png`)
    return join(images, "page", `${name}.png`)
  })
} finally {
  killAll()
  await rm(folder, { recursive: true, force: true })
}
