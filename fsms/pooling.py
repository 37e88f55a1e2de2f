"""Connections kept from one request to the next, and the statements prepared on them. Knows no table, no request."""

import hashlib
import select
import time
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, overload

import psycopg
from psycopg import Column
from psycopg.abc import PQGen
from psycopg.pq import ConnStatus, DiagnosticField, ExecStatus, TransactionStatus
from sqlalchemy import Engine, event
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.pool import ConnectionPoolEntry, QueuePool

RESTED_SECONDS = 30
"""After so long a firewall or a restart far away may have ended a connection without a word."""

ONE_PLAN = {"one_plan": True}
"""The execution options of a statement that has values and is prepared all the same, since one plan is good for all of
them: it asks a table of a few hundred rows, or by a key of which each value has about as many rows."""

ALREADY_PREPARED = b"42P05"
"""PostgreSQL's code for a name that stands for a statement already."""

_RESTS_SINCE = "fsms.rests_since"


class Described(Sequence[Column]):
    """The columns of an answer, looked at when somebody asks: SQLAlchemy does once for all answers to a statement."""

    def __init__(self, cursor: psycopg.Cursor[Any], number: int) -> None:
        """Take the cursor whose answer has so many columns."""
        self._cursor, self._number = cursor, number

    @cached_property
    def _columns(self) -> list[Column]:
        return [Column(self._cursor, place) for place in range(self._number)]

    def __len__(self) -> int:
        """Count them, for which none is looked at."""
        return self._number

    @overload
    def __getitem__(self, place: int) -> Column: ...
    @overload
    def __getitem__(self, place: slice) -> list[Column]: ...
    def __getitem__(self, place: int | slice) -> Column | list[Column]:
        """Give a column, or some."""
        return self._columns[place]


class PromptCursor(psycopg.Cursor[Any]):
    """Describes an answer when it is asked to, and not each time: a form of a pupil reads eighty columns."""

    @property
    def description(self) -> Any:
        """The columns of the answer; None where there is no table of them."""
        answer = self.pgresult
        if answer is None or answer.status != ExecStatus.TUPLES_OK:
            return super().description
        return Described(self, answer.nfields)


class PromptConnection(psycopg.Connection[Any]):
    """Ends a transaction without waiting for the server's word, and knows its statements still in the next one.

    Nearly every page ends with taking back a transaction in which it only read, and whoever asked waits for that. And
    psycopg forgets all prepared statements then, since a table made in that transaction is gone again; ours make none.
    """

    cursor_factory: type[psycopg.Cursor[Any]]
    _ends = False
    """The server was told to take a transaction back; its answer was not read yet."""

    def __init__(self, *given: Any, **named: Any) -> None:
        """Ask with cursors of our kind."""
        super().__init__(*given, **named)
        self.cursor_factory = PromptCursor
        self._named: dict[str, str] = {}

    def named(self, statement: str, types: str) -> str | None:
        """Give the name under which a statement is prepared here, now if it was not; None where nothing may be."""
        if self.prepare_threshold is None:
            return None
        name = self._named.get(statement)
        if name is None:
            self.settle()
            # Named by its words, so that whoever stands between us and the server can never mean another statement.
            name = f"fsms_{hashlib.sha256(statement.encode()).hexdigest()[:16]}"
            prepared = self.pgconn.exec_(f"PREPARE {name} ({types}) AS {statement}".encode())
            was_there = prepared.error_field(DiagnosticField.SQLSTATE) == ALREADY_PREPARED
            if prepared.status != ExecStatus.COMMAND_OK and not was_there:
                return None
            self._named[statement] = name
        return name

    def forget_named(self) -> None:
        """Give no such name any more: somebody let the server forget what is prepared."""
        self._named.clear()

    def _deallocate(self, name: bytes | None) -> PQGen[None]:
        """Know that all is forgotten where psycopg lets the server forget it: after a savepoint was taken back, say."""
        if name is None:
            self.forget_named()
        return super()._deallocate(name)

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

    Their plan is kept. Of what has values PostgreSQL in the end makes one plan for all, which for a rare status might
    walk two million rows; a statement of which one plan is good for all values says so (`ONE_PLAN`).
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
