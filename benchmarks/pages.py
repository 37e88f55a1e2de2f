"""What pages cost: each against the statements that it asks, sent again through psycopg in the same run.

The ratio says what Python, templates and all that stands around a query add to it; the number of statements is the same
for any number of rows. Beside the time stands the work of this process, which other programs do not lengthen.
"""

import re
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any

import bcrypt
import psycopg
from flask.testing import FlaskClient
from sqlalchemy import Engine, event

from app import create_app
from fsms.config import Settings
from fsms.database import db
from fsms.serving import spare_the_collector

WARM_UP = 3
NAME, PASSWORD = "benchmarks", "friendship of the mountains"
TOKEN = re.compile(r'name="csrf_token"[^>]*value="([^"]+)"')
MAKE_READER = """
    INSERT INTO "User" (username, password, lastname, firstname, role)
    VALUES (%s, %s, 'Bench', 'Mark', 'admin')
    ON CONFLICT (username) DO UPDATE SET password = excluded.password
"""
# A pupil and a class in the middle of the school.
SOMEBODY = 'SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY "studentId") FROM "Student"'
SOME_CLASS = 'SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY "courseId") FROM "Course"'
HOW_MANY = 'SELECT count(*) FROM "Attendance"'
PAGES = {
    "attendance, first page": "attendance/",
    "attendance, last page": "attendance/?page=-1",
    "attendance by date, newest first": "attendance/?sort=attendance_date&desc=1",
    "attendance by status": "attendance/?sort=status",
    "attendance of a class": "attendance/?flt0_class={course}",
    "attendance, who was late": "attendance/?flt0_seen=late",
    "attendance, this year": "attendance/?flt0_year=1",
    "marks, first page": "grade/",
    "marks by pupil": "grade/?sort=student",
    "pupils": "student/",
    "pupils called Sok": "student/?search=Sok",
    "a pupil": "student/details/?id={student}",
    "a pupil's form": "student/edit/?id={student}",
    "form of a new mark": "grade/new/",
    "activity log": "activitylog/",
}

Asked = list[tuple[str, Any]]


def report(url: str, runs: int) -> Iterator[str]:
    """Yield the lines of a Markdown table: medians in milliseconds, statements, and the ratio within this run."""
    with psycopg.connect(url, autocommit=True) as database, tempfile.TemporaryDirectory() as place:
        hashed = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(4)).decode()
        database.execute(MAKE_READER, [NAME, hashed])
        some = {"student": _one(database, SOMEBODY), "course": _one(database, SOME_CLASS)}
        app = create_app(
            Settings(database_url=url, secret_key="benchmarks", data_dir=Path(place), bcrypt_cost=4)  # noqa: S106
        )
        browser = _signed_in(app.test_client())
        spare_the_collector()  # as every worker does
        yield f"{_one(database, HOW_MANY):,} rows of attendance; {runs} runs."
        yield ""
        yield "| page | ms | of which work | statements | the same SQL, ms | ratio |"
        yield "|---|---|---|---|---|---|"
        for name, path in PAGES.items():
            yield _measured(browser, database, name, f"/admin/{path.format(**some)}", runs)
        with app.app_context():
            db.engine.dispose()


def _one(database: psycopg.Connection, statement: str) -> int:
    found = database.execute(statement).fetchone()
    assert found
    return int(found[0] or 0)


def _signed_in(browser: FlaskClient) -> FlaskClient:
    token = TOKEN.search(browser.get("/login").text)
    assert token
    sent = {"username": NAME, "password": PASSWORD, "csrf_token": token[1]}
    assert browser.post("/login", data=sent).status_code == 302
    return browser


def _measured(browser: FlaskClient, database: psycopg.Connection, name: str, path: str, runs: int) -> str:
    asked = _asked(browser, path)
    page, sql, work = [], [], 0.0
    for run in range(WARM_UP + runs):
        began, worked = time.perf_counter(), time.process_time()
        assert browser.get(path).status_code == 200, path
        took, worked = time.perf_counter() - began, time.process_time() - worked
        began = time.perf_counter()
        with database.transaction(force_rollback=True):
            for statement, given in asked:
                database.execute(statement, given).fetchall()
        if run >= WARM_UP:
            page.append(took * 1000)
            sql.append((time.perf_counter() - began) * 1000)
            work += worked * 1000 / runs
    return (
        f"| {name} | {median(page):.1f} | {work:.1f} | {len(asked)} | {median(sql):.1f} "
        f"| {median(page) / median(sql):.2f} |"
    )


def _asked(browser: FlaskClient, path: str) -> Asked:
    """Collect the statements of a page that was open before."""
    browser.get(path)
    asked: Asked = []

    def note(_connection: Any, _cursor: Any, statement: str, given: Any, *_: Any) -> None:
        asked.append((statement, given))

    event.listen(Engine, "before_cursor_execute", note)
    try:
        assert browser.get(path).status_code == 200, path
    finally:
        event.remove(Engine, "before_cursor_execute", note)
    return asked
