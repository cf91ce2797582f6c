"""The texts that a statement gives to PARSE_JSON, as Snowflake takes or refuses them (variant.py): those that are bound, and
literals. What PARSE_JSON reads from a column is left to DuckDB."""
import re

import snowflake.connector.errors
import sqlglot
from sqlglot import exp

from json_tokens import Refused
from variant import normalised

_BEFORE = re.compile(r"\b(TRY_)?PARSE_JSON\s*\(\s*$", re.I)
_LAST_WINS = re.compile(r"\s*,\s*'d'\s*\)", re.I)


def _parsed(text, last_wins, is_try):
    # An empty text is NULL.
    if text is None or not text.strip(" \t\n\r"):
        return None
    try:
        return normalised(text, last_wins)
    except Refused as refused:
        if is_try:
            return None
        message = f"Error parsing JSON: {refused}"
        raise snowflake.connector.errors.ProgrammingError(msg=message, errno=100069, sqlstate="22P02") from None


def placeholders(sql):
    return [t for t in sqlglot.tokenize(sql, read="snowflake") if t.token_type == sqlglot.TokenType.PLACEHOLDER]


def parsed_binds(sql, bindings):
    """The bindings with each text that goes to PARSE_JSON as a VARIANT keeps it."""
    if not bindings or "PARSE_JSON" not in sql.upper():
        return bindings
    parsed = dict(bindings)
    for number, token in enumerate(placeholders(sql), start=1):
        bind = bindings.get(str(number))
        if bind and (call := _BEFORE.search(sql, 0, token.start)):
            last_wins = _LAST_WINS.match(sql, token.end + 1) is not None
            parsed[str(number)] = {**bind, "value": _parsed(bind["value"], last_wins, call.group(1) is not None)}
    return parsed


def parsed_literals(tree):
    """The same for texts that are in the statement."""
    for call in list(tree.find_all(exp.ParseJSON)):
        option = call.args.get("expression")
        call.set("expression", None)
        if isinstance(call.this, exp.Literal) and call.this.is_string:
            text = _parsed(call.this.name, option is not None and option.name == "d", bool(call.args.get("safe")))
            call.set("this", exp.Null() if text is None else exp.Literal.string(text))
    return tree
