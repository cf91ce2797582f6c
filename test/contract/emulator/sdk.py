"""Snowflake's own streaming client against the emulator, for StreamingSdk.test.ts: prints what it has met, as JSON.

usage: python sdk.py CONFIG      a JSON object: {port, control, key, pat, faults: {channel: {fault}}}
"""
import datetime
import decimal
import json
import sys
import urllib.request
from concurrent.futures import ThreadPoolExecutor

from snowflake.ingest.streaming import StreamingIngestClient

given = json.loads(sys.argv[1])
# Only whole numbers are taken, and as text.
QUICK = {f"{what}_retry_{which}_backoff_seconds": "1"
         for what in ("data", "mgmt", "open_channel_409", "misclassified_404") for which in ("initial", "max")}
LOGIN = {"account": "MYORG-MY_ACCT", "user": "LOADER", "scheme": "https", "host": "localhost", "port": str(given["port"]),
         "role": "LOADER_ROLE", "enable_telemetry_reporting": "false", **QUICK}
KEY = {"authorization_type": "JWT", "private_key": given["key"]}
PAT = {"authorization_type": "PAT", "personal_access_token": given["pat"]}
ROW = {
    "ID": 1,
    "V": {"a": 12345678901234567890, "n": None, "f": 1.5, "s": "é\n\""},
    "TS": datetime.datetime(2026, 1, 2, 3, 4, 5, 678901),
    "D": decimal.Decimal("12345678901234567890.123456789"),
    "B": b"\x00\xff",
}


def client(name, login=KEY):
    return StreamingIngestClient(name, "DB", "BRONZE", "T-STREAMING", properties={**LOGIN, **login})


def outcome(work):
    try:
        return work()
    except Exception as error:
        # Its classes do not tell errors apart, the first word does.
        return str(error).split(":")[0]


def shown(status):
    return {"token": status.latest_committed_offset_token, "inserted": status.rows_inserted_count,
            "errors": status.rows_error_count, "code": status.status_code}


def reached(token):
    return lambda committed: committed is not None and int(committed) >= token


def append_and_reopen():
    first = client("first")
    channel, status = first.open_channel("chan one")
    before = status.latest_committed_offset_token
    channel.append_rows([ROW, {"ID": 2}], "0", "1")
    channel.append_rows([{"ID": 3}], "2", "2")
    channel.wait_for_commit(reached(2), 20)
    second = client("second", PAT)
    again, status = second.open_channel("chan one")
    resumed = status.latest_committed_offset_token

    def stale():
        channel.append_row({"ID": 99}, "99")
        channel.wait_for_flush(10)

    fenced = outcome(stale)
    again.append_row({"ID": 4}, "3")
    again.wait_for_commit(reached(3), 20)
    last = shown(again.get_channel_status())
    again.close()
    second.drop_channel("chan one")
    for one in (first, second):
        one.close(wait_for_flush=False)
    return {"before": before, "resumed": resumed, "fenced": fenced, "last": last}


def with_fault(name):
    """One row before the fault, one with it: the outcome, and the channel's status where it still has one."""
    own = client(name)
    channel, _ = own.open_channel(name)
    channel.append_row({"ID": 1}, "1")
    channel.wait_for_commit(reached(1), 20)
    fault = json.dumps({"match": f"POST .*/channels/{name}/rows", **given["faults"][name]})
    urllib.request.urlopen(f"{given['control']}/emulator/faults", fault.encode()).read()

    def second():
        channel.append_row({"ID": 2}, "2")
        channel.wait_for_commit(reached(2), 20)
        return "committed"

    found = {"outcome": outcome(second), "status": outcome(lambda: shown(channel.get_channel_status()))}
    own.close(wait_for_flush=False)
    return found


with ThreadPoolExecutor(4) as pool:
    faults = {name: pool.submit(with_fault, name) for name in given["faults"]}
    print(json.dumps({"usual": append_and_reopen(), "faults": {name: one.result() for name, one in faults.items()}}))
