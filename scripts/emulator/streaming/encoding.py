"""A body as it was before it was compressed."""
import gzip
import zlib

import pyarrow as pa
from streaming.refused import Refused

WIRE_BYTES = 4_000_000


def checked(body):
    """The limit counts what is sent."""
    if len(body) > WIRE_BYTES:
        raise Refused(413, "ERR_REQUEST_TOO_LARGE", f"The request has more than {WIRE_BYTES} bytes.")
    return body


def decoded(body, encoding):
    try:
        if encoding == "gzip":
            return gzip.decompress(body)
        if encoding == "zstd":
            with pa.CompressedInputStream(pa.BufferReader(body), "zstd") as stream:
                return stream.read()
    except (OSError, EOFError, zlib.error):
        raise Refused(400, "ERR_INVALID_REQUEST", f"The body is not {encoding}.") from None
    if encoding not in ("", "identity"):
        raise Refused(400, "ERR_INVALID_REQUEST", f"Content-Encoding {encoding} is not supported.")
    return body
