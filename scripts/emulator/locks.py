"""The locks of tables: UPDATE, DELETE and MERGE own their table until the end of the transaction, others wait."""
import asyncio
import time
from contextlib import contextmanager

from options import OPTIONS


class LockError(Exception):
    """Becomes error 000625 (too many wait) or 000627 (waited too long), as in Snowflake."""

    def __init__(self, code, owner, table, session, why):
        held = f"Statement '{owner.statement}' has locked table '{table}' in transaction {owner.number} and this lock has not yet been released."
        super().__init__(f"{held}\nYour statement '{session.statement}' was aborted because {why}.")
        self.code = code


class TableLocks:
    def __init__(self, abort):
        self.owners = {}
        self.waiters = {}
        self.inserts = {}
        self.abort = abort

    def _too_many(self, owner, table, session):
        limit = OPTIONS["lock-waiters"]
        return LockError("000625", owner, table, session,
                         f"the number of waiters for this lock exceeds the {limit} statements limit")

    def is_taken(self, session, table):
        return self.owners.get(table) not in (None, session)

    async def acquire(self, session, table):
        timeout = session.parameters["LOCK_TIMEOUT"]
        deadline = time.monotonic() + timeout
        waiting = False
        try:
            while (owner := self.owners.get(table)) not in (None, session):
                if not waiting:
                    if self.waiters.get(table, 0) >= OPTIONS["lock-waiters"]:
                        raise self._too_many(owner, table, session)
                    self.waiters[table] = self.waiters.get(table, 0) + 1
                    waiting = True
                if time.monotonic() - owner.last_used > OPTIONS["idle-transaction-s"] and not owner.busy.locked():
                    await self.abort(owner)
                elif time.monotonic() > deadline:
                    raise LockError("000627", owner, table, session, f"waiting for this lock is limited to {timeout:g} s")
                else:
                    await asyncio.sleep(0.005)
            self.owners[table] = session
        finally:
            if waiting:
                self.waiters[table] -= 1

    @contextmanager
    def inserting(self, session, table):
        """INSERTs do not wait for each other, but no more of them than may wait for a lock run on a table at a time."""
        running = self.inserts.setdefault(table, [])
        if len(running) > OPTIONS["lock-waiters"]:
            raise self._too_many(running[0], table, session)
        running.append(session)
        try:
            yield
        finally:
            running.remove(session)

    def release(self, session):
        for table in [table for table, owner in self.owners.items() if owner is session]:
            del self.owners[table]
