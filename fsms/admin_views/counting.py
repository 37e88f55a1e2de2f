"""How many rows of a list match: exactly while that is cheap, and about beyond (docs/decisions/long-lists.md)."""

import time
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ClauseElement, ColumnElement, Executable, Index, Select, func, literal, select, true
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import Query

from fsms.policy import actor_of, sees_all

EXACT_UP_TO = 10_000
"""Rows that are counted one by one. Of more the page says “about”, until somebody asks for the exact number."""
DIGITS_OF_A_GUESS = 3
SECONDS_OF_A_GUESS = 60
MOST_QUESTIONS = 1_000

_guesses: dict[Hashable, tuple[int, float]] = {}
"""Of questions with many answers: about how many, and how long that is believed."""


@dataclass(frozen=True)
class Parents:
    """The records that rows belong to: a class, to its marks.

    Where the rows of some classes lie in the order of a list, nobody knows; the database believes that they lie all
    over it, and may walk past two million rows to the first one. From each class they are found at once.
    """

    column: Any
    """Of the rows, with the number of their parent."""
    keys: Select[Any]
    """The numbers of the parents meant, a few hundred at most."""
    asks: ColumnElement[bool] | None = None
    """The condition on the rows themselves, where it can be said without asking for the numbers."""

    def lead_to(self, *further: Any) -> bool:
        """Say whether an index leads from each parent to its rows, in the order of a further column if one is given."""
        wanted = [_column_behind(one) for one in (self.column, *further)]
        indexes = (index for index in wanted[0].table.indexes if not _is_partial(index))
        return any(list(index.columns)[: len(wanted)] == wanted for index in indexes)

    def own(self, matching: Query[Any]) -> Query[Any]:
        """Ask for the rows that belong to one of them."""
        return matching.filter(self.column.in_(self.keys) if self.asks is None else self.asks)

    def rows_of_each(self, asked: Query[Any], most: int | None, *order: Any) -> Any:
        """Ask for the first rows of each one of them, or for all."""
        each = self.keys.subquery()
        first: Any = asked.filter(self.column == each.c[0]).order_by(*order).limit(most)
        own = first.statement.correlate(each).lateral()
        return select(*own.c).select_from(each.join(own, true()))


def _column_behind(attribute: Any) -> Any:
    return getattr(getattr(attribute, "property", None), "columns", [None])[0]


def _is_partial(index: Index) -> bool:
    return index.dialect_options["postgresql"]["where"] is not None


@dataclass(frozen=True)
class Count:
    """How many rows match: exactly, or about."""

    number: int
    is_exact: bool = True


def count(
    matching: Query[Any], name: Hashable = None, parents: Parents | None = None, *, exactly: bool = False
) -> Count:
    """Count the rows one by one while that is cheap; beyond, say what PostgreSQL expects there to be.

    The name stands for the question and who asks it: what is about right is right for a minute. Of the rows that match,
    those of `parents` are meant, where some are named.
    """
    one: Any = matching.with_entities(literal(1).label("one"))
    each = parents.rows_of_each(one, None) if parents and parents.lead_to() else None
    if parents:
        one, matching = parents.own(one), parents.own(matching)
    if exactly:
        return Count(matching.with_entities(func.count()).scalar() or 0)
    if guess := _remembered_guess(name):
        return Count(_rounded(guess), is_exact=False)
    # How many rows each parent has PostgreSQL does not know, and an index tells it in no time.
    some = one.limit(EXACT_UP_TO + 1) if each is None else each
    number: int = matching.session.execute(select(func.count()).select_from(some.subquery())).scalar_one()
    if number <= EXACT_UP_TO:
        return Count(number)
    guess = max(number, _guess(matching)) if each is None else number
    if name is not None:
        if len(_guesses) >= MOST_QUESTIONS:
            _guesses.clear()
        _guesses[name] = guess, time.monotonic() + SECONDS_OF_A_GUESS
    return Count(_rounded(guess), is_exact=False)


def were_many(name: Hashable) -> bool:
    """Say whether the same question had too many answers within the last minute to be found before they are sorted."""
    return _remembered_guess(name) is not None


def _remembered_guess(name: Hashable) -> int | None:
    """Answer how many rows were guessed within the last minute; one row more or less is no matter."""
    guess, until = _guesses.get(name, (0, 0.0))
    return guess if guess > EXACT_UP_TO and until > time.monotonic() else None


def is_whole(matching: Query[Any]) -> bool:
    """Say whether nothing narrows the rows: no filter, and no policy."""
    return matching.whereclause is None and sees_all(actor_of(matching.session))


class _Explain(Executable, ClauseElement):
    """A statement that is planned and not carried out."""

    inherit_cache = False

    def __init__(self, statement: Any) -> None:
        self.statement = statement


@compiles(_Explain, "postgresql")
def _explain(element: _Explain, compiler: Any, **options: Any) -> str:
    return f"EXPLAIN (FORMAT JSON) {compiler.process(element.statement, **options)}"


def _guess(matching: Query[Any]) -> int:
    """Ask PostgreSQL how many rows it expects, from what it knows of its tables without reading them."""
    asked = matching.with_entities(key_of(matching)).statement
    (plan,) = matching.session.execute(_Explain(asked)).one()
    return int(plan[0]["Plan"]["Plan Rows"])


def _rounded(number: int) -> int:
    """Keep the digits that a guess is good for."""
    return round(number, DIGITS_OF_A_GUESS - len(str(number)))


def key_of(matching: Query[Any]) -> Any:
    """Find the key of the entity that is listed."""
    entity: Any = matching.column_descriptions[0]["entity"]
    mapper = entity.__mapper__
    return mapper.get_property_by_column(mapper.primary_key[0]).class_attribute
