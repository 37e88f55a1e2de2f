"""The classes of a year: how a level is divided into sections, and who teaches them."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import cycle
from math import ceil
from random import Random

from fsms.demo.calendar import Year
from fsms.demo.people import Pupil, Staff
from fsms.vocabulary import Role

CLASS_SIZE, LARGEST_CLASS = 25, 34
_UNEVEN = 3


@dataclass(frozen=True, slots=True)
class Course:
    """A class of one year and its teachers, the homeroom teacher first."""

    number: int
    year: Year
    level: int
    section: str
    teachers: tuple[Staff, ...]


def sections_for(pupils: int) -> int:
    """Say how many sections a level of this size has; one, where nobody came."""
    return max(1, ceil(pupils / LARGEST_CLASS), round(pupils / CLASS_SIZE))


def letters(section: int) -> str:
    """Count A, B … Z, AA, AB … as a very large level would need."""
    head, tail = divmod(section, 26)
    return (letters(head - 1) if head else "") + chr(ord("A") + tail)


def divide(pupils: list[Pupil], chance: Random) -> Iterator[list[Pupil]]:
    """Divide a level into sections of uneven size that keep classmates together; newcomers sit where they are put."""
    sections = sections_for(len(pupils))
    in_order = sorted(pupils, key=lambda pupil: chance.randrange(sections) if pupil.section is None else pupil.section)
    uneven = max(0, min(_UNEVEN, (LARGEST_CLASS - ceil(len(pupils) / sections)) // 2, len(pupils) // sections // 2))
    cuts = [len(pupils) * n // sections + chance.randint(-uneven, uneven) for n in range(1, sections)]
    for section, (start, end) in enumerate(zip([0, *cuts], [*cuts, len(pupils)], strict=True)):
        for pupil in in_order[start:end]:
            pupil.section = section
        yield in_order[start:end]


class Teachers:
    """Who leads which class of a year, and who joins in. teacher1 always leads 7A and teaches in 8A too."""

    def __init__(self, staff: tuple[Staff, ...], chance: Random, *, last: bool) -> None:
        """Gather those who teach in a year; the one who has left does not teach in the last."""
        self._first, *others = (
            person for person in staff if person.role is Role.TEACHER and (person.active or not last)
        )
        chance.shuffle(others)
        self._all = [*others, self._first]
        self._leading = cycle(self._all)
        self._chance = chance

    def of(self, level: int, section: int) -> tuple[Staff, ...]:
        """Give a class its teachers: small children mostly have one, the others up to three."""
        homeroom = self._first if (level, section) == (7, 0) else next(self._leading)
        others = [person for person in self._all if person is not homeroom]
        wanted = self._chance.choices((0, 1, 2), (65, 30, 5) if level <= 6 else (10, 45, 45))[0]
        joining = self._chance.sample(others, min(wanted, len(others)))
        if (level, section) == (8, 0) and self._first not in (homeroom, *joining):
            joining = [self._first, *joining[:1]]
        return homeroom, *joining
