"""What Snowflake does not say it never does, as modes to test against (option mode):

snapshot  a statement that had to wait for a lock works on the rows as they were when it was sent, and puts them over what
          has been committed since, as a rewrite of a stale micro-partition would
twins     a MERGE does not wait for another: two that miss the same key both insert it
"""
import itertools
import re

from options import OPTIONS

TWIN_WINDOW_S = 0.15

_TARGET = re.compile(r"(UPDATE|DELETE\s+FROM|MERGE\s+INTO)(\s+)([\w.$\"]+)", re.I)
_numbers = itertools.count(1)


def takes_lock(sql):
    """Whether a statement that changes rows waits for the lock of its table."""
    return not (OPTIONS["mode"] == "twins" and re.match(r"MERGE\b", sql, re.I))


def take_snapshot(connection, sql):
    """The rows of the statement's table as they are committed now, twice; None where the table has no full name."""
    found = _TARGET.match(sql)
    if OPTIONS["mode"] != "snapshot" or not found or found.group(3).count(".") != 2:
        return None
    table = found.group(3)
    work = f'{table.rsplit(".", 1)[0]}."__SNAPSHOT_{next(_numbers)}"'
    cursor = connection.cursor()
    for copy in (work, f'{work[:-1]}_BEFORE"'):
        cursor.execute(f"CREATE TABLE {copy} AS SELECT *, rowid AS __RID FROM {table}")
    return table, work, f'{work[:-1]}_BEFORE"'


def on_snapshot(snapshot, sql):
    """The statement, on the copy."""
    return _TARGET.sub(lambda m: f"{m.group(1)}{m.group(2)}{snapshot[1]}", sql, count=1)


def put_over(connection, snapshot):
    """Whatever the statement changed in the copy, over the table."""
    table, work, before = snapshot
    columns = [row[0] for row in connection.execute(f"DESCRIBE {table}").fetchall()]
    sets = ", ".join(f'"{c}" = s."{c}"' for c in columns)
    changed = " OR ".join(f's."{c}" IS DISTINCT FROM b."{c}"' for c in columns)
    names = ", ".join(f'"{c}"' for c in columns)
    connection.execute(f"UPDATE {table} t SET {sets} FROM {work} s JOIN {before} b ON s.__RID = b.__RID WHERE t.rowid = s.__RID AND ({changed})")
    connection.execute(f"INSERT INTO {table} ({names}) SELECT {names} FROM {work} WHERE __RID IS NULL")


def drop(connection, snapshot):
    cursor = connection.cursor()
    for copy in snapshot[1:]:
        cursor.execute(f"DROP TABLE IF EXISTS {copy}")


def reads_early(sql):
    """Whether the statement changes what it has read some time before."""
    return OPTIONS["mode"] == "twins" and re.match(r"MERGE\b", sql, re.I) is not None


def target(sql):
    return _TARGET.match(sql).group(3)
