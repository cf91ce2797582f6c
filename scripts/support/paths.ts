// Where the scripts keep what they download and start: everything under .cache of this project, nothing elsewhere.
import { join } from "node:path"
import { fileURLToPath } from "node:url"

export const projectRoot = fileURLToPath(new URL("../..", import.meta.url))
export const cacheDir = join(projectRoot, ".cache")
