"""What deleting records would take along, what would lose its link to them, and what keeps them. Deletes nothing.

The foreign keys are asked, so that nobody has to keep a list: a table that points at another one is counted.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from enum import Enum
from functools import cache
from typing import Any, cast

from sqlalchemy import ForeignKeyConstraint, Select, Table, and_, func, literal, select, union_all
from sqlalchemy.orm import joinedload

from fsms.activity import AnySession
from fsms.errors import STILL_USED
from fsms.models import ENTITIES, Attendance, Base, Enrollment, Grade

NAMED = 5
"""So many of the records of one kind are called by their names."""

# What a record needs beside it to be told from its like.
_TOLD_WITH: dict[type[Base], tuple[Any, ...]] = {
    Grade: (Grade.subject, Grade.course),
    Attendance: (Attendance.course,),
    Enrollment: (Enrollment.student, Enrollment.course),
}


class Effect(Enum):
    """What becomes of a record that points at one which is deleted."""

    GOES = "goes along"
    LOSES_ITS_LINK = "stays, and its link is emptied"
    HOLDS = "keeps the other from being deleted"


@dataclass(frozen=True)
class Named:
    """A record by its number and its name."""

    key: int
    label: str


@dataclass(frozen=True)
class Tie:
    """The records of one kind that point at what is to be deleted; the first of them by name."""

    entity: type[Base]
    effect: Effect
    constraint: str
    count: int
    named: tuple[Named, ...]

    @property
    def unnamed(self) -> int:
        """How many more there are than are named."""
        return self.count - len(self.named)


@dataclass(frozen=True)
class Preview:
    """What deleting some records of one kind comes to."""

    entity: type[Base]
    found: int
    ties: tuple[Tie, ...]

    def by(self, effect: Effect) -> tuple[Tie, ...]:
        """Answer the ties of one effect."""
        return tuple(tie for tie in self.ties if tie.effect is effect)

    @property
    def is_possible(self) -> bool:
        """Whether nothing keeps the records."""
        return not self.by(Effect.HOLDS)

    @property
    def rows(self) -> int:
        """How many rows would be gone."""
        return self.found + sum(tie.count for tie in self.by(Effect.GOES))


def preview(session: AnySession, entity: type[Base], keys: Collection[int]) -> Preview:
    """Count what hangs on the records of these numbers, so far as the session's actor sees it."""
    number = entity.__mapper__.primary_key[0]
    found = session.scalar(select(func.count()).select_from(entity).where(number.in_(keys))) or 0
    links = _links_to(entity)
    counts = {row[0]: row[1] for row in session.execute(_counted(entity, links, keys))} if links else {}
    ties = (
        Tie(link.entity, link.effect, link.constraint, counts[place], tuple(_named(session, entity, link, keys)))
        for place, link in enumerate(links)
        if counts[place]
    )
    return Preview(entity, found, tuple(ties))


# ---- Which tables point at which -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Link:
    entity: type[Base]
    effect: Effect
    key: ForeignKeyConstraint

    @property
    def constraint(self) -> str:
        return str(self.key.name)


@cache
def _links_to(entity: type[Base]) -> tuple[_Link, ...]:
    target = cast(Table, entity.__table__)
    return tuple(
        _Link(child, _effect(entity, child, key), key)
        for child in ENTITIES
        for key in sorted(cast(Table, child.__table__).foreign_key_constraints, key=lambda key: str(key.name))
        if key.referred_table is target
    )


def _effect(entity: type[Base], child: type[Base], key: ForeignKeyConstraint) -> Effect:
    along = {link.mapper.class_ for link in entity.__mapper__.relationships if link.cascade.delete}
    if child in along:
        return Effect.GOES
    # A link that may be emptied holds all the same where the row would not be whole without it: a drop its semester.
    if key.ondelete == "RESTRICT" or key.name in STILL_USED:
        return Effect.HOLDS
    return Effect.LOSES_ITS_LINK


def _counted(entity: type[Base], links: tuple[_Link, ...], keys: Collection[int]) -> Any:
    return union_all(
        *(
            _pointing(entity, link, keys, literal(place), func.count()).select_from(link.entity)
            for place, link in enumerate(links)
        )
    )


def _pointing(entity: type[Base], link: _Link, keys: Collection[int], *wanted: Any) -> Select[Any]:
    number = entity.__mapper__.primary_key[0]
    if [pair.column for pair in link.key.elements] == [number]:
        (column,) = link.key.columns
        return select(*wanted).where(column.in_(keys))
    joined = and_(*(pair.parent == pair.column for pair in link.key.elements))
    return select(*wanted).where(select(number).where(joined, number.in_(keys)).correlate(link.entity).exists())


def _named(session: AnySession, entity: type[Base], link: _Link, keys: Collection[int]) -> Iterator[Named]:
    number = link.entity.__mapper__.primary_key[0]
    beside = _TOLD_WITH.get(link.entity, ())
    first = _pointing(entity, link, keys, link.entity).order_by(number.desc()).limit(NAMED)
    for row in session.scalars(first.options(*(joinedload(relation) for relation in beside))):
        parts = [str(getattr(row, relation.key)) for relation in beside if link.entity is not Enrollment]
        yield Named(row.__mapper__.primary_key_from_instance(row)[0], " · ".join([*parts, str(row)]))
