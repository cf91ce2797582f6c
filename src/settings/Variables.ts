/**
 * The table of settings: every environment variable with its default as text and its meaning, in the order in which
 * they are shown.
 */
import * as Config from "effect/Config"
import * as Result from "effect/Result"
import { topicName as topicPattern } from "../domain/Route.ts"
import { kafkaVariables } from "./KafkaVariables.ts"
import * as Parse from "./Parse.ts"
import { fileVariable, optional, secret, type Variable, variable } from "./Variable.ts"

export { fileVariable, type Variable }

const defaultRoutes =
  "raw.orders.v1=ORDERS_RAW(ORDER_ID=order_id,USER_ID=user_id:NUMBER), raw.clicks.v1=CLICKS_RAW(USER_ID=user_id:NUMBER,ITEM_ID=item_id:NUMBER)"
const logFile = "/tmp/bronze_consumer.log"
const GiB = 1_073_741_824

const topicName = Parse.matching("a topic name (letters, digits, dot, underscore, hyphen)", topicPattern)
const accountName = Parse.matching(
  "an account identifier such as myorg-myaccount or xy12345.eu-west-1, without https:// and .snowflakecomputing.com",
  /^(?!.*snowflakecomputing)[A-Za-z0-9][A-Za-z0-9_.-]*$/i
)
const serverAddress = Parse.matching(
  "a host name, host:port or http(s)://host:port, without a path",
  /^(https?:\/\/)?[A-Za-z0-9_.-]+(:\d{1,5})?\/?$/
)

export const variables = {
  ...kafkaVariables,
  routes: variable(
    "BRONZE_ROUTES",
    defaultRoutes,
    "topic=TABLE(COLUMN=json.path:TYPE,…) unwrap=debezium, …; TYPE is STRING (default), NUMBER, FLOAT, BOOLEAN or TIMESTAMP; {name} in a topic and its table: many topics; unwrap=debezium (optional): columns from the row in a change event; with + before it: besides the default",
    Parse.routes(defaultRoutes)
  ),
  autoCreateTables: variable(
    "AUTO_CREATE_TABLES",
    "false",
    "true: the service creates missing tables and columns when it starts and when it finds a topic, as init does",
    Parse.choice({ true: true, false: false })
  ),
  formats: variable(
    "BRONZE_FORMATS",
    "",
    "topic=VALUE/KEY, …: how values (auto, json, avro, protobuf, json_schema) and keys (auto, text, registry, bytes, number) are written; default: auto with a registry, else json/text",
    Parse.formats
  ),
  registryUrl: optional("SCHEMA_REGISTRY_URL", "address of the schema registry", Parse.httpUrl),
  registryUsername: optional(
    "SCHEMA_REGISTRY_USERNAME",
    "user name, or API key, for the registry",
    Parse.text("a user name")
  ),
  registryPassword: secret("SCHEMA_REGISTRY_PASSWORD", "password, or secret of the API key"),
  registryToken: secret("SCHEMA_REGISTRY_TOKEN", "bearer token for the registry, instead of a user", Parse.token),
  registryCa: optional(
    "SCHEMA_REGISTRY_SSL_CA",
    "certificate authority of the registry: a PEM file, or the PEM itself; default: the system's",
    Parse.text("a file or PEM text")
  ),
  registryCert: optional(
    "SCHEMA_REGISTRY_SSL_CERT",
    "client certificate for the registry: a PEM file, or the PEM itself",
    Parse.text("a file or PEM text")
  ),
  registryKey: secret("SCHEMA_REGISTRY_SSL_KEY", "client key for the registry: a PEM file, or the PEM itself"),
  batchSize: variable("BATCH_SIZE", "100", "events per table that make a batch", Parse.integer(1, 1_000_000)),
  batchTimeout: variable(
    "BATCH_TIMEOUT",
    "5.0",
    "seconds after which a batch is written even if it is not full",
    Parse.seconds(0.01, 3600)
  ),
  writeMaxRows: variable("WRITE_MAX_ROWS", "50000", "maximum rows of one write", Parse.integer(1, 1_000_000)),
  writeMaxBytes: variable(
    "WRITE_MAX_BYTES",
    "8MiB",
    "maximum bytes of one write: a transaction, which Snowflake gets in statements of 1 to 4 MB",
    Parse.bytes(1024, GiB)
  ),
  writeConcurrency: variable(
    "WRITE_CONCURRENCY",
    "4",
    "concurrent writes, and so warehouse sessions",
    Parse.integer(1, 64)
  ),
  bufferMaxBytes: variable(
    "BUFFER_MAX_BYTES",
    "64MiB",
    "maximum bytes of events in memory, for the whole process",
    Parse.bytes(1_048_576, 64 * GiB)
  ),
  delivery: variable(
    "DELIVERY",
    "exactly-once",
    "exactly-once (offsets in the same transaction as the rows) or at-least-once",
    Parse.choice({ "exactly-once": "exactly-once", "at-least-once": "at-least-once" })
  ),
  tombstones: variable(
    "TOMBSTONES",
    "insert",
    "records without a value: insert (RAW_EVENT NULL) or skip",
    Parse.choice({ insert: "insert", skip: "skip" })
  ),
  dlqTopic: optional("DLQ_TOPIC", "topic that also gets the dead letters", topicName),
  sink: variable(
    "SINK",
    "snowflake",
    "snowflake, or duckdb for an embedded database",
    Parse.choice({ snowflake: "Snowflake", duckdb: "DuckDb" })
  ),
  writer: variable(
    "SNOWFLAKE_WRITER",
    "sql",
    "sql: INSERTs in a virtual warehouse, or streaming: Snowpipe Streaming, without one",
    Parse.choice({ sql: "sql", streaming: "streaming" })
  ),
  account: optional("SNOWFLAKE_ACCOUNT", "account identifier, such as myorg-myaccount", accountName),
  user: optional("SNOWFLAKE_USER", "user to log in as", Parse.text("a user")),
  password: secret("SNOWFLAKE_PASSWORD", "password, for trials; for a service use a key pair or a token"),
  database: optional("SNOWFLAKE_DATABASE", "database", Parse.text("a database")),
  schema: variable("SNOWFLAKE_SCHEMA", "BRONZE", "schema of the raw tables", Parse.text("a schema")),
  warehouse: optional("SNOWFLAKE_WAREHOUSE", "virtual warehouse; default: that of the user", Parse.text("a warehouse")),
  role: optional("SNOWFLAKE_ROLE", "role; default: that of the user", Parse.text("a role")),
  privateKeyPath: optional("SNOWFLAKE_PRIVATE_KEY_PATH", "PEM file of a key pair (PKCS#8)", Parse.path),
  passphrase: secret("SNOWFLAKE_PRIVATE_KEY_PASSPHRASE", "passphrase of an encrypted private key"),
  token: secret("SNOWFLAKE_TOKEN", "programmatic access token, or OAuth token with SNOWFLAKE_AUTHENTICATOR=oauth"),
  authenticator: optional(
    "SNOWFLAKE_AUTHENTICATOR",
    "snowflake, snowflake_jwt, oauth or programmatic_access_token; default: inferred from the credentials",
    Parse.choice({
      snowflake: "Password",
      snowflake_jwt: "KeyPair",
      oauth: "OAuth",
      programmatic_access_token: "AccessToken"
    })
  ),
  host: optional("SNOWFLAKE_HOST", "host instead of the account's own: a private link, an emulator", serverAddress),
  duckdbPath: variable("DUCKDB_PATH", "bronze.duckdb", "file of the embedded database", Parse.databaseFile),
  logLevel: variable(
    "LOG_LEVEL",
    "INFO",
    "DEBUG, INFO, WARNING or ERROR",
    Parse.choice(
      { DEBUG: "Debug", INFO: "Info", WARNING: "Warn", ERROR: "Error" },
      { TRACE: "Trace", WARN: "Warn", CRITICAL: "Fatal", FATAL: "Fatal" }
    )
  ),
  logFormat: variable("LOG_FORMAT", "text", "text, or json for machines", Parse.choice({ text: "text", json: "json" })),
  /** The one variable whose empty value says something. */
  logFile: {
    ...variable("LOG_FILE", logFile, "file that also gets the log; empty for none", Parse.path),
    config: Config.String("LOG_FILE").pipe(
      Config.withDefault(logFile),
      Config.map((text): Parse.Parsed<string> => (text === "" ? Result.succeed("") : Parse.path(text)))
    )
  },
  httpHost: variable(
    "HTTP_HOST",
    "127.0.0.1",
    "address that live page, health and metrics listen on",
    Parse.text("an address")
  ),
  httpPort: variable(
    "HTTP_PORT",
    "9464",
    "port of live page, health and metrics; 0 turns them off",
    Parse.integer(0, 65535)
  ),
  httpShowEvents: variable(
    "HTTP_SHOW_EVENTS",
    "false",
    "true shows the payloads of the last rows on the live page",
    Parse.choice({ true: true, false: false })
  ),
  httpToken: secret(
    "HTTP_TOKEN",
    "token that live page, API and metrics require: as a bearer token, or as the password in a browser",
    Parse.token
  ),
  readyMaxPending: variable(
    "READY_MAX_PENDING",
    "60",
    "seconds beyond BATCH_TIMEOUT that an event may wait in memory while the service reports ready",
    Parse.seconds(0.1, 86_400)
  ),
  progressTimeout: variable(
    "PROGRESS_TIMEOUT",
    "300",
    "seconds without progress, although there is work, after which the service reconnects; after twice as many `/livez` fails",
    Parse.seconds(1, 86_400)
  ),
  shutdownTimeout: variable("SHUTDOWN_TIMEOUT", "25", "seconds allowed for a graceful stop", Parse.seconds(0.1, 3600))
}

/** The same, to be listed (help text, README, checks). */
export const table: ReadonlyArray<Variable<unknown>> = Object.values(variables)

/** The names of those that are secret. */
export const secrets: ReadonlyArray<string> = table.filter((variable) => variable.secret).map(({ name }) => name)
