/**
 * The image and compose.yaml: what they copy and mount is there, their settings are ones that the service accepts, and
 * their parts find each other.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { join, posix } from "node:path"
import { assert, beforeAll, describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import { KAFKA_VERSION } from "../../../scripts/kafka/install.ts"
import { runOrThrow } from "../../../scripts/support/command.ts"
import { projectRoot } from "../../../scripts/support/paths.ts"
import { installPython, python, readOne } from "./python.ts"
import { byDefault, complaints } from "./settings.ts"

const Scalars = Schema.Record(Schema.String, Schema.Union([Schema.String, Schema.Number]))
const Common = {
  environment: Schema.optionalKey(Scalars),
  volumes: Schema.optionalKey(Schema.Array(Schema.String)),
  ports: Schema.optionalKey(Schema.Array(Schema.String)),
  command: Schema.optionalKey(Schema.Union([Schema.Tuple([Schema.String]), Schema.Array(Schema.String)]))
}
const Service = Schema.Struct({ image: Schema.String, ...Common })
const Compose = Schema.Struct({
  services: Schema.Struct({
    kafka: Service,
    topics: Service,
    consumer: Schema.Struct({
      ...Common,
      environment: Scalars,
      build: Schema.Struct({ context: Schema.String, dockerfile: Schema.String }),
      stop_grace_period: Schema.String
    }),
    prometheus: Service,
    grafana: Service
  }),
  volumes: Schema.Record(Schema.String, Schema.Null)
})
const Scrapes = Schema.Struct({
  scrape_configs: Schema.Array(
    Schema.Struct({ static_configs: Schema.Tuple([Schema.Struct({ targets: Schema.Array(Schema.String) })]) })
  )
})

const sourceFiles = readdirSync(join(projectRoot, "src"), { recursive: true, encoding: "utf8" })
  .filter((file) => file.endsWith(".ts"))
  .map((file) => ({ file: posix.join("src", file), text: readFileSync(join(projectRoot, "src", file), "utf8") }))

const path = (file: string): string => join(projectRoot, file)
const dockerfile = readFileSync(path("deploy/Dockerfile"), "utf8").replaceAll(/\\\n\s*/g, "")
const stages = dockerfile.split(/^FROM .*$/m).slice(1)
/** What a stage copies: from where in which stage, to where. */
const copies = (stage: string) =>
  [...stage.matchAll(/^COPY (--from=\w+ )?(.+) (\S+)$/gm)].map(([, from, sources = "", to = ""]) => ({
    ...{ isFromStage: from !== undefined, sources: sources.split(" "), to }
  }))

/** `${NAME}`, `${NAME:-default}` and `${NAME:+instead}`, as Compose replaces them. */
const interpolate = (text: string, env: Readonly<Record<string, string>>): string =>
  text.replaceAll(/\$\{(\w+)(?::([-+])([^}]*))?\}/g, (_, name: string, sign: string | undefined, word: string) =>
    sign === "+" ? (env[name] ? word : "") : env[name] || (word ?? "")
  )

let services: (typeof Compose.Type)["services"]
beforeAll(async () => {
  services = (await readOne("deploy/compose.yaml", Compose)).services
}, 180_000)

const environment = (env: Readonly<Record<string, string>> = {}): Record<string, string> =>
  Object.fromEntries(
    Object.entries(services.consumer.environment).map(([name, value]) => [name, interpolate(String(value), env)])
  )

describe("the Dockerfile", () => {
  it("has nothing that hadolint warns of", async () => {
    await runOrThrow(join(await installPython(), "hadolint"), [path("deploy/Dockerfile")])
  })

  it("copies what is there and what the context has", () => {
    const context = readFileSync(path(".dockerignore"), "utf8")
    const sources = stages.flatMap(copies).flatMap(({ isFromStage, sources }) => (isFromStage ? [] : sources))
    assert.isAbove(sources.length, 5)
    for (const source of sources) {
      assert.isTrue(existsSync(path(source)), source)
      assert.include(context, `\n!${source.split("/")[0]}\n`, source)
    }
  })

  it("ends with every file that the service reads at run time", () => {
    const kept = copies(stages[1] ?? "").flatMap(({ sources, to }) =>
      sources.map((source) => (to.endsWith("/") ? posix.join(to, source) : posix.normalize(to)))
    )
    // Modules are in dist as deep as they do in src.
    const read = sourceFiles.flatMap(({ file, text }) =>
      [...text.matchAll(/new URL\("(\.[^"]+)", import\.meta\.url\)/g)].map(([, to = ""]) =>
        posix.join(posix.dirname(file.replace(/^src/, "dist")), to)
      )
    )
    assert.isAbove(read.length, 0)
    for (const file of [...read, "dist/main.js", "node_modules"])
      assert.isTrue(
        kept.some((folder) => `${file}/`.startsWith(`${folder}/`)),
        `${file} is not in ${kept}`
      )
  })

  it("sets what the service has, and is asked where it answers", () => {
    const [, list = ""] = /^ENV (.*)$/m.exec(stages[1] ?? "") ?? []
    const names = [...list.matchAll(/(\w+)=/g)].map(([, name]) => name ?? "")
    assert.deepStrictEqual(names, ["NODE_ENV", "HTTP_HOST", "LOG_FILE", "DUCKDB_PATH"])
    for (const name of names.slice(1)) assert.notStrictEqual(byDefault(name), "", name)
    assert.include(dockerfile, `process.env.HTTP_PORT || ${byDefault("HTTP_PORT")}}/livez`)
    assert.include(dockerfile, `\nEXPOSE ${byDefault("HTTP_PORT")}\n`)
  })
})

describe("compose.yaml", () => {
  it("is valid by the schema of the Compose specification", async () => {
    const check = ["-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec"]
    assert.include(await python(...check, path("deploy/compose.yaml")), "ok")
  })

  it("has settings that the service accepts, as it stands and with Snowflake's", async () => {
    assert.deepStrictEqual(await complaints({ ...environment(), DUCKDB_PATH: "/tmp/compose.duckdb" }), [])
    const login = {
      SNOWFLAKE_ACCOUNT: "myorg-me",
      SNOWFLAKE_USER: "ME",
      SNOWFLAKE_DATABASE: "DB",
      SNOWFLAKE_TOKEN: "t"
    }
    assert.deepStrictEqual(await complaints(environment({ SINK: "snowflake", ...login })), [])
  })

  it("puts the key where the service looks for it, and nothing without one", () => {
    const inside = environment({ SNOWFLAKE_PRIVATE_KEY_PATH: "/home/me/key.p8" })["SNOWFLAKE_PRIVATE_KEY_PATH"]
    const mounts = (services.consumer.volumes ?? []).map((mount) =>
      interpolate(mount, { SNOWFLAKE_PRIVATE_KEY_PATH: "/home/me/key.p8" })
    )
    assert.include(mounts, `/home/me/key.p8:${inside}:ro`)
    assert.strictEqual(environment()["SNOWFLAKE_PRIVATE_KEY_PATH"], "")
  })

  it("lets the consumer take as long to stop as it may", () => {
    const grace = Number.parseInt(services.consumer.stop_grace_period, 10)
    assert.strictEqual(services.consumer.stop_grace_period, `${grace}s`)
    assert.isAbove(grace, Number(environment()["SHUTDOWN_TIMEOUT"]))
  })

  it("builds and mounts files that are there", () => {
    const { context, dockerfile: file } = services.consumer.build
    assert.isTrue(existsSync(join(path("deploy"), context, file)))
    const mounted = Object.values(services).flatMap(({ volumes = [] }) => volumes.filter((one) => one.startsWith(".")))
    assert.isAbove(mounted.length, 2)
    for (const one of mounted) assert.isTrue(existsSync(join(path("deploy"), one.split(":")[0] ?? "")), one)
  })

  it("runs the Kafka that the tests run, with the topics of the default routes", () => {
    assert.strictEqual(services.kafka.image, `apache/kafka:${KAFKA_VERSION}`)
    assert.strictEqual(services.topics.image, services.kafka.image)
    const made = /for topic in (.*);/.exec(services.topics.command?.[0] ?? "")?.[1]?.split(" ")
    const routed = [...byDefault("BRONZE_ROUTES").matchAll(/([\w.]+)=[A-Z_]+\(/g)].map(([, topic]) => topic)
    assert.deepStrictEqual(made, routed)
  })

  it("has a Prometheus that scrapes the consumer, and listens nowhere but on this machine", async () => {
    const { scrape_configs } = await readOne("deploy/prometheus/prometheus.yml", Scrapes)
    const targets = scrape_configs.flatMap(({ static_configs: [{ targets }] }) => targets)
    assert.deepStrictEqual(targets, [`consumer:${byDefault("HTTP_PORT")}`, "localhost:9090"])
    for (const { ports = [] } of Object.values(services)) for (const port of ports) assert.match(port, /^127\.0\.0\.1:/)
  })
})
