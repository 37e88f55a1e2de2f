"""What taking a list away costs: time, the first byte and memory on a served school, beside psycopg's bare COPY.

    python -m benchmarks.exports --data-dir DIR      a school made by `fsms demo`, of 5,000 pupils and 10 years say

Memory is the operating system's word (VmHWM in /proc, set back before each export): Linux only.
"""

import argparse
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from statistics import median
from typing import Any
from urllib.parse import urlencode

import psutil
import psycopg

from fsms.config import ROOT

PATIENCE_SECONDS = 600
PIECE = 1 << 16
MIB = 1 << 20
WORKBOOK_ROWS = 200_000
# The columns of the list with the names of pupils and classes, as anybody would write it.
BARE = """
    COPY (
        SELECT a."attendanceDate", a.session, concat_ws(' ', s."lastName", s."firstName") || ' · ' || s."studentId",
            c.grade || c.section || ' · ' || y."schoolYearCode", a.status, a.reason, a."recordedBy"
        FROM "Attendance" a
        LEFT JOIN "Student" s USING ("studentId")
        LEFT JOIN "Course" c USING ("courseId")
        LEFT JOIN "SchoolYear" y ON y."schoolYearId" = c."schoolYearId"
        WHERE a."attendanceDate" >= '{since}'
        ORDER BY a."attendanceId" DESC
    ) TO STDOUT (FORMAT csv)
"""


@dataclass(frozen=True)
class Taken:
    """One file: how long until its first byte and its last, how large, and what the server needed for it."""

    first: float
    whole: float
    size: int
    memory: float


class School:
    """A served school with one worker, and a person signed in to it."""

    def __init__(self, data_dir: Path, port: int, server: subprocess.Popen[bytes]) -> None:
        """Sign in when the server answers."""
        self.url_file = data_dir / "postgres" / "url"
        self.port, self._server = port, server
        self._cookie = ""
        self._sign_in(os.environ.get("FSMS_DEMO_PASSWORD") or (data_dir / "demo-password").read_text())

    def take(self, path: str) -> Taken:
        """Take a list away, and throw it away as it comes."""
        self._forget_peaks()
        idle = self._memory("VmRSS")
        began = time.perf_counter()
        with self._asked("GET", path) as answer:
            if answer.status != 200:
                raise SystemExit(f"{path} was answered with {answer.status}.")
            size = len(answer.read(1))
            first = time.perf_counter() - began
            while piece := answer.read(PIECE):
                size += len(piece)
        return Taken(first, time.perf_counter() - began, size, (self._memory("VmHWM") - idle) / MIB)

    def _sign_in(self, password: str) -> None:
        with self._asked("GET", "/login") as answer:
            token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', answer.read().decode())
        typed = urlencode({"csrf_token": token and token[1], "username": "admin", "password": password})
        with self._asked("POST", "/login", typed) as answer:
            if answer.status != 302:
                raise SystemExit("The demo's administrator cannot sign in: set FSMS_DEMO_PASSWORD.")
        with self._asked("GET", "/admin/attendance/") as answer:  # what any page needs is not an export's
            answer.read()

    @contextmanager
    def _asked(self, method: str, path: str, typed: str | None = None) -> Iterator[Any]:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_SECONDS)
        headers = {"Cookie": self._cookie, "Content-Type": "application/x-www-form-urlencoded"}
        try:
            connection.request(method, path, typed, headers)
            answer = connection.getresponse()
            self._cookie = (answer.getheader("Set-Cookie") or self._cookie).partition(";")[0]
            yield answer
        finally:
            connection.close()

    def _processes(self) -> Iterator[psutil.Process]:
        server = psutil.Process(self._server.pid)
        yield from (one for one in [server, *server.children(recursive=True)] if one.name() != "postgres")

    def _forget_peaks(self) -> None:
        for one in self._processes():
            Path(f"/proc/{one.pid}/clear_refs").write_text("5")

    def _memory(self, what: str) -> int:
        found = (
            re.search(rf"{what}:\s+(\d+) kB", Path(f"/proc/{one.pid}/status").read_text()) for one in self._processes()
        )
        return sum(int(kilobytes[1]) * 1024 for kilobytes in found if kilobytes)


@contextmanager
def served(data_dir: Path) -> Iterator[School]:
    """Serve the school of a folder while it is measured."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    environment = os.environ | {"FSMS_DATA_DIR": str(data_dir), "PORT": str(port), "FSMS_WORKERS": "1"}
    command = [sys.executable, "-m", "fsms.cli", "serve"]
    server = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL)  # noqa: S603 - our own
    try:
        while socket.socket().connect_ex(("127.0.0.1", port)):
            if server.poll() is not None:
                raise SystemExit("The server did not start.")
            time.sleep(0.1)
        yield School(data_dir, port, server)
    finally:
        server.terminate()
        server.wait(PATIENCE_SECONDS)


def report(data_dir: Path, runs: int) -> Iterator[str]:
    """Yield the lines of a Markdown table: medians, the worst memory, and the ratio to the bare COPY."""
    with served(data_dir) as school, psycopg.connect(school.url_file.read_text(), autocommit=True) as bare:
        always, since = _days(bare)
        some = f"?flt0_attendance_date-from={since}"
        yield "| attendance as | rows | MB | first byte, s | whole, s | rows a second | to COPY | memory, MiB |"
        yield "|---|---|---|---|---|---|---|---|"
        for form, asked, day in (
            ("csv", "", always),
            ("jsonl", "", always),
            ("csv", some, since),
            ("xlsx", some, since),
        ):
            taken, copied, rows = [], [], 0
            for _ in range(runs):
                taken.append(school.take(f"/admin/attendance/export/{form}/{asked}"))
                seconds, rows = _timed(lambda day=day: _copy(bare, day))  # type: ignore[misc]
                copied.append(seconds)
            whole = median(one.whole for one in taken)
            yield (
                f"| {form} | {rows:,} | {taken[0].size / 1e6:.1f} | {median(one.first for one in taken):.2f} "
                f"| {whole:.1f} | {rows / whole:,.0f} | {whole / median(copied):.2f} "
                f"| {max(one.memory for one in taken):.1f} |"
            )


def _days(bare: psycopg.Connection[Any]) -> tuple[str, str]:
    """Find the first day of all, and the one since which there are as many rows as the workbook shall have."""
    newest = 'SELECT "attendanceDate" FROM "Attendance" ORDER BY 1 DESC OFFSET %s LIMIT 1'
    since = bare.execute(newest, [WORKBOOK_ROWS]).fetchone()
    first = bare.execute('SELECT min("attendanceDate") FROM "Attendance"').fetchone()
    return str(first and first[0]), str((since or first or [None])[0])


def _copy(bare: psycopg.Connection[Any], since: str) -> int:
    rows = 0
    with bare.cursor() as cursor, cursor.copy(BARE.format(since=since)) as copy:
        for _line in copy:
            rows += 1
    return rows


def _timed(call: Callable[[], int]) -> tuple[float, int]:
    began = time.perf_counter()
    rows = call()
    return time.perf_counter() - began, rows


def main() -> None:
    """Measure, and print a table for docs/performance.md."""
    asked = argparse.ArgumentParser(prog="python -m benchmarks.exports")
    asked.add_argument("--data-dir", type=Path, required=True)
    asked.add_argument("--runs", type=int, default=3)
    given = asked.parse_args()
    for line in report(given.data_dir.resolve(), given.runs):
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
