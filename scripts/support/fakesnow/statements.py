"""Runs one statement, or several of one request, in a session, with Snowflake's rules for locks, errors and DDL."""
import asyncio
import json
import re
import time
import uuid

import fakesnow.server as fs
import snowflake.connector.errors
from starlette.requests import Request

import errors
import modes
import sql as rewrite
from parse_json import parsed_binds, placeholders
from rows import PARAMETERS, to_json_rows
from sessions import LockError, TableLocks

KEPT_ANSWERS = 10_000
answers_by_query = {}
hybrid_tables = set()
leftovers = []


def keep(store, key, value):
    store[key] = value
    while len(store) > KEPT_ANSWERS:
        del store[next(iter(store))]


async def ask_fakesnow(handler, request, body):
    raw = json.dumps(body).encode()

    async def receive():
        return {"type": "http.request", "body": raw, "more_body": False}

    scope = dict(request.scope)
    scope["headers"] = [h for h in scope["headers"] if h[0] not in (b"content-encoding", b"content-length")]
    answer = await handler(Request(scope, receive))
    return errors.as_snowflake(answer.status_code, to_json_rows(json.loads(answer.body)))


def set_session_parameters(session, text):
    if found := re.search(r"\bLOCK_TIMEOUT\s*=\s*(\d+)", text, re.I):
        session.lock_timeout_s = float(found.group(1))


async def abort_idle(session):
    """The client was killed or forgot its transaction, and somebody waits for its lock."""
    async with session.busy:
        if session.transaction is not None:
            fs.sessions[session.token]._duck_conn.rollback()
        session.transaction = None
        locks.release(session)


locks = TableLocks(abort_idle)


async def run_statement(request, session, body):
    async def run(what):
        connection = fs.sessions[session.token]
        place = {"CURRENT_DATABASE": connection.database, "CURRENT_SCHEMA": connection.schema}
        transaction = {"CURRENT_TRANSACTION": None if session.transaction is None else str(id(session.transaction))}
        token = rewrite.IDENTITY.set({**session.identity, **place, **transaction})
        try:
            return await ask_fakesnow(fs.query_request, request, what)
        finally:
            rewrite.IDENTITY.reset(token)

    async def start_again():
        """DuckDB gives up the whole transaction at an error; Snowflake only the statement."""
        await run({"sqlText": "ROLLBACK"})
        await run({"sqlText": "BEGIN"})
        for earlier in session.transaction:
            await run(earlier)

    async def run_on_snapshot(snapshot):
        """In the transaction, which sees what is committed by now, but with the rows of the snapshot."""
        connection = fs.sessions[session.token]._duck_conn
        alone = session.transaction is None
        if alone:
            await run({"sqlText": "BEGIN"})
        else:
            await start_again()
        answer = await run({**body, "sqlText": modes.on_snapshot(snapshot, sql)})
        if answer["success"]:
            modes.put_over(connection, snapshot)
        if alone:
            await run({"sqlText": "COMMIT" if answer["success"] else "ROLLBACK"})
        leftovers.append((connection, snapshot))
        return answer

    async def run_late():
        """Reads now and changes a moment later, as two that run at the same time on different machines."""
        alone = session.transaction is None
        if alone:
            await run({"sqlText": "BEGIN"})
        await run({"sqlText": f"SELECT COUNT(*) FROM {modes.target(sql)}"})
        await asyncio.sleep(modes.TWIN_WINDOW_S)
        answer = await run(body)
        if alone:
            await run({"sqlText": "COMMIT" if answer["success"] else "ROLLBACK"})
        return answer

    sql, hybrid = rewrite.hybrid_table(rewrite.strip_comments(body["sqlText"]))
    word = rewrite.first_word(sql)
    body = {**body, "sqlText": sql}
    try:
        body["bindings"] = await asyncio.to_thread(parsed_binds, sql, body.get("bindings"))
    except snowflake.connector.errors.ProgrammingError as refused:
        return errors.failure(f"{refused.errno:06d}", refused.raw_msg, refused.sqlstate)
    if hybrid:
        hybrid_tables.add(hybrid)
    if word == "ALTER":
        set_session_parameters(session, sql)
    elif use := re.match(r"USE\s+(WAREHOUSE|ROLE)\s+(\S+)", sql, re.I):
        session.identity[f"CURRENT_{use.group(1).upper()}"] = rewrite.plain_name(use.group(2).rstrip(";"))
    elif re.match(r"SHOW\s+WAREHOUSES", sql, re.I):
        body["sqlText"] = rewrite.show_warehouses(sql, session.identity["CURRENT_WAREHOUSE"])
    if session.transaction is not None and word in ("CREATE", "DROP", "TRUNCATE", "GRANT"):
        # DDL commits what is open.
        await run({"sqlText": "COMMIT"})
        session.transaction = None
    table = rewrite.locked_table(sql)
    try:
        waited = None
        if table and table not in hybrid_tables and modes.takes_lock(sql):
            if locks.owners.get(table) not in (None, session):
                waited = modes.take_snapshot(fs.sessions[session.token]._duck_conn, sql)
            await locks.acquire(session, table)
        if waited:
            answer = await run_on_snapshot(waited)
        elif modes.reads_early(sql):
            answer = await run_late()
        else:
            answer = await run(body)
        deadline = time.monotonic() + session.lock_timeout_s
        while not answer["success"] and errors.CONFLICT.search(answer["message"]) and time.monotonic() < deadline:
            # Snowflake reads what is committed when the statement starts; DuckDB what was when the transaction did.
            await asyncio.sleep(0.005)
            if session.transaction is not None:
                await start_again()
            answer = await run(body)
        if session.transaction is not None and not answer["success"]:
            await start_again()
    except LockError as error:
        return errors.failure(error.code, f"Your statement was aborted because {error}.", "57014")
    finally:
        if word in ("COMMIT", "ROLLBACK"):
            session.transaction = None
        elif word in ("BEGIN", "START") and session.transaction is None:
            session.transaction = []
        if session.transaction is None:
            locks.release(session)
            while leftovers and leftovers[-1][0] is fs.sessions[session.token]._duck_conn:
                modes.drop(*leftovers.pop())
    if session.transaction is not None and answer["success"] and word in ("INSERT", "UPDATE", "DELETE", "MERGE"):
        session.transaction.append(body)
    return answer


async def run_several(request, session, body, expected):
    parts = rewrite.split_statements(body["sqlText"])
    if expected not in (0, len(parts)):
        message = f"Actual statement count {len(parts)} did not match the desired statement count {expected}."
        return errors.failure("000008", message, "0A000")
    binds = body.get("bindings") or {}
    used = 0
    ids = []
    for part in parts:
        count = len(placeholders(part))
        own = {str(i + 1): binds[str(used + i + 1)] for i in range(count)}
        used += count
        answer = await run_statement(request, session, {"sqlText": part, **({"bindings": own} if own else {})})
        if not answer["success"]:
            return answer
        keep(answers_by_query, answer["data"]["queryId"], answer)
        ids.append(answer["data"]["queryId"])
    column = {"name": "multiple statement execution", "type": "text", "nullable": False, "length": 16777216,
              "byteLength": 16777216, "scale": None, "precision": None}
    return {"success": True, "data": {
        "queryId": str(uuid.uuid4()), "resultIds": ",".join(ids), "resultTypes": ",".join(["4096"] * len(ids)),
        "rowtype": [column], "rowset": [["Multiple statements executed successfully."]], "total": 1, "returned": 1,
        "statementTypeId": 40960, "parameters": PARAMETERS}}
