/**
 * The Kubernetes manifests: valid by the schemas of Kubernetes and KEDA, restricted, consistent with each other and
 * with the service's settings.
 */
import { generateKeyPairSync } from "node:crypto"
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import { projectRoot } from "../../../scripts/support/paths.ts"
import { type Read, readYaml } from "./python.ts"
import { byDefault, complaints } from "./settings.ts"

const home = "deploy/kubernetes"
const manifests = [
  "base/deployment.yaml",
  "base/service.yaml",
  "base/disruption-budget.yaml",
  "base/secret.example.yaml",
  "keda/scaled-object.yaml"
]
const kustomizations = ["base/kustomization.yaml", "keda/kustomization.yaml", "streaming/kustomization.yaml"]

const Strings = Schema.Record(Schema.String, Schema.String)
const Named = Schema.Struct({ name: Schema.String })
const Probe = Schema.Struct({ httpGet: Schema.Struct({ path: Schema.String, port: Schema.Literal("http") }) })
const Container = Schema.Struct({
  envFrom: Schema.Array(Schema.Union([Schema.Struct({ configMapRef: Named }), Schema.Struct({ secretRef: Named })])),
  ports: Schema.Tuple([Schema.Struct({ name: Schema.Literal("http"), containerPort: Schema.Int })]),
  startupProbe: Probe,
  livenessProbe: Probe,
  readinessProbe: Probe,
  resources: Schema.Struct({ requests: Strings, limits: Strings }),
  securityContext: Schema.Unknown,
  volumeMounts: Schema.Array(Schema.Struct({ name: Schema.String, mountPath: Schema.String }))
})
const Deployment = Schema.Struct({
  metadata: Named,
  spec: Schema.Struct({
    selector: Schema.Struct({ matchLabels: Strings }),
    template: Schema.Struct({
      metadata: Schema.Struct({ labels: Strings, annotations: Strings }),
      spec: Schema.Struct({
        terminationGracePeriodSeconds: Schema.Number,
        securityContext: Schema.Unknown,
        containers: Schema.Tuple([Container]),
        volumes: Schema.Array(
          Schema.Struct({
            name: Schema.String,
            secret: Schema.optionalKey(Schema.Struct({ secretName: Schema.String }))
          })
        )
      })
    })
  })
})
const Service = Schema.Struct({
  spec: Schema.Struct({
    selector: Strings,
    ports: Schema.Tuple([Schema.Struct({ targetPort: Schema.Literal("http") })])
  })
})
const Budget = Schema.Struct({ spec: Schema.Struct({ selector: Schema.Struct({ matchLabels: Strings }) }) })
const Secret = Schema.Struct({ metadata: Named, stringData: Strings })
const ScaledObject = Schema.Struct({
  spec: Schema.Struct({
    scaleTargetRef: Named,
    minReplicaCount: Schema.Int,
    triggers: Schema.Tuple([Schema.Struct({ type: Schema.Literal("kafka"), metadata: Strings })])
  })
})
const Kustomization = Schema.Struct({
  resources: Schema.Array(Schema.String),
  configMapGenerator: Schema.optionalKey(
    Schema.Tuple([
      Schema.Struct({
        ...{ name: Schema.String, envs: Schema.Tuple([Schema.String]) },
        behavior: Schema.optionalKey(Schema.Literal("merge"))
      })
    ])
  )
})

const read = new Map<string, Read>()
const only = <A>(path: string, schema: Schema.Codec<A, unknown>): A =>
  Schema.decodeUnknownSync(schema)(read.get(path)?.documents[0])
const deployment = () => only("base/deployment.yaml", Deployment)
const pod = () => deployment().spec.template.spec
const secrets = () =>
  (read.get("base/secret.example.yaml")?.documents ?? []).map((document) => Schema.decodeUnknownSync(Secret)(document))

/** NAME=value, as kustomize reads it. */
const settingsOf = (overlay: string): Readonly<Record<string, string>> =>
  Object.fromEntries(
    readFileSync(join(projectRoot, home, overlay, "settings.env"), "utf8")
      .split("\n")
      .filter((line) => line !== "" && !line.startsWith("#"))
      .map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)])
  )
const settings = settingsOf("base")

const folder = mkdtempSync(join(tmpdir(), "bronze-kubernetes-"))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
beforeAll(async () => {
  for (const path of [...manifests, ...kustomizations]) read.set(path, await readYaml(join(home, path)))
}, 180_000)

describe("the manifests", () => {
  it("are what Kubernetes and KEDA take, without a field that they do not know", () => {
    for (const path of manifests) {
      assert.isNotEmpty(read.get(path)?.documents, path)
      assert.deepStrictEqual(read.get(path)?.problems, [], path)
    }
  })

  it("are put together from files that exist, and each of them is, but the example", () => {
    const used = kustomizations.flatMap((path) => {
      const { configMapGenerator, resources } = only(path, Kustomization)
      const files = [...resources, ...(configMapGenerator?.[0].envs ?? [])].map((file) => join(dirname(path), file))
      for (const file of files) assert.isTrue(existsSync(join(projectRoot, home, file)), file)
      return files
    })
    assert.sameMembers(used, [
      ...manifests.filter((path) => !path.includes("example")),
      ...["base", "base", "base/settings.env", "streaming/settings.env"]
    ])
  })

  it("select the same pods", () => {
    const { metadata, spec } = deployment()
    const labels = spec.template.metadata.labels
    assert.isNotEmpty(labels)
    assert.deepStrictEqual(spec.selector.matchLabels, labels)
    assert.deepStrictEqual(only("base/service.yaml", Service).spec.selector, labels)
    assert.deepStrictEqual(only("base/disruption-budget.yaml", Budget).spec.selector.matchLabels, labels)
    assert.strictEqual(only("keda/scaled-object.yaml", ScaledObject).spec.scaleTargetRef.name, metadata.name)
  })

  it("let a pod take as long to stop as the service may", () => {
    assert.isAbove(pod().terminationGracePeriodSeconds, Number(settings["SHUTDOWN_TIMEOUT"]))
  })

  it("ask the service where it answers, and Prometheus too", () => {
    const [{ livenessProbe, ports, readinessProbe, startupProbe }] = pod().containers
    assert.strictEqual(String(ports[0].containerPort), byDefault("HTTP_PORT"))
    assert.strictEqual(livenessProbe.httpGet.path, "/livez")
    assert.strictEqual(startupProbe.httpGet.path, "/livez")
    assert.strictEqual(readinessProbe.httpGet.path, "/readyz")
    const { "prometheus.io/path": path, "prometheus.io/port": port } = deployment().spec.template.metadata.annotations
    assert.deepStrictEqual([path, port], ["/metrics", byDefault("HTTP_PORT")])
    assert.deepStrictEqual(only("base/service.yaml", Service).spec.ports[0].targetPort, ports[0].name)
  })

  it("give a pod no more rights than it needs, and say what it takes", () => {
    const [{ resources, securityContext }] = pod().containers
    assert.deepStrictEqual(securityContext, {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ["ALL"] }
    })
    assert.deepInclude(pod().securityContext, { runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" } })
    assert.hasAllKeys(resources.requests, ["cpu", "memory"])
    assert.hasAllKeys(resources.limits, ["memory"])
  })
})

describe("the settings", () => {
  it("are such that the service accepts them, with the secrets", async () => {
    const key = join(folder, "key.p8")
    const environment = secrets().find(({ metadata: { name } }) => name === "bronze-consumer")?.stringData ?? {}
    const passphrase = environment["SNOWFLAKE_PRIVATE_KEY_PASSPHRASE"] ?? ""
    const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 })
    const pem = privateKey.export({ type: "pkcs8", format: "pem", cipher: "aes-256-cbc", passphrase })
    writeFileSync(key, pem)
    const sasl = {
      KAFKA_SECURITY_PROTOCOL: "SASL_SSL",
      KAFKA_SASL_MECHANISM: "SCRAM-SHA-512",
      KAFKA_SASL_USERNAME: "bronze"
    }
    const env = { ...settings, ...environment, ...sasl, SNOWFLAKE_PRIVATE_KEY_PATH: key }
    assert.deepStrictEqual(await complaints(env), [])
    const streaming = settingsOf("streaming")
    assert.strictEqual(streaming["SNOWFLAKE_WRITER"], "streaming")
    assert.deepStrictEqual(await complaints({ ...env, ...streaming }), [])
  })

  it("of the streaming overlay go into the ConfigMap of the base", () => {
    const name = (path: string) => only(path, Kustomization).configMapGenerator?.[0]
    const merged = name("streaming/kustomization.yaml")
    assert.deepStrictEqual([merged?.name, merged?.behavior], [name("base/kustomization.yaml")?.name, "merge"])
  })

  it("come from the ConfigMap and the Secret that are there, and the key is where they say", () => {
    const [{ envFrom, volumeMounts }] = pod().containers
    const { configMapGenerator } = only("base/kustomization.yaml", Kustomization)
    const names = envFrom.map((from) => ("secretRef" in from ? from.secretRef.name : from.configMapRef.name))
    assert.deepStrictEqual(names, [configMapGenerator?.[0].name ?? "", "bronze-consumer"])
    const mount = volumeMounts.find(({ name }) => name === "key")
    const keys = secrets().find(
      ({ metadata }) => metadata.name === pod().volumes.find(({ name }) => name === "key")?.secret?.secretName
    )
    const paths = Object.keys(keys?.stringData ?? {}).map((file) => `${mount?.mountPath}/${file}`)
    assert.include(paths, settings["SNOWFLAKE_PRIVATE_KEY_PATH"])
  })

  it("are those that KEDA reads the lag with", () => {
    const { minReplicaCount, triggers } = only("keda/scaled-object.yaml", ScaledObject).spec
    const { bootstrapServersFromEnv = "", consumerGroupFromEnv = "", offsetResetPolicy } = triggers[0].metadata
    assert.containsAllKeys(settings, [bootstrapServersFromEnv, consumerGroupFromEnv])
    assert.strictEqual(offsetResetPolicy, settings["AUTO_OFFSET_RESET"])
    assert.isAbove(minReplicaCount, 0)
  })
})
