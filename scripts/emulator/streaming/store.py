"""Channel states and rejected rows in a hidden schema of the database that has the table, so that one transaction moves
rows, offset token and counters together."""
import json
from dataclasses import asdict

import fakesnow.server as fs
from streaming.channels import Channel, State
from streaming.pipes import SUFFIX, Pipe

_HIDDEN = '"{}"._fs_information_schema'
_PLACE = "schema_name = ? AND pipe = ? AND channel = ?"


def hidden(database, table):
    return f"{_HIDDEN.format(database)}.{table}"


def prepare(cursor, database):
    cursor.execute(f"CREATE TABLE IF NOT EXISTS {hidden(database, '_streaming_channels')} "
                   "(schema_name VARCHAR, pipe VARCHAR, channel VARCHAR, state VARCHAR)")
    cursor.execute(f"CREATE TABLE IF NOT EXISTS {hidden(database, '_streaming_errors')} (full_table VARCHAR, "
                   "TIMESTAMP TIMESTAMP, QUERY_ID VARCHAR, ERROR_CODE VARCHAR, ERROR_METADATA JSON, ERROR_DATA JSON)")
    cursor.execute(f"CREATE TABLE IF NOT EXISTS {hidden(database, '_streaming_error_logging')} (full_table VARCHAR)")


def _place(channel):
    return [channel.pipe.schema, channel.pipe.name, channel.name]


def save(cursor, channel, state):
    table = hidden(channel.pipe.database, "_streaming_channels")
    text = json.dumps(asdict(state))
    changed = cursor.execute(f"UPDATE {table} SET state = ? WHERE {_PLACE}", [text, *_place(channel)]).fetchone()[0]
    if changed == 0:
        cursor.execute(f"INSERT INTO {table} VALUES (?, ?, ?, ?)", [*_place(channel), text])


def delete(cursor, channel):
    cursor.execute(f"DELETE FROM {hidden(channel.pipe.database, '_streaming_channels')} WHERE {_PLACE}", _place(channel))


def load():
    """Every channel of every database, as it was committed."""
    cursor = fs.shared_fs.duck_conn.cursor()
    databases = cursor.execute("SELECT database_name FROM duckdb_tables() WHERE table_name = '_streaming_channels'")
    found = []
    for (database,) in databases.fetchall():
        table = hidden(database, "_streaming_channels")
        for schema, pipe, name, state in cursor.execute(f"SELECT * FROM {table}").fetchall():
            place = Pipe(database, schema, pipe[: -len(SUFFIX)], pipe)
            found.append(Channel(place, name, State(**json.loads(state))))
    return found
