"""The days that a pupil is in a class, and the months for which marks can be given then. Plain dates, no table."""

import datetime as dt
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

from fsms.errors import Refused


def _(sentence: str) -> str:
    """Mark a sentence for the translators; the screen translates it when it is shown."""
    return sentence


class Gap(NamedTuple):
    """Days between a drop and coming back: the first without the pupil, and the first with the pupil again."""

    left: dt.date
    back: dt.date


@dataclass(frozen=True)
class Stay:
    """A pupil's time in a class: from the first day, None being that of the school year, to the day of a drop.

    Who was dropped and came back was away in between.
    """

    first: dt.date | None = None
    dropped_on: dt.date | None = None
    away: tuple[Gap, ...] = ()

    @classmethod
    def of(cls, place: Any) -> Self:
        """Read it from an enrolment, or from a row that has the same columns."""
        gaps = tuple(Gap(gap.lower, gap.upper) for gap in place.away or ())
        return cls(place.enrolled_on, place.drop_date, gaps)

    @property
    def last_began(self) -> dt.date | None:
        """The day on which the pupil came last: the first one, or that of coming back."""
        return self.away[-1].back if self.away else self.first

    def __contains__(self, day: dt.date) -> bool:
        """Say whether the pupil is in the class on this day; that of the drop is the first without the pupil."""
        begun = self.first is None or self.first <= day
        is_away = any(gap.left <= day < gap.back for gap in self.away)
        return begun and not is_away and (self.dropped_on is None or day < self.dropped_on)

    def is_before(self, period: str) -> bool:
        """Say whether a month, or a day, lies before the first one; the month in which the pupil came does not."""
        return self.first is not None and period < _cut(self.first, period)

    def is_outside(self, period: str) -> bool:
        """Say whether a pupil who is in the class today was not there in a month, or on a day, and owes no mark."""
        return self.is_before(period) or self._gap_around(period) is not None

    def refusal_of_mark(self, period: str, pupil: str) -> Refused | None:
        """Say why no new mark is given for a month or a day; the database refuses it too."""
        if self.first is not None and self.is_before(period):
            return Refused(
                _("%(pupil)s came to this class on %(day)s, so there are no marks for the time before."),
                pupil=pupil,
                day=_written(self.first),
            )
        if gap := self._gap_around(period):
            return Refused(
                _("%(pupil)s left this class on %(left)s and came back on %(back)s; between there are no marks."),
                pupil=pupil,
                left=_written(gap.left),
                back=_written(gap.back),
            )
        return None

    def _gap_around(self, period: str) -> Gap | None:
        """Find the time away that a month, or a day, lies in; those of leaving and of coming back do not."""
        return next((gap for gap in self.away if _cut(gap.left, period) < period < _cut(gap.back, period)), None)


def _cut(day: dt.date, period: str) -> str:
    """Write a day as exactly as the period is written: as a month beside a month."""
    return day.isoformat()[: len(period)]


def _written(day: dt.date) -> str:
    return f"{day:%d/%m/%Y}"
