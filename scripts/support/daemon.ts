// A background process with a log file, that either outlives this process (survive) or is certain to die with it.
import { type ChildProcess, spawn } from "node:child_process"
import { closeSync, openSync, readFileSync } from "node:fs"
import { Socket } from "node:net"
import { lastLines, sleep } from "./command.ts"

export interface DaemonOptions {
  readonly program: string
  readonly args: ReadonlyArray<string>
  readonly logFile: string
  readonly env?: Readonly<Record<string, string>>
  /** true: keeps running when this process ends. Default false: killed with it, even when this process is SIGKILLed. */
  readonly survive?: boolean
}

export class Daemon {
  readonly pid: number
  readonly exited: Promise<void>
  #running = true

  constructor(
    private readonly child: ChildProcess,
    private readonly logFile: string,
    readonly name: string
  ) {
    if (child.pid === undefined) throw new Error(`${name} could not be started`)
    this.pid = child.pid
    this.exited = new Promise((resolve) => {
      child.once("exit", () => {
        this.#running = false
        resolve()
      })
    })
  }

  get running(): boolean {
    return this.#running
  }

  signal(signal: NodeJS.Signals): void {
    if (this.#running) this.child.kill(signal)
  }

  /** SIGTERM, then SIGKILL after the limit; resolves when the process is gone. */
  async stop(limitMs = 20_000): Promise<void> {
    this.signal("SIGTERM")
    const timer = setTimeout(() => this.signal("SIGKILL"), limitMs)
    // The child is unref'd: this timer is also what keeps the event loop alive while we wait.
    await this.exited
    clearTimeout(timer)
  }

  /** Polls until `ready` resolves; throws with the end of the log when the process dies or the time is over. */
  async waitUntil(ready: () => Promise<unknown>, limitMs = 60_000): Promise<void> {
    const deadline = Date.now() + limitMs
    let reason: unknown
    while (Date.now() < deadline) {
      if (!this.#running) throw new Error(`${this.name} ended while starting:\n${this.logTail()}`)
      try {
        await ready()
        return
      } catch (error) {
        reason = error
      }
      await sleep(100)
    }
    this.signal("SIGKILL")
    throw new Error(`${this.name} was not ready after ${limitMs / 1000} s (${String(reason)}):\n${this.logTail()}`)
  }

  logTail(): string {
    return lastLines(readFileSync(this.logFile, "utf8"))
  }
}

export const startDaemon = async (options: DaemonOptions): Promise<Daemon> => {
  const log = openSync(options.logFile, "a")
  const child = spawn(options.program, options.args, {
    detached: true,
    stdio: ["ignore", log, log],
    env: { ...process.env, ...options.env }
  })
  closeSync(log)
  await new Promise<void>((resolve, reject) => {
    child.once("spawn", resolve)
    child.once("error", reject)
  })
  child.unref()
  const daemon = new Daemon(child, options.logFile, options.program)
  if (options.survive !== true) guard(daemon)
  return daemon
}

// A hook on our own exit would miss SIGKILL and a test worker that is terminated. The kernel closes a pipe in every
// case, so a tiny shell waits for that and kills the daemon.
const guard = (daemon: Daemon): void => {
  const watchdog = spawn("/bin/sh", ["-c", `read -r _; kill -9 ${daemon.pid} 2>/dev/null`], {
    detached: true,
    stdio: ["pipe", "ignore", "ignore"]
  })
  watchdog.unref()
  if (watchdog.stdin instanceof Socket) watchdog.stdin.unref()
  // Once the daemon is gone its pid may belong to someone else: the watchdog must go first.
  void daemon.exited.then(() => watchdog.kill("SIGKILL"))
}

/** A process that has ended meanwhile needs no signal. */
export const signalIfAlive = (pid: number, signal: NodeJS.Signals): void => {
  try {
    process.kill(pid, signal)
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) throw error
  }
}

export const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    // EPERM: it lives, but belongs to another user.
    return error instanceof Error && "code" in error && error.code === "EPERM"
  }
}
