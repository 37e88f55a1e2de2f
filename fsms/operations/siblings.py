"""Children of one family: pupils who share a guardian's phone, whatever way the number was typed."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import cast

from sqlalchemy import Table, or_, select
from sqlalchemy.orm import contains_eager

from fsms import text
from fsms.activity import AnySession
from fsms.models import Guardian, Student

SHORTEST_NUMBER = 6
"""Fewer digits are no phone number: half of one, or a note."""

_KEY = cast(Table, Guardian.__table__).c["phoneKey"]


@dataclass(frozen=True)
class Sibling:
    """Another pupil, and the guardian through whom the two belong together."""

    student: Student
    guardian: str
    phone: str


def numbers_in(phones: Iterable[str | None]) -> frozenset[str]:
    """Read the phone numbers out of what was typed, each in its one form."""
    keys = (key for phone in phones if phone for key in text.phone_key(phone).split())
    return frozenset(key for key in keys if len(key) >= SHORTEST_NUMBER)


def of(session: AnySession, numbers: Collection[str], *, other_than: int | None = None) -> list[Sibling]:
    """Find the pupils one of whose guardians has one of the numbers, so far as the session's actor sees them."""
    if not numbers:
        return []
    asked = (
        select(Guardian)
        .join(Guardian.student)
        .options(contains_eager(Guardian.student))
        .where(or_(*(_KEY.contains(number) for number in sorted(numbers))))
        .order_by(Student.student_id, Guardian.guardian_id)
    )
    if other_than is not None:
        asked = asked.where(Guardian.student_id != other_than)
    found: dict[int, Sibling] = {}
    for guardian in session.scalars(asked):
        # The index finds digits inside longer ones too.
        if numbers_in([guardian.phone]) & set(numbers):
            found.setdefault(guardian.student_id, Sibling(guardian.student, str(guardian), guardian.phone or ""))
    return list(found.values())
