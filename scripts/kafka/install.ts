// Downloads the jars of Apache Kafka from Maven Central, once, and finds the Java to run them.
import { existsSync } from "node:fs"
import { join } from "node:path"
import { lastLines, runCommand } from "../support/command.ts"
import { installOnce } from "../support/installOnce.ts"
import { cacheDir, projectRoot } from "../support/paths.ts"

export const KAFKA_VERSION = "4.4.0"

/** JAVA_HOME counts, as for every other Java tool. */
export const javaProgram = (): string => {
  const home = process.env["JAVA_HOME"]
  return home === undefined || home === "" ? "java" : join(home, "bin", "java")
}

export const requireJava = async (): Promise<void> => {
  const { code, output } = await runCommand(javaProgram(), ["-version"], { timeoutMs: 20_000 })
  const found = /version "(\d+)/.exec(output)?.[1]
  if (code === 0 && Number(found) >= 17) return
  const state = found === undefined ? "no Java was found" : `Java ${found} was found`
  throw new Error(
    `Java 17 or newer is missing (${state}). On Debian or Ubuntu: apt-get install openjdk-17-jre-headless`
  )
}

export const requireMaven = async (): Promise<void> => {
  const maven = await runCommand("mvn", ["-v"], { timeoutMs: 30_000 })
  if (maven.code !== 0)
    throw new Error("Maven is missing (the command mvn). On Debian or Ubuntu: apt-get install maven")
}

/** The directory of jars. Throws an Error that names what has to be installed: "Java 17 or newer" or "Maven". */
export const installKafka = async (say: (line: string) => void = () => {}): Promise<string> => {
  await requireJava()
  const target = join(cacheDir, "kafka", "lib", KAFKA_VERSION)
  if (existsSync(target)) return target
  await requireMaven()
  return installOnce(target, async (into) => {
    say(`Downloading Apache Kafka ${KAFKA_VERSION} from Maven Central (43 MB, once)…`)
    const pom = join(projectRoot, "scripts", "kafka", "pom.xml")
    const goal = ["dependency:copy-dependencies", "-DincludeScope=runtime", `-DoutputDirectory=${into}`]
    const { code, output } = await runCommand("mvn", ["-B", "-q", "-f", pom, ...goal])
    if (code !== 0) throw new Error(`Maven could not download Apache Kafka:\n${lastLines(output)}`)
  })
}
