"""A list taken away, read again by the programs it is for: nothing is lost and nothing runs, whatever was typed."""

import datetime as dt
import io
from typing import Any

import pandas as pd
import pytest
from openpyxl import load_workbook
from openpyxl.utils.escape import unescape

from fsms.exchange.csv_export import as_it_was, harmless
from tests.browser import PageClient
from tests.builders import Make
from tests.hostile import OCCUPATION, PHONE, TEXTS, VILLAGE, by_python, guardians_of_hostile_words, taken


@pytest.fixture
def written(make: Make) -> None:
    guardians_of_hostile_words(make)


@pytest.mark.usefixtures("written")
def test_a_thousand_hostile_texts_come_back_as_they_were(admin: PageClient) -> None:
    _headings, *rows = by_python(taken(admin, "csv"))

    assert sorted(as_it_was(row[OCCUPATION]) for row in rows) == sorted(TEXTS)
    assert all(as_it_was(row[VILLAGE]) == as_it_was(row[OCCUPATION]) for row in rows)


@pytest.mark.usefixtures("written")
def test_no_cell_of_the_file_begins_as_a_formula_does(admin: PageClient) -> None:
    _headings, *rows = by_python(taken(admin, "csv"))

    assert not [cell for row in rows for cell in row if cell[:1] in set("=+-@\t\r\n＝＋－＠")]


@pytest.mark.usefixtures("written")
def test_pandas_reads_the_rows_that_python_reads(admin: PageClient) -> None:
    file = taken(admin, "csv")

    read = pd.read_csv(io.BytesIO(file), dtype=str, keep_default_na=False, encoding="utf-8-sig")

    assert [list(read.columns), *read.to_numpy().tolist()] == by_python(file)


@pytest.mark.usefixtures("written")
def test_openpyxl_reads_from_the_workbook_what_was_typed_and_no_formula(admin: PageClient) -> None:
    page = load_workbook(io.BytesIO(taken(admin, "xlsx"))).worksheets[0]

    _headings, *rows = page.iter_rows()
    # Excel writes characters that XML forbids as _x0001_; openpyxl hands them on as they stand.
    assert sorted(unescape(str(row[OCCUPATION].value)) for row in rows) == sorted(TEXTS)
    assert {cell.data_type for row in rows for cell in row} <= {"s", "n", "d"}


@pytest.mark.usefixtures("written")
def test_csv_and_workbook_say_the_same_of_every_row(admin: PageClient) -> None:
    headings, *of_csv = by_python(taken(admin, "csv"))
    page = load_workbook(io.BytesIO(taken(admin, "xlsx"))).worksheets[0]

    rows = [[_as_csv_has_it(cell.value) for cell in row] for row in page.iter_rows()]
    for row in of_csv:
        row[PHONE] = row[PHONE].replace(" ", "")  # grouped, so that it stays a text

    assert rows == [headings, *([as_it_was(cell) for cell in row] for row in of_csv)]


def _as_csv_has_it(value: Any) -> str:
    match value:
        case dt.datetime():
            return f"{value:%Y-%m-%d %H:%M}"
        case float():
            return f"{value:.2f}"
        case None:
            return ""
        case _:
            return unescape(str(value))


@pytest.mark.parametrize("typed", ["'", "''", "'=1", "''=1", "'a", "it's", "=", "'\t", "\uff0b1"])
def test_the_guard_is_taken_away_without_a_trace(typed: str) -> None:
    assert as_it_was(harmless(typed)) == typed
