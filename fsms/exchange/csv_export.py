"""A list as CSV that opens right in Excel, in Khmer, and starts no formula: RFC 4180, with a byte order mark.

PostgreSQL writes the file (`COPY … TO STDOUT`): two million rows pass through here as bytes, a thousand at a time.
"""

import csv
import io
import re
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    SQLColumnExpression,
    Text,
    case,
    cast,
    func,
    literal,
    select,
    true,
)

from fsms.exchange.sheet import Column, Kind, Sheet

BYTE_ORDER_MARK = "\ufeff"  # Without it Excel takes UTF-8 for the machine's old code page.
LINES_AT_ONCE = 1_000
NEW_LINE = b"\r\n"

# A cell that begins so is run by spreadsheets as a formula, whoever typed it into a name: the signs of a keyboard, and
# the wide ones of East Asian keyboards, which Excel takes as well. An apostrophe before it shows the text and does
# nothing; where the text itself has apostrophes before such a sign it gets one more, so that taking one away always
# gives the text as it was.
_SIGNS = "=+-@\t\r\n\uff1d\uff0b\uff0d\uff20"
_SIGNS_IN_A_CLASS = _SIGNS.replace("-", r"\-")
_GUARDED = re.compile(f"'*[{_SIGNS_IN_A_CLASS}]")
# A phone number that is all digits would lose its first zero; in groups, as the school writes it, it stays a text.
_BARE_PHONE = r"^(0\d\d)(\d{3})(\d{3,4})$"


def harmless(cell: str) -> str:
    """Put an apostrophe before what a spreadsheet would run."""
    return f"'{cell}" if _GUARDED.match(cell) else cell


def as_it_was(cell: str) -> str:
    """Take away the apostrophe of `harmless`."""
    return cell[1:] if cell.startswith("'") and _GUARDED.match(cell[1:]) else cell


def stream(connection: Connection, sheet: Sheet, count: Callable[[int], object]) -> Generator[bytes, None, None]:
    """Yield the file piece by piece, and tell `count` how many rows have gone; one statement, one moment of the school.

    The connection must be in a transaction that speaks for whoever takes the list away.
    """
    yield (BYTE_ORDER_MARK + lines([[harmless(column.heading) for column in sheet.columns]])).encode()
    # Days are written 2025-03-14 whatever the server is set to: the one form no spreadsheet reads the wrong way round.
    connection.execute(select(func.set_config("datestyle", "ISO", true())))
    yield from (_by_row if sheet.needs_python else _by_copy)(connection, sheet, count)


def _by_copy(connection: Connection, sheet: Sheet, count: Callable[[int], object]) -> Iterator[bytes]:
    statement = sheet.reading(*(_written(column) for column in sheet.columns))
    driver: Any = connection.connection.driver_connection
    rows, waiting = 0, []
    with driver.cursor() as cursor, cursor.copy(_copy_out(connection, statement)) as copy:
        for line in copy:
            waiting.append(line[:-1])  # PostgreSQL ends a line with "\n" alone
            if len(waiting) == LINES_AT_ONCE:
                yield NEW_LINE.join([*waiting, b""])
                rows += LINES_AT_ONCE
                count(rows)
                waiting.clear()
    yield NEW_LINE.join([*waiting, b""])
    count(rows + len(waiting))


def _by_row(connection: Connection, sheet: Sheet, count: Callable[[int], object]) -> Iterator[bytes]:
    rows = 0
    # What only Python can say is guarded here, whatever PostgreSQL has already guarded is left as it is.
    guards = [harmless if column.said else str for column in sheet.columns]
    for some in sheet.read(connection, *(_written(column) for column in sheet.columns)):
        yield lines(
            ["" if value is None else guard(value) for guard, value in zip(guards, row, strict=True)] for row in some
        ).encode()
        rows += len(some)
        count(rows)


def lines(rows: Iterable[Sequence[str]]) -> str:
    """Write rows of texts as RFC 4180 has it."""
    file = io.StringIO(newline="")
    csv.writer(file).writerows(rows)
    return file.getvalue()


def _written(column: Column) -> SQLColumnExpression[Any]:
    value = _as_text(column)
    return func.coalesce(cast(value, Text), column.nothing) if column.nothing else value


def _as_text(column: Column) -> SQLColumnExpression[Any]:
    if column.said:
        return column.value
    match column.kind:
        case Kind.TEXT:
            return _harmless(cast(column.value, Text))
        case Kind.PHONE:
            return _harmless(func.regexp_replace(column.value, _BARE_PHONE, r"\1 \2 \3"))
        case Kind.CHOICE:
            return column.in_words(otherwise=_harmless(cast(column.value, Text)))
        case Kind.MOMENT:
            return func.to_char(column.in_words(), "YYYY-MM-DD HH24:MI")
        case _:
            return column.in_words()


def _harmless(text: SQLColumnExpression[Any]) -> ColumnElement[Any]:
    """Say `harmless` in SQL; the first character settles nearly every row without the pattern."""
    suspect = func.left(text, 1).in_([*_SIGNS, "'"])
    guarded = case((text.op("~")(f"^'*[{_SIGNS_IN_A_CLASS}]"), literal("'") + text), else_=text)
    return case((suspect, guarded), else_=text)


def _copy_out(connection: Connection, statement: Select[Any]) -> str:
    """Write the statement out with its values: COPY takes no parameters."""
    dialect = connection.dialect
    asked = statement.compile(dialect=dialect, compile_kwargs={"literal_binds": True})
    # The driver's dialect doubles the per cent signs for its own reading, which does not happen here.
    plain = str(asked).replace("%%", "%") if dialect.paramstyle in {"format", "pyformat"} else str(asked)
    return f"COPY ({plain}) TO STDOUT (FORMAT csv)"
