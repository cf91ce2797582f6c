"""A Snowflake for tests: fakesnow (SQL on DuckDB) behind the wire protocol of the Node driver, on 127.0.0.1.

usage: python server.py PORT [DATA_DIR] [--OPTION=VALUE]      with DATA_DIR the databases survive a restart, without it they are in memory
"""
import asyncio
import os
from pathlib import Path

import fakesnow.server as fs
import uvicorn
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

import access
import certificates
import errors
import faults
import grants
import sql as rewrite
from execution import ask_fakesnow
from options import OPTIONS, from_command_line, set_option
from queries import body_of, query, result, sessions, token_of
from sessions import Session
from statements import abort_idle
from streaming import routes, service


async def login(request):
    body = await body_of(request)
    if fault := faults.answer_for("login"):
        return fault
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
    """None where the role may not use it: whoever needs one is reported 000606 later."""
    is_usable = name and (not OPTIONS["grants"] or grants.may(role, "USAGE", "WAREHOUSE", name.upper()))
    return name.upper() if is_usable else None


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


async def ask_for_fault(request):
    faults.ask_for(await body_of(request))
    return JSONResponse(faults.waiting)


async def options(request):
    if request.method == "POST":
        for name, value in (await body_of(request)).items():
            set_option(name, value)
    return JSONResponse(OPTIONS)


def open_databases(data_dir):
    data_dir.mkdir(parents=True, exist_ok=True)
    fs.shared_fs = fs.FakeSnow(db_path=data_dir)
    for file in data_dir.glob("*.db"):
        fs.shared_fs.connect(database=file.stem).close()
    service.load()


async def serve(app, port):
    """On HTTP, and with tls-port on HTTPS as well; a signal ends both."""
    level = os.environ.get("EMULATOR_LOG", "warning")
    common = {"host": "127.0.0.1", "log_level": level, "timeout_graceful_shutdown": 2, "lifespan": "off"}
    plain = uvicorn.Server(uvicorn.Config(app, port=port, **common))
    if not OPTIONS["tls-port"]:
        return await plain.serve()
    certificate, key = certificates.ensure(OPTIONS["tls-dir"])
    secure = uvicorn.Server(uvicorn.Config(app, port=OPTIONS["tls-port"], ssl_certfile=certificate, ssl_keyfile=key, **common))
    # Only one of them may have the signals.
    beside = asyncio.create_task(secure._serve())
    while not (secure.started or beside.done()):
        await asyncio.sleep(0.01)
    await plain.serve()
    secure.should_exit = True
    await beside


if __name__ == "__main__":
    port, *data_dir = from_command_line()
    if data_dir:
        open_databases(Path(data_dir[0]))
    app = Starlette(routes=[
        Route("/", nothing),
        Route("/emulator/options", options, methods=["GET", "POST"]),
        Route("/emulator/faults", ask_for_fault, methods=["POST"]),
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
        *routes.ROUTES,
    ])
    asyncio.run(serve(app, int(port)))
