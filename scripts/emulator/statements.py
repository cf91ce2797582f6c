"""Runs one statement in a session, with Snowflake's rules for transactions, locks, errors and DDL."""
import asyncio
import re
import time
import uuid

import fakesnow.server as fs
import snowflake.connector.errors

import access
import errors
import grants
import modes
import parameters
import sql as rewrite
import stale
from execution import Execution
from identity import show_warehouses
from locks import LockError, TableLocks
from options import OPTIONS
from parse_json import parsed_binds
from streaming import error_table, service as streaming

KEPT_ANSWERS = 10_000
DML = ("INSERT", "UPDATE", "DELETE", "MERGE")
DONE = "SELECT 'Statement executed successfully.' AS \"status\""
# As others have measured on an account: from the client, a statement takes 0.3 s, an UPDATE 0.66 to 1 s, a MERGE 0.86 to 1.2 s.
FLOOR_S = 0.3
LATENCY_S = {"UPDATE": 0.8, "DELETE": 0.8, "MERGE": 1.0}
answers_by_query = {}
hybrid_tables = set()


def keep(store, key, value):
    store[key] = value
    while len(store) > KEPT_ANSWERS:
        del store[next(iter(store))]


async def abort_idle(session):
    """The client was killed or forgot its transaction, and somebody waits for its lock; or the session ends."""
    async with session.busy:
        if session.transaction is not None and not session.aborted:
            fs.sessions[session.token]._duck_conn.rollback()
        session.transaction = None
        locks.release(session)


locks = TableLocks(abort_idle)


async def run_statement(request, session, body):
    sql, hybrid = rewrite.hybrid_table(rewrite.strip_comments(body["sqlText"]))
    word = rewrite.first_word(sql)
    session.statement = str(uuid.uuid4())
    execution = Execution(request, session)
    if hybrid:
        hybrid_tables.add(hybrid)
    if session.aborted and word not in ("COMMIT", "ROLLBACK"):
        return errors.failure("000610", "The transaction was aborted by an earlier error; end it with COMMIT or ROLLBACK.", "40000")
    try:
        role = session.identity["CURRENT_ROLE"]
        if OPTIONS["grants"]:
            sql = access.check(sql, session.identity, execution.connection)
        if logging := error_table.asked(sql, execution.connection):
            await error_table.switch(*logging)
        body = {**body, "sqlText": special(session, sql, word)}
        body["bindings"] = await asyncio.to_thread(parsed_binds, sql, body.get("bindings"))
        await begin_or_end(execution, session, word)
        answer = await run_with_locks(execution, session, body, sql, word)
    except snowflake.connector.errors.ProgrammingError as refused:
        answer = errors.failure(f"{refused.errno:06d}", refused.raw_msg, refused.sqlstate)
    except parameters.Refused as refused:
        answer = errors.failure("001420", str(refused), "22023")
    except LockError as error:
        answer = errors.failure(error.code, str(error), "57014")
    if not answer["success"]:
        await after_failure(execution, session)
    elif session.transaction is not None and word in DML:
        session.transaction.append(body)
    elif word in ("CREATE", "DROP") or re.match(r"ALTER\s+TABLE", sql, re.I):
        stale.forget()
        access.created(sql, role, execution.connection)
        await error_table.changed(sql, execution.connection, str(answer["data"].get("rowset")))
        await streaming.tables_changed()
    if word in ("COMMIT", "ROLLBACK"):
        session.transaction = None
        session.aborted = False
    if session.transaction is None or session.aborted:
        locks.release(session)
        execution.drop_leftovers()
    return answer


def special(session, sql, word):
    """What is run for a statement that changes the session, or asks for what DuckDB does not have."""
    if (changes := parameters.changes(sql)) is not None:
        session.parameters.update(changes)
    elif grants.change(sql, fs.sessions[session.token]) or error_table.asked(sql, fs.sessions[session.token]):
        return DONE
    elif use := re.match(r"USE\s+(WAREHOUSE|ROLE)\s+(\S+)", sql, re.I):
        session.identity[f"CURRENT_{use.group(1).upper()}"] = rewrite.plain_name(use.group(2).rstrip(";"))
    elif re.match(r"SHOW\s+WAREHOUSES", sql, re.I):
        return show_warehouses(sql, session.identity["CURRENT_WAREHOUSE"])
    elif word in ("BEGIN", "START") and session.transaction is not None:
        return DONE
    elif word in ("COMMIT", "ROLLBACK") and (session.transaction is None or session.aborted):
        return DONE
    return error_table.rewritten(sql, fs.sessions[session.token])


async def begin_or_end(execution, session, word):
    if session.transaction is not None and word in ("CREATE", "DROP", "TRUNCATE", "GRANT"):
        # DDL commits what is open.
        await execution.run({"sqlText": "COMMIT"})
        session.transaction = None
        locks.release(session)
    elif session.transaction is None and word in DML and not session.parameters["AUTOCOMMIT"]:
        await execution.run({"sqlText": "BEGIN"})
        session.begin()


async def run_with_locks(execution, session, body, sql, word):
    table, waited = rewrite.locked_table(sql), None
    if table and table not in hybrid_tables and modes.takes_lock(sql):
        waited = modes.take_snapshot(execution.connection._duck_conn, sql) if locks.is_taken(session, table) else None
        await locks.acquire(session, table)
    started = time.monotonic()
    stale.before(session, word, sql)
    if waited:
        answer = await execution.run_on_snapshot(waited, body)
    elif modes.reads_early(sql):
        answer = await execution.run_late(body)
    elif word == "INSERT":
        with locks.inserting(session, rewrite.inserted_table(sql)):
            answer = await execution.run_until_no_conflict(body)
    elif word in ("SELECT", "WITH"):
        answer = await execution.run_query(body)
    else:
        answer = await execution.run_until_no_conflict(body)
    if word in ("BEGIN", "START") and session.transaction is None and answer["success"]:
        session.begin()
    if OPTIONS["latency"]:
        await asyncio.sleep(started + LATENCY_S.get(word, FLOOR_S) - time.monotonic())
    return answer


async def after_failure(execution, session):
    if session.transaction is None:
        return
    if session.parameters["TRANSACTION_ABORT_ON_ERROR"]:
        await execution.run({"sqlText": "ROLLBACK"})
        session.aborted = True
    else:
        await execution.start_again()
