"""Twenty at one class for a while, over the network: marks at random, clashes either way, answers that get lost.

Eight seconds in the suite; a minute, and the figures, by hand:
FSMS_STORM_SECONDS=60 python -m pytest -q -s -m e2e tests/e2e/test_gradebook_storm.py
"""

import http.client
import json
import os
import sys
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from random import Random
from statistics import quantiles
from typing import Any

import psycopg
import pytest

from tests.e2e.conftest import PASSWORD
from tests.e2e.sheets import MONTH, MakeSheet, Sheet
from tests.served import Served

pytestmark = pytest.mark.e2e

SECONDS = float(os.environ.get("FSMS_STORM_SECONDS", "8"))
TEACHERS, ADMINS = 6, 14
ALSO_ADMIN = """
    INSERT INTO "User" (username, password, lastname, firstname, role)
    SELECT 'storm' || n, password, 'Storm', 'Nr ' || n, role FROM "User", generate_series(1, %s) AS n
    WHERE username = 'admin'
"""


@dataclass(frozen=True)
class Accepted:
    """A cell of which the server said that it is saved."""

    name: str
    before: str
    after: str
    text: str

    @property
    def number(self) -> int:
        return int((self.after or self.before).split(".")[0])


@dataclass
class Person:
    """A session of somebody who saves as the sheet's script does: each cell by a key, and again until answered."""

    served: Served
    sheet: Sheet
    username: str
    chance: Random
    cookies: dict[str, str] = field(default_factory=dict)
    token: str = ""
    seen: dict[str, str] = field(default_factory=dict)
    accepted: list[Accepted] = field(default_factory=list)
    met: Counter[str] = field(default_factory=Counter)
    took: list[float] = field(default_factory=list)

    def work(self, until: float) -> "Person":
        """Sign in, then save at random."""
        self.token = self._ask("GET", "/session")["csrf_token"]
        self.token = self._ask("POST", "/login", {"username": self.username, "password": PASSWORD})["csrf_token"]
        while time.monotonic() < until:
            names = self.chance.sample(self._names(), self.chance.randint(1, 4))
            self._save({name: self._mark() for name in names})
        return self

    def _names(self) -> list[str]:
        rows, columns = range(len(self.sheet.pupils)), range(len(self.sheet.subjects))
        return [self.sheet.name(row, column) for row in rows for column in columns]

    def _mark(self) -> str:
        return self.chance.choice(["", "e", *(f"{self.chance.randint(0, 100) / 10:g}" for _ in range(8))])

    def _save(self, typed: dict[str, str]) -> None:
        sent = [self._cell(name, text) for name, text in typed.items()]
        answer = self._until_answered("/admin/gradebook/cells/", sent)
        for cell in answer["cells"]:
            name, (_text, state, *_) = cell["name"], cell["now"]
            self.met[cell["outcome"]] += 1
            if cell["outcome"] == "saved":
                self.accepted.append(Accepted(name, self.seen.get(name, ""), state, cell["now"][0]))
            mine = cell["outcome"] == "clash" and self.chance.random() < 0.5
            if cell["outcome"] == "clash" and not mine:
                self._until_answered("/admin/gradebook/give-way/", [self._cell(name, typed[name])])
            self.seen[name] = state
            if mine:
                self._save({name: typed[name]})

    def _cell(self, name: str, typed: str) -> dict[str, Any]:
        _, student, subject, period = name.split(".")
        return {
            "student": int(student),
            "subject": int(subject),
            "period": period,
            "typed": typed,
            "comment": "",
            "seen": self.seen.get(name, ""),
            "key": str(uuid.UUID(int=self.chance.getrandbits(128), version=4)),
        }

    def _until_answered(self, path: str, cells: list[dict[str, Any]]) -> dict[str, Any]:
        """Send the same request again while its answer got lost, or the server asks for it."""
        sent = {"course": self.sheet.course, "semester": self.sheet.semester, "cells": cells}
        if path.endswith("/cells/"):
            while self.chance.random() < 0.1:
                self._cut(path, sent)
        began = time.monotonic()
        answer = self._ask("POST", path, sent)
        self.took.append(time.monotonic() - began)
        return answer

    def _cut(self, path: str, sent: dict[str, Any]) -> None:
        """Lose the network, in the middle of the question or before the answer."""
        connection = self._begin("POST", path, body := json.dumps(sent).encode())
        connection.send(body if self.chance.random() < 0.7 else body[: len(body) // 2])
        time.sleep(self.chance.random() * 0.05)
        connection.close()
        self.met["cut"] += 1

    def _ask(self, method: str, path: str, sent: dict[str, Any] | None = None) -> dict[str, Any]:
        connection = self._begin(method, path, body := json.dumps(sent).encode() if sent else b"")
        connection.send(body)
        answer = connection.getresponse()
        said = answer.read()
        for name, value in answer.getheaders():
            if name.lower() == "set-cookie":
                key, _, rest = value.partition("=")
                self.cookies[key] = rest.partition(";")[0]
        connection.close()
        self.met[str(answer.status)] += 1
        if answer.status == 503:
            return self._ask(method, path, sent)
        assert answer.status == 200, said[:500]
        found: dict[str, Any] = json.loads(said)
        return found

    def _begin(self, method: str, path: str, body: bytes) -> http.client.HTTPConnection:
        connection = http.client.HTTPConnection("127.0.0.1", self.served.port, timeout=60)
        connection.putrequest(method, path)
        connection.putheader("Accept", "application/json")
        connection.putheader("Cookie", "; ".join(f"{name}={value}" for name, value in self.cookies.items()))
        connection.putheader("X-CSRFToken", self.token)
        if body:
            connection.putheader("Content-Type", "application/json")
            connection.putheader("Content-Length", str(len(body)))
        connection.endheaders()
        return connection


@pytest.fixture
def people(school: Served, make_sheet: MakeSheet) -> Iterator[list[Person]]:
    """Twenty sessions: the two teachers of the class several times over, and administrators."""
    sheet = make_sheet(pupils=20, subjects=2)
    sheet.database.execute(ALSO_ADMIN, [ADMINS])
    names = [f"teacher{1 + nth % 2}" for nth in range(TEACHERS)] + [f"storm{1 + nth}" for nth in range(ADMINS)]
    yield [Person(school, sheet, name, Random(nth)) for nth, name in enumerate(names)]  # noqa: S311
    sheet.database.execute("""UPDATE "User" SET status = 'inactive' WHERE username LIKE 'storm%%'""")


def test_twenty_who_save_into_one_class_lose_nothing_and_double_nothing(people: list[Person]) -> None:
    sheet = people[0].sheet

    until = time.monotonic() + SECONDS
    with ThreadPoolExecutor(len(people)) as pool:
        done = list(pool.map(lambda person: person.work(until), people))

    met = sum((person.met for person in done), Counter[str]())
    accepted = [one for person in done for one in person.accepted]
    took = sorted(second for person in done for second in person.took)
    _tell(met, len(accepted), took)
    # Every question was answered, and never with a fault.
    assert {status for status in met if status.isdigit()} <= {"200", "503"}
    assert met["refused"] == 0
    assert min(met["clash"], met["cut"], len(accepted)) > 0
    # No state of a cell was built upon twice: nobody overwrote what was not seen.
    built_upon = [(one.name, one.before) for one in accepted if one.before]
    assert len(built_upon) == len(set(built_upon))
    # What stands there is what the last one was told is saved, with the mark that was typed.
    standing = _standing(sheet.database, sheet)
    ends = {(one.name, one.after): one.text for one in accepted if one.after}
    assert standing == {cell: text for cell, text in ends.items() if cell not in set(built_upon)}
    # The unique constraint aside: no cell has two marks.
    assert len({name for name, _ in standing}) == len(standing)
    # The log has every accepted cell once, and nothing else.
    assert _told(sheet.database, sheet) == Counter(one.number for one in accepted)


def _standing(database: psycopg.Connection, sheet: Sheet) -> dict[tuple[str, str], str]:
    found = database.execute(
        'SELECT "studentId", "subjectId", "gradeDate", "gradeId", version, '
        """floor(extract(epoch from "updatedAt") * 1000)::bigint, CASE WHEN excused THEN 'exc' """
        "ELSE trim_scale(grade)::text END "
        'FROM "Grade" WHERE "courseId" = %s AND "gradeDate" = %s',
        [sheet.course, MONTH],
    )
    return {
        (f"m.{student}.{subject}.{period}", f"{number}.{version}.{moment}"): text
        for student, subject, period, number, version, moment, text in found
    }


def _told(database: psycopg.Connection, sheet: Sheet) -> Counter[int]:
    """Count the entries of each mark of the class, of those that are gone as well."""
    found = database.execute(
        """WITH mine AS (SELECT DISTINCT "entityId" FROM "ActivityLog" WHERE entity = 'Grade'
            AND action IN ('create_grade', 'delete_grade') AND details @> %s::jsonb)
        SELECT "entityId", count(*) FROM "ActivityLog" JOIN mine USING ("entityId")
        WHERE entity = 'Grade' AND action IN ('create_grade', 'update_grade', 'delete_grade') GROUP BY 1""",
        [json.dumps({"changes": {"course_id": [sheet.course], "grade_date": [MONTH]}})],
    )
    return Counter(dict(found.fetchall()))


def _tell(met: Counter[str], accepted: int, took: list[float]) -> None:
    cuts = quantiles(took, n=100)
    sys.stdout.write(
        f"\n{SECONDS:g} s, {len(took)} requests, {accepted} cells accepted, {dict(met)}; "
        f"median {cuts[49] * 1000:.0f} ms, 95 % {cuts[94] * 1000:.0f} ms, longest {took[-1] * 1000:.0f} ms\n"
    )
