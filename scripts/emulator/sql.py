"""SQL that fakesnow lacks or that DuckDB treats unlike Snowflake, fixed before it runs."""
import re
from collections import Counter

import fakesnow.cursor
import fakesnow.macros
import fakesnow.server
import fakesnow.transforms
import sqlglot
from fakesnow.cursor import FakeSnowflakeCursor, merge_operations
from sqlglot import exp

from identity import identity_function
from parse_json import parsed_literals, placeholders

# Account objects that the emulator has no use for: accepted, nothing happens.
NO_OPERATION = [
    r"\s*USE\s+(ROLE|WAREHOUSE|SECONDARY)\b",
    r"\s*(GRANT|REVOKE)\b",
    r"\s*(CREATE|ALTER|DROP)\s+(OR\s+REPLACE\s+)?(ROLE|WAREHOUSE|USER|NETWORK|RESOURCE)\b",
    r"\s*ALTER\s+SESSION\b",
]

_COMMENTS = re.compile(r"^(?:\s+|--[^\n]*(?:\n|$)|//[^\n]*(?:\n|$)|/\*.*?\*/)*", re.S)
_TARGET = re.compile(r"(?:UPDATE|DELETE\s+FROM|MERGE\s+INTO)\s+([\w.$\"]+)", re.I)
_INSERTED = re.compile(r"INSERT\s+(?:OVERWRITE\s+)?INTO\s+([\w.$\"]+)", re.I)
_HYBRID = re.compile(r"^(CREATE\s+(?:OR\s+REPLACE\s+)?)HYBRID\s+(TABLE\s+(?:IF\s+NOT\s+EXISTS\s+)?([\w.$\"]+))", re.I)


def strip_comments(sql):
    """Without the comments in front, so that the first word says what the statement is."""
    return sql[_COMMENTS.match(sql).end():]


def first_word(sql):
    word = re.match(r"\w+", sql)
    return word.group().upper() if word else ""


def plain_name(identifier):
    return identifier.split(".")[-1].strip('"').upper()


def locked_table(sql):
    """The table whose lock an UPDATE, DELETE or MERGE takes, else None."""
    target = _TARGET.match(sql)
    return plain_name(target.group(1)) if target else None


def inserted_table(sql):
    target = _INSERTED.match(sql)
    return plain_name(target.group(1)) if target else ""


def target_table(sql):
    """The table that a statement writes, by the name that it has there, else None."""
    target = _TARGET.match(sql) or _INSERTED.match(sql)
    return target.group(1) if target else None


def hybrid_table(sql):
    """(sql without HYBRID, name of the table), or (sql, None)."""
    found = _HYBRID.match(sql)
    return (_HYBRID.sub(r"\1\2", sql, count=1), plain_name(found.group(3))) if found else (sql, None)


def split_statements(sql):
    tokens = [t for t in sqlglot.tokenize(sql, read="snowflake") if t.token_type == sqlglot.TokenType.SEMICOLON]
    edges = [0, *(t.end + 1 for t in tokens)]
    ends = [*(t.start for t in tokens), len(sql)]
    return [part for part in (sql[a:b].strip() for a, b in zip(edges, ends)) if part]


def number_placeholders(sql):
    """fakesnow writes the argument of TRY_PARSE_JSON twice, so a nameless ? would want a second value."""
    if "TRY_PARSE_JSON" not in sql.upper():
        return sql
    for number, token in reversed(list(enumerate(placeholders(sql), start=1))):
        sql = f"{sql[:token.start]}:{number}{sql[token.end + 1:]}"
    return sql


def drop_unenforced_keys(tree):
    """Snowflake keeps PRIMARY KEY, UNIQUE and REFERENCES as remarks only; DuckDB would enforce them and hide duplicates."""
    for column in tree.find_all(exp.ColumnConstraint):
        if isinstance(column.kind, exp.PrimaryKeyColumnConstraint):
            column.set("kind", exp.NotNullColumnConstraint())
        elif isinstance(column.kind, (exp.UniqueColumnConstraint, exp.Reference)):
            column.pop()
    for kind in (exp.PrimaryKey, exp.ForeignKey, exp.UniqueColumnConstraint):
        for key in list(tree.find_all(kind)):
            (key.parent if isinstance(key.parent, exp.Constraint) else key).pop()


def parse_one(command):
    tree = parsed_literals(_parse_one(number_placeholders(command)))
    if isinstance(tree, exp.Create) and tree.kind == "TABLE":
        drop_unenforced_keys(tree)
    # UPDATE t SET t.column = … (in MERGE too): DuckDB wants the bare column.
    for update in tree.find_all(exp.Update):
        for assignment in update.expressions:
            if isinstance(assignment.this, exp.Column):
                assignment.this.set("table", None)
    return tree.transform(identity_function, copy=False)


_parse_one = fakesnow.cursor.parse_one
fakesnow.cursor.parse_one = parse_one


def whole_number(node):
    """NUMBER has 38 digits, where fakesnow gives 64 bits."""
    integers = (exp.DataType.Type.INT, exp.DataType.Type.SMALLINT, exp.DataType.Type.TINYINT, exp.DataType.Type.BIGINT)
    is_plain = isinstance(node, exp.DataType) and node.this == exp.DataType.Type.DECIMAL and not node.expressions
    if is_plain or isinstance(node, exp.DataType) and node.this in integers:
        return exp.DataType.build("DECIMAL(38, 0)")
    return node


fakesnow.transforms.integer_precision = whole_number

# A macro that is replaced takes with it what depends on it (a column default): CREATE DATABASE IF NOT EXISTS would then
# fail the second time, and so would a database that is opened again from disk.
_macros = fakesnow.macros.creation_sql
fakesnow.macros.creation_sql = lambda catalog: _macros(catalog).replace(
    "CREATE OR REPLACE MACRO", "CREATE MACRO IF NOT EXISTS"
)

# fakesnow splits MERGE over a temporary table, which DuckDB refuses inside BEGIN … COMMIT, and which loses
# TABLE(FLATTEN(…)). DuckDB has a MERGE of its own: run that.
fakesnow.transforms.merge = lambda tree: [tree]
_execute = FakeSnowflakeCursor._execute


def execute(self, tree, params=None):
    if not isinstance(tree, exp.Merge):
        return _execute(self, tree, params)
    wanted = [operation for operation, at in merge_operations(tree).items() if at]
    sql = tree.sql(dialect="duckdb") + " RETURNING merge_action"
    done = Counter(row[0] for row in self._duck_conn.execute(sql, params).fetchall())
    action = {"inserted": "INSERT", "updated": "UPDATE", "deleted": "DELETE"}
    counts = ", ".join(f'{done[action[o]]} AS "number of rows {o}"' for o in wanted)
    select = sqlglot.parse_one(f"SELECT {counts}", read="duckdb")
    select.set("merge_counts", True)
    return _execute(self, select)


FakeSnowflakeCursor._execute = execute
