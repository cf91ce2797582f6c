"""A Snowflake for tests: fakesnow (SQL on DuckDB) behind the wire protocol of the Node driver, on 127.0.0.1.

usage: python server.py PORT [DATA_DIR]      with DATA_DIR the databases survive a restart, without it they are in memory
"""
import gzip
import json
import os
import re
import sys
import time
import uuid
from pathlib import Path

import fakesnow.server as fs
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

import errors
import sql as rewrite
from rows import PARAMETERS, to_json_rows
from sessions import LockError, Session, TableLocks

KEPT_ANSWERS = 10_000
sessions = {}
hybrid_tables = set()
answers_by_request = {}  # Snowflake runs a requestId that is sent again only once per session
answers_by_query = {}


def keep(store, key, value):
    store[key] = value
    while len(store) > KEPT_ANSWERS:
        del store[next(iter(store))]


async def body_of(request):
    body = await request.body()
    return json.loads(gzip.decompress(body) if request.headers.get("content-encoding") == "gzip" else body)


async def ask_fakesnow(handler, request, body):
    raw = json.dumps(body).encode()

    async def receive():
        return {"type": "http.request", "body": raw, "more_body": False}

    scope = dict(request.scope)
    scope["headers"] = [h for h in scope["headers"] if h[0] not in (b"content-encoding", b"content-length")]
    answer = await handler(Request(scope, receive))
    return errors.as_snowflake(answer.status_code, to_json_rows(json.loads(answer.body)))


async def login(request):
    body = await body_of(request)
    data = body["data"]
    if data.get("PASSWORD") == "wrong":
        return JSONResponse(errors.failure("390100", "Incorrect username or password was specified.", "08001"))
    query = request.query_params
    data.setdefault("SESSION_PARAMETERS", {})["nop_regexes"] = rewrite.NO_OPERATION
    answer = await ask_fakesnow(fs.login_request, request, body)
    if not answer.get("success"):
        return JSONResponse(answer)
    token = answer["data"]["token"]
    sessions[token] = Session(token, {
        "CURRENT_USER": str(data.get("LOGIN_NAME") or "EMULATOR").upper(),
        "CURRENT_ROLE": (query.get("roleName") or "PUBLIC").upper(),
        "CURRENT_WAREHOUSE": query["warehouse"].upper() if query.get("warehouse") else None,
        "CURRENT_ACCOUNT": str(data.get("ACCOUNT_NAME") or "EMULATOR").upper(),
        "CURRENT_REGION": "EMULATOR",
        "CURRENT_VERSION": fs.SERVER_VERSION,
        "CURRENT_SESSION": str(len(sessions) + 1),
    })
    for parameter in answer["data"]["parameters"]:
        if parameter["name"] == "CLIENT_STAGE_ARRAY_BINDING_THRESHOLD":
            parameter["value"] = 65280
    lifetime = {"masterToken": token, "masterValidityInSeconds": 14400, "validityInSeconds": 3600}
    answer["data"].update(lifetime, sessionId=len(sessions))
    set_session_parameters(sessions[token], " ".join(f"{k}={v}" for k, v in data["SESSION_PARAMETERS"].items()))
    return JSONResponse(answer)


def set_session_parameters(session, text):
    if found := re.search(r"\bLOCK_TIMEOUT\s*=\s*(\d+)", text, re.I):
        session.lock_timeout_s = float(found.group(1))


async def abort_idle(session):
    """The client was killed or forgot its transaction, and somebody waits for its lock."""
    async with session.busy:
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

    sql, hybrid = rewrite.hybrid_table(rewrite.strip_comments(body["sqlText"]))
    word = rewrite.first_word(sql)
    body = {**body, "sqlText": sql}
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
        if table and table not in hybrid_tables:
            await locks.acquire(session, table)
        answer = await run(body)
        deadline = time.monotonic() + session.lock_timeout_s
        while not answer["success"] and errors.CONFLICT.search(answer["message"]) and time.monotonic() < deadline:
            # Snowflake reads what is committed when the statement starts; DuckDB what was when the transaction did.
            if session.transaction is not None:
                await start_again()
            answer = await run(body)
        if session.transaction is not None and not answer["success"]:
            await start_again()
    except LockError as error:
        return errors.failure("000625", f"Your statement was aborted because {error}.", "57014")
    finally:
        if word in ("COMMIT", "ROLLBACK"):
            session.transaction = None
        elif word in ("BEGIN", "START") and session.transaction is None:
            session.transaction = []
        if session.transaction is None:
            locks.release(session)
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
        count = len(rewrite.placeholders(part))
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


async def query(request):
    session = sessions.get(token_of(request))
    if session is None or session.token not in fs.sessions:
        return JSONResponse(errors.failure("390104", "User must login again to access the service.", "08001"))
    body = await body_of(request)
    request_key = (session.token, request.query_params.get("requestId"))
    async with session.busy:
        if request_key in answers_by_request:
            return JSONResponse(answers_by_request[request_key])
        expected = int((body.get("parameters") or {}).get("MULTI_STATEMENT_COUNT", 1))
        is_async = body.pop("asyncExec", False)
        if expected == 1:
            answer = await run_statement(request, session, body)
        else:
            answer = await run_several(request, session, body, expected)
        session.last_used = time.monotonic()
        if answer["success"] and is_async:
            query_id = answer["data"]["queryId"]
            keep(answers_by_query, query_id, answer)
            pending = {"queryId": query_id, "getResultUrl": f"/queries/{query_id}/result", "queryAbortsAfterSecs": 300}
            answer = {"data": pending, "code": "333334", "message": None, "success": True}
        if answer["success"]:
            keep(answers_by_request, request_key, answer)
        # fakesnow keeps every result for ever.
        cache = fs.shared_fs.results_cache
        while len(cache) > 100:
            del cache[next(iter(cache))]
        return JSONResponse(answer)


async def result(request):
    answer = answers_by_query.get(request.path_params["query_id"])
    return JSONResponse(answer or errors.failure("000709", "Statement not found", "02000"))


async def renew_token(request):
    token = token_of(request)
    if token not in sessions:
        return JSONResponse(errors.failure("390114", "Authentication token has expired.", "08001"))
    renewed = {"sessionToken": token, "masterToken": token, "validityInSecondsST": 3600, "validityInSecondsMT": 14400}
    return JSONResponse({"data": {**renewed, "sessionId": 1}, "success": True})


async def end_or_touch_session(request):
    token = token_of(request)
    session = sessions.get(token)
    if session is not None and request.query_params.get("delete"):
        await abort_idle(session)
        del sessions[token]
    return await fs.session(request)


async def nothing(_request):
    return JSONResponse({"data": None, "success": True})


def token_of(request):
    return request.headers.get("authorization", "")[17:-1]


def open_databases(data_dir):
    data_dir.mkdir(parents=True, exist_ok=True)
    fs.shared_fs = fs.FakeSnow(db_path=data_dir)
    for file in data_dir.glob("*.db"):
        fs.shared_fs.connect(database=file.stem).close()


if __name__ == "__main__":
    if len(sys.argv) > 2:
        open_databases(Path(sys.argv[2]))
    app = Starlette(routes=[
        Route("/", nothing),
        Route("/session/v1/login-request", login, methods=["POST"]),
        Route("/session/token-request", renew_token, methods=["POST"]),
        Route("/session/heartbeat", end_or_touch_session, methods=["POST"]),
        Route("/session", end_or_touch_session, methods=["POST"]),
        Route("/queries/v1/query-request", query, methods=["POST"]),
        Route("/queries/v1/abort-request", nothing, methods=["POST"]),
        Route("/queries/{query_id}/result", result),
        Route("/queries/{query_id}/abort-request", nothing, methods=["POST"]),
        Route("/monitoring/queries/{sfqid}", fs.monitoring_query),
        Route("/telemetry/send", nothing, methods=["POST"]),
    ])
    level = os.environ.get("EMULATOR_LOG", "warning")
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_level=level, timeout_graceful_shutdown=2)
