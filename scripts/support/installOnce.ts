// Fills a directory exactly once, however many processes ask at the same time; a half-filled directory is never seen.
import { existsSync } from "node:fs"
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises"
import { dirname } from "node:path"
import { sleep } from "./command.ts"
import { isAlive } from "./daemon.ts"

/** `fill` gets an empty directory beside `target`; when it succeeds, that directory becomes `target` by one rename. */
export const installOnce = async (target: string, fill: (into: string) => Promise<void>): Promise<string> => {
  const lock = `${target}.lock`
  await mkdir(dirname(target), { recursive: true })
  while (!existsSync(target)) {
    if (!(await takeLock(lock))) {
      await sleep(200)
      continue
    }
    const partial = `${target}.partial-${process.pid}`
    try {
      // Another process may have finished between our look at the target and the lock.
      if (existsSync(target)) break
      await rm(partial, { recursive: true, force: true })
      await mkdir(partial)
      await fill(partial)
      await rename(partial, target).catch((error: unknown) => {
        if (!existsSync(target)) throw error
      })
    } finally {
      await rm(partial, { recursive: true, force: true })
      await rm(lock, { force: true })
    }
  }
  return target
}

const takeLock = async (lock: string): Promise<boolean> => {
  try {
    await writeFile(lock, String(process.pid), { flag: "wx" })
    return true
  } catch {
    const owner = Number(await readFile(lock, "utf8").catch(() => ""))
    // A lock whose owner was killed is nobody's. Two thieves at once do no harm: each fills its own partial directory.
    if (owner > 0 && !isAlive(owner)) await rm(lock, { force: true })
    return false
  }
}
