/**
 * The log file: reopened when it was moved or deleted, never through a link or file of another user; when it cannot be
 * used, the service continues without it.
 */
import { constants } from "node:fs"
import { type FileHandle, lstat, open, stat } from "node:fs/promises"
import { dirname } from "node:path"
import * as Effect from "effect/Effect"

/** The group may read it, others may not. */
const mode = 0o640
const append = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT
/** A folder like /tmp, where anybody may create a file of any name. */
const anybodys = 0o1002

const isOurs = (uid: number): boolean => process.getuid === undefined || uid === process.getuid()

const linkAt = (path: string) =>
  lstat(path).then(
    (stats) => (stats.isSymbolicLink() ? stats : undefined),
    () => undefined
  )

/** Only root and this user say where this user's log goes. */
const isTrusted = (link: { readonly uid: number }): boolean => isOurs(link.uid) || link.uid === 0

/** What is wrong with an open file that was not created just now. */
const suspicion = async (path: string, handle: FileHandle): Promise<string | undefined> => {
  const stats = await handle.stat()
  if (!stats.isFile()) return stats.isCharacterDevice() ? undefined : "it is not a regular file"
  const folder = await stat(dirname(path))
  if ((folder.mode & anybodys) !== anybodys) return undefined
  if (!isOurs(stats.uid) && stats.uid !== folder.uid) return "it belongs to another user, in a world-writable folder"
  return stats.nlink > 1 ? "it has another hard link, in a world-writable folder" : undefined
}

/** Why a log would not go there; undefined when there is no objection. Creates nothing. */
export const refusal = async (path: string): Promise<string | undefined> => {
  const link = await linkAt(path)
  return link !== undefined && !isTrusted(link) ? "it is a symbolic link of another user" : undefined
}

const openSafely = async (path: string): Promise<FileHandle> => {
  const refused = await refusal(path)
  if (refused !== undefined) throw new Error(`${path}: ${refused}`)
  if ((await linkAt(path)) !== undefined) return open(path, append, mode)
  // A link that appears now is not followed, and a pipe without a reader does not hold anything up.
  const handle = await open(path, append | constants.O_NOFOLLOW | constants.O_NONBLOCK, mode)
  const suspect = await suspicion(path, handle)
  if (suspect === undefined) return handle
  await handle.close()
  throw new Error(`${path}: ${suspect}`)
}

/** Whether the name still stands for the open file. */
const isCurrent = async (path: string, handle: FileHandle): Promise<boolean> => {
  const [named, opened] = await Promise.all([stat(path).catch(() => undefined), handle.stat()])
  return named !== undefined && named.ino === opened.ino && named.dev === opened.dev
}

/** Appends text to the file; `warn` hears of each time that it stops working, once. */
export const make = Effect.fnUntraced(function* (path: string, warn: (reason: string) => Effect.Effect<void>) {
  let handle: FileHandle | undefined
  let works = true
  const close = async (): Promise<void> => {
    const closing = handle
    handle = undefined
    await closing?.close()
  }
  const write = (text: string) =>
    Effect.tryPromise({
      try: async () => {
        if (handle !== undefined && !(await isCurrent(path, handle))) await close()
        handle ??= await openSafely(path)
        await handle.appendFile(text)
        works = true
      },
      catch: (error) => (error instanceof Error ? error.message : String(error))
    }).pipe(
      Effect.catch((reason) => {
        const isNews = works
        works = false
        return isNews ? warn(reason) : Effect.void
      })
    )
  yield* Effect.addFinalizer(() => Effect.promise(() => close().catch(() => undefined)))
  // So that what stands in the way is reported at start.
  yield* write("")
  return write
})
