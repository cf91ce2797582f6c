/** The few things that the page does to its document; all data goes in as text, never as markup. */

/** @param {string} id */
export const byId = (id) => {
  const found = document.getElementById(id)
  if (found === null) throw new Error(`index.html has no #${id}`)
  return found
}

/** @param {Element} parent @param {string} selector */
export const find = (parent, selector) => {
  const found = parent.querySelector(selector)
  if (!(found instanceof HTMLElement)) throw new Error(`nothing matches ${selector}`)
  return found
}

/**
 * Leaves a node alone whose text is the same, so that a selection in it survives.
 * @param {Element} node
 * @param {string} text
 */
export const setText = (node, text) => {
  if (node.textContent !== text) node.textContent = text
}

/** @param {string} id @param {string} text */
export const put = (id, text) => setText(byId(id), text)

/**
 * @template {keyof HTMLElementTagNameMap} T
 * @param {T} tag
 * @param {string} className
 * @param {...(Node | string)} children
 */
export const make = (tag, className = "", ...children) => {
  const node = document.createElement(tag)
  if (className !== "") node.className = className
  node.append(...children)
  return node
}

/** A number in full size and its unit beside it, smaller. @param {string} id @param {Quantity} quantity */
export const putQuantity = (id, [value, unit]) => {
  const node = byId(id)
  node.classList.remove("none")
  if (node.children.length !== 2) node.replaceChildren(make("span"), " ", make("span", "unit"))
  const [number, name] = node.children
  if (number !== undefined) setText(number, value)
  if (name !== undefined) setText(name, unit)
}

/** Says in words that there is no number. @param {string} id @param {string} text */
export const putNone = (id, text) => {
  const node = byId(id)
  node.classList.add("none")
  setText(node, text)
}

/**
 * How much of a bar is filled; bars repeat what is beside them as text.
 * @param {HTMLElement} bar
 * @param {number} share
 */
export const setShare = (bar, share) => {
  bar.style.setProperty("--share", String(Math.min(1, Math.max(0, share))))
}

/**
 * Where the focus goes from a row that has gone: to the one in its place, else to the first field of its panel.
 * @param {Element} parent
 * @param {number} index
 */
export const focusNear = (parent, index) => {
  const next = parent.children[Math.min(index, parent.children.length - 1)]?.querySelector("button, summary")
  const place = next ?? parent.closest("section")?.querySelector("input, button")
  if (place instanceof HTMLElement) place.focus()
}

/**
 * Keeps one child per item, in order. A child whose key is still there stays the same node: what is open, selected or
 * focused in it stays so.
 * @template A
 * @param {HTMLElement} parent
 * @param {ReadonlyArray<A>} items
 * @param {(item: A, index: number) => string} keyOf
 * @param {() => HTMLElement} create
 * @param {(node: HTMLElement, item: A) => void} update
 */
export const keyed = (parent, items, keyOf, create, update) => {
  /** @type {Map<string, HTMLElement>} */
  const old = new Map()
  for (const child of parent.children) {
    if (child instanceof HTMLElement) old.set(child.dataset["key"] ?? "", child)
  }
  let place = parent.firstElementChild
  for (const [index, item] of items.entries()) {
    const key = keyOf(item, index)
    const node = old.get(key) ?? create()
    old.delete(key)
    node.dataset["key"] = key
    update(node, item)
    if (node === place) place = place.nextElementSibling
    else parent.insertBefore(node, place)
  }
  for (const node of old.values()) {
    const index = node.contains(document.activeElement) ? [...parent.children].indexOf(node) : -1
    node.remove()
    if (index >= 0) focusNear(parent, index)
  }
}

/** A box that scrolls must be reachable by keyboard and have a name; one that does not scroll must not be a stop. */
export const watchBoxes = () => {
  const observer = new ResizeObserver((entries) => {
    for (const { target } of entries) {
      const box = target.closest(".box")
      if (!(box instanceof HTMLElement)) continue
      const scrolls = box.scrollWidth > box.clientWidth || box.scrollHeight > box.clientHeight
      if (!scrolls) for (const name of ["role", "tabindex", "aria-labelledby"]) box.removeAttribute(name)
      if (!scrolls || box.hasAttribute("tabindex")) continue
      box.tabIndex = 0
      box.setAttribute("role", "group")
      box.setAttribute("aria-labelledby", box.id.replace(/box$/, "title"))
    }
  })
  for (const node of document.querySelectorAll(".box, .box > *")) observer.observe(node)
}
