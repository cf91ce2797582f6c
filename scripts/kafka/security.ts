// Certificates, ports and users for a broker's SASL and TLS listeners; recreated for each broker, for tests only.
import { mkdir, readFile, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { runCommand, runOrThrow } from "../support/command.ts"
import { freePort } from "../support/freePort.ts"

export interface SecureListeners {
  readonly saslPlaintextPort: number
  readonly sslPort: number
  readonly saslSslPort: number
  readonly username: string
  readonly password: string
  /** PEM files: the authority that signed the broker, and a client's certificate and key for mutual TLS. */
  readonly caPath: string
  readonly clientCertPath: string
  readonly clientKeyPath: string
  /** Key and certificate of the broker in one file, as Kafka's PEM key store wants it. */
  readonly brokerPemPath: string
}

const CURVE = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]

export const createSecurity = async (dir: string): Promise<SecureListeners> => {
  if ((await runCommand("openssl", ["version"])).missing) {
    throw new Error("openssl is missing. On Debian or Ubuntu: apt-get install openssl")
  }
  await mkdir(dir, { recursive: true })
  const file = (name: string) => join(dir, name)
  await runOrThrow("openssl", [
    ...["req", "-x509", ...CURVE, "-days", "3650", "-subj", "/CN=Bronze test authority"],
    ...["-keyout", file("ca.key"), "-out", file("ca.pem")]
  ])
  await sign(file, "broker", "subjectAltName=DNS:localhost,IP:127.0.0.1")
  await sign(file, "client", "extendedKeyUsage=clientAuth")
  await writeFile(
    file("broker-store.pem"),
    (await readFile(file("broker.key"), "utf8")) + (await readFile(file("broker.pem"), "utf8"))
  )
  return {
    saslPlaintextPort: await freePort(),
    sslPort: await freePort(),
    saslSslPort: await freePort(),
    username: "bronze",
    password: "bronze-secret",
    caPath: file("ca.pem"),
    clientCertPath: file("client.pem"),
    clientKeyPath: file("client.key"),
    brokerPemPath: file("broker-store.pem")
  }
}

const sign = async (file: (name: string) => string, name: string, extension: string): Promise<void> => {
  await writeFile(file(`${name}.ext`), extension)
  await runOrThrow("openssl", [
    ...["req", ...CURVE, "-subj", `/CN=${name}`, "-keyout", file(`${name}.key`), "-out", file(`${name}.csr`)]
  ])
  await runOrThrow("openssl", [
    ...["x509", "-req", "-in", file(`${name}.csr`), "-out", file(`${name}.pem`), "-days", "3650"],
    ...["-CA", file("ca.pem"), "-CAkey", file("ca.key"), "-CAcreateserial", "-extfile", file(`${name}.ext`)]
  ])
}

/** SCRAM users live in the cluster's metadata, so they are written when the storage is formatted. */
export const scramFormatArgs = ({ username, password }: SecureListeners): ReadonlyArray<string> =>
  ["SCRAM-SHA-256", "SCRAM-SHA-512"].flatMap((mechanism) => [
    "--add-scram",
    `${mechanism}=[name=${username},password=${password}]`
  ])
