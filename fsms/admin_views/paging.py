"""Pages of a list at a cost that does not grow with it: keys first, from the nearer end, counts as exact as is cheap.

A page is named by its number, counted from the end where negative: -1 is the last. Far down it begins behind a row
that the address names by its key, so that no page passes over all those before it (docs/decisions/long-lists.md).
"""

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Integer,
    and_,
    false,
    func,
    literal_column,
    or_,
    select,
    tuple_,
)
from sqlalchemy.orm import Query

from fsms.admin_views import counting, lines
from fsms.admin_views.counting import Count, Parents, is_whole, key_of

WALKED = 1_000
"""Rows that may be passed over. A page further down begins behind a row."""


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

    rows: lines.Lines
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
        is_far = passed > WALKED and self.count.number > counting.EXACT_UP_TO
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
        return Page(lines.NONE, [], known, place, has_more=False)
    if known.is_exact and place.page < 0:
        place = replace(place, page=max(math.ceil(known.number / place.size) + place.page, 0))
    if parents and (known.is_exact or not parents.lead_to(terms[0].column)):
        matching, parents = parents.own(matching), None
    span = replace(_span(matching, terms, place, known), parents=parents)
    question = _question(span, terms, options, name if span.matching is matching else None)
    rows, keys, _number, has_more = question.ask(matching.session, span.wanted, backwards=span.backwards)
    if not span.backwards and not has_more and place.after is None and (rows or place.page == 0):
        known = Count(place.page * place.size + len(rows))  # The end is in sight.
    return Page(rows, keys, known, place, has_more)


def read_with_count(
    matching: Query[Any], terms: Sequence[Term], place: Place, options: Sequence[Any], name: Hashable = None
) -> Page | None:
    """Find rows once, count them, and read a page of them, all in one statement.

    None where they are too many for that, or the page is not one of those from the beginning.
    """
    if place.page < 0 or (place.after, place.before) != (None, None):
        return None
    span = _Span(matching, place.page * place.size, place.size, are_few=not is_whole(matching), is_counted=True)
    rows, keys, number, has_more = _question(span, terms, options, name).ask(matching.session, place.size)
    if number is None:
        return Page(lines.NONE, [], Count(0), place, has_more=False) if place.page == 0 else None
    return Page(rows, keys, Count(number), place, has_more) if number <= counting.EXACT_UP_TO else None


def _question(span: "_Span", terms: Sequence[Term], options: Sequence[Any], name: Hashable) -> lines.Question:
    """Put the question of a span together, or take it as it was put together before under its name."""
    told = span.passed, span.wanted, span.backwards, span.are_few, span.is_counted, span.parents is None
    place = [] if name is None else _questions(name, *told, counting.EXACT_UP_TO)
    if not place:
        keys = span.keys(key_of(span.matching), terms)
        asked = _of_keys(span.matching, keys, terms, options, backwards=span.backwards)
        beside = [keys.c.key.label(lines.KEY), *([keys.c.number.label(lines.NUMBER)] if span.is_counted else [])]
        place.append(lines.Question(asked.add_columns(*beside)))
    return place[0]


@lru_cache(300)
def _questions(*_told: Hashable) -> list[lines.Question]:
    """Give the place of a question, which is empty until it is put together."""
    return []


def _of_keys(
    matching: Query[Any], keys: Any, terms: Sequence[Term], options: Sequence[Any], *, backwards: bool = False
) -> Query[Any]:
    """Ask for the rows that have these keys, in the same order."""
    key = key_of(matching)
    rows = matching.session.query(key.class_).join(keys, key == keys.c.key).options(*options)
    rows = rows.execution_options(**matching.get_execution_options())
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
        most = counting.EXACT_UP_TO + 1
        labelled = (term.column.label(f"by_{n}") for n, term in enumerate(terms))
        asked = self.matching.with_entities(key.label("key"), *labelled)
        if self.parents:
            order = (term.sql(backwards=self.backwards) for term in terms)
            of_each = self.parents.rows_of_each(asked, self.passed + self.wanted + 1, *order).subquery()
            terms = [Term(of_each.c[f"by_{n}"], term.is_desc) for n, term in enumerate(terms)]
            asked = self.matching.session.query(of_each)
        elif self.are_few:
            few = asked.limit(most if self.is_counted else None).cte("few").prefix_with("MATERIALIZED")
            terms = [Term(few.c[f"by_{n}"], term.is_desc) for n, term in enumerate(terms)]
            asked = self.matching.session.query(few)
            if self.is_counted:
                asked = asked.add_columns(_number_of(few))
        elif self.is_counted:
            some = self.matching.with_entities(literal_column("1").label("one")).limit(_written(most))
            asked = asked.add_columns(_number_of(some.subquery()))
        ordered = asked.order_by(*(term.sql(backwards=self.backwards) for term in terms)).offset(self.passed or None)
        wanted: Any = self.wanted + 1
        # PostgreSQL keeps its plan for all rows in their order only if the number of those wanted is written out.
        return ordered.limit(_written(wanted) if is_whole(self.matching) else wanted).subquery()


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
        known.is_exact and known.number <= counting.EXACT_UP_TO and not is_whole(matching),
    )
    if known.is_exact and passed > known.number // 2:
        wanted = max(min(place.size, known.number - passed), 0)
        return _Span(matching, max(known.number - passed - wanted, 0), wanted, backwards=True, are_few=are_few)
    return _Span(matching, passed, place.size, are_few=are_few)


def _values(matching: Query[Any], terms: Sequence[Term], key: int) -> tuple[Any, ...] | None:
    """Read what a row is sorted by; None where it is gone, and its page is found by passing over those before it."""
    found = matching.with_entities(*(term.column for term in terms)).filter(key_of(matching) == key).one_or_none()
    return None if found is None else tuple(found)
