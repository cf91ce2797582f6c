"""ERROR_LOGGING of a table, and ERROR_TABLE(…), which has the rows that streaming could not insert into it."""
import re

import fakesnow.server as fs
import grants
import snowflake.connector.errors
from streaming import commits, store

_NAME = r'((?:"[^"]+"|[\w$]+)(?:\.(?:"[^"]+"|[\w$]+))*)'
_ERROR_TABLE = re.compile(rf"(?:\bTABLE\s*\(\s*)?\bERROR_TABLE\s*\(\s*{_NAME}\s*\)(?:\s*\))?", re.I)
_SET = re.compile(rf"ALTER\s+TABLE\s+(?:IF\s+EXISTS\s+)?{_NAME}\s+(?:SET\s+ERROR_LOGGING\s*=\s*(TRUE|FALSE)|UNSET\s+ERROR_LOGGING)\s*;?\s*$", re.I)
_CREATED = re.compile(
    r"(?:CREATE\s+(?:OR\s+REPLACE\s+)?(?:TRANSIENT\s+)?TABLE(?:\s+IF\s+NOT\s+EXISTS)?|DROP\s+TABLE(?:\s+IF\s+EXISTS)?)\s+"
    rf"{_NAME}(.*\bERROR_LOGGING\s*=\s*TRUE\b)?",
    re.I | re.S,
)
COLUMNS = "TIMESTAMP, QUERY_ID, ERROR_CODE, ERROR_METADATA, ERROR_DATA"


def _keeps(database, table):
    cursor = fs.shared_fs.duck_conn.cursor()
    prepared = "SELECT 1 FROM duckdb_tables() WHERE database_name = ? AND table_name = '_streaming_error_logging'"
    if not cursor.execute(prepared, [database]).fetchone():
        return False
    logging = store.hidden(database, "_streaming_error_logging")
    return cursor.execute(f"SELECT 1 FROM {logging} WHERE full_table = ?", [table]).fetchone() is not None


def rewritten(sql, connection):
    """The statement with the table that has the errors; ERROR_TABLE of a table without ERROR_LOGGING is not there."""
    def place(found):
        table = grants.full(found.group(1), connection, "TABLE")
        database = table.split(".")[0]
        if not _keeps(database, table):
            message = f"SQL compilation error:\nError table for '{table}' does not exist or not authorized."
            raise snowflake.connector.errors.ProgrammingError(msg=message, errno=2003, sqlstate="42S02")
        errors = store.hidden(database, "_streaming_errors")
        return f"(SELECT {COLUMNS} FROM {errors} WHERE full_table = '{table}')"

    return _ERROR_TABLE.sub(place, sql) if "ERROR_TABLE" in sql.upper() else sql


def asked(sql, connection):
    """(table, whether it keeps errors) of ALTER TABLE … SET ERROR_LOGGING, else None."""
    found = _SET.match(sql)
    return found and (grants.full(found.group(1), connection, "TABLE"), (found.group(2) or "").upper() == "TRUE")


async def changed(sql, connection, said):
    """After DDL: a table that is new, replaced or dropped has no errors."""
    found = None if "already exists" in said else _CREATED.match(sql)
    if found:
        await switch(grants.full(found.group(1), connection, "TABLE"), found.group(2) is not None)


async def switch(table, keeps):
    def change(cursor):
        database = table.split(".")[0]
        store.prepare(cursor, database)
        logging = store.hidden(database, "_streaming_error_logging")
        cursor.execute(f"DELETE FROM {logging} WHERE full_table = ?", [table])
        if keeps:
            cursor.execute(f"INSERT INTO {logging} VALUES (?)", [table])
        else:
            cursor.execute(f"DELETE FROM {store.hidden(database, '_streaming_errors')} WHERE full_table = ?", [table])

    await commits.in_transaction(change)
