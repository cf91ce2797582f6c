/** A route says which table a topic goes to, and which typed columns are taken out of its events. */

/** What a typed column may hold; which texts each type takes is in docs/reference/columns.md. */
export const columnTypes = ["STRING", "NUMBER", "FLOAT", "BOOLEAN", "TIMESTAMP"] as const
export type ColumnType = (typeof columnTypes)[number]

/** A typed column: `USER_ID=user_id:NUMBER`; the path leads through nested objects (`user.address.city`). */
export interface Column {
  readonly name: string
  readonly path: ReadonlyArray<string>
  readonly type: ColumnType
}

/** A raw table: its typed columns, besides those every raw table has. */
export interface Table {
  readonly name: string
  readonly columns: ReadonlyArray<Column>
  /** Whether its rows say which schema they were written with: where there is a registry. */
  readonly hasSchemaIds?: boolean
}

export interface Route {
  readonly topic: string
  readonly table: Table
  /** The envelope around its rows: the typed columns are taken out of what it holds. */
  readonly unwrap?: Unwrap
  /** The topic text of the template that led to it; undefined where BRONZE_ROUTES names the topic itself. */
  readonly template?: string
}

/** The envelopes that a route can open: that of Debezium's change events. */
export const unwraps = ["debezium"] as const
export type Unwrap = (typeof unwraps)[number]

/** The column that says what a change event did: its `op` (c, u, d, r, t or m). */
export const opColumn: Column = { name: "OP", path: ["op"], type: "STRING" }

/** The columns that every raw table has, and their place after the typed ones. */
export const standardColumns = [
  "RAW_EVENT",
  "INGESTION_TIMESTAMP",
  "KAFKA_TOPIC",
  "KAFKA_PARTITION",
  "KAFKA_OFFSET",
  "KAFKA_TIMESTAMP",
  "KAFKA_KEY",
  "KAFKA_HEADERS"
] as const

/** The column that a raw table has besides, where there is a registry. */
export const schemaIdColumn = "KAFKA_SCHEMA_ID"

/** The tables that the service itself keeps. */
export const serviceTables = ["DEAD_LETTERS", "CONSUMER_OFFSETS"] as const

/** What users call the rows of a table: `ORDERS_RAW` holds `orders`. */
export const nounOf = (table: string): string => table.replace(/_RAW$/, "").toLowerCase()

/** The tables of the routes, each once. */
export const tablesOf = (routes: ReadonlyArray<Route>): ReadonlyArray<Table> => [
  ...new Map(routes.map((route) => [route.table.name, route.table])).values()
]

/** What may name a table or a column. */
export const identifier = /^[A-Za-z_][A-Za-z0-9_]{0,254}$/

/** What Kafka takes for the name of a topic. */
export const topicName = /^[A-Za-z0-9._-]{1,249}$/

/** kafkajs keeps topics as names of plain objects. */
export const isReadable = (topic: string): boolean => !(topic in Object.prototype)
