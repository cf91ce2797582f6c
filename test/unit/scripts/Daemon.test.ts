/** What the scripts may ask of a process that is none of their children. */
import { spawn } from "node:child_process"
import { once } from "node:events"
import { assert, describe, it } from "@effect/vitest"
import { isAlive, signalIfAlive } from "../../../scripts/support/daemon.ts"

const start = () => spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"], { stdio: "ignore" })

describe("a signal to a process", () => {
  it("ends one that lives, and is no error for one that has ended", async () => {
    const child = start()
    await once(child, "spawn")
    const pid = child.pid ?? 0
    const ended = once(child, "exit")
    signalIfAlive(pid, "SIGTERM")
    assert.deepStrictEqual(await ended, [null, "SIGTERM"])
    assert.isFalse(isAlive(pid))
    signalIfAlive(pid, "SIGTERM")
  })
})
