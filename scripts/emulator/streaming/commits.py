"""What is buffered is committed after a while: the rows of a rowset, the offset token and the counters in one transaction."""
import asyncio
import contextlib
import gc
import logging
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import duckdb
import errors
import fakesnow.server as fs
from options import OPTIONS
from streaming import insert, pipes, rows, store
from streaming.channels import SUCCESS, TABLE_GONE, now_ms

POLL_S = 0.01
_log = logging.getLogger("uvicorn.error")
# One transaction at a time, on a cursor of its own beside those of the SQL sessions.
_thread = ThreadPoolExecutor(1, "streaming")
_cursors = []
_wake = asyncio.Event()
_tasks = []


def _transaction(work):
    """Again until it meets no transaction of an SQL session."""
    if not _cursors:
        _cursors.append(fs.shared_fs.duck_conn.cursor())
    cursor = _cursors[0]
    while True:
        cursor.begin()
        try:
            result = work(cursor)
            cursor.commit()
            return result
        except duckdb.Error as error:
            # A commit that failed has ended it.
            with contextlib.suppress(duckdb.Error):
                cursor.rollback()
            if not errors.CONFLICT.search(str(error)):
                raise
            time.sleep(0.005)
        except BaseException:
            cursor.rollback()
            raise


async def in_transaction(work):
    return await asyncio.get_running_loop().run_in_executor(_thread, _transaction, work)


def start(channels):
    """Commits for as long as the server runs."""
    if not _tasks:
        # The many objects of a rowset would set off one collection after another.
        gc.set_threshold(200_000)
        _tasks.append(asyncio.create_task(_run(channels)))
    _wake.set()


async def _run(channels):
    while True:
        waiting = [channel for channel in channels.values() if channel.rowsets]
        if not waiting:
            _wake.clear()
            await _wake.wait()
            continue
        for channel in waiting:
            async with channel.busy:
                if _is_due(channel):
                    await _commit(channel)
        await asyncio.sleep(POLL_S)


def _is_due(channel):
    delay = OPTIONS["streaming-commit-ms"] / 1000
    return bool(channel.rowsets) and 0 <= delay <= time.monotonic() - channel.rowsets[0].received


async def _commit(channel):
    rowset = channel.rowsets[0]
    rejects, before = channel.rejects, channel.state.parsed
    try:
        state = await in_transaction(lambda cursor: _written(cursor, channel, rowset, rejects))
    except Exception:
        _log.exception("streaming: a rowset cannot be committed")
        return channel.invalidate("ERR_CHANNEL_MUST_BE_REOPENED")
    if state is None:
        return channel.invalidate(TABLE_GONE)
    if channel.state.code != SUCCESS:
        # Its table has gone meanwhile, or a test said so.
        state = replace(state, code=channel.state.code)
    channel.state = state
    channel.rejects = max(0, rejects - (state.parsed - before))
    if channel.rowsets and channel.rowsets[0] is rowset:
        channel.rowsets.popleft()


def _written(cursor, channel, rowset, rejects):
    """The state with the rowset in it, or None: the table is not the one on which the channel was opened."""
    table, columns = pipes.columns(cursor, channel.pipe)
    if table is None or table != channel.table:
        return None
    lines = rows.lines_of(rowset.body)
    found = rows.parsed(lines)
    for at in range(min(rejects, len(found))):
        found[at] = rows.Failure(lines[at], "Rejected because a test asked for it")
    failures = insert.insert(cursor, channel.pipe, columns, found)
    if failures:
        insert.keep_errors(cursor, channel, rowset, lines, failures)
    old = channel.state
    state = replace(
        old, row=rowset.number + 1, token=old.token if rowset.end is None else rowset.end, parsed=old.parsed + len(lines),
        inserted=old.inserted + len(lines) - len(failures), errors=old.errors + len(failures),
    )
    if failures:
        message = failures[max(failures)]
        state = replace(state, last_error_token=rowset.end, last_error_message=message, last_error_ms=now_ms())
    store.save(cursor, channel, state)
    return state
