"""LibreOffice reads what was taken away: the same rows, no formula."""

import re

import pytest

from fsms.exchange.csv_export import as_it_was, lines
from tests.browser import PageClient
from tests.builders import Make
from tests.hostile import COLUMNS, OCCUPATION, TEXTS, by_python, guardians_of_hostile_words, taken
from tests.office.conftest import Convert

pytestmark = pytest.mark.office

UTF_8 = "76"
STANDARD, TEXT = "1", "2"
WRITTEN = f"csv:Text - txt - csv (StarCalc):44,34,{UTF_8},1,,0,true,true"  # each text quoted, numbers as shown
FORMULA = b"table:formula="


@pytest.fixture
def written(make: Make) -> None:
    guardians_of_hostile_words(make)


def _reading(kind: str) -> str:
    """Write the choices of the import window: comma, quotes, UTF-8, and every column of one kind."""
    columns = "/".join(f"{place}/{kind}" for place, _name in enumerate(COLUMNS.split(","), start=1))
    return f"CSV:44,34,{UTF_8},1,{columns}"


def _lines_in_a_cell_end_alike(rows: list[list[str]]) -> list[list[str]]:
    """Calc knows one end of a line inside a cell."""
    return [[re.sub("\r\n?", "\n", cell) for cell in row] for row in rows]


@pytest.mark.usefixtures("written")
def test_calc_reads_the_rows_that_python_reads(admin: PageClient, calc: Convert) -> None:
    file = taken(admin, "csv")

    read = by_python(calc(file, "csv", _reading(TEXT), WRITTEN))

    assert read == _lines_in_a_cell_end_alike(by_python(file))


@pytest.mark.usefixtures("written")
def test_calc_finds_no_formula_in_a_file_opened_as_it_is(admin: PageClient, calc: Convert) -> None:
    file = taken(admin, "csv")
    unguarded = lines([as_it_was(cell) for cell in row] for row in by_python(file)).encode()

    assert FORMULA not in calc(file, "csv", _reading(STANDARD), "fods")
    assert FORMULA in calc(unguarded, "csv", _reading(STANDARD), "fods")


@pytest.mark.usefixtures("written")
def test_calc_reads_from_the_workbook_what_was_typed_and_no_formula(admin: PageClient, calc: Convert) -> None:
    file = taken(admin, "xlsx")

    _headings, *read = _lines_in_a_cell_end_alike(by_python(calc(file, "xlsx", "", WRITTEN)))

    assert sorted(row[OCCUPATION] for row in read) == sorted(*_lines_in_a_cell_end_alike([TEXTS]))
    assert FORMULA not in calc(file, "xlsx", "", "fods")
