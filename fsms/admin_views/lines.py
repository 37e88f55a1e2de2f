"""Questions that are asked again and again, for one record or a list, and the lines that the database answers.

A list is mostly seen again as it was. What was drawn of a line before is known by the line itself (`remembered`), and
making the record of it, with those of other tables that were read in the same line, would be for nothing.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any, overload

from sqlalchemy import Integer, bindparam, select, util
from sqlalchemy.engine.cursor import FullyBufferedCursorFetchStrategy
from sqlalchemy.orm import Query, Session, scoped_session
from sqlalchemy.orm.context import _ORMSelectCompileState

from fsms import policy
from fsms.office import Base
from fsms.pooling import ONE_PLAN

KEY, NUMBER = "key_of_line", "number_of_lines"
"""The labels of two columns beside the record: its key and, where it was asked for, how many lines there are."""

_RECORDS: Any = _ORMSelectCompileState
"""What a session does before it asks its connection, and afterwards; it has no types."""

_PLAIN = frozenset({str, int, bool, type(None), date, datetime})


class Lines(Sequence[Any]):
    """The rows of a page; what it gives are records."""

    def __init__(self, facts: Sequence[tuple[Any, ...]], make: Callable[[], list[Any]]) -> None:
        """Take what tells each line from others, as something to look up by, and what makes all their records."""
        self.facts = facts
        self._make = make
        self._made: list[Any] | None = None

    @property
    def _records(self) -> list[Any]:
        if self._made is None:
            self._made = self._make()
        return self._made

    def __len__(self) -> int:
        """Count them, for which nothing is made."""
        return len(self.facts)

    def __iter__(self) -> Iterator[Any]:
        """Give the records."""
        return iter(self._records)

    @overload
    def __getitem__(self, place: int) -> Any: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[Any]: ...
    def __getitem__(self, place: int | slice) -> Any:
        """Give a record, or some."""
        return self._records[place]


NONE = Lines((), list)


class _Kept:
    """What is asked again and again, for any session; how SQLAlchemy reads it is worked out once."""

    def __init__(self, session: Session | scoped_session[Any], asked: Any) -> None:
        """Take a statement, as whoever asks now may read its records."""
        self._statement, self._options, _none = _RECORDS.orm_pre_session_exec(
            session, policy.readable(session, asked), {}, util.EMPTY_DICT, {}, is_pre_event=True
        )

    def _answer(self, session: Session, values: Mapping[str, Any]) -> Any:
        return session.connection().execute(self._statement, values, execution_options=self._options)

    def _records(self, session: Session, values: Mapping[str, Any], answer: Any) -> Any:
        return _RECORDS.orm_setup_cursor_result(session, self._statement, values, self._options, {}, answer)


class QuestionOfOne(_Kept):
    """The question for one record by its number, with what is read beside it."""

    def __init__(self, session: Session, entity: type[Base], beside: Sequence[Any]) -> None:
        """Take the options that say what is read in the same statement."""
        key = entity.__mapper__.primary_key[0]
        asked = select(entity).where(key == bindparam("key", type_=Integer)).options(*beside)
        super().__init__(session, asked.execution_options(**ONE_PLAN))

    def ask(self, session: Session, key: int) -> Base | None:
        """Read the record; None where there is none, or none that may be seen."""
        if session.autoflush:
            session.flush()
        values = {"key": key}
        # Children that are read in the same statement repeat their parent line by line.
        found = self._records(session, values, self._answer(session, values)).unique().scalars()
        record: Base | None = found.one_or_none()
        return record


class Question(_Kept):
    """The question of a list."""

    def __init__(self, query: Query[Any]) -> None:
        """Take the rows with the keys beside them."""
        super().__init__(query.session, query.statement.execution_options(populate_existing=True))
        self._places: tuple[int, int | None] | None = None

    def ask(self, session: Session, most: int, *, backwards: bool = False) -> tuple[Lines, list[int], int | None, bool]:
        """Ask for at most so many lines; say their keys, their number if it was asked for, and whether there are more.

        The records are made of the same answer, as it came: what was known of them in the session before is
        overwritten.
        """
        found = self._answer(session, {})
        if self._places is None:
            names = list(found.keys())
            self._places = names.index(KEY), names.index(NUMBER) if NUMBER in names else None
        key, number = self._places
        lines = found.cursor_strategy.fetchall(found, found.cursor)
        found.cursor_strategy = FullyBufferedCursorFetchStrategy(None, initial_buffer=lines)

        def shown(of_all: Sequence[Any]) -> list[Any]:
            return [*of_all[:most]][::-1] if backwards else [*of_all[:most]]

        def records() -> list[Any]:
            return shown([record for record, *_beside in self._records(session, {}, found)])

        page = shown(lines)
        facts = [_told(line if number is None else line[:number] + line[number + 1 :]) for line in page]
        counted = lines[0][number] if number is not None and lines else None
        return Lines(facts, records), [line[key] for line in page], counted, len(lines) > most


def _told(line: Sequence[Any]) -> tuple[Any, ...]:
    # 5 and 5.00 are equal, and written otherwise.
    return tuple([value if type(value) in _PLAIN else repr(value) for value in line])
