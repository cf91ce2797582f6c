/** What a Snowflake server answers to the driver, as far as the driver looks at it. */
import { randomUUID } from "node:crypto"

const okay = (data: unknown) => ({ data, code: null, message: null, success: true })

/** Types of statements, by the driver's numbers: they tell it where the number of changed rows is. */
const kinds = { select: 0x1000, insert: 0x3100, update: 0x3200, merge: 0x3400, other: 0x5000 } as const

const column = (name: string, type: "text" | "fixed") => ({
  name,
  type,
  nullable: true,
  scale: type === "fixed" ? 0 : null,
  precision: type === "fixed" ? 38 : null,
  length: type === "text" ? 16_777_216 : null
})

const result = (
  kind: keyof typeof kinds,
  columns: ReadonlyArray<string>,
  rows: ReadonlyArray<ReadonlyArray<string | null>>,
  type: "text" | "fixed"
) =>
  okay({
    parameters: [],
    rowtype: columns.map((name) => column(name, type)),
    rowset: rows,
    total: rows.length,
    returned: rows.length,
    queryId: randomUUID(),
    statementTypeId: kinds[kind],
    version: 1,
    queryResultFormat: "json"
  })

export const rows = (columns: ReadonlyArray<string>, found: ReadonlyArray<ReadonlyArray<string | null>>) =>
  result("select", columns, found, "text")

export const changed = (kind: "insert" | "update" | "merge", count: number) =>
  result(kind, ["number of rows"], [[String(count)]], "fixed")

export const done = () => result("other", ["status"], [["Statement executed successfully."]], "text")

/**
 * What a session starts with; no bind is large enough to go through a stage, because the service's are no array binds.
 */
const parameters = [
  ["AUTOCOMMIT", true],
  ["TIMEZONE", "UTC"],
  ["CLIENT_SESSION_KEEP_ALIVE", false],
  ["CLIENT_SESSION_KEEP_ALIVE_HEARTBEAT_FREQUENCY", 3600],
  ["CLIENT_STAGE_ARRAY_BINDING_THRESHOLD", 65_280],
  ["CLIENT_TELEMETRY_ENABLED", false],
  ["QUERY_CONTEXT_CACHE_SIZE", 5]
].map(([name, value]) => ({ name, value }))

export const login = (token: string) =>
  okay({
    token,
    masterToken: `master-${token}`,
    validityInSeconds: 86_400,
    masterValidityInSeconds: 86_400,
    sessionId: 1,
    parameters,
    sessionInfo: { databaseName: "LAKE", schemaName: "BRONZE", warehouseName: "LOAD", roleName: "LOADER" }
  })

export const nothing = () => okay(null)

export const gone = () => ({
  data: { errorCode: "390111", sqlState: "08001" },
  code: "390111",
  message: "Session no longer exists. New login required to access the service.",
  success: false
})

export const unknown = (sql: string) => ({
  data: { errorCode: "001003", sqlState: "42000", queryId: randomUUID() },
  code: "001003",
  message: `SQL compilation error: the null Snowflake does not know: ${sql}`,
  success: false
})
