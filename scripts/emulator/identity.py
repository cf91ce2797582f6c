"""CURRENT_USER() and the like, and SHOW WAREHOUSES: what a session is reported about itself."""
import contextvars
import re

from sqlglot import exp

# name -> value for CURRENT_USER() and the like, of the session whose statement is being run
IDENTITY = contextvars.ContextVar("identity", default={})


def show_warehouses(sql, current):
    """The warehouse asked for is always there and running."""
    like = re.search(r"LIKE\s+'([^']*)'", sql, re.I)
    columns = {"name": like.group(1) if like else current or "EMULATOR", "state": "STARTED", "type": "STANDARD",
               "size": "X-Small", "auto_suspend": "60", "auto_resume": "true"}
    return "SELECT " + ", ".join(f"'{value}' AS \"{name}\"" for name, value in columns.items())


def identity_function(node):
    name = node.name.upper() if isinstance(node, exp.Anonymous) else getattr(node, "sql_name", lambda: "")()
    if not isinstance(node, exp.Func) or name not in IDENTITY.get():
        return node
    value = IDENTITY.get()[name]
    literal = exp.Null() if value is None else exp.Literal.string(value)
    return exp.alias_(literal, f"{name}()", quoted=True) if isinstance(node.parent, exp.Select) else literal
