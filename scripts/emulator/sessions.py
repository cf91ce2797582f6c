"""What Snowflake does in a session and DuckDB does not: table locks that wait, and failed statements that leave the
transaction alive."""
import asyncio
import os
import time

# Snowflake aborts a transaction that blocks others after 5 idle minutes.
IDLE_TRANSACTION_S = float(os.environ.get("EMULATOR_IDLE_TRANSACTION_S", "300"))
MAX_WAITERS = 20


class LockError(Exception):
    """Becomes error 000625 (too many wait) or 000627 (waited too long), as in Snowflake."""

    def __init__(self, code, message):
        super().__init__(message)
        self.code = code


class Session:
    def __init__(self, token, identity):
        self.token = token
        self.identity = identity
        # One statement at a time: the driver may send several at once over one connection.
        self.busy = asyncio.Lock()
        # The successful writes since BEGIN (None: no transaction), to be run again after a ROLLBACK that Snowflake
        # would not have done.
        self.transaction = None
        self.lock_timeout_s = 43_200.0
        self.last_used = time.monotonic()


class TableLocks:
    """UPDATE, DELETE and MERGE own their table until the end of the transaction; others wait."""

    def __init__(self, abort):
        self.owners = {}
        self.waiters = {}
        self.abort = abort

    async def acquire(self, session, table):
        deadline = time.monotonic() + session.lock_timeout_s
        waiting = False
        try:
            while (owner := self.owners.get(table)) not in (None, session):
                if not waiting:
                    if self.waiters.get(table, 0) >= MAX_WAITERS:
                        raise LockError("000625", f"the number of waiters for the lock on {table} exceeds the {MAX_WAITERS} statements limit")
                    self.waiters[table] = self.waiters.get(table, 0) + 1
                    waiting = True
                if time.monotonic() - owner.last_used > IDLE_TRANSACTION_S and not owner.busy.locked():
                    await self.abort(owner)
                elif time.monotonic() > deadline:
                    raise LockError("000627", f"waiting for this lock ({table}) is limited to {session.lock_timeout_s:g} s")
                else:
                    await asyncio.sleep(0.005)
            self.owners[table] = session
        finally:
            if waiting:
                self.waiters[table] -= 1

    def release(self, session):
        for table in [table for table, owner in self.owners.items() if owner is session]:
            del self.owners[table]
