"""A Snowflake for tests: fakesnow (SQL on DuckDB) behind the wire protocol of the Node driver, on 127.0.0.1.

usage: python server.py PORT [DATA_DIR] [--OPTION=VALUE]      with DATA_DIR the databases survive a restart, without it they are in memory
"""
import gzip
import json
import os
import time
from pathlib import Path

import fakesnow.server as fs
import uvicorn
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

import access
import errors
import grants
import sql as rewrite
from sessions import Session
from execution import ask_fakesnow
from options import OPTIONS, from_command_line, set_option
from several import run_several
from statements import abort_idle, answers_by_query, keep, run_statement

sessions = {}
answers_by_request = {}  # Snowflake runs a requestId that is sent again only once per session


async def body_of(request):
    body = await request.body()
    return json.loads(gzip.decompress(body) if request.headers.get("content-encoding") == "gzip" else body)


async def login(request):
    body = await body_of(request)
    data = body["data"]
    if data.get("PASSWORD") == "wrong":
        return JSONResponse(errors.failure("390100", "Incorrect username or password was specified.", "08001"))
    query = request.query_params
    role = (query.get("roleName") or "PUBLIC").upper()
    if OPTIONS["grants"]:
        # Nothing is there but what an administrator has made.
        fs.shared_fs.create_database_on_connect = fs.shared_fs.create_schema_on_connect = False
        if not access.knows(role):
            message = f"Role '{role}' specified in the connect string does not exist or not authorized."
            return JSONResponse(errors.failure("390189", message, "08001"))
    data.setdefault("SESSION_PARAMETERS", {})["nop_regexes"] = rewrite.NO_OPERATION
    answer = await ask_fakesnow(fs.login_request, request, body)
    if not answer.get("success"):
        return JSONResponse(answer)
    token = answer["data"]["token"]
    sessions[token] = Session(token, {
        "CURRENT_USER": str(data.get("LOGIN_NAME") or "EMULATOR").upper(),
        "CURRENT_ROLE": role,
        "CURRENT_WAREHOUSE": warehouse_of(query.get("warehouse"), role),
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
    return JSONResponse(answer)


def warehouse_of(name, role):
    """None where the role may not use it: whoever needs one is told 000606 later."""
    is_usable = name and (not OPTIONS["grants"] or grants.may(role, "USAGE", "WAREHOUSE", name.upper()))
    return name.upper() if is_usable else None


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


async def options(request):
    if request.method == "POST":
        for name, value in (await body_of(request)).items():
            set_option(name, value)
    return JSONResponse(OPTIONS)


def token_of(request):
    return request.headers.get("authorization", "")[17:-1]


def open_databases(data_dir):
    data_dir.mkdir(parents=True, exist_ok=True)
    fs.shared_fs = fs.FakeSnow(db_path=data_dir)
    for file in data_dir.glob("*.db"):
        fs.shared_fs.connect(database=file.stem).close()


if __name__ == "__main__":
    port, *data_dir = from_command_line()
    if data_dir:
        open_databases(Path(data_dir[0]))
    app = Starlette(routes=[
        Route("/", nothing),
        Route("/emulator/options", options, methods=["GET", "POST"]),
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
    uvicorn.run(app, host="127.0.0.1", port=int(port), log_level=level, timeout_graceful_shutdown=2)
