// A Python of its own for what a requirements.txt pins, under .cache; installed once, and again when the pins change.
import { createHash } from "node:crypto"
import { existsSync } from "node:fs"
import { readFile } from "node:fs/promises"
import { join } from "node:path"
import { lastLines, runCommand, runOrThrow } from "./command.ts"
import { installOnce } from "./installOnce.ts"
import { cacheDir } from "./paths.ts"

/**
 * The folder of its programs; `name` is that of its folder under .cache, `what` it is for is named in errors and said
 * before it is installed. Throws an Error that names what has to be installed: "Python 3.10" or "python3-venv".
 */
export const installPython = async (
  name: string,
  what: string,
  requirements: string,
  say: (line: string) => void = () => {}
): Promise<string> => {
  // Named after its contents: other pins get another environment, never a stale one.
  const digest = createHash("sha256")
    .update(await readFile(requirements))
    .digest("hex")
    .slice(0, 12)
  const target = join(cacheDir, name, `venv-${digest}`)
  if (!existsSync(target)) {
    await requirePython()
    await installOnce(target, async (into) => {
      say(`Installing ${what} from PyPI (once)…`)
      await runOrThrow("python3", ["-m", "venv", into])
      const pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", requirements]
      const { code, output } = await runCommand(join(into, "bin", "python"), pip)
      if (code !== 0) throw new Error(`pip could not install ${what}:\n${lastLines(output)}`)
    })
  }
  return join(target, "bin")
}

const requirePython = async (): Promise<void> => {
  const { code } = await runCommand("python3", ["-c", "import sys; sys.exit(sys.version_info < (3, 10))"])
  if (code !== 0)
    throw new Error("Python 3.10 or newer is missing. On Debian or Ubuntu: apt-get install python3 python3-venv")
  // Debian splits the standard library: without python3-venv, `python3 -m venv` exists and fails.
  if ((await runCommand("python3", ["-c", "import ensurepip, venv"])).code !== 0) {
    throw new Error("python3-venv is missing. On Debian or Ubuntu: apt-get install python3-venv")
  }
}
