/**
 * The files of the live page as they are sent: read once, compressed for whoever takes that, so that the whole page
 * stays small.
 */
import { readdirSync, readFileSync } from "node:fs"
import { extname } from "node:path"
import { fileURLToPath } from "node:url"
import { gzipSync } from "node:zlib"

const page = fileURLToPath(new URL("./page", import.meta.url))

const contentTypes = new Map([
  [".html", "text/html; charset=utf-8"],
  [".js", "text/javascript; charset=utf-8"],
  [".css", "text/css; charset=utf-8"],
  [".svg", "image/svg+xml"]
])

export interface PageFile {
  /** `/page/app.js`; the page itself is `/`. */
  readonly path: `/${string}`
  readonly contentType: string
  readonly content: Uint8Array
  readonly gzip: Uint8Array
}

const make = (name: string, content: Uint8Array): ReadonlyArray<PageFile> => {
  const contentType = contentTypes.get(extname(name))
  if (contentType === undefined) return []
  return [{ path: name === "index.html" ? "/" : `/page/${name}`, contentType, content, gzip: gzipSync(content) }]
}

export const read = (): ReadonlyArray<PageFile> =>
  readdirSync(page).flatMap((name) => make(name, readFileSync(`${page}/${name}`)))
