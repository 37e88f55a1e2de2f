"""A school served by a process of its own, and somebody signed in to it, while it is measured from outside."""

import os
import re
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPResponse
from urllib.parse import urlencode

import bcrypt
import psutil
import psycopg

from fsms.config import ROOT

NAME, PASSWORD = "benchmarks", "friendship of the mountains"
PATIENCE_SECONDS = 600
TOKEN = re.compile(r'name="csrf_token"[^>]*value="([^"]+)"')
MAKE_READER = """
    INSERT INTO "User" (username, password, lastname, firstname, role)
    VALUES (%s, %s, 'Bench', 'Mark', 'admin')
    ON CONFLICT (username) DO UPDATE SET password = excluded.password
"""


def make_reader(database: psycopg.Connection) -> None:
    """Let an administrator of the benchmarks sign in."""
    database.execute(MAKE_READER, [NAME, bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(4)).decode()])


class School:
    """A served school, and the person signed in to it."""

    def __init__(self, port: int, server: subprocess.Popen[bytes]) -> None:
        """Sign in when the server answers."""
        self._port, self._server = port, server
        self._cookie = ""
        with self.asked("GET", "/login") as answer:
            token = TOKEN.search(answer.read().decode())
        typed = urlencode({"csrf_token": token and token[1], "username": NAME, "password": PASSWORD})
        with self.asked("POST", "/login", typed) as answer:
            if answer.status != 302:
                raise SystemExit("Nobody can sign in to the school that is measured.")
        with self.asked("GET", "/admin/attendance/") as answer:  # what any page needs is not an export's
            answer.read()

    def connection(self) -> HTTPConnection:
        """Open a connection, to be kept for many requests."""
        return HTTPConnection("127.0.0.1", self._port, timeout=PATIENCE_SECONDS)

    def get(self, connection: HTTPConnection, path: str) -> int:
        """Read a page; answers its status."""
        connection.request("GET", path, headers={"Cookie": self._cookie})
        answer = connection.getresponse()
        answer.read()
        return answer.status

    @contextmanager
    def asked(self, method: str, path: str, typed: str | None = None) -> Iterator[HTTPResponse]:
        """Send one request on a connection of its own, and keep the session it answers."""
        connection = self.connection()
        headers = {"Cookie": self._cookie, "Content-Type": "application/x-www-form-urlencoded"}
        try:
            connection.request(method, path, typed, headers)
            answer = connection.getresponse()
            self._cookie = (answer.getheader("Set-Cookie") or self._cookie).partition(";")[0]
            yield answer
        finally:
            connection.close()

    def processes(self) -> Iterator[psutil.Process]:
        """The processes of the application, without those of the database."""
        server = psutil.Process(self._server.pid)
        yield from (one for one in [server, *server.children(recursive=True)] if one.name() != "postgres")


@contextmanager
def served(url: str, *, workers: int) -> Iterator[School]:
    """Serve the school of a database while it is measured."""
    with psycopg.connect(url, autocommit=True) as database:
        make_reader(database)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    with tempfile.TemporaryDirectory() as place:
        environment = os.environ | {
            "DATABASE_URL": url,
            "SECRET_KEY": "benchmarks",
            "FSMS_PREPARED_STATEMENTS": "on",
            "FSMS_DATA_DIR": place,
            "FSMS_WORKERS": str(workers),
            "FSMS_BCRYPT_COST": "4",
            "PORT": str(port),
        }
        command = [sys.executable, "-m", "fsms.cli", "serve"]
        server = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL)  # noqa: S603 - our own
        try:
            while not _answers(port):
                if server.poll() is not None:
                    raise SystemExit("The server did not start.")
                time.sleep(0.1)
            yield School(port, server)
        finally:
            server.terminate()
            server.wait(PATIENCE_SECONDS)


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
