"""A list as an Excel workbook: days are days and numbers numbers, the headings stay in sight.

The rows go to a file on the disk as they come, so that memory stays the same for any number of them.
"""

import re
from collections.abc import Callable, Iterator
from datetime import date, datetime
from typing import IO, Any

import xlsxwriter
from sqlalchemy import Connection

from fsms.exchange.sheet import ROWS_AT_ONCE, Column, Kind, Sheet

ROWS_OF_A_SHEET = 1_048_575  # Excel has one more, for the headings.
NO_SHEET_NAME = re.compile(r"[\[\]:*?/\\]")

_WIDTHS = {Kind.DAY: 12, Kind.MOMENT: 17, Kind.NUMBER: 12, Kind.KEY: 10, Kind.FLAG: 10, Kind.PHONE: 16}


def write(file: IO[bytes], connection: Connection, sheet: Sheet, count: Callable[[int], object]) -> None:
    """Write the workbook, and tell `count` how many rows are in it; one statement, one moment of the school."""
    with xlsxwriter.Workbook(file, _OPTIONS) as book:
        formats = {
            Kind.DAY: book.add_format({"num_format": "dd/mm/yyyy"}),
            Kind.MOMENT: book.add_format({"num_format": "dd/mm/yyyy hh:mm"}),
            Kind.NUMBER: book.add_format({"num_format": "#,##0.##"}),
        }
        heading = book.add_format({"bold": True, "bottom": 1})
        writers = [_writer(column, formats) for column in sheet.columns]
        page: Any = None
        for number, row in enumerate(_rows(connection, sheet)):
            line = number % ROWS_OF_A_SHEET
            if line == 0:
                page = _page(book, sheet, number // ROWS_OF_A_SHEET, heading)
            for place, value in enumerate(row):
                if value is not None:
                    writers[place](page, line + 1, place, value)
                elif word := sheet.columns[place].nothing:
                    page.write_string(line + 1, place, word)
            if (number + 1) % ROWS_AT_ONCE == 0:
                count(number + 1)
        if page is None:
            _page(book, sheet, 0, heading)


# Whatever a cell says is text: nothing that somebody typed becomes a formula or a link.
_OPTIONS = {
    "constant_memory": True,
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
    "default_date_format": "dd/mm/yyyy",
}


def _rows(connection: Connection, sheet: Sheet) -> Iterator[list[Any]]:
    for some in sheet.read(connection, *(column.in_words() for column in sheet.columns)):
        yield from some


def _page(book: Any, sheet: Sheet, number: int, heading: Any) -> Any:
    name = NO_SHEET_NAME.sub(" ", sheet.title)[:24].strip("' ") or "Sheet"
    page = book.add_worksheet(f"{name} {number + 1}" if number else name)
    page.freeze_panes(1, 0)
    for place, column in enumerate(sheet.columns):
        page.set_column(place, place, _WIDTHS.get(column.kind, 24))
        page.write_string(0, place, column.heading, heading)
    return page


def _writer(column: Column, formats: dict[Kind, Any]) -> Callable[[Any, int, int, Any], object]:
    match column.kind:
        case Kind.NUMBER:
            return lambda page, line, place, value: page.write_number(line, place, value, formats[Kind.NUMBER])
        case Kind.DAY | Kind.MOMENT as kind:
            return lambda page, line, place, value: _write_moment(page, line, place, value, formats[kind])
        case _:
            return lambda page, line, place, value: page.write_string(line, place, str(value))


def _write_moment(page: Any, line: int, place: int, value: date | datetime, style: Any) -> None:
    """Write a day as one; Excel knows none before 1900."""
    if value.year < 1900:
        page.write_string(line, place, value.isoformat())
    else:
        page.write_datetime(line, place, value, style)
