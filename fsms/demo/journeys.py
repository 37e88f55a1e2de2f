"""How pupils go through the school: they enter, move up, repeat, drop out, come back, leave and graduate.

`Plan.students` is the number of pupils ever registered, and it is met exactly; as in the real school, those who left
stay on the books. An eighth of a year's pupils is new to the school, so of 600 about 490 are there in the third year.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import accumulate

from fsms.demo import words
from fsms.demo.calendar import Year
from fsms.demo.classes import CLASS_SIZE, Course, Teachers, divide, letters, sections_for
from fsms.demo.people import Intake, Pupil, Staff
from fsms.demo.plan import Plan, stream
from fsms.vocabulary import StudentStatus

LEVELS = range(1, 13)
_NEW_EACH_YEAR = 0.12
_DROPPED, _RETURN, _REPEAT, _TRANSFER = 0.062, 0.35, 0.025, 0.015
# A drop needs a while to happen: the first weeks of a year have few.
_DAYS_UNTIL_MOST_DROPPED = 120


@dataclass(frozen=True, slots=True)
class Place:
    """A pupil's place in a course, and how it ended, if it did."""

    number: int
    pupil: Pupil
    course: Course
    dropped_on: date | None
    reason: str | None


@dataclass(frozen=True)
class School:
    """Everybody and every class: all that is held in memory. Marks and attendance follow from it, row by row."""

    plan: Plan
    years: tuple[Year, ...]
    staff: tuple[Staff, ...]
    pupils: tuple[Pupil, ...]
    children: tuple[int, ...]
    places: tuple[tuple[Place, ...], ...]
    courses: tuple[Course, ...]

    def rosters(self, year: Year) -> Iterator[tuple[Course, list[Place]]]:
        """List the courses of a year, each with its places; a class in which nobody sits is left out."""
        by_course: dict[int, list[Place]] = {}
        for place in self.places[year.number - 1]:
            by_course.setdefault(place.course.number, []).append(place)
        for places in by_course.values():
            yield places[0].course, places


class Journey:
    """The simulation, one year after the other."""

    def __init__(self, plan: Plan, years: tuple[Year, ...], staff: tuple[Staff, ...]) -> None:
        """Start with an empty school."""
        self.plan, self.years, self.staff = plan, years, staff
        self.intake = Intake(plan)
        self.here: list[Pupil] = []
        self.courses: list[Course] = []
        self.places: list[tuple[Place, ...]] = []
        self._chance = stream(plan, "journeys")
        self._drops = stream(plan, "drops")
        self._teaching = stream(plan, "teaching")
        self._debt = 0.0

    def live(self) -> School:
        """Let all years pass and return the school as it is on the plan's day."""
        for year, quota in zip(self.years, self._quotas(), strict=True):
            if self.here:
                self._move_up(year)
                self._take_in_newcomers(year, quota)
            else:
                self._open_school(year, quota)
            self._seat(year)
        self._settle()
        return School(
            plan=self.plan,
            years=self.years,
            staff=self.staff,
            pupils=tuple(self.intake.pupils),
            children=tuple(self.intake.children),
            places=tuple(self.places),
            courses=tuple(self.courses),
        )

    def _quotas(self) -> list[int]:
        """Share the pupils among the years they enter in: the school opens with most of them."""
        later = self.plan.years - 1
        first = round(self.plan.students / (1 + _NEW_EACH_YEAR * later))
        rest = self.plan.students - first
        return [first, *(rest * (n + 1) // later - rest * n // later for n in range(later))]

    def _open_school(self, year: Year, quota: int) -> None:
        """Fill all levels at once. Some levels have a class more than others, so that classes come near 25."""
        classes = [LEVELS[n % len(LEVELS)] for n in range(max(len(LEVELS), round(quota / CLASS_SIZE)))]
        sizes = [self._chance.triangular(18, 33, CLASS_SIZE) for _ in classes]
        share = quota / sum(sizes)
        ends = [round(end * share) for end in accumulate(sizes)]
        levels = [
            level for level, start, end in zip(classes, [0, *ends], ends, strict=False) for _ in range(end - start)
        ]
        self._chance.shuffle(levels)
        self.here = [self.intake.register(year, level) for level in levels]

    def _take_in_newcomers(self, year: Year, quota: int) -> None:
        """Open whole first classes, then fill the seats that became free higher up."""
        sizes = [0] * (len(LEVELS) + 1)
        for pupil in self.here:
            sizes[pupil.level] += 1
        classes = [sections_for(size) for size in sizes]
        wanted = 0.7 * quota + self._debt
        beginners = max(0, min(quota, CLASS_SIZE * max(1, round(wanted / CLASS_SIZE)) - sizes[1]))
        self._debt = wanted - beginners
        levels = [1] * beginners
        for _ in range(quota - beginners):
            level = min(LEVELS[1:], key=lambda level: sizes[level] / classes[level] + 8 * self._chance.random())
            sizes[level] += 1
            levels.append(level)
        self._chance.shuffle(levels)
        self.here += [self.intake.register(year, level) for level in levels]

    def _move_up(self, year: Year) -> None:
        """Let a year end: most go up a level, and those who leave keep the year and level they left in."""
        dropped = {place.pupil.number for place in self.places[-1] if place.dropped_on}
        stayed = []
        for pupil in self.here:
            leaves_as = self._leaves_as(pupil, dropped=pupil.number in dropped)
            if leaves_as:
                pupil.status = leaves_as
                continue
            if pupil.number not in dropped and self._chance.random() >= _REPEAT:
                pupil.level += 1
            if pupil.level in LEVELS:
                pupil.year = year
                stayed.append(pupil)
            else:
                pupil.level, pupil.status = LEVELS[-1], StudentStatus.GRADUATED
        self.here = stayed

    def _leaves_as(self, pupil: Pupil, *, dropped: bool) -> StudentStatus | None:
        if dropped:
            return None if self._chance.random() < _RETURN else StudentStatus.INACTIVE
        if pupil.level < LEVELS[-1] and self._chance.random() < _TRANSFER:
            return StudentStatus.TRANSFERRED
        return None

    def _settle(self) -> None:
        """Set the statuses of the present day: a drop of the last year counts, and a finished year graduates."""
        finished = self.years[-1].end < self.plan.today
        for place in self.places[-1]:
            if place.dropped_on:
                place.pupil.status = StudentStatus.INACTIVE
            elif finished and place.pupil.level == LEVELS[-1]:
                place.pupil.status = StudentStatus.GRADUATED

    def _seat(self, year: Year) -> None:
        """Give everybody a place in a class of their level."""
        seated: list[tuple[Pupil, Course]] = []
        teachers = Teachers(self.staff, self._teaching, last=year is self.years[-1])
        for level in LEVELS:
            pupils = [pupil for pupil in self.here if pupil.level == level]
            for section, classmates in enumerate(divide(pupils, self._chance)):
                course = Course(len(self.courses) + 1, year, level, letters(section), teachers.of(level, section))
                self.courses.append(course)
                seated += ((pupil, course) for pupil in classmates)
        self.places.append(tuple(self._places(year, seated)))

    def _places(self, year: Year, seated: list[tuple[Pupil, Course]]) -> Iterator[Place]:
        days = year.school_days(min(self.plan.today, year.end - timedelta(days=10)))[5:]
        dropping = round(len(seated) * self._share_dropped(year)) if days else 0
        chosen = frozenset(self._drops.sample(range(len(seated)), dropping))
        first = sum(map(len, self.places)) + 1
        for n, (pupil, course) in enumerate(seated):
            if n in chosen:
                yield Place(first + n, pupil, course, self._drops.choice(days), self._drops.choice(words.DROP_REASONS))
            else:
                yield Place(first + n, pupil, course, None, None)

    def _share_dropped(self, year: Year) -> float:
        """Say how many of a year's places end in a drop, so that over all years it is the school's 6 %."""
        ripe = min(1.0, (self.plan.today - self.years[-1].start).days / _DAYS_UNTIL_MOST_DROPPED)
        if year is self.years[-1]:
            return _DROPPED * ripe
        return _DROPPED * (len(self.years) - ripe) / (len(self.years) - 1)
