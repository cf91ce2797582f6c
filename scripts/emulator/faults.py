"""Answers that are asked for: by POST /emulator/faults with {match, times, status} or {match, times, code, sqlState, message}.
`match` is a regular expression for the statement, or "login"; without `times` the answer is given once."""
import re

from starlette.responses import JSONResponse, Response

import errors

waiting = []


def ask_for(fault):
    waiting.append({"times": 1, **fault})


def answer_for(statement):
    """The answer to give instead of running the statement, or None."""
    for fault in waiting:
        if re.search(fault["match"], statement, re.I):
            fault["times"] -= 1
            if fault["times"] == 0:
                waiting.remove(fault)
            if "status" in fault:
                return Response("<html>not Snowflake's own answer</html>", status_code=fault["status"], media_type="text/html")
            return JSONResponse(errors.failure(fault["code"], fault["message"], fault["sqlState"]))
    return None
