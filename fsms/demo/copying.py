"""Lines of PostgreSQL's COPY text format, and the tables they go into."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from itertools import chain

from fsms.models import Base

_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


@dataclass(frozen=True)
class Table:
    """A table to fill: its columns, and its rows in blocks of lines that are made only when they are asked for."""

    entity: type[Base]
    word: str
    columns: tuple[str, ...]
    blocks: Iterable[str]
    steps: int


def table_of(entity: type[Base], word: str, rows: Iterator[Mapping[str, object]], steps: int) -> Table:
    """Make a table of rows that name their columns; all name the same ones in the same order."""
    first = next(rows, None)
    if first is None:
        return Table(entity, word, (), (), 0)
    return Table(entity, word, tuple(first), (line(*row.values()) for row in chain([first], rows)), steps)


def line(*values: object) -> str:
    """Write one row."""
    return "\t".join(map(_cell, values)) + "\n"


def school_time(day: date, time: str) -> str:
    """Write a moment of the school's day as PostgreSQL reads it: Phnom Penh is seven hours ahead, all year round."""
    return f"{day} {time}+07"


def _cell(value: object) -> str:
    if value is None:
        return "\\N"
    if isinstance(value, bool):
        return "t" if value else "f"
    return str(value).translate(_ESCAPES)
