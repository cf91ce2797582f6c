// Downloads a real schema registry (Apicurio Registry, Apache-2.0) from Maven Central, once.
import { existsSync } from "node:fs"
import { rm } from "node:fs/promises"
import { join } from "node:path"
import { requireJava, requireMaven } from "../kafka/install.ts"
import { lastLines, runCommand, runOrThrow } from "../support/command.ts"
import { installOnce } from "../support/installOnce.ts"
import { cacheDir } from "../support/paths.ts"

/** The last version that runs on Java 17, as Kafka does. */
export const REGISTRY_VERSION = "3.0.9"

/** The directory of jars. Throws an Error that names what has to be installed: "Java 17 or newer" or "Maven". */
export const installRegistry = async (say: (line: string) => void = () => {}): Promise<string> => {
  await requireJava()
  const target = join(cacheDir, "registry", REGISTRY_VERSION)
  if (existsSync(target)) return target
  await requireMaven()
  return installOnce(target, async (into) => {
    say(`Downloading Apicurio Registry ${REGISTRY_VERSION} from Maven Central (109 MB, once)…`)
    const artifact = `io.apicurio:apicurio-registry-app:${REGISTRY_VERSION}:tar.gz:all`
    const goal = ["dependency:copy", `-Dartifact=${artifact}`, `-DoutputDirectory=${into}`]
    const { code, output } = await runCommand("mvn", ["-B", "-q", ...goal])
    if (code !== 0) throw new Error(`Maven could not download Apicurio Registry:\n${lastLines(output)}`)
    const archive = join(into, `apicurio-registry-app-${REGISTRY_VERSION}-all.tar.gz`)
    await runOrThrow("tar", ["xzf", archive, "-C", into])
    await rm(archive)
  })
}
