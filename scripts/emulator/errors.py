"""DuckDB's errors as Snowflake's codes; an unknown one must not become HTTP 500, which the driver repeats for minutes."""
import re
import uuid

import fakesnow.server

CODES = [
    (r"NOT NULL constraint failed", "100072", "22000", "NULL result in a non-nullable column"),
    (r"Malformed JSON", "100069", "22P02", "Error parsing JSON"),
    (r"Could not convert string|Conversion Error", "100038", "22018", "Numeric value is not recognized"),
    (r"Referenced column .* not found", "000904", "42000", "SQL compilation error: invalid identifier"),
    (r"Duplicate key|violates (primary|unique)", "100090", "23505", "Duplicate row"),
]
# Two transactions met on one row; see server.py, which repeats the statement.
CONFLICT = re.compile(r"Conflict on (tuple|update)|write-write conflict|Transaction conflict|TransactionContext Error", re.I)

# fakesnow logs the exception and answers a text without it; the log call is where it can be had.
_last = []
_log_error = fakesnow.server.logger.error


def _remember(message, *args, exc_info=None, **rest):
    if exc_info is not None:
        _last[:] = [exc_info]
    else:
        _log_error(message, *args, **rest)


fakesnow.server.logger.error = _remember

_PREFIX = re.compile(r"^(?:\d{6} \(\w{5}\): )+")


def failure(code, message, state):
    data = {"errorCode": code, "sqlState": state, "queryId": str(uuid.uuid4())}
    return {"data": data, "code": code, "message": message, "success": False}


def as_snowflake(status, answer):
    """The answer of fakesnow with the code that Snowflake would give."""
    if answer.get("success"):
        return answer
    if status == 401:
        # Snowflake says 390104 with HTTP 200.
        return answer
    message = str(_last.pop()) if status == 500 and _last else str(answer.get("message"))
    for pattern, code, state, text in CODES:
        if re.search(pattern, message):
            return failure(code, f"{text}: {message}", state)
    if answer.get("message"):
        # The Python driver puts the code before its own text; what the server sends is the text alone.
        answer["message"] = _PREFIX.sub("", answer["message"])
    return failure("000603", message, "XX000") if status == 500 else answer
