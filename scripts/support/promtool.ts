// Prometheus and its promtool, from Debian's package of that name; installed when they are missing.
import { ensureDebianPackage } from "./debian.ts"

export const promtool = (): Promise<string> => ensureDebianPackage("promtool", "prometheus")

export const prometheus = (): Promise<string> => ensureDebianPackage("prometheus", "prometheus")
