"""Requests that run statements, and those that fetch what took longer: after a while Snowflake answers "still running"."""
import asyncio
import gzip
import json
import time
import uuid

import fakesnow.server as fs
from starlette.responses import JSONResponse, Response

import errors
import faults
from options import OPTIONS
from several import run_several
from statements import answers_by_query, keep, run_statement

sessions = {}
answers_by_request = {}  # Snowflake runs a requestId that is sent again only once per session
running = {}  # the same for those that have not ended; and by the id of their result


def token_of(request):
    return request.headers.get("authorization", "")[17:-1]


async def body_of(request):
    body = await request.body()
    return json.loads(gzip.decompress(body) if request.headers.get("content-encoding") == "gzip" else body)


async def query(request):
    session = sessions.get(token_of(request))
    if session is None or session.token not in fs.sessions:
        return JSONResponse(errors.failure("390104", "User must login again to access the service.", "08001"))
    if 0 < OPTIONS["max-body-bytes"] < len(await request.body()):
        return Response("<html>413 Request Entity Too Large</html>", status_code=413, media_type="text/html")
    body = await body_of(request)
    if fault := faults.answer_for(body["sqlText"]):
        return fault
    request_key = (session.token, request.query_params.get("requestId"))
    if request_key in answers_by_request:
        return JSONResponse(answers_by_request[request_key])
    if request_key not in running:
        result_id = str(uuid.uuid4())
        task = asyncio.create_task(run(request, session, body, request_key, result_id))
        running[request_key] = running[result_id] = (result_id, task)
    return await answer_or_wait(*running[request_key])


async def run(request, session, body, request_key, result_id):
    try:
        async with session.busy:
            expected = int((body.get("parameters") or {}).get("MULTI_STATEMENT_COUNT", 1))
            is_async = body.pop("asyncExec", False)
            if expected == 1:
                answer = await run_statement(request, session, body)
            else:
                answer = await run_several(request, session, body, expected)
            session.last_used = time.monotonic()
    finally:
        del running[request_key], running[result_id]
    keep(answers_by_query, result_id, answer)
    if answer["success"] and is_async:
        query_id = answer["data"]["queryId"]
        keep(answers_by_query, query_id, answer)
        pending = {"queryId": query_id, "getResultUrl": f"/queries/{query_id}/result", "queryAbortsAfterSecs": 300}
        answer = {"data": pending, "code": "333334", "message": None, "success": True}
    if answer["success"]:
        keep(answers_by_request, request_key, answer)
    # fakesnow keeps every result forever.
    cache = fs.shared_fs.results_cache
    while len(cache) > 100:
        del cache[next(iter(cache))]
    return answer


async def answer_or_wait(result_id, task):
    done, _ = await asyncio.wait([task], timeout=OPTIONS["slow-answer-s"])
    if done:
        return JSONResponse(task.result())
    pending = {"queryId": result_id, "getResultUrl": f"/queries/{result_id}/result", "queryAbortsAfterSecs": 300}
    return JSONResponse({"data": pending, "code": "333333", "message": "Query execution in progress.", "success": True})


async def result(request):
    result_id = request.path_params["query_id"]
    if fault := faults.answer_for(f"result {result_id}"):
        return fault
    if result_id in running:
        return await answer_or_wait(*running[result_id])
    return JSONResponse(answers_by_query.get(result_id) or errors.failure("000709", "Statement not found", "02000"))
