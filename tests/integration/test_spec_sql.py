"""Every SQL statement that the specification prints, word for word, on the migrated database."""

import datetime as dt
import re
from collections.abc import Iterator
from decimal import Decimal

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import ProgrammingError

from fsms.office import Base
from tests.database import engine_of, migrated_template, scratch_database
from tests.integration.small_school import fill
from tests.integration.spec_figures import (
    answer,
    check_attendance_statistics,
    check_student_performance,
    statements,
)

MORE_MARKS = """
INSERT INTO "Enrollment" ("studentId", "courseId") VALUES (6, 1), (6, 2);
INSERT INTO "Grade" ("studentId", "courseId", "subjectId", "semesterId", "gradeDate", grade) VALUES
    (1, 1, 2, 1, '2024-12', 8), (1, 1, 2, 1, '2025-01', 9.25), (1, 1, 1, 2, '2025-04', 10),
    (2, 1, 1, 1, '2024-12', 3), (2, 1, 2, 1, '2024-12', 10), (2, 1, 2, 1, '2025-01', 10),
    (6, 1, 1, 1, '2024-12', 0), (6, 2, 1, 1, '2024-12', 6);
INSERT INTO "Attendance" ("studentId", "courseId", "attendanceDate", session, status) VALUES
    (6, 1, '2024-11-04', 'AM', 'Excused'), (6, 1, '2024-11-04', 'PM', 'Present'),
    (6, 1, '2024-11-07', 'FULL', 'Present'),
    (6, 2, '2024-11-08', 'FULL', 'Present'), (1, 1, '2024-12-01', 'AM', 'Absent'), (2, 1, '2024-10-31', 'AM', 'Absent');
"""


@pytest.fixture(scope="module")
def _filled() -> Iterator[str]:
    with scratch_database("spec_sql", migrated_template()) as url:
        with engine_of(url) as engine, engine.begin() as connection:
            fill(connection)
            connection.execute(text(MORE_MARKS))
        yield url


@pytest.fixture
def connection(_filled: str) -> Iterator[Connection]:
    with engine_of(_filled) as engine, engine.connect() as connection, connection.begin() as transaction:
        yield connection
        transaction.rollback()


@pytest.fixture
def copied_tables(connection: Connection) -> Connection:
    """The same tables without their indexes, in a schema where the printed statements may make them."""
    tables = list(connection.scalars(text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")))
    connection.execute(text("CREATE SCHEMA as_printed"))
    for table in tables:
        connection.execute(text(f'CREATE TABLE as_printed."{table}" (LIKE public."{table}")'))
    connection.execute(text("SET LOCAL search_path = as_printed"))
    return connection


def index_definition(connection: Connection, schema: str, name: str) -> str | None:
    definition: str | None = connection.scalar(
        text("SELECT indexdef FROM pg_indexes WHERE schemaname = :schema AND indexname = :name"),
        {"schema": schema, "name": name},
    )
    return definition and definition.replace(f" ON {schema}.", " ON ")


def link_definition(connection: Connection, name: str) -> str | None:
    definition: str | None = connection.scalar(
        text(
            "SELECT pg_get_constraintdef(oid) FROM pg_constraint "
            "WHERE conname = :name AND connamespace = 'public'::regnamespace"
        ),
        {"name": name},
    )
    return definition


# ---- Indexes and constraints ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("statement", [*statements("indexes"), *statements("unique")])
def test_every_printed_index_exists_under_its_name_with_its_definition(
    copied_tables: Connection, statement: str
) -> None:
    copied_tables.exec_driver_sql(statement)

    found = re.search(r'INDEX "?(\w+)"? ON', statement)
    assert found
    as_printed = index_definition(copied_tables, "as_printed", found[1])
    assert as_printed
    assert index_definition(copied_tables, "public", found[1]) == as_printed


def test_the_printed_foreign_key_of_guardians_exists(connection: Connection) -> None:
    before = link_definition(connection, "Guardian_studentId_fkey")
    connection.execute(text('ALTER TABLE "Guardian" DROP CONSTRAINT "Guardian_studentId_fkey"'))

    connection.exec_driver_sql(statements("constraints")[0])

    assert before
    assert link_definition(connection, "Guardian_studentId_fkey") == before


def test_the_printed_foreign_key_to_two_tables_is_no_sql_and_stands_as_two(connection: Connection) -> None:
    with pytest.raises(ProgrammingError, match="syntax error"), connection.begin_nested():
        connection.exec_driver_sql(statements("constraints")[1])

    for column, parent in (("studentId", "Student"), ("courseId", "Course")):
        assert link_definition(connection, f"Enrollment_{column}_fkey") == (
            f'FOREIGN KEY ("{column}") REFERENCES "{parent}"("{column}") ON UPDATE CASCADE ON DELETE RESTRICT'
        )


# ---- Analytics -----------------------------------------------------------------------------------------------------


def test_student_performance_gives_the_figures_of_the_small_school(connection: Connection) -> None:
    lines = answer(connection, statements("analytics")[0], 1)

    assert [(name, level, section, round(average, 4), marks) for name, level, section, average, marks in lines] == [
        ("Dara Sok", "5", "A", Decimal("8.2500"), 3),
        ("Bopha Sok", "5", "A", Decimal("7.6667"), 3),
        ("Nary Keo", "5", "B", Decimal("6.0000"), 1),
        ("Nary Keo", "5", "A", Decimal("0.0000"), 1),
    ]


def test_attendance_statistics_give_the_figures_of_the_small_school(connection: Connection) -> None:
    lines = answer(connection, statements("analytics")[1], dt.date(2024, 11, 1), dt.date(2024, 11, 30))

    assert lines == [("5", "A", 3, 4, 1, Decimal("57.14")), ("5", "B", 1, 1, 0, Decimal("100.00"))]


@pytest.mark.parametrize(("semester", "lines"), [(1, 4), (2, 1), (3, 0)])
def test_student_performance_agrees_with_an_independent_computation(
    connection: Connection, semester: int, lines: int
) -> None:
    assert check_student_performance(connection, semester) == lines


@pytest.mark.parametrize(
    ("first", "last", "lines"),
    [
        (dt.date(2024, 11, 1), dt.date(2024, 11, 30), 2),
        (dt.date(2024, 10, 31), dt.date(2024, 12, 1), 2),
        (dt.date(2024, 12, 2), dt.date(2024, 12, 31), 0),
    ],
)
def test_attendance_statistics_agree_with_an_independent_computation(
    connection: Connection, first: dt.date, last: dt.date, lines: int
) -> None:
    assert check_attendance_statistics(connection, first, last) == lines


# ---- Monitoring ----------------------------------------------------------------------------------------------------

SLOW_QUERIES, INDEX_USE, TABLE_SIZES = statements("monitoring")


@pytest.fixture
def monitored(connection: Connection) -> Connection:
    connection.execute(text("SET LOCAL search_path = monitoring, public, pg_catalog"))
    return connection


def test_slow_queries_are_none_where_the_server_does_not_count_them(monitored: Connection) -> None:
    _as_owner(monitored, "DROP EXTENSION IF EXISTS pg_stat_statements")

    assert answer(monitored, SLOW_QUERIES) == []


@pytest.mark.parametrize("home", ["public", "Some where"])
def test_slow_queries_are_listed_where_the_server_counts_them(monitored: Connection, home: str) -> None:
    _install_in(home, monitored)
    preloaded = monitored.scalar(text("SELECT current_setting('shared_preload_libraries')"))
    for line in range(12):
        monitored.execute(text(f"SELECT {line} AS line_{line}"))

    lines = answer(monitored, SLOW_QUERIES)

    # An extension whose library is not loaded refuses to answer; the view does not.
    assert len(lines) == (10 if "pg_stat_statements" in str(preloaded) else 0)
    assert all(calls >= 1 and total >= mean >= 0 for _, calls, total, mean in lines)
    totals = [total for _, _, total, _ in lines]
    assert totals == sorted(totals, reverse=True)


def _install_in(home: str, connection: Connection) -> None:
    found = connection.scalar(
        text("SELECT extnamespace::regnamespace::text FROM pg_extension WHERE extname = 'pg_stat_statements'")
    )
    if found != home:
        _as_owner(
            connection,
            "DROP EXTENSION IF EXISTS pg_stat_statements",
            f'CREATE SCHEMA IF NOT EXISTS "{home}"',
            f'CREATE EXTENSION pg_stat_statements SCHEMA "{home}"',
        )


def _as_owner(connection: Connection, *acts: str) -> None:
    try:
        with connection.begin_nested():
            for act in acts:
                connection.execute(text(act))
    except ProgrammingError as refused:
        pytest.skip(f"the extension is the server's: {refused.orig}")


def test_unused_indexes_are_listed_with_table_and_name(monitored: Connection) -> None:
    lines = answer(monitored, INDEX_USE)

    assert ("public", "Course", "idx_course_teacher3", 0, 0, 0) in lines
    assert all(scans == 0 for _, _, _, scans, _, _ in lines)


def test_table_sizes_are_listed_the_largest_first(monitored: Connection) -> None:
    lines = answer(monitored, TABLE_SIZES)

    sizes = [
        monitored.scalar(text("SELECT pg_total_relation_size(cast(:name AS regclass))"), {"name": f"public.{table}"})
        for _, table, _ in lines
    ]
    assert {'"User"', '"Student"', '"Attendance"', "alembic_version"} < {table for _, table, _ in lines}
    assert len(lines) == len(Base.metadata.tables) + 1
    assert sizes == sorted(sizes, reverse=True)
    assert all(re.fullmatch(r"\d+ \w+", size) for _, _, size in lines)
