"""The tokens of a JSON text and where each begins, counted from 1; whatever is none is refused with its place."""
import json
import re

_TOKEN = re.compile(
    r'[ \t\n\r]*(?:(?P<mark>[{}\[\]:,])|(?P<string>"(?:[^"\\\x00-\x1f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*")'
    r'|(?P<scalar>-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?(?![0-9.eE])|(?:true|false|null)\b)|(?P<end>\Z))'
)


class Refused(ValueError):
    """Not JSON to Snowflake."""


def tokens(text):
    """(kind, token, place): kind is the mark itself, "string", "scalar" or, at last, "end"; strings are written one way."""
    at = 0
    while True:
        found = _TOKEN.match(text, at)
        if found is None:
            raise Refused(f"unknown keyword or token, pos {at + 1}")
        kind, at = found.lastgroup, found.end()
        token, place = found.group(kind), found.start(kind) + 1
        if kind == "string":
            plain = json.loads(token)
            try:
                plain.encode()
            except UnicodeEncodeError:
                raise Refused(f"invalid Unicode in a string, pos {place}") from None
            token = json.dumps(plain, ensure_ascii=False)
        yield (token if kind == "mark" else kind), token, place
        if kind == "end":
            return
