"""PARSE_JSON and what a VARIANT keeps of a text, as Snowflake documents it: no white space, keys in order, no zeros at the
end of a decimal, 38 digits exactly; what has an exponent or more digits becomes a DOUBLE. A name twice is refused
unless the second argument is 'd': then the last one counts."""
import json
import math
import os
from decimal import Decimal

from json_tokens import Refused, tokens

# 128 MB on newer accounts, 16 MiB on every one.
MAX_BYTES = int(os.environ.get("EMULATOR_JSON_BYTES", 16 * 1024 * 1024))
DIGITS = 38
VALUE = frozenset(("{", "[", "string", "scalar"))


class NeedsCare(Exception):
    """The quick way cannot keep this value as it is, or cannot say where it is wrong."""


def number(text):
    """A JSON number as it comes back from a VARIANT."""
    if "e" not in text and "E" not in text:
        shown = format(Decimal(text), "f")
        shown = shown.rstrip("0").rstrip(".") if "." in shown else shown
        if len(shown.lstrip("-0.").replace(".", "")) <= DIGITS:
            return "0" if shown == "-0" else shown
    double = float(text)
    if math.isinf(double):
        return text
    return repr(double)


def _simple_float(text):
    shown = number(text)
    if shown.lstrip("-").isdigit():
        return int(shown)
    if repr(float(shown)) != shown:
        raise NeedsCare
    return float(shown)


def _simple_int(text):
    if len(text) > DIGITS:
        raise NeedsCare
    return int(text)


def _constant(_name):
    raise NeedsCare


def _object(pairs):
    found = dict(pairs)
    if len(found) != len(pairs):
        raise NeedsCare
    return found


# The quick way: a name twice is refused, or the last one counts.
_decode_last = json.JSONDecoder(parse_int=_simple_int, parse_float=_simple_float, parse_constant=_constant).decode
decode = json.JSONDecoder(
    parse_int=_simple_int, parse_float=_simple_float, parse_constant=_constant, object_pairs_hook=_object
).decode
encode = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode
CARE = (NeedsCare, RecursionError, ValueError)


def normalised(text, last_wins):
    """The text of the VARIANT; raises Refused with what Snowflake says after "Error parsing JSON"."""
    if len(text) > MAX_BYTES or len(text.encode("utf-8", "surrogatepass")) > MAX_BYTES:
        raise Refused(f"document is too large, max size {MAX_BYTES}")
    try:
        shown = encode((_decode_last if last_wins else decode)(text))
        shown.encode()
        return shown
    except CARE:
        return _token_by_token(text, last_wins)


def _token_by_token(text, last_wins):
    # The document is the one value of the outermost list. The names are those whose value is being read.
    open_values, names, expected = [[]], [None], VALUE
    for kind, token, at in tokens(text):
        if kind not in expected:
            raise Refused(f"{'incomplete document' if kind == 'end' else 'misplaced ' + token[:20]}, pos {at}")
        if kind == "end":
            return open_values[0][0]
        if kind in "{[":
            open_values.append({} if kind == "{" else [])
            names.append(None)
            expected = {"string", "}"} if kind == "{" else VALUE | {"]"}
            continue
        around = open_values[-1]
        is_object = isinstance(around, dict)
        if kind in ":,":
            expected = {"string"} if kind == "," and is_object else VALUE
            names[-1] = None if kind == "," else names[-1]
            continue
        if is_object and kind == "string" and names[-1] is None:
            if token in around and not last_wins:
                raise Refused(f"duplicate object attribute {token}, pos {at + len(token)}")
            names[-1], expected = token, {":"}
            continue
        if kind in "}]":
            token = _shown(open_values.pop())
            names.pop()
            around = open_values[-1]
        elif kind == "scalar" and token[0] not in "tfn":
            token = number(token)
        if isinstance(around, dict):
            around[names[-1]] = token
        else:
            around.append(token)
        closing = "}" if isinstance(around, dict) else "]"
        expected = {",", closing} if len(open_values) > 1 else {"end"}
    raise Refused("incomplete document")


def _shown(value):
    if isinstance(value, list):
        return f"[{','.join(value)}]"
    return "{" + ",".join(f"{name}:{value[name]}" for name in sorted(value, key=json.loads)) + "}"
