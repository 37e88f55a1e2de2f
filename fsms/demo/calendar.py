"""The demo school's years: from 1 November to 31 August, in two semesters that meet at the end of March.

First semester 1 November to 31 March, second 1 April to 31 August. The last year is the one that holds `today`;
in September and October, between two years, it is the one just finished. Lessons are from Monday to Friday.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

# The Water Festival follows the moon; here it keeps to mid-November. Pchum Ben falls between two school years.
_HOLIDAYS = frozenset(
    "11-09 11-13 11-14 11-15 01-01 01-07 03-08 04-13 04-14 04-15 04-16 05-01 05-14 06-18".split()  # noqa: SIM905
)


@dataclass(frozen=True)
class Semester:
    """Half of a school year."""

    number: int
    name: str
    code: str
    start: date
    end: date


@dataclass(frozen=True)
class Month:
    """A month marks are given for, as it is stored, and the days it spans."""

    written: str
    semester: Semester
    first: date
    last: date


@dataclass(frozen=True)
class Year:
    """A school year: its number among the rows, the calendar year it begins in, and its halves."""

    number: int
    begins: int
    semesters: tuple[Semester, Semester]

    @property
    def code(self) -> str:
        """Write it as the school does: "2024-2025"."""
        return f"{self.begins}-{self.begins + 1}"

    @property
    def start(self) -> date:
        """The first day."""
        return self.semesters[0].start

    @property
    def end(self) -> date:
        """The last day."""
        return self.semesters[1].end

    def semester_of(self, day: date) -> Semester:
        """Find the half a day belongs to."""
        return self.semesters[day >= self.semesters[1].start]

    def months(self) -> Iterator[Month]:
        """List the ten months in which marks are given; the last of a semester is its exam month."""
        first = self.start
        while first < self.end:
            following = (first + timedelta(days=31)).replace(day=1)
            yield Month(f"{first:%Y-%m}", self.semester_of(first), first, following - timedelta(days=1))
            first = following

    def school_days(self, until: date) -> list[date]:
        """List the days with lessons, up to a day."""
        return [day for day in _days(self.start, min(self.end, until)) if is_school_day(day)]


def is_school_day(day: date) -> bool:
    """Say whether there are lessons."""
    return day.weekday() < 5 and f"{day:%m-%d}" not in _HOLIDAYS


def _days(first: date, last: date) -> Iterator[date]:
    for after in range((last - first).days + 1):
        yield first + timedelta(days=after)


def school_years(today: date, years: int) -> tuple[Year, ...]:
    """Lay out the years, oldest first, the last being the one that holds `today`."""
    last = today.year if today.month >= 11 else today.year - 1
    return tuple(_year(number, last - years + number) for number in range(1, years + 1))


def _year(number: int, begins: int) -> Year:
    return Year(
        number,
        begins,
        (
            Semester(2 * number - 1, "ឆមាសទី ១", f"S1-{begins}", date(begins, 11, 1), date(begins + 1, 3, 31)),
            Semester(2 * number, "ឆមាសទី ២", f"S2-{begins}", date(begins + 1, 4, 1), date(begins + 1, 8, 31)),
        ),
    )
