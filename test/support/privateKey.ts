/** A key pair as a person makes it for Snowflake. */
import { generateKeyPairSync } from "node:crypto"
import { mkdtempSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

/** A new private key in a PEM file; no emulator checks what it signs. */
export const privateKeyFile = (): string => {
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 })
  const path = join(mkdtempSync(join(tmpdir(), "bronze-key-")), "key.p8")
  writeFileSync(path, privateKey.export({ type: "pkcs8", format: "pem" }))
  return path
}
