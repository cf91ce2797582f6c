// @ts-check
/**
 * The page of the shop: a click on a dish sends a click, its button an order, and what the API says is beside the menu,
 * then what the service made of it.
 */
import { waitFor } from "./landed.js"
import { menu } from "./menu.js"
import { send } from "./send.js"

const KEPT = 30
/** One tab for the live page, however often it is asked for. */
const liveTab = "bronze-live"
const money = new Intl.NumberFormat("en-US", { style: "currency", currency: "USD" })

/** @template {Element} T @param {ParentNode} parent @param {string} selector @param {new () => T} type @returns {T} */
const find = (parent, selector, type) => {
  const found = parent.querySelector(selector)
  if (!(found instanceof type)) throw new Error(`index.html has no ${selector}`)
  return found
}

/** @param {string} id */
const copy = (id) => {
  const node = find(document, `#${id}`, HTMLTemplateElement).content.firstElementChild?.cloneNode(true)
  if (!(node instanceof HTMLElement)) throw new Error(`#${id} is empty`)
  return node
}

const user = find(document, "#user", HTMLInputElement)
const sent = find(document, "#sent", HTMLElement)

/** The same user after a reload, where the browser keeps anything. */
const rememberUser = () => {
  const any = String(1 + Math.floor(Math.random() * 5000))
  try {
    user.value = localStorage.getItem("user") ?? any
    localStorage.setItem("user", user.value)
    user.addEventListener("change", () => localStorage.setItem("user", user.value))
  } catch {
    user.value = any
  }
}

/** @typedef {{ readonly api: string, readonly live: string | null }} Addresses */

/** @param {string} kind @param {string} name @param {Addresses} addresses */
const addEntry = (kind, name, { api, live }) => {
  const entry = copy("entry")
  const answer = find(entry, ".answer", HTMLElement)
  find(entry, "b", HTMLElement).textContent = kind
  find(entry, "span", HTMLElement).textContent = name
  answer.textContent = "Sending…"
  entry.dataset["kind"] = kind.toLowerCase()
  sent.prepend(entry)
  find(document, "#nothing", HTMLElement).hidden = true
  while (sent.children.length > KEPT) sent.lastElementChild?.remove()
  return /** @param {import("./send.js").Answer} result */ async (result) => {
    const { at, id, ok, text } = result
    entry.dataset["state"] = ok ? "done" : "failed"
    answer.textContent = text
    find(entry, "code", HTMLElement).textContent = id
    if (!ok || live === null) return
    const link = document.createElement("a")
    link.href = `${live}/#rows`
    link.target = liveTab
    link.textContent = "See it arrive"
    entry.append(link)
    const landed = at === "" ? null : await waitFor(api, result, () => entry.isConnected)
    if (landed === null) return
    if (!landed.isRow) entry.dataset["state"] = "dead"
    answer.textContent = landed.text
    link.href = landed.isRow ? `${live}/#row=${at}` : `${live}/#dead-letters`
    link.textContent = landed.isRow ? "See the row" : "See the dead letter"
  }
}

/** @param {Addresses} addresses */
const open = (addresses) => {
  const { api, live } = addresses
  const link = find(document, "#live", HTMLAnchorElement)
  if (live !== null) link.href = live
  link.hidden = live === null
  find(document, "#broken", HTMLButtonElement).addEventListener("click", async () => {
    const tell = addEntry("Broken", "not JSON", addresses)
    await tell(await send(`${api}/api/v1/broken/`, { user_id: user.valueAsNumber }))
  })
  for (const dish of menu) {
    const { about, item_id, item_name, price } = dish
    const card = copy("dish")
    const look = find(card, ".look", HTMLButtonElement)
    const order = find(card, ".order", HTMLButtonElement)
    find(card, "use", SVGUseElement).setAttribute("href", `dishes.svg#dish-${item_id}`)
    find(card, ".title", HTMLElement).textContent = item_name
    find(card, ".about", HTMLElement).textContent = about
    find(card, ".price", HTMLElement).textContent = money.format(price)
    order.setAttribute("aria-label", `Order ${item_name}, ${money.format(price)}`)
    look.addEventListener("click", async () => {
      const tell = addEntry("Click", item_name, addresses)
      await tell(await send(`${api}/api/v1/clicks/`, { user_id: user.valueAsNumber, item_id, page: "/menu" }))
    })
    order.addEventListener("click", async () => {
      const tell = addEntry("Order", item_name, addresses)
      await tell(await send(`${api}/api/v1/orders/`, { user_id: user.valueAsNumber, item_id, item_name, price }))
    })
    find(document, "#menu", HTMLElement).append(card)
  }
}

rememberUser()
open(await (await fetch("addresses.json")).json())
