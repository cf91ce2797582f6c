/** The result of a check of `doctor`; a problem comes with its fix. */

export interface Finding {
  readonly check: string
  /** Only `bad` stands in the way of the service. */
  readonly state: "good" | "bad" | "warning" | "skipped"
  /** One line or several. */
  readonly detail: string
  /**
   * Commands, statements or variables; several, one per line, where the finding does not tell which of them it takes.
   */
  readonly remedy?: string
}

export const good = (check: string, detail: string): Finding => ({ check, state: "good", detail })

const withRemedies =
  (state: "bad" | "warning") =>
  (check: string, detail: string, ...remedies: ReadonlyArray<string>): Finding => ({
    check,
    state,
    detail,
    ...(remedies.length > 0 && { remedy: remedies.join("\n") })
  })

export const bad = withRemedies("bad")
export const warning = withRemedies("warning")

export const skipped = (check: string, detail: string): Finding => ({ check, state: "skipped", detail })
