"""Nothing happens unrecorded: by flushes, by what foreign keys do, through bulk doors and from outside."""

import datetime as dt
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any, cast

import psycopg
import pytest
from sqlalchemy import (
    Column,
    Connection,
    Engine,
    Table,
    delete,
    event,
    func,
    insert,
    inspect,
    make_url,
    select,
    text,
    update,
)
from sqlalchemy.exc import DBAPIError, ProgrammingError
from sqlalchemy.orm import Session, sessionmaker

from fsms import activity, errors, policy
from fsms.activity import Circumstances, Unlogged, columns, deed, record, set_circumstances, stored, telling
from fsms.models import (
    ENTITIES,
    ActivityLog,
    Attendance,
    Base,
    Course,
    Enrollment,
    FamilyInfo,
    Grade,
    Guardian,
    Semester,
    Student,
    Subject,
    User,
)
from fsms.policy import SYSTEM, Actor, speak_for
from fsms.vocabulary import AttendanceSession
from tests.builders import EDITED_PAGES, PASSWORD, Make, hashed, key_of
from tests.database import engine_of, migrated_template, scratch_database
from tests.integration.other_values import other_values
from tests.integration.small_school import fill

PRINCIPAL = Actor(1, "admin")
TEACHER = Actor(2, "teacher")

Sessions = sessionmaker(join_transaction_mode="create_savepoint")
policy.install(Sessions)
activity.install(Sessions)

RECORDED = [entity for entity in ENTITIES if entity is not ActivityLog]
CHANGEABLE = [
    (entity, name, column)
    for entity in RECORDED
    for name, column in columns(entity).items()
    if not column.primary_key and name != "created_at"
]


@pytest.fixture(scope="module")
def school() -> Iterator[Engine]:
    """The small school, in a database of this module; nobody recorded how it was filled."""
    with scratch_database("activity", migrated_template()) as url, engine_of(url) as engine:
        with engine.begin() as connection:
            connection.execute(text("SELECT set_config('fsms.logged', 'on', true)"))
            fill(connection)
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
def teacher(connection: Connection) -> Iterator[Session]:
    """A session of the application in which the teacher of class 1 acts."""
    with Sessions(bind=connection) as session:
        speak_for(session, TEACHER)
        yield session


@pytest.fixture
def make(session: Session) -> Make:
    """Builders that write through the session, and so are recorded."""
    return Make(session)


Told = Callable[[], list[ActivityLog]]


@pytest.fixture
def told(connection: Connection) -> Told:
    """Read the entries that are new since the last look, oldest first."""
    seen = {"last": 0}

    def entries() -> list[ActivityLog]:
        connection.execute(text("RESET ROLE"))
        with Session(connection) as reader:
            found = list(reader.scalars(select(ActivityLog).where(ActivityLog.id > seen["last"]).order_by("id")))
            reader.expunge_all()
        seen["last"] = max((entry.id for entry in found), default=seen["last"])
        return found

    entries()
    return entries


def changes(entry: ActivityLog) -> dict[str, Any]:
    assert entry.details is not None
    return dict(entry.details["changes"])


def in_one_form(entity: type[Base], told: dict[str, Any]) -> dict[str, Any]:
    """Write moments as the application does: the database leaves out milliseconds that are none."""
    known = columns(entity)
    return {name: [stored(known[name], activity.restored(known[name], value)) for value in told[name]] for name in told}


@contextmanager
def statements(engine: Engine) -> Iterator[list[str]]:
    asked: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        asked.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield asked
    finally:
        event.remove(engine, "before_cursor_execute", note)


# ---- Every entity and column ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("entity", "name", "column"), CHANGEABLE, ids=[f"{entity.__name__}.{name}" for entity, name, _ in CHANGEABLE]
)
def test_a_change_of_any_column_is_recorded_once_in_the_same_words_inside_and_outside(
    session: Session, connection: Connection, make: Make, told: Told, entity: type[Base], name: str, column: Column[Any]
) -> None:
    row = make.one(entity.__name__.lower())
    new = other_values(make, row, name, column)
    old = {attribute: getattr(row, attribute) for attribute in new}
    expected = {
        attribute: [stored(columns(entity)[attribute], value) for value in (old[attribute], new[attribute])]
        for attribute in new
        if old[attribute] != new[attribute]
    }
    told()

    for attribute, value in new.items():
        setattr(row, attribute, value)
    session.commit()

    (inside,) = told()
    assert changes(inside) == expected
    assert (inside.action, inside.entity, inside.entity_id, inside.user_id) == (
        f"update_{entity.__name__.lower()}",
        entity.__tablename__,
        key_of(row),
        PRINCIPAL.user_id,
    )

    session.commit()
    number = inspect(entity).primary_key[0]
    back = {columns(entity)[attribute]: value for attribute, value in old.items()}
    forth = {columns(entity)[attribute]: value for attribute, value in new.items()}
    for values in (back, forth):
        connection.execute(update(entity.__table__).where(number == key_of(row)).values(values))  # type: ignore[arg-type]

    *_, outside = told()
    assert in_one_form(entity, changes(outside)) == in_one_form(entity, expected)
    assert (outside.action, outside.entity, outside.entity_id) == (inside.action, inside.entity, inside.entity_id)


@pytest.mark.parametrize("page", EDITED_PAGES)
def test_a_new_row_and_a_deleted_row_are_recorded_with_all_their_values(
    session: Session, make: Make, told: Told, page: str
) -> None:
    row = make.one(page)
    entity, number = type(row), key_of(row)
    values = {name: stored(column, getattr(row, name)) for name, column in columns(entity).items()}
    kept = {name: value for name, value in values.items() if value is not None}

    created = told()[-1]
    session.delete(row)
    session.commit()
    (deleted,) = told()

    assert (created.action, created.entity_id) == (f"create_{page}", number)
    assert changes(created) == {name: [None, value] for name, value in kept.items() if name != "created_at"}
    assert (deleted.action, deleted.entity_id) == (f"delete_{page}", number)
    assert changes(deleted) == {name: [value, None] for name, value in kept.items()}


@pytest.mark.parametrize("page", EDITED_PAGES)
def test_a_row_made_or_deleted_outside_is_told_as_one_made_or_deleted_inside(
    session: Session, connection: Connection, make: Make, told: Told, page: str
) -> None:
    row = make.one(page)
    entity, key = type(row), inspect(type(row)).primary_key[0]
    created = told()[-1]
    session.commit()
    copy = connection.execute(select(entity.__table__).where(key == key_of(row))).mappings().one()
    with Sessions(bind=connection) as trial:
        speak_for(trial, PRINCIPAL)
        trial.delete(trial.get_one(entity, key_of(row)))
        trial.commit()
    (deleted,) = told()

    given = {column.name: copy[column.name] for column in entity.__table__.columns if column.computed is None}
    connection.execute(insert(entity.__table__).values(given))  # type: ignore[arg-type]
    connection.execute(delete(entity.__table__).where(key == copy[key.name]))  # type: ignore[arg-type]

    created_outside, deleted_outside = told()
    for outside, inside in ((created_outside, created), (deleted_outside, deleted)):
        assert in_one_form(entity, changes(outside)) == in_one_form(entity, changes(inside))
        assert (outside.action, outside.entity_id) == (inside.action, inside.entity_id)


@pytest.mark.parametrize("page", EDITED_PAGES)
def test_a_save_without_a_change_records_nothing(session: Session, make: Make, told: Told, page: str) -> None:
    row = make.one(page)
    told()

    for name in columns(type(row)):
        setattr(row, name, getattr(row, name))
    row.updated_at = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)  # type: ignore[attr-defined]
    session.commit()

    assert told() == []


@pytest.mark.parametrize(
    ("page", "name", "typed"),
    [
        ("grade", "grade", Decimal("7.5")),
        ("grade", "grade", Decimal("7.500")),
        ("grade", "grade", "7.5"),
        ("grade", "grade", 7.5),
        ("grade", "grade", Decimal("7.4999")),
        ("grade", "grade_date", "03/25"),
        ("grade", "grade_comment", ""),
        ("scholarship", "amount", 40000),
        ("scholarship", "type", " តម្រូវ\u200bការ "),
        ("student", "gender", "female"),
        ("student", "dob", dt.date(2014, 5, 31)),
        ("student", "class_", "5"),
        ("attendance", "session", "AM"),
        ("attendance", "session", AttendanceSession.AM),
    ],
)
def test_the_same_value_in_other_words_is_no_change(
    session: Session, make: Make, told: Told, page: str, name: str, typed: Any
) -> None:
    row = make.one(page)
    told()

    setattr(row, name, typed)
    session.commit()

    assert told() == []


def test_a_change_that_is_rolled_back_leaves_no_entry(session: Session, told: Told) -> None:
    session.get_one(Student, 1).last_name = "Chea"
    session.flush()

    session.rollback()

    assert told() == []


def test_a_savepoint_that_is_rolled_back_takes_its_entries_along(session: Session, told: Told) -> None:
    session.get_one(Student, 1).last_name = "Chea"
    with session.begin_nested() as savepoint:
        session.get_one(Student, 2).last_name = "Chea"
        session.flush()
        savepoint.rollback()
    session.commit()

    assert [entry.entity_id for entry in told()] == [1]


# ---- Old values ----------------------------------------------------------------------------------------------------


def test_the_old_value_is_right_for_a_row_that_had_expired(session: Session, told: Told) -> None:
    student = session.get_one(Student, 1)
    session.commit()

    student.last_name = "Chea"
    session.commit()

    (entry,) = told()
    assert changes(entry) == {"last_name": ["Sok", "Chea"]}


def test_the_old_value_is_right_for_a_link_that_had_expired(session: Session, told: Told) -> None:
    course, successor = session.get_one(Course, 1), session.get_one(User, 9)
    session.commit()

    course.teacher1 = successor
    session.commit()

    (entry,) = told()
    assert changes(entry) == {"teacher_id1": [2, 9]}


def test_a_deletion_tells_the_values_of_a_row_that_had_expired(session: Session, told: Told) -> None:
    student = session.get_one(Student, 6)
    session.commit()

    session.delete(student)
    session.commit()

    (entry,) = told()
    assert changes(entry)["last_name"] == ["Keo", None]
    assert changes(entry)["created_at"][0] is not None


def test_a_row_changed_and_then_deleted_is_told_as_it_stood_in_the_database(session: Session, told: Told) -> None:
    subject = session.get_one(Subject, 2)
    subject.subject_name = "Khmer literature"

    session.delete(subject)
    session.commit()

    (entry,) = told()
    assert changes(entry)["subject_name"] == ["Khmer", None]


def test_a_value_that_only_the_database_knows_is_refused(session: Session, told: Told) -> None:
    session.get_one(Student, 1).class_id = func.floor(3)

    with pytest.raises(Unlogged, match=r"Student\.class_id"):
        session.flush()

    session.rollback()
    assert told() == []


def forty_marks(make: Make) -> list[Grade]:
    place = make.enrollment()
    subject, semester = make.subject(), make.semester()
    return [
        make.grade(enrollment=place, subject=subject, semester=semester, grade_date=f"20{number:02}-01")
        for number in range(40)
    ]


def test_forty_marks_are_told_in_one_statement(school: Engine, session: Session, make: Make, told: Told) -> None:
    marks = forty_marks(make)
    session.scalars(select(Grade)).all()
    told()

    with statements(school) as asked:
        for mark in marks:
            mark.grade = Decimal(9)
        session.flush()

    assert sum("ActivityLog" in statement for statement in asked) == 1
    assert not [statement for statement in asked if 'FROM "Grade"' in statement]
    assert len(told()) == 40


def test_forty_marks_that_had_expired_are_read_with_one_query(school: Engine, session: Session, make: Make) -> None:
    marks = forty_marks(make)
    session.commit()

    with statements(school) as asked:
        for mark in marks:
            mark.grade = Decimal(9)
        session.flush()

    assert sum('FROM "Grade"' in statement for statement in asked) == 1


# ---- Along with a change -------------------------------------------------------------------------------------------


def test_rows_of_a_form_within_the_form_are_one_batch(session: Session, told: Told) -> None:
    student = session.get_one(Student, 3)
    student.last_name = "Chea"
    student.guardians[0].phone = "012345678"
    student.guardians.append(Guardian(relation="Mother"))
    session.commit()

    entries = told()

    assert sorted(entry.action for entry in entries) == ["create_guardian", "update_guardian", "update_student"]
    assert len({entry.batch for entry in entries}) == 1


def test_two_transactions_are_two_batches(session: Session, told: Told) -> None:
    for name in ("Chea", "Chan"):
        session.get_one(Student, 3).last_name = name
        session.commit()

    first, second = told()
    assert first.batch != second.batch


def test_a_row_taken_out_of_its_parent_is_told_as_deleted(session: Session, told: Told) -> None:
    student = session.get_one(Student, 3)
    session.commit()

    student.guardians.clear()
    session.commit()

    (entry,) = told()
    assert entry.action == "delete_guardian"
    assert changes(entry)["relation"] == ["Father", None]
    assert changes(entry)["student_id"] == [3, None]


def test_what_goes_with_a_pupil_is_told_too(session: Session, told: Told) -> None:
    session.delete(session.get_one(Student, 3))
    session.commit()

    assert [entry.action for entry in told()] == ["delete_guardian", "delete_student"]


def test_links_that_the_database_empties_are_told(session: Session, told: Told) -> None:
    session.delete(session.get_one(User, 2))
    session.commit()

    entries = {entry.action: entry for entry in told()}

    assert entries.keys() == {"update_course", "update_grade", "delete_user"}
    assert changes(entries["update_course"]) == {"teacher_id1": [2, None]}
    assert changes(entries["update_grade"]) == {"user_id": [2, None]}
    assert len({entry.batch for entry in entries.values()}) == 1
    assert {entry.user_id for entry in entries.values()} == {PRINCIPAL.user_id}


def test_marks_that_move_along_with_their_enrolment_are_told(session: Session, told: Told) -> None:
    session.get_one(Enrollment, 1).course_id = 2
    session.commit()

    entries = told()

    assert sorted(entry.action for entry in entries) == ["update_attendance"] * 3 + [
        "update_enrollment",
        "update_grade",
    ]
    assert all(changes(entry) == {"course_id": [1, 2]} for entry in entries)


def test_a_row_says_its_name_but_asks_nothing_for_it(school: Engine, session: Session, told: Told) -> None:
    student = session.get_one(Student, 1)
    place = session.get_one(Enrollment, 3)
    student.last_name, place.drop_reason = "Chea", "moved away"

    with statements(school) as asked:
        session.flush()

    assert not [statement for statement in asked if statement.startswith("SELECT") and "FROM" in statement]
    labels = {entry.entity: (entry.details or {}).get("label") for entry in told()}
    assert labels == {"Student": "Chea Dara · 1", "Enrollment": None}


def test_a_row_that_is_named_after_another_one_says_its_name_when_that_one_is_at_hand(
    session: Session, told: Told
) -> None:
    student = session.get_one(Student, 4)
    session.scalars(select(FamilyInfo)).one().know_school = "neighbours"
    session.commit()

    (entry,) = told()
    assert entry.details is not None
    assert entry.details["label"] == str(student)


# ---- Who, from where -----------------------------------------------------------------------------------------------


def test_an_entry_says_who_did_it_and_from_where(session: Session, told: Told) -> None:
    set_circumstances(session, Circumstances(ip="10.0.0.7", request="a1b2"))
    session.get_one(Student, 1).last_name = "Chea"
    record(session, "export_student", PRINCIPAL, {"rows": 6})
    session.commit()

    for entry in told():
        assert entry.user_id == PRINCIPAL.user_id
        assert entry.details is not None
        assert (entry.details["ip"], entry.details["request"]) == ("10.0.0.7", "a1b2")
        assert "by" not in entry.details


def test_the_command_line_acts_as_the_system(connection: Connection, told: Told) -> None:
    with Sessions(bind=connection) as session:
        speak_for(session, SYSTEM)
        session.get_one(Student, 1).last_name = "Chea"
        session.commit()

    (entry,) = told()
    assert entry.user_id is None
    assert entry.details is not None
    assert entry.details["by"] == "system"


def test_a_teacher_records_as_themselves(teacher: Session, told: Told) -> None:
    teacher.scalars(select(Grade)).one().grade = Decimal(8)
    teacher.commit()

    (entry,) = told()
    assert (entry.user_id, changes(entry)) == (TEACHER.user_id, {"grade": ["7.50", "8.00"]})


def test_a_teacher_cannot_record_in_another_name(teacher: Session, told: Told) -> None:
    record(teacher, "login", PRINCIPAL, {})

    with pytest.raises(ProgrammingError) as refused:
        teacher.flush()

    assert errors.is_refusal(refused.value)
    teacher.rollback()
    assert told() == []


def test_no_password_and_no_hash_is_in_the_log(session: Session, connection: Connection, make: Make) -> None:
    user = make.user()
    user.password = hashed("another password 8")
    session.commit()
    session.delete(user)
    session.commit()
    connection.execute(text('UPDATE "User" SET password = :hash WHERE "userId" = 9'), {"hash": hashed(PASSWORD)})
    connection.execute(text('DELETE FROM "User" WHERE "userId" = 9'))

    told = [json.dumps(details) for details in connection.scalars(select(ActivityLog.__table__.c.details))]

    assert not [details for details in told if "$2" in details or PASSWORD in details]
    assert sum('"password": ["hidden", "hidden"]' in details for details in told) == 2
    assert sum('"password": ["hidden", null]' in details for details in told) == 2


# ---- Deeds ---------------------------------------------------------------------------------------------------------


def test_a_deed_has_a_batch_a_sentence_and_its_rows(session: Session, told: Told) -> None:
    with deed(session, "move_pupils", "Moved %(count)s pupils to %(course)s.", count=2, course="6A") as batch:
        for number in (1, 2):
            session.get_one(Student, number).class_ = "6"
    session.commit()

    entries = told()

    assert [entry.action for entry in entries] == ["update_student", "update_student", "move_pupils"]
    assert {entry.batch for entry in entries} == {batch}
    assert entries[-1].details == {
        "sentence": "Moved %(count)s pupils to %(course)s.",
        "facts": {"count": 2, "course": "6A"},
        "entries": 2,
    }


def test_a_deed_within_a_deed_is_a_part_of_it(session: Session, told: Told) -> None:
    with deed(session, "close_year", "Closed the year.") as outer:
        with deed(session, "move_pupils", "Moved pupils.") as inner:
            session.get_one(Student, 1).class_ = "6"
        session.get_one(Student, 2).class_ = "6"
    session.commit()

    assert inner == outer
    assert [entry.action for entry in told()] == ["update_student", "update_student", "close_year"]


def test_what_comes_before_and_after_a_deed_is_no_part_of_it(session: Session, told: Told) -> None:
    session.get_one(Student, 1).class_ = "6"
    with deed(session, "move_pupils", "Moved pupils.") as first:
        session.get_one(Student, 2).class_ = "6"
    with deed(session, "move_pupils", "Moved pupils.") as second:
        session.get_one(Student, 3).class_ = "6"
    session.get_one(Student, 4).class_ = "6"
    session.commit()

    batches = {entry.entity_id: entry.batch for entry in told() if entry.entity_id}

    assert (batches[2], batches[3]) == (first, second)
    assert batches[1] == batches[4]
    assert len(set(batches.values())) == 3


def test_a_deed_that_changes_nothing_leaves_no_entry(session: Session, told: Told) -> None:
    with deed(session, "move_pupils", "Moved pupils."):
        session.get_one(Student, 1).class_ = "5"
    session.commit()

    assert told() == []


def test_a_deed_that_fails_leaves_no_entry_and_no_batch(session: Session, told: Told) -> None:
    def fail() -> None:
        with deed(session, "move_pupils", "Moved pupils."):
            session.get_one(Student, 1).class_ = "6"
            session.flush()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    session.rollback()
    session.get_one(Student, 2).class_ = "6"
    session.commit()

    assert [entry.entity_id for entry in told()] == [2]


# ---- Statements of one's own ---------------------------------------------------------------------------------------


def test_a_deed_that_tells_of_its_rows_stands_in_the_log_as_flushes_would_tell_it(session: Session, told: Told) -> None:
    name = session.get_one(Subject, 1).subject_name
    with deed(session, "rename", "Renamed %(subject)s.", subject=name):
        session.get_one(Subject, 1).subject_name = "Astronomy"
    session.commit()
    flushed, flushed_deed = told()

    with telling(session, "rename", "Renamed %(subject)s.", subject=name) as teller:
        connection = session.connection()
        connection.execute(update(_SUBJECT).where(_SUBJECT.c.subjectId == 1).values(subjectName="Logic"))
        teller.tell(Subject, 1, {"subject_name": "Astronomy"}, {"subject_name": "Logic"}, "Logic")
        teller.tell(Subject, 2, {"subject_name": "Same"}, {"subject_name": "Same"}, "Same")
    session.commit()
    changed, its_deed = told()

    assert flushed.details
    assert changed.details == flushed.details | {
        "changes": {"subject_name": ["Astronomy", "Logic"]},
        "label": "Logic",
    }
    assert its_deed.details == flushed_deed.details
    for entry, like in ((changed, flushed), (its_deed, flushed_deed)):
        assert (entry.action, entry.entity, entry.entity_id) == (like.action, like.entity, like.entity_id)
        assert (entry.user_id, entry.batch) == (PRINCIPAL.user_id, teller.batch)


def test_new_rows_and_those_that_are_gone_are_told_with_all_their_values(session: Session, told: Told) -> None:
    with telling(session, "tidy", "Tidied up.") as teller:
        teller.tell(Subject, 77, {}, {"subject_id": 77, "subject_name": "Logic"}, "Logic")
        teller.tell(Subject, 77, {"subject_id": 77, "subject_name": "Logic"}, {}, "Logic")
    session.commit()

    made, gone, _deed = told()

    assert (made.action, gone.action) == ("create_subject", "delete_subject")
    assert changes(made) == {"subject_id": [None, 77], "subject_name": [None, "Logic"]}
    assert changes(gone) == {"subject_id": [77, None], "subject_name": ["Logic", None]}


def test_within_a_deed_rows_that_are_told_are_a_part_of_it(session: Session, told: Told) -> None:
    with deed(session, "close_year", "Closed the year.") as outer, telling(session, "rename", "Renamed.") as teller:
        teller.tell(Subject, 1, {"subject_name": "a"}, {"subject_name": "b"}, "b")
    session.commit()

    entries = told()

    assert [entry.action for entry in entries] == ["update_subject", "close_year"]
    assert {entry.batch for entry in entries} == {outer}


@pytest.mark.parametrize("tells", [True, False])
def test_what_comes_after_a_deed_that_tells_is_recorded_by_the_database_again(
    session: Session, told: Told, tells: bool
) -> None:
    with telling(session, "rename", "Renamed.") as teller:
        if tells:
            teller.tell(Subject, 1, {"subject_name": "a"}, {"subject_name": "b"}, "b")
    session.connection().execute(update(_SUBJECT).where(_SUBJECT.c.subjectId == 1).values(subjectName="Logic"))
    session.commit()

    outside = [bool(entry.details and entry.details.get("outside")) for entry in told()]

    assert outside == [False, False] * tells + [True]


def test_a_session_that_told_of_rows_speaks_for_nobody_else_before_it_commits(session: Session) -> None:
    with telling(session, "rename", "Renamed.") as teller:
        teller.tell(Subject, 1, {"subject_name": "a"}, {"subject_name": "b"}, "b")

    with pytest.raises(RuntimeError):
        speak_for(session, TEACHER)


# ---- Bulk doors ----------------------------------------------------------------------------------------------------


BY_ROW = {"logged_as": activity.ROW_BY_ROW}
_SUBJECT = cast(Table, Subject.__table__)

REFUSED_DOORS: dict[str, Callable[[Session], object]] = {
    "Query.update": lambda session: session.query(Subject).update({"subject_name": "x"}),
    "Query.delete": lambda session: session.query(Semester).filter_by(semester_id=3).delete(),
    "execute(update)": lambda session: session.execute(update(Subject).values(subject_name="x")),
    "execute(delete)": lambda session: session.execute(delete(Semester).where(Semester.semester_id == 3)),
    "execute(insert)": lambda session: session.execute(insert(Subject), [{"subject_name": "x"}]),
    "execute(Core update)": lambda session: session.execute(update(_SUBJECT).values(subjectName="x")),
    "execute(Core insert)": lambda session: session.execute(insert(_SUBJECT).values(subjectName="x")),
}


@pytest.mark.parametrize("door", REFUSED_DOORS)
def test_a_bulk_statement_through_the_session_is_refused(session: Session, told: Told, door: str) -> None:
    with pytest.raises(Unlogged, match="logged_as"):
        REFUSED_DOORS[door](session)

    session.commit()
    assert told() == []


@pytest.mark.parametrize(
    ("statement", "rows", "expected"),
    [
        (update(Subject).values(subject_name=Subject.subject_name + " 2"), None, ["update_subject", "update_subject"]),
        (delete(Attendance).where(Attendance.student_id == 1), None, ["delete_attendance"] * 3),
        (insert(Subject), [{"subject_name": "Art"}, {"subject_name": "Music"}], ["create_subject"] * 2),
    ],
    ids=["update", "delete", "insert"],
)
def test_a_bulk_statement_may_ask_to_be_recorded_row_by_row(
    session: Session, told: Told, statement: Any, rows: Any, expected: list[str]
) -> None:
    session.execute(statement, rows, execution_options=BY_ROW)
    session.commit()

    entries = told()
    assert [entry.action for entry in entries] == expected
    assert {entry.user_id for entry in entries} == {PRINCIPAL.user_id}
    assert len({entry.batch for entry in entries}) == 1
    assert not any((entry.details or {}).get("outside") for entry in entries)


def test_a_bulk_statement_may_name_the_entry_that_tells_it(session: Session, told: Told) -> None:
    session.execute(update(User).values(position="staff"), execution_options={"logged_as": "tidy_up"})
    record(session, "tidy_up", PRINCIPAL, {"rows": 3})
    session.commit()

    assert [entry.action for entry in told()] == ["tidy_up"]


def test_after_such_a_statement_the_log_listens_again(session: Session, connection: Connection, told: Told) -> None:
    session.execute(update(User).values(position="staff"), execution_options={"logged_as": "tidy_up"})
    session.connection().execute(text('UPDATE "Subject" SET "subjectName" = \'x\' WHERE "subjectId" = 1'))

    assert [entry.action for entry in told()] == ["update_subject"]


@pytest.mark.parametrize(
    "door",
    [
        lambda session: session.bulk_insert_mappings(Subject, [{"subject_name": "Art"}]),
        lambda session: session.bulk_save_objects([Subject(subject_name="Art")]),
        lambda session: session.connection().execute(insert(_SUBJECT).values(subjectName="Art")),
        lambda session: session.execute(text('INSERT INTO "Subject" ("subjectName") VALUES (\'Art\')')),
    ],
    ids=["bulk_insert_mappings", "bulk_save_objects", "Core on the connection", "SQL as text"],
)
def test_what_goes_around_the_session_is_recorded_by_the_database(
    session: Session, told: Told, door: Callable[[Session], object]
) -> None:
    session.get_one(Student, 1).last_name = "Chea"
    session.flush()  # A flush that told for itself must not make the triggers deaf for what follows.
    told()

    door(session)
    session.commit()

    (entry,) = told()
    assert entry.action == "create_subject"
    assert changes(entry)["subject_name"] == [None, "Art"]


def test_bulk_update_mappings_is_recorded_by_the_database(session: Session, told: Told) -> None:
    session.bulk_update_mappings(inspect(Student), [{"student_id": 1, "last_name": "Chea", "version": 1}])
    session.commit()

    (entry,) = told()
    assert changes(entry) == {"last_name": ["Sok", "Chea"]}


# ---- Outside the application ---------------------------------------------------------------------------------------


@pytest.fixture
def lasting() -> Iterator[Engine]:
    """A small school of one test, for commits and connections of its own."""
    with scratch_database("activity_own", migrated_template()) as url, engine_of(url) as engine:
        with engine.begin() as connection:
            connection.execute(text("SELECT set_config('fsms.logged', 'on', true)"))
            fill(connection)
        yield engine


@contextmanager
def psql(engine: Engine) -> Iterator[psycopg.Connection[Any]]:
    """Open a connection as somebody does who sits at the server."""
    url = make_url(engine.url).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(url, application_name="psql") as connection:
        yield connection


def entries_of(engine: Engine) -> list[ActivityLog]:
    with Session(engine) as session:
        found = list(session.scalars(select(ActivityLog).where(ActivityLog.id > 1000).order_by(ActivityLog.id)))
        session.expunge_all()
    return found


def test_an_update_in_psql_appears_with_before_and_after(lasting: Engine) -> None:
    with psql(lasting) as connection:
        connection.execute('UPDATE "Grade" SET grade = 10 WHERE "gradeId" = 1')
        owner = connection.info.user

    (entry,) = entries_of(lasting)
    assert (entry.action, entry.entity, entry.entity_id, entry.user_id) == ("update_grade", "Grade", 1, None)
    assert entry.details == {
        "outside": True,
        "by": owner,
        "application": "psql",
        "changes": {"grade": ["7.50", "10.00"]},
    }


def test_a_transaction_in_psql_is_one_batch(lasting: Engine) -> None:
    with psql(lasting) as connection:
        connection.execute('UPDATE "Student" SET "previousSchool" = \'Wat Bo\'')
        connection.execute('DELETE FROM "Attendance"')
    with psql(lasting) as connection:
        connection.execute('UPDATE "Student" SET "previousSchool" = NULL')

    batches = [entry.batch for entry in entries_of(lasting)]

    assert len(batches) == 16
    assert len(set(batches[:10])) == len(set(batches[10:])) == 1
    assert batches[0] != batches[-1]


def test_an_update_in_psql_that_changes_nothing_is_not_told(lasting: Engine) -> None:
    with psql(lasting) as connection:
        connection.execute('UPDATE "Grade" SET grade = grade, "updatedAt" = now(), version = version + 1')

    assert entries_of(lasting) == []


def test_emptying_a_table_in_psql_is_told(lasting: Engine) -> None:
    with psql(lasting) as connection:
        connection.execute('TRUNCATE "Attendance"')

    (entry,) = entries_of(lasting)
    assert entry.action == "truncate_attendance"
    assert entry.details is not None
    assert (entry.details["outside"], entry.details["rows"]) == (True, 4)


def test_what_one_transaction_says_of_itself_does_not_hold_for_the_next(lasting: Engine) -> None:
    with psql(lasting) as connection:
        connection.execute("SELECT set_config('fsms.logged', 'on', true)")
        connection.execute('UPDATE "Grade" SET grade = 1')
        connection.commit()
        connection.execute('UPDATE "Grade" SET grade = 2')

    (entry,) = entries_of(lasting)
    assert changes(entry) == {"grade": ["1.00", "2.00"]}


# ---- A log that is only added to -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE \"ActivityLog\" SET details = '{}'",
        'UPDATE "ActivityLog" SET "userId" = 9 WHERE id = 1',
        'DELETE FROM "ActivityLog"',
        'DELETE FROM "ActivityLog" WHERE id = 1',
        'TRUNCATE "ActivityLog"',
        'TRUNCATE "User" CASCADE',
        'UPDATE "User" SET "userId" = 77 WHERE "userId" = 1',
    ],
)
def test_an_entry_is_neither_changed_nor_deleted_by_the_owner_either(connection: Connection, statement: str) -> None:
    owner = connection.scalar(text("SELECT tableowner = current_user FROM pg_tables WHERE tablename = 'ActivityLog'"))
    assert owner

    with pytest.raises(DBAPIError) as refused, connection.begin_nested():
        connection.execute(text(statement))

    assert errors.sentence_for(refused.value) == errors.BY_STATE["FS001"]
    assert connection.scalar(text('SELECT count(*) FROM "ActivityLog" WHERE "userId" = 1')) == 1


def test_an_entry_is_neither_changed_nor_deleted_through_the_session(session: Session) -> None:
    session.scalars(select(ActivityLog)).one().action = "nothing"
    with pytest.raises(DBAPIError, match="only added to"):
        session.flush()
    session.rollback()

    session.delete(session.scalars(select(ActivityLog)).one())
    with pytest.raises(DBAPIError, match="only added to"):
        session.flush()


def test_not_even_retention_rewrites_an_entry(connection: Connection) -> None:
    connection.execute(text("SELECT set_config('fsms.retention', 'on', true)"))

    with pytest.raises(DBAPIError, match="only added to"):
        connection.execute(text("UPDATE \"ActivityLog\" SET action = 'x'"))


def test_the_functions_that_tell_and_keep_do_not_follow_the_callers_search_path(connection: Connection) -> None:
    functions = connection.execute(
        text(
            "SELECT proname, prosecdef, proconfig::text, proacl::text FROM pg_proc WHERE proname ~ '^fsms_(tell|keep)'"
        )
    )

    assert {row.proname: (row.prosecdef, "search_path=pg_catalog" in row.proconfig) for row in functions} == {
        "fsms_tell_change": (True, True),
        "fsms_keep_log": (False, True),
    }


def test_the_triggers_stand_on_every_table_with_its_key_and_its_secrets(connection: Connection) -> None:
    found = connection.execute(
        text(
            "SELECT tgrelid::regclass::text AS table, tgname, encode(tgargs, 'escape') AS arguments "
            "FROM pg_trigger WHERE tgname ~ '^fsms_tell'"
        )
    )
    triggers = {(row.table.strip('"'), row.tgname): row.arguments.split("\\000")[:-1] for row in found}

    expected = {
        (entity.__tablename__, name): [
            inspect(entity).primary_key[0].name,
            *(column.name for column in columns(entity).values() if column.info.get("secret")),
        ]
        for entity in RECORDED
        for name in ("fsms_tell_change", "fsms_tell_truncation")
    }
    assert triggers == expected
