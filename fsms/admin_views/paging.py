"""Pages of a list at a cost that does not grow with it: keys first, from the nearer end, counts as exact as is cheap.

A page is named by its number, counted from the end where negative: -1 is the last. Far down it begins behind a row
that the address names by its key, so that no page passes over all those before it (docs/decisions/long-lists.md).
"""

import math
import time
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    ClauseElement,
    ColumnElement,
    Executable,
    Index,
    Integer,
    Select,
    and_,
    false,
    func,
    literal,
    literal_column,
    or_,
    select,
    true,
    tuple_,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import Query

from fsms.policy import actor_of, sees_all

EXACT_UP_TO = 10_000
"""Rows that are counted one by one. Of more the page says “about”, until somebody asks for the exact number."""
WALKED = 1_000
"""Rows that may be passed over. A page further down begins behind a row."""
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

    def lead_to(self, *further: Any) -> bool:
        """Say whether an index leads from each parent to its rows, in the order of a further column if one is given."""
        wanted = [_column_behind(one) for one in (self.column, *further)]
        indexes = (index for index in wanted[0].table.indexes if not _is_partial(index))
        return any(list(index.columns)[: len(wanted)] == wanted for index in indexes)

    def own(self, matching: Query[Any]) -> Query[Any]:
        """Ask for the rows that belong to one of them."""
        return matching.filter(self.column.in_(self.keys))

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


# ---- Counts --------------------------------------------------------------------------------------------------------


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


def _is_whole(matching: Query[Any]) -> bool:
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
    asked = matching.with_entities(_key_of(matching)).statement
    (plan,) = matching.session.execute(_Explain(asked)).one()
    return int(plan[0]["Plan"]["Plan Rows"])


def _rounded(number: int) -> int:
    """Keep the digits that a guess is good for."""
    return round(number, DIGITS_OF_A_GUESS - len(str(number)))


# ---- Order ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Term:
    """One of the things that a list is sorted by, one after another; the last is the key, so that no two rows tie."""

    column: Any
    is_desc: bool
    may_be_empty: bool = False

    def sql(self, *, backwards: bool) -> ColumnElement[Any]:
        """Write it for ORDER BY."""
        ordered: ColumnElement[Any] = self.column.desc() if self.is_desc != backwards else self.column.asc()
        return ordered

    def behind(self, value: Any, *, backwards: bool) -> ColumnElement[bool]:
        """Ask for what stands behind a value. PostgreSQL puts empty ones last, and first in descending order."""
        if self.is_desc != backwards:
            return self.column.is_not(None) if value is None else self.column < value
        if value is None:
            return false()
        further: ColumnElement[bool] = self.column > value
        return or_(further, self.column.is_(None)) if self.may_be_empty else further

    def equals(self, value: Any) -> ColumnElement[bool]:
        """Ask for the same value."""
        same: ColumnElement[bool] = self.column.is_(None) if value is None else self.column == value
        return same


def behind(terms: Sequence[Term], values: Sequence[Any], *, backwards: bool) -> ColumnElement[bool]:
    """Ask for the rows behind the one that has these values."""
    if len({term.is_desc for term in terms}) == 1 and not any(term.may_be_empty for term in terms):
        # An index answers this form from the row on.
        ours, theirs = tuple_(*(term.column for term in terms)), tuple_(*values)
        return ours < theirs if terms[0].is_desc != backwards else ours > theirs
    steps = []
    for place, (term, value) in enumerate(zip(terms, values, strict=True)):
        same = (other.equals(known) for other, known in zip(terms[:place], values, strict=False))
        steps.append(and_(*same, term.behind(value, backwards=backwards)))
    return or_(*steps)


# ---- Pages ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Place:
    """The page that an address asks for; where it says so, behind or before the row with that key."""

    page: int
    size: int
    after: int | None = None
    before: int | None = None


@dataclass(frozen=True)
class Link:
    """The way to another page."""

    page: int
    after: int | None = None
    before: int | None = None


@dataclass(frozen=True)
class Page:
    """The rows of a page, what is known of their number, and the ways to others."""

    rows: Sequence[Any]
    keys: Sequence[int]
    count: Count
    place: Place
    has_more: bool
    """Whether there are rows beyond, in the direction in which the page was read."""

    @property
    def pages(self) -> int | None:
        """How many pages there are, where that is known."""
        return max(1, math.ceil(self.count.number / self.place.size)) if self.count.is_exact else None

    @property
    def facts(self) -> tuple[Any, ...]:
        """What is shown of the page below its rows, and what its links lead to."""
        return len(self.rows), *self.keys[:1], *self.keys[-1:], self.count, self.place, self.has_more

    @property
    def first_row(self) -> int:
        """The number of the first row; from the end, of the row nearest to it."""
        page = self.place.page
        return (page if page >= 0 else -page - 1) * self.place.size + 1

    @property
    def last_row(self) -> int:
        """The number of the last row; from the end, of the row farthest from it."""
        return self.first_row + len(self.rows) - 1

    @property
    def first(self) -> Link | None:
        """The first page."""
        return Link(0) if self.previous else None

    @property
    def last(self) -> Link | None:
        """The last page."""
        return Link(self.pages - 1 if self.pages else -1) if self.next else None

    @property
    def previous(self) -> Link | None:
        """The page before."""
        page = self.place.page
        if page == 0 or (page < 0 and not self.has_more):
            return None
        return self._link(page - 1, before=self.keys[0] if self.keys else None)

    @property
    def next(self) -> Link | None:
        """The page behind."""
        page = self.place.page
        if page == -1 or not self.keys:
            return None
        if self.pages is not None:
            is_there = page + 1 < self.pages
        else:
            is_there = page < 0 or self.place.before is not None or self.has_more
        return self._link(page + 1, after=self.keys[-1]) if is_there else None

    def _link(self, page: int, **beside: int | None) -> Link:
        """Name a page by its number, and far from both ends of a long list by the row beside it."""
        passed = (page if page >= 0 else -page - 1) * self.place.size
        is_far = passed > WALKED and self.count.number > EXACT_UP_TO
        return Link(page, **beside) if is_far else Link(page)


def read(
    matching: Query[Any],
    terms: Sequence[Term],
    place: Place,
    known: Count,
    options: Sequence[Any],
    name: Hashable = None,
    parents: Parents | None = None,
) -> Page:
    """Read a page: first the keys of its rows, in their order, then in the same statement what the columns show.

    A name stands for the rows that match, their order and what is read with them: the same is mostly asked again.
    Of the rows that match, those of `parents` are meant, where some are named.
    """
    if known.is_exact and not known.number:
        return Page([], [], known, place, has_more=False)
    if known.is_exact and place.page < 0:
        place = replace(place, page=max(math.ceil(known.number / place.size) + place.page, 0))
    if parents and (known.is_exact or not parents.lead_to(terms[0].column)):
        matching, parents = parents.own(matching), None
    span = replace(_span(matching, terms, place, known), parents=parents)
    key = _key_of(matching)
    found = _asked(span, terms, options, name if span.matching is matching else None).all()
    rows, has_more = found[: span.wanted], len(found) > span.wanted
    if span.backwards:
        rows.reverse()
    elif not has_more and place.after is None and (rows or place.page == 0):
        known = Count(place.page * place.size + len(rows))  # The end is in sight.
    return Page(rows, [getattr(row, key.key) for row in rows], known, place, has_more)


def read_with_count(
    matching: Query[Any], terms: Sequence[Term], place: Place, options: Sequence[Any], name: Hashable = None
) -> Page | None:
    """Find rows once, count them, and read a page of them, all in one statement.

    None where they are too many for that, or the page is not one of those from the beginning.
    """
    if place.page < 0 or (place.after, place.before) != (None, None):
        return None
    span = _Span(matching, place.page * place.size, place.size, are_few=not _is_whole(matching), is_counted=True)
    found = _asked(span, terms, options, name).all()
    if not found:
        return Page([], [], Count(0), place, has_more=False) if place.page == 0 else None
    if (number := found[0].number) > EXACT_UP_TO:
        return None
    rows, key = [row for row, _number in found[: place.size]], _key_of(matching)
    return Page(rows, [getattr(row, key.key) for row in rows], Count(number), place, len(found) > place.size)


def _asked(span: "_Span", terms: Sequence[Term], options: Sequence[Any], name: Hashable) -> Query[Any]:
    """Put the statement of a span together, or take it as it was put together before under its name."""
    told = span.passed, span.wanted, span.backwards, span.are_few, span.is_counted, span.parents is None
    place = [] if name is None else _statements(name, *told)
    if not place:
        keys = span.keys(_key_of(span.matching), terms)
        asked = _of_keys(span.matching, keys, terms, options, backwards=span.backwards)
        place.append(asked.add_columns(keys.c.number) if span.is_counted else asked)
        place[0].session = None  # type: ignore[assignment]  # it outlives the one that it was made in
    return place[0].with_session(span.matching.session)


@lru_cache(300)
def _statements(*_told: Hashable) -> list[Query[Any]]:
    """Give the place of a statement, which is empty until it is put together."""
    return []


def _of_keys(
    matching: Query[Any], keys: Any, terms: Sequence[Term], options: Sequence[Any], *, backwards: bool = False
) -> Query[Any]:
    """Ask for the rows that have these keys, in the same order."""
    key = _key_of(matching)
    rows = matching.session.query(key.class_).join(keys, key == keys.c.key).options(*options)
    order = (Term(keys.c[f"by_{n}"], term.is_desc) for n, term in enumerate(terms))
    return rows.order_by(*(term.sql(backwards=backwards) for term in order))


@dataclass(frozen=True)
class _Span:
    """The rows to read: from where, in which direction, how many are passed over and how many wanted.

    Of few rows in a large table PostgreSQL believes that they lie all over it, and walks the order until it meets them;
    where it is known that they are few, they are found first and sorted then.
    """

    matching: Query[Any]
    passed: int
    wanted: int
    backwards: bool = False
    are_few: bool = False
    is_counted: bool = False
    """Their number is not known yet: it is given with each row, up to one more than is counted exactly."""
    parents: Parents | None = None
    """Those whose rows are meant: of each the first are found, and then the first of all of them."""

    def keys(self, key: Any, terms: Sequence[Term]) -> Any:
        """Ask for their keys and what they are sorted by; and for one more, to know whether there are others."""
        labelled = (term.column.label(f"by_{n}") for n, term in enumerate(terms))
        asked = self.matching.with_entities(key.label("key"), *labelled)
        if self.parents:
            order = (term.sql(backwards=self.backwards) for term in terms)
            of_each = self.parents.rows_of_each(asked, self.passed + self.wanted + 1, *order).subquery()
            terms = [Term(of_each.c[f"by_{n}"], term.is_desc) for n, term in enumerate(terms)]
            asked = self.matching.session.query(of_each)
        elif self.are_few:
            few = asked.limit(EXACT_UP_TO + 1 if self.is_counted else None).cte("few").prefix_with("MATERIALIZED")
            terms = [Term(few.c[f"by_{n}"], term.is_desc) for n, term in enumerate(terms)]
            asked = self.matching.session.query(few)
            if self.is_counted:
                asked = asked.add_columns(_number_of(few))
        elif self.is_counted:
            some = self.matching.with_entities(literal_column("1").label("one")).limit(_written(EXACT_UP_TO + 1))
            asked = asked.add_columns(_number_of(some.subquery()))
        ordered = asked.order_by(*(term.sql(backwards=self.backwards) for term in terms)).offset(self.passed or None)
        wanted: Any = self.wanted + 1
        # PostgreSQL keeps its plan for all rows in their order only if the number of those wanted is written out.
        return ordered.limit(_written(wanted) if _is_whole(self.matching) else wanted).subquery()


def _number_of(rows: Any) -> Any:
    return select(func.count()).select_from(rows).scalar_subquery().label("number")


def _written(number: int) -> Any:
    """Write a number into a statement itself."""
    return literal_column(str(number), Integer)


def _span(matching: Query[Any], terms: Sequence[Term], place: Place, known: Count) -> _Span:
    for beside, backwards in ((place.after, False), (place.before, True)):
        if beside is not None and (values := _values(matching, terms, beside)) is not None:
            narrowed = matching.filter(behind(terms, values, backwards=backwards))
            return _Span(narrowed, 0, place.size, backwards)
    if place.page < 0:
        return _Span(matching, (-place.page - 1) * place.size, place.size, backwards=True)
    passed, are_few = (
        place.page * place.size,
        known.is_exact and known.number <= EXACT_UP_TO and not _is_whole(matching),
    )
    if known.is_exact and passed > known.number // 2:
        wanted = max(min(place.size, known.number - passed), 0)
        return _Span(matching, max(known.number - passed - wanted, 0), wanted, backwards=True, are_few=are_few)
    return _Span(matching, passed, place.size, are_few=are_few)


def _values(matching: Query[Any], terms: Sequence[Term], key: int) -> tuple[Any, ...] | None:
    """Read what a row is sorted by; None where it is gone, and its page is found by passing over those before it."""
    found = matching.with_entities(*(term.column for term in terms)).filter(_key_of(matching) == key).one_or_none()
    return None if found is None else tuple(found)


def _key_of(matching: Query[Any]) -> Any:
    """Find the key of the entity that is listed."""
    entity: Any = matching.column_descriptions[0]["entity"]
    mapper = entity.__mapper__
    return mapper.get_property_by_column(mapper.primary_key[0]).class_attribute
