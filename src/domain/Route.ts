/**
 * A route says which table a topic goes to and which typed columns are taken out of its events; parsing names every
 * mistake at once.
 */

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

const identifier = /^[A-Za-z_][A-Za-z0-9_]{0,254}$/
/** What Kafka takes for the name of a topic. */
export const topicName = /^[A-Za-z0-9._-]{1,249}$/
const routeShape = /^([^=()\s]+)\s*=\s*([^=()\s]+)\s*(?:\(([^()]*)\)\s*)?((?:(?<=[\s)])[^=()\s]+=[^=()\s]+\s*)*)$/
const columnShape = /^([^=:\s]+)\s*=\s*([^=:\s]+?)(?:\s*:\s*([A-Za-z]+))?$/

/**
 * Parses `topic=TABLE(COLUMN=json.path:TYPE,…), …`; the problems are whole sentences, and the routes are complete when
 * there are none.
 */
export const parseRoutes = (
  text: string
): { readonly routes: ReadonlyArray<Route>; readonly problems: ReadonlyArray<string> } => {
  const problems: Array<string> = []
  const routes: Array<Route> = []
  for (const part of splitOutside(text)) {
    const match = routeShape.exec(part)
    if (match === null) {
      problems.push(`"${part}" is not of the form topic=TABLE(COLUMN=json.path:TYPE,…) unwrap=debezium`)
      continue
    }
    const [, topic = "", table = "", list = "", options = ""] = match
    const columns = list
      .split(",")
      .map((column) => column.trim())
      .filter((column) => column !== "")
    const typed = columns.flatMap((column) => parseColumn(part, column, problems))
    const unwrap = parseOptions(part, options, problems)
    routes.push({
      topic,
      table: { name: table.toUpperCase(), columns: unwrap === undefined ? typed : [...typed, opColumn] },
      ...(unwrap !== undefined && { unwrap })
    })
  }
  if (routes.length === 0 && problems.length === 0) problems.push("names no route")
  return { routes, problems: [...problems, ...checkRoutes(routes)] }
}

const parseColumn = (route: string, text: string, problems: Array<string>): ReadonlyArray<Column> => {
  const match = columnShape.exec(text)
  const type = columnTypes.find((name) => name === (match?.[3] ?? "STRING").toUpperCase())
  if (match === null || match[1] === undefined || match[2] === undefined) {
    problems.push(`"${text}" in "${route}" is not of the form COLUMN=json.path:TYPE`)
    return []
  }
  if (unwraps.some((name) => text.toLowerCase() === `unwrap=${name}`))
    problems.push(`"${text}" in "${route}" stands among the columns: options come after the parentheses`)
  if (type === undefined) {
    problems.push(`column ${match[1]} has the unknown type ${match[3]}; known are ${columnTypes.join(", ")}`)
    return []
  }
  const path = match[2].split(".")
  if (path.includes("")) problems.push(`"${text}" in "${route}" has an empty step in its path`)
  return [{ name: match[1].toUpperCase(), path, type }]
}

const parseOptions = (route: string, text: string, problems: Array<string>): Unwrap | undefined => {
  const options = text.split(/\s+/).filter((option) => option !== "")
  const known = options.map((option) => unwraps.find((name) => option.toLowerCase() === `unwrap=${name}`))
  options.forEach((option, index) => {
    if (known[index] === undefined)
      problems.push(`"${option}" in "${route}" is not unwrap=${unwraps.join(" or unwrap=")}`)
    else if (index > 0) problems.push(`"${route}" has the option unwrap twice`)
  })
  return known[0]
}

const checkRoutes = (routes: ReadonlyArray<Route>): ReadonlyArray<string> => {
  const problems: Array<string> = []
  const topics = new Set<string>()
  const tables = new Map<string, string>()
  for (const { topic, table } of routes) {
    if (!topicName.test(topic))
      problems.push(`"${topic}" is not a topic name (letters, digits, dot, underscore, hyphen)`)
    // kafkajs keeps topics as names of plain objects.
    if (topic in Object.prototype)
      problems.push(`topic ${topic} cannot be read: its name means something else to the Kafka client`)
    if (topics.has(topic)) problems.push(`topic ${topic} has two routes`)
    topics.add(topic)
    if (!identifier.test(table.name)) problems.push(`"${table.name}" is not a table name (letters, digits, underscore)`)
    if (serviceTables.some((name) => name === table.name))
      problems.push(`${table.name} is a table of the service itself`)
    const shape = JSON.stringify(table.columns)
    if ((tables.get(table.name) ?? shape) !== shape)
      problems.push(`table ${table.name} has two routes with different columns`)
    tables.set(table.name, shape)
    problems.push(...checkColumns(table))
  }
  return problems
}

const checkColumns = (table: Table): ReadonlyArray<string> => {
  const names = table.columns.map((column) => column.name)
  return names.flatMap((name, index) => {
    if (!identifier.test(name)) return [`"${name}" is not a column name (letters, digits, underscore)`]
    if ([...standardColumns, schemaIdColumn].some((standard) => standard === name))
      return [`column ${name} is one that every raw table has already`]
    return names.indexOf(name) === index ? [] : [`column ${name} of ${table.name} is named twice`]
  })
}

/** Splits at commas that stand outside parentheses. */
const splitOutside = (text: string): ReadonlyArray<string> =>
  text
    .split(/,(?![^(]*\))/)
    .map((part) => part.trim())
    .filter((part) => part !== "")
