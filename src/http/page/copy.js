/** Copies a text to the clipboard, where the browser allows that. */
import { setText } from "./dom.js"

/** Says on the button what became of it. @param {HTMLElement} button @param {string} text */
export const copyText = (button, text) => {
  const label = button.dataset["label"] ?? button.textContent ?? ""
  button.dataset["label"] = label
  /** @param {string} word */
  const say = (word) => {
    setText(button, word)
    setTimeout(() => setText(button, label), 1500)
  }
  // The clipboard is there only on loopback and behind TLS.
  if (navigator.clipboard === undefined) return say("Not possible over plain HTTP")
  navigator.clipboard.writeText(text).then(
    () => say("Copied"),
    () => say("Not allowed")
  )
}
