/**
 * Sample events as a shop would send them: orders and clicks, with new fields, and broken ones; about 230 bytes each.
 */

export type Kind = "order" | "click"

/** A topic about clicks gets clicks, any other gets orders. */
export const kindOf = (topic: string): Kind => (/click/i.test(topic) ? "click" : "order")

const dishes: ReadonlyArray<readonly [name: string, price: number]> = [
  ["Chicken Biryani", 12.99],
  ["Masala Dosa", 8.5],
  ["Paneer Tikka", 10.25],
  ["Pad Thai", 11.75],
  ["Margherita Pizza", 9.9],
  ["Crème brûlée", 6.4],
  ["Falafel Wrap", 7.2],
  ["Ramen 味噌", 13.5]
]
const cities = ["Hyderabad", "Berlin", "São Paulo", "Nairobi", "Osaka"]
const pages = ["/menu", "/item", "/cart", "/checkout", "/offers"]

const below = (limit: number): number => Math.floor(Math.random() * limit)
const pick = <A>(list: ReadonlyArray<A>, otherwise: A): A => list[below(list.length)] ?? otherwise
const hex = (length: number): string => Array.from({ length }, () => below(16).toString(16)).join("")

const order = (sequence: number, at: Date) => {
  const index = below(dishes.length)
  const [item_name, price] = dishes[index] ?? ["Chicken Biryani", 12.99]
  return {
    order_id: `ord-${hex(8)}-${sequence}`,
    user_id: 1 + below(5000),
    item_id: index + 1,
    item_name,
    price,
    quantity: 1 + below(4),
    city: pick(cities, "Berlin"),
    payment: pick(["card", "cash", "wallet"], "card"),
    status: "placed",
    created_at: at.toISOString()
  }
}

const click = (sequence: number, at: Date) => ({
  click_id: `clk-${hex(8)}-${sequence}`,
  user_id: 1 + below(5000),
  item_id: 1 + below(dishes.length),
  page: pick(pages, "/menu"),
  session_id: hex(16),
  device: pick(["ios", "android", "web"], "web"),
  referrer: "https://shop.example.com/offers?week=7",
  clicked_at: at.toISOString()
})

/**
 * Fields that came with a later version of the producer: an address and a way to pay for orders; for both a nested
 * object, a list, a number beyond 2^53.
 */
const newFields = (kind: Kind, text: string): string => {
  const ofOrder = {
    delivery_address: { street: `${1 + below(200)} Main Street`, city: pick(cities, "Berlin"), zip: "10115" },
    payment_method: pick(["credit_card", "paypal", "cash_on_delivery"], "credit_card")
  }
  const fields = {
    schema_version: 2,
    ...(kind === "order" ? ofOrder : {}),
    loyalty: { tier: pick(["silver", "gold"], "gold"), points: below(900) },
    coupons: ["WELCOME10"]
  }
  return `${text.slice(0, -1)},${JSON.stringify(fields).slice(1, -1)},"trace_id":9007199254740993}`
}

export interface Sample {
  readonly key: string
  readonly value: string | Uint8Array
}

export const sample = (kind: Kind, sequence: number, withNewFields: boolean, at: Date): Sample => {
  const event = kind === "order" ? order(sequence, at) : click(sequence, at)
  const text = JSON.stringify(event)
  return { key: String(event.user_id), value: withNewFields ? newFields(kind, text) : text }
}

/** Records that no consumer can read as an event: cut off, no JSON at all, not UTF-8. */
export const broken = (sequence: number): Sample => {
  const values = [
    `{"order_id":"ord-broken-${sequence}","user_id":`,
    `order ${sequence}: 2 x Chicken Biryani`,
    Uint8Array.from([0x7b, 0x22, 0x61, 0x22, 0x3a, 0x22, 0xff, 0xfe, 0x22, 0x7d])
  ] as const
  return { key: `broken-${sequence}`, value: values[sequence % 3] ?? "" }
}
