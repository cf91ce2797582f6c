/**
 * A Snowflake that stores nothing, as a process of its own: it speaks the driver's protocol, answers each statement at
 * once or after a set latency, and knows of the events only how many became durable when. Cheap on purpose, because it
 * shares the cores with what is measured.
 */
import { randomUUID } from "node:crypto"
import { createServer } from "node:http"
import { setTimeout as sleep } from "node:timers/promises"
import { gunzipSync } from "node:zlib"
import { parseRoutes } from "../src/domain/RouteText.ts"
import { shapesOf } from "../src/warehouse/sql/Tables.ts"
import * as Answers from "./NullAnswers.ts"
import type { Control, Stats } from "./NullClient.ts"
import * as NullStreaming from "./NullStreaming.ts"
import * as NullWarehouse from "./NullWarehouse.ts"
import { routeOf } from "./Orders.ts"

interface Session extends NullWarehouse.NullSession {
  /** Gives the ledger's lock back, if this session has it. */
  unlock: () => void
  /** Whether it has the lock, or stands in line for it. */
  holds: boolean
}

const fresh = () => {
  const warehouse = NullWarehouse.make()
  const streamed = warehouse.open()
  return {
    warehouse,
    streaming: NullStreaming.make((rows, began) => {
      world.inserts += 1
      streamed.insert(rows, began)
    }),
    sessions: new Map<string, Session>(),
    statements: 0,
    inserts: 0,
    bytes: 0,
    /** Settles when the ledger's lock is free. */
    lock: Promise.resolve()
  }
}

let world = fresh()
let latency = 0
let updateLatency = 0
let locks = false
let durable = 0

/** Real tables are locked from an UPDATE until COMMIT, and others wait in line. */
const takeLock = async (session: Session): Promise<void> => {
  if (session.holds) return
  session.holds = true
  const before = world.lock
  world.lock = new Promise((resolve) => {
    session.unlock = () => {
      session.unlock = () => undefined
      session.holds = false
      resolve()
    }
  })
  await before
}

/**
 * A row of the service's binds, and one of the naive loop's VALUES, as they are in a request; counted, never parsed.
 */
const boundRow = Buffer.from(String.raw`{\"n\":`)
const valuesRow = Buffer.from("(?,")

const count = (body: Buffer, part: Buffer): number => {
  let found = 0
  for (let at = body.indexOf(part); at !== -1; at = body.indexOf(part, at + part.length)) found += 1
  return found
}

const sqlOf = (body: Buffer): string => {
  const start = body.indexOf('"sqlText":"') + '"sqlText":"'.length
  return body.toString("latin1", start, start + 200)
}

/** Of small requests only. */
const bindsOf = (body: Buffer): ReadonlyArray<string> => {
  const request: { bindings?: Record<string, { value: string }> } = JSON.parse(body.toString("utf8"))
  return Object.values(request.bindings ?? {}).map(({ value }) => value)
}

const shapes = shapesOf(parseRoutes(routeOf("orders")).routes)
const columns = shapes.flatMap((shape) => shape.fields.map((field) => [shape.name, field.name, "YES", null, "NO"]))

const select = (sql: string, body: Buffer) => {
  const names = [...sql.matchAll(/CURRENT_[A-Z]+\(\) AS ([A-Z_]+)/g)].map(([, name]) => name ?? "")
  if (names.length > 0) return Answers.rows(names, [names.map(() => "BENCH")])
  if (sql.includes("SCHEMA_NAME")) return Answers.rows(["SCHEMA_NAME"], [["BRONZE"]])
  if (sql.includes("COLUMN_NAME"))
    return Answers.rows(["TABLE_NAME", "COLUMN_NAME", "IS_NULLABLE", "COLUMN_DEFAULT", "IS_IDENTITY"], columns)
  if (!sql.includes("NEXT_OFFSET")) return Answers.unknown(sql)
  const entries = world.warehouse.ledger(bindsOf(body)[0] ?? "")
  return Answers.rows(
    ["TOPIC", "PARTITION", "NEXT_OFFSET", "EPOCH", "OWNER", "TOPIC_ID"],
    entries.map((entry) => [
      entry.topic,
      String(entry.partition),
      String(entry.next),
      String(entry.epoch),
      entry.owner,
      null
    ])
  )
}

const execute = async (session: Session, body: Buffer) => {
  const at = Date.now()
  const sql = sqlOf(body)
  const [verb] = sql.split(" ", 1)
  world.statements += 1
  world.bytes += body.length
  const isUpdate = verb === "UPDATE" || verb === "MERGE"
  if (isUpdate && locks) await takeLock(session)
  const takes = isUpdate ? updateLatency : latency
  if (takes > 0) await sleep(takes)
  switch (verb) {
    case "BEGIN":
      session.begin(at)
      return Answers.done()
    case "INSERT": {
      if (sql.includes("CONSUMER_OFFSETS")) return Answers.changed("insert", 0)
      const rows = sql.includes("VALUES") ? count(body, valuesRow) : count(body, boundRow)
      if (rows > 0) world.inserts += 1
      session.insert(rows, at)
      return Answers.changed("insert", rows)
    }
    case "UPDATE": {
      const [ranges = "[]", group = ""] = bindsOf(body)
      // The ledger's lock is taken by an UPDATE of its own, which moves nothing; outside of a transaction nothing is
      // kept.
      if (!session.inTransaction()) session.unlock()
      if (sql.includes("SET UPDATED_AT")) return Answers.changed("update", JSON.parse(ranges).length)
      const moved = session.advance(group, JSON.parse(ranges))
      return Answers.changed("update", moved)
    }
    case "MERGE": {
      const [starts = "[]", group = "", owner = ""] = bindsOf(body)
      const positions: ReadonlyArray<NullWarehouse.Start> = JSON.parse(starts)
      world.warehouse.claim(group, owner, positions)
      if (!session.inTransaction()) session.unlock()
      return Answers.changed("merge", positions.length)
    }
    default:
      return sql.startsWith("COMMIT") || sql.startsWith("ROLLBACK")
        ? end(session, sql)
        : verb === "SELECT"
          ? select(sql, body)
          : verb === "ALTER"
            ? Answers.done()
            : Answers.unknown(sql)
  }
}

const end = (session: Session, sql: string) => {
  if (sql.startsWith("COMMIT")) session.commit()
  else session.rollback()
  session.unlock()
  return Answers.done()
}

const token = /Snowflake Token="([^"]*)"/

const openSession = () => {
  const id = randomUUID()
  world.sessions.set(id, { ...world.warehouse.open(), unlock: () => undefined, holds: false })
  return Answers.login(id)
}

/** For the bench: what has happened, and how to continue. */
const control = async (path: string, body: Buffer): Promise<Stats | object> => {
  if (path.startsWith("/bench/reached/")) await world.warehouse.reached(Number(path.slice("/bench/reached/".length)))
  if (path === "/bench/control") {
    const asked: Control = JSON.parse(body.toString("utf8"))
    latency = asked.latency
    updateLatency = asked.updateLatency ?? latency
    locks = asked.locks ?? false
    durable = asked.durable ?? 0
    if (asked.reset === true) world = fresh()
  }
  const { bytes, inserts, statements, warehouse } = world
  return { rows: warehouse.rows(), statements, inserts, bytes, commits: warehouse.commits } satisfies Stats
}

const answer = async (path: string, authorization: string, body: Buffer): Promise<object> => {
  if (path.startsWith("/bench/")) return control(path, body)
  if (path === "/session/v1/login-request") return openSession()
  const id = token.exec(authorization)?.[1] ?? ""
  const session = world.sessions.get(id)
  if (session === undefined) return Answers.gone()
  if (path === "/queries/v1/query-request") return execute(session, body)
  if (path === "/session") {
    end(session, "ROLLBACK")
    world.sessions.delete(id)
  }
  return Answers.nothing()
}

const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
  const chunks: Array<Buffer> = []
  request.on("data", (chunk: Buffer) => chunks.push(chunk))
  request.on("end", async () => {
    const path = (request.url ?? "").split("?", 1)[0] ?? ""
    const sent = Buffer.concat(chunks)
    const streamed = await world.streaming(
      {
        ...{ method: request.method ?? "", url: request.url ?? "", host: request.headers.host ?? "" },
        body: () => sent.toString("utf8")
      },
      { latency, durable }
    )
    if (streamed !== undefined) {
      const isText = typeof streamed.body === "string"
      response.writeHead(streamed.status, { "content-type": isText ? "text/plain" : "application/json" })
      response.end(isText ? streamed.body : JSON.stringify(streamed.body))
      return
    }
    const body = request.headers["content-encoding"] === "gzip" ? gunzipSync(sent) : sent
    const text = JSON.stringify(await answer(path, request.headers.authorization ?? "", body))
    response.writeHead(200, { "content-type": "application/json", "content-length": Buffer.byteLength(text) })
    response.end(text)
  })
})

server.listen(0, "127.0.0.1", () => {
  const address = server.address()
  if (address !== null && typeof address === "object") process.stdout.write(`listening on ${address.port}\n`)
})
