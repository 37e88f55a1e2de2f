"""What taking a list away costs: time, the first byte and memory on a served school, beside psycopg's bare COPY.

Memory is the operating system's word (VmHWM in /proc, set back before each export): Linux only.
"""

import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import psycopg

from benchmarks.served import School, served

PIECE = 1 << 16
MIB = 1 << 20
WORKBOOK_ROWS = 200_000
MOST_RUNS = 3  # a workbook takes half a minute
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


def _take(school: School, path: str) -> Taken:
    """Take a list away, and throw it away as it comes."""
    for one in school.processes():
        Path(f"/proc/{one.pid}/clear_refs").write_text("5")
    idle = _memory(school, "VmRSS")
    began = time.perf_counter()
    with school.asked("GET", path) as answer:
        if answer.status != 200:
            raise SystemExit(f"{path} was answered with {answer.status}.")
        size = len(answer.read(1))
        first = time.perf_counter() - began
        while piece := answer.read(PIECE):
            size += len(piece)
    return Taken(first, time.perf_counter() - began, size, (_memory(school, "VmHWM") - idle) / MIB)


def _memory(school: School, what: str) -> int:
    found = (
        re.search(rf"{what}:\s+(\d+) kB", Path(f"/proc/{one.pid}/status").read_text()) for one in school.processes()
    )
    return sum(int(kilobytes[1]) * 1024 for kilobytes in found if kilobytes)


def report(url: str, runs: int) -> Iterator[str]:
    """Yield the lines of a Markdown table: medians, the worst memory, and the ratio to the bare COPY."""
    with served(url, workers=1) as school, psycopg.connect(url, autocommit=True) as bare:
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
            for _ in range(min(runs, MOST_RUNS)):
                taken.append(_take(school, f"/admin/attendance/export/{form}/{asked}"))
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
