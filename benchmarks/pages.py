"""What pages cost: each against the statements that it asks, sent again through psycopg in the same run.

The ratio says what Python, templates and all that stands around a query add to it; the number of statements is the same
for any number of rows. Beside the time stands the work of this process, which other programs do not lengthen.
"""

import re
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from html import unescape
from pathlib import Path
from statistics import median
from typing import Any

import psycopg
from flask.testing import FlaskClient
from sqlalchemy import Engine, event

from app import create_app
from benchmarks.served import NAME, PASSWORD, TOKEN, make_reader
from fsms.config import Settings
from fsms.database import db
from fsms.serving import spare_the_collector

WARM_UP = 3
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

ATTENDANCE = "/admin/attendance/"
WAYS = re.compile(r'href="(/admin/attendance/\?(?:sort|flt0_\w+)=[^"]*)"')
"""In the page of a list: what leads to another order of it, and to a chip's rows."""

Asked = list[tuple[str, Any]]


def report(url: str, runs: int) -> Iterator[str]:
    """Yield the lines of a Markdown table: medians in milliseconds, statements, and the ratio within this run."""
    with opened(url) as (browser, database):
        some = {"student": _one(database, SOMEBODY), "course": _one(database, SOME_CLASS)}
        yield f"{_one(database, HOW_MANY):,} rows of attendance; {runs} runs."
        yield ""
        yield "| page | ms | of which work | statements | the same SQL, ms | ratio |"
        yield "|---|---|---|---|---|---|"
        for name, path in PAGES.items():
            yield _measured(browser, database, name, f"/admin/{path.format(**some)}", runs)
        for path in ways(browser):
            yield _measured(browser, database, f"attendance, {path.partition('?')[2]}", path, runs)


def ways(browser: FlaskClient) -> list[str]:
    """Find every order and every chip that the list of attendance offers, each order from both ends."""
    offered = [unescape(path) for path in dict.fromkeys(WAYS.findall(browser.get(ATTENDANCE).text))]
    return [way for path in offered for way in ([path, f"{path}&desc=1"] if "?sort=" in path else [path])]


@contextmanager
def opened(url: str) -> Iterator[tuple[FlaskClient, psycopg.Connection]]:
    """Open the panel in this process, with somebody signed in, and the database beside it."""
    with psycopg.connect(url, autocommit=True) as database, tempfile.TemporaryDirectory() as place:
        make_reader(database)
        given: dict[str, Any] = {"secret_key": "benchmarks", "bcrypt_cost": 4}
        # Without a pooler before the server statements are prepared, as on the embedded one.
        app = create_app(Settings(database_url=url, data_dir=Path(place), prepared_statements=True, **given))
        browser = _signed_in(app.test_client())
        spare_the_collector()  # as every server does
        yield browser, database
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
    statements = asked(browser, path)
    page, sql, work = [], [], 0.0
    for run in range(WARM_UP + runs):
        began, worked = time.perf_counter(), time.process_time()
        assert browser.get(path).status_code == 200, path
        took, worked = time.perf_counter() - began, time.process_time() - worked
        began = time.perf_counter()
        with database.transaction(force_rollback=True):
            for statement, given in statements:
                database.execute(statement, given).fetchall()
        if run >= WARM_UP:
            page.append(took * 1000)
            sql.append((time.perf_counter() - began) * 1000)
            work += worked * 1000 / runs
    return (
        f"| {name} | {median(page):.1f} | {work:.1f} | {len(statements)} | {median(sql):.1f} "
        f"| {median(page) / median(sql):.2f} |"
    )


def asked(browser: FlaskClient, path: str) -> Asked:
    """Collect the statements of a page that was open before."""
    browser.get(path)
    found: Asked = []

    def note(_connection: Any, _cursor: Any, statement: str, given: Any, *_: Any) -> None:
        found.append((statement, given))

    event.listen(Engine, "before_cursor_execute", note)
    try:
        assert browser.get(path).status_code == 200, path
    finally:
        event.remove(Engine, "before_cursor_execute", note)
    return found
