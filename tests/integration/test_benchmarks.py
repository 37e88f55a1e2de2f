"""The benchmarks measure what they say, on a school of any size. How long anything takes is not asked here."""

from collections.abc import Iterator

import pytest

from benchmarks import exports, load, pages
from benchmarks.__main__ import rows_of
from benchmarks.school import built
from tests.database import migrated_template, scratch_database


@pytest.fixture(scope="module")
def school() -> Iterator[str]:
    """The address of a small school."""
    with scratch_database("bench", migrated_template()) as url:
        url = url.replace("+psycopg", "")
        built(url, students=60, years=1)
        yield url


def test_every_page_is_measured_against_its_own_statements(school: str) -> None:
    rows = rows_of(pages.report(school, 1))

    named = [row["page"] for row in rows]
    assert named[: len(pages.PAGES)] == list(pages.PAGES)
    for way in (
        "sort=attendance_date",
        "sort=attendance_date&desc=1",
        "sort=status",
        "flt0_seen=late",
        "flt0_day=today",
    ):
        assert f"attendance, {way}" in named
    for row in rows:
        assert int(row["statements"]) >= 1  # who asks is said with the beginning of the transaction
        assert float(row["ratio"]) == pytest.approx(float(row["ms"]) / float(row["the same SQL, ms"]), rel=0.5)


def test_every_file_is_taken_from_a_served_school_and_is_whole(school: str) -> None:
    rows = rows_of(exports.report(school, 1))

    assert [row["attendance as"] for row in rows] == ["csv", "jsonl", "csv", "xlsx"]
    assert all(int(row["rows"].replace(",", "")) > 1_000 for row in rows)
    assert all(float(row["MB"]) > 0 for row in rows)


def test_what_a_served_school_bears_is_counted_with_its_errors(school: str) -> None:
    rows = rows_of(load.report(school, 1))

    assert [row["page"] for row in rows] == list(load.PAGES)
    assert all(int(row["requests a second"]) > 0 for row in rows)
    assert [row["errors"] for row in rows] == ["0"] * len(load.PAGES)


def test_tables_are_read_into_rows() -> None:
    lines = [
        "Ten rows.",
        "",
        "| what | ms |",
        "|---|---|",
        "| a | 1.0 |",
        "| b | 2.0 |",
        "",
        "| other |",
        "|---|",
        "| c |",
    ]

    assert rows_of(lines) == [{"what": "a", "ms": "1.0"}, {"what": "b", "ms": "2.0"}, {"other": "c"}]
