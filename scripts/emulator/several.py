"""Several statements of one request, run one after the other, with the binds of each."""
import uuid

import errors
import sql as rewrite
from parse_json import placeholders
from rows import PARAMETERS
from statements import answers_by_query, keep, run_statement


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
