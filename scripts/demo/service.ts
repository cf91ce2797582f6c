// The service and its commands as real processes in an environment of the demo's own; their output is quoted as it
// comes.
import { spawn } from "node:child_process"
import { once } from "node:events"
import { createInterface } from "node:readline"
import { projectRoot } from "../support/paths.ts"
import { quote, say, styled } from "./page.ts"

export type Environment = Readonly<Record<string, string>>

/** What is started: as the user would type it, and what node gets. */
export interface Program {
  readonly shown: string
  readonly words: ReadonlyArray<string>
  /** Stands before each line of its output. */
  readonly label: string
}

const bronze: Program = { shown: "npx bronze-consumer", words: ["dist/main.js"], label: "" }

/** Without npm and its shell in between: a signal reaches it, once. */
export const shop: Program = { shown: "npm run shop", words: ["--import", "tsx", "scripts/shop.ts"], label: "shop " }

export interface Service {
  readonly name: string
  /** The exit code, or the name of the signal that ended it. */
  readonly exit: Promise<string>
  /** True once it has ended. */
  readonly ended: () => boolean
  readonly signal: (signal: NodeJS.Signals) => void
  /** True once a signal was sent: a second one would cut its flush short. */
  readonly signalled: () => boolean
}

const GRACE_MS = 40_000

export const start = (settings: Environment, args: ReadonlyArray<string>, program: Program = bronze): Service => {
  // Nothing else of the user's environment: an exported SNOWFLAKE_* or BATCH_SIZE must not change the demo.
  const { HOME = "/tmp", PATH = "" } = process.env
  say(styled("dim", `$ ${[program.shown, ...args].join(" ")}`))
  const child = spawn(process.execPath, [...program.words, ...args], {
    cwd: projectRoot,
    env: { HOME, PATH, ...settings },
    stdio: ["ignore", "pipe", "pipe"],
    // A group of its own: the Ctrl-C of the terminal comes to the demo alone, which passes it on once. A second one
    // would cut the flush short.
    detached: true
  })
  for (const input of [child.stdout, child.stderr])
    createInterface({ input }).on("line", (line) => quote(line, program.label))
  let over = false
  let signalled = false
  const exit = once(child, "close").then(([code, signal]: ReadonlyArray<unknown>) => {
    over = true
    return String(code ?? signal)
  })
  return {
    name: program.shown,
    exit,
    ended: () => over,
    signal: (signal) => {
      signalled = true
      child.kill(signal)
    },
    signalled: () => signalled
  }
}

/** Runs a command to its end; anything but exit code 0 is an Error. */
export const run = async (settings: Environment, args: ReadonlyArray<string>, stopped: AbortSignal): Promise<void> => {
  const command = start(settings, args)
  const stop = () => command.signal("SIGINT")
  stopped.addEventListener("abort", stop, { once: true })
  const code = await command.exit
  stopped.removeEventListener("abort", stop)
  stopped.throwIfAborted()
  if (code !== "0") throw new Error(`\`${command.name} ${args.join(" ")}\` ended with exit code ${code}.`)
}

/** Asks it to stop and waits for its end; SIGKILL if it takes much longer than it may. */
export const end = async (service: Service, signal: NodeJS.Signals): Promise<string> => {
  if (!service.ended() && !service.signalled()) service.signal(signal)
  const timer = setTimeout(() => service.signal("SIGKILL"), GRACE_MS)
  const code = await service.exit
  clearTimeout(timer)
  return code
}
