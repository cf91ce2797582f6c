/**
 * CPU time and memory of a process, and how busy the machine is, as the operating system counts them (Linux: /proc).
 */
import { existsSync, readFileSync } from "node:fs"
import { cpus } from "node:os"

export interface Usage {
  /** User and system, all threads. */
  readonly cpuSeconds: number
  /** Resident now, and at its highest; in megabytes of 10^6 bytes. */
  readonly rss: number
  readonly peakRss: number
}

/** What a process used while it was watched. */
export interface Used {
  readonly cpuSeconds: number
  readonly peakRss: number
  /** The highest RSS of the second half of the time against that of the first. */
  readonly growth: number
}

/** The kernel counts CPU time for user space in hundredths of a second on every architecture. */
const ticksPerSecond = 100

export const usageOf = (pid: number): Usage => {
  const stat = readFileSync(`/proc/${pid}/stat`, "latin1")
  // The name of the program, in parentheses, may hold anything; the fields after it are counted.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ")
  const status = readFileSync(`/proc/${pid}/status`, "latin1")
  const megabytes = (name: string): number =>
    (Number(new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(status)?.[1]) * 1024) / 1_000_000
  return {
    cpuSeconds: (Number(fields[11]) + Number(fields[12])) / ticksPerSecond,
    rss: megabytes("VmRSS"),
    peakRss: megabytes("VmHWM")
  }
}

/** Watches a process from now on. */
export const watch = (pid: number): { readonly stop: () => Used } => {
  const before = usageOf(pid)
  const samples = [before.rss]
  const timer = setInterval(() => {
    // Gone: whoever waits for it will say so.
    if (!existsSync(`/proc/${pid}`)) clearInterval(timer)
    else samples.push(usageOf(pid).rss)
  }, 250)
  return {
    stop: () => {
      clearInterval(timer)
      const { cpuSeconds, peakRss, rss } = usageOf(pid)
      samples.push(rss)
      const middle = Math.ceil(samples.length / 2)
      return {
        cpuSeconds: cpuSeconds - before.cpuSeconds,
        peakRss,
        growth: Math.max(...samples.slice(middle)) / Math.max(...samples.slice(0, middle))
      }
    }
  }
}

/** CPU seconds that all processes together have used since the machine started. */
export const machineCpuSeconds = (): number => {
  const [, user, nice, system, , , irq, softirq] = readFileSync("/proc/stat", "latin1").split(/\s+/, 9).map(Number)
  return ((user ?? 0) + (nice ?? 0) + (system ?? 0) + (irq ?? 0) + (softirq ?? 0)) / ticksPerSecond
}

export const cores = cpus().length
