/** Settings without effect: misspelt variables, and ones that other settings disable; hints never stop the service. */
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import { isLoopback } from "../domain/Hosts.ts"
import { didYouMean, nearest } from "./Parse.ts"
import { SettingsFiles } from "./SettingsFile.ts"
import { fileVariable, secrets, table, variables } from "./Variables.ts"

/** Beginnings that belong to this service; below any other, only a near miss of a name of ours is worth a word. */
const ours = ["KAFKA", "SNOWFLAKE", "BRONZE", "DUCKDB", "BATCH", "WRITE"]
const near = [
  "CONSUMER",
  "AUTO",
  "BUFFER",
  "DELIVERY",
  "TOMBSTONES",
  "TOMBSTONE",
  "DLQ",
  "SINK",
  "LOG",
  "HTTP",
  "SCHEMA",
  "SHUTDOWN"
]

/**
 * Variables of Kafka's own scripts, of Snowflake's drivers, of Kubernetes (one set per service) and of this project's
 * scripts.
 */
const known = [
  /^KAFKA_(HOME|OPTS|HEAP_OPTS|JVM_PERFORMANCE_OPTS|LOG4J_OPTS|GC_LOG_OPTS|JMX_\w+|DEBUG|LOG|PORT|JVM|DATA|VERSION)$/,
  /^KAFKA_\w*(SERVICE_(HOST|PORT)\w*|PORT_\d+_\w+)$/,
  /^SNOWFLAKE_(HOME|CONNECTIONS?_\w+|CONFIG_\w+|DEFAULT_\w+|DISABLE_\w+|LOG\w*|AUTH_\w+|RUNNING_\w+|SKIP_\w+|RT_\w+)$/,
  /^HTTP_PROXY$/
]

/** All variables that are set below one of the beginnings, found by walking the provider's tree. */
const namesBelow = (
  provider: ConfigProvider.ConfigProvider,
  path: ReadonlyArray<string>
): Effect.Effect<ReadonlyArray<string>> =>
  Effect.gen(function* () {
    const node = yield* Effect.orElseSucceed(provider.load(path), () => undefined)
    if (node === undefined) return []
    const below = node._tag === "Record" ? [...node.keys] : []
    const names = yield* Effect.forEach(below, (key) => namesBelow(provider, [...path, key]))
    return [...(node.value ? [path.join("_")] : []), ...names.flat()]
  })

const unknown = (names: ReadonlyArray<string>): ReadonlyArray<string> => {
  const ourNames = [...table.map(({ name }) => name), ...secrets.map(fileVariable)]
  const isOurs = (name: string): boolean => ours.some((word) => name === word || name.startsWith(`${word}_`))
  return names
    .filter((name) => !ourNames.includes(name) && !known.some((pattern) => pattern.test(name)))
    .filter((name) => isOurs(name) || nearest(name, ourNames) !== undefined)
    .map((name) => `${name} is set, but there is no such setting${didYouMean(name, ourNames)}`)
}

/** Which variables belong to which mechanism. */
const logins: ReadonlyArray<readonly [mechanism: string, names: ReadonlyArray<string>]> = [
  ["PLAIN or SCRAM", [variables.saslUsername.name, variables.saslPassword.name]],
  [
    "OAUTHBEARER",
    Object.values(variables)
      .map(({ name }) => name)
      .filter((name) => name.startsWith("KAFKA_OAUTH_"))
  ],
  ["AWS_MSK_IAM", [variables.awsRegion.name]]
]

const unusedLogin = (
  isSet: (name: string) => boolean,
  protocolWord: string,
  mechanismWord: string
): ReadonlyArray<string> => {
  const { protocol, saslMechanism } = variables
  const isWithout = !/^SASL/i.test(protocolWord)
  return logins.flatMap(([mechanism, names]) => {
    const set = names.filter(isSet)
    if (set.length === 0) return []
    const have = `${set.join(" and ")} ${set.length === 1 ? "has" : "have"} no effect`
    if (isWithout) return [`${have} while ${protocol.name} is without SASL`]
    const isOurs = mechanism.split(" or ").some((word) => mechanismWord.toUpperCase().startsWith(word))
    return isOurs || mechanismWord === "" ? [] : [`${have} without ${saslMechanism.name}=${mechanism}`]
  })
}

const unused = (
  isSet: (name: string) => boolean,
  protocolWord: string,
  mechanismWord: string
): ReadonlyArray<string> => {
  const { passphrase, password, privateKeyPath, protocol, sslCa, sslCert, sslKey, token } = variables
  const hints: Array<string> = []
  for (const { name } of [sslCa, sslCert, sslKey])
    if (isSet(name) && !/SSL$/i.test(protocolWord))
      hints.push(`${name} has no effect while ${protocol.name} is without SSL`)
  hints.push(...unusedLogin(isSet, protocolWord, mechanismWord))
  if (isSet(privateKeyPath.name) && isSet(password.name))
    hints.push(`${password.name} has no effect with ${privateKeyPath.name}`)
  else if (isSet(token.name) && isSet(password.name)) hints.push(`${password.name} has no effect with ${token.name}`)
  const { registryCa, registryCert, registryKey, registryPassword, registryToken, registryUrl, registryUsername } =
    variables
  for (const { name } of [
    ...[registryUsername, registryPassword, registryToken],
    ...[registryCa, registryCert, registryKey]
  ])
    if (isSet(name) && !isSet(registryUrl.name)) hints.push(`${name} has no effect without ${registryUrl.name}`)
  if (isSet(passphrase.name) && !isSet(privateKeyPath.name))
    hints.push(`${passphrase.name} has no effect without ${privateKeyPath.name}`)
  return hints
}

/** Whether others on the way can read what is sent there. */
const isSecretOpen = (address: string): boolean =>
  /^http:/i.test(address) && URL.canParse(address) && !isLoopback(new URL(address).hostname.replace(/^\[|\]$/g, ""))

/** The hints on the current environment, as whole sentences. */
export const hints: Effect.Effect<ReadonlyArray<string>> = Effect.gen(function* () {
  const provider = yield* ConfigProvider.ConfigProvider
  const names = (yield* Effect.forEach([...ours, ...near], (word) => namesBelow(provider, [word]))).flat()
  const set = new Set(names.flatMap((name) => [name, ...secrets.filter((secret) => fileVariable(secret) === name)]))
  const textOf = (name: string) =>
    provider.load([name]).pipe(
      Effect.map((node) => (node?.value ?? "").trim()),
      Effect.orElseSucceed(() => "")
    )
  const ending = yield* Effect.filter(secrets, (name) =>
    provider.load([name]).pipe(
      Effect.map((node) => /[\r\n]$/.test(node?.value ?? "") && name !== variables.sslKey.name),
      Effect.orElseSucceed(() => false)
    )
  )
  const { httpHost, httpPort, httpToken } = variables
  const host = yield* textOf(httpHost.name)
  const isOpen = host !== "" && !isLoopback(host) && (yield* textOf(httpPort.name)) !== "0" && !set.has(httpToken.name)
  return [
    ...(yield* SettingsFiles).flatMap(({ warnings }) => warnings),
    ...(isOpen
      ? [
          `${httpHost.name} ${host}: anyone who can reach this address can read live page, API and metrics; ${httpToken.name} protects them`
        ]
      : []),
    ...ending.map(
      (name) =>
        `${name} ends in a line break, which is part of the value; ${fileVariable(name)} reads a file and removes it`
    ),
    ...unknown(names),
    ...unused(
      (name) => set.has(name),
      yield* textOf(variables.protocol.name),
      yield* textOf(variables.saslMechanism.name)
    ),
    ...(isSecretOpen(yield* textOf(variables.oauthTokenUrl.name))
      ? [`${variables.oauthTokenUrl.name} is not https: the client secret travels unencrypted`]
      : [])
  ]
})
