/** How the values and keys of a topic are written; parsing names every mistake at once. */

/** `auto` is what the registry says where a record names a schema, and JSON where it names none. */
export const valueFormats = ["auto", "json", "avro", "protobuf", "json_schema"] as const
export type ValueFormat = (typeof valueFormats)[number]

/** `auto` is what the registry says where a key names a schema that it has, and text elsewhere. */
export const keyFormats = ["auto", "text", "registry", "bytes", "number"] as const
export type KeyFormat = (typeof keyFormats)[number]

export interface Format {
  readonly value: ValueFormat
  readonly key: KeyFormat
}

export const withoutRegistry: Format = { value: "json", key: "text" }
export const withRegistry: Format = { value: "auto", key: "auto" }

/** Whether only a registry can tell what the bytes are. */
export const needsRegistry = ({ key, value }: Format): boolean =>
  key === "registry" || !["auto", "json"].includes(value)

/** What one topic's entry says; what it does not say is the default. */
export type PartialFormat = Partial<Format>

const shape = /^([^=/\s]+)\s*=\s*([A-Za-z_]*)(?:\s*\/\s*([A-Za-z_]+))?$/

/** Parses `topic=VALUE/KEY, …`; the problems are whole sentences. */
export const parse = (
  text: string
): { readonly formats: ReadonlyMap<string, PartialFormat>; readonly problems: ReadonlyArray<string> } => {
  const formats = new Map<string, PartialFormat>()
  const problems: Array<string> = []
  for (const part of text.split(",").map((entry) => entry.trim())) {
    if (part === "") continue
    const [, topic, value, key] = shape.exec(part) ?? []
    if (topic === undefined || (value === "" && key === undefined)) {
      problems.push(`"${part}" is not of the form topic=VALUE or topic=VALUE/KEY`)
      continue
    }
    if (formats.has(topic)) problems.push(`topic ${topic} has two formats`)
    const valueFormat = valueFormats.find((format) => format === value?.toLowerCase())
    const keyFormat = keyFormats.find((format) => format === key?.toLowerCase())
    if (value !== "" && valueFormat === undefined)
      problems.push(`"${value}" is no format of values; known are ${valueFormats.join(", ")}`)
    if (key !== undefined && keyFormat === undefined)
      problems.push(`"${key}" is no format of keys; known are ${keyFormats.join(", ")}`)
    formats.set(topic, { ...(valueFormat && { value: valueFormat }), ...(keyFormat && { key: keyFormat }) })
  }
  return { formats, problems }
}
