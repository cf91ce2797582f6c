"""READ_CONSISTENCY_MODE = SESSION: for a while (option stale-ms) a query in an older session need not see what another one has
committed. The session itself, a newer one, and a transaction that has written see everything."""
import asyncio
import time

import fakesnow.server as fs

import sql as rewrite
from options import OPTIONS


class _Snapshot:
    def __init__(self, cursor, writer):
        self.cursor = cursor
        self.writer = writer
        self.busy = asyncio.Lock()
        self.taken = time.monotonic()

    def is_over(self):
        return time.monotonic() - self.taken > OPTIONS["stale-ms"] / 1000


_current = None


def before(session, word, sql):
    """Before a commit, keeps what is committed by now of the tables that it writes."""
    global _current
    if word == "COMMIT" and session.transaction:
        statements = [one["sqlText"] for one in session.transaction]
    elif word in ("INSERT", "UPDATE", "DELETE", "MERGE") and session.transaction is None:
        statements = [sql]
    else:
        return
    if OPTIONS["stale-ms"]:
        cursor = fs.shared_fs.duck_conn.cursor()
        cursor.execute("BEGIN")
        for table in {rewrite.target_table(one) for one in statements} - {None}:
            # Only now DuckDB fixes what the transaction sees of this database.
            cursor.execute(f"SELECT 1 FROM {table} LIMIT 0")
        _current = _Snapshot(cursor, session)


def forget():
    """After DDL: the tables of the snapshot may be others."""
    global _current
    _current = None


def for_query(session, sql):
    """What a query of this session reads from instead, or None."""
    is_fresh = _current is None or _current.is_over() or session is _current.writer or session.transaction
    return None if is_fresh or session.opened > _current.taken or "INFORMATION_SCHEMA" in sql.upper() else _current
