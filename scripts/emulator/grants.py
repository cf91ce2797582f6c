"""Roles, what they have been granted, and what they own. Only ACCOUNTADMIN may do everything."""
import re

ADMIN = "ACCOUNTADMIN"
roles = {ADMIN, "SYSADMIN", "PUBLIC"}
granted = set()  # (role, privilege, kind, name)
owners = {}  # (kind, name): role

_NAME = r'((?:"[^"]+"|[\w$]+)(?:\.(?:"[^"]+"|[\w$]+))*)'
_GRANT = re.compile(
    rf"(GRANT|REVOKE)\s+(.+?)\s+ON\s+(FUTURE\s+TABLES\s+IN\s+SCHEMA|ALL\s+TABLES\s+IN\s+SCHEMA|ACCOUNT|\w+)\s*{_NAME}?\s+(?:TO|FROM)\s+(?:ROLE\s+)?{_NAME}",
    re.I | re.S,
)
_ROLE = re.compile(rf"CREATE\s+(?:OR\s+REPLACE\s+)?ROLE\s+(?:IF\s+NOT\s+EXISTS\s+)?{_NAME}", re.I)


def parts(name):
    return [part[1:-1] if part.startswith('"') else part.upper() for part in re.findall(r'"[^"]+"|[\w$]+', name)]


def full(name, connection, kind):
    """With the database and schema of the session, as far as the kind has them."""
    found = parts(name)
    places = {"TABLE": [connection.database, connection.schema], "SCHEMA": [connection.database]}.get(kind, [])
    missing = len(places) + 1 - len(found)
    return ".".join([str(place).upper() for place in places[:max(missing, 0)]] + found)


def may(role, privilege, kind, name):
    """Whether the role has it, or owns the object, or has it of all future tables of the schema."""
    if role == ADMIN or owners.get((kind, name)) == role:
        return True
    wanted = {privilege, "ALL", "ALL PRIVILEGES"}
    if any((role, one, kind, name) in granted for one in wanted):
        return True
    return kind == "TABLE" and any((role, one, "FUTURE", name.rsplit(".", 1)[0]) in granted for one in wanted)


def sees(role, kind, name):
    """Any privilege on an object shows it; on what lies in it does not."""
    if role == ADMIN or owners.get((kind, name)) == role:
        return True
    return any(one[0] == role and one[2:] == (kind, name) for one in granted)


def change(sql, connection):
    """GRANT, REVOKE, CREATE ROLE; False for another statement."""
    if role := _ROLE.match(sql):
        roles.add(parts(role.group(1))[-1])
        return True
    found = _GRANT.match(sql)
    if not found:
        return False
    word, privileges, kind, name, role = found.groups()
    kind = " ".join(kind.upper().split())
    kind = "FUTURE" if kind.startswith("FUTURE") else kind
    name = "" if name is None else full(name, connection, "SCHEMA" if kind == "FUTURE" else kind)
    for privilege in (" ".join(one.upper().split()) for one in privileges.split(",")):
        if privilege == "OWNERSHIP":
            owners[(kind, name)] = parts(role)[-1]
        elif word.upper() == "GRANT":
            granted.add((parts(role)[-1], privilege, kind, name))
        else:
            granted.discard((parts(role)[-1], privilege, kind, name))
    return True
