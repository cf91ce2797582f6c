/** Reads one kind of message: its fields in the schema's order, whatever the order on the wire. */
import type { ByteReader } from "../ByteReader.ts"
import { Malformed } from "../Malformed.ts"
import { length, type Scalar, scalar, wire } from "./ProtoScalars.ts"
import type { FieldDefinition, MessageDefinition } from "./ProtoTypes.ts"

/** Reads a message that takes the rest of its reader. */
export type ReadMessage = (reader: ByteReader) => string

/** What a field holds: a scalar (an enum is one), or a message. */
export type Kind =
  | { readonly _tag: "Scalar"; readonly scalar: Scalar }
  | { readonly _tag: "Message"; readonly read: ReadMessage }

/** Gathers what the wire has of one field, and renders it at the end. */
interface Field {
  readonly number: number
  readonly open: string
  /** The places of the other parts of its oneof: of these the last on the wire counts. */
  readonly others: ReadonlyArray<number>
  readonly gather: (reader: ByteReader, wireType: number, before: Gathered | undefined) => Gathered
  /** What stands for it when it is absent; undefined leaves it out. */
  readonly absent: string | undefined
  readonly render: (gathered: Gathered, reader: ByteReader) => string
}

/** Text; of a map the text by key; of a message the parts that it came in. */
type Gathered = string | Map<string, string> | Array<Buffer>

type KindOf = (type: string, inside: string) => Kind

export const compile = (message: MessageDefinition, kindOf: KindOf): ReadMessage => {
  const fields = message.fields.map((definition) => fieldOf(definition, message, kindOf))
  const places = new Map(fields.map(({ number }, place) => [number, place]))
  return (reader) => {
    reader.budget.enter()
    const gathered: Array<Gathered | undefined> = new Array(fields.length).fill(undefined)
    while (reader.left > 0) {
      const { number, wireType } = tag(reader)
      const place = places.get(number)
      const field = place === undefined ? undefined : fields[place]
      if (place === undefined || field === undefined) {
        reader.budget.unknownFields += 1
        skip(reader, number, wireType)
        continue
      }
      gathered[place] = field.gather(reader, wireType, gathered[place])
      for (const other of field.others) gathered[other] = undefined
    }
    let text = ""
    for (const [place, field] of fields.entries()) {
      const value = gathered[place]
      if (value === undefined && field.absent === undefined) continue
      text += reader.put(text === "" ? `{${field.open}` : `,${field.open}`)
      text += value === undefined ? reader.put(field.absent ?? "") : field.render(value, reader)
    }
    reader.budget.leave()
    return text === "" ? reader.put("{}") : `${text}}`
  }
}

const tag = (reader: ByteReader) => {
  const value = Number(reader.varint())
  const number = Math.floor(value / 8)
  if (number === 0 || value > 0xffffffff) throw new Malformed("it has a field number that no field has")
  return { number, wireType: value & 7 }
}

const skip = (reader: ByteReader, number: number, wireType: number): void => {
  if (wireType === wire.varint) reader.varint()
  else if (wireType === wire.fixed64) reader.take(8)
  else if (wireType === wire.bytes) reader.take(length(reader))
  else if (wireType === wire.fixed32) reader.take(4)
  else if (wireType === wire.groupStart) group(reader, number)
  else throw new Malformed("a field is of no known wire type")
}

/** The bytes of a group: up to the tag that ends it. */
const group = (reader: ByteReader, number: number): Buffer => {
  reader.budget.enter()
  const start = reader.at
  for (;;) {
    const end = reader.at
    const inner = tag(reader)
    if (inner.wireType !== wire.groupEnd) skip(reader, inner.number, inner.wireType)
    else if (inner.number !== number) throw new Malformed("a group ends that did not begin")
    else {
      reader.budget.leave()
      return reader.between(start, end)
    }
  }
}

const strange = (name: string): Malformed => new Malformed(`field ${name} is not of the type that its schema gives it`)

const bodyOf = (reader: ByteReader, wireType: number, { name, number }: FieldDefinition): Buffer => {
  if (wireType === wire.bytes) return reader.bytes(length(reader))
  if (wireType === wire.groupStart) return group(reader, number)
  throw strange(name)
}

/** A message that came in parts is all of them together. */
const whole = (parts: ReadonlyArray<Buffer>): Buffer =>
  parts.length === 1 && parts[0] !== undefined ? parts[0] : Buffer.concat(parts)

const asText = (gathered: Gathered): string => (typeof gathered === "string" ? gathered : "")

const fieldOf = (definition: FieldDefinition, message: MessageDefinition, kindOf: KindOf): Field => {
  const { isImplicit, isRepeated, keys, name, number, oneof, type } = definition
  const kind = kindOf(type, message.name)
  const others = message.fields.flatMap((other, place) =>
    oneof !== undefined && other.oneof === oneof && other !== definition ? [place] : []
  )
  const shell = { number, open: `${JSON.stringify(name)}:`, others }
  if (keys !== undefined) return { ...shell, ...map(definition, keys, kind), absent: "{}" }
  if (isRepeated) {
    const item = kind._tag === "Scalar" ? scalars(definition, kind.scalar) : messages(definition, kind.read)
    return { ...shell, gather: item, absent: "[]", render: (gathered) => `[${asText(gathered)}]` }
  }
  if (kind._tag === "Scalar") {
    const { read, zero, wire: expected } = kind.scalar
    return {
      ...shell,
      gather: (reader, wireType) => {
        if (wireType !== expected) throw strange(name)
        return read(reader)
      },
      absent: isImplicit ? zero : undefined,
      render: asText
    }
  }
  return {
    ...shell,
    gather: (reader, wireType, before) => {
      const body = bodyOf(reader, wireType, definition)
      if (!Array.isArray(before)) return [body]
      before.push(body)
      return before
    },
    absent: undefined,
    render: (gathered, reader) => kind.read(reader.part(whole(Array.isArray(gathered) ? gathered : [])))
  }
}

/** Adds one item to the text of a list. */
const joined = (reader: ByteReader, before: Gathered | undefined, item: string): string =>
  before === undefined || before === "" ? item : `${asText(before)}${reader.put(",")}${item}`

/** Scalars one by one, or packed into bytes: a reader has to take both. */
const scalars =
  ({ name }: FieldDefinition, { read, wire: expected }: Scalar): Field["gather"] =>
  (reader, wireType, before) => {
    if (wireType === expected) return joined(reader, before, read(reader))
    if (wireType !== wire.bytes) throw strange(name)
    const packed = reader.part(reader.bytes(length(reader)))
    let list = before
    while (packed.left > 0) list = joined(packed, list, read(packed))
    return list ?? ""
  }

const messages =
  (definition: FieldDefinition, read: ReadMessage): Field["gather"] =>
  (reader, wireType, before) =>
    joined(reader, before, read(reader.part(bodyOf(reader, wireType, definition))))

/** The entries of a map are messages of a key and a value; of a key that occurs twice the last counts. */
const map = (definition: FieldDefinition, keyType: string, kind: Kind): Pick<Field, "gather" | "render"> => {
  const keyScalar = scalar(keyType)
  if (keyScalar === undefined) throw new Malformed(`its schema has a map with keys of the type ${keyType}`)
  return {
    gather: (reader, wireType, before) => {
      const entry = reader.part(bodyOf(reader, wireType, definition))
      let key = keyScalar.zero
      let value: string | undefined
      const bodies: Array<Buffer> = []
      while (entry.left > 0) {
        const { number, wireType } = tag(entry)
        if (number === 1 && wireType === keyScalar.wire) key = keyScalar.read(entry)
        else if (number === 2 && kind._tag === "Message") bodies.push(bodyOf(entry, wireType, definition))
        else if (number === 2 && kind._tag === "Scalar" && wireType === kind.scalar.wire)
          value = kind.scalar.read(entry)
        else if (number <= 2) throw strange(definition.name)
        else skip(entry, number, wireType)
      }
      const entries = before instanceof Map ? before : new Map<string, string>()
      const absent = kind._tag === "Scalar" ? kind.scalar.zero : kind.read(entry.part(whole(bodies)))
      return entries.set(key.startsWith('"') ? key : `"${key}"`, value ?? absent)
    },
    render: (gathered, reader) => {
      const entries = gathered instanceof Map ? [...gathered] : []
      return `{${entries.map(([key, value]) => `${key}${reader.put(":")}${value}`).join(",")}}`
    }
  }
}
