// Programs that Debian packages: taken from PATH, or installed when they are missing and we may, by one process at a
// time.
import { constants } from "node:fs"
import { access } from "node:fs/promises"
import { tmpdir } from "node:os"
import { delimiter, join } from "node:path"
import { runOrThrow } from "./command.ts"

/** The path of the first of these programs that PATH has. */
export const findProgram = async (...names: ReadonlyArray<string>): Promise<string | undefined> => {
  const folders = (process.env["PATH"] ?? "").split(delimiter)
  for (const path of names.flatMap((name) => folders.map((folder) => join(folder, name)))) {
    if (await isAllowed(path, constants.X_OK)) return path
  }
  return undefined
}

/** The path of a program; on Debian, as root, its package is installed if it has to be. */
export const ensureDebianPackage = async (binary: string, debianPackage: string): Promise<string> => {
  const present = await findProgram(binary)
  if (present !== undefined) return present
  const mayInstall = process.getuid?.() === 0 && (await isAllowed("/etc/debian_version", constants.R_OK))
  if (mayInstall) await install(binary, debianPackage)
  const installed = await findProgram(binary)
  if (installed !== undefined) return installed
  throw new Error(`${binary} is not installed. Run: sudo apt-get install --no-install-recommends ${debianPackage}`)
}

/**
 * apt does not wait for another apt, so that a lock is put before it; the kernel gives it back whatever becomes of us.
 */
const install = (binary: string, debianPackage: string): Promise<string> => {
  const missing = 'command -v "$1" || { apt-get update && apt-get install -y --no-install-recommends "$2"; }'
  const script = `export DEBIAN_FRONTEND=noninteractive; ${missing}`
  return runOrThrow("flock", [join(tmpdir(), "bronze-apt.lock"), "sh", "-c", script, "sh", binary, debianPackage])
}

const isAllowed = (path: string, mode: number): Promise<boolean> =>
  access(path, mode).then(
    () => true,
    () => false
  )
