"""The way from the existing application's schema to ours and back, with rows in it; and whether we stray from it."""

import datetime as dt
import subprocess
import sys
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import IntegrityError

from fsms import schema
from fsms.config import ROOT
from fsms.models import ENTITIES, Base
from fsms.text import iso_period
from tests.database import engine_of, migrated_template, scratch_database
from tests.integration.small_school import HASH, fill

SCRIPTS = [*ScriptDirectory(str(schema.MIGRATIONS)).walk_revisions()][::-1]
REVISIONS = [script.revision for script in SCRIPTS]
# What the panel keeps beside them goes with the revision that brought it.
TABLES = [entity.__tablename__ for entity in ENTITIES]

# What the existing application left behind: moments in UTC, months as MM/YY, words in any case, marks and attendance
# of pupils who were taken out of the class, drops half filled in, and a log of plain sentences.
OLD_ROWS = f"""
INSERT INTO "User" ("userId", username, password, lastname, firstname, role, status, "createdAt", "updatedAt") VALUES
    (1, 'principal ', '{HASH}', 'Chan', 'Sophea', 'Admin', 'Active', '2024-11-01 18:30:00.123', '2024-11-01 18:30:00');
INSERT INTO "ActivityLog" ("userId", action, details, timestamp) VALUES
    (1, 'login', NULL, '2024-11-01 18:30:00.5'),
    (1, 'login', 'ចូលប្រើប្រាស់: 100%', '2024-11-02'),
    (1, 'update_grade', '{{"grade": [6, 8]}}', '2024-11-03'),
    (1, 'update_grade', '[1, 2]', '2024-11-04'),
    (1, 'update_grade', '{{"grade": ', '2024-11-05');
INSERT INTO "Student"
    ("studentId", "lastName", "firstName", gender, dob, class, status, "registrationDate", "updatedAt") VALUES
    (1000, 'Sok', 'Dara', 'Male', '2014-04-30 17:00:00', '5A', 'Active', '2024-10-01 02:15:00', '2024-10-01'),
    (1001, 'Sok', 'Bopha', 'ស្រី', '2014-05-01 00:00:00', 'ថ្នាក់ទី ៥', NULL, NULL, '2024-10-01'),
    (1002, 'Keo', 'Vanna', 'female', '2013-05-31 23:59:59', '12', NULL, NULL, '2024-10-01'),
    (1003, 'Keo', 'Pich', 'female', '2013-05-31', '5', NULL, NULL, '2024-10-01'),
    (1004, 'Keo', 'Nary', 'female', '2013-05-31', '5', NULL, NULL, '2024-10-01');
INSERT INTO "Guardian" ("studentId", relation, income, "updatedAt") VALUES
    (1000, 'father', 400000.1, '2024-10-01'), (1000, 'Step-mother', NULL, '2024-10-01'),
    (1001, ' ', 0.005, '2024-10-01');
INSERT INTO "FamilyInfo" ("studentId", "povertyCard", "livingCondition", "updatedAt") VALUES
    (1000, 'Yes', 'poor', '2024-10-01');
INSERT INTO "SchoolYear" ("schoolYearId", "schoolYearCode", "updatedAt") VALUES (1, '2024 - 2025', '2024-10-01');
INSERT INTO "Semester" ("semesterId", semester, "semesterCode", "updatedAt") VALUES
    (1, 'ឆមាសទី ១', 'S1', '2024-10-01'), (2, 'ឆមាសទី ២', 'S2', '2024-10-01');
INSERT INTO "Subject" ("subjectId", "subjectName", "updatedAt") VALUES (1, 'Mathematics ', '2024-10-01');
INSERT INTO "Course" ("courseId", "schoolYearId", grade, section, "courseName", "updatedAt") VALUES
    (1, 1, '5', 'A', 'ថ្នាក់ទី 5', '2024-10-01'), (2, 1, '6', 'A', 'ថ្នាក់ទី 6', '2024-10-01');
INSERT INTO "Enrollment" ("studentId", "courseId", "drop", "dropSemesterId", "dropDate", "updatedAt") VALUES
    (1000, 1, false, NULL, NULL, '2024-10-01'),
    (1001, 1, true, 2, '2025-05-01 17:00:00', '2025-05-02'),
    (1002, 1, true, NULL, NULL, '2025-02-03 20:00:00'),
    (1003, 1, false, 1, '2024-12-01', '2024-12-02');
INSERT INTO "Grade" ("studentId", "courseId", "subjectId", "semesterId", "gradeDate", grade, "updatedAt") VALUES
    (1000, 1, 1, 1, '11/24', 7.1, '2024-12-01'),
    (1000, 1, 1, 1, '12/2024', 6.005, '2025-01-01'),
    (1000, 1, 1, 1, '14/01/2025', 10, '2025-01-15'),
    (1000, 1, 1, 1, '2025-2', 9, '2025-02-15'),
    (1000, 1, 1, 2, '2025-03-09', 9, '2025-03-15'),
    (1000, 1, 1, 2, '០៤/២៥', 9, '2025-04-15'),
    (1000, 1, 1, 2, '2025-05-04T17:00:00.000Z', 9, '2025-05-15'),
    (1003, 2, 1, 1, '11/24', 5, '2024-12-01'),
    (1003, 2, 1, 1, '02/25', 6, '2025-03-01');
INSERT INTO "Attendance" ("studentId", "courseId", "semesterId", "attendanceDate", session, status, "updatedAt") VALUES
    (1000, 1, 1, '2024-11-04 17:00:00', 'AM', 'absent', '2024-11-05'),
    (1000, 1, 1, '2024-11-05 00:00:00', 'PM', 'Permission', '2024-11-05'),
    (1000, 1, 1, '2024-11-06 00:00:00', 'FULL', 'EXCUSED', '2024-11-06'),
    (1003, 2, 2, '2025-04-07 00:00:00', 'AM', 'late', '2025-04-07'),
    (1004, 1, NULL, '2024-11-20 00:00:00', 'AM', 'late', '2024-11-20'),
    (1004, 2, NULL, '2025-04-08 00:00:00', 'AM', 'late', '2025-04-08');
"""  # noqa: S608


@pytest.fixture
def empty() -> Iterator[Engine]:
    """A database in which no migration ever ran."""
    with scratch_database("migrations") as url, engine_of(url) as engine:
        yield engine


@pytest.fixture
def migrated() -> Iterator[Engine]:
    """A database at the head, without rows."""
    with scratch_database("migrated", migrated_template()) as url, engine_of(url) as engine:
        yield engine


@pytest.fixture(scope="module")
def _adopted() -> Iterator[Engine]:
    with scratch_database("adopted") as url, engine_of(url) as engine:
        schema.upgrade(engine, "0001_spec")
        with engine.begin() as connection:
            connection.execute(text(OLD_ROWS))
            # Somebody's server may stand anywhere; old moments are UTC all the same.
            connection.execute(
                text(
                    "ALTER DATABASE "
                    + connection.engine.dialect.identifier_preparer.quote(
                        str(connection.scalar(text("SELECT current_database()")))
                    )
                    + " SET TimeZone = 'America/New_York'"
                )
            )
        schema.upgrade(engine)
        yield engine


@pytest.fixture
def adopted(_adopted: Engine) -> Iterator[Connection]:
    """A database of the existing application, brought to the head."""
    with _adopted.connect() as connection:
        yield connection


def rows(connection: Connection, question: str) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in connection.execute(text(question))]


def checksums(engine: Engine, *, without: frozenset[str] = frozenset()) -> dict[str, tuple[int, str]]:
    """Count and sum up the rows of every table, leaving out columns that not every schema has."""
    summed = {}
    with engine.connect() as connection:
        for table in TABLES:
            count, checksum = connection.execute(
                text(
                    f"""SELECT count(*), coalesce(md5(string_agg(row, ',' ORDER BY row)), '') FROM (
                        SELECT (to_jsonb(found) - cast(:without AS text[]))::text AS row FROM "{table}" AS found
                    ) AS _"""  # noqa: S608
                ),
                {"without": sorted(without)},
            ).one()
            summed[table] = (count, checksum)
    return summed


# ---- The chain -----------------------------------------------------------------------------------------------------


def test_the_revisions_form_one_line_and_each_says_why() -> None:
    assert [script.down_revision for script in SCRIPTS] == [None, *REVISIONS[:-1]]
    assert [int(revision[:4]) for revision in REVISIONS] == list(range(1, len(REVISIONS) + 1))
    assert all(script.doc.endswith(".") for script in SCRIPTS)
    assert schema.head() == REVISIONS[-1]


def test_a_database_knows_its_revision(empty: Engine) -> None:
    with empty.connect() as connection:
        assert schema.current(connection) is None

    schema.upgrade(empty, "0003_columns")

    with empty.connect() as connection:
        assert schema.current(connection) == "0003_columns"


def test_each_downgrade_gives_back_the_earlier_schema(empty: Engine) -> None:
    described = {}
    for revision in REVISIONS:
        schema.upgrade(empty, revision)
        described[revision] = description(empty)

    for revision in reversed(REVISIONS[:-1]):
        schema.downgrade(empty, revision)
        assert description(empty) == described[revision]


def description(engine: Engine) -> dict[str, str]:
    with engine.connect() as connection:
        described = schema._described(connection)
        sequences = rows(
            connection, "SELECT sequencename, start_value::text FROM pg_sequences WHERE schemaname = 'public'"
        )
        triggers = rows(
            connection,
            "SELECT tgrelid::regclass || ' ' || tgname, pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal",
        )
        functions = rows(
            connection,
            r"SELECT oid::regprocedure::text, regexp_replace(prosrc, '\s+', ' ', 'g') FROM pg_proc "
            "WHERE pronamespace = 'public'::regnamespace "
            "AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = pg_proc.oid AND deptype = 'e')",
        )
        schemas = rows(
            connection,
            "SELECT 'schema', string_agg(nspname, ',' ORDER BY nspname) FROM pg_namespace WHERE nspname !~ '^pg_'",
        )
    return described | dict(sequences) | dict(triggers) | dict(functions) | dict(schemas)


def test_down_to_nothing_leaves_nothing_and_up_again_makes_the_same(migrated: Engine) -> None:
    before = description(migrated)
    with migrated.begin() as connection:
        fill(connection)

    schema.downgrade(migrated, "base")

    with migrated.connect() as connection:
        assert schema._described(connection) == {}
        assert (
            rows(
                connection,
                "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace "
                "AND relkind IN ('r', 'S', 'i') AND relname !~ 'alembic_version'",
            )
            == []
        )
        assert rows(connection, "SELECT typname FROM pg_type WHERE typname ~ 'AttendanceSession'") == []
        assert rows(connection, "SELECT nspname FROM pg_namespace WHERE nspname = 'monitoring'") == []
    schema.upgrade(migrated)
    assert description(migrated) == before


@pytest.mark.parametrize("revision", REVISIONS[:-1])
def test_down_and_up_again_keeps_every_row(migrated: Engine, revision: str) -> None:
    with migrated.begin() as connection:
        fill(connection)
        connection.execute(
            text(
                'INSERT INTO "ActivityLog" ("userId", action, details) VALUES '
                '(1, \'update_grade\', \'{"changes": {"grade": ["6.00", "8.00"]}}\'), '
                "(1, 'login', '{\"text\": \"ចូល\"}')"
            )
        )
    # The old schema has no place for these.
    lost = frozenset(
        {"version", "startDate", "endDate", "schoolYearId", "entity", "entityId", "batch", "enrolledOn", "away"}
    )
    before = checksums(migrated, without=lost)

    schema.downgrade(migrated, revision)
    counted = {table: count for table, (count, _) in checksums(migrated).items()}
    schema.upgrade(migrated)

    assert counted == {table: count for table, (count, _) in before.items()}
    assert checksums(migrated, without=lost) == before
    with migrated.connect() as connection:
        assert schema.drift(connection) == []


def test_the_old_schema_cannot_hold_what_nobody_did(migrated: Engine) -> None:
    with migrated.begin() as connection:
        fill(connection)
        connection.execute(text("INSERT INTO \"ActivityLog\" (action) VALUES ('login_failed')"))

    schema.downgrade(migrated, "0001_spec")

    with migrated.connect() as connection:
        assert rows(connection, 'SELECT "userId", action FROM "ActivityLog"') == [(1, "login")]
        assert rows(connection, 'SELECT "gradeDate", grade, "createdAt" IS NULL FROM "Grade"') == [
            ("12/24", 7.5, False)
        ]
        assert rows(connection, 'SELECT DISTINCT dob FROM "Student"') == [(dt.datetime(2014, 1, 1),)]  # noqa: DTZ001


def test_several_processes_that_start_at_once_migrate_once(empty: Engine) -> None:
    upgrade = "import sys, sqlalchemy; from fsms import schema; schema.upgrade(sqlalchemy.create_engine(sys.argv[1]))"
    url = empty.url.render_as_string(hide_password=False)

    started = [subprocess.Popen([sys.executable, "-c", upgrade, url], cwd=ROOT) for _ in range(3)]

    assert [process.wait(timeout=60) for process in started] == [0, 0, 0]

    with empty.connect() as connection:
        assert schema.current(connection) == schema.head()
        assert schema.drift(connection) == []


def test_a_connection_in_a_transaction_leaves_the_commit_to_its_owner(empty: Engine) -> None:
    with empty.connect() as connection, connection.begin() as transaction:
        schema.upgrade(connection)
        assert schema.current(connection) == schema.head()
        transaction.rollback()

    with empty.connect() as connection:
        assert schema.current(connection) is None


def test_marks_of_a_time_before_the_first_day_outlive_the_upgrade_and_no_new_ones_come(migrated: Engine) -> None:
    early = """INSERT INTO "Grade" ("studentId", "courseId", "subjectId", "semesterId", "gradeDate", grade)
        VALUES (4, 1, {subject}, 1, '2024-10', 6)"""
    with migrated.begin() as connection:
        fill(connection)
    schema.downgrade(migrated, "0020_absences")
    with migrated.begin() as connection:
        connection.execute(text(early.format(subject=1)))

    schema.upgrade(migrated)

    with migrated.begin() as connection:
        connection.execute(text('UPDATE "Grade" SET grade = 7 WHERE "gradeDate" = \'2024-10\''))
        assert rows(connection, 'SELECT "studentId", grade FROM "Grade" WHERE "gradeDate" = \'2024-10\'') == [(4, 7)]
    with (
        migrated.connect() as connection,
        pytest.raises(IntegrityError, match="outside the place"),
    ):
        connection.execute(text(early.format(subject=2)))


# ---- A database of the existing application ------------------------------------------------------------------------


def test_a_database_of_the_existing_application_is_stamped_and_upgraded(empty: Engine) -> None:
    schema.upgrade(empty, "0001_spec")
    with empty.begin() as connection:
        connection.execute(text("DROP TABLE alembic_version"))

    schema.stamp(empty, "0001_spec")
    schema.upgrade(empty)

    with empty.connect() as connection:
        assert schema.drift(connection) == []


def test_an_upgraded_database_is_what_the_models_say(adopted: Connection) -> None:
    assert schema.drift(adopted) == []


def test_old_moments_were_utc(adopted: Connection) -> None:
    assert rows(adopted, 'SELECT "createdAt" FROM "User"') == [
        (dt.datetime(2024, 11, 1, 18, 30, 0, 123000, tzinfo=dt.UTC),)
    ]
    assert rows(adopted, 'SELECT min(timestamp) FROM "ActivityLog"') == [
        (dt.datetime(2024, 11, 1, 18, 30, 0, 500000, tzinfo=dt.UTC),)
    ]


def test_an_old_birthday_is_the_day_that_was_typed(adopted: Connection) -> None:
    assert rows(adopted, 'SELECT dob FROM "Student" WHERE "studentId" < 1003 ORDER BY "studentId"') == [
        (dt.date(2014, 5, 1),),
        (dt.date(2014, 5, 1),),
        (dt.date(2013, 6, 1),),
    ]
    assert rows(adopted, 'SELECT DISTINCT "registrationDate" FROM "Student" WHERE "studentId" = 1000') == [
        (dt.date(2024, 10, 1),)
    ]


def test_money_and_marks_are_exact(adopted: Connection) -> None:
    assert rows(adopted, 'SELECT income FROM "Guardian" ORDER BY "guardianId"') == [
        (Decimal("400000.10"),),
        (None,),
        (Decimal("0.01"),),
    ]
    assert rows(adopted, 'SELECT grade FROM "Grade" ORDER BY "gradeId" LIMIT 2') == [
        (Decimal("7.10"),),
        (Decimal("6.01"),),
    ]


def test_words_take_their_one_form(adopted: Connection) -> None:
    assert rows(adopted, 'SELECT username, role, status FROM "User"') == [("principal", "admin", "active")]
    assert rows(adopted, 'SELECT gender, class, status FROM "Student" ORDER BY "studentId"') == [
        ("male", "5", "active"),
        ("female", "5", None),
        ("female", "12", None),
        ("female", "5", None),
        ("female", "5", None),
    ]
    assert rows(adopted, 'SELECT relation FROM "Guardian" ORDER BY "guardianId"') == [
        ("Father",),
        ("Step-mother",),
        ("Guardian",),
    ]
    assert rows(adopted, 'SELECT "povertyCard", "livingCondition" FROM "FamilyInfo"') == [("yes", "poor")]
    assert rows(adopted, 'SELECT "schoolYearCode", "subjectName" FROM "SchoolYear", "Subject"') == [
        ("2024-2025", "Mathematics")
    ]
    assert rows(adopted, 'SELECT "attendanceDate", session, status FROM "Attendance" ORDER BY 1, 2 LIMIT 3') == [
        (dt.date(2024, 11, 5), "AM", "Absent"),
        (dt.date(2024, 11, 5), "PM", "Excused"),
        (dt.date(2024, 11, 6), "FULL", "Excused"),
    ]


def test_the_history_keeps_what_stood_there_where_more_than_case_changed(adopted: Connection) -> None:
    changes = rows(
        adopted,
        """SELECT entity, "entityId", details -> 'changes' FROM "ActivityLog"
           WHERE details ->> 'migration' = '0004_words' ORDER BY 1, 2, id""",
    )

    assert ("Student", 1000, {"class": ["5A", "5"]}) in changes
    assert ("SchoolYear", 1, {"schoolYearCode": ["2024 - 2025", "2024-2025"]}) in changes
    assert ("Guardian", 3, {"relation": [" ", "Guardian"]}) in changes
    assert not any("status" in change or "role" in change for _, _, change in changes)


def test_the_months_of_marks_are_iso(adopted: Connection) -> None:
    assert rows(adopted, 'SELECT "gradeDate" FROM "Grade" WHERE "studentId" = 1000 ORDER BY "gradeId"') == [
        ("2024-11",),
        ("2024-12",),
        ("2025-01-14",),
        ("2025-02",),
        ("2025-03-09",),
        ("2025-04",),
        ("2025-05-04",),
    ]


@pytest.mark.parametrize(
    "typed", ["3/25", "03/25", "03/2025", "2025-3", "2025-03", "14/03/2025", "2025-3-4", "០៣/២៥", " 03 / 25 "]
)
def test_the_migration_reads_months_as_the_forms_do(migrated: Engine, typed: str) -> None:
    with migrated.begin() as connection:
        fill(connection)
    schema.downgrade(migrated, "0003_columns")
    with migrated.begin() as connection:
        connection.execute(text('UPDATE "Grade" SET "gradeDate" = :typed'), {"typed": typed})

    schema.upgrade(migrated)

    with migrated.connect() as connection:
        assert rows(connection, 'SELECT "gradeDate" FROM "Grade"') == [(iso_period(typed),)]


def test_marks_and_attendance_without_an_enrolment_get_one_that_is_dropped(adopted: Connection) -> None:
    made = rows(
        adopted,
        """SELECT "studentId", "courseId", "drop", "dropDate", "dropSemesterId" FROM "Enrollment"
           JOIN "ActivityLog" ON entity = 'Enrollment' AND "entityId" = "enrollmentId" AND action = 'create_enrollment'
           ORDER BY 1, 2""",
    )

    assert made == [
        # The last mark is of February, the last attendance of April: that day, and its semester.
        (1003, 2, True, dt.date(2025, 4, 7), 2),
        # Attendance alone, and without a semester: the one others of the class were seen in, nearest to the day.
        (1004, 1, True, dt.date(2024, 11, 20), 1),
        (1004, 2, True, dt.date(2025, 4, 8), 2),
    ]


def test_half_a_drop_is_made_whole(adopted: Connection) -> None:
    assert rows(
        adopted,
        """SELECT "studentId", "drop", "dropDate", "dropSemesterId" FROM "Enrollment"
           WHERE "studentId" < 1003 AND "courseId" = 1 ORDER BY 1""",
    ) == [
        (1000, False, None, None),
        (1001, True, dt.date(2025, 5, 2), 2),
        # Nothing was ever seen of the pupil: the day the row was last saved, and the semester of the class then.
        (1002, True, dt.date(2025, 2, 4), 1),
    ]


def test_a_drop_that_was_undone_is_undone_wholly_and_the_history_keeps_it(adopted: Connection) -> None:
    assert rows(
        adopted,
        'SELECT "drop", "dropDate", "dropSemesterId" FROM "Enrollment" WHERE ("studentId", "courseId") = (1003, 1)',
    ) == [(False, None, None)]
    assert rows(adopted, "SELECT details -> 'changes' FROM \"ActivityLog\" WHERE action = 'update_enrollment'") == [
        ({"dropDate": ["2024-12-01", None], "dropSemesterId": [1, None]},)
    ]


def test_attendance_that_nothing_places_falls_into_the_semester_of_the_calendar(empty: Engine) -> None:
    schema.upgrade(empty, "0001_spec")
    with empty.begin() as connection:
        connection.execute(text(OLD_ROWS.partition('INSERT INTO "Enrollment"')[0]))
        connection.execute(
            text(
                """INSERT INTO "Attendance" ("studentId", "courseId", "attendanceDate", session, status, "updatedAt")
                   VALUES (1000, 1, '2024-09-02', 'AM', 'late', now()), (1001, 1, '2025-01-31', 'AM', 'late', now()),
                          (1002, 1, '2025-08-31', 'AM', 'late', now())"""
            )
        )

    schema.upgrade(empty)

    with empty.connect() as connection:
        assert rows(
            connection,
            """SELECT "studentId", "dropDate"::text, "semesterCode", semester FROM "Enrollment"
               JOIN "Semester" ON "semesterId" = "dropSemesterId" ORDER BY 1""",
        ) == [
            (1000, "2024-09-02", "S1-2024", "First Semester"),
            (1001, "2025-01-31", "S2-2024", "Second Semester"),
            (1002, "2025-08-31", "S2-2024", "Second Semester"),
        ]


def test_the_details_of_the_log_are_json(adopted: Connection) -> None:
    assert rows(
        adopted, "SELECT details FROM \"ActivityLog\" WHERE NOT coalesce(details ? 'migration', false) ORDER BY id"
    ) == [
        (None,),
        ({"text": "ចូលប្រើប្រាស់: 100%"},),
        ({"grade": [6, 8]},),
        ({"text": "[1, 2]"},),
        ({"text": '{"grade": '},),
    ]


def test_nothing_was_lost_on_the_way(adopted: Connection) -> None:
    counts = {table: adopted.scalar(text(f'SELECT count(*) FROM "{table}"')) for table in TABLES}  # noqa: S608

    assert {table: counts[table] for table in ("User", "Student", "Guardian", "Grade", "Attendance", "Semester")} == {
        "User": 1,
        "Student": 5,
        "Guardian": 3,
        "Grade": 9,
        "Attendance": 6,
        "Semester": 2,
    }
    assert counts["Enrollment"] == 4 + 3


def test_numbers_go_on_where_the_old_application_stopped(adopted: Connection) -> None:
    assert adopted.scalar(text("SELECT nextval('\"Student_studentId_seq\"')")) == 1005
    assert adopted.scalar(text("SELECT nextval('\"User_userId_seq\"')")) == 2


def test_the_first_pupil_of_a_new_school_is_number_1000(migrated: Engine) -> None:
    with migrated.connect() as connection:
        assert connection.scalar(text("SELECT nextval('\"Student_studentId_seq\"')")) == 1000


BROKEN_RULES = [
    (
        """UPDATE "Student" SET class = 'kindergarten' WHERE "studentId" > 1002""",
        "Student_class_check",
        "Student.studentId: 1003, 1004",
    ),
    (
        """UPDATE "Grade" SET "gradeDate" = 'March' WHERE "gradeId" = 1""",
        "Grade_gradeDate_check",
        "Grade.gradeId: 1",
    ),
    (
        """UPDATE "User" SET password = 'secret'""",
        "User_password_check",
        "User.userId: 1",
    ),
    (
        """INSERT INTO "Subject" ("subjectId", "subjectName", "updatedAt") VALUES (7, 'mathematics', now())""",
        "Subject_subjectName_lower_key",
        "Subject.subjectId: 1, 7",
    ),
    (
        """UPDATE "Grade" SET "gradeDate" = '11/2024' WHERE "gradeId" = 2""",
        "Grade_studentId_courseId_subjectId_semesterId_gradeDate_key",
        "Grade.gradeId: 1, 2",
    ),
    (
        """UPDATE "Attendance" SET session = 'FULL' WHERE session = 'PM'""",
        "Attendance_AM_key",
        "Attendance.attendanceId: 1, 2",
    ),
]


@pytest.mark.parametrize(("broken", "rule", "where"), BROKEN_RULES, ids=[example[1] for example in BROKEN_RULES])
def test_rows_that_break_a_rule_stop_the_upgrade_and_are_named(
    empty: Engine, broken: str, rule: str, where: str
) -> None:
    schema.upgrade(empty, "0001_spec")
    with empty.begin() as connection:
        connection.execute(text(OLD_ROWS))
        connection.execute(text(broken))
    before = checksums(empty)

    with pytest.raises(CommandError) as refused:
        schema.upgrade(empty)

    assert rule in str(refused.value)
    assert where in str(refused.value)
    assert "secret" not in str(refused.value)
    assert checksums(empty) == before
    with empty.connect() as connection:
        assert schema.current(connection) == "0001_spec"


# ---- Drift ---------------------------------------------------------------------------------------------------------


DRIFTS = [
    (
        "DROP INDEX idx_user_role",
        'The models have index idx_user_role of "User", the database has not.',
    ),
    (
        'CREATE INDEX extra ON "User"(photo)',
        'The database has index extra of "User", the models have not.',
    ),
    (
        'ALTER TABLE "User" ADD COLUMN shoe integer',
        'The database has column "User".shoe, the models have not.',
    ),
    (
        'ALTER TABLE "User" DROP COLUMN photo',
        'The models have column "User".photo, the database has not.',
    ),
    (
        "CREATE TABLE extra ()",
        "The database has table extra, the models have not.",
    ),
    (
        'DROP TABLE "Scholarship"',
        'The models have table "Scholarship", the database has not.',
    ),
    (
        'ALTER TABLE "Grade" ALTER COLUMN grade TYPE numeric(8,2)',
        ('In the database, column "Grade".grade is “numeric(8,2)”; in the models it is “numeric(6,2)”.'),
    ),
    (
        'ALTER TABLE "Grade" ALTER COLUMN "gradeDate" DROP NOT NULL',
        'In the database, column "Grade"."gradeDate" is “text”; in the models it is “text NOT NULL”.',
    ),
    (
        'ALTER TABLE "Student" ALTER COLUMN status DROP DEFAULT',
        "In the database, column \"Student\".status is “text”; in the models it is “text DEFAULT 'active'::text”.",
    ),
    (
        'ALTER TABLE "Guardian" DROP CONSTRAINT "Guardian_relation_check"',
        'The models have constraint "Guardian_relation_check" of "Guardian", the database has not.',
    ),
    (
        (
            'ALTER TABLE "Guardian" DROP CONSTRAINT "Guardian_relation_check", '
            "ADD CONSTRAINT \"Guardian_relation_check\" CHECK (relation <> 'x')"
        ),
        (
            'In the database, constraint "Guardian_relation_check" of "Guardian" is '
            "“CHECK ((relation <> 'x'::text))”; in the models it is “CHECK ((relation <> ''::text))”."
        ),
    ),
    (
        (
            'ALTER TABLE "Grade" DROP CONSTRAINT "Grade_userId_fkey", ADD CONSTRAINT "Grade_userId_fkey" '
            'FOREIGN KEY ("userId") REFERENCES "User"'
        ),
        (
            'In the database, constraint "Grade_userId_fkey" of "Grade" is '
            '“FOREIGN KEY ("userId") REFERENCES "User"("userId")”; in the models it is '
            '“FOREIGN KEY ("userId") REFERENCES "User"("userId") ON UPDATE CASCADE ON DELETE SET NULL”.'
        ),
    ),
    (
        'ALTER TABLE "Semester" DROP CONSTRAINT "Semester_dates_excl"',
        'The models have constraint "Semester_dates_excl" of "Semester", the database has not.',
    ),
    (
        "ALTER TYPE \"AttendanceSession\" ADD VALUE 'NIGHT'",
        'In the database, type "AttendanceSession" is “AM, PM, FULL, NIGHT”; in the models it is “AM, PM, FULL”.',
    ),
]


@pytest.mark.parametrize(("change", "sentence"), DRIFTS, ids=[example[0][:40] for example in DRIFTS])
def test_drift_is_told_in_sentences(migrated: Engine, change: str, sentence: str) -> None:
    with migrated.begin() as connection:
        connection.execute(text(change))

    with migrated.connect() as connection:
        assert sentence in schema.drift(connection)


def test_a_partial_index_that_lost_its_condition_is_drift(migrated: Engine) -> None:
    with migrated.begin() as connection:
        connection.execute(text('DROP INDEX "Attendance_AM_key"'))
        connection.execute(
            text('CREATE UNIQUE INDEX "Attendance_AM_key" ON "Attendance" ("studentId", "courseId", "attendanceDate")')
        )

    with migrated.connect() as connection:
        (sentence,) = schema.drift(connection)
    assert "FULL" in sentence


def test_looking_for_drift_changes_nothing(migrated: Engine) -> None:
    before = description(migrated)

    with migrated.connect() as connection:
        schema.drift(connection)
        assert not connection.in_transaction()
    with migrated.connect() as connection, connection.begin():
        connection.execute(text("CREATE TABLE mine ()"))
        assert schema.drift(connection) == ["The database has table mine, the models have not."]
        assert rows(connection, "SELECT * FROM mine") == []

    assert description(migrated).keys() - before.keys() == {"table mine"}


def test_alembics_own_comparison_finds_nothing_either(migrated: Engine) -> None:
    """So `fsms db check` is quiet too."""
    with migrated.connect() as connection:
        options = {"compare_type": True, "compare_server_default": True, "include_object": schema.compared}
        context = MigrationContext.configure(connection, opts=options)

        assert compare_metadata(context, Base.metadata) == []
