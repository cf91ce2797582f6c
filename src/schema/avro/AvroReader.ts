/**
 * Reads Avro's binary form straight into JSON text: a schema is compiled once into one function per type. Integers and
 * decimals keep every digit.
 */
import { Budget, ByteReader } from "../ByteReader.ts"
import * as JsonText from "../JsonText.ts"
import { Malformed } from "../Malformed.ts"
import * as AvroLogical from "./AvroLogical.ts"
import type { AvroType, Field, Logical, Primitive } from "./AvroSchema.ts"

type Read = (reader: ByteReader) => string

/** Named types; a type may name itself, so that what it reads is known only once all of it is compiled. */
type Names = Map<string, { read: Read }>

/** The JSON of a body; throws Malformed or TooLong. */
export type Decode = (bytes: Uint8Array, at: number, maxText: number) => string

/** Compiles a schema; the types that it refers to are those of `references`, in the order in which they need each other. */
export const make = (schema: AvroType, references: ReadonlyArray<AvroType> = []): Decode => {
  const names: Names = new Map()
  for (const reference of references) compile(reference, names)
  const read = compile(schema, names)
  // Java's serializer writes bare bytes as they are, without their length.
  const isBare = schema.kind === "primitive" && schema.type === "bytes"
  return (bytes, at, maxText) => {
    const reader = new ByteReader(bytes, new Budget(maxText), at)
    if (isBare) return reader.put(JsonText.base64(reader.bytes(reader.left)))
    const text = read(reader)
    if (reader.left > 0) throw new Malformed(`${reader.left} bytes are left over`)
    return text
  }
}

const compile = (type: AvroType, names: Names): Read => {
  switch (type.kind) {
    case "primitive":
      return primitive(type.type, type.logical)
    case "union": {
      const branches = type.branches.map((branch) => compile(branch, names))
      return (reader) => at(branches, Number(reader.zigzag()), "a union has no such branch")(reader)
    }
    case "array":
      return list(compile(type.values, names))
    case "map":
      return map(compile(type.values, names))
    case "enum": {
      const symbols = type.symbols.map((symbol) => JSON.stringify(symbol))
      return define(type.name, names, () => (reader) => {
        return reader.put(at(symbols, Number(reader.zigzag()), "an enum has no such symbol"))
      })
    }
    case "fixed": {
      const render = AvroLogical.bytes(type.logical, type.size)
      return define(type.name, names, () => (reader) => reader.put(render(reader.bytes(type.size))))
    }
    case "record":
      return define(type.name, names, () => record(type.fields, names))
    case "reference": {
      const named = names.get(type.name) ?? names.get(type.name.slice(type.name.lastIndexOf(".") + 1))
      if (named === undefined) throw new Malformed(`its schema names a type that it does not define: ${type.name}`)
      return (reader) => named.read(reader)
    }
  }
}

const at = <A>(values: ReadonlyArray<A>, index: number, otherwise: string): A => {
  const value = values[index]
  if (value === undefined) throw new Malformed(otherwise)
  return value
}

const define = (name: string, names: Names, make: () => Read): Read => {
  const named: { read: Read } = { read: () => "" }
  names.set(name, named)
  named.read = make()
  return named.read
}

const primitive = (type: Primitive, logical: Logical | undefined): Read => {
  switch (type) {
    case "null":
      return (reader) => reader.put("null")
    case "boolean":
      return (reader) => reader.put(at(booleans, reader.byte(), "a boolean is neither 0 nor 1"))
    case "int":
    case "long": {
      const render = AvroLogical.integer(type, logical)
      const read = type === "int" ? int : (reader: ByteReader) => reader.zigzag()
      if (render === undefined) return (reader) => reader.put(String(read(reader)))
      return (reader) => {
        const value = read(reader)
        return reader.put(render(value) ?? String(value))
      }
    }
    case "float":
      return (reader) => reader.put(JsonText.float(reader.float()))
    case "double":
      return (reader) => reader.put(JsonText.double(reader.double()))
    case "bytes": {
      const render = AvroLogical.bytes(logical)
      return (reader) => reader.put(render(reader.bytes(length(reader))))
    }
    case "string":
      return string
  }
}

const booleans = ["false", "true"]

const int = (reader: ByteReader): number => {
  const value = Number(reader.zigzag())
  if (value < -0x80000000 || value > 0x7fffffff) throw new Malformed("an int takes more than 32 bits")
  return value
}

const length = (reader: ByteReader): number => Number(reader.zigzag())

const string: Read = (reader) => reader.string(length(reader))

const record = (fields: ReadonlyArray<Field>, names: Names): Read => {
  const parts = fields.map(({ name, type }, index) => ({
    open: `${index === 0 ? "{" : ","}${JSON.stringify(name)}:`,
    read: compile(type, names)
  }))
  if (parts.length === 0) return (reader) => reader.put("{}")
  return (reader) => {
    reader.budget.enter()
    let text = ""
    for (const { open, read } of parts) text += reader.put(open) + read(reader)
    reader.budget.leave()
    return `${text}}`
  }
}

/** Items may take no bytes at all (null, a record without fields), so that a few bytes could ask for any number of them. */
const maxEmptyItems = 65_536

/** Calls `item` for each one of an array or a map; these come in blocks. */
const blocks = (reader: ByteReader, item: () => void): void => {
  for (let count = length(reader); count !== 0; count = length(reader)) {
    // A negative count is followed by the size of its block, for those who want to pass over it.
    if (count < 0) length(reader)
    if (Math.abs(count) > Math.max(reader.left, maxEmptyItems))
      throw new Malformed("an array or a map has more items than its bytes can hold")
    for (let left = Math.abs(count); left > 0; left--) item()
  }
}

const list =
  (read: Read): Read =>
  (reader) => {
    reader.budget.enter()
    let text = ""
    blocks(reader, () => {
      text += reader.put(text === "" ? "[" : ",") + read(reader)
    })
    reader.budget.leave()
    return text === "" ? reader.put("[]") : `${text}]`
  }

const map =
  (read: Read): Read =>
  (reader) => {
    reader.budget.enter()
    let text = ""
    blocks(reader, () => {
      text += `${reader.put(text === "" ? "{" : ",")}${string(reader)}:${read(reader)}`
    })
    reader.budget.leave()
    return text === "" ? reader.put("{}") : `${text}}`
  }
