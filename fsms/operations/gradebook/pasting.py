"""What a pasted block, or a value set for many cells, would do to a sheet: read and compared, nothing is written.

A block falls on the sheet from the cell of the cursor on. Where its first column holds pupils' numbers, its rows go to
these pupils instead, in whatever order they stand.
"""

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from sqlalchemy import select, tuple_

from fsms import text
from fsms.activity import AnySession
from fsms.errors import InvalidValue, SchoolError
from fsms.grading import Mark, Scheme
from fsms.models import Course, Enrollment, Grade, Semester, Student
from fsms.operations.gradebook.cells import EMPTY, SHOWN, Kept, Place, kept
from fsms.operations.gradebook.reading import Entry, understood

MOST_CELLS = 5_000
FEW_ROWS = 3


def _(sentence: str) -> str:
    """Mark a sentence for the translators; the screen translates it when it is shown."""
    return sentence


class Target(NamedTuple):
    """A column of the sheet: its subject, and the month or day."""

    subject_id: int
    period: str


@dataclass(frozen=True)
class Block:
    """A copied block, and the rows and columns of the sheet from the cell of the cursor on."""

    copied: str
    pupils: tuple[int, ...]
    columns: tuple[Target, ...]


@dataclass(frozen=True)
class Filling:
    """One value for all of these cells that are empty."""

    typed: str
    places: tuple[Place, ...]


@dataclass(frozen=True)
class Change:
    """A mark that would take the place of another."""

    place: Place
    before: Mark
    after: Mark


@dataclass(frozen=True)
class Bad:
    """What cannot be taken, by its line in the block."""

    line: int
    typed: str
    reason: SchoolError


@dataclass(frozen=True)
class Preview:
    """What would become of a block. The entries are those to be saved, each with the state it was compared with."""

    entries: tuple[Entry, ...]
    new: int
    changed: tuple[Change, ...]
    same: int
    blank: int  # left blank in the block: what stands there stays
    refused: tuple[Bad, ...]
    lines_outside: int
    columns_outside: int
    by_number: bool


class _Copied(NamedTuple):
    """A filled cell of a block on its way to its place; None: to no pupil of the class."""

    line: int
    typed: str
    place: Place | None


@dataclass(frozen=True)
class _Laid:
    """A block laid onto the sheet."""

    cells: list[_Copied]
    blank: int = 0
    lines_outside: int = 0
    columns_outside: int = 0
    by_number: bool = False


def preview(
    session: AnySession, course: Course, semester: Semester, pasted: Block | Filling, scheme: Scheme
) -> Preview:
    """Say what would be new, what would change, and what cannot be taken and why."""
    filling = isinstance(pasted, Filling)
    if isinstance(pasted, Filling):
        laid = _Laid([_Copied(line, pasted.typed, place) for line, place in enumerate(pasted.places, start=1)])
    else:
        laid = _laid(pasted, _names(session, course))
    lines = {cell.place: cell.line for cell in laid.cells if cell.place}
    typed = {cell.place: cell.typed for cell in laid.cells if cell.place}
    there = _there(session, course, semester, typed)
    now_there = {place: there.get(place, EMPTY) for place in typed}
    entries = [Entry(place, what, now_there[place].comment, now_there[place].state) for place, what in typed.items()]
    wanted, refused = understood(session, course, semester, entries, scheme)
    to_save: list[Entry] = []
    changed: list[Change] = []
    for one in wanted:
        now = now_there[one.entry.place]
        if now.mark == one.mark or (filling and now.state):
            continue
        to_save.append(replace(one.entry, only_if_empty=filling))
        if now.state:
            changed.append(Change(one.entry.place, now.mark, one.mark))
    bad = [Bad(lines[o.entry.place], o.entry.typed, o.reason) for o in refused if o.reason]
    bad += [Bad(cell.line, cell.typed, InvalidValue(_NOBODY)) for cell in laid.cells if cell.place is None]
    return Preview(
        entries=tuple(to_save),
        new=len(to_save) - len(changed),
        changed=tuple(changed),
        same=len(wanted) - len(to_save),
        blank=laid.blank,
        refused=tuple(sorted(bad, key=lambda one: one.line)),
        lines_outside=laid.lines_outside,
        columns_outside=laid.columns_outside,
        by_number=laid.by_number,
    )


_NOBODY = _("No pupil of this class has this number.")


def _names(session: AnySession, course: Course) -> dict[int, str]:
    listed = select(Student.student_id, Student.full_name).join(Enrollment.student)
    return {
        number: text.clean(name)
        for number, name in session.execute(listed.where(Enrollment.course_id == course.course_id))
    }


def _there(session: AnySession, course: Course, semester: Semester, places: Iterable[Place]) -> dict[Place, Kept]:
    found = select(Grade.student_id, Grade.subject_id, Grade.grade_date, *SHOWN).where(
        Grade.course_id == course.course_id,
        Grade.semester_id == semester.semester_id,
        tuple_(Grade.student_id, Grade.subject_id, Grade.grade_date).in_(list(places)),
    )
    return {Place(row.student_id, row.subject_id, row.grade_date): kept(row) for row in session.execute(found)}


# ---- From the clipboard to the sheet -------------------------------------------------------------------------------


def _laid(block: Block, names: Mapping[int, str]) -> _Laid:
    lines = list(enumerate(_lines(block.copied), start=1))
    numbered = _numbered(lines, names)
    width = max((len(cells) for _, cells in numbered or lines), default=0)
    if numbered is not None:
        shift = 2 if _second_is_the_name(numbered, names) else 1
        rows = [(line, _number(cells[0]), cells[shift:]) for line, cells in numbered if _is_filled(cells)]
        rows = [(line, number if number in names else None, cells) for line, number, cells in rows]
        width, outside = width - shift, 0
    else:
        rows = [(line, pupil, cells) for (line, cells), pupil in zip(lines, block.pupils, strict=False)]
        outside = max(0, len(lines) - len(block.pupils))
    cells = list(_onto(rows, block.columns))
    return _Laid(
        cells=[cell for cell in cells if cell.typed],
        blank=sum(not cell.typed for cell in cells),
        lines_outside=outside,
        columns_outside=max(0, width - len(block.columns)),
        by_number=numbered is not None,
    )


def _onto(rows: Iterable[tuple[int, int | None, Sequence[str]]], columns: Sequence[Target]) -> Iterator[_Copied]:
    for line, pupil, cells in rows:
        for typed, column in zip(cells, columns, strict=False):
            yield _Copied(line, typed, Place(pupil, *column) if pupil else None)


def _lines(copied: str) -> list[list[str]]:
    """Split as Excel copies: tabs and line ends, and quotation marks around a cell that holds either."""
    plain = copied.replace("\0", "").replace("\r\n", "\n").replace("\r", "\n").removesuffix("\n")
    if plain.count("\t") + plain.count("\n") >= MOST_CELLS:
        raise InvalidValue(_("This is more than %(most)s cells. Paste a part of it at a time."), most=MOST_CELLS)
    try:
        return [[text.clean(cell) for cell in line] for line in csv.reader(plain.split("\n"), delimiter="\t")]
    except csv.Error:
        return [[text.clean(cell) for cell in line.split("\t")] for line in plain.split("\n")]


Line = tuple[int, list[str]]


def _numbered(lines: list[Line], names: Mapping[int, str]) -> list[Line] | None:
    """Give the lines that begin with pupils' numbers, without a heading; None where they do not.

    Marks are numbers too: all must be different, most must be of this class, and there must be more than a few of
    them or one too high for any mark.
    """
    filled = [line for line in lines if _is_filled(line[1])]
    if filled and _number(filled[0][1][0]) is None:
        filled = filled[1:]
    numbers = [_number(cells[0]) for _, cells in filled]
    of_class = [number for number in numbers if number in names]
    told_apart = len(numbers) >= FEW_ROWS or any(number and number > 100 for number in numbers)
    wide = all(len(cells) > 1 for _, cells in filled)
    if not filled or None in numbers or len(set(numbers)) < len(numbers) or not told_apart or not wide:
        return None
    return filled if 2 * len(of_class) > len(numbers) else None


def _second_is_the_name(lines: list[Line], names: Mapping[int, str]) -> bool:
    alike = sum(names.get(_number(cells[0]) or 0) == cells[1] for _, cells in lines)
    return 2 * alike > len(lines)


def _number(cell: str) -> int | None:
    digits = text.digits(cell)
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) <= 9 else None


def _is_filled(cells: Sequence[str]) -> bool:
    return any(cells)
