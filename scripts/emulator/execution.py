"""Runs SQL in the session of fakesnow, with what its transaction has done so far."""
import asyncio
import json
import time

import fakesnow.server as fs
from starlette.requests import Request

import errors
import modes
import stale
from identity import IDENTITY
from rows import to_json_rows

leftovers = []


async def ask_fakesnow(handler, request, body):
    raw = json.dumps(body).encode()

    async def receive():
        return {"type": "http.request", "body": raw, "more_body": False}

    scope = dict(request.scope)
    scope["headers"] = [h for h in scope["headers"] if h[0] not in (b"content-encoding", b"content-length")]
    answer = await handler(Request(scope, receive))
    return errors.as_snowflake(answer.status_code, to_json_rows(json.loads(answer.body)))


class Execution:
    def __init__(self, request, session):
        self.request = request
        self.session = session
        self.connection = fs.sessions[session.token]

    async def run(self, what):
        place = {"CURRENT_DATABASE": self.connection.database, "CURRENT_SCHEMA": self.connection.schema}
        number = None if self.session.transaction is None else str(self.session.number)
        token = IDENTITY.set({**self.session.identity, **place, "CURRENT_TRANSACTION": number})
        try:
            return await ask_fakesnow(fs.query_request, self.request, what)
        finally:
            IDENTITY.reset(token)

    async def run_query(self, body):
        snapshot = stale.for_query(self.session, body["sqlText"])
        if snapshot is None:
            return await self.run_until_no_conflict(body)
        own = self.connection._duck_conn
        async with snapshot.busy:
            self.connection._duck_conn = snapshot.cursor
            try:
                return await self.run(body)
            finally:
                self.connection._duck_conn = own

    async def start_again(self):
        """DuckDB gives up the whole transaction at an error; Snowflake only the statement."""
        await self.run({"sqlText": "ROLLBACK"})
        await self.run({"sqlText": "BEGIN"})
        for earlier in self.session.transaction:
            await self.run(earlier)

    async def run_until_no_conflict(self, body):
        """Snowflake reads what is committed when the statement starts; DuckDB what was when the transaction did."""
        answer = await self.run(body)
        deadline = time.monotonic() + self.session.parameters["LOCK_TIMEOUT"]
        while not answer["success"] and errors.CONFLICT.search(answer["message"]) and time.monotonic() < deadline:
            await asyncio.sleep(0.005)
            if self.session.transaction is not None:
                await self.start_again()
            answer = await self.run(body)
        return answer

    async def run_on_snapshot(self, snapshot, body):
        """In the transaction, which sees what is committed by now, but with the rows of the snapshot."""
        connection = self.connection._duck_conn
        alone = self.session.transaction is None
        if alone:
            await self.run({"sqlText": "BEGIN"})
        else:
            await self.start_again()
        answer = await self.run({**body, "sqlText": modes.on_snapshot(snapshot, body["sqlText"])})
        if answer["success"]:
            modes.put_over(connection, snapshot)
        if alone:
            await self.run({"sqlText": "COMMIT" if answer["success"] else "ROLLBACK"})
        leftovers.append((connection, snapshot))
        return answer

    async def run_late(self, body):
        """Reads now and changes a moment later, as two that run at the same time on different machines."""
        alone = self.session.transaction is None
        if alone:
            await self.run({"sqlText": "BEGIN"})
        await self.run({"sqlText": f"SELECT COUNT(*) FROM {modes.target(body['sqlText'])}"})
        await asyncio.sleep(modes.TWIN_WINDOW_S)
        answer = await self.run_until_no_conflict(body)
        if alone:
            await self.run({"sqlText": "COMMIT" if answer["success"] else "ROLLBACK"})
        return answer

    def drop_leftovers(self):
        while leftovers and leftovers[-1][0] is self.connection._duck_conn:
            modes.drop(*leftovers.pop())
