"""What row security costs: a teacher's lists under the policies, against the same queries with the filter by hand."""

import time
from collections.abc import Iterator
from statistics import median
from typing import Any

from sqlalchemy import ColumnElement, Select, create_engine, func, select
from sqlalchemy.orm import Session, joinedload

from fsms import policy
from fsms.models import Attendance, Course, Enrollment, Student, User
from fsms.policy import SYSTEM, Actor

WARM_UP = 3


def report(url: str, runs: int) -> Iterator[str]:
    """Yield the lines of a Markdown table: medians in milliseconds, and the ratio policy to by hand."""
    policy.install(Session)
    engine = create_engine(url)
    with Session(engine) as owner, Session(engine) as teacher:
        policy.speak_for(owner, SYSTEM)
        number, rows = busiest_teacher(owner)
        policy.speak_for(teacher, Actor(number, "teacher"))
        courses = list(owner.scalars(_own_courses(number)))
        total = owner.scalar(select(func.count()).select_from(Attendance)) or 0
        yield f"{total:,} attendance rows; a teacher with {len(courses)} courses, {rows:,} own rows; {runs} runs."
        yield ""
        yield "| query | policy, ms | sub-select by hand, ms | courses known, ms | ratio to sub-select | to known |"
        yield "|---|---|---|---|---|---|"
        for name, asked in (("newest 50 with names", _newest), ("count", _count), ("50 pupils by name", _pupils)):
            by_hand = asked(
                Attendance.course_id.in_(_own_courses(number)), Enrollment.course_id.in_(_own_courses(number))
            )
            known = asked(Attendance.course_id.in_(courses), Enrollment.course_id.in_(courses))
            times = _in_turn([(teacher, asked(None, None)), (owner, by_hand), (owner, known)], runs)
            ours, sub_select, listed = (median(column) * 1000 for column in times)
            yield (
                f"| {name} | {ours:.1f} | {sub_select:.1f} | {listed:.1f} "
                f"| {ours / sub_select:.2f} | {ours / listed:.2f} |"
            )
    engine.dispose()


def _own_courses(number: int) -> Select[Any]:
    slots = Course.teacher_id1, Course.teacher_id2, Course.teacher_id3
    return select(Course.course_id).where((slots[0] == number) | (slots[1] == number) | (slots[2] == number))


def busiest_teacher(session: Session) -> tuple[int, int]:
    """Find the teacher with the most rows of attendance, and how many there are."""
    counted = (
        select(User.user_id, func.count())
        .join(Course, (Course.teacher_id1 == User.user_id) | (Course.teacher_id2 == User.user_id))
        .join(Attendance, Attendance.course_id == Course.course_id)
        .where(User.role == "teacher")
        .group_by(User.user_id)
        .order_by(func.count().desc())
        .limit(1)
    )
    number, rows = session.execute(counted).one()
    return int(number), int(rows)


def _newest(attendance: ColumnElement[bool] | None, _enrollment: ColumnElement[bool] | None) -> Select[Any]:
    asked = select(Attendance).options(joinedload(Attendance.student), joinedload(Attendance.course))
    asked = asked.order_by(Attendance.attendance_date.desc(), Attendance.attendance_id.desc()).limit(50)
    return asked if attendance is None else asked.where(attendance)


def _count(attendance: ColumnElement[bool] | None, _enrollment: ColumnElement[bool] | None) -> Select[Any]:
    asked = select(func.count()).select_from(Attendance)
    return asked if attendance is None else asked.where(attendance)


def _pupils(_attendance: ColumnElement[bool] | None, enrollment: ColumnElement[bool] | None) -> Select[Any]:
    asked = select(Student).order_by(Student.last_name, Student.first_name, Student.student_id).limit(50)
    if enrollment is None:
        return asked
    return asked.where(Student.student_id.in_(select(Enrollment.student_id).where(enrollment)))


def _in_turn(asked: list[tuple[Session, Select[Any]]], runs: int) -> list[list[float]]:
    """Ask each query in turn, so that what else the machine does falls on all alike."""
    times: list[list[float]] = [[] for _ in asked]
    for run in range(WARM_UP + runs):
        for (session, query), column in zip(asked, times, strict=True):
            session.rollback()
            session.expunge_all()
            began = time.perf_counter()
            session.execute(query).unique().all()
            if run >= WARM_UP:
                column.append(time.perf_counter() - began)
    return times
