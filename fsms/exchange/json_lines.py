"""A list as JSON Lines, for programs: stable names, stored values, numbers as numbers, one object a row."""

import json
from collections.abc import Callable, Iterator
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection

from fsms.exchange.sheet import Sheet


def stream(connection: Connection, sheet: Sheet, count: Callable[[int], object]) -> Iterator[bytes]:
    """Yield the lines in pieces, and tell `count` how many rows have gone; one statement, one moment of the school."""
    names = [column.name for column in sheet.columns]
    rows = 0
    for some in sheet.read(connection, *(column.value for column in sheet.columns)):
        yield b"".join(_line(dict(zip(names, row, strict=True))) for row in some)
        rows += len(some)
        count(rows)


def _line(values: dict[str, Any]) -> bytes:
    return json.dumps(values, ensure_ascii=False, default=_plain).encode() + b"\n"


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return float(value)  # marks and riel have fewer digits than a float keeps
    if isinstance(value, date | datetime):
        return value.isoformat()
    return str(value)
