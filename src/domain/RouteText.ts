/** Parses BRONZE_ROUTES: the routes of single topics and the templates of many; every mistake is named at once. */
import {
  type Column,
  columnTypes,
  identifier,
  isReadable,
  opColumn,
  type Route,
  schemaIdColumn,
  serviceTables,
  standardColumns,
  type Table,
  topicName,
  type Unwrap,
  unwraps
} from "./Route.ts"
import * as Template from "./Template.ts"

export interface Routing {
  readonly routes: ReadonlyArray<Route>
  readonly templates: ReadonlyArray<Template.Template>
}

const routeShape = /^([^=()\s]+)\s*=\s*([^=()\s]+)\s*(?:\(([^()]*)\)\s*)?((?:(?<=[\s)])[^=()\s]+=[^=()\s]+\s*)*)$/
const columnShape = /^([^=:\s]+)\s*=\s*([^=:\s]+?)(?:\s*:\s*([A-Za-z]+))?$/

/**
 * Parses `topic=TABLE(COLUMN=json.path:TYPE,…), …`; the problems are whole sentences, and the routes are complete when
 * there are none.
 */
export const parseRoutes = (text: string): Routing & { readonly problems: ReadonlyArray<string> } => {
  const problems: Array<string> = []
  const routes: Array<Route> = []
  for (const part of splitOutside(text)) {
    const match = routeShape.exec(part)
    if (match === null) {
      problems.push(`"${part}" is not of the form topic=TABLE(COLUMN=json.path:TYPE,…)`)
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
  const templates = routes.filter(Template.isTemplate)
  const named = routes.filter((route) => !Template.isTemplate(route))
  return {
    routes: named,
    templates,
    problems: [...problems, ...checkRoutes(named), ...checkTemplates(templates)]
  }
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
    if (!isReadable(topic))
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

const checkTemplates = (templates: ReadonlyArray<Template.Template>): ReadonlyArray<string> =>
  templates.flatMap((template, index) => [
    ...Template.problems(template),
    ...(templates.findIndex(({ topic }) => topic === template.topic) === index
      ? []
      : [`${template.topic} has two routes`]),
    ...checkColumns(template.table)
  ])

/** Splits at commas that stand outside parentheses. */
const splitOutside = (text: string): ReadonlyArray<string> =>
  text
    .split(/,(?![^(]*\))/)
    .map((part) => part.trim())
    .filter((part) => part !== "")
