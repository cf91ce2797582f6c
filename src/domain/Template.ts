/**
 * A template is a route to many topics: `raw.{name}.v1={NAME}_RAW`. A placeholder stands for what has no dot in it, so
 * that a topic fits in one way only.
 */
import { identifier, isReadable, type Route, serviceTables, topicName } from "./Route.ts"

/** A route whose topic has placeholders, and maybe its table. */
export type Template = Route

const placeholder = /\{([A-Za-z_][A-Za-z0-9_]*)\}/g
const namesIn = (text: string): ReadonlyArray<string> =>
  [...text.matchAll(placeholder)].map(([, name = ""]) => name.toUpperCase())

export const isTemplate = ({ table, topic }: Route): boolean => /[{}]/.test(topic + table.name)

/** What is wrong with a template, as whole sentences. */
export const problems = ({ table, topic }: Template): ReadonlyArray<string> => {
  const names = namesIn(topic)
  const strange = namesIn(table.name).find((name) => !names.includes(name))
  const is = (text: string, pattern: RegExp) => pattern.test(text.replace(placeholder, "x"))
  return [
    ...(is(topic, topicName) ? [] : [`"${topic}" is not a topic name with placeholders such as {name}`]),
    ...(is(table.name, identifier) ? [] : [`"${table.name}" is not a table name with placeholders such as {NAME}`]),
    ...(names.length > 0 || !is(topic, topicName)
      ? []
      : [`${table.name} has a placeholder, and its topic ${topic} has none`]),
    ...(new Set(names).size === names.length ? [] : [`${topic} has a placeholder twice`]),
    ...(/\}\{/.test(topic) ? [`${topic} has two placeholders without anything between them`] : []),
    ...(names.length > 0 && strange !== undefined
      ? [`${table.name} has a placeholder that ${topic} has not: {${strange}}`]
      : [])
  ]
}

/** What templates lead to: routes, and the topics that fit one and cannot be read, each with the reason. */
export interface Expansion {
  readonly routes: ReadonlyArray<Route>
  readonly refused: ReadonlyArray<{ readonly topic: string; readonly message: string }>
}

/**
 * Of these topics, those that fit a template, by the first that they fit. A topic that has a route keeps it; Kafka's own
 * topics fit none.
 */
export const expand = (
  templates: ReadonlyArray<Template>,
  topics: ReadonlyArray<string>,
  named: ReadonlyArray<Route>
): Expansion => {
  const routes: Array<Route> = []
  const refused: Array<{ readonly topic: string; readonly message: string }> = []
  const matchers = templates.map(matcher)
  const taken = new Set(named.map(({ topic }) => topic))
  const shapes = new Map(named.map(({ table }) => [table.name, JSON.stringify(table.columns)]))
  for (const topic of [...new Set(topics)].sort()) {
    if (taken.has(topic) || topic.startsWith("__")) continue
    const route = matchers.map((match) => match(topic)).find((found) => found !== undefined)
    if (route === undefined) continue
    const { name } = route.table
    const shape = JSON.stringify(route.table.columns)
    const message = !isReadable(topic)
      ? "its name means something else to the Kafka client"
      : !identifier.test(name)
        ? `"${name}" is not a table name (letters, digits, underscore; at most 255)`
        : serviceTables.some((service) => service === name)
          ? `${name} is a table of the service itself`
          : (shapes.get(name) ?? shape) !== shape
            ? `table ${name} has another route with different columns`
            : undefined
    if (message !== undefined) refused.push({ topic, message })
    else {
      shapes.set(name, shape)
      routes.push(route)
    }
  }
  return { routes, refused }
}

const matcher = ({ table, topic: template, ...options }: Template): ((topic: string) => Route | undefined) => {
  const names = namesIn(template)
  const parts = template.split(placeholder).filter((_, index) => index % 2 === 0)
  const pattern = new RegExp(`^${parts.map((part) => part.replace(/[.]/g, "\\.")).join("([^.]+)")}$`)
  return (topic) => {
    const match = pattern.exec(topic)
    if (match === null) return undefined
    const values = new Map(names.map((name, index) => [name, match[index + 1] ?? ""]))
    const filled = table.name.replace(placeholder, (_, name: string) => values.get(name.toUpperCase()) ?? "")
    const name = filled.toUpperCase().replace(/[^A-Z0-9_]/g, "_")
    return { ...options, topic, table: { ...table, name: /^\d/.test(name) ? `_${name}` : name }, template }
  }
}
