"""Lines of PostgreSQL's COPY text format, and the tables they go into."""

from collections.abc import Iterable
from dataclasses import dataclass

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


def line(*values: object) -> str:
    """Write one row."""
    return "\t".join(map(_cell, values)) + "\n"


def _cell(value: object) -> str:
    if value is None:
        return "\\N"
    if isinstance(value, bool):
        return "t" if value else "f"
    return str(value).translate(_ESCAPES)
