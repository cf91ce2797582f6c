/** The events of the benchmark: orders as a shop sends them, the same ones in every run, and the topics they are in. */

/** A topic of the benchmark; its name says what is in it, so that one that is there already can be used again. */
export interface Topic {
  readonly name: string
  readonly partitions: number
  readonly events: number
  /** Of one event. */
  readonly bytes: number
  readonly compression: "none" | "lz4"
  readonly format: Format
}

export type Format = "json" | "avro" | "protobuf"

export const topicOf = (
  events: number,
  { bytes = 230, compression = "none", format = "json", partitions = 4 }: Partial<Omit<Topic, "name" | "events">> = {}
): Topic => ({
  name: `bench.orders.${events}x${bytes}.${partitions}p.${compression}${format === "json" ? "" : `.${format}`}`,
  ...{ partitions, events, bytes, compression, format }
})

/** BRONZE_ROUTES for a topic of the benchmark: the default route's table and columns. */
export const routeOf = (topic: string): string => `${topic}=ORDERS_RAW(ORDER_ID=order_id,USER_ID=user_id:NUMBER)`

const dishes = [
  ["Chicken Biryani", 12.99],
  ["Masala Dosa", 8.5],
  ["Paneer Tikka", 10.25],
  ["Pad Thai", 11.75],
  ["Crème brûlée", 6.4],
  ["Ramen 味噌", 13.5]
] as const
const cities = ["Hyderabad", "Berlin", "São Paulo", "Nairobi", "Osaka"]
const started = Date.UTC(2026, 1, 7, 10, 30)

/** Spreads a number over 32 bits. */
const mix = (value: number): number => {
  const once = Math.imul(value ^ (value >>> 16), 0x45d9f3b)
  return (once ^ (once >>> 16)) >>> 0
}

const hex = (value: number): string => mix(value).toString(16).padStart(8, "0")

const uuid = (sequence: number): string => {
  const [a, b, c, d] = [hex(sequence + 1), hex(sequence + 7919), hex(sequence + 104729), hex(sequence + 1299709)]
  return `${a}-${b.slice(0, 4)}-4${b.slice(5)}-a${c.slice(5)}-${c.slice(0, 4)}${d}`
}

export const userOf = (sequence: number): number => 1 + (mix(sequence) % 5000)

/** Order lines of about so many bytes: an event is larger because there is more in it, not because of one long text. */
const lines = (bytes: number): string => {
  const list: Array<string> = []
  for (let size = 0; size < bytes; size += 100)
    list.push(
      `{"sku":"SKU-${10000 + list.length}","name":"Masala Dosa","quantity":${1 + (list.length % 4)},"price":8.50,"note":"extra chutney, no onions"}`
    )
  return `,"lines":[${list.join(",")}]`
}

const linesBySize = new Map<number, string>()

/** Order number `sequence`, of about `bytes` bytes of JSON. */
export const order = (sequence: number, bytes: number): string => {
  const seed = mix(sequence)
  const [name, price] = dishes[seed % dishes.length] ?? dishes[0]
  const city = cities[seed % cities.length]
  const created = new Date(started + sequence * 40).toISOString()
  const text = `{"order_id":"${uuid(sequence)}","user_id":${userOf(sequence)},"item_id":${seed % 900},"item_name":"${name}","price":${price},"quantity":${1 + (seed % 4)},"city":"${city}","payment":"card","status":"placed","created_at":"${created}"`
  if (bytes <= 300) return `${text}}`
  const more = linesBySize.get(bytes) ?? lines(bytes - 230)
  linesBySize.set(bytes, more)
  return `${text}${more}}`
}
