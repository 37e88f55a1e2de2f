"""The line of events of a pupil: enrolled, moved, dropped, came back, left; when, why, and by whom. Read only.

The log tells it. What is older than the log, or what its reader may not see of it, is told by the enrolments as they
stand, without a name.
"""

import datetime as dt
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import Row, select

from fsms import clock
from fsms.activity import AnySession
from fsms.models import ActivityLog, Enrollment, User
from fsms.operations import places as places_of
from fsms.operations.calendar import Span
from fsms.stays import Stay


class Event(StrEnum):
    """What happened to a place in a class."""

    ENROLLED = "enrolled"
    MOVED = "moved"
    DROPPED = "dropped"
    LEFT = "left"
    CAME_BACK = "came back"
    TAKEN_BACK = "taken back"  # an undo
    CORRECTED = "corrected"  # other days or reasons than were written before


@dataclass(frozen=True)
class Line:
    """One event. `who` and `recorded` are None where the log does not tell; `batch` is that of the act, for Undo."""

    day: dt.date
    event: Event
    course_id: int
    course: str
    reason: str | None = None
    to: str | None = None
    who: str | None = None
    recorded: dt.datetime | None = None
    batch: uuid.UUID | None = None


Entry = Row[*tuple[Any, ...]]


@dataclass(frozen=True)
class _Deed:
    """An act by its name; of a move, the class it led to, whose place an undo may have taken away since."""

    action: str = ""
    to: str | None = None


_NO_DEED = _Deed()


def of_pupil(session: AnySession, student_id: int) -> tuple[Line, ...]:
    """Tell what happened to a pupil's places, the oldest first."""
    held = next(iter(places_of.all_of(session, [student_id])), [])
    spans = places_of.years(session, held)
    entries = _entries(session, [place.enrollment_id for place in held])
    deeds = _deeds(session, {entry.batch for entry in entries if entry.batch})
    lines: list[Line] = []
    for place in held:
        own = [entry for entry in entries if entry.entityId == place.enrollment_id]
        lines += _told_by_the_row(place, own, spans[place.course.school_year_id])
        lines += _told_by_the_log(place, own, deeds, spans[place.course.school_year_id])
    return tuple(sorted(_moves_joined(lines), key=lambda line: (line.day, line.recorded or _LONG_AGO, line.course_id)))


_OPENING = (Event.ENROLLED, Event.CAME_BACK)
_LONG_AGO = dt.datetime(1900, 1, 1, tzinfo=dt.UTC)
_DAYS_AND_WORDS = {"drop_date", "drop_reason", "enrolled_on", "drop_semester_id", "away"}


def _told_by_the_row(place: Enrollment, entries: Sequence[Entry], year: Span) -> Iterator[Line]:
    """Tell from the row what no entry tells."""
    course_id, course = place.course_id, str(place.course)
    if not any(entry.action.startswith("create") for entry in entries):
        yield Line(place.enrolled_on or year.first, Event.ENROLLED, course_id, course)
    opened = [entry for entry in entries if not entry.action.startswith("create")]
    for gap, (left, back) in zip(place.away or (), Stay.of(place).away, strict=True):
        if not any(str(gap) in (_new(entry, "away") or ()) for entry in opened):
            if not any(_new(entry, "drop_date") == str(left) for entry in entries):
                yield Line(left, Event.DROPPED, course_id, course)
            yield Line(back, Event.CAME_BACK, course_id, course)
    if place.drop and place.drop_date and not any(_new(entry, "drop") is True for entry in entries):
        yield Line(place.drop_date, Event.DROPPED, course_id, course, reason=place.drop_reason)


def _told_by_the_log(
    place: Enrollment, entries: Sequence[Entry], deeds: Mapping[uuid.UUID, _Deed], year: Span
) -> Iterator[Line]:
    for entry in entries:
        deed = deeds.get(entry.batch, _NO_DEED)
        if (event := _event(entry, deed.action)) is None:
            continue
        yield Line(
            day=_day(entry, event, year),
            event=event,
            course_id=place.course_id,
            course=str(place.course),
            reason=_new(entry, "drop_reason"),
            to=deed.to if event is Event.MOVED else None,
            who=entry.who or None,
            recorded=entry.timestamp,
            batch=entry.batch,
        )


def _event(entry: Entry, deed: str) -> Event | None:
    changes = entry.details.get("changes") or {}
    if deed == "undo":
        return Event.TAKEN_BACK
    if entry.action.startswith("create"):
        return Event.ENROLLED
    if _new(entry, "drop") is True:
        return {"move_student": Event.MOVED, "leave_school": Event.LEFT}.get(deed, Event.DROPPED)
    if _new(entry, "drop") is False:
        return Event.CAME_BACK
    return Event.CORRECTED if changes.keys() & _DAYS_AND_WORDS else None


def _day(entry: Entry, event: Event, year: Span) -> dt.date:
    """Say on which day an event took effect; what has no day of its own, on that on which it was recorded."""
    kept = {
        Event.ENROLLED: _new(entry, "enrolled_on") or str(year.first),
        Event.MOVED: _new(entry, "drop_date"),
        Event.DROPPED: _new(entry, "drop_date"),
        Event.LEFT: _new(entry, "drop_date"),
        Event.CAME_BACK: _end_of_last(_new(entry, "away")),
    }.get(event)
    return dt.date.fromisoformat(kept[:10]) if kept else entry.timestamp.astimezone(clock.SCHOOL_ZONE).date()


def _end_of_last(away: Sequence[str] | None) -> str | None:
    """Read the day of coming back off the last time away, as the log keeps it: [2025-01-15,2025-02-10)."""
    return away[-1].rpartition(",")[2].rstrip(")") if away else None


def _moves_joined(lines: Sequence[Line]) -> Iterator[Line]:
    """Leave out the far end of a move, which the near end names."""
    moved = {line.batch for line in lines if line.event is Event.MOVED}
    for line in lines:
        if line.batch not in moved or line.event not in _OPENING:
            yield line


def _new(entry: Entry, name: str) -> Any:
    changes = entry.details.get("changes") or {}
    return changes[name][1] if name in changes else None


def _entries(session: AnySession, numbers: Sequence[int]) -> Sequence[Entry]:
    asked = (
        select(
            ActivityLog.action,
            ActivityLog.entity_id.label("entityId"),
            ActivityLog.details,
            ActivityLog.timestamp,
            ActivityLog.batch,
            User.full_name.label("who"),
        )
        .join(ActivityLog.user, isouter=True)
        .where(ActivityLog.entity == Enrollment.__tablename__, ActivityLog.entity_id.in_(numbers))
        .where(ActivityLog.details.has_key("changes"))
    )
    return session.execute(asked.order_by(ActivityLog.id)).all()


def _deeds(session: AnySession, batches: set[uuid.UUID]) -> dict[uuid.UUID, _Deed]:
    """Find the acts by their batches."""
    to = ActivityLog.details["facts", "to"].astext
    asked = select(ActivityLog.batch, ActivityLog.action, to).where(
        ActivityLog.batch.in_(batches), ActivityLog.details.has_key("sentence")
    )
    return {batch: _Deed(action, to) for batch, action, to in session.execute(asked) if batch}
