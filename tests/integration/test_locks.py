"""A locked semester, asked of the database and of the sessions of the application: who writes, and who is refused."""

import datetime as dt
from collections.abc import Callable, Iterator
from decimal import Decimal

import pytest
from sqlalchemy import Connection, Engine, delete, select, text, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session, sessionmaker

from fsms import activity, clock, errors, policy
from fsms.activity import ROW_BY_ROW
from fsms.errors import InvalidValue, Refused
from fsms.models import ActivityLog, Course, Grade, Semester
from fsms.office import TermLock
from fsms.operations import locks, undoing
from fsms.operations.locks import Locked
from fsms.policy import Actor, speak_for
from tests.database import engine_of, migrated_template, scratch_database
from tests.integration.small_school import fill

PRINCIPAL, TEACHER, COLLEAGUE = Actor(1, "admin"), Actor(2, "teacher"), Actor(9, "teacher")

Sessions = sessionmaker(join_transaction_mode="create_savepoint")
policy.install(Sessions)
locks.install(Sessions)
activity.install(Sessions)

Speaking = Callable[[Actor], Session]


@pytest.fixture(scope="module")
def school() -> Iterator[Engine]:
    """The small school: the teacher has class 1, with a mark of pupil 1 in semester 1; class 2 is the colleague's."""
    with scratch_database("locks", migrated_template()) as url, engine_of(url) as engine:
        with engine.begin() as connection:
            fill(connection)
            connection.execute(text('UPDATE "Course" SET "teacherId1" = 9 WHERE "courseId" = 2'))
            connection.execute(text('INSERT INTO "Enrollment" ("studentId", "courseId") VALUES (6, 2)'))
        yield engine


@pytest.fixture
def connection(school: Engine) -> Iterator[Connection]:
    """One connection, and nothing of the test is kept."""
    with school.connect() as connection, connection.begin() as transaction:
        yield connection
        transaction.rollback()


@pytest.fixture
def speaking(connection: Connection) -> Iterator[Speaking]:
    """Open sessions that speak for somebody, all on the one connection."""
    opened: list[Session] = []

    def open_for(actor: Actor) -> Session:
        for other in opened:
            other.commit()
        session = Sessions(bind=connection)
        speak_for(session, actor)
        opened.append(session)
        return session

    yield open_for
    for session in opened:
        session.close()


def lock(speaking: Speaking, *, course: int | None = None, semester: int = 1) -> None:
    principal = speaking(PRINCIPAL)
    of = principal.get_one(Course, course) if course else None
    locks.lock(principal, principal.get_one(Semester, semester), of, "Reports are printed")
    principal.commit()


def reopen(speaking: Speaking, *, course: int | None = None, hours: int = 2) -> None:
    principal = speaking(PRINCIPAL)
    of = principal.get_one(Course, course) if course else None
    until = clock.now() + dt.timedelta(hours=hours)
    locks.reopen(principal, principal.get_one(Semester, 1), of, "A recount", until)
    principal.commit()


def new_mark(user_id: int = 2, *, student: int = 1, course: int = 1, period: str = "2025-01") -> Grade:
    return Grade(
        student_id=student,
        course_id=course,
        subject_id=2,
        semester_id=1,
        grade_date=period,
        grade=Decimal(7),
        user_id=user_id,
    )


def writes(session: Session, mark: Grade) -> bool:
    """Try to add a mark through the models."""
    session.add(mark)
    try:
        session.commit()
    except Locked:
        session.rollback()
        return False
    return True


# ---- The database itself -------------------------------------------------------------------------------------------

ADD = """INSERT INTO "Grade" ("studentId", "courseId", "subjectId", "semesterId", "gradeDate", grade, "userId")
    VALUES (1, 1, 2, {semester}, '2025-02', 9, 2)"""


def test_the_database_refuses_a_teacher_whatever_the_program_does(speaking: Speaking, connection: Connection) -> None:
    lock(speaking)
    teacher = speaking(TEACHER)
    raw = teacher.connection()

    with pytest.raises(DBAPIError) as refused, raw.begin_nested():
        raw.execute(text(ADD.format(semester=1)))
    assert errors.is_refusal(refused.value)
    for statement in (
        'UPDATE "Grade" SET grade = 9 RETURNING 1',
        'UPDATE "Grade" SET "semesterId" = 2 RETURNING 1',
        'DELETE FROM "Grade" RETURNING 1',
    ):
        assert raw.execute(text(statement)).all() == []
    raw.execute(text(ADD.format(semester=2)))
    with pytest.raises(DBAPIError), raw.begin_nested():
        raw.execute(text('UPDATE "Grade" SET "semesterId" = 1 WHERE "semesterId" = 2'))


def test_bulk_statements_of_a_teachers_session_find_nothing(speaking: Speaking) -> None:
    lock(speaking)
    teacher = speaking(TEACHER)

    told = {"logged_as": ROW_BY_ROW}
    teacher.execute(update(Grade).values(grade=Decimal(1)), execution_options=told)
    teacher.execute(delete(Grade), execution_options=told)

    assert teacher.scalars(select(Grade.grade)).all() == [Decimal("7.50")]


def test_administrators_write_on(speaking: Speaking) -> None:
    lock(speaking)
    principal = speaking(PRINCIPAL)

    principal.scalars(select(Grade)).one().grade = Decimal(9)
    principal.commit()

    assert writes(principal, new_mark(1))


# ---- Which lock counts ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("held", "teacher_writes", "colleague_writes"),
    [
        ([], True, True),
        ([("lock", None)], False, False),
        ([("lock", 1)], False, True),
        ([("lock", None), ("open", None)], True, True),
        ([("lock", None), ("open", 1)], True, False),
        ([("lock", None), ("lock", 1), ("open", None)], False, True),
        ([("lock", 1), ("open", 1)], True, True),
        ([("lock", None), ("open", 1), ("lock", 1)], False, False),
    ],
)
def test_the_lock_of_the_class_counts_before_the_one_for_all(
    speaking: Speaking, held: list[tuple[str, int | None]], *, teacher_writes: bool, colleague_writes: bool
) -> None:
    for act, course in held:
        (lock if act == "lock" else reopen)(speaking, course=course)

    assert writes(speaking(TEACHER), new_mark()) == teacher_writes
    assert writes(speaking(COLLEAGUE), new_mark(9, student=6, course=2)) == colleague_writes


def test_an_opened_lock_holds_again_after_its_end(speaking: Speaking, connection: Connection) -> None:
    lock(speaking)
    reopen(speaking)
    assert writes(speaking(TEACHER), new_mark())

    speaking(PRINCIPAL).execute(update(TermLock).values(open_until=clock.now() - dt.timedelta(minutes=1)))

    teacher = speaking(TEACHER)
    assert not writes(teacher, new_mark(period="2025-02"))
    assert teacher.connection().execute(text('DELETE FROM "Grade" RETURNING 1')).all() == []


def test_another_semester_is_not_locked(speaking: Speaking) -> None:
    lock(speaking, semester=2)

    assert writes(speaking(TEACHER), new_mark())


# ---- What is said --------------------------------------------------------------------------------------------------


def test_a_refusal_says_who_locked_when_and_why(speaking: Speaking) -> None:
    lock(speaking, course=1)
    teacher = speaking(TEACHER)
    teacher.add(new_mark())

    with pytest.raises(Locked) as refused:
        teacher.flush()

    today = f"{clock.today():%d/%m/%Y}"
    assert str(refused.value) == (
        f"The marks of S1-2024 are locked since {today} by Chan Sophea: “Reports are printed”. "
        "Ask the office to open them for a while."
    )


@pytest.mark.parametrize("change", ["grade", "moved away", "moved there", "deleted"])
def test_every_change_of_a_mark_gets_the_sentence(speaking: Speaking, change: str) -> None:
    teacher = speaking(TEACHER)
    elsewhere = new_mark()
    elsewhere.semester_id = 2
    teacher.add(elsewhere)
    teacher.commit()
    lock(speaking)
    teacher = speaking(TEACHER)
    mark = teacher.scalars(select(Grade).where(Grade.semester_id == (2 if change == "moved there" else 1))).one()
    if change == "grade":
        mark.grade = Decimal(3)
    elif change == "moved away":
        mark.semester = teacher.get_one(Semester, 2)
    elif change == "moved there":
        mark.semester = teacher.get_one(Semester, 1)
    else:
        teacher.delete(mark)

    with pytest.raises(Locked):
        teacher.flush()


@pytest.mark.parametrize("act", ["added", "changed", "deleted"])
def test_an_undo_does_not_get_around_a_lock(speaking: Speaking, act: str) -> None:
    teacher = speaking(TEACHER)
    if act == "added":
        teacher.add(new_mark())
    elif act == "changed":
        teacher.scalars(select(Grade)).one().grade = Decimal(3)
    else:
        teacher.delete(teacher.scalars(select(Grade)).one())
    teacher.commit()
    batch = teacher.scalar(select(ActivityLog.batch).order_by(ActivityLog.id.desc()).limit(1))
    assert batch
    lock(speaking)
    teacher = speaking(TEACHER)

    with pytest.raises(Locked):
        undoing.undo(teacher, batch)
    assert undoing.undo(speaking(PRINCIPAL), batch).restored


# ---- Who locks -----------------------------------------------------------------------------------------------------


def test_only_administrators_lock_and_open(speaking: Speaking) -> None:
    teacher = speaking(TEACHER)
    semester = teacher.get_one(Semester, 1)

    with pytest.raises(Refused, match="Only administrators"):
        locks.lock(teacher, semester, None, "Mine")
    with pytest.raises(Refused, match="Only administrators"):
        locks.reopen(teacher, semester, None, "Mine", clock.now() + dt.timedelta(hours=1))


@pytest.mark.parametrize("reason", ["", "  ", "\u200b", "x" * 301])
def test_a_lock_says_why(speaking: Speaking, reason: str) -> None:
    principal = speaking(PRINCIPAL)

    with pytest.raises(InvalidValue):
        locks.lock(principal, principal.get_one(Semester, 1), None, reason)


@pytest.mark.parametrize("hours", [-1, 0, 24 * 61])
def test_an_opening_ends_and_not_in_the_past(speaking: Speaking, hours: int) -> None:
    lock(speaking)

    with pytest.raises(InvalidValue, match="Choose an end that is still to come"):
        reopen(speaking, hours=hours)


def test_what_is_not_locked_cannot_be_opened(speaking: Speaking) -> None:
    lock(speaking, course=1)

    for course in (None, 2):
        with pytest.raises(InvalidValue, match="not locked"):
            reopen(speaking, course=course)


def test_the_log_tells_of_both(speaking: Speaking) -> None:
    lock(speaking)
    reopen(speaking, course=1)

    principal = speaking(PRINCIPAL)
    opened, locked = locks.history(principal)

    assert [(entry.action, entry.entity, entry.entity_id, entry.user_id) for entry in (locked, opened)] == [
        ("lock_marks", "Semester", 1, 1),
        ("open_marks", "Semester", 1, 1),
    ]
    assert locked.details
    assert opened.details
    assert locked.details["facts"] == {"semester": "S1-2024", "reason": "Reports are printed"}
    assert opened.details["facts"]["course"] == "5A · 2024-2025"
    assert opened.details["facts"]["reason"] == "A recount"
