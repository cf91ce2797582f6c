/** Who may ask: by the host name, the method and the token, for every path. */
import { assert, describe, it } from "@effect/vitest"
import * as Headers from "effect/http/Headers"
import * as Redacted from "effect/Redacted"
import { check } from "../../../src/http/Guard.ts"

const paths = ["/", "/api/snapshot", "/api/events", "/metrics", "/page/app.js", "/livez", "/readyz", "/nowhere"]
const local = { host: "127.0.0.1", token: undefined }
const open = { host: "0.0.0.0", token: undefined }
const secured = { host: "0.0.0.0", token: Redacted.make("s3cret") }

const status = (http: typeof local | typeof secured, headers: Record<string, string>, url = "/", method = "GET") =>
  check({ method, url, headers: Headers.fromInput(headers) }, http)?.status ?? 200

describe("the host name", () => {
  it("of this machine is answered, on any port", () => {
    for (const host of ["localhost:9464", "LOCALHOST", "127.0.0.1:1", "127.0.0.1", "[::1]:9464", "[::1]"])
      for (const url of paths) assert.strictEqual(status(local, { host }, url), 200, host)
  })
  it("of anybody else is not, on no path", () => {
    for (const host of [
      "evil.example",
      "evil.example:9464",
      "localhost.evil.example",
      "127.0.0.1.evil.example:9464",
      "evil.example:80@127.0.0.1",
      "10.0.0.1",
      "[::2]",
      "::1",
      ""
    ])
      for (const url of paths) assert.strictEqual(status(local, { host }, url), 421, host)
    assert.strictEqual(status(local, {}), 421)
    for (const host of ["localhost", "::1", "127.0.0.2"])
      assert.strictEqual(status({ ...local, host }, { host: "evil.example" }), 421)
  })
  it("is not looked at where the service listens for others", () => {
    assert.strictEqual(status(open, { host: "bronze.svc:9464" }), 200)
  })
})

describe("the method", () => {
  it("is GET or HEAD, and any other is told so", () => {
    for (const method of ["POST", "PUT", "DELETE", "OPTIONS", "PATCH"]) {
      const refused = check({ method, url: "/livez", headers: Headers.fromInput({ host: "localhost" }) }, local)
      assert.deepStrictEqual([refused?.status, refused?.headers["allow"]], [405, "GET, HEAD"])
    }
  })
})

describe("an action", () => {
  const json = { host: "localhost:9464", "content-type": "application/json; charset=utf-8" }
  const post = (http: typeof local | typeof secured, headers: Record<string, string>, url = "/api/replay") =>
    status(http, headers, url, "POST")

  it("is a POST of JSON from this origin or from no page", () => {
    for (const url of ["/api/replay", "/api/query", "/api/warehouse/reset", "/api/topics/pause"]) {
      assert.strictEqual(post(local, json, url), 200)
      assert.strictEqual(post(local, { ...json, origin: "http://localhost:9464" }, url), 200)
      assert.strictEqual(post(local, { ...json, origin: "http://localhost:8080" }, url), 403)
      assert.strictEqual(post(local, { ...json, origin: "null" }, url), 403)
      assert.strictEqual(post(local, { host: "localhost:9464" }, url), 415)
      for (const type of ["text/plain", "application/json-patch+json", "application/jsonx", "text/x; application/json"])
        assert.strictEqual(post(local, { ...json, "content-type": type }, url), 415, type)
    }
    assert.strictEqual(post(local, { ...json, host: "evil.example" }), 421)
    assert.strictEqual(post(local, json, "/api/snapshot"), 405)
    assert.strictEqual(status(local, json, "/api/replay", "PUT"), 405)
  })
  it("needs a token where others can ask, and so does what shows data", () => {
    for (const url of ["/api/dead-letters?limit=1", "/api/dead-letter?at=t/0@1", "/api/row?at=t/0@1"]) {
      assert.strictEqual(status(open, { host: "bronze.svc" }, url), 403, url)
      assert.strictEqual(status(secured, {}, url), 401, url)
      assert.strictEqual(status(secured, { authorization: "Bearer s3cret" }, url), 200, url)
      assert.strictEqual(status(local, { host: "localhost" }, url), 200, url)
    }
    assert.strictEqual(post(open, { ...json, host: "bronze.svc" }), 403)
    assert.strictEqual(post(secured, json), 401)
    assert.strictEqual(post(secured, { ...json, authorization: "Bearer s3cret" }), 200)
  })
  it("is refused for who asks before what is asked: 403 or 401, then 415", () => {
    const form = { host: "localhost:9464", "content-type": "text/plain" }
    assert.strictEqual(post(local, { ...form, origin: "http://evil.example" }), 403)
    assert.strictEqual(post(open, form), 403)
    assert.strictEqual(post(secured, form), 401)
    assert.strictEqual(post(secured, { ...form, authorization: "Bearer s3cret" }), 415)
  })
})

describe("the token", () => {
  const basic = (text: string) => ({ authorization: `Basic ${Buffer.from(text).toString("base64")}` })
  it("is asked for, but by the probes", () => {
    for (const url of paths)
      assert.strictEqual(status(secured, {}, url), url === "/livez" || url === "/readyz" ? 200 : 401, url)
    for (const url of ["/livez/../metrics", "/metrics?/livez", "/livez/", "//livez"])
      assert.strictEqual(status(secured, {}, url), 401, url)
    const refused = check({ method: "GET", url: "/", headers: Headers.empty }, secured)
    assert.match(refused?.headers["www-authenticate"] ?? "", /^Basic realm=/)
  })
  it("is a bearer's, or the password of any user", () => {
    for (const headers of [
      { authorization: "Bearer s3cret" },
      { authorization: "bearer  s3cret" },
      basic("me:s3cret"),
      basic(":s3cret")
    ])
      for (const url of paths) assert.strictEqual(status(secured, headers, url), 200)
  })
  it("must be the whole of it", () => {
    for (const headers of [
      { authorization: "Bearer s3cre" },
      { authorization: "Bearer s3cret1" },
      { authorization: "Bearer" },
      { authorization: "s3cret" },
      { authorization: "Digest s3cret" },
      basic("s3cret"),
      basic("s3cret:"),
      basic("me:s3cret:")
    ])
      assert.strictEqual(status(secured, headers), 401, headers.authorization)
  })
})
