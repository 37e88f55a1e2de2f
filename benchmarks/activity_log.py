"""What the log costs: forty marks saved with and without it, and its own list at a hundred times the size."""

import time
from collections.abc import Iterator
from decimal import Decimal
from statistics import median

from sqlalchemy import Engine, create_engine, event, func, select, text, true
from sqlalchemy.orm import Session, joinedload, sessionmaker

from fsms import activity, policy
from fsms.models import ActivityLog, Enrollment, Grade
from fsms.policy import SYSTEM, Actor

CLASS = 40
SMALL, LARGE = 10_000, 1_000_000


def report(url: str, runs: int) -> Iterator[str]:
    """Yield the lines of two Markdown tables: medians in milliseconds and their ratios."""
    engine = create_engine(url)
    yield "| 40 marks, changed and saved as | with the log, ms | without, ms | ratio |"
    yield "|---|---|---|---|"
    for role in ("admin", "teacher"):
        told, silent = _saving(engine, role, runs)
        yield f"| {role} | {told:.1f} | {silent:.1f} | {told / silent:.2f} |"
    yield ""
    yield f"| first page of the log | {SMALL:,} entries, ms | {LARGE:,} entries, ms | ratio |"
    yield "|---|---|---|---|"
    few, many = _listing(engine, runs)
    yield f"| newest 20 with names | {few:.2f} | {many:.2f} | {many / few:.2f} |"
    engine.dispose()


def _sessions(*, logged: bool) -> sessionmaker[Session]:
    made = sessionmaker()
    policy.install(made)
    if logged:
        activity.install(made)
    else:
        # The triggers must not tell either, or it would be their work that is measured.
        event.listen(made, "after_begin", lambda _s, _t, connection: connection.execute(_SILENCE))
    return made


_SILENCE = select(func.set_config("fsms.logged", "on", true()))


def _saving(engine: Engine, role: str, runs: int) -> tuple[float, float]:
    sessions = _sessions(logged=True), _sessions(logged=False)
    actor, marks = _class_of_a_teacher(engine, role)
    times: tuple[list[float], list[float]] = ([], [])
    for run in range(runs):
        for make, column in zip(sessions, times, strict=True):
            with make(bind=engine) as session:
                policy.speak_for(session, actor)
                began = time.perf_counter()
                for place, mark in enumerate(session.scalars(select(Grade).where(Grade.grade_id.in_(marks)))):
                    mark.grade = Decimal((2 * run + place + (column is times[0])) % 10)
                    mark.user_id = actor.user_id
                session.commit()
                column.append(time.perf_counter() - began)
    return median(times[0]) * 1000, median(times[1]) * 1000


def _class_of_a_teacher(engine: Engine, role: str) -> tuple[Actor, list[int]]:
    with Session(engine) as session:
        teacher = session.execute(
            select(Grade.user_id, Grade.course_id, Grade.subject_id, Grade.grade_date)
            .join(Enrollment, (Enrollment.course_id == Grade.course_id) & (Enrollment.student_id == Grade.student_id))
            .where(Grade.user_id.is_not(None), ~Enrollment.drop)
            .limit(1)
        ).one()
        places = select(Enrollment.student_id).where(Enrollment.course_id == teacher.course_id, ~Enrollment.drop)
        marks = select(Grade.grade_id).where(Grade.course_id == teacher.course_id, Grade.student_id.in_(places))
        return Actor(teacher.user_id, role), list(session.scalars(marks.order_by(Grade.grade_id).limit(CLASS)))


def _listing(engine: Engine, runs: int) -> tuple[float, float]:
    """Fill the log inside a transaction that is taken back: the log itself lets nothing go."""
    found = []
    with Session(engine) as session:
        policy.speak_for(session, SYSTEM)
        for size in (SMALL, LARGE):
            missing = size - (session.scalar(select(func.count()).select_from(ActivityLog)) or 0)
            session.execute(_ENTRIES, {"missing": missing})
            session.execute(text("analyze"))
            times = []
            for _ in range(runs):
                session.expunge_all()
                began = time.perf_counter()
                page = select(ActivityLog).options(joinedload(ActivityLog.user)).order_by(ActivityLog.id.desc())
                session.scalars(page.limit(20)).all()
                times.append(time.perf_counter() - began)
            found.append(median(times) * 1000)
        session.rollback()
    return found[0], found[1]


_ENTRIES = text(
    'insert into "ActivityLog" (action, entity, "entityId", "userId", details) '
    """select 'update_grade', 'Grade', n, 1, '{"changes": {"grade": ["6.00", "8.00"]}}'::jsonb """
    "from generate_series(1, greatest(:missing, 0)) n"
)
