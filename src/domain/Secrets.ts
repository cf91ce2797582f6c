/** Redacts text: whatever looks like a secret is hidden, in any variable, error or address. */

const hidden = "<redacted>"

/** One kind of secret as it looks inside a text; each is linear in the length of the text. */
const kinds: ReadonlyArray<readonly [pattern: RegExp, instead: string]> = [
  // A PEM key; one without its end continues to the end of the text.
  [/(?:-{5})?BEGIN[A-Z0-9 _]{0,40}PRIVATE KEY[\s\S]*?(?:END[A-Z0-9 _]{0,40}PRIVATE KEY(?:-{5})?|$)/gi, "<private key>"],
  // The body of one, pasted without its first line: DER in base64, over lines or with written-out line breaks.
  [
    /(?<![A-Za-z0-9+/])M[C-I][A-Za-z0-9+/]{38,}={0,2}(?:(?:\s|\\[rn]){1,8}(?:[A-Za-z0-9+/]{16,}={0,2}|[A-Za-z0-9+/]{1,15}={1,2}))*/g,
    hidden
  ],
  // Tokens by their form: JSON web tokens (Snowflake's and MotherDuck's among them), Snowflake's session tokens, the
  // usual access tokens.
  [/eyJ[\w-]{12,}(?:\.[\w-]*){0,2}/g, hidden],
  [/\bver:\d+-hint:\S+/g, hidden],
  [/\b(?:gh[pousr]_|github_pat_|glpat-|glsa_|npm_|hvs\.|xox[a-z]-|sk-|dapi|AKIA|ASIA)[\w-]{16,}/g, hidden],
  [/\b(bearer\s+)[\w.~+/=-]{8,}/gi, `$1${hidden}`],
  [/\b(authorization["']?\s{0,4}[:=]\s{0,4}["']?(?:\w{1,20}\s+)?)[^\s"',;]+/gi, `$1${hidden}`],
  // The user and the password of an address; a password may hold another @.
  [/(:\/\/)[^\s"'<>]{1,512}@/g, `$1${hidden}@`],
  [/(?<![\w.%+~$-])[\w.%+~$-]{1,128}:[^\s"'<>]{1,512}@(?=[\w[])/g, `${hidden}@`],
  // `token=…` and the like, as in a query, a connection string or a login module.
  [
    /(?<=^|[\s?&;"'#=])([\w.-]{0,40}(?:token|passw(?:or)?d|passphrase|passcode|pwd|secret|(?:api|access|private)[_-]?key|signature)[\w.-]{0,20}\s?=\s?)(?:\\?"[^"]*"|'[^']*'|[^\s&;,"')]+)/gi,
    `$1${hidden}`
  ],
  [/(?<=^|[\s?&;,"'#])((?:pass|sig)=)[^\s&;,"')]+/g, `$1${hidden}`],
  // The same as a header: `x-api-key: …`.
  [/\b((?:x-[\w-]{0,40}(?:token|key|secret|signature)|api-key)\s?:\s?)[^\s"',;]+/gi, `$1${hidden}`],
  // The same after a comma, in small letters: in capitals it is a column of BRONZE_ROUTES.
  [
    /(?<=,)([\w.-]{0,40}(?:token|password|passphrase|passcode|secret|[aA]pi[_-]?[kK]ey)[\w.-]{0,20}=)[^\s&;,"')]+/g,
    `$1${hidden}`
  ],
  [
    /(["'](?:[\w.-]{0,40}(?:token|passw(?:or)?d|pass|passphrase|secret|(?:api|access|private)[_-]?key))["']\s?:\s?)(?:"[^"]*"|'[^']*')/gi,
    `$1"${hidden}"`
  ]
]

/** A text of several words, such as an error or a line of the log, with its secrets hidden. */
export const hide = (text: string): string =>
  kinds.reduce((shown, [pattern, instead]) => shown.replace(pattern, instead), text)

/** A value of a setting with its secrets hidden: here all that is before the last @ of an address is one. */
export const shown = (value: string): string =>
  hide(value.replace(/^((?:[a-z][a-z0-9+.-]*:\/\/)?)[^@]*:[\s\S]*@/i, `$1${hidden}@`))

/** The same in quotes, for a message; what looks like a token in the place of a word is hidden as well. */
export const quote = (value: string, maxLength = Number.POSITIVE_INFINITY): string => {
  const safe = isTokenLike(value.trim()) ? hidden : shown(value)
  return JSON.stringify(safe.length > maxLength ? `${safe.slice(0, maxLength - 3)}...` : safe)
}

/** Long, of one piece, with small and capital letters and digits: no word of ours looks like that. */
const isTokenLike = (value: string): boolean =>
  /^[\w+/=~-]{20,}$/.test(value) && [/[a-z]/, /[A-Z]/, /\d/].every((part) => part.test(value)) && !value.startsWith("/")

/** Why a text cannot be the path of a file; such a text is never shown, because it is most likely a key. */
export const notAPath = (text: string): string | undefined => {
  if (/-----BEGIN|BEGIN [A-Z ]*KEY/.test(text)) return "PEM text"
  if (/[\r\n]|\\n/.test(text)) return "text of several lines"
  if (/^[A-Za-z0-9+/]{64,}={0,2}$/.test(text) && !text.startsWith("/")) return "base64"
  return hide(text).includes("<private key>") || text.length > 4096 ? "text that is no path" : undefined
}

/** The same data with the secrets in all its texts hidden, except below the given keys. */
export const json = (data: unknown, except: ReadonlyArray<string> = []): string =>
  JSON.stringify(data, (key, value: unknown) =>
    typeof value === "string" && !except.includes(key) ? hide(value) : value
  )
