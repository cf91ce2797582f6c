/** The tables of the page: their heads, one row for each item, and a sentence in place of a table without rows. */
import { byId, keyed, make, setText } from "./dom.js"

/** What a head may start with, and the class of its column. @type {Readonly<Record<string, string>>} */
const kinds = { "#": "number", "@": "coordinates", "~": "payload" }

/**
 * Fills `#NAME-box`. A head in parentheses is not seen.
 * @param {string} name
 * @param {string} caption
 * @param {ReadonlyArray<string>} heads
 */
export const makeTable = (name, caption, heads) => {
  const columns = heads.map((head) => {
    const kind = kinds[head.charAt(0)]
    return { kind: kind ?? "", text: kind === undefined ? head : head.slice(1) }
  })
  const body = make("tbody")
  body.id = `${name}-rows`
  const head = columns.map(({ kind, text }) => {
    const cell = make("th", kind, text.startsWith("(") ? make("span", "unseen", text.slice(1, -1)) : text)
    cell.setAttribute("scope", "col")
    return cell
  })
  const box = byId(`${name}-box`)
  box.append(make("table", "", make("caption", "unseen", caption), make("thead", "", make("tr", "", ...head)), body))

  /** The first cell is the header of its row. */
  const makeRow = () => {
    const row = make("tr")
    columns.forEach(({ kind }, index) => {
      const cell = make(index === 0 ? "th" : "td", kind)
      if (index === 0) cell.setAttribute("scope", "row")
      row.append(cell)
    })
    return row
  }

  return {
    body,
    /**
     * @template A
     * @param {ReadonlyArray<A>} items
     * @param {(item: A) => string} keyOf
     * @param {(row: HTMLElement, item: A) => void} update
     * @param {(row: HTMLElement) => void} [furnish] once for each row
     */
    show: (items, keyOf, update, furnish) => {
      box.hidden = items.length === 0
      const none = document.getElementById(`no-${name}`)
      if (none !== null) none.hidden = items.length > 0
      const create = () => {
        const row = makeRow()
        furnish?.(row)
        return row
      }
      keyed(body, items, keyOf, create, update)
    }
  }
}

/** A null leaves a cell as it is. @param {Element} row @param {ReadonlyArray<string | null>} texts */
export const setCells = (row, texts) => {
  texts.forEach((text, index) => {
    const cell = row.children[index]
    if (cell !== undefined && text !== null) setText(cell, text)
  })
}
