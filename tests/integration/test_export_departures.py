"""Somebody begins to take away a large list and leaves: the database is free again."""

import json
import re
import socket
import time
import uuid
from collections.abc import Iterator
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlencode

import psycopg
import pytest

from tests.served import Served

pytestmark = pytest.mark.slow  # a demo school is made first

PASSWORD = "friendship of the mountains"
PATIENCE_SECONDS = 60
# An export names its connection by its key as long as its transaction lasts.
# Processes that PostgreSQL lets help with it carry the name too.
BUSY = "select count(*) from pg_stat_activity where datname = current_database() and application_name like %s"
UNFINISHED = """
    select count(*) from pg_stat_activity
    where datname = current_database() and pid <> pg_backend_pid() and backend_type = 'client backend'
    and state <> 'idle'
"""

BROKEN_OFF = """
    select count(*) from "ActivityLog"
    where batch = %s and action = 'exported_attendance' and not (details -> 'whole')::boolean
"""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The demo school: a quarter of a million attendance rows, far more than the sockets between hold."""
    served = Served(tmp_path_factory.mktemp("departures"), FSMS_DEMO_PASSWORD=PASSWORD)
    try:
        served.wait_until_it_answers()
        yield served
    finally:
        served.stop()


@pytest.fixture
def database(served: Served) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect((served.data_dir / "postgres" / "url").read_text(), autocommit=True) as connection:
        yield connection


@pytest.mark.parametrize("form", ["csv", "jsonl", "xlsx"])
def test_whoever_leaves_leaves_no_connection_busy(served: Served, database: psycopg.Connection[Any], form: str) -> None:
    key = uuid.uuid4()
    visitor = _asking(served, f"/admin/attendance/export/{form}/?key={key}")
    named = f"fsms export {key.hex}%"
    _wait_until("the export has begun", lambda: _one(database, BUSY, named) > 0)

    visitor.close()

    _wait_until("its connection is free", lambda: _one(database, BUSY, named) == 0)
    _wait_until("nothing is left open", lambda: _one(database, UNFINISHED) == 0)
    _wait_until("the log tells of it", lambda: _one(database, BROKEN_OFF, key) == 1)


def test_a_waiting_page_hears_how_many_rows_have_gone(served: Served) -> None:
    key, cookie = uuid.uuid4(), _signed_in(served)

    with _asking(served, f"/admin/attendance/export/csv/?key={key}"):
        _wait_until("some rows have gone", lambda: _told(served, key, cookie).get("rows", 0) > 0)
        assert _told(served, key, cookie)["ended"] is False


def _told(served: Served, key: uuid.UUID, cookie: str) -> dict[str, Any]:
    connection = HTTPConnection("127.0.0.1", served.port, timeout=PATIENCE_SECONDS)
    connection.request("GET", f"/admin/exports/{key}", headers={"Cookie": cookie})
    answer = connection.getresponse()
    told: dict[str, Any] = json.loads(answer.read()) if answer.status == 200 else {}
    connection.close()
    return told


def test_the_next_one_gets_the_whole_list(served: Served) -> None:
    for _ in range(12):  # more than the connections that one process keeps
        _asking(served, "/admin/attendance/export/csv/").close()

    with _asking(served, "/admin/subject/export/csv/") as visitor:
        answer = b"".join(iter(lambda: visitor.recv(65536), b""))

    assert answer.startswith(b"HTTP/1.1 200")
    assert answer.rstrip(b"\r\n0").count(b"\r\n") > 10


def _asking(served: Served, path: str) -> socket.socket:
    """Ask for something as a person signed in, and do not read it."""
    visitor = socket.create_connection(("127.0.0.1", served.port), timeout=PATIENCE_SECONDS)
    visitor.sendall(
        f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nCookie: {_signed_in(served)}\r\n\r\n".encode()
    )
    return visitor


def _signed_in(served: Served) -> str:
    """Go through the front door and bring the cookie."""
    connection = HTTPConnection("127.0.0.1", served.port, timeout=PATIENCE_SECONDS)
    connection.request("GET", "/login")
    answer = connection.getresponse()
    token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', answer.read().decode())
    assert token
    sent = urlencode({"csrf_token": token[1], "username": "admin", "password": PASSWORD})
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Cookie": _cookie(answer.getheader("Set-Cookie"))}
    connection.request("POST", "/login", sent, headers)
    answer = connection.getresponse()
    assert answer.status == 302, answer.read().decode()
    connection.close()
    return _cookie(answer.getheader("Set-Cookie"))


def _cookie(header: str | None) -> str:
    return (header or "").partition(";")[0]


def _one(database: psycopg.Connection[Any], question: str, *values: object) -> Any:
    row = database.execute(question, values).fetchone()
    return row and row[0]


def _wait_until(what: str, is_so: Any) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not is_so():
        assert time.monotonic() < deadline, f"Still waiting until {what}."
        time.sleep(0.05)
