/** Certificates and keys for tests, made by openssl. */
import { execFileSync } from "node:child_process"
import { readFileSync } from "node:fs"
import { join } from "node:path"

export interface Certificate {
  readonly cert: string
  readonly key: string
}

/** A certificate that signs itself, and its key, in PEM form. */
export const makeCertificate = (folder: string, name: string): Certificate => {
  const [cert, key] = [join(folder, `${name}.crt`), join(folder, `${name}.key`)]
  const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
  execFileSync(
    "openssl",
    ["req", "-x509", ...curve, "-days", "2", "-subj", `/CN=${name}`, "-keyout", key, "-out", cert],
    {
      stdio: "ignore"
    }
  )
  return { cert: readFileSync(cert, "utf8"), key: readFileSync(key, "utf8") }
}
