"""Forty marks saved as the gradebook saves them, against psycopg sending the same rows through a pipeline."""

import json
import uuid
from collections.abc import Callable, Iterator
from decimal import Decimal
from statistics import median
from typing import Any

import psycopg
from sqlalchemy import Engine, create_engine, func, select
from sqlalchemy.orm import Session, sessionmaker

from benchmarks.spent import Spent
from fsms import activity, policy
from fsms.grading import PLAIN
from fsms.models import Course, Enrollment, Grade, Semester, User
from fsms.operations import gradebook
from fsms.operations.gradebook import Entry, Place
from fsms.policy import SYSTEM, Actor

CELLS = 40
WARM_UP = 3

Sessions = sessionmaker()
policy.install(Sessions)
activity.install(Sessions)


def report(url: str, runs: int) -> Iterator[str]:
    """Yield the lines of a Markdown table: medians in milliseconds, the mean work, and the ratios of the two."""
    engine = create_engine(url)
    yield "| 40 marks changed, as | gradebook, ms | pipeline, ms | ratio | work, ms | of the pipeline, ms | ratio |"
    yield "|---|---|---|---|---|---|---|"
    for role in ("admin", "teacher"):
        ours, theirs = _in_turn(engine, url, role, runs)
        pairs = ((median(ours.times), median(theirs.times)), (sum(ours.works) / runs, sum(theirs.works) / runs))
        yield f"| {role} | {' | '.join(f'{one:.1f} | {other:.1f} | {one / other:.2f}' for one, other in pairs)} |"
    engine.dispose()


def _in_turn(engine: Engine, url: str, role: str, runs: int) -> tuple[Spent, Spent]:
    actor, course, semester, places = _forty_cells(engine, role)
    with psycopg.connect(_plain(url)) as pipeline, engine.connect() as pooled:
        driver = pooled.connection.driver_connection
        assert driver is not None
        ours, theirs = Spent(driver.info.backend_pid), Spent(pipeline.info.backend_pid)
        pooled.close()  # The pool has one connection at work, and gives it out again.
        for run in range(WARM_UP + runs):
            # No mark ends like this, so that each is a change.
            for spent, end in ((ours, "13"), (theirs, "37")):
                seen = _seen(engine, course, semester)
                marks = [(f"{(run + nth) % 10}.{end}", seen[place]) for nth, place in enumerate(places)]
                with Sessions(bind=engine) as session:
                    policy.speak_for(session, actor)
                    act = (
                        _saving(session, course, semester, places, marks)
                        if spent is ours
                        else _sending(pipeline, actor, places, marks)
                    )
                    spent.on(act, counts=run >= WARM_UP)
    return ours, theirs


def _forty_cells(engine: Engine, role: str) -> tuple[Actor, int, int, list[Place]]:
    """Find forty marks of a teacher's class in one semester, all of pupils who are still there."""
    with Session(engine) as session:
        policy.speak_for(session, SYSTEM)
        there = (Enrollment.course_id == Grade.course_id) & (Enrollment.student_id == Grade.student_id)
        marks = select(Grade).join(Enrollment, there).where(~Enrollment.drop)
        busy = (
            select(Grade.course_id, Grade.semester_id, Course.teacher_id1)
            .join(Course, Course.course_id == Grade.course_id)
            .join(User, User.user_id == Course.teacher_id1)
            .where(User.role == "teacher")
            .group_by(Grade.course_id, Grade.semester_id, Course.teacher_id1)
            .having(func.count() > 10 * CELLS)
            .order_by(Grade.course_id.desc(), Grade.semester_id)
            .limit(1)
        )
        course, semester, teacher = session.execute(busy).one()
        found = session.scalars(
            marks.where(Grade.course_id == course, Grade.semester_id == semester).order_by(Grade.grade_id).limit(CELLS)
        )
        return (
            Actor(teacher, role),
            course,
            semester,
            [Place(row.student_id, row.subject_id, row.grade_date) for row in found],
        )


Seen = dict[Place, tuple[int, str, str]]


def _seen(engine: Engine, course: int, semester: int) -> Seen:
    """Read what a page would have shown: number, mark and state of each."""
    with Session(engine) as session:
        policy.speak_for(session, SYSTEM)
        rows = session.scalars(select(Grade).where(Grade.course_id == course, Grade.semester_id == semester))
        return {
            Place(row.student_id, row.subject_id, row.grade_date): (
                row.grade_id,
                str(row.grade),
                gradebook.kept(row).state,
            )
            for row in rows
        }


def _saving(session: Session, course: int, semester: int, places: list[Place], marks: list[Any]) -> Callable[[], None]:
    entries = [
        Entry(place, typed, seen=state, key=uuid.uuid4())
        for place, (typed, (_, _, state)) in zip(places, marks, strict=True)
    ]

    def save() -> None:
        its_course, its_semester = session.get_one(Course, course), session.get_one(Semester, semester)
        saved = gradebook.save(session, its_course, its_semester, entries, PLAIN)
        session.commit()
        assert {outcome.state.value for outcome in saved.outcomes} == {"saved"}

    return save


def _sending(
    connection: psycopg.Connection[Any], actor: Actor, places: list[Place], marks: list[Any]
) -> Callable[[], None]:
    """Prepare the bare minimum: who acts, the forty rows, and what the log would say of each."""
    batch = uuid.uuid4()
    rows = [(Decimal(typed), actor.user_id, number) for typed, (number, _, _) in marks]
    told = [
        (
            actor.user_id,
            number,
            batch,
            json.dumps({"changes": {"grade": [was, typed]}, "label": f"{typed} · {place.period}"}),
        )
        for place, (typed, (number, was, _)) in zip(places, marks, strict=True)
    ]
    role = "fsms_teacher" if actor.role == "teacher" else "none"

    def send() -> None:
        with connection.pipeline(), connection.cursor() as cursor:
            cursor.execute(
                "select set_config('role', %s, true), set_config('fsms.user_id', %s, true), "
                "set_config('fsms.logged', 'on', true)",
                [role, str(actor.user_id)],
            )
            cursor.executemany(_UPDATE, rows)
            cursor.executemany(_TELL, told)
            connection.commit()

    return send


_UPDATE = (
    'update "Grade" set grade = %s, "userId" = %s, "lastEdit" = now(), "updatedAt" = now(), version = version + 1 '
    'where "gradeId" = %s'
)
_TELL = (
    'insert into "ActivityLog" ("userId", action, entity, "entityId", batch, details) '
    "values (%s, 'update_grade', 'Grade', %s, %s, %s)"
)


def _plain(url: str) -> str:
    return url.replace("postgresql+psycopg://", "postgresql://")
