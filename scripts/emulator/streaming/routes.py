"""The streaming API v2 on the port of the emulator: it decodes requests, applies the faults that were asked for, and answers."""
import json
from urllib.parse import parse_qsl, unquote

import faults
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from streaming import encoding, pipes, seen, service, tokens
from streaming.pipe_info import pipe_info
from streaming.refused import Refused

ROOT = "/v2/streaming/"


def _json(body):
    try:
        found = json.loads(body or b"{}")
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise Refused(400, "ERR_INVALID_REQUEST", "The body is no JSON object.")
    return found


def _not_routed():
    return PlainTextResponse("No Route", 404)


async def _answer(request, body):
    path = request.scope["raw_path"].decode()
    if request.headers.get("accept") is None:
        raise Refused(400, "391902", "Unsupported Accept header null is specified.")
    if path == "/oauth/token":
        return PlainTextResponse(tokens.exchange(request, dict(parse_qsl(body.decode()))))
    if path == f"{ROOT}hostname":
        tokens.check_user(request)
        # The official client, which comes by HTTPS, adds its own port to the name.
        host = request.headers["host"]
        return PlainTextResponse(host.rpartition(":")[0] if request.url.scheme == "https" else host)
    role = tokens.role_of(request)
    rest = path[len(ROOT):]
    is_data = rest.startswith("data/")
    match (rest[5:] if is_data else rest).split("/"):
        case ["databases", database, "schemas", schema, "pipes", name, *channel]:
            pass
        case _:
            return _not_routed()
    name, _, action = name.partition(":")
    pipe = pipes.find(unquote(database), unquote(schema), unquote(name), role=role)
    match (request.method, action, is_data, [unquote(one) for one in channel]):
        case ("POST", "pipe-info", False, []):
            return JSONResponse(pipe_info())
        case ("POST", "bulk-channel-status", False, []):
            return JSONResponse(service.statuses(pipe, _json(body).get("channel_names", [])))
        case ("PUT", "", False, ["channels", channel]):
            asked = _json(body)
            return JSONResponse(await service.open_channel(
                pipe, channel, asked.get("offset_token"), asked.get("fail_on_uncommitted_rows", False)))
        case ("DELETE", "", False, ["channels", channel]):
            return JSONResponse(await service.drop(pipe, channel, _json(body).get("fail_on_uncommitted_rows", False)))
        case ("POST", "", True, ["channels", channel, "rows"]):
            encoding.checked(body)
            query = request.query_params
            lines = encoding.decoded(body, request.headers.get("content-encoding", ""))
            start, end = (query.get(name, query.get("offsetToken")) for name in ("startOffsetToken", "endOffsetToken"))
            return JSONResponse(await service.append(pipe, channel, query.get("continuationToken"), start, end, lines))
    return _not_routed()


def _merged(content, changes):
    for name, value in changes.items():
        content[name] = _merged(content[name], value) if isinstance(value, dict) and name in content else value
    return content


def _cut(request):
    """The connection ends without an answer."""
    request.receive.__self__.transport.abort()
    return Response()


async def endpoint(request):
    body = await request.body()
    entry = seen.add(request, body)
    subject = f"{request.method} {request.scope['raw_path'].decode()}"
    fault = faults.take(subject, lambda one: one.keys() & {"status", "drop", "merge"})
    if fault and not fault.get("apply") and not fault.get("merge"):
        answer = None
    else:
        try:
            answer = await _answer(request, body)
        except Refused as refused:
            answer = refused.response()
    if fault and fault.get("drop"):
        answer = _cut(request)
    elif fault and "status" in fault:
        answer = faults.as_response(fault)
    elif fault:
        answer = JSONResponse(_merged(json.loads(answer.body), fault["merge"]), answer.status_code)
    entry["status"] = answer.status_code
    return answer


async def telemetry(_request):
    return JSONResponse({"data": "ok", "success": True, "code": None, "message": None})


async def emulator(request):
    """For tests: what there is, and POST {"channel": name, …} to change it."""
    if request.method == "POST":
        asked = _json(await request.body())
        await service.change(asked["channel"], asked)
    return JSONResponse({"channels": [one.seen() for one in service.channels.values()], "requests": seen.all_of()})


ROUTES = [
    Route("/emulator/streaming", emulator, methods=["GET", "POST"]),
    Route("/oauth/token", endpoint, methods=["POST"]),
    Route("/telemetry/send/sessionless", telemetry, methods=["POST"]),
    Route(ROOT + "{rest:path}", endpoint, methods=["GET", "POST", "PUT", "DELETE"]),
]
