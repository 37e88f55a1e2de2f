"""Connections kept from one request to the next: looked at before they are used again. Knows no table, no request."""

import select
import time
from typing import Any

from psycopg import Connection
from psycopg.pq import ExecStatus
from sqlalchemy import event
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.pool import ConnectionPoolEntry, QueuePool

RESTED_SECONDS = 30
"""After so long a firewall or a restart far away may have ended a connection without a word."""

_RESTS_SINCE = "fsms.rests_since"


class LookedAtPool(QueuePool):
    """Replaces connections that have ended, without asking the server each time, which a page would wait for twice.

    A server that ends says so, and then there is something to read. Only after a rest it is asked whether it is there.
    """


@event.listens_for(LookedAtPool, "checkin")
def _note_the_rest(_driver: Any, entry: ConnectionPoolEntry) -> None:
    entry.info[_RESTS_SINCE] = time.monotonic()


@event.listens_for(LookedAtPool, "checkout")
def _look(driver: Connection, entry: ConnectionPoolEntry, _taken: Any) -> None:
    since = entry.info.get(_RESTS_SINCE)
    if since is None:
        return  # It was just made.
    if _has_word(driver) or (time.monotonic() - since > RESTED_SECONDS and not _answers(driver)):
        raise DisconnectionError("The connection has ended.")


def _has_word(driver: Connection) -> bool:
    """Say whether something came unasked: a server that waits for us has nothing to say but that it ends."""
    looking = select.poll()
    looking.register(driver.pgconn.socket, select.POLLIN)
    return bool(looking.poll(0))


def _answers(driver: Connection) -> bool:
    return driver.pgconn.exec_(b"SELECT 1").status == ExecStatus.TUPLES_OK
