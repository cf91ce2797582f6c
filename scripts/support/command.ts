// Runs another program to its end, within a time limit, and returns its exit code and output; it never throws.
import { spawn } from "node:child_process"

export interface CommandResult {
  /** null when the program does not exist or did not end within the limit. */
  readonly code: number | null
  readonly missing: boolean
  /** stdout and stderr, as they came. */
  readonly output: string
}

export interface CommandOptions {
  readonly timeoutMs?: number
  readonly cwd?: string
  /** All that it gets beside HOME and PATH. Default: the environment of this process. */
  readonly env?: Readonly<Record<string, string>>
}

export const runCommand = (
  program: string,
  args: ReadonlyArray<string>,
  { timeoutMs = 600_000, cwd, env }: CommandOptions = {}
): Promise<CommandResult> =>
  new Promise((resolve) => {
    const { HOME = "/tmp", PATH = "" } = process.env
    const child = spawn(program, args, {
      stdio: ["ignore", "pipe", "pipe"],
      ...(cwd === undefined ? {} : { cwd }),
      ...(env === undefined ? {} : { env: { HOME, PATH, ...env } })
    })
    let output = ""
    const append = (chunk: Buffer) => {
      output += chunk.toString("utf8")
    }
    child.stdout.on("data", append)
    child.stderr.on("data", append)
    const timer = setTimeout(() => child.kill("SIGKILL"), timeoutMs)
    child.on("error", (error) => {
      clearTimeout(timer)
      resolve({ code: null, missing: "code" in error && error.code === "ENOENT", output: error.message })
    })
    child.on("close", (code) => {
      clearTimeout(timer)
      resolve({ code, missing: false, output })
    })
  })

/** Like runCommand, but an exit code other than 0 is an Error that carries the end of the output. */
export const runOrThrow = async (
  program: string,
  args: ReadonlyArray<string>,
  options?: CommandOptions
): Promise<string> => {
  const { code, output } = await runCommand(program, args, options)
  if (code !== 0)
    throw new Error(`${program} ${args.slice(0, 3).join(" ")} failed (exit ${code}):\n${lastLines(output)}`)
  return output
}

export const lastLines = (text: string, count = 20): string => text.trimEnd().split("\n").slice(-count).join("\n")

export const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
