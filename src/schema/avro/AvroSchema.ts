/** An Avro schema as the registry has it, parsed: every name is a full one, and nothing in it is left unchecked. */
import { Malformed } from "../Malformed.ts"

export const primitives = ["null", "boolean", "int", "long", "float", "double", "bytes", "string"] as const
export type Primitive = (typeof primitives)[number]

/** What gives the values of a type another meaning. */
export interface Logical {
  readonly name: string
  readonly precision: unknown
  readonly scale: unknown
}

export type AvroType =
  | { readonly kind: "primitive"; readonly type: Primitive; readonly logical: Logical | undefined }
  | { readonly kind: "fixed"; readonly name: string; readonly size: number; readonly logical: Logical | undefined }
  | { readonly kind: "enum"; readonly name: string; readonly symbols: ReadonlyArray<string> }
  | { readonly kind: "array" | "map"; readonly values: AvroType }
  | { readonly kind: "record"; readonly name: string; readonly fields: ReadonlyArray<Field> }
  | { readonly kind: "union"; readonly branches: ReadonlyArray<AvroType> }
  | { readonly kind: "reference"; readonly name: string }

export interface Field {
  readonly name: string
  readonly type: AvroType
}

type Fields = Readonly<Record<string, unknown>>

const isObject = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** Parses the text of a schema. */
export const parse = (text: string): AvroType => typeOf(jsonOf(text), "")

const jsonOf = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    // Some registries give the bare name of a primitive type.
    return text.trim()
  }
}

const typeOf = (schema: unknown, namespace: string): AvroType => {
  if (typeof schema === "string") return named(schema, namespace, undefined)
  if (Array.isArray(schema))
    return { kind: "union", branches: schema.map((branch: unknown) => typeOf(branch, namespace)) }
  if (!isObject(schema)) throw new Malformed("a type is neither a name, nor an object, nor a list")
  const { type } = schema
  if (typeof type !== "string") return typeOf(type, namespace)
  const own = nameOf(schema, namespace)
  switch (type) {
    case "record":
    case "error":
      return {
        kind: "record",
        name: own.full,
        fields: listOf(schema["fields"], "fields").map((field) => {
          if (!isObject(field) || typeof field["name"] !== "string") throw new Malformed("a field has no name")
          return { name: field["name"], type: typeOf(field["type"], own.namespace) }
        })
      }
    case "enum":
      return { kind: "enum", name: own.full, symbols: listOf(schema["symbols"], "symbols").map(String) }
    case "fixed": {
      const size = schema["size"]
      if (typeof size !== "number" || !Number.isInteger(size) || size < 0) throw new Malformed("a fixed has no size")
      return { kind: "fixed", name: own.full, size, logical: logicalOf(schema) }
    }
    case "array":
      return { kind: "array", values: typeOf(schema["items"], namespace) }
    case "map":
      return { kind: "map", values: typeOf(schema["values"], namespace) }
    default:
      return named(type, namespace, logicalOf(schema))
  }
}

const named = (name: string, namespace: string, logical: Logical | undefined): AvroType => {
  const type = primitives.find((primitive) => primitive === name)
  return type === undefined
    ? { kind: "reference", name: fullName(name, namespace) }
    : { kind: "primitive", type, logical }
}

const fullName = (name: string, namespace: string): string =>
  name.includes(".") || namespace === "" ? name.replace(/^\./, "") : `${namespace}.${name}`

/** The full name of a type that is defined here, and the namespace that its parts are in; a dot in the name wins. */
const nameOf = ({ name, namespace }: Fields, enclosing: string) => {
  if (typeof name !== "string") return { full: "", namespace: enclosing }
  const own = name.includes(".")
    ? name.slice(0, name.lastIndexOf("."))
    : typeof namespace === "string"
      ? namespace
      : enclosing
  return { full: fullName(name, own), namespace: own }
}

const listOf = (value: unknown, what: string): ReadonlyArray<unknown> => {
  if (!Array.isArray(value)) throw new Malformed(`a type has no ${what}`)
  return value
}

const logicalOf = (schema: Fields): Logical | undefined => {
  const name = schema["logicalType"]
  return typeof name === "string" ? { name, precision: schema["precision"], scale: schema["scale"] } : undefined
}
