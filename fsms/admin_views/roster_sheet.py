"""What a roster shows: who stands on it, what was seen and what was not, who took it, and what a save has done."""

import datetime as dt
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import url_for
from flask_babel import gettext, ngettext

from fsms.admin_views.base import words
from fsms.clock import SCHOOL_ZONE, today
from fsms.config import AttendanceRules
from fsms.operations.attendance import FULL, HALVES, HALVES_OF, Line, Marks, Outcome, Recorded, Roster, Seen
from fsms.reports.attendance import ClassOnDay
from fsms.vocabulary import AttendanceSession, AttendanceStatus

# A shape beside each colour, so that nobody has to see the one to know the other.
ICONS = {
    AttendanceStatus.PRESENT: "check",
    AttendanceStatus.ABSENT: "x",
    AttendanceStatus.LATE: "clock",
    AttendanceStatus.EXCUSED: "file-check",
}


def _(word: str) -> str:
    """Mark a word for the translators; the screen translates it when it is shown."""
    return word


WEEKDAYS = (_("Mon"), _("Tue"), _("Wed"), _("Thu"), _("Fri"), _("Sat"), _("Sun"))


@dataclass(frozen=True)
class Group:
    """One choice to make for a pupil: for half a day, or for both halves at once."""

    session: AttendanceSession
    now: Seen | None
    saved: bool


@dataclass(frozen=True)
class Row:
    """A pupil as shown: the choices, what the roster knows of each half, and what somebody else saw."""

    student_id: int
    name: str
    groups: tuple[Group, ...]
    halves: Mapping[AttendanceSession, Recorded | None]
    before: Mapping[AttendanceSession, str]
    others: tuple[str, ...] = ()


def rows(
    roster: Roster, session: AttendanceSession, typed: Marks | None = None, outcome: Outcome | None = None
) -> list[Row]:
    """Lay out the roster for a session of the day; what was typed stays where it met something else."""
    disputed: dict[int, dict[AttendanceSession, str]] = {}
    for clash in outcome.clashes if outcome else ():
        disputed.setdefault(clash.student_id, {})[clash.half] = other(clash.half, clash.theirs)
    return [_row(line, session, typed or {}, disputed.get(line.student_id, {})) for line in roster.lines]


def _row(line: Line, session: AttendanceSession, typed: Marks, disputed: Mapping[AttendanceSession, str]) -> Row:
    stored = {half: line.halves.get(half) for half in HALVES}
    mine = {half: typed[line.student_id][half].now for half in disputed if half in typed.get(line.student_id, {})}
    now = {half: mine.get(half) or (one.seen if (one := stored[half]) else None) for half in HALVES_OF[session]}
    parts: Iterable[AttendanceSession] = now
    if session is FULL and len(set(now.values())) == 1 and not disputed:
        parts = (FULL,)
    groups = (Group(part, now[HALVES_OF[part][0]], all(stored[half] for half in HALVES_OF[part])) for part in parts)
    before = {half: json.dumps(told(one.seen) if (one := stored[half]) else None) for half in HALVES_OF[session]}
    return Row(line.student_id, line.name, tuple(groups), stored, before, tuple(disputed.values()))


def told(seen: Seen | None) -> dict[str, Any] | None:
    """Say what was seen in the words of a script."""
    return None if seen is None else {"status": seen.status.value, "reason": seen.reason}


# ---- Words ---------------------------------------------------------------------------------------------------------


def taken(roster: Roster, half: AttendanceSession) -> str | None:
    """Say who took a half of the day, and when; None if nobody did."""
    one = roster.taken(half)
    if one is None:
        return None
    when = one.when.astimezone(SCHOOL_ZONE)
    time = f"{when:%H:%M}" if when.date() == roster.day else f"{when:%d/%m/%Y %H:%M}"
    said = gettext("Taken %(time)s by %(name)s", time=time, name=one.by or gettext("somebody unknown"))
    missing = len(roster.lines) - one.pupils
    return said if missing <= 0 else f"{said} · {left_out(missing)}"


def left_out(pupils: int) -> str:
    """Say how many pupils of a class that was taken were not."""
    return ngettext("%(num)d pupil not taken", "%(num)d pupils not taken", pupils)


def other(half: AttendanceSession, theirs: Recorded | None) -> str:
    """Say what somebody else saw in a half."""
    if theirs is None:
        return gettext("%(half)s: somebody has taken this back.", half=gettext(half.label))
    return gettext(
        "%(half)s: %(name)s saw “%(status)s” at %(time)s.",
        half=gettext(half.label),
        name=theirs.by or gettext("somebody unknown"),
        status=gettext(theirs.status.label) + (f", {theirs.reason}" if theirs.reason else ""),
        time=f"{theirs.when.astimezone(SCHOOL_ZONE):%H:%M}" if theirs.when else "–",
    )


def said(outcome: Outcome) -> str:
    """Say what a save has done."""
    if not outcome.written:
        return gettext("Nothing had changed.")
    return ngettext("%(num)d pupil saved.", "%(num)d pupils saved.", outcome.written)


def outside(outcome: Outcome) -> str:
    """Name those who are not in the class any more."""
    return gettext("Not in the class on this day, so not saved: %(names)s.", names=", ".join(outcome.outside))


def answer(outcome: Outcome) -> dict[str, Any]:
    """Tell a script what became of its save; kept as the receipt, so that a second sending gets the same."""
    return {
        "said": said(outcome),
        "outside": outside(outcome) if outcome.outside else None,
        "batch": str(outcome.batch) if outcome.batch else None,
        "clashes": [
            {
                "student": clash.student_id,
                "name": clash.name,
                "half": clash.half.value,
                "mine": told(clash.mine),
                "theirs": told(clash.theirs.seen) if clash.theirs else None,
                "said": other(clash.half, clash.theirs),
            }
            for clash in outcome.clashes
        ],
    }


def undo_url(batch: object, back: str) -> str | None:
    """Say where a save can be taken back."""
    return url_for("activitylog.undo_view", batch=batch, url=back) if batch else None


def facts(roster: Roster) -> dict[str, Any]:
    """Tell a script what the roster holds now, pupil by pupil."""
    return {
        "taken": {half.value: taken(roster, half) for half in HALVES},
        "seen": {
            line.student_id: {half.value: told(one.seen) for half, one in line.halves.items()} for line in roster.lines
        },
    }


# ---- Around the roster ---------------------------------------------------------------------------------------------


def days_around(day: dt.date, rules: AttendanceRules) -> tuple[dt.date, dt.date | None]:
    """Find the day of school before and, unless it is yet to come, the one after."""
    before, after = day - dt.timedelta(days=1), day + dt.timedelta(days=1)
    while rules.school_days and before.isoweekday() not in rules.school_days:
        before -= dt.timedelta(days=1)
    while rules.school_days and after.isoweekday() not in rules.school_days:
        after += dt.timedelta(days=1)
    return before, after if after <= today() else None


def offered(classes: Sequence[ClassOnDay], own: frozenset[int]) -> list[tuple[Any, list[ClassOnDay]]]:
    """Offer the classes of the year, the reader's own ones first."""
    mine = [one for one in classes if one.course_id in own]
    others = [one for one in classes if one.course_id not in own]
    return [
        (title, listed) for title, listed in ((gettext("My classes"), mine), (gettext("All classes"), others)) if listed
    ]


def why_closed(roster: Roster) -> str | None:
    """Say why the day cannot be taken, in the language of the reader."""
    return words(roster.closed) if roster.closed else None
