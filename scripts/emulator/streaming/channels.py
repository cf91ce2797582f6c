"""Channels and their sequencers: an open fences whoever had the channel, a rowset is taken once and in order."""
import asyncio
import time
from collections import deque
from dataclasses import asdict, dataclass, field

from streaming.pipes import Pipe
from streaming.refused import Refused

SUCCESS = "SUCCESS"
GAP = "ERR_CHANNEL_MUST_BE_REOPENED_DUE_TO_ROW_SEQ_GAP"
TABLE_GONE = "ERR_TABLE_DOES_NOT_EXIST_NOT_AUTHORIZED"


def now_ms():
    return int(time.time() * 1000)


@dataclass
class Rowset:
    number: int
    start: str | None
    end: str | None
    body: bytes
    received: float = field(default_factory=time.monotonic)


@dataclass
class State:
    """What outlives a restart, in one transaction with the rows."""
    client: int
    row: int = 1
    token: str | None = None
    code: str = SUCCESS
    created_on_ms: int = field(default_factory=now_ms)
    inserted: int = 0
    parsed: int = 0
    errors: int = 0
    last_error_token: str | None = None
    last_error_message: str | None = None
    last_error_ms: int | None = None


class Channel:
    def __init__(self, pipe: Pipe, name: str, state: State, table: int | None = None):
        self.pipe = pipe
        self.name = name
        self.state = state
        # Which table it was opened on: one that has been replaced is another.
        self.table = table
        self.next_row = state.row
        self.rowsets = deque()
        # A pipe that has become invalid takes rows and discards them, until the channel is opened again.
        self.discards = False
        # So many rows of the next rowsets fail, as a test asked for.
        self.rejects = 0
        # An open waits for the commit that is under way.
        self.busy = asyncio.Lock()

    @property
    def continuation(self):
        return f"{self.state.client}_{self.next_row}"

    def take(self, continuation, start, end, body):
        """Buffers a rowset. One that was taken before is dropped, whatever is in it: the answer is the same."""
        client, _, row = (continuation or "").partition("_")
        if not (client.isdigit() and row.isdigit()):
            raise Refused(400, "ERR_INVALID_CONTINUATION_TOKEN", "The continuation token is invalid.")
        if int(client) != self.state.client:
            raise Refused(400, "STALE_CONTINUATION_TOKEN_SEQUENCER", "Channel sequencer stale. Please reopen the channel")
        if int(row) < self.next_row:
            return
        if int(row) > self.next_row:
            self.state.code = GAP
        if self.state.code != SUCCESS and not self.discards:
            raise Refused(409, self.state.code, "The channel must be reopened.")
        if not self.discards:
            self.rowsets.append(Rowset(self.next_row, start, end, body))
        self.next_row += 1

    def restart(self, state):
        self.state, self.next_row, self.discards = state, state.row, False
        self.rowsets.clear()
        return state

    def invalidate(self, code):
        self.state.code = code
        self.rowsets.clear()

    def status(self):
        state = self.state
        return {
            "database_name": self.pipe.database,
            "schema_name": self.pipe.schema,
            "pipe_name": self.pipe.name,
            "channel_name": self.name,
            "channel_status_code": state.code,
            "last_committed_offset_token": state.token,
            "latest_committed_offset_token": state.token,
            "created_on_ms": state.created_on_ms,
            "rows_inserted": state.inserted,
            "rows_parsed": state.parsed,
            "rows_error_count": state.errors,
            "last_error_offset_upper_bound": state.last_error_token,
            "last_error_message": state.last_error_message,
            "last_error_timestamp": state.last_error_ms,
            "last_error_timestamp_ms": state.last_error_ms,
            "last_refreshed_on_ms": now_ms(),
            "snowflake_avg_processing_latency_ms": 0,
        }

    def seen(self):
        """For tests: GET /emulator/streaming."""
        return {**self.status(), "state": asdict(self.state), "continuation_token": self.continuation,
                "uncommitted": [{"start": one.start, "end": one.end} for one in self.rowsets]}
