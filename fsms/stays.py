"""The days that a pupil is in a class, and the months for which marks can be given then. Plain dates, no table."""

import datetime as dt
from dataclasses import dataclass
from typing import Any, Self

from fsms.errors import Refused


def _(sentence: str) -> str:
    """Mark a sentence for the translators; the screen translates it when it is shown."""
    return sentence


@dataclass(frozen=True)
class Stay:
    """A pupil's time in a class: from the first day, None being that of the school year, to the day of a drop."""

    first: dt.date | None = None
    dropped_on: dt.date | None = None

    @classmethod
    def of(cls, place: Any) -> Self:
        """Read it from an enrolment, or from a row that has the same columns."""
        return cls(place.enrolled_on, place.drop_date)

    def __contains__(self, day: dt.date) -> bool:
        """Say whether the pupil is in the class on this day; that of the drop is the first without the pupil."""
        begun = self.first is None or self.first <= day
        return begun and (self.dropped_on is None or day < self.dropped_on)

    def is_before(self, period: str) -> bool:
        """Say whether a month, or a day, lies before the first one; the month in which the pupil came does not."""
        return self.first is not None and period < _cut(self.first, period)

    def is_outside(self, period: str) -> bool:
        """Say whether a pupil who is in the class today was not there in a month, or on a day, and owes no mark."""
        return self.is_before(period)

    def refusal_of_mark(self, period: str, pupil: str) -> Refused | None:
        """Say why no new mark is given for a month or a day; the database refuses it too."""
        if self.first is not None and self.is_before(period):
            return Refused(
                _("%(pupil)s came to this class on %(day)s, so there are no marks for the time before."),
                pupil=pupil,
                day=_written(self.first),
            )
        return None


def _cut(day: dt.date, period: str) -> str:
    """Write a day as exactly as the period is written: as a month beside a month."""
    return day.isoformat()[: len(period)]


def _written(day: dt.date) -> str:
    return f"{day:%d/%m/%Y}"
