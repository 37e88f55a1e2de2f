"""Connections kept from one request to the next, and the statements prepared on them. Knows no table, no request."""

import select
import time
from collections.abc import Mapping, Sequence
from typing import Any

import psycopg
from psycopg.abc import PQGen
from psycopg.pq import ConnStatus, ExecStatus, TransactionStatus
from sqlalchemy import Engine, event
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.pool import ConnectionPoolEntry, QueuePool

RESTED_SECONDS = 30
"""After so long a firewall or a restart far away may have ended a connection without a word."""

ONE_PLAN = {"one_plan": True}
"""The execution options of a statement that has values and is prepared all the same, since one plan is good for all of
them: it asks a table of a few hundred rows, or by a key of which each value has about as many rows."""

_RESTS_SINCE = "fsms.rests_since"


class PromptConnection(psycopg.Connection[Any]):
    """Ends a transaction without waiting for the server's word, and knows its statements still in the next one.

    Nearly every page ends with taking back a transaction in which it only read, and whoever asked waits for that. And
    psycopg forgets all prepared statements then, since a table made in that transaction is gone again; ours make none.
    """

    _ends = False
    """The server was told to take a transaction back; its answer was not read yet."""

    def rollback(self) -> None:
        """Take the open transaction back."""
        if self._ends:
            return
        is_open = self.pgconn.transaction_status in {TransactionStatus.INTRANS, TransactionStatus.INERROR}
        if not is_open or self._pipeline or self._num_transactions or self._tpc:
            super().rollback()
            return
        self.pgconn.send_query(b"ROLLBACK")
        self.pgconn.flush()
        self._ends = True

    def settle(self) -> None:
        """Read what the server answered, before anything else is asked."""
        if self._ends:
            self._ends = False
            while self.pgconn.get_result():
                pass

    def wait(self, gen: PQGen[Any], *args: Any, **kwargs: Any) -> Any:
        """Do what psycopg does: all that it asks goes this way."""
        self.settle()
        return super().wait(gen, *args, **kwargs)


def install(engine: Engine) -> None:
    """Let the engine open connections of this kind, and prepare the statements that have no values.

    Their plan is kept. Of what has values PostgreSQL in the end makes one plan for all: for the marks of a class it
    took twice as long, and for a rare status it might walk two million rows.
    """
    event.listen(engine, "do_connect", _connect)
    event.listen(engine, "do_execute", _execute)


def _connect(_dialect: Any, _entry: Any, given: Sequence[Any], named: Mapping[str, Any]) -> PromptConnection:
    return PromptConnection.connect(*given, **named)


def _execute(cursor: psycopg.Cursor[Any], statement: Any, values: Any, context: Any) -> bool:
    """Prepare what asks without values or has one plan for all, if anything may be prepared on this connection."""
    if isinstance(cursor, psycopg.ServerCursor):
        return False  # It is asked once, for as long as its rows come.
    # What somebody wrote out may be several statements, which PostgreSQL prepares none of.
    is_one = context.compiled is not None and not (context.is_text or context.isddl)
    has_one_plan = not values or bool(context.execution_options.get("one_plan"))
    cursor.execute(statement, values, prepare=is_one and has_one_plan)
    return True


class LookedAtPool(QueuePool):
    """Replaces connections that have ended, without asking the server each time, which a page would wait for twice.

    A server that ends says so, and then there is something to read. Only after a rest it is asked whether it is there.
    The connections are those of `install`.
    """


@event.listens_for(LookedAtPool, "checkin")
def _note_the_rest(_driver: Any, entry: ConnectionPoolEntry) -> None:
    entry.info[_RESTS_SINCE] = time.monotonic()


@event.listens_for(LookedAtPool, "checkout")
def _look(driver: PromptConnection, entry: ConnectionPoolEntry, _taken: Any) -> None:
    since = entry.info.get(_RESTS_SINCE)
    if since is None:
        return  # It was just made.
    driver.settle()
    if _has_ended(driver) or (time.monotonic() - since > RESTED_SECONDS and not _answers(driver)):
        raise DisconnectionError("The connection has ended.")


def _has_ended(driver: PromptConnection) -> bool:
    """Say whether something came unasked: a server that waits for us has nothing to say but that it ends."""
    if driver.pgconn.status != ConnStatus.OK:
        return True
    looking = select.poll()
    looking.register(driver.pgconn.socket, select.POLLIN)
    return bool(looking.poll(0))


def _answers(driver: PromptConnection) -> bool:
    return driver.pgconn.exec_(b"SELECT 1").status == ExecStatus.TUPLES_OK
