"""The benchmarks measure what they say, on a school of any size. How long anything takes is not asked here."""

import pytest

from benchmarks import pages
from benchmarks.__main__ import rows_of
from benchmarks.school import built
from tests.database import migrated_template, scratch_database


def test_every_page_is_measured_against_its_own_statements() -> None:
    with scratch_database("bench", migrated_template()) as url:
        url = url.replace("+psycopg", "")
        built(url, students=60, years=1)

        rows = rows_of(pages.report(url, 1))

    assert [row["page"] for row in rows] == list(pages.PAGES)
    for row in rows:
        assert int(row["statements"]) >= 2  # who asks, and in whose name
        assert float(row["ratio"]) == pytest.approx(float(row["ms"]) / float(row["the same SQL, ms"]), rel=0.5)


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
