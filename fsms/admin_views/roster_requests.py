"""What browsers send to the roster: the address of a class and day, a form, or the marks that a script kept waiting."""

import datetime as dt
import json
import re
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from werkzeug.datastructures import MultiDict

from fsms import clock, text
from fsms.admin_views.lookups import record_id
from fsms.errors import InvalidValue
from fsms.operations.attendance import HALVES_OF, Mark, Marks, Seen
from fsms.vocabulary import AttendanceSession

SESSIONS: Mapping[str, AttendanceSession] = {session.value: session for session in AttendanceSession}
MOST_MARKS = 1000


def _(sentence: str) -> str:
    """Mark a sentence for the translators; the screen translates it when it is shown."""
    return sentence


@dataclass(frozen=True)
class Sent:
    """A roster as a browser sends it; a script says by whom it was filled in, and numbers what it may send twice."""

    course_id: int | None
    day: dt.date
    marks: Marks
    person: int | None = None
    key: uuid.UUID | None = None


def day_of(typed: object) -> dt.date:
    """Read a day; none is today."""
    written = text.clean(typed) if isinstance(typed, str) else ""
    if not written:
        return clock.today()
    try:
        return text.day(written)
    except ValueError:
        raise InvalidValue(_("A date cannot be read. Enter it as 2025-03-14."), about="day") from None


def session_of(typed: str | None) -> AttendanceSession | None:
    """Read a session; none, or one that does not exist, leaves the choice to the page."""
    return SESSIONS.get(typed or "")


def form(sent: MultiDict[str, str]) -> Sent:
    """Read the plain form: a radio group for each pupil, and what stood there when the page was opened."""
    everybody = sent.get("everybody")
    found = []
    for name in sent:
        if (matched := re.fullmatch(r"was-(\d{1,10})-(AM|PM)", name)) and (given := _given(sent, *matched.groups())):
            student, half = matched.groups()
            found.append((student, half, *given, _before(sent[name])))
    marks = _marks(found if not everybody else [*found, *_left(sent, everybody, found)])
    return Sent(record_id(sent.get("course")), day_of(sent.get("day")), marks)


def _given(sent: MultiDict[str, str], student: str, half: str) -> tuple[str, str] | None:
    """Find what was chosen for half a day, by itself or as part of a full day."""
    for group in (half, "FULL"):
        if status := sent.get(f"seen-{student}-{group}"):
            return status, sent.get(f"reason-{student}-{group}", "")
    return None


def _left(sent: MultiDict[str, str], status: str, found: Iterable[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """Give all for whom nothing is chosen the same status."""
    chosen = {(student, half) for student, half, *_rest in found}
    names = (re.fullmatch(r"was-(\d{1,10})-(AM|PM)", name) for name in sent)
    halves = [matched.groups() for matched in names if matched]
    return [(*one, status, "", _before(sent[f"was-{one[0]}-{one[1]}"])) for one in halves if one not in chosen]


def kept(sent: object) -> Sent:
    """Read what a script sends, now or after the network was gone for a while."""
    given = sent if isinstance(sent, Mapping) else {}
    listed = given.get("marks")
    if not isinstance(listed, list) or not all(isinstance(one, Mapping) for one in listed):
        raise InvalidValue(_UNREADABLE)
    person = given.get("person")
    marks = _marks(
        (one.get("student"), one.get("half"), one.get("status"), one.get("reason"), _was(one.get("before")))
        for one in listed
    )
    return Sent(
        record_id(given.get("course")),
        day_of(given.get("day")),
        marks,
        person if isinstance(person, int) else None,
        _key(given.get("key")),
    )


_UNREADABLE = _("What was sent cannot be read, and nothing was saved. Open the roster again.")


def _marks(listed: Iterable[tuple[Any, ...]]) -> Marks:
    marks: dict[int, dict[AttendanceSession, Mark]] = {}
    for student, half, status, reason, before in listed:
        number, session = record_id(str(student)), SESSIONS.get(half) if isinstance(half, str) else None
        if number is None or session is None:
            raise InvalidValue(_UNREADABLE)
        for one in HALVES_OF[session]:
            marks.setdefault(number, {})[one] = Mark(Seen.of(status, reason), before)
    if len(marks) > MOST_MARKS:
        raise InvalidValue(_UNREADABLE)
    return marks


def _before(written: str) -> Seen | None:
    try:
        return _was(json.loads(written or "null"))
    except ValueError:
        raise InvalidValue(_UNREADABLE) from None


def _was(shown: object) -> Seen | None:
    """Read what the roster showed; null is: nobody had looked."""
    if shown is None:
        return None
    if not isinstance(shown, Mapping):
        raise InvalidValue(_UNREADABLE)
    return Seen.of(shown.get("status"), shown.get("reason"))


def _key(written: object) -> uuid.UUID:
    try:
        return uuid.UUID(str(written))
    except ValueError:
        raise InvalidValue(_UNREADABLE) from None
