"""The default pipe of a table, <TABLE>-STREAMING: there as long as the table is, for roles that may INSERT into it."""
from dataclasses import dataclass

import fakesnow.server as fs
import grants
from options import OPTIONS
from streaming.refused import missing

SUFFIX = "-STREAMING"
_known = {}  # what a request asked for: Pipe; until the next DDL


@dataclass(frozen=True)
class Pipe:
    database: str
    schema: str
    table: str
    name: str

    @property
    def full_table(self):
        return f"{self.database}.{self.schema}.{self.table}"


@dataclass(frozen=True)
class Column:
    name: str
    type: str
    is_nullable: bool
    default: str | None


def _named(segment):
    """A quoted name is exact; the case of another does not count."""
    return segment[1:-1].replace('""', '"') if len(segment) > 1 and segment[0] == segment[-1] == '"' else segment


def _stored(names, segment, kind):
    name = _named(segment)
    exact = segment != name
    for found in names:
        if found == name or (not exact and found.upper() == name.upper()):
            return found
    raise missing(kind)


def forget():
    _known.clear()


def _look_up(database, schema, pipe):
    cursor = fs.shared_fs.duck_conn.cursor()
    schemas = cursor.execute("SELECT database_name, schema_name FROM duckdb_schemas() WHERE NOT internal").fetchall()
    database = _stored([d for d, _ in schemas if not d.startswith("_fs_")], database, "database")
    schema = _stored([s for d, s in schemas if d == database], schema, "schema")
    tables = cursor.execute("SELECT table_name FROM duckdb_tables() WHERE database_name = ? AND schema_name = ?",
                            [database, schema]).fetchall()
    name = _stored([f"{table}{SUFFIX}" for (table,) in tables], pipe, "pipe")
    return Pipe(database, schema, name[: -len(SUFFIX)], name)


def find(*path, role):
    """The pipe with the names as they are stored; refused when something on the way is not there for the role."""
    found = _known.get(path) or _known.setdefault(path, _look_up(*path))
    if OPTIONS["grants"]:
        for kind, outer in (("DATABASE", found.database), ("SCHEMA", f"{found.database}.{found.schema}")):
            if not grants.may(role, "USAGE", kind, outer):
                raise missing(kind)
        if not grants.may(role, "INSERT", "TABLE", found.full_table):
            raise missing("pipe")
    return found


def columns(cursor, pipe):
    """(identity of the table, its columns) as the transaction of the cursor sees them; (None, []) without the table."""
    rows = cursor.execute(
        "SELECT table_oid, column_name, data_type, is_nullable, column_default FROM duckdb_columns() "
        "WHERE database_name = ? AND schema_name = ? AND table_name = ? ORDER BY column_index",
        [pipe.database, pipe.schema, pipe.table],
    ).fetchall()
    return (rows[0][0] if rows else None), [Column(*row[1:]) for row in rows]
