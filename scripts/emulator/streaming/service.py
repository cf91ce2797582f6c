"""Open, append, status and drop of channels, as the streaming API does them."""
import asyncio
from dataclasses import replace

import fakesnow.server as fs
from options import OPTIONS
from streaming import commits, pipes, store
from streaming.channels import SUCCESS, TABLE_GONE, Channel, State, now_ms
from streaming.refused import Refused, missing

channels = {}  # (database, schema, pipe, name): Channel


def _key(pipe, name):
    return pipe.database, pipe.schema, pipe.name, name


def _find(pipe, name):
    """The case of a name in a path does not count, unless there are several."""
    exact = channels.get(_key(pipe, name))
    if exact is not None:
        return exact
    wanted = _key(pipe, name.upper())
    return next((one for key, one in channels.items() if (*key[:3], key[3].upper()) == wanted), None)


def _found(pipe, name):
    channel = _find(pipe, name)
    if channel is None:
        raise Refused(404, "ERR_CHANNEL_DOES_NOT_EXIST_OR_IS_NOT_AUTHORIZED", "Channel does not exist or is not authorized.")
    return channel


def load():
    """After a start: what was committed. What was only buffered is lost."""
    cursor = fs.shared_fs.duck_conn.cursor()
    for channel in store.load():
        channel.table, _ = pipes.columns(cursor, channel.pipe)
        channels[_key(channel.pipe, channel.name)] = channel


async def open_channel(pipe, name, token, fail_on_uncommitted):
    channel = _find(pipe, name)
    if channel is None:
        # A channel that was dropped and is opened again is another one to whoever had it.
        channel = channels[_key(pipe, name)] = Channel(pipe, name, State(client=now_ms() - 1, token=token))
    async with channel.busy:
        if fail_on_uncommitted and channel.rowsets and channel.state.code == SUCCESS:
            raise Refused(409, "ERR_CHANNEL_HAS_UNCOMMITTED_DATA", "The channel has uncommitted data.")
        old = channel.state
        if old.code == TABLE_GONE:
            # The pipe of the table that took its place has no channels yet.
            old = State(client=old.client, token=token)
        # From here on whoever had the channel is refused, also while this is being saved.
        state = channel.restart(replace(old, client=old.client + 1, row=1, code=SUCCESS))

        def save(cursor):
            table, _ = pipes.columns(cursor, pipe)
            store.prepare(cursor, pipe.database)
            store.save(cursor, channel, state)
            return table

        channel.table = await commits.in_transaction(save)
    return {"status_code": 0, "message": "Success", "next_continuation_token": f"{state.client}_{state.row}",
            "channel_status": channel.status()}


async def append(pipe, name, continuation, start, end, body):
    channel = _found(pipe, name)
    if not body.strip():
        raise Refused(400, "ERR_INVALID_REQUEST", "The request has no rows.")
    # Rows behind discarded ones are not committed either.
    channel.discards = channel.discards or OPTIONS["streaming-discard"]
    channel.take(continuation, start, end, body)
    commits.start(channels)
    answer = {"status_code": 0, "message": "Success", "next_continuation_token": channel.continuation}
    await asyncio.sleep(OPTIONS["streaming-latency-ms"] / 1000)
    return answer


def statuses(pipe, names):
    found = {name: channels.get(_key(pipe, name)) for name in names}
    return {"channel_statuses": {name: channel.status() for name, channel in found.items() if channel is not None}}


async def drop(pipe, name, fail_on_uncommitted):
    channel = _found(pipe, name)
    if fail_on_uncommitted and channel.rowsets:
        raise Refused(409, "ERR_CHANNEL_HAS_UNCOMMITTED_DATA", "The channel has uncommitted data.")
    async with channel.busy:
        channel.rowsets.clear()
        channels.pop(_key(pipe, channel.name), None)
        await commits.in_transaction(lambda cursor: store.delete(cursor, channel))
    return {"status_code": 0, "message": "Success"}


async def tables_changed():
    """After DDL: the channels of a table that has gone, or that is another one by now, are invalid."""
    pipes.forget()
    cursor = fs.shared_fs.duck_conn.cursor()
    for channel in list(channels.values()):
        table, _ = pipes.columns(cursor, channel.pipe)
        if channel.state.code == TABLE_GONE or table == channel.table:
            continue
        channel.invalidate(TABLE_GONE)
        if table is not None:
            await commits.in_transaction(lambda cursor, one=channel: store.save(cursor, one, one.state))


async def change(name, asked):
    """As a test asks for: {"statusCode"}, {"expire": true} or {"reject": rows} of the channels of this name."""
    for key, channel in [(key, one) for key, one in channels.items() if one.name == name]:
        if "statusCode" in asked:
            channel.invalidate(asked["statusCode"])
        if asked.get("expire"):
            await drop(channel.pipe, name, False)
        channel.rejects += asked.get("reject", 0)
