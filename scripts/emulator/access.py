"""What a statement needs of its role, with Snowflake's codes: 003001 where it sees the object and may not do this, 002003
where it does not see it, 003041 where it would create what is there and it does not see."""
import re

import snowflake.connector.errors
import sqlglot
from sqlglot import exp

from grants import ADMIN, full, may, owners, roles, sees

_INFORMATION = re.compile(r'((?:"[^"]+"|[\w$]+)\.)?INFORMATION_SCHEMA\.(COLUMNS|TABLES|SCHEMATA)\b', re.I)
_ADMINS_ONLY = re.compile(r"\s*(GRANT|REVOKE|(CREATE|ALTER|DROP)\s+(OR\s+REPLACE\s+)?(ROLE|WAREHOUSE|USER|DATABASE))\b", re.I)


def _error(code, state, message):
    return snowflake.connector.errors.ProgrammingError(msg=message, errno=code, sqlstate=state)


def _insufficient(kind, name):
    what = f"{kind.lower()} '{name.rsplit('.', 1)[-1]}'" if name else kind.lower()
    return _error(3001, "42501", f"SQL access control error:\nInsufficient privileges to operate on {what}.")


def _need(role, privilege, kind, name):
    database, *rest = name.split(".")
    around = [("DATABASE", database)] + ([("SCHEMA", f"{database}.{rest[0]}")] if len(rest) == 2 else [])
    for outer in around:
        if kind != outer[0] and not may(role, "USAGE", *outer):
            raise _error(2003, "02000", f"SQL compilation error:\n{outer[0].title()} '{outer[1]}' does not exist or not authorized.")
    if not may(role, privilege, kind, name):
        if kind != "ACCOUNT" and not sees(role, kind, name) and not may(role, privilege, kind, name):
            raise _error(2003, "42S02", f"SQL compilation error:\nObject '{name}' does not exist or not authorized.")
        raise _insufficient(kind, name)


def check(sql, identity, connection):
    """Raises what Snowflake would answer to this role; gives the statement, with INFORMATION_SCHEMA as far as it sees it."""
    role = identity["CURRENT_ROLE"]
    if role == ADMIN:
        return sql
    if _ADMINS_ONLY.match(sql):
        raise _insufficient("account", "")
    word = sql.split(None, 1)[0].upper()
    if word not in ("SELECT", "WITH", "INSERT", "UPDATE", "DELETE", "MERGE", "CREATE", "ALTER", "DROP", "TRUNCATE"):
        return sql
    tree = sqlglot.parse_one(sql, read="snowflake")
    if identity["CURRENT_WAREHOUSE"] is None and isinstance(tree, (exp.Query, exp.DML)) and tree.find(exp.Table):
        raise _error(606, "57P03", "No active warehouse selected in the current session.  Select an active warehouse with the 'use warehouse' command.")
    if isinstance(tree, exp.Create) and tree.kind in ("SCHEMA", "TABLE"):
        return _create(tree, sql, role, connection)
    target = tree.this if isinstance(tree, (exp.Insert, exp.Update, exp.Delete, exp.Merge, exp.Alter)) else None
    target = tree.find(exp.Table) if isinstance(tree, exp.Drop) else target
    target = target.this if isinstance(target, exp.Schema) else target
    if isinstance(tree, exp.Merge):
        kinds = {type(when.args["then"]) for when in tree.find_all(exp.When)}
        needed = ["SELECT"] + ["UPDATE"] * (exp.Update in kinds) + ["INSERT"] * (exp.Insert in kinds)
    else:
        needed = ["OWNERSHIP"] if isinstance(tree, (exp.Alter, exp.Drop)) else [word]
    aliases = {cte.alias for cte in tree.find_all(exp.CTE)}
    for table in tree.find_all(exp.Table):
        is_name = isinstance(table.this, exp.Identifier) and table.db.upper() != "INFORMATION_SCHEMA"
        if not is_name or (table.name in aliases and not table.db):
            continue
        name = full(table.sql(dialect="snowflake", comments=False).split(" ")[0], connection, "TABLE")
        for privilege in needed if table is target else ["SELECT"]:
            _need(role, privilege, "TABLE", name)
    return _INFORMATION.sub(lambda found: _visible(found, role), sql)


def _create(tree, sql, role, connection):
    table = tree.find(exp.Table)
    kind = tree.kind
    name = full(table.sql(dialect="snowflake", comments=False), connection, kind)
    around, parent = ("DATABASE", name.rsplit(".", 1)[0]) if kind == "SCHEMA" else ("SCHEMA", name.rsplit(".", 1)[0])
    # The right is needed where there would be nothing to do as well.
    _need(role, f"CREATE {kind}", around, parent)
    if (kind, name) in owners and not sees(role, kind, name):
        raise _error(3041, "42710", f"SQL compilation error:\nObject '{name.rsplit('.', 1)[-1]}' already exists, but current role has no privileges on it. If this is unexpected and you cannot resolve this problem, contact your system administrator. ACCOUNTADMIN role may be required to manage the privileges on the object.")
    return sql


def _visible(found, role):
    kind = "SCHEMA" if found.group(2).upper() == "SCHEMATA" else "TABLE"
    names = [name.split(".", 1)[1] for one, name in owners if one == kind and sees(role, one, name)]
    column = "SCHEMA_NAME" if kind == "SCHEMA" else "TABLE_SCHEMA || '.' || TABLE_NAME"
    return f"(SELECT * FROM {found.group(0)} WHERE {column} IN ({', '.join(repr(name) for name in names) or 'NULL'}))"


def created(sql, role, connection):
    """After a statement has succeeded: who creates owns, until it is dropped."""
    if dropped := re.match(r"DROP\s+(DATABASE|SCHEMA|TABLE)\s+(?:IF\s+EXISTS\s+)?([\w.$\"]+)", sql, re.I):
        owners.pop((dropped.group(1).upper(), full(dropped.group(2), connection, dropped.group(1).upper())), None)
    found = re.match(r"CREATE\s+(?:OR\s+REPLACE\s+)?(?:TRANSIENT\s+)?(DATABASE|SCHEMA|TABLE)\s+(?:IF\s+NOT\s+EXISTS\s+)?([\w.$\"]+)", sql, re.I)
    if found:
        kind = found.group(1).upper()
        owners.setdefault((kind, full(found.group(2), connection, kind)), role)


def knows(role):
    return role in roles
