// Sets the chosen colours before the first paint, and lets the reader choose: as the system, light or dark. A classic
// script, because a module would run after it.
{
  const root = document.documentElement
  const read = () => {
    try {
      return localStorage.getItem("theme") ?? "auto"
    } catch {
      return "auto"
    }
  }
  /** @param {string} theme */
  const apply = (theme) => {
    if (theme === "light" || theme === "dark") root.dataset["theme"] = theme
    else delete root.dataset["theme"]
  }
  apply(read())
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => apply(read()))
  document.addEventListener("DOMContentLoaded", () => {
    for (const input of document.querySelectorAll("input[name=theme]")) {
      if (!(input instanceof HTMLInputElement)) continue
      input.checked = input.value === read()
      input.addEventListener("change", () => {
        try {
          localStorage.setItem("theme", input.value)
        } catch {
          // A browser that keeps nothing still shows it until the page is left.
        }
        apply(input.value)
      })
    }
  })
}
