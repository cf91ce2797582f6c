// The shop's page: the files of scripts/shop/page as they are, and the addresses that the page needs.
import { join } from "node:path"
import * as Effect from "effect/Effect"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as HttpStaticServer from "effect/http/HttpStaticServer"
import * as Layer from "effect/Layer"
import { projectRoot } from "../support/paths.ts"

/** What the page asks for first. */
export interface Addresses {
  readonly api: string
  /** The live page of the service; null when HTTP_PORT=0 turns it off. */
  readonly live: string | null
}

export const layer = (addresses: Addresses) => {
  const headers = {
    "content-security-policy": `default-src 'self'; connect-src 'self' ${addresses.api}; frame-ancestors 'none'`,
    "x-content-type-options": "nosniff"
  }
  return Layer.mergeAll(
    HttpRouter.add("GET", "/addresses.json", HttpServerResponse.jsonUnsafe(addresses)),
    HttpRouter.add(
      "GET",
      "/tokens.css",
      HttpServerResponse.file(join(projectRoot, "src", "http", "page", "tokens.css"), {
        contentType: "text/css; charset=utf-8"
      })
    ),
    HttpStaticServer.layer({ root: join(projectRoot, "scripts", "shop", "page"), cacheControl: "no-cache" }),
    HttpRouter.middleware((app) => Effect.map(app, HttpServerResponse.setHeaders(headers)), { global: true })
  )
}
