"""The parameters of a session, as far as they change what the emulator does; unknown ones are refused, as on Snowflake."""
import re

from options import OPTIONS

KNOWN = {
    "TIMEZONE", "AUTOCOMMIT", "TRANSACTION_ABORT_ON_ERROR", "LOCK_TIMEOUT", "STATEMENT_TIMEOUT_IN_SECONDS",
    "STATEMENT_QUEUED_TIMEOUT_IN_SECONDS", "ABORT_DETACHED_QUERY", "CLIENT_SESSION_KEEP_ALIVE", "READ_LATEST_WRITES",
    "HYBRID_TABLE_LOCK_TIMEOUT", "QUERY_TAG", "MULTI_STATEMENT_COUNT", "TIMESTAMP_TYPE_MAPPING", "USE_CACHED_RESULT",
    "CLIENT_SESSION_KEEP_ALIVE_HEARTBEAT_FREQUENCY", "ERROR_ON_NONDETERMINISTIC_UPDATE", "ERROR_ON_NONDETERMINISTIC_MERGE",
    "TIMESTAMP_OUTPUT_FORMAT", "DATE_OUTPUT_FORMAT", "QUOTED_IDENTIFIERS_IGNORE_CASE",
}
_SET = re.compile(r"ALTER\s+SESSION\s+SET\s+(.*)", re.I | re.S)
_PAIR = re.compile(r"\s*,?\s*(\w+)\s*=\s*('(?:[^']|'')*'|[\w.\-]+)\s*;?")


class Refused(ValueError):
    """001420 (22023)."""


def defaults():
    return {
        "AUTOCOMMIT": OPTIONS["autocommit"],
        "TRANSACTION_ABORT_ON_ERROR": OPTIONS["abort-on-error"],
        "LOCK_TIMEOUT": 43_200.0,
    }


def _value(text):
    plain = text.strip("'")
    return plain.upper() == "TRUE" if plain.upper() in ("TRUE", "FALSE") else float(plain) if plain.isdigit() else plain


def changes(sql):
    """What ALTER SESSION SET changes; raises Refused for all of them together. None: another statement."""
    found = _SET.match(sql)
    if not found:
        return None
    text, at, pairs = found.group(1), 0, {}
    while at < len(text) and (pair := _PAIR.match(text, at)):
        pairs[pair.group(1).upper()] = _value(pair.group(2))
        at = pair.end()
    if text[at:].strip():
        raise Refused(f"SQL compilation error: syntax error unexpected '{text[at:].split()[0]}'.")
    refused = OPTIONS["refused-parameters"].upper().split(",")
    for name in pairs:
        if name not in KNOWN or name in refused:
            raise Refused(f"SQL compilation error: invalid property '{name}' for 'SESSION'")
    return pairs
