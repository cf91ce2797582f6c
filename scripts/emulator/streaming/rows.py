"""NDJSON as columns of text for DuckDB to cast. A line that is no JSON object is an error of that row alone."""
import json
import re
from dataclasses import dataclass

from json_tokens import Refused, tokens
from variant import CARE, MAX_BYTES, decode, encode, normalised

# Half of a surrogate pair, which is no text, can be written as an escape only.
_SURROGATE = re.compile(rb"\\u[dD]")


@dataclass
class Failure:
    line: bytes
    message: str


class Literal(str):
    """A value in the JSON that a VARIANT keeps of it, where Python would not keep it."""


def lines_of(body):
    """Blank lines do not count: the official client ends each block with one."""
    return [line for line in body.split(b"\n") if line.strip()]


def parsed(lines):
    """A dict per line, or a Failure."""
    whole = b",".join(lines)
    try:
        found = None if _SURROGATE.search(whole) else decode(f"[{whole.decode()}]")
        if found and len(found) == len(lines) and all(type(one) is dict for one in found):
            return found
    except CARE:
        pass
    return [_one(line) for line in lines]


def _one(line):
    try:
        text = line.decode()
        try:
            found = None if len(line) > MAX_BYTES or _SURROGATE.search(line) else decode(text)
        except CARE:
            found = None
        found = _top_level(normalised(text, False)) if found is None else found
        return found if isinstance(found, dict) else Failure(line, "Error parsing JSON: the row is not an object")
    except (Refused, UnicodeDecodeError, ValueError) as refused:
        return Failure(line, f"Error parsing JSON: {refused}")


def _top_level(text):
    """The members of an object with their text untouched; None for another value."""
    found, depth, name, begin = {}, 0, None, 0
    for kind, token, place in tokens(text):
        if depth == 1 and kind in (",", "}") and name is not None:
            raw = text[begin:place - 1]
            found[name], name = (json.loads(raw) if raw[0] == '"' or raw in ("true", "false", "null") else Literal(raw)), None
        depth += (kind in ("{", "[")) - (kind in ("}", "]"))
        if depth == 1 and kind == "string" and name is None:
            name = json.loads(token)
        elif depth == 1 and kind == ":":
            begin = place
    return found if text[0] == "{" else None


def variant(value):
    return str(value) if isinstance(value, Literal) else encode(value)


def plain(value, kind):
    """For a column of another type: the text that is cast."""
    if value is None or (isinstance(value, str) and not isinstance(value, Literal)):
        return value
    if value is True or value is False:
        return "true" if value else "false"
    if kind == "BOOLEAN":
        # A number is no BOOLEAN.
        return f"number {value}"
    return encode(value) if isinstance(value, (dict, list)) else str(value)
