"""What taking a class costs: forty pupils saved as one deed, against the same rows through a psycopg pipeline."""

import datetime as dt
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from statistics import median
from typing import Any

import psycopg
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.orm import sessionmaker

from benchmarks.spent import Spent
from fsms import activity, clock, policy
from fsms.operations import attendance
from fsms.operations.attendance import AM, Mark, Seen
from fsms.policy import Actor
from fsms.reports import absences, registers
from fsms.reports import attendance as counted
from fsms.vocabulary import AttendanceStatus

CLASS = 40
WARM_UP = 3

MAKE_FORTY = """
    INSERT INTO "Enrollment" ("studentId", "courseId")
    SELECT "studentId", :course FROM "Student" AS pupil
    WHERE NOT EXISTS (SELECT FROM "Enrollment" WHERE "studentId" = pupil."studentId" AND "courseId" = :course)
    ORDER BY 1
    LIMIT :class - (SELECT count(*) FROM "Enrollment" WHERE "courseId" = :course AND NOT "drop")
"""
INSERT = """
    INSERT INTO "Attendance"
        ("studentId", "courseId", "semesterId", "schoolYearId", "attendanceDate", session, status, "recordedBy")
    VALUES (%s, %s, %s, %s, %s, 'AM', 'Present', %s)
"""
TELL = """
    INSERT INTO "ActivityLog" ("userId", action, entity, "entityId", details, batch)
    VALUES (%s, 'create_attendance', 'Attendance', 1, %s, gen_random_uuid())
"""

Sessions = sessionmaker()
policy.install(Sessions)
activity.install(Sessions)


@dataclass(frozen=True)
class Class:
    """A class of forty of this year, with its teacher."""

    course: int
    teacher: int
    year: int
    pupils: tuple[int, ...]


def report(url: str, runs: int) -> Iterator[str]:
    """Yield the lines of Markdown tables: medians in milliseconds, and the ratio within this run."""
    engine = create_engine(url)
    found = _class(engine)
    yield "| 40 pupils taken as | saved, ms | pipeline, ms | ratio | work saved, ms | work pipeline, ms | ratio |"
    yield "|---|---|---|---|---|---|---|"
    for role in ("admin", "teacher"):
        ours, limit = _saving(engine, url, found, role, runs)
        times, works = (
            (median(ours.times), median(limit.times)),
            (sum(ours.works) / runs, sum(limit.works) / runs),
        )
        cells = (f"{one:.1f} | {other:.1f} | {one / other:.2f}" for one, other in (times, works))
        yield f"| {role} | {' | '.join(cells)} |"
    yield ""
    yield "| asked of the whole school | ms |"
    yield "|---|---|"
    for name, milliseconds in _asking(engine, found, runs):
        yield f"| {name} | {milliseconds:.1f} |"
    engine.dispose()


def _class(engine: Engine) -> Class:
    with engine.begin() as connection:
        connection.execute(text("SET LOCAL fsms.logged = 'on'"))
        course, teacher, year = connection.execute(
            text(
                'SELECT "courseId", "teacherId1", "schoolYearId" FROM "Course" WHERE "teacherId1" IS NOT NULL '
                'ORDER BY "courseId" DESC LIMIT 1'
            )
        ).one()
        connection.execute(text(MAKE_FORTY), {"course": course, "class": CLASS})
        places = (
            'SELECT "studentId" FROM "Enrollment" WHERE "courseId" = :course AND NOT "drop" ORDER BY 1 LIMIT :class'
        )
        pupils = connection.scalars(text(places), {"course": course, "class": CLASS}).all()
    return Class(course, teacher, year, tuple(pupils))


def _saving(engine: Engine, url: str, found: Class, role: str, runs: int) -> tuple[Spent, Spent]:
    """Take turns, and count beside the time the work of database and application, which other programs do not touch."""
    day = clock.today()
    marks = {pupil: {AM: Mark(Seen(AttendanceStatus.PRESENT), None)} for pupil in found.pupils}

    def save() -> None:
        with Sessions(bind=engine) as session:
            policy.speak_for(session, Actor(found.teacher, role))
            attendance.save(session, found.course, day, marks)
            session.commit()

    with psycopg.connect(url.replace("postgresql+psycopg://", "postgresql://")) as bare, engine.connect() as pooled:
        driver = pooled.connection.driver_connection
        assert driver is not None
        ours, limit = Spent(driver.info.backend_pid), Spent(bare.info.backend_pid)
        pooled.close()  # The pool has one connection at work, and gives it out again.
        for run in range(WARM_UP + runs):
            for spent, act in ((ours, save), (limit, lambda: _pipeline(bare, found, day))):
                _clear(engine, found, day)
                spent.on(act, counts=run >= WARM_UP)
    _clear(engine, found, day)
    return ours, limit


def _pipeline(bare: psycopg.Connection[Any], found: Class, day: dt.date) -> None:
    told = json.dumps({"changes": {"status": [None, "Present"], "session": [None, "AM"]}, "label": "Present"})
    with bare.pipeline(), bare.cursor() as cursor:
        cursor.execute("SELECT set_config('fsms.logged', 'on', true)")
        rows = [(pupil, found.course, None, found.year, day, "Kim Dara") for pupil in found.pupils]
        cursor.executemany(INSERT, rows)
        cursor.executemany(TELL, [(found.teacher, told)] * (len(rows) + 1))
        bare.commit()


def _clear(engine: Engine, found: Class, day: dt.date) -> None:
    with engine.begin() as connection:
        connection.execute(text("SET LOCAL fsms.logged = 'on'"))
        gone = 'DELETE FROM "Attendance" WHERE "courseId" = :course AND "attendanceDate" = :day'
        connection.execute(text(gone), {"course": found.course, "day": day})


def _asking(engine: Engine, found: Class, runs: int) -> Iterator[tuple[str, float]]:
    day = clock.today()
    monday = day - dt.timedelta(days=day.weekday())
    questions = (
        ("roster of a class", lambda session: attendance.roster(session, found.course, day)),
        ("its week", lambda session: registers.register(session, found.course, monday, monday + dt.timedelta(days=6))),
        ("its month", lambda session: registers.register(session, found.course, day.replace(day=1), day)),
        ("classes of today", counted.classes_today),
        ("absent today", absences.absent_on),
        ("absent in a row", absences.in_a_row),
        ("absent too often", absences.too_often),
        ("near the limit", absences.near_limit),
        ("a pupil's summary", lambda session: counted.summary(session, found.pupils[0])),
    )
    for name, question in questions:
        times = []
        for _run in range(runs):
            with Sessions(bind=engine) as session:
                policy.speak_for(session, policy.SYSTEM)
                began = time.perf_counter()
                question(session)
                times.append(time.perf_counter() - began)
        yield name, median(times) * 1000
