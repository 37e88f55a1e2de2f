"""A pupil's line of events in words: what `fsms.reports.story` tells."""

import datetime as dt
from dataclasses import dataclass
from typing import Any

from flask_babel import lazy_gettext as _

from fsms.admin_views.formatters import reason_in_words
from fsms.database import db
from fsms.reports import story
from fsms.reports.story import Event, Line

SENTENCES: dict[Event, Any] = {
    Event.ENROLLED: _("Enrolled in %(course)s"),
    Event.MOVED: _("Moved from %(course)s to %(to)s"),
    Event.DROPPED: _("Dropped from %(course)s"),
    Event.LEFT: _("Left %(course)s and the school"),
    Event.CAME_BACK: _("Came back to %(course)s"),
    Event.TAKEN_BACK: _("Taken back: a change of the place in %(course)s"),
    Event.CORRECTED: _("Days or reason corrected in %(course)s"),
}


@dataclass(frozen=True)
class Told:
    """An event, ready to show."""

    day: dt.date
    kind: str
    sentence: str
    reason: str
    who: str | None
    recorded: dt.datetime | None


def told_of(student_id: int) -> list[Told]:
    """Tell the line of events of a pupil, the newest first."""
    return [_told(line) for line in reversed(story.of_pupil(db.session, student_id))]


def _told(line: Line) -> Told:
    sentence = str(SENTENCES[line.event]) % {"course": line.course, "to": line.to or ""}
    return Told(line.day, line.event.name.lower(), sentence, reason_in_words(line.reason), line.who, line.recorded)
