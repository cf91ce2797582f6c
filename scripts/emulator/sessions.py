"""A session: who it is, its parameters and its transaction."""
import asyncio
import itertools
import time
import uuid

import parameters

_numbers = itertools.count(1_700_000_000_000)


class Session:
    def __init__(self, token, identity):
        self.token = token
        self.identity = identity
        self.parameters = parameters.defaults()
        # One statement at a time: the driver may send several at once over one connection.
        self.busy = asyncio.Lock()
        # The successful writes since BEGIN (None: no transaction), to be run again after a ROLLBACK that Snowflake
        # would not have done.
        self.transaction = None
        # Of the transaction, or of the last one.
        self.number = 0
        # TRANSACTION_ABORT_ON_ERROR: whatever follows fails until COMMIT or ROLLBACK.
        self.aborted = False
        self.statement = str(uuid.uuid4())
        self.opened = self.last_used = time.monotonic()

    def begin(self):
        self.transaction = []
        self.number = next(_numbers)
