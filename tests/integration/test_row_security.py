"""Who may see and change which row, asked of the database itself through sessions that speak for somebody.

`docs/rules.md` has the table of what a teacher may; each of its cells is tried here.
"""

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from alembic.util import CommandError
from psycopg.errors import InsufficientPrivilege
from sqlalchemy import (
    Connection,
    Engine,
    QueuePool,
    create_engine,
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
from sqlalchemy.exc import DBAPIError, IntegrityError, ProgrammingError
from sqlalchemy.orm import Session, joinedload, scoped_session, sessionmaker

from fsms import embedded, policy, pooling, schema
from fsms.config import ROOT
from fsms.models import (
    ENTITIES,
    Attendance,
    Base,
    Course,
    Enrollment,
    Grade,
    Guardian,
    Student,
    Subject,
    User,
)
from fsms.policy import (
    SYSTEM,
    Actor,
    Confidential,
    Verb,
    actor_of,
    confidential,
    hidden_columns,
    install,
    may,
    reaches,
    speak_for,
)
from fsms.pooling import LookedAtPool
from tests.database import engine_of, migrated_template, scratch_database
from tests.integration.small_school import HASH, fill

BEFORE = "0008_accounts"  # The revision before row security.

CONFIDENTIAL = {entity: found for entity in ENTITIES if (found := confidential(entity))}

PRINCIPAL = Actor(1, "admin")
TEACHER = Actor(2, "teacher")
COLLEAGUE = Actor(9, "teacher")

# To the small school, where class 1 with pupils 1, 2 (dropped) and 4 is the teacher's: class 2 is the colleague's, with
# pupil 6. The teacher is second in class 3 and third in class 4. Rows numbered 10 are of own pupils, 11 of others.
TODAY = "(now() AT TIME ZONE 'Asia/Phnom_Penh')::date"

ROWS = f"""
UPDATE "Course" SET "teacherId1" = 9 WHERE "courseId" = 2;
INSERT INTO "Course"
    ("courseId", "schoolYearId", grade, section, "courseName", "teacherId1", "teacherId2", "teacherId3")
VALUES (3, 1, '6', 'A', 'Grade 6', 9, 2, NULL), (4, 1, '6', 'B', 'Grade 6', NULL, 9, 2);
INSERT INTO "Enrollment" ("enrollmentId", "studentId", "courseId") VALUES (11, 6, 2);
INSERT INTO "Guardian" ("guardianId", "studentId", relation, phone, income, church, "believeJesus") VALUES
    (10, 1, 'Mother', '012345678', 400000, 'Hope', true), (11, 6, 'Father', NULL, 1, NULL, false);
INSERT INTO "FamilyInfo" ("familyinfoId", "studentId") VALUES (10, 1), (11, 6);
INSERT INTO "Scholarship" ("scholarshipId", "studentId") VALUES (10, 1), (11, 6);
INSERT INTO "Grade" ("gradeId", "studentId", "courseId", "subjectId", "semesterId", "gradeDate", grade, "userId") VALUES
    (10, 1, 1, 1, 1, '2025-01', 8, 2), (11, 6, 2, 1, 1, '2025-01', 8, 9), (12, 2, 1, 1, 1, '2025-01', 8, 2);
INSERT INTO "Attendance" ("attendanceId", "studentId", "courseId", "attendanceDate", session, status) VALUES
    (10, 1, 1, {TODAY}, 'AM', 'Present'), (11, 6, 2, {TODAY}, 'AM', 'Present'),
    (12, 1, 1, {TODAY} - 8, 'AM', 'Present'), (13, 6, 2, {TODAY} - 8, 'AM', 'Present');
INSERT INTO "ActivityLog" (id, "userId", action) VALUES (910, 2, 'login'), (911, 9, 'login');
INSERT INTO "Grade" ("gradeId", "studentId", "courseId", "subjectId", "semesterId", "gradeDate", grade, "userId") VALUES
    (13, 1, 1, 1, 2, '2025-05', 8, 2), (14, 6, 2, 1, 2, '2025-05', 8, 9);
INSERT INTO "TermLock" ("termLockId", "semesterId", "courseId", reason) VALUES
    (910, 2, NULL, 'Reports are printed'), (911, 2, 2, 'Reports are printed');
INSERT INTO "Preference" ("userId", name, value) VALUES (2, 'language', '"km"'), (9, 'language', '"en"');
INSERT INTO "SavedView" ("viewId", "userId", page, name, address, shared) VALUES
    (910, 2, 'student', 'Mine', '', false), (911, 9, 'student', 'Another''s', '', false),
    (912, 2, 'student', 'Shared by me once', '', true), (913, 9, 'student', 'Shared', '', true);
INSERT INTO "Receipt" ("receiptId", "userId", key, what, answer) VALUES
    (910, 2, '7d9f1c1e-4b35-4f2e-9c11-5f1a6d1c0b02', 'marks', '1'),
    (911, 9, '7d9f1c1e-4b35-4f2e-9c11-5f1a6d1c0b02', 'marks', '1');
"""  # noqa: S608

Sessions = sessionmaker(join_transaction_mode="create_savepoint")
install(Sessions)


@pytest.fixture(scope="module")
def school() -> Iterator[Engine]:
    """The two teachers' school, in a database of this module."""
    with scratch_database("row_security", migrated_template()) as url, engine_of(url) as engine:
        with engine.begin() as connection:
            fill(connection)
            connection.execute(text(ROWS))
        yield engine


@pytest.fixture
def connection(school: Engine) -> Iterator[Connection]:
    """One connection, and nothing of the test is kept."""
    with school.connect() as connection, connection.begin() as transaction:
        yield connection
        transaction.rollback()


Speaking = Callable[[Actor | None], Session]


@pytest.fixture
def speaking(connection: Connection) -> Iterator[Speaking]:
    """Open sessions that speak for somebody, all on the one connection."""
    opened: list[Session] = []

    def open_for(actor: Actor | None) -> Session:
        session = Sessions(bind=connection)
        speak_for(session, actor)
        opened.append(session)
        return session

    yield open_for
    for session in opened:
        session.close()


@pytest.fixture
def teacher(speaking: Speaking) -> Session:
    """A session that speaks for the teacher."""
    return speaking(TEACHER)


@contextmanager
def refused() -> Iterator[None]:
    """The database says that the role has no right to this; the transaction is over."""
    with pytest.raises(ProgrammingError) as error:
        yield
    assert isinstance(error.value.orig, InsufficientPrivilege)


# ---- The table of docs/rules.md ------------------------------------------------------------------------------------

# What the table calls a row: its table, the numbers of an own and an other row, and one of each that could be added.
PERSON = {"lastName": "'Chea'", "firstName": "'Mony'", "gender": "'male'", "dob": "'2013-05-31'", "class": "'6'"}
STAFF = {"password": f"'{HASH}'", "lastname": "'Som'", "firstname": "'Sokha'"}
COURSE = {"schoolYearId": "2", "grade": "'6'", "courseName": "'Grade 6'"}
MARK = {"subjectId": "2", "semesterId": "1", "gradeDate": "'2025-02'", "grade": "9"}
DAY = {"attendanceDate": f"{TODAY} - 7", "session": "'PM'", "status": "'Late'"}
LONG_AGO = DAY | {"attendanceDate": f"{TODAY} - 8"}

Row = dict[str, str]
CASES: dict[str, tuple[str, int, int, Row, Row]] = {
    "Course": ("Course", 1, 2, {**COURSE, "section": "'A'", "teacherId1": "2"}, {**COURSE, "section": "'B'"}),
    "Enrollment": ("Enrollment", 1, 11, {"studentId": "6", "courseId": "1"}, {"studentId": "1", "courseId": "2"}),
    "Student": ("Student", 1, 6, PERSON, PERSON),
    "Guardian": (
        "Guardian",
        10,
        11,
        {"studentId": "1", "relation": "'Aunt'"},
        {"studentId": "6", "relation": "'Aunt'"},
    ),
    "FamilyInfo": ("FamilyInfo", 10, 11, {"studentId": "2"}, {"studentId": "5"}),
    "Scholarship": ("Scholarship", 10, 11, {"studentId": "1"}, {"studentId": "6"}),
    "Subject": ("Subject", 1, 2, {"subjectName": "'Art'"}, {"subjectName": "'Art'"}),
    "SchoolYear": ("SchoolYear", 1, 2, {"schoolYearCode": "'2026-2027'"}, {"schoolYearCode": "'2026-2027'"}),
    "Semester": (
        "Semester",
        1,
        3,
        {"semester": "'First'", "semesterCode": "'S1-2026'"},
        {"semester": "'First'", "semesterCode": "'S1-2026'"},
    ),
    "Grade": (
        "Grade",
        10,
        11,
        {**MARK, "studentId": "1", "courseId": "1", "userId": "2"},
        {**MARK, "studentId": "6", "courseId": "2", "userId": "2"},
    ),
    "Grade of a dropped pupil": (
        "Grade",
        12,
        11,
        {**MARK, "studentId": "2", "courseId": "1", "userId": "2"},
        {**MARK, "studentId": "6", "courseId": "2", "userId": "2"},
    ),
    "Attendance": (
        "Attendance",
        10,
        11,
        {**DAY, "studentId": "1", "courseId": "1"},
        {**DAY, "studentId": "6", "courseId": "2"},
    ),
    "Attendance of long ago": (
        "Attendance",
        12,
        13,
        {**LONG_AGO, "studentId": "1", "courseId": "1"},
        {**LONG_AGO, "studentId": "6", "courseId": "2"},
    ),
    "User": ("User", 2, 9, {**STAFF, "username": "'sokha'"}, {**STAFF, "username": "'sokha'"}),
    "ActivityLog": (
        "ActivityLog",
        910,
        911,
        {"action": "'login'", "userId": "2"},
        {"action": "'login'", "userId": "9"},
    ),
    "Grade of a locked semester": (
        "Grade",
        13,
        14,
        {**MARK, "semesterId": "2", "studentId": "1", "courseId": "1", "userId": "2"},
        {**MARK, "semesterId": "2", "studentId": "6", "courseId": "2", "userId": "2"},
    ),
    "TermLock": (
        "TermLock",
        910,
        911,
        {"semesterId": "1", "courseId": "1", "reason": "'Mine'"},
        {"semesterId": "1", "courseId": "2", "reason": "'Mine'"},
    ),
    "Preference": (
        "Preference",
        2,
        9,
        {"userId": "2", "name": "'digits'", "value": "'\"khmer\"'"},
        {"userId": "9", "name": "'digits'", "value": "'\"khmer\"'"},
    ),
    "SavedView": (
        "SavedView",
        910,
        911,
        {"userId": "2", "page": "'grade'", "name": "'Mine'", "address": "''"},
        {"userId": "9", "page": "'grade'", "name": "'Mine'", "address": "''"},
    ),
    "SavedView of the office": (
        "SavedView",
        912,
        913,
        {"userId": "2", "page": "'grade'", "name": "'Mine'", "address": "''", "shared": "true"},
        {"userId": "9", "page": "'grade'", "name": "'Mine'", "address": "''", "shared": "true"},
    ),
    "Receipt of this week": (
        "Receipt",
        910,
        911,
        {"userId": "2", "key": "'7d9f1c1e-4b35-4f2e-9c11-5f1a6d1c0b03'", "what": "'marks'", "answer": "'1'"},
        {"userId": "9", "key": "'7d9f1c1e-4b35-4f2e-9c11-5f1a6d1c0b03'", "what": "'marks'", "answer": "'1'"},
    ),
}


def expected_of_a_teacher() -> dict[str, dict[str, str]]:
    """Read the table of docs/rules.md: row, then act, then outcome."""
    section = (ROOT / "docs" / "rules.md").read_text().partition("## Who may see and change what")[2]
    lines = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in section.partition("\n## ")[0].splitlines()
        if line.startswith("|") and not line.startswith("|-")
    ]
    acts, *rows = lines
    return {row[0]: dict(zip(acts[1:], row[1:], strict=True)) for row in rows}


EXPECTED = expected_of_a_teacher()
WHOSE = ("own", "other")


STATEMENTS = {
    "sees": "SELECT {key} FROM {table} WHERE {key} = {number}",
    "adds": "INSERT INTO {table} ({columns}) VALUES ({values})",
    "changes": "UPDATE {table} SET {touched} = {touched} WHERE {key} = {number}",
    "removes": "DELETE FROM {table} WHERE {key} = {number}",
}
ACTS = tuple(STATEMENTS)


def outcome(session: Session, act: str, whose: str, case: str) -> str:
    """Try it, take it back, and say what came of it in the words of the table."""
    table, own, other, own_row, other_row = CASES[case]
    number, row = (own, own_row) if whose == "own" else (other, other_row)
    columns = Base.metadata.tables[table].columns
    key = Base.metadata.tables[table].primary_key.columns[0]
    statement = STATEMENTS[act].format(
        table=f'"{table}"',
        key=f'"{key.name}"',
        number=number,
        touched=next(name for name in ("version", "action", "value", "what", "address", "reason") if name in columns),
        columns=", ".join(f'"{name}"' for name in row),
        values=", ".join(row.values()),
    )
    try:
        result: Any = session.execute(text(statement))
        found = len(result.all()) if act == "sees" else result.rowcount
    except IntegrityError:
        return "still used"
    except ProgrammingError as error:
        if not isinstance(error.orig, InsufficientPrivilege):
            raise
        return "refused"
    finally:
        session.rollback()
    return "yes" if found else "nothing"


@pytest.mark.parametrize("case", EXPECTED)
def test_a_teacher_sees_adds_changes_and_removes_what_the_table_says(teacher: Session, case: str) -> None:
    found = {f"{act} {whose}": outcome(teacher, act, whose, case) for act in ACTS for whose in WHOSE}

    assert found == EXPECTED[case]


def test_the_table_speaks_of_every_table() -> None:
    assert EXPECTED.keys() == CASES.keys()
    assert {table for table, *_ in CASES.values()} == Base.metadata.tables.keys()


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("whose", WHOSE)
def test_nobody_may_do_anything(speaking: Speaking, case: str, whose: str) -> None:
    nobody = speaking(None)

    assert {outcome(nobody, act, whose, case) for act in ACTS} == {"refused"}


@pytest.mark.parametrize("actor", [PRINCIPAL, SYSTEM], ids=["admin", "system"])
@pytest.mark.parametrize("case", CASES)
def test_admins_and_the_system_are_stopped_by_no_policy(speaking: Speaking, actor: Actor, case: str) -> None:
    # The log, which nobody changes, is held by something else than row security.
    acts = ("sees", "adds") if case == "ActivityLog" else ACTS
    owner = speaking(actor)

    assert {outcome(owner, act, whose, case) for act in acts for whose in WHOSE} <= {"yes", "still used"}


@pytest.mark.parametrize("entity", ENTITIES)
def test_what_the_screens_offer_a_teacher_the_database_does(entity: type[Base]) -> None:
    acts = {Verb.LIST: "sees own", Verb.VIEW: "sees own", Verb.EXPORT: "sees own"}
    acts |= {Verb.CREATE: "adds own", Verb.EDIT: "changes own", Verb.DELETE: "removes own"}

    for verb, act in acts.items():
        if may(TEACHER, verb, entity):
            assert EXPECTED[entity.__name__][act] == "yes"


# ---- Every table is guarded ----------------------------------------------------------------------------------------

UNGUARDED = """
SELECT relname FROM pg_class
WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p') AND relname <> 'alembic_version'
  AND (NOT relrowsecurity
       OR NOT EXISTS (SELECT FROM pg_policy WHERE polrelid = pg_class.oid) AND relname <> ALL (:closed))
"""


def unguarded(connection: Connection) -> list[str]:
    """Tables without row security, or open to teachers in no way that a policy and docs/rules.md tell of."""
    closed = [case for case, cells in EXPECTED.items() if set(cells.values()) == {"refused"}]
    return list(connection.scalars(text(UNGUARDED), {"closed": closed}))


def test_every_table_has_its_policy_or_is_closed(connection: Connection) -> None:
    assert unguarded(connection) == []


def test_a_fourteenth_table_without_a_policy_is_noticed_and_closed(connection: Connection, teacher: Session) -> None:
    connection.execute(text('CREATE TABLE "Fourteenth" (id integer)'))

    assert unguarded(connection) == ["Fourteenth"]
    with refused():
        teacher.execute(text('SELECT * FROM "Fourteenth"'))


def test_the_policies_are_for_teachers_alone(connection: Connection) -> None:
    roles = connection.scalars(text("SELECT DISTINCT roles::text FROM pg_policies WHERE schemaname = current_schema()"))

    assert list(roles) == ["{fsms_teacher}"]


# ---- Own classes ---------------------------------------------------------------------------------------------------


def test_all_three_places_of_a_class_count(teacher: Session) -> None:
    assert teacher.scalars(select(Course.course_id).order_by(Course.course_id)).all() == [1, 3, 4]


def test_pupils_of_own_classes_are_seen_and_dropped_ones_too(teacher: Session) -> None:
    assert teacher.scalars(select(Student.student_id).order_by(Student.student_id)).all() == [1, 2, 4]


def test_taking_a_class_away_takes_its_rows_away(connection: Connection, teacher: Session) -> None:
    connection.execute(text('UPDATE "Course" SET "teacherId1" = 9 WHERE "courseId" = 1'))

    assert teacher.scalars(select(Student)).all() == []
    assert teacher.scalars(select(Attendance)).all() == []


def test_a_teacher_without_a_number_has_no_classes(speaking: Speaking) -> None:
    stranger = speaking(Actor(None, "teacher"))

    assert stranger.scalar(select(func.fsms_own_courses())) == []
    assert stranger.scalar(select(func.fsms_own_students())) == []
    assert stranger.scalars(select(Student)).all() == []


@pytest.mark.parametrize("function", ["fsms_user_id", "fsms_own_courses", "fsms_own_students"])
def test_nobody_may_ask_for_own_classes(speaking: Speaking, function: str) -> None:
    with refused():
        speaking(None).scalar(select(getattr(func, function)()))


def test_counts_aggregates_joins_and_core_statements_are_limited_too(teacher: Session) -> None:
    assert teacher.scalar(select(func.count()).select_from(Grade)) == 4
    assert teacher.scalar(select(func.max(Grade.grade_id))) == 13
    assert teacher.scalar(text('SELECT count(*) FROM "Grade"')) == 4
    assert teacher.scalars(select(Student.student_id).where(Student.enrollments.any(course_id=2))).all() == []


# ---- Marks and attendance ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("somebody", [9, 1, None])
def test_a_mark_cannot_be_entered_in_another_name(teacher: Session, somebody: int | None) -> None:
    with refused():
        teacher.execute(
            insert(Grade).values(
                student_id=1,
                course_id=1,
                subject_id=2,
                semester_id=1,
                grade_date="2025-02",
                grade=9,
                user_id=somebody,
            )
        )


def test_a_mark_cannot_be_given_another_name(teacher: Session) -> None:
    with refused():
        teacher.execute(update(Grade).where(Grade.grade_id == 10).values(user_id=9))


def test_whoever_changes_a_colleagues_mark_in_a_shared_class_signs_it(connection: Connection, teacher: Session) -> None:
    connection.execute(text('UPDATE "Grade" SET "userId" = 9 WHERE "gradeId" = 10'))

    with refused():
        teacher.execute(update(Grade).where(Grade.grade_id == 10).values(grade=5))
    teacher.rollback()
    teacher.execute(update(Grade).where(Grade.grade_id == 10).values(grade=5, user_id=2))


@pytest.mark.parametrize("entity", [Grade, Attendance])
def test_nothing_moves_out_of_or_into_a_foreign_class(teacher: Session, entity: type[Grade] | type[Attendance]) -> None:
    (key,) = entity.__mapper__.primary_key

    with refused():
        teacher.execute(update(entity).where(key == 10).values(course_id=2, student_id=6))
    teacher.rollback()
    taken: Any = teacher.execute(update(entity).where(key == 11).values(course_id=1, student_id=1))
    assert taken.rowcount == 0


def test_a_mark_cannot_move_to_a_dropped_pupil(teacher: Session) -> None:
    with refused():
        teacher.execute(update(Grade).where(Grade.grade_id == 10).values(student_id=2, grade_date="2025-03"))


def test_a_mark_for_somebody_who_never_was_in_the_class_is_refused_as_such(teacher: Session) -> None:
    mark = Grade(
        student_id=6, course_id=1, subject_id=1, semester_id=1, grade_date="2025-02", grade=5, user_id=TEACHER.user_id
    )
    teacher.add(mark)

    with pytest.raises(IntegrityError, match="Grade_studentId_courseId_fkey"):
        teacher.flush()


def test_reaching_a_row_asks_for_the_change_that_is_meant(teacher: Session) -> None:
    assert [reaches(teacher, verb, Grade, 12) for verb in (Verb.VIEW, Verb.EDIT, Verb.DELETE)] == [True, False, False]
    assert [reaches(teacher, verb, Grade, 10) for verb in (Verb.VIEW, Verb.EDIT, Verb.DELETE)] == [True, True, True]
    assert not reaches(teacher, Verb.VIEW, Grade, 11)


# ---- Columns -------------------------------------------------------------------------------------------------------

READABLE = "SELECT has_column_privilege('fsms_teacher', cast(:table AS text), cast(:column AS text), 'SELECT')"
COLUMNS = [(entity, name) for entity in ENTITIES for name in entity.__mapper__.column_attrs.keys()]  # noqa: SIM118


@pytest.mark.parametrize(("entity", "name"), COLUMNS)
def test_the_hidden_columns_are_those_without_a_grant(connection: Connection, entity: type[Base], name: str) -> None:
    column = entity.__mapper__.column_attrs[name].columns[0].name
    granted = connection.scalar(text(READABLE), {"table": f'"{entity.__tablename__}"', "column": column})

    assert granted == (name not in hidden_columns(TEACHER, entity))


@pytest.mark.parametrize(
    "statement",
    [
        'SELECT password FROM "User"',
        'SELECT password FROM "User" WHERE "userId" = 2',
        'SELECT count(password) FROM "User"',
        'SELECT "userId" FROM "User" WHERE password LIKE \'$2%\'',
        'SELECT "userId" FROM "User" ORDER BY "lastLogin"',
        'SELECT * FROM "User"',
        'SELECT u FROM "User" AS u',
        'SELECT to_jsonb(u) FROM "User" AS u',
        'SELECT u::text FROM "User" AS u',
        'TABLE "Guardian"',
        'SELECT max(income) FROM "Guardian"',
        'SELECT "guardianId" FROM "Guardian" WHERE "believeJesus"',
        'SELECT "guardianId" FROM "Guardian" GROUP BY "guardianId", church',
        'SELECT s.religion FROM "Student" AS s JOIN "Enrollment" USING ("studentId")',
        'SELECT count(*) FROM "Student" JOIN "FamilyInfo" USING ("studentId")',
        'SELECT EXISTS (SELECT FROM "Scholarship")',
        'UPDATE "User" SET photo = photo WHERE "userId" = 2 RETURNING password',
        'UPDATE "User" SET photo = password WHERE "userId" = 2',
        'UPDATE "User" SET role = \'admin\' WHERE "userId" = 2',
        'UPDATE "User" SET password = \'$2b$\' WHERE "userId" = 2',
        'SELECT "studentId" FROM "Student" FOR UPDATE',
        'TRUNCATE "Grade"',
        'COPY "Guardian" TO STDOUT',
        "SELECT nextval('\"Student_studentId_seq\"')",
    ],
)
def test_no_detour_leads_to_what_is_confidential(teacher: Session, statement: str) -> None:
    with refused():
        teacher.execute(text(statement))


# ---- The models, read by a teacher ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("entity", "key"),
    [
        (User, 9),
        (Student, 1),
        (Guardian, 10),
        (Course, 1),
        (Enrollment, 2),
        (Grade, 10),
        (Attendance, 10),
        (Subject, 1),
    ],
)
def test_a_teacher_loads_entities_as_everybody_does(teacher: Session, entity: type[Base], key: int) -> None:
    row = teacher.get(entity, key)

    assert row is not None
    assert str(row)
    assert not hidden_columns(TEACHER, entity) & row.__dict__.keys()


@pytest.mark.parametrize("entity", [Course, Student, Enrollment, Grade, Attendance])
def test_a_row_that_is_not_theirs_is_not_there(teacher: Session, entity: type[Base]) -> None:
    assert teacher.get(entity, 2 if entity is Course else 6 if entity is Student else 11) is None


def test_relations_are_loaded_lazily_joined_and_in_batches(teacher: Session) -> None:
    lazily = teacher.get_one(Grade, 10)
    found = (lazily.user, lazily.course.teacher1, [guardian.phone for guardian in lazily.student.guardians])
    assert found == (teacher.get(User, 2), teacher.get(User, 2), ["012345678"])
    teacher.expunge_all()

    at_once = teacher.scalars(
        select(Enrollment)
        .where(Enrollment.enrollment_id == 1)
        .options(
            joinedload(Enrollment.course).joinedload(Course.teacher1),
            joinedload(Enrollment.student).selectinload(Student.guardians),
        )
    ).one()
    assert at_once.course.teacher1
    assert at_once.course.teacher1.full_name == "Kim Dara"
    assert [guardian.relation for guardian in at_once.student.guardians] == ["Mother"]


def test_rows_are_read_again_after_a_commit_and_a_refresh(teacher: Session) -> None:
    guardian = teacher.get_one(Guardian, 10)

    teacher.commit()
    assert guardian.relation == "Mother"
    teacher.refresh(guardian)
    teacher.commit()
    assert guardian.phone == "012345678"


@pytest.mark.parametrize(
    ("entity", "key", "name"),
    [
        (entity, {User: 2, Student: 1, Guardian: 10}[entity], name)
        for entity in CONFIDENTIAL
        for name in CONFIDENTIAL[entity]
    ],
)
def test_touching_what_is_confidential_says_so_and_the_session_goes_on(
    teacher: Session, entity: type[Base], key: int, name: str
) -> None:
    row = teacher.get_one(entity, key)

    with pytest.raises(Confidential, match=f"administrators only.*{name}"):
        getattr(row, name)
    assert teacher.get(Grade, 10)


@pytest.mark.parametrize("actor", [PRINCIPAL, SYSTEM], ids=["admin", "system"])
def test_admins_and_the_system_read_every_column_at_once(speaking: Speaking, actor: Actor) -> None:
    session = speaking(actor)
    mark = session.scalars(select(Grade).where(Grade.grade_id == 10).options(joinedload(Grade.user))).one()
    assert mark.user

    for row in (mark.user, session.get_one(Student, 1), session.get_one(Guardian, 10)):
        assert CONFIDENTIAL[type(row)] <= row.__dict__.keys()


def test_a_teacher_enters_changes_and_removes_a_mark_through_the_models(teacher: Session) -> None:
    mark = Grade(student_id=1, course_id=1, subject_id=2, semester_id=1, grade_date="02/25", grade=7, user_id=2)
    teacher.add(mark)
    teacher.commit()
    assert mark.grade_id > 1000

    mark.grade = Decimal(8)
    teacher.commit()
    assert (str(mark.grade), mark.version) == ("8.00", 2)

    teacher.delete(mark)
    teacher.commit()
    assert teacher.get(Grade, mark.grade_id) is None


def test_a_teacher_changes_the_own_phones_through_the_models(connection: Connection, teacher: Session) -> None:
    teacher.get_one(User, 2).phonenumber1 = "012999888"
    teacher.commit()

    with Session(connection) as session:
        session.execute(text("SET LOCAL ROLE none"))
        assert session.scalar(text('SELECT phonenumber1 FROM "User" WHERE "userId" = 2')) == "012999888"


# ---- The session and its actor -------------------------------------------------------------------------------------


def test_a_session_nobody_speaks_for_reads_nothing(connection: Connection) -> None:
    with Sessions(bind=connection) as forgotten, refused():
        forgotten.get(Subject, 1)


@pytest.mark.parametrize("role", ["", "janitor", "Admin", "fsms"])
def test_an_unknown_role_is_nobody(speaking: Speaking, role: str) -> None:
    with refused():
        speaking(Actor(1, role)).get(Subject, 1)


def test_sessions_of_a_registry_are_guarded_as_well(connection: Connection) -> None:
    registry = scoped_session(sessionmaker(bind=connection, join_transaction_mode="create_savepoint"))
    install(registry)
    speak_for(registry, TEACHER)
    assert registry.get(Course, 2) is None
    registry.remove()

    assert actor_of(registry) is None
    with refused():
        registry.get(Course, 1)
    registry.remove()


def test_changing_the_actor_ends_the_transaction_and_forgets_what_was_read(speaking: Speaking) -> None:
    session = speaking(SYSTEM)
    foreign = session.get_one(Course, 2)

    speak_for(session, TEACHER)

    assert inspect(foreign).detached
    assert session.get(Course, 2) is None
    assert actor_of(session) == TEACHER


def test_speaking_for_the_same_one_again_changes_nothing(teacher: Session) -> None:
    course = teacher.get_one(Course, 1)

    speak_for(teacher, Actor(2, "teacher"))

    assert course in teacher
    assert teacher.in_transaction()


@pytest.mark.parametrize("way", ["added", "changed", "deleted", "flushed", "by statement"])
def test_the_actor_cannot_change_between_a_change_and_its_commit(teacher: Session, way: str) -> None:
    mark = teacher.get_one(Grade, 10)
    if way == "added":
        teacher.add(Subject(subject_name="Art"))
    elif way == "deleted":
        teacher.delete(mark)
    elif way == "by statement":
        teacher.execute(delete(Grade).where(Grade.grade_id == 10))
    else:
        mark.grade = Decimal(9)
    if way == "flushed":
        teacher.flush()

    with pytest.raises(RuntimeError, match="Commit or roll back"):
        speak_for(teacher, SYSTEM)
    teacher.rollback()
    speak_for(teacher, SYSTEM)
    assert teacher.get(Course, 2)


def test_a_savepoint_keeps_the_role_and_costs_no_statement(teacher: Session, connection: Connection) -> None:
    said: list[str] = []
    event.listen(connection, "before_cursor_execute", lambda *facts: said.append(facts[2]))
    teacher.get(Course, 1)
    with pytest.raises(ZeroDivisionError), teacher.begin_nested():
        raise ZeroDivisionError

    assert teacher.get(Course, 2) is None
    assert sum("set_config" in statement for statement in said) == 1


def test_sessions_that_share_a_connection_do_not_inherit_the_role(speaking: Speaking) -> None:
    for actor, courses in [(TEACHER, 3), (SYSTEM, 4), (COLLEAGUE, 3), (PRINCIPAL, 4), (TEACHER, 3)]:
        session = speaking(actor)
        assert session.scalar(select(func.count()).select_from(Course)) == courses
        session.commit()
    with refused():
        speaking(None).get(Course, 1)


def test_a_pooled_connection_carries_no_role_from_one_transaction_to_the_next(school: Engine) -> None:
    pooled = create_engine(school.url, poolclass=QueuePool, pool_size=1, max_overflow=0)
    server = set()
    for actor, courses in [(TEACHER, 3), (SYSTEM, 4), (TEACHER, 3)]:
        with Sessions(bind=pooled) as session:
            speak_for(session, actor)
            server.add(session.scalar(text("SELECT pg_backend_pid()")))
            assert session.scalar(select(func.count()).select_from(Course)) == courses
            session.commit()
    with pooled.connect() as bare:
        server.add(bare.scalar(text("SELECT pg_backend_pid()")))
        said = bare.execute(text("SELECT current_setting('role'), current_setting('fsms.user_id', true)")).one()
    pooled.dispose()

    assert len(server) == 1
    assert tuple(said) == ("none", "")


def test_a_transaction_keeps_the_isolation_that_it_was_asked_for(school: Engine) -> None:
    for level in ("REPEATABLE READ", "SERIALIZABLE", "READ COMMITTED"):
        with Sessions(bind=school.execution_options(isolation_level=level)) as session:
            speak_for(session, TEACHER)
            said = session.execute(text("SELECT current_setting('transaction_isolation'), current_user")).one()
            assert tuple(said) == (level.lower(), "fsms_teacher")


def test_a_role_that_the_database_refuses_ends_in_its_error_and_nobody_reads_anything(
    school: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(policy.DATABASE_ROLES, "teacher", "no such role")
    with Sessions(bind=school) as session:
        speak_for(session, TEACHER)
        with pytest.raises(DBAPIError, match="no such role"):
            session.get(Course, 1)
        session.rollback()

        monkeypatch.undo()

        assert session.scalar(select(func.count()).select_from(Course)) == 3


def test_a_session_without_transactions_is_refused_since_a_role_lasts_as_long_as_one(school: Engine) -> None:
    with Sessions(bind=school.execution_options(isolation_level="AUTOCOMMIT")) as session:
        speak_for(session, TEACHER)
        with pytest.raises(RuntimeError, match="Without a transaction"):
            session.get(Course, 2)


ACCOUNT = select(
    User.user_id.label("user_id"), User.role, User.status, User.password, User.full_name.label("full_name")
).where(User.user_id == policy.ACCOUNT)


@pytest.fixture(params=["a transaction of its own", "one that has begun"])
def beginning(request: pytest.FixtureRequest, school: Engine, connection: Connection) -> Iterator[Session]:
    """A session that nobody speaks through yet."""
    with Sessions(bind=school if request.param == "a transaction of its own" else connection) as session:
        yield session


@pytest.mark.parametrize(("actor", "courses"), [(PRINCIPAL, 4), (TEACHER, 3)])
def test_a_session_begins_for_an_account_and_knows_it(beginning: Session, actor: Actor, courses: int) -> None:
    kept = policy.begin_for(beginning, actor.user_id or 0, ACCOUNT)

    assert kept
    assert (kept["user_id"], kept["role"], kept["status"], kept["password"]) == (
        actor.user_id,
        actor.role,
        "active",
        HASH,
    )
    assert actor_of(beginning) == actor
    assert beginning.scalar(select(func.count()).select_from(Course)) == courses
    assert beginning.scalar(text("SELECT current_setting('fsms.user_id')")) == str(actor.user_id)
    beginning.rollback()
    assert beginning.scalar(select(func.count()).select_from(Course)) == courses


def test_an_account_that_is_not_there_or_not_in_use_is_nobodys(beginning: Session) -> None:
    speak_for(beginning, SYSTEM)
    beginning.execute(text("""UPDATE "User" SET status = 'inactive' WHERE "userId" = 9"""))
    beginning.commit()
    try:
        for number in (9, 999_999):
            assert policy.begin_for(beginning, number, ACCOUNT) is None
            assert actor_of(beginning) is None
            with refused():
                beginning.get(Subject, 1)
            beginning.rollback()
    finally:
        speak_for(beginning, SYSTEM)
        beginning.execute(text("""UPDATE "User" SET status = 'active' WHERE "userId" = 9"""))
        beginning.commit()


def test_a_session_does_not_begin_for_an_account_over_a_change_that_is_not_kept(teacher: Session) -> None:
    teacher.get_one(Grade, 10).grade = Decimal(9)

    with pytest.raises(RuntimeError, match="Commit or roll back"):
        policy.begin_for(teacher, 1, ACCOUNT)
    assert actor_of(teacher) == TEACHER


def test_a_beginning_that_fails_leaves_the_session_to_nobody(school: Engine) -> None:
    unreadable = select(User.user_id.label("user_id"), text("nothing")).where(User.user_id == policy.ACCOUNT)
    with Sessions(bind=school) as session:
        speak_for(session, PRINCIPAL)
        with pytest.raises(DBAPIError):
            policy.begin_for(session, 1, unreadable)
        session.rollback()

        assert actor_of(session) is None
        with refused():
            session.get(Course, 1)


@contextmanager
def kept_connection(school: Engine, **given: Any) -> Iterator[Engine]:
    """An engine with one connection, as the application keeps them."""
    engine = create_engine(school.url, poolclass=LookedAtPool, pool_size=1, max_overflow=0, connect_args=given)
    pooling.install(engine)
    yield engine
    engine.dispose()


BEGINNINGS = text("SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE '%WITH account%'")


def courses_seen(engine: Engine, actor: Actor) -> int:
    """Begin for an account, and count the courses that it sees."""
    with Sessions(bind=engine) as session:
        assert policy.begin_for(session, actor.user_id or 0, ACCOUNT)
        assert actor_of(session) == actor
        return int(session.scalar(select(func.count()).select_from(Course)) or 0)


def test_what_begins_a_session_is_planned_once_and_says_each_time_who_it_is(school: Engine) -> None:
    with kept_connection(school) as engine:
        for _ in range(7):
            assert [courses_seen(engine, actor) for actor in (PRINCIPAL, TEACHER)] == [4, 3]

        with engine.connect() as connection:
            assert connection.scalar(BEGINNINGS) == 1
            assert connection.scalar(text("SELECT current_setting('fsms.user_id', true)")) in {None, ""}


def test_a_session_begins_though_the_server_was_made_to_forget_what_is_prepared(school: Engine) -> None:
    with kept_connection(school) as engine:
        for _ in range(3):
            assert courses_seen(engine, TEACHER) == 3
            with engine.connect() as connection:
                connection.execute(text("DEALLOCATE ALL"))

        assert [courses_seen(engine, actor) for actor in (TEACHER, TEACHER)] == [3, 3]
        with engine.connect() as connection:
            assert connection.scalar(BEGINNINGS) == 1


def test_a_savepoint_that_is_taken_back_costs_the_next_beginning_no_error(
    school: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers, begin = [], policy._began_with

    def began(driver: Any, said: str) -> Any:
        answers.append(begin(driver, said))
        return answers[-1]

    monkeypatch.setattr(policy, "_began_with", began)
    with kept_connection(school) as engine:
        for _ in range(3):
            assert [courses_seen(engine, actor) for actor in (TEACHER, PRINCIPAL)] == [3, 4]
            with engine.connect() as connection:
                savepoint = connection.begin_nested()
                connection.execute(select(func.count()).select_from(Course))
                savepoint.rollback()

    # A connection that was just made is still busy with what its driver asks first.
    assert len(answers) == 6
    assert None not in answers[1:]


def test_a_statement_that_is_prepared_under_its_name_already_is_used(school: Engine) -> None:
    with kept_connection(school) as engine, engine.connect() as connection:
        driver: Any = connection.connection.driver_connection
        name = driver.named("SELECT $1", "int")
        driver.forget_named()

        assert driver.named("SELECT $1", "int") == name
        assert driver.named("SELECT $2", "int") != name


def test_nothing_is_prepared_where_nothing_may_be(school: Engine) -> None:
    with kept_connection(school, prepare_threshold=None) as engine:
        assert [courses_seen(engine, actor) for actor in (PRINCIPAL, TEACHER)] == [4, 3]

        with engine.connect() as connection:
            assert connection.scalar(BEGINNINGS) == 0


def test_a_statement_prepared_for_one_actor_is_planned_anew_for_another(school: Engine) -> None:
    pooled = create_engine(school.url, poolclass=QueuePool, pool_size=1, connect_args={"prepare_threshold": 0})
    for _ in range(8):
        for actor, courses in [(TEACHER, 3), (SYSTEM, 4)]:
            with Sessions(bind=pooled) as session:
                speak_for(session, actor)
                assert len(session.scalars(select(Course.course_id)).all()) == courses
    pooled.dispose()


# ---- Speed ---------------------------------------------------------------------------------------------------------

MANY = """
SET LOCAL fsms.logged = 'on';
INSERT INTO "Course" ("courseId", "schoolYearId", grade, section, "courseName", "teacherId1")
    SELECT 1000 + n, 2, '7', n::text, 'Grade 7', CASE WHEN n = 1 THEN 2 ELSE 9 END FROM generate_series(1, 200) AS n;
INSERT INTO "Student" ("studentId", "lastName", "firstName", gender, dob, class)
    SELECT 10000 + n, 'Sok', 'Dara', 'male', '2013-05-31', '7' FROM generate_series(1, 4000) AS n;
INSERT INTO "Enrollment" ("studentId", "courseId")
    SELECT 10000 + n, 1001 + n % 200 FROM generate_series(1, 4000) AS n;
INSERT INTO "Attendance" ("studentId", "courseId", "attendanceDate", session, status)
    SELECT 10000 + n, 1001 + n % 200, date '2024-01-01' + day, 'AM', 'Present'
    FROM generate_series(1, 400) AS n, generate_series(1, 50) AS day;
ANALYZE "Course", "Student", "Enrollment", "Attendance";
"""


def plan_of(session: Session, statement: str) -> str:
    return "\n".join(session.scalars(text(f"EXPLAIN {statement}")))


def test_a_teachers_list_uses_the_indexes_and_asks_for_the_own_classes_once(
    connection: Connection, teacher: Session
) -> None:
    connection.execute(text(MANY))

    plan = plan_of(
        teacher,
        'SELECT a.*, s."lastName", c.section FROM "Attendance" AS a '
        'JOIN "Student" AS s USING ("studentId") JOIN "Course" AS c USING ("courseId") '
        'ORDER BY a."attendanceDate" DESC LIMIT 50',
    )

    assert 'Seq Scan on "Attendance"' not in plan
    assert "InitPlan" in plan
    assert all("hashed SubPlan" in line for line in plan.splitlines() if "Filter" in line and "SubPlan" in line)
    # A single pupil is found by number, not among the own ones.
    assert "Student_pkey" in plan_of(teacher, 'SELECT "lastName" FROM "Student" WHERE "studentId" = 10200')


# ---- Roles belong to the server ------------------------------------------------------------------------------------


def roles_of(engine: Engine) -> set[str]:
    with engine.connect() as connection:
        return set(connection.scalars(text("SELECT rolname FROM pg_roles WHERE starts_with(rolname, 'fsms_')")))


def courses_of_the_teacher(engine: Engine) -> int | None:
    with Sessions(bind=engine) as session:
        speak_for(session, TEACHER)
        return session.scalar(select(func.count()).select_from(Course))


def test_one_database_steps_back_and_the_others_of_the_server_go_on(school: Engine) -> None:
    with scratch_database("neighbour", migrated_template()) as url, engine_of(url) as neighbour:
        schema.downgrade(neighbour, BEFORE)
        assert courses_of_the_teacher(school) == 3
        with refused():
            courses_of_the_teacher(neighbour)

        schema.upgrade(neighbour)
        assert courses_of_the_teacher(neighbour) == 0


def test_stepping_back_leaves_nothing_behind(school: Engine) -> None:
    with scratch_database("stepped_back", migrated_template()) as url, engine_of(url) as engine:
        schema.downgrade(engine, BEFORE)
        with engine.connect() as connection:
            left = connection.scalars(
                text(
                    "SELECT classid::regclass::text FROM pg_shdepend "
                    "JOIN pg_database ON pg_database.oid = dbid AND datname = current_database() "
                    "JOIN pg_roles ON pg_roles.oid = refobjid AND rolname IN ('fsms_teacher', 'fsms_nobody')"
                )
            )
            guarded = connection.scalars(
                text("SELECT relname FROM pg_class WHERE relrowsecurity UNION SELECT policyname FROM pg_policies")
            )
            assert (list(left), list(guarded)) == ([], [])


@pytest.fixture(scope="module")
def own_server(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A server to ourselves, on which our roles can come and go, with a database that stands before them."""
    url = make_url(embedded.share(Path(tmp_path_factory.mktemp("server")), durable=False).url)
    server = url.set(drivername="postgresql+psycopg").render_as_string(hide_password=False)
    with engine_of(server) as engine:
        schema.upgrade(engine, BEFORE)
    return server


@contextmanager
def database_on(server: str, name: str, owner: str = "fsms", template: str = "fsms") -> Iterator[Engine]:
    """A database of that server, and the account that owns it."""
    maintenance = make_url(server).set(database="template1").render_as_string(hide_password=False)
    url = make_url(server).set(database=name)
    given = url if owner == "fsms" else url.set(username=owner, password=owner)
    _once(maintenance, f"CREATE DATABASE {name} OWNER {owner} TEMPLATE {template}")
    try:
        with engine_of(given.render_as_string(hide_password=False)) as engine:
            yield engine
    finally:
        _once(maintenance, f"DROP DATABASE {name} WITH (FORCE)")


def _once(url: str, statement: str) -> None:
    with engine_of(url) as engine, engine.connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT").execute(text(statement))


def test_the_last_database_takes_the_roles_with_it(own_server: str) -> None:
    with database_on(own_server, "first") as first, database_on(own_server, "second") as second:
        schema.upgrade(first)
        schema.upgrade(second)
        schema.downgrade(first, BEFORE)
        assert roles_of(second) == {"fsms_teacher", "fsms_nobody"}

        schema.downgrade(second, BEFORE)
        assert roles_of(second) == set()

        schema.upgrade(first)
        assert courses_of_the_teacher(first) == 0
        schema.downgrade(first, BEFORE)


def test_two_databases_upgraded_at_once_share_the_roles(own_server: str) -> None:
    with database_on(own_server, "left_hand") as left, database_on(own_server, "right_hand") as right:
        # Alembic keeps its state for the whole process, so each has one of its own.
        program = "import sys, sqlalchemy, fsms.schema; fsms.schema.upgrade(sqlalchemy.create_engine(sys.argv[1]))"
        at_once = [
            subprocess.Popen(
                (sys.executable, "-c", program, engine.url.render_as_string(hide_password=False)), cwd=ROOT
            )
            for engine in (left, right)
        ]

        assert [process.wait() for process in at_once] == [0, 0]
        assert [courses_of_the_teacher(engine) for engine in (left, right)] == [0, 0]
        for engine in (left, right):
            schema.downgrade(engine, BEFORE)
        assert roles_of(left) == set()


def test_an_owner_who_may_not_make_roles_is_told_what_the_dba_must_run(own_server: str) -> None:
    _once(own_server, "CREATE ROLE clerk LOGIN PASSWORD 'clerk'")
    _once(own_server, "GRANT clerk TO CURRENT_USER")
    with database_on(own_server, "clerks", owner="clerk", template="template1") as engine:
        schema.upgrade(engine, BEFORE)
        with pytest.raises(CommandError, match="Let a database administrator") as told:
            schema.upgrade(engine)
        statements = str(told.value).splitlines()[1:]
        assert statements == [
            "CREATE ROLE fsms_teacher NOLOGIN ROLE clerk;",
            "CREATE ROLE fsms_nobody NOLOGIN ROLE clerk;",
        ]
        with engine.connect() as untouched:
            assert schema.current(untouched) == BEFORE

        _once(own_server, statements[0])
        _once(own_server, "CREATE ROLE fsms_nobody NOLOGIN")
        with pytest.raises(CommandError) as told:
            schema.upgrade(engine)
        assert str(told.value).splitlines()[1:] == ["GRANT fsms_nobody TO clerk;"]

        _once(own_server, "GRANT fsms_nobody TO clerk")
        schema.upgrade(engine)
        assert courses_of_the_teacher(engine) == 0

        # The roles are the administrator's: stepping back leaves them.
        schema.downgrade(engine, BEFORE)
        assert roles_of(engine) == {"fsms_teacher", "fsms_nobody"}
    _once(own_server, "DROP ROLE fsms_teacher, fsms_nobody, clerk")


def test_down_and_up_again_there_is_no_drift() -> None:
    with scratch_database("down_and_up", migrated_template()) as url, engine_of(url) as engine:
        schema.downgrade(engine, BEFORE)
        schema.upgrade(engine)

        with engine.connect() as connection:
            assert schema.drift(connection) == []
