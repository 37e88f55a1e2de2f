"""The demo school in a real database: it fits the constraints, adds up, and leaves the schema as it was."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from typing import Any

import psycopg
import pytest
from psycopg.sql import SQL, Identifier
from sqlalchemy import make_url

from fsms import schema
from fsms.demo import NotEmpty, Plan, build, clear, what_is_there
from fsms.models import ENTITIES
from tests.database import engine_of, migrated_template, scratch_database
from tests.integration.spec_figures import check_attendance_statistics, check_student_performance

Connection = psycopg.Connection[Any]

DEFAULT = Plan(today=date(2025, 3, 13), password_hash="$2b$04$no-one-signs-in-with-this")
SMALL = replace(DEFAULT, students=40, years=1)


def _connect(url: str) -> Connection:
    plain = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    return psycopg.connect(plain, autocommit=True)


@pytest.fixture(scope="module")
def default_url() -> Iterator[str]:
    """A database with the default plan's school."""
    with scratch_database("demo", migrated_template()) as url:
        with _connect(url) as connection:
            build(connection, DEFAULT)
        yield url


@pytest.fixture
def school(default_url: str) -> Iterator[Connection]:
    """The default school, to be read."""
    with _connect(default_url) as connection:
        connection.read_only = True
        yield connection


@pytest.fixture(scope="module")
def empty_url() -> Iterator[str]:
    """A database of this module, emptied for each test."""
    with scratch_database("demo_small", migrated_template()) as url:
        yield url


@pytest.fixture
def empty(empty_url: str) -> Iterator[Connection]:
    """A migrated database without a row."""
    with _connect(empty_url) as connection:
        clear(connection)
        yield connection


def _one(connection: Connection, question: str) -> Any:
    row = connection.execute(SQL(question)).fetchone()
    assert row is not None
    return row[0]


def _checksums(connection: Connection) -> dict[str, str]:
    return {
        entity.__tablename__: connection.execute(
            SQL("select md5(string_agg(t::text, e'\\n' order by t)) from {} t").format(Identifier(entity.__tablename__))
        ).fetchone()[0]  # type: ignore[index]  # an aggregate always answers
        for entity in ENTITIES
    }


def test_the_default_school_has_the_shape_of_the_real_one(school: Connection) -> None:
    counts = what_is_there(school)

    assert (counts["Student"], counts["User"], counts["SchoolYear"], counts["Subject"]) == (600, 30, 3, 29)
    assert 1.5 < counts["Guardian"] / 600 < 2.5
    assert 0.88 < counts["FamilyInfo"] / 600 < 0.96
    assert 0.06 < counts["Scholarship"] / 600 < 0.14
    assert counts["Grade"] > 150_000
    assert counts["Attendance"] > 250_000
    assert 0 < counts["ActivityLog"] < 500


def test_a_twentieth_or_so_of_the_enrolments_is_dropped(school: Connection) -> None:
    assert 0.05 <= _one(school, 'select avg("drop"::int) from "Enrollment"') <= 0.07


def test_nothing_happens_after_a_drop_or_after_today(school: Connection) -> None:
    after_the_drop = """
        select (select count(*) from "Attendance" a join "Enrollment" e using ("studentId", "courseId")
                where "attendanceDate" >= "dropDate")
             + (select count(*) from "Grade" g join "Enrollment" e using ("studentId", "courseId")
                where "gradeDate" >= to_char("dropDate", 'YYYY-MM'))"""

    assert _one(school, after_the_drop) == 0
    assert _one(school, 'select max("attendanceDate") from "Attendance"') == DEFAULT.today
    assert _one(school, 'select max("gradeDate") from "Grade"') == "2025-03"
    assert _one(school, 'select max("dropDate") from "Enrollment"') <= DEFAULT.today


def test_a_date_stands_in_its_own_semester_and_year(school: Connection) -> None:
    strays = """
        select (select count(*) from "Attendance" a
                join "Semester" s using ("semesterId") join "Course" c using ("courseId")
                where a."attendanceDate" not between s."startDate" and s."endDate"
                   or a."schoolYearId" <> c."schoolYearId" or s."schoolYearId" <> c."schoolYearId")
             + (select count(*) from "Grade" g
                join "Semester" s using ("semesterId") join "Course" c using ("courseId")
                where to_date("gradeDate", 'YYYY-MM') not between s."startDate" and s."endDate"
                   or s."schoolYearId" <> c."schoolYearId")
             + (select count(*) from "Enrollment" e join "Semester" s on "semesterId" = "dropSemesterId"
                where "dropDate" not between s."startDate" and s."endDate")"""

    assert _one(school, strays) == 0


def test_class_and_year_of_a_pupil_are_those_of_the_active_enrolment(school: Connection) -> None:
    out_of_step = """
        select count(*) from "Student" s where (status = 'active') <> exists (
            select from "Enrollment" e join "Course" c using ("courseId") join "SchoolYear" y using ("schoolYearId")
            where e."studentId" = s."studentId" and not e."drop" and y."schoolYearCode" = '2024-2025'
              and c.grade = s.class and y."schoolYearCode" = s."schoolYear")"""

    assert _one(school, out_of_step) == 0


def test_a_pupil_has_one_place_a_year(school: Connection) -> None:
    assert _one(school, 'select count(*) from "Enrollment"') == _one(
        school,
        'select count(distinct ("studentId", "schoolYearId")) from "Enrollment" join "Course" using ("courseId")',
    )


def test_marks_lie_on_the_scale_are_given_by_the_class_s_teachers_and_differ_between_pupils(school: Connection) -> None:
    by_others = """
        select count(*) from "Grade" join "Course" using ("courseId")
        where "userId" is null
           or "userId" <> all (array_remove(array["teacherId1", "teacherId2", "teacherId3"], null))"""

    assert _one(school, 'select count(*) from "Grade" where grade not between 0 and 10') == 0
    assert _one(school, by_others) == 0
    assert _one(school, 'select stddev(a) from (select avg(grade) a from "Grade" group by "studentId") x') > 0.8


def test_marks_are_almost_complete_except_in_the_month_under_way(school: Connection) -> None:
    filled = """
        select avg(marks) from (select count(*) marks from "Grade" g join "Course" c using ("courseId")
                                where c.grade in ('7', '8') and "gradeDate" = '{}' group by "studentId") x"""

    assert 11.5 < _one(school, filled.format("2025-02")) < 12
    assert 1 < _one(school, filled.format("2025-03")) < 8


def test_some_classes_are_still_to_be_taken_today_and_no_afternoon_is_known_yet(school: Connection) -> None:
    taken = """select count(distinct "courseId") from "Attendance" where "attendanceDate" = '2025-03-13'"""
    courses = 'select count(*) from "Course" where "schoolYearId" = 3'

    assert 0 < _one(school, taken) < _one(school, courses)
    assert _one(school, taken + " and session = 'PM'") == 0


def test_most_are_present_and_a_few_are_absent_often(school: Connection) -> None:
    absences = """
        select max(n) from (select count(*) n from "Attendance" where status = 'Absent'
                            group by "studentId", "schoolYearId") x"""

    assert 0.95 < _one(school, "select avg((status = 'Present')::int) from \"Attendance\"") < 0.99
    assert 10 < _one(school, absences) < 60


def test_the_same_seed_fills_the_same_rows_and_another_seed_others(empty: Connection) -> None:
    build(empty, SMALL)
    first = _checksums(empty)
    clear(empty)
    build(empty, SMALL)
    second = _checksums(empty)
    clear(empty)
    build(empty, replace(SMALL, seed=7))
    other = _checksums(empty)

    assert first == second
    assert [name for name in first if first[name] == other[name]] == ["Subject", "SchoolYear", "Semester"]


def test_a_database_with_rows_is_refused_and_kept(empty: Connection) -> None:
    built = build(empty, SMALL)

    with pytest.raises(NotEmpty, match="40 Student"):
        build(empty, SMALL)

    assert what_is_there(empty) == built


def test_an_account_alone_is_reason_enough_to_refuse(empty: Connection) -> None:
    empty.execute(
        """insert into "User" (username, password, lastname, firstname) values ('me', '$2b$04$x', 'a', 'b')"""
    )

    with pytest.raises(NotEmpty, match="1 User"):
        build(empty, SMALL)


def test_clearing_empties_all_thirteen_tables(empty: Connection) -> None:
    build(empty, SMALL)

    clear(empty)

    assert what_is_there(empty) == dict.fromkeys((entity.__tablename__ for entity in ENTITIES), 0)


def test_the_next_row_gets_the_next_number(empty: Connection) -> None:
    build(empty, SMALL)

    pupil = """insert into "Student" ("lastName", "firstName", gender, dob, class)
               values ('SOK', 'Dara', 'male', '2015-01-01', '3') returning "studentId" """
    course = """insert into "Course" ("schoolYearId", grade, section, "courseName")
                values (1, '3', 'Z', 'ថ្នាក់ទី 3Z') returning "courseId" """
    place = 'insert into "Enrollment" ("studentId", "courseId") values (1040, 13) returning "enrollmentId"'

    assert [_one(empty, insert) for insert in (pupil, course, place)] == [1040, 13, 41]


def test_after_an_error_the_database_is_as_it_was(empty: Connection) -> None:
    def stop(word: str, done: int, _total: int) -> None:
        if word == "indexes and checks" and done == 3:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        build(empty, SMALL, progress=stop)

    assert not any(what_is_there(empty).values())


@pytest.mark.parametrize("prepare", [lambda _connection: None, lambda connection: build(connection, SMALL)])
def test_the_schema_is_still_what_the_models_say(
    empty: Connection, empty_url: str, prepare: Callable[[Connection], object]
) -> None:
    prepare(empty)

    with engine_of(empty_url) as engine, engine.connect() as connection:
        assert schema.drift(connection) == []


def test_progress_goes_from_nothing_to_all_in_every_stage(empty: Connection) -> None:
    told: dict[str, list[tuple[int, int]]] = {}

    build(empty, SMALL, progress=lambda word, done, total: told.setdefault(word, []).append((done, total)))

    assert {"pupils", "marks", "attendance", "indexes and checks"} <= set(told)
    for steps in told.values():
        assert steps[0][0] == 0
        assert steps[-1][0] == steps[-1][1]
        assert steps == sorted(steps)


def test_it_can_be_a_part_of_the_caller_s_transaction(empty: Connection) -> None:
    with empty.transaction():
        build(empty, SMALL)
        raise psycopg.Rollback

    assert what_is_there(empty)["Student"] == 0


def test_the_specifications_analytics_give_our_own_figures_on_the_demo_school(default_url: str) -> None:
    with engine_of(default_url) as engine, engine.connect() as connection:
        assert check_student_performance(connection, semester_id=5) > 400
        assert check_attendance_statistics(connection, date(2024, 11, 1), date(2025, 3, 13)) > 12


def test_the_demo_school_goes_down_to_the_specifications_schema_and_up_again_whole() -> None:
    with scratch_database("demo_down", migrated_template()) as url, engine_of(url) as engine:
        with _connect(url) as connection:
            build(connection, replace(DEFAULT, students=80, years=2))
            before = _fingerprints(connection)

        schema.downgrade(engine, "0001_spec")
        schema.upgrade(engine)
        with _connect(url) as connection:
            assert _fingerprints(connection) == before

        schema.downgrade(engine, "base")
        schema.upgrade(engine)
        with engine.connect() as connection:
            assert schema.drift(connection) == []


# Columns that the specification's schema does not have: a semester's year and days.
ONLY_LATER = {("Semester", name) for name in ("schoolYearId", "startDate", "endDate")}


def _fingerprints(connection: Connection) -> dict[str, tuple[int, str]]:
    """Count each table and hash its rows, without what the specification's schema has no place for."""
    found = {}
    for entity in ENTITIES:
        kept = [
            column.name
            for column in entity.__table__.columns
            if column.name not in {"version", "passwordChangeRequired", "batch", "entity", "entityId", "details"}
            and (entity.__tablename__, column.name) not in ONLY_LATER
        ]
        line = SQL("concat_ws('|', {})").format(SQL(", ").join(map(Identifier, kept)))
        lines = SQL("select {} as line from {}").format(line, Identifier(entity.__tablename__))
        question = SQL("select count(*), md5(coalesce(string_agg(line, '' order by line), '')) from ({}) lines")
        row = connection.execute(question.format(lines)).fetchone()
        assert row
        found[entity.__tablename__] = (int(row[0]), str(row[1]))
    return found
