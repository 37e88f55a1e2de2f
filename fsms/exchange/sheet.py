"""What a list is as a file: its columns as SQL with what is in them, and the rows. Knows no format and no page."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, SQLColumnExpression, Text, case, cast, func, literal

from fsms.clock import SCHOOL_ZONE

ROWS_AT_ONCE = 2_000


class Kind(Enum):
    """What the values of a column are, whatever the file."""

    TEXT = auto()
    PHONE = auto()
    CHOICE = auto()
    FLAG = auto()
    NUMBER = auto()
    KEY = auto()
    DAY = auto()
    MOMENT = auto()


@dataclass(frozen=True)
class Column:
    """A column of a sheet: its stable name, its heading for people, and the SQL of its values.

    `words` are what people read for a stored value of a CHOICE, and for "true" and "false" of a FLAG. `said` puts a
    value into words that only Python knows; a sheet with such a column is read row by row. `nothing` is what people
    read where there is no value.
    """

    name: str
    heading: str
    value: SQLColumnExpression[Any]
    kind: Kind = Kind.TEXT
    words: Mapping[str, str] = field(default_factory=dict)
    said: Callable[[Any], str] | None = None
    nothing: str = ""

    def in_words(self, otherwise: ColumnElement[Any] | None = None) -> SQLColumnExpression[Any]:
        """The value as people read it: a choice by its word, a moment by the school's clock.

        A stored value that has no word, from an older database, speaks for itself, or as `otherwise` says.
        """
        if self.words:
            stored = cast(self.value, Text)
            pairs = ((stored == key, literal(word)) for key, word in self.words.items())
            return case(*pairs, else_=stored if otherwise is None else otherwise)
        return func.timezone(SCHOOL_ZONE.key, self.value) if self.kind is Kind.MOMENT else self.value


@dataclass(frozen=True)
class Sheet:
    """A list about to be taken away: a name for people, its columns, and which rows in which order.

    The statement selects the list's entity with its filters and order; columns that read other tables have joined
    them there already (`labels.Joined`). `speaking` is entered while `said` speaks, for the reader's language.
    """

    title: str
    columns: tuple[Column, ...]
    rows: Select[Any]
    speaking: Callable[[], AbstractContextManager[object]] = nullcontext

    def reading(self, *values: SQLColumnExpression[Any]) -> Select[Any]:
        """Select these expressions of the sheet's rows, in its order."""
        named: list[Any] = [value.label(f"c{place}") for place, value in enumerate(values)]
        return self.rows.with_only_columns(*named, maintain_column_froms=True)

    @property
    def needs_python(self) -> bool:
        """Whether PostgreSQL cannot write the file by itself."""
        return any(column.said for column in self.columns)

    def read(self, connection: Connection, *values: SQLColumnExpression[Any]) -> Iterator[list[list[Any]]]:
        """Yield the rows of these expressions, one for each column, some thousands at once and never all."""
        said = [(place, column.said) for place, column in enumerate(self.columns) if column.said]
        with connection.execute(self.reading(*values).execution_options(yield_per=ROWS_AT_ONCE)) as found:
            for some in found.partitions():
                rows = [list(row) for row in some]
                with self.speaking():  # never across a yield: whoever reads may go away and not come back
                    for place, say in said:
                        for row in rows:
                            row[place] = say(row[place])
                yield rows
