"""The requests that the streaming API has got, for tests to compare: GET /emulator/streaming."""
import hashlib
import time
from collections import deque

_requests = deque(maxlen=20_000)


def add(request, body):
    query = request.query_params
    seen = {
        "at": int(time.time() * 1000), "method": request.method, "path": request.scope["raw_path"].decode(),
        "requestId": query.get("requestId"), "retryCount": query.get("retryCount"),
        "continuationToken": query.get("continuationToken"),
        "startOffsetToken": query.get("startOffsetToken"), "endOffsetToken": query.get("endOffsetToken", query.get("offsetToken")),
        "userAgent": request.headers.get("user-agent"), "bytes": len(body), "sha256": hashlib.sha256(body).hexdigest(),
        "status": None,
    }
    _requests.append(seen)
    return seen


def all_of():
    return list(_requests)
