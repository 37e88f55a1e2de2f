"""Every act can be taken back, and that too: what has changed since stays, and nothing is lost on the way."""

import datetime as dt
import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from decimal import Decimal
from threading import Thread
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine, delete, func, insert, inspect, select, text, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session, sessionmaker

from fsms import activity, policy
from fsms.activity import ROW_BY_ROW, columns, deed
from fsms.errors import BY_STATE, STILL_USED, Refused, SchoolError
from fsms.models import (
    ENTITIES,
    ActivityLog,
    Attendance,
    Base,
    Enrollment,
    FamilyInfo,
    Grade,
    Guardian,
    SchoolYear,
    Student,
    Subject,
    User,
)
from fsms.operations import accounts
from fsms.operations.undoing import AlreadyUndone, NothingToUndo, Report, preview, undo
from fsms.policy import Actor, speak_for
from fsms.vocabulary import AttendanceSession
from tests.builders import EDITED_PAGES, Make
from tests.database import engine_of, migrated_template, scratch_database
from tests.integration.other_values import other_values
from tests.integration.small_school import fill

PRINCIPAL = Actor(1, "admin")
TEACHER = Actor(2, "teacher")
COLLEAGUE = Actor(9, "teacher")

Sessions = sessionmaker(join_transaction_mode="create_savepoint")
policy.install(Sessions)
activity.install(Sessions)

RECORDED = [entity for entity in ENTITIES if entity is not ActivityLog]


@pytest.fixture(scope="module")
def school() -> Iterator[Engine]:
    """The small school, in a database of this module."""
    with small_school() as engine:
        yield engine


@pytest.fixture
def connection(school: Engine) -> Iterator[Connection]:
    """One connection, and nothing of the test is kept."""
    with school.connect() as connection, connection.begin() as transaction:
        yield connection
        transaction.rollback()


@pytest.fixture
def session(connection: Connection) -> Iterator[Session]:
    """A session of the application in which the principal acts."""
    with Sessions(bind=connection) as session:
        speak_for(session, PRINCIPAL)
        yield session


@pytest.fixture
def make(session: Session) -> Make:
    """Builders that write through the session, and so are recorded."""
    return Make(session)


def everything(connection: Connection, *, without: frozenset[str] = frozenset()) -> dict[str, list[str]]:
    """Describe every row but the log's, without what each save moves."""
    connection.execute(text("RESET ROLE"))
    left_out = sorted({"updatedAt", "version"} | without)
    return {
        entity.__tablename__: [
            str(row)
            for row in connection.scalars(
                text(f'SELECT to_jsonb(row) - cast(:out AS text[]) FROM "{entity.__tablename__}" AS row ORDER BY 1'),  # noqa: S608
                {"out": left_out},
            )
        ]
        for entity in RECORDED
    }


def last_batch(session: Session) -> uuid.UUID:
    batch = session.scalar(select(ActivityLog.batch).order_by(ActivityLog.id.desc()).limit(1))
    assert batch
    return batch


def nothing_was_left_out(report: Report) -> bool:
    return not report.kept_because_changed_since and not report.impossible


# ---- Any act -------------------------------------------------------------------------------------------------------

Draw = Callable[[int], int]
Act = Callable[[Session, Make, Connection, Draw], None]
Trials = Callable[[], AbstractContextManager[Engine]]


def make_something(session: Session, make: Make, _connection: Connection, draw: Draw) -> None:
    make.one(EDITED_PAGES[draw(len(EDITED_PAGES))])


def edit_something(session: Session, make: Make, _connection: Connection, draw: Draw) -> None:
    row = any_row(session, draw)
    names = [
        name for name, column in columns(type(row)).items() if not column.primary_key and not column.info.get("secret")
    ]
    for _ in range(1 + draw(3)):
        name = names[draw(len(names))]
        for attribute, value in other_values(make, row, name, columns(type(row))[name]).items():
            setattr(row, attribute, value)


def delete_something(session: Session, _make: Make, _connection: Connection, draw: Draw) -> None:
    session.delete(any_row(session, draw))


def change_a_whole_form(session: Session, _make: Make, _connection: Connection, draw: Draw) -> None:
    students = session.scalars(select(Student).order_by(Student.student_id)).all()
    student = students[draw(len(students))]
    student.needs_clothes = not student.needs_clothes
    student.guardians = student.guardians[1:]
    student.guardians.append(Guardian(relation="Mother", income=Decimal(draw(9))))
    student.family = None if draw(2) else student.family or FamilyInfo(own_house=True)


def mark_a_class(session: Session, _make: Make, _connection: Connection, draw: Draw) -> None:
    with deed(session, "save_marks", "Saved marks."):
        for number, mark in enumerate(session.scalars(select(Grade).order_by(Grade.grade_id))):
            if number % 3 == draw(3):
                session.delete(mark)
                session.flush()
                session.add(copy_of(mark))
            else:
                mark.grade = Decimal(draw(11))


def swap_halves_of_days(session: Session, _make: Make, _connection: Connection, draw: Draw) -> None:
    """Use a place that another row has just left: the way back must be gone in the opposite order."""
    with deed(session, "swap", "Swapped."):
        for row in session.scalars(select(Attendance).where(Attendance.session == AttendanceSession.AM)):
            place = {"student_id": row.student_id, "course_id": row.course_id, "attendance_date": row.attendance_date}
            row.session = AttendanceSession.PM
            session.flush()
            if draw(2):
                session.add(Attendance(**place, session=AttendanceSession.AM, status="Late"))
                session.flush()


def raise_all_marks(session: Session, _make: Make, _connection: Connection, draw: Draw) -> None:
    session.execute(
        update(Grade).where(Grade.grade < 100).values(grade=Grade.grade + draw(3)),
        execution_options={"logged_as": ROW_BY_ROW},
    )


def add_subjects_in_bulk(session: Session, make: Make, _connection: Connection, draw: Draw) -> None:
    names = [{"subject_name": f"Subject {uuid.uuid4()}"} for _ in range(draw(3) + 1)]
    session.execute(insert(Subject), names, execution_options={"logged_as": ROW_BY_ROW})


def forget_attendance_in_bulk(
    session: Session, _make: Make, _connection: Connection, draw: Callable[[int], int]
) -> None:
    day = func.extract("day", Attendance.attendance_date)
    session.execute(delete(Attendance).where(day % 3 == draw(3)), execution_options={"logged_as": ROW_BY_ROW})


def change_something_in_psql(
    _session: Session, _make: Make, connection: Connection, draw: Callable[[int], int]
) -> None:
    statements = [
        'UPDATE "Enrollment" SET "courseId" = 2 WHERE "enrollmentId" = 1',
        'UPDATE "Guardian" SET income = income + 1, phone = NULL',
        'UPDATE "Student" SET "lastName" = \' untidy \' || "lastName", "needsClothes" = NULL',
        'DELETE FROM "Attendance" WHERE "attendanceId" % 2 = 0',
        'INSERT INTO "Scholarship" ("studentId", amount) SELECT "studentId", 5 FROM "Student"',
        'UPDATE "Enrollment" SET "drop" = false, "dropDate" = NULL, "dropSemesterId" = NULL',
        'DELETE FROM "User" WHERE "userId" = 2',
    ]
    connection.execute(text(statements[draw(len(statements))]))


def change_own_phones(session: Session, _make: Make, _connection: Connection, draw: Draw) -> None:
    accounts.change_phones(session, 1, phonenumber1=f"01234567{draw(9)}", phonenumber2="")


def do_two_things_in_a_deed(session: Session, make: Make, connection: Connection, draw: Draw) -> None:
    with deed(session, "tidy_up", "Tidied up."):
        for _ in range(2):
            IN_THE_APPLICATION[draw(len(IN_THE_APPLICATION))](session, make, connection, draw)
            session.flush()


IN_THE_APPLICATION: list[Act] = [
    make_something,
    edit_something,
    edit_something,
    delete_something,
    delete_something,
    change_a_whole_form,
    mark_a_class,
    swap_halves_of_days,
    raise_all_marks,
    add_subjects_in_bulk,
    forget_attendance_in_bulk,
    change_own_phones,
]
ACTS = [*IN_THE_APPLICATION, do_two_things_in_a_deed, change_something_in_psql]


def any_row(session: Session, draw: Draw) -> Base:
    entity = RECORDED[draw(len(RECORDED))]
    rows = session.scalars(select(entity).order_by(inspect(entity).primary_key[0])).all()
    if not rows:
        return any_row(session, draw)
    return rows[draw(len(rows))]


def copy_of(mark: Grade) -> Grade:
    return Grade(
        student_id=mark.student_id,
        course_id=mark.course_id,
        subject_id=mark.subject_id,
        semester_id=mark.semester_id,
        grade_date=mark.grade_date,
        grade=mark.grade,
    )


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(random=st.randoms(use_true_random=False), acts=st.lists(st.sampled_from(ACTS), min_size=1, max_size=8))
def test_any_acts_undone_in_reverse_leave_every_table_as_it_was(random: Any, acts: list[Act], trials: Trials) -> None:
    with trials() as engine:
        before, seen = state_of(engine), last_entry(engine)
        for act in acts:
            perform(act, engine, random.randrange)
        after = state_of(engine)

        undone = [take_back(engine, batch) for batch in batches_since(engine, seen)]
        assert state_of(engine) == before

        redone = [take_back(engine, batch) for batch in reversed(undone)]
        assert state_of(engine) == after

        for batch in reversed(redone):
            take_back(engine, batch)
        assert state_of(engine) == before


def perform(act: Act, engine: Engine, draw: Draw) -> None:
    with Sessions(bind=engine) as session, engine.connect() as psql:
        speak_for(session, PRINCIPAL)
        try:
            act(session, Make(session), psql, draw)
            session.commit()
            psql.commit()
        except (DBAPIError, SchoolError):  # Refused by the school's rules: nothing happened.
            session.rollback()


@pytest.fixture(scope="module")
def trials() -> Iterator[Trials]:
    """Lend a small school for one trial after another; one that a failure left in disorder is replaced."""
    with ExitStack() as schools:
        lent: list[Engine] = []

        @contextmanager
        def trial() -> Iterator[Engine]:
            engine = lent.pop() if lent else schools.enter_context(small_school())
            yield engine
            lent.append(engine)

        yield trial


@contextmanager
def small_school() -> Iterator[Engine]:
    with scratch_database("undoing", migrated_template()) as url, engine_of(url) as engine:
        with engine.begin() as connection:
            connection.execute(text("SELECT set_config('fsms.logged', 'on', true)"))
            fill(connection)
        yield engine


def state_of(engine: Engine) -> dict[str, list[str]]:
    with engine.connect() as connection:
        return everything(connection, without=frozenset({"password"}))


def last_entry(engine: Engine) -> int:
    with engine.connect() as connection:
        return connection.scalar(select(func.max(ActivityLog.id))) or 0


def batches_since(engine: Engine, seen: int) -> list[uuid.UUID]:
    """List the batches of what was done, the last first."""
    entry = ActivityLog.__table__.c
    found = select(entry.batch).where(entry.id > seen, entry.details.has_key("changes")).group_by(entry.batch)
    with engine.connect() as connection:
        return list(connection.scalars(found.order_by(func.max(entry.id).desc())))


def take_back(engine: Engine, batch: uuid.UUID) -> uuid.UUID:
    with Sessions(bind=engine) as session:
        speak_for(session, PRINCIPAL)
        report = undo(session, batch)
        session.commit()
    assert report.kept_because_changed_since == ()
    assert {missing.entity for missing in report.impossible} <= {"User"}
    assert report.batch
    return report.batch


# ---- One act -------------------------------------------------------------------------------------------------------


def test_a_changed_value_returns(session: Session) -> None:
    session.get_one(Student, 1).last_name = "Chea"
    session.commit()

    report = undo(session, last_batch(session))

    assert session.get_one(Student, 1).last_name == "Sok"
    assert [(done.entity, done.entity_id, done.label) for done in report.restored] == [("Student", 1, "Chea Dara · 1")]
    assert nothing_was_left_out(report)


def test_a_single_entry_can_be_undone_without_the_rest_of_its_batch(session: Session) -> None:
    with deed(session, "rename", "Renamed pupils."):
        session.get_one(Student, 1).last_name = "Chea"
        session.get_one(Student, 2).last_name = "Chea"
    session.commit()
    entry = session.scalar(select(ActivityLog.id).filter_by(entity="Student", entity_id=1))
    assert entry

    undo(session, entry)

    assert session.get_one(Student, 1).last_name == "Sok"
    assert session.get_one(Student, 2).last_name == "Chea"


def test_a_deleted_pupil_returns_with_number_children_and_age(session: Session, connection: Connection) -> None:
    before = everything(connection)
    session.delete(session.get_one(Student, 3))
    session.commit()

    report = undo(session, last_batch(session))

    assert everything(connection) == before
    assert [done.entity for done in report.restored] == ["Student", "Guardian"]


def test_after_it_returned_the_next_number_is_still_the_next_one(session: Session, make: Make) -> None:
    next_number = make.student().student_id + 1
    session.delete(session.get_one(Student, 3))
    session.commit()
    undo(session, last_batch(session))
    session.commit()

    assert make.student().student_id == next_number


def test_a_new_pupil_goes_again(session: Session, connection: Connection) -> None:
    before = everything(connection)
    session.add(
        Student(
            last_name="Chea",
            first_name="Mony",
            gender="male",
            dob=dt.date(2014, 1, 1),
            class_="5",
            guardians=[Guardian(relation="Mother")],
        )
    )
    session.commit()

    undo(session, last_batch(session))

    assert everything(connection) == before


def test_links_that_the_database_emptied_return_with_their_target(session: Session, connection: Connection) -> None:
    before = everything(connection, without=frozenset({"password"}))
    session.delete(session.get_one(User, 2))
    session.commit()

    report = undo(session, last_batch(session))

    assert everything(connection, without=frozenset({"password"})) == before
    (missing,) = report.impossible
    assert (missing.entity, missing.entity_id) == ("User", 2)
    assert "password" in missing.reason


def test_marks_return_with_the_enrolment_they_moved_with(session: Session, connection: Connection) -> None:
    before = everything(connection)
    session.get_one(Enrollment, 1).course_id = 2
    session.commit()

    report = undo(session, last_batch(session))

    assert everything(connection) == before
    assert nothing_was_left_out(report)


def test_a_password_stays_and_that_is_said(session: Session) -> None:
    user = session.get_one(User, 9)
    user.password, user.position = "$2b$04$" + "y" * 53, "deputy"
    session.commit()

    report = undo(session, last_batch(session))

    assert session.get_one(User, 9).password == "$2b$04$" + "y" * 53
    assert session.get_one(User, 9).position is None
    (missing,) = report.impossible
    assert "password" in missing.reason


def test_what_psql_did_can_be_undone_too(session: Session, connection: Connection) -> None:
    before = everything(connection)
    connection.execute(text('UPDATE "Grade" SET grade = 0'))
    connection.execute(text('DELETE FROM "Attendance"'))

    undo(session, last_batch(session))

    assert everything(connection) == before


@pytest.mark.parametrize(
    "statement",
    [
        'DELETE FROM "User" WHERE "userId" = 2',
        'UPDATE "Enrollment" SET "courseId" = 2 WHERE "enrollmentId" = 1',
    ],
)
def test_what_foreign_keys_did_on_their_own_returns_after_its_cause(
    session: Session, connection: Connection, statement: str
) -> None:
    before = everything(connection, without=frozenset({"password"}))
    connection.execute(text(statement))

    report = undo(session, last_batch(session))

    assert everything(connection, without=frozenset({"password"})) == before
    assert {missing.entity for missing in report.impossible} <= {"User"}


def test_rows_that_a_table_lost_all_at_once_cannot_return(session: Session, connection: Connection) -> None:
    connection.execute(text('TRUNCATE "Attendance"'))

    report = undo(session, last_batch(session))

    assert report.restored == ()
    assert report.batch is None
    assert "backup" in report.impossible[0].reason


# ---- What has changed since ----------------------------------------------------------------------------------------


def test_a_value_that_was_changed_since_stays_and_is_listed_with_who_and_when(session: Session) -> None:
    student = session.get_one(Student, 1)
    student.phone, student.last_name = "012345678", "Chea"
    session.commit()
    batch = last_batch(session)
    student.phone = "099999999"
    session.commit()

    report = undo(session, batch)

    assert (session.get_one(Student, 1).phone, session.get_one(Student, 1).last_name) == ("099999999", "Sok")
    (kept,) = report.kept_because_changed_since
    assert (kept.entity, kept.entity_id, kept.attribute, kept.now) == ("Student", 1, "phone", "099999999")
    assert kept.who == "Chan Sophea"
    assert kept.when


def test_a_row_that_is_gone_since_is_listed(session: Session) -> None:
    session.get_one(Student, 6).last_name = "Chea"
    session.commit()
    batch = last_batch(session)
    session.delete(session.get_one(Student, 6))
    session.commit()

    (kept,) = undo(session, batch).kept_because_changed_since

    assert (kept.entity_id, kept.attribute, kept.now, kept.who) == (6, None, None, "Chan Sophea")


def test_a_new_row_that_was_edited_since_stays(session: Session, make: Make) -> None:
    subject = make.subject()
    batch = last_batch(session)
    subject.subject_name = "Music"
    session.commit()

    report = undo(session, batch)

    assert session.get_one(Subject, subject.subject_id).subject_name == "Music"
    assert [kept.entity_id for kept in report.kept_because_changed_since] == [subject.subject_id]


def test_a_new_row_that_others_need_by_now_stays(session: Session, make: Make) -> None:
    subject = make.subject()
    batch = last_batch(session)
    make.grade(subject=subject)

    report = undo(session, batch)

    assert session.get(Subject, subject.subject_id)
    assert [missing.reason for missing in report.impossible] == [STILL_USED["Grade_subjectId_fkey"]]


def test_a_new_row_that_others_merely_name_stays_too(session: Session, make: Make) -> None:
    year = make.school_year()
    batch = last_batch(session)
    make.semester(school_year_id=year.school_year_id)

    report = undo(session, batch)

    assert session.get(SchoolYear, year.school_year_id)
    assert [missing.reason for missing in report.impossible] == [BY_STATE["23001"]]


def test_a_new_pupil_does_not_take_a_later_guardian_along(session: Session, make: Make) -> None:
    student = make.student()
    batch = last_batch(session)
    make.guardian(student=student)

    report = undo(session, batch)

    assert session.get(Student, student.student_id)
    assert [missing.reason for missing in report.impossible] == [STILL_USED["Guardian_studentId_fkey"]]


def test_of_many_rows_only_the_one_that_cannot_return_is_left_out(session: Session, make: Make) -> None:
    subjects = [make.subject() for _ in range(5)]
    with deed(session, "delete_subjects", "Deleted subjects."):
        for subject in subjects:
            session.delete(subject)
    session.commit()
    batch = last_batch(session)
    make.subject(subject_name=subjects[3].subject_name)

    report = undo(session, batch)

    (missing,) = report.impossible
    assert (missing.entity_id, len(report.restored)) == (subjects[3].subject_id, 4)
    assert missing.reason == "There is already a subject of this name. Use that one, or choose another name."


def test_half_a_drop_is_not_taken_back(session: Session) -> None:
    place = session.get_one(Enrollment, 1)
    place.drop, place.drop_semester_id, place.drop_date = True, 1, dt.date(2025, 1, 15)
    session.commit()
    batch = last_batch(session)
    place.drop_date = dt.date(2025, 1, 16)
    session.commit()

    report = undo(session, batch)

    assert session.get_one(Enrollment, 1).drop
    assert report.restored == ()
    assert [missing.entity_id for missing in report.impossible] == [1]


# ---- Undo as an act ------------------------------------------------------------------------------------------------


def test_an_undo_is_recorded_and_can_be_undone(session: Session) -> None:
    with deed(session, "rename", "Renamed %(count)s pupil.", count=1) as batch:
        session.get_one(Student, 1).last_name = "Chea"
    session.commit()

    first = undo(session, batch)
    session.commit()
    assert first.batch
    told = session.scalars(select(ActivityLog).filter_by(batch=first.batch).order_by(ActivityLog.id)).all()
    assert [(entry.action, entry.user_id) for entry in told] == [("update_student", 1), ("undo", 1)]
    assert told[-1].details == {
        "sentence": "Undone: %(what)s",
        "facts": {"what": "Renamed 1 pupil.", "undoes": str(batch)},
        "entries": 1,
    }

    undo(session, first.batch)
    assert session.get_one(Student, 1).last_name == "Chea"


def test_a_second_undo_says_so(session: Session) -> None:
    session.get_one(Student, 1).last_name = "Chea"
    session.commit()
    batch = last_batch(session)
    undo(session, batch)

    with pytest.raises(AlreadyUndone):
        undo(session, batch)


def test_a_second_undo_does_not_take_back_the_same_change_made_again(session: Session) -> None:
    student = session.get_one(Student, 1)
    student.last_name = "Chea"
    session.commit()
    batch = last_batch(session)
    undo(session, batch)
    session.commit()
    student.last_name = "Chea"
    session.commit()

    with pytest.raises(AlreadyUndone):
        undo(session, batch)

    assert student.last_name == "Chea"


def test_after_a_redo_it_can_be_undone_again(session: Session) -> None:
    session.get_one(Student, 1).last_name = "Chea"
    session.commit()
    batch = last_batch(session)
    first = undo(session, batch)
    assert first.batch
    undo(session, first.batch)

    undo(session, batch)

    assert session.get_one(Student, 1).last_name == "Sok"


def test_a_preview_tells_the_same_and_does_nothing(session: Session, connection: Connection) -> None:
    session.get_one(Student, 1).last_name = "Chea"
    session.get_one(Student, 6).last_name = "Chea"
    session.commit()
    batch = last_batch(session)
    session.delete(session.get_one(Student, 6))
    session.commit()
    before = everything(connection)
    entries = connection.scalar(text('SELECT count(*) FROM "ActivityLog"'))

    shown = preview(session, batch)

    assert session.get_one(Student, 1).last_name == "Chea"
    session.commit()
    assert everything(connection) == before
    assert connection.scalar(text('SELECT count(*) FROM "ActivityLog"')) == entries
    done = undo(session, batch)
    assert (shown.restored, shown.kept_because_changed_since) == (done.restored, done.kept_because_changed_since)


def test_nothing_to_undo_is_said(session: Session) -> None:
    activity.record(session, "login", PRINCIPAL, {})
    session.commit()

    for target in (last_batch(session), uuid.uuid4(), 999_999):
        with pytest.raises(NothingToUndo):
            undo(session, target)


def test_a_form_opened_before_an_undo_is_refused(session: Session) -> None:
    student = session.get_one(Student, 1)
    student.last_name = "Chea"
    session.commit()
    version = student.version

    undo(session, last_batch(session))

    assert student.version == version + 1


# ---- Who may -------------------------------------------------------------------------------------------------------


@pytest.fixture
def as_teacher(connection: Connection, session: Session) -> Iterator[Session]:
    """A session of the application in which the teacher of class 1 acts."""
    session.commit()
    with Sessions(bind=connection) as other:
        speak_for(other, TEACHER)
        yield other


def mark(session: Session, grade: int) -> uuid.UUID:
    session.scalars(select(Grade)).one().grade = Decimal(grade)
    session.commit()
    return last_batch(session)


def test_a_teacher_undoes_what_the_teacher_did(as_teacher: Session) -> None:
    report = undo(as_teacher, mark(as_teacher, 9))
    as_teacher.commit()

    assert nothing_was_left_out(report)
    assert as_teacher.scalars(select(Grade.grade)).one() == Decimal("7.5")


def test_a_teacher_brings_a_deleted_mark_back_under_its_number(as_teacher: Session, connection: Connection) -> None:
    before = everything(connection)
    as_teacher.delete(as_teacher.scalars(select(Grade)).one())
    as_teacher.commit()

    undo(as_teacher, last_batch(as_teacher))
    as_teacher.commit()

    assert everything(connection) == before


def test_a_mark_deleted_before_marks_knew_excuses_returns(as_teacher: Session, connection: Connection) -> None:
    entry = ActivityLog(
        action="delete_grade",
        user_id=TEACHER.user_id,
        entity="Grade",
        entity_id=777,
        batch=(batch := uuid.uuid4()),
        details={
            "changes": {
                "grade_id": [777, None],
                "student_id": [1, None],
                "course_id": [1, None],
                "subject_id": [2, None],
                "semester_id": [1, None],
                "grade_date": ["2024-12", None],
                "grade": ["7.50", None],
                "created_at": ["2024-12-01T00:00:00.000+00:00", None],
            }
        },
    )
    as_teacher.add(entry)
    as_teacher.flush()

    report = undo(as_teacher, batch)
    assert nothing_was_left_out(report)

    assert as_teacher.execute(select(Grade.grade, Grade.excused).where(Grade.grade_id == 777)).one() == (
        Decimal("7.50"),
        False,
    )


def test_a_mark_that_a_teacher_brings_back_bears_the_teachers_name(
    as_teacher: Session, session: Session, connection: Connection
) -> None:
    session.scalars(select(Grade)).one().user_id = 9
    session.commit()
    as_teacher.delete(as_teacher.scalars(select(Grade)).one())
    as_teacher.commit()

    report = undo(as_teacher, last_batch(as_teacher))

    assert nothing_was_left_out(report)
    assert as_teacher.scalars(select(Grade.user_id)).one() == TEACHER.user_id


def test_a_teacher_does_not_undo_what_somebody_else_did(connection: Connection, session: Session) -> None:
    batch = mark(session, 9)

    with Sessions(bind=connection) as colleague:
        speak_for(colleague, COLLEAGUE)
        with pytest.raises(SchoolError):
            undo(colleague, batch)


def test_an_administrator_undoes_what_a_teacher_did(connection: Connection) -> None:
    with Sessions(bind=connection) as teacher:
        speak_for(teacher, TEACHER)
        batch = mark(teacher, 9)

    with Sessions(bind=connection) as principal:
        speak_for(principal, PRINCIPAL)
        undo(principal, batch)
        assert principal.scalars(select(Grade.grade)).one() == Decimal("7.5")


def test_a_teacher_who_lost_the_class_is_told_that_the_record_is_out_of_reach(
    connection: Connection, as_teacher: Session
) -> None:
    batch = mark(as_teacher, 9)
    as_teacher.commit()
    connection.execute(text("RESET ROLE"))
    connection.execute(text('UPDATE "Course" SET "teacherId1" = NULL'))

    report = undo(as_teacher, batch)

    assert report.restored == ()
    assert len(report.kept_because_changed_since) == 1


def test_nobody_undoes_nothing(session: Session, connection: Connection) -> None:
    batch = mark(session, 9)

    with Sessions(bind=connection) as stranger, pytest.raises((SchoolError, DBAPIError)):
        undo(stranger, batch)


def test_a_teacher_may_not_undo_in_a_screen_that_is_not_for_teachers(connection: Connection, session: Session) -> None:
    with Sessions(bind=connection) as system:
        speak_for(system, Actor(2, "system"))
        accounts.change_phones(system, 2, phonenumber1="012345678", phonenumber2="")
        system.commit()
        batch = last_batch(system)

    with Sessions(bind=connection) as teacher:
        speak_for(teacher, TEACHER)
        with pytest.raises(Refused):
            undo(teacher, batch)


# ---- At once -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("act", ["edit", "delete", "create"])
def test_of_two_undos_at_once_one_is_told_that_it_was_done(act: str) -> None:
    with small_school() as engine:
        with Sessions(bind=engine) as session:
            speak_for(session, PRINCIPAL)
            if act == "edit":
                session.get_one(Student, 1).last_name = "Chea"
            elif act == "delete":
                session.delete(session.get_one(Student, 3))
            else:
                session.add(Subject(subject_name="Music"))
            session.commit()
            batch = last_batch(session)
        with Sessions(bind=engine) as first, Sessions(bind=engine) as second:
            outcomes: list[object] = []

            def undo_as_well() -> None:
                speak_for(second, PRINCIPAL)
                try:
                    outcomes.append(undo(second, batch))
                    second.commit()
                except AlreadyUndone as said:
                    outcomes.append(said)

            speak_for(first, PRINCIPAL)
            undo(first, batch)
            other = Thread(target=undo_as_well)
            other.start()
            other.join(0.3)
            assert other.is_alive()  # It waits for the first.
            first.commit()
            other.join(10)

        assert [type(outcome) for outcome in outcomes] == [AlreadyUndone]


def test_a_change_that_comes_while_an_undo_waits_is_kept() -> None:
    with small_school() as engine:
        with Sessions(bind=engine) as first, Sessions(bind=engine) as second:
            speak_for(first, PRINCIPAL)
            first.get_one(Student, 1).last_name = "Chea"
            first.commit()
            batch = last_batch(first)
            first.get_one(Student, 1).last_name = "Chan"
            first.flush()
            reports: list[Report] = []

            def undo_late() -> None:
                speak_for(second, PRINCIPAL)
                reports.append(undo(second, batch))

            other = Thread(target=undo_late)
            other.start()
            other.join(0.3)
            first.commit()
            other.join(10)

        assert [kept.now for kept in reports[0].kept_because_changed_since] == ["Chan"]
