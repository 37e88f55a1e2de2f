"""What was seen of each pupil on each school day; being present is stored too.

Grades 1 to 6 are taken once a day (FULL), the others in the morning and in the afternoon. The last `WHOLE_YEARS` years
hold every school day; of older ones one day a week was carried over from paper.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from itertools import count
from random import Random

from fsms.demo import words
from fsms.demo.calendar import Year
from fsms.demo.classes import Course
from fsms.demo.copying import Table, school_time
from fsms.demo.journeys import Place, School
from fsms.demo.marks import WHOLE_YEARS
from fsms.demo.plan import stream
from fsms.models import Attendance
from fsms.vocabulary import AttendanceSession, AttendanceStatus

_COLUMNS = (
    "attendanceId",
    "studentId",
    "courseId",
    "semesterId",
    "schoolYearId",
    "attendanceDate",
    "session",
    "status",
)
_MORE_COLUMNS = ("reason", "recordedBy", "createdAt", "updatedAt")

_FORGOTTEN = 0.012
_TAKEN_TODAY = 0.6
# Of a pupil's exceptions: absent, excused, late.
_EXCEPTIONS = (AttendanceStatus.ABSENT, AttendanceStatus.EXCUSED, AttendanceStatus.LATE)
_SHARES = (36, 29, 35)
_AGAIN_IN_THE_AFTERNOON = 0.7
_MARKED_AT = {AttendanceSession.FULL: "07:20:00", AttendanceSession.AM: "07:20:00", AttendanceSession.PM: "13:20:00"}


def attendance(school: School) -> Table:
    """Lay out all attendance, a day at a time."""
    days = {year: _days(school, year) for year in school.years}
    steps = sum(map(len, days.values()))
    return Table(Attendance, "attendance", _COLUMNS + _MORE_COLUMNS, _blocks(school, days), steps)


def _days(school: School, year: Year) -> list[date]:
    days = year.school_days(school.plan.today)
    return days if year.number > len(school.years) - WHOLE_YEARS else [day for day in days if day.weekday() == 2]


def _blocks(school: School, days: dict[Year, list[date]]) -> Iterator[str]:
    chance = stream(school.plan, "attendance")
    numbers = count(1)
    for year in school.years:
        classes = [_Class.of(course, places) for course, places in school.rosters(year)]
        for day in days[year]:
            today = day == school.plan.today
            taken = _classes_taken(classes, chance, today=today)
            yield "".join(line for a_class in taken for line in a_class.lines(day, numbers, chance, only_begun=today))


def _classes_taken(classes: "list[_Class]", chance: Random, *, today: bool) -> "list[_Class]":
    """Leave out the classes whose teacher forgot; today the first class is done and the last still to be taken."""
    if today:
        return [a_class for n, a_class in enumerate(classes[:-1]) if chance.random() < _TAKEN_TODAY or n == 0]
    return [a_class for a_class in classes if chance.random() >= _FORGOTTEN]


@dataclass(frozen=True)
class _Class:
    """One course's register."""

    course: Course
    sessions: tuple[AttendanceSession, ...]
    register: list[tuple[str, float, date]]

    @classmethod
    def of(cls, course: Course, places: list[Place]) -> "_Class":
        halves = (AttendanceSession.AM, AttendanceSession.PM)
        register = [
            (f"\t{place.pupil.number}\t", place.pupil.truancy * 2, place.dropped_on or date.max) for place in places
        ]
        return cls(course, (AttendanceSession.FULL,) if course.level <= 6 else halves, register)

    def lines(self, day: date, numbers: Iterator[int], chance: Random, *, only_begun: bool) -> Iterator[str]:
        """Write one day's rows, up to the day before a pupil dropped out; of a day just begun, its first session."""
        random = chance.random
        heads, ends = self._fixed_cells(day, self.sessions[:1] if only_begun else self.sessions, chance)
        all_present = [f"{head}Present\t\\N{end}" for head, end in zip(heads, ends, strict=True)]
        for pupil, unsteadiness, dropped_on in self.register:
            if dropped_on <= day:
                continue
            if random() >= unsteadiness:
                for present in all_present:
                    yield f"{next(numbers)}{pupil}{present}"
            else:
                for head, end, seen in zip(heads, ends, self._exceptions(chance), strict=False):
                    yield f"{next(numbers)}{pupil}{head}{seen}{end}"

    def _fixed_cells(
        self, day: date, sessions: tuple[AttendanceSession, ...], chance: Random
    ) -> tuple[list[str], list[str]]:
        """Prepare what is the same for the whole class: the cells before the status, and those after the reason."""
        course, year = self.course, self.course.year
        teacher = course.teachers[0] if chance.random() < 0.9 else course.teachers[-1]
        around = f"{course.number}\t{year.semester_of(day).number}\t{year.number}\t{day}\t"
        heads = [f"{around}{session}\t" for session in sessions]
        moments = [school_time(day, _MARKED_AT[session]) for session in sessions]
        return heads, [f"\t{teacher.full_name}\t{moment}\t{moment}\n" for moment in moments]

    def _exceptions(self, chance: Random) -> tuple[str, str]:
        """Draw a day that was not quite as it should be: status and reason of its one or two sessions."""
        status = chance.choices(_EXCEPTIONS, _SHARES)[0]
        first = f"{status}\t{_reason(status, chance)}"
        again = status is not AttendanceStatus.LATE and chance.random() < _AGAIN_IN_THE_AFTERNOON
        if again or len(self.sessions) == 1:
            return first, first
        present = "Present\t\\N"
        return (first, present) if chance.random() < 0.6 else (present, first)


def _reason(status: AttendanceStatus, chance: Random) -> str:
    if status is AttendanceStatus.EXCUSED:
        return chance.choice(words.EXCUSES)
    if status is AttendanceStatus.LATE and chance.random() < 0.4:
        return chance.choice(words.WHY_LATE)
    return "\\N"
