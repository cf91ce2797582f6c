/**
 * One row: a line, and opened the whole event and what the table holds beside it, asked of the table when it is opened.
 */
import { get, messageOf } from "./api.js"
import { copyText } from "./copy.js"
import { make, setText } from "./dom.js"
import { plural } from "./format.js"
import { pretty } from "./json.js"
import { place } from "./place.js"

/**
 * `at` is null for a row that only its table still knows.
 * @typedef {Omit<Snapshot["rows"][number], "at"> & { readonly at: number | null }} Row
 */
/** @typedef {Readonly<Record<string, unknown>>} Columns */

/** So many characters of an event are shown; copied is all of it. */
const SHOWN = 50_000

/** @param {unknown} value */
const textOf = (value) => (typeof value === "string" ? value : JSON.stringify(value))

/** @param {Columns} columns @param {string} name */
const textIn = (columns, name) => (columns[name] === null ? null : textOf(columns[name]))

/** What its table holds of a record. @param {string} at @returns {Promise<{ table: string, columns: Columns }>} */
const ask = async (at) =>
  /** @type {{ row: { table: string, columns: Columns } }} */ (await get("/api/row", { at })).row

/** The row of a record as its table has it. @param {string} at @returns {Promise<Row>} */
export const stored = async (at) => {
  const { columns, table } = await ask(at)
  return {
    ...{ at: null, table, topic: String(columns["KAFKA_TOPIC"]) },
    ...{ partition: Number(columns["KAFKA_PARTITION"]), offset: Number(columns["KAFKA_OFFSET"]) },
    ...{ key: textIn(columns, "KAFKA_KEY"), event: textIn(columns, "RAW_EVENT") }
  }
}

/** @param {Row} row */
export const eventOf = (row) => {
  let text = row.event ?? ""
  const copy = make("button", "small", "Copy")
  copy.type = "button"
  copy.addEventListener("click", () => copyText(copy, text))
  const about = make("span", "note")
  const event = make("pre")
  const columns = make("dl", "facts stored")
  const said = make("p", "note", "Reading the table…")
  const show = () => {
    const key = row.key === null ? "" : `, key ${row.key}`
    setText(about, `${place(row)}${key}, ${plural(text.length, "character")}`)
    setText(event, `${pretty(text.slice(0, SHOWN))}${text.length > SHOWN ? "\n…" : ""}`)
    event.hidden = text === ""
  }
  const read = async () => {
    try {
      const { columns: found, table } = await ask(place(row))
      text = textIn(found, "RAW_EVENT") ?? ""
      show()
      const others = Object.entries(found).filter(([name]) => name !== "RAW_EVENT")
      columns.replaceChildren(
        ...others.map(([name, value]) =>
          make("div", "", make("dt", "", name), make("dd", value === null ? "none" : "", textOf(value ?? "NULL")))
        )
      )
      setText(said, `As stored in ${table}:`)
    } catch (error) {
      setText(said, `The table cannot be read now (${messageOf(error)}): this is the event as it came.`)
    }
  }
  show()
  const line = row.event === null ? make("span", "none", "no value (a tombstone)") : row.event.replace(/\s+/g, " ")
  const details = make(
    "details",
    "",
    make("summary", "", line),
    make("p", "tools", copy, " ", about),
    event,
    said,
    columns
  )
  details.addEventListener("toggle", () => {
    if (details.open) void read()
  })
  return details
}
