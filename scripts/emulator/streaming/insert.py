"""The rows of a rowset into its table, by the names of the columns; each row that does not fit is an error of its own."""
import base64
import json

import pyarrow as pa
from streaming import rows, store

NOT_NULL = "NULL result in a non-nullable column"


def _quoted(name):
    return '"' + name.replace('"', '""') + '"'


class _Field:
    """A column of the table with the texts that the rows have for it."""

    def __init__(self, number, column, found):
        self.column = column
        self.given = [column.name in row for row in found]
        self.is_json = column.type == "JSON"
        if self.is_json:
            self.texts = [rows.variant(row[column.name]) if is_given else None for row, is_given in zip(found, self.given)]
        else:
            values = (row.get(column.name) for row in found)
            self.texts = [one if type(one) is str else rows.plain(one, column.type) for one in values]
        self.value, self.presence = f"v{number}", f"g{number}"

    @property
    def has_default(self):
        return self.column.default is not None and not all(self.given)

    @property
    def cast(self):
        kind = self.column.type
        if kind in ("VARCHAR", "JSON"):
            cast = f"CAST({self.value} AS {kind})"
        elif kind == "BLOB":
            cast = f"TRY(from_base64({self.value}))"
        else:
            cast = f"TRY_CAST({self.value} AS {kind})"
        return f"CASE WHEN {self.presence} THEN {cast} ELSE {self.column.default} END" if self.has_default else cast

    @property
    def problem(self):
        lost = f"({self.value} IS NOT NULL AND {self.cast} IS NULL)"
        return lost if self.column.is_nullable else f"({self.cast} IS NULL)"

    def explain(self, at):
        text, kind = self.texts[at], self.column.type
        if text is None:
            return f"{NOT_NULL}: {self.column.name}"
        return f"Failed to cast variant value {json.dumps(text, ensure_ascii=False)} to {kind}: {self.column.name}"


def _by_column(columns, found):
    """The rows with the names of the columns: case does not count."""
    by_name = {column.name.upper(): column.name for column in columns}
    others = {name: by_name[name.upper()] for name in set().union(*found)
              if name.upper() in by_name and name != by_name[name.upper()]}
    return [{others.get(name, name): value for name, value in row.items()} for row in found] if others else found


def insert(cursor, pipe, columns, found):
    """Inserts what fits, and gives {number of the row: why it does not}."""
    named = _by_column(columns, [{} if isinstance(row, rows.Failure) else row for row in found])
    fields = [_Field(number, column, named) for number, column in enumerate(columns)]
    # A column that no row has takes its default from the table.
    fields = [field for field in fields if any(field.given) or not (field.column.is_nullable or field.column.default)]
    failures = {at: row.message for at, row in enumerate(found) if isinstance(row, rows.Failure)}
    texts = {field.value: pa.array(field.texts, pa.string()) for field in fields}
    given = {field.presence: pa.array(field.given) for field in fields if field.has_default}
    cursor.register("_rowset", pa.table({"n": pa.array(range(len(found)), pa.int64()), **texts, **given}))
    try:
        if problems := " ".join(f"WHEN {field.problem} THEN {at}" for at, field in enumerate(fields)):
            query = f"SELECT n, CASE {problems} END AS which FROM _rowset WHERE which IS NOT NULL"
            for at, which in cursor.execute(query).fetchall():
                failures.setdefault(at, fields[which].explain(at))
        names = ", ".join(_quoted(field.column.name) for field in fields)
        casts = ", ".join(field.cast for field in fields)
        table = f"{_quoted(pipe.database)}.{_quoted(pipe.schema)}.{_quoted(pipe.table)}"
        if fields:
            kept = f"WHERE n NOT IN ({', '.join(map(str, failures))})" if failures else ""
            cursor.execute(f"INSERT INTO {table} ({names}) SELECT {casts} FROM _rowset {kept} ORDER BY n")
    finally:
        cursor.unregister("_rowset")
    return failures


def keep_errors(cursor, channel, rowset, lines, failures):
    """For ERROR_TABLE(…), where the table has ERROR_LOGGING."""
    pipe = channel.pipe
    logging = store.hidden(pipe.database, "_streaming_error_logging")
    if not cursor.execute(f"SELECT 1 FROM {logging} WHERE full_table = ?", [pipe.full_table]).fetchone():
        return
    for at, message in failures.items():
        try:
            kind, data = "json", json.loads(lines[at])
            # Half of a surrogate pair is no text.
            json.dumps(data, ensure_ascii=False).encode()
        except UnicodeDecodeError:
            kind, data = "binary-base64", base64.b64encode(lines[at]).decode()
        except ValueError:
            kind, data = "json-invalid", lines[at].decode()
        details = {
            "pipe_name": pipe.name, "channel_name": channel.name, "offset_token_lower_bound": rowset.start,
            "offset_token_upper_bound": rowset.end, "error_data_truncated": False, "error_data_content_type": kind,
        }
        metadata = {"service": "snowpipe_streaming", "error_message": message, "error_source": "$1", "details": details}
        cursor.execute(
            f"INSERT INTO {store.hidden(pipe.database, '_streaming_errors')} VALUES (?, now()::TIMESTAMP, uuid()::VARCHAR, ?, ?, ?)",
            [pipe.full_table, "100038", json.dumps(metadata), json.dumps({"$1": data}, ensure_ascii=False)],
        )
