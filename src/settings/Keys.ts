/** Checks keys and certificates at start, before a broker or a warehouse rejects them at login; never prints a key. */
import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import { quote } from "../domain/Secrets.ts"
import type { Reader } from "./Reader.ts"
import { type Variable, variables } from "./Variables.ts"

const certificateBlock = /-----BEGIN (?:X509 |TRUSTED )?CERTIFICATE-----[\s\S]*?(?:-----END [A-Z0-9 ]*-----|$)/g

const certificatesIn = (pem: string): Result.Result<ReadonlyArray<X509Certificate>, unknown> =>
  Result.try(() => (pem.match(certificateBlock) ?? []).map((block) => new X509Certificate(block)))

const keyIn = (pem: string, passphrase?: Redacted.Redacted): Result.Result<KeyObject, unknown> =>
  Result.try(() => createPrivateKey({ key: pem, ...(passphrase && { passphrase: Redacted.value(passphrase) }) }))

/** One certificate or several, and no key: what is in such a variable is shown to people. */
export const checkCertificates = (reader: Reader, variable: Variable<unknown>, pem: string): undefined => {
  if (/PRIVATE KEY/.test(pem))
    return reader.note(variable, `expected certificates only, got a private key; ${variables.sslKey.name} takes it`)
  const certificates = certificatesIn(pem)
  if (Result.isFailure(certificates) || certificates.success.length === 0)
    return reader.note(variable, "expected a certificate in PEM form, got one that cannot be read")
}

/** A key that opens, and that belongs to the certificate. */
export const checkClientKey = (reader: Reader, pem: string, certificate: string | undefined): undefined => {
  if (/ENCRYPTED/.test(pem)) return reader.note(variables.sslKey, "expected a private key without a passphrase")
  const key = keyIn(pem)
  if (Result.isFailure(key))
    return reader.note(variables.sslKey, "expected a private key in PEM form, got one that cannot be read")
  const certificates = certificatesIn(certificate ?? "")
  const own = Result.isSuccess(certificates) ? certificates.success[0] : undefined
  if (own !== undefined && !own.checkPrivateKey(key.success))
    return reader.note(
      variables.sslKey,
      `expected the key of the certificate in ${variables.sslCert.name}, got another`
    )
}

/** The key pair that logs in to Snowflake. */
export const checkSnowflakeKey = (
  reader: Reader,
  path: string,
  pem: string,
  passphrase: Redacted.Redacted | undefined
): undefined => {
  const shown = quote(path).slice(1, -1)
  if (pem.includes("ENCRYPTED") && passphrase === undefined)
    return reader.require(variables.passphrase, `because the key in ${shown} is encrypted`)
  if (Result.isSuccess(keyIn(pem, passphrase))) return
  if (passphrase === undefined)
    return reader.note(
      variables.privateKeyPath,
      `expected a private key in PEM form, got a file that holds none: ${shown}`
    )
  return reader.note(variables.passphrase, `does not open the private key in ${shown}`)
}
