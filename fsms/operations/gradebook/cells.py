"""A cell of the sheet: where it stands, and what is kept there."""

import datetime as dt
from dataclasses import dataclass, field
from decimal import Decimal
from typing import NamedTuple, Protocol

from fsms.grading import BLANK, Mark
from fsms.models import Grade


class Place(NamedTuple):
    """Where a mark stands: whose it is, in which subject, for which month or day."""

    student_id: int
    subject_id: int
    period: str


@dataclass(frozen=True)
class Kept:
    """What a cell holds, who put it there and when."""

    mark: Mark = BLANK
    comment: str = ""
    # Names this very mark as it is now, so that who saw it can say so; "" where there is none.
    state: str = ""
    who: str | None = field(default=None, compare=False)
    when: dt.datetime | None = field(default=None, compare=False)


EMPTY = Kept()


class Row(Protocol):
    """What is needed of a row of marks, be it an entity or the columns of one."""

    grade_id: int
    grade: Decimal | None
    excused: bool
    grade_comment: str | None
    last_edit: dt.datetime | None
    updated_at: dt.datetime
    version: int


SHOWN = (
    Grade.grade_id,
    Grade.grade,
    Grade.excused,
    Grade.grade_comment,
    Grade.last_edit,
    Grade.updated_at,
    Grade.version,
)
"""The columns that make a `Row`."""


def kept(row: Row, who: str | None = None) -> Kept:
    """Put a row of marks into its cell."""
    return Kept(
        mark=Mark(row.grade, row.excused),
        comment=row.grade_comment or "",
        state=state_of(row.grade_id, row.version, row.updated_at),
        who=who or None,
        when=row.last_edit or row.updated_at,
    )


def state_of(grade_id: int, version: int, updated_at: dt.datetime) -> str:
    """Name a mark as it is now: a version alone would begin anew after a deletion, and again after its undo."""
    return f"{grade_id}.{version}.{int(updated_at.timestamp() * 1000)}"
