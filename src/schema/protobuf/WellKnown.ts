/** Messages with a form of their own in JSON: timestamps, wrapped scalars and decimals. */
import * as JsonText from "../JsonText.ts"
import type { ReadMessage } from "./ProtoMessage.ts"

type Render = (text: string) => string

const wrapped: Render = (text) => text.replace(/^\{"value":([\s\S]*)\}$/, "$1")

/** The years that a Timestamp may be in: 1 to 9999. */
const firstSecond = -62_135_596_800
const lastSecond = 253_402_300_799

/** With the digits that it needs: 3, 6 or 9; as it is where it is no time. */
const timestamp: Render = (text) => {
  const [, second, nano] = /^\{"seconds":(-?\d{1,12}),"nanos":(\d{1,9})\}$/.exec(text) ?? []
  const seconds = Number(second)
  if (nano === undefined || !(seconds >= firstSecond && seconds <= lastSecond)) return text
  const digits = nano.padStart(9, "0").replace(/(?:000){1,2}$/, "")
  return `"${new Date(seconds * 1000).toISOString().slice(0, 19)}.${digits}Z"`
}

const decimal: Render = (text) => {
  const [, bytes, scale] = /^\{"value":"([A-Za-z0-9+/=]{0,684})","precision":\d+,"scale":(\d{1,3})\}$/.exec(text) ?? []
  return bytes === undefined
    ? text
    : JsonText.decimal(JsonText.twosComplement(Buffer.from(bytes, "base64")), Number(scale))
}

const renders: ReadonlyMap<string, Render> = new Map([
  ["google.protobuf.Timestamp", timestamp],
  ["confluent.type.Decimal", decimal],
  ...["Double", "Float", "Int64", "UInt64", "Int32", "UInt32", "Bool", "String", "Bytes"].map(
    (type): [string, Render] => [`google.protobuf.${type}Value`, wrapped]
  )
])

export const wrap = (message: string, read: ReadMessage): ReadMessage => {
  const render = renders.get(message)
  return render === undefined ? read : (reader) => render(read(reader))
}
