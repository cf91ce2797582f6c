"""Answers that are asked for: by POST /emulator/faults with {match, times, status, body, contentType, headers} or {match, times,
code, sqlState, message}. `match` is a regular expression for the statement, "login", or "METHOD /path" of the streaming API;
without `times` the answer is given once."""
import json
import re

from starlette.responses import JSONResponse, Response

import errors

EDGE = "<html>not Snowflake's own answer</html>"
waiting = []


def ask_for(fault):
    waiting.append({"times": 1, **fault})


def take(subject, fits=lambda fault: True):
    """The first fault that matches, which is thereby used once; or None."""
    for fault in waiting:
        if fits(fault) and re.search(fault["match"], subject, re.I):
            fault["times"] -= 1
            if fault["times"] == 0:
                waiting.remove(fault)
            return fault
    return None


def as_response(fault):
    """A text is sent as it is, anything else as JSON."""
    body = fault.get("body", EDGE)
    is_text = isinstance(body, str)
    kind = fault.get("contentType") or ("text/html" if body is EDGE else "application/json")
    return Response(body if is_text else json.dumps(body), fault["status"], fault.get("headers"), kind)


def answer_for(statement):
    """The answer to give instead of running the statement, or None."""
    fault = take(statement, lambda fault: "status" in fault or "code" in fault)
    if fault is None or "status" in fault:
        return fault and as_response(fault)
    return JSONResponse(errors.failure(fault["code"], fault["message"], fault["sqlState"]))
