"""A mark for each pupil, subject and month, from 0 to 10, most of them in halves and quarters.

A pupil has an ability and a subject its difficulty, so that averages differ and hang together. The last
`WHOLE_YEARS` years hold every month; of older ones only each semester's last two were carried over from paper.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import count
from random import Random

from fsms.demo import words
from fsms.demo.calendar import Month, Year
from fsms.demo.classes import Course
from fsms.demo.copying import Table, school_time
from fsms.demo.journeys import Place, School
from fsms.demo.plan import stream
from fsms.demo.subjects import SUBJECTS, subjects_of
from fsms.models import Grade

WHOLE_YEARS = 3
# Of the last month some marks are still to come; of those before hardly any was forgotten.
_STILL_TO_COME, _FORGOTTEN, _REMARK = 0.012, 0.0003, 0.03
_COLUMNS = (
    "gradeId",
    "courseId",
    "studentId",
    "subjectId",
    "semesterId",
    "gradeDate",
    "grade",
    "gradeComment",
    "userId",
)
_MOMENTS = ("lastEdit", "createdAt", "updatedAt")

# How finely a teacher marks: the parts of a point, and the texts of all marks that can be given so.
_STYLES = tuple((parts, tuple(f"{n / parts:.2f}" for n in range(10 * parts + 1))) for parts in (2, 4, 20))
_STYLE_SHARES = (60, 35, 5)


def marks(school: School) -> Table:
    """Lay out all marks, a class and a month at a time."""
    months = {year: _months(school, year) for year in school.years}
    steps = sum(len(months[year]) * sum(1 for _ in school.rosters(year)) for year in school.years)
    return Table(Grade, "marks", _COLUMNS + _MOMENTS, _blocks(school, months), steps)


def _months(school: School, year: Year) -> list[Month]:
    """List the months that have marks, none beyond today."""
    begun = [month for month in year.months() if month.first <= school.plan.today]
    if year.number > len(school.years) - WHOLE_YEARS:
        return begun
    return [month for month in begun if month.last.month in (2, 3, 7, 8)]


def _blocks(school: School, months: dict[Year, list[Month]]) -> Iterator[str]:
    chance = stream(school.plan, "marks")
    numbers = count(1)
    for year in school.years:
        difficulty = {n: chance.uniform(-0.7, 0.7) for n in range(1, len(SUBJECTS) + 1)}
        classes = [_Class.of(course, places, difficulty, chance) for course, places in school.rosters(year)]
        for month in months[year]:
            for a_class in classes:
                yield "".join(a_class.lines(month, school.plan.today, numbers, chance))


@dataclass(frozen=True)
class _Class:
    """One course's way of marking, and what each pupil usually gets in each subject."""

    course: Course
    places: list[Place]
    usual: list[list[float]]
    style: tuple[int, tuple[str, ...]]

    @classmethod
    def of(cls, course: Course, places: list[Place], difficulty: dict[int, float], chance: Random) -> "_Class":
        subjects = subjects_of(course.level)
        mildness = chance.uniform(-0.4, 0.4)
        usual = [
            [place.pupil.ability + mildness - difficulty[subject] + chance.gauss(0, 0.5) for subject in subjects]
            for place in places
        ]
        return cls(course, places, usual, chance.choices(_STYLES, _STYLE_SHARES)[0])

    def lines(self, month: Month, today: date, numbers: Iterator[int], chance: Random) -> Iterator[str]:
        """Write a month's marks, which are entered at its end; of a month under way only some subjects are done."""
        parts, texts = self.style
        random, best = chance.random, len(texts) - 1
        missing = _FORGOTTEN if month.last < today - timedelta(days=31) else _STILL_TO_COME
        heads, tails = self._fixed_cells(month, today, chance)
        for place, usual in zip(self.places, self.usual, strict=True):
            if place.dropped_on and place.dropped_on <= month.last:
                continue
            form_of_the_month = (random() - 0.5) * 0.8
            pupil = place.pupil.number
            for head, tail, value in zip(heads, tails, usual, strict=True):
                if not head or random() < missing:
                    continue
                mark = value + form_of_the_month + (random() + random() - 1.0) * 1.6
                nth = min(best, max(parts, int(mark * parts + 0.5)))
                comment = _remark(nth / parts, chance) if random() < _REMARK else "\\N"
                yield f"{next(numbers)}\t{self.course.number}\t{pupil}\t{head}{texts[nth]}\t{comment}\t{tail}"

    def _fixed_cells(self, month: Month, today: date, chance: Random) -> tuple[list[str], list[str]]:
        """Prepare what is the same for the whole class; a subject not yet marked has an empty head."""
        over = month.last < today
        entered = month.last if over else today - timedelta(days=1)
        done = 1.0 if over else (today.day - 5) / 30
        moment = school_time(entered, "15:30:00")
        heads, tails = [], []
        for n, subject in enumerate(subjects_of(self.course.level)):
            missing = not over and chance.random() >= done
            heads.append("" if missing else f"{subject}\t{month.semester.number}\t{month.written}\t")
            teacher = self.course.teachers[n % len(self.course.teachers)]
            tails.append(f"{teacher.number}\t{moment}\t{moment}\t{moment}\n")
        return heads, tails


def _remark(mark: float, chance: Random) -> str:
    if mark >= 8.5:
        return chance.choice(words.PRAISE)
    return chance.choice(words.ADVICE) if mark < 5.5 else "\\N"
