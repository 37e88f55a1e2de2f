"""The sheet of a class as an Excel file, down and up again: pupils' numbers, names, a column for each subject or month.

A file that comes up is somebody's: it is measured before it is unpacked, read without running anything in it, and
matched by the numbers of the pupils and the headings of the columns, whatever order they stand in. What is read is
text, as if it had been typed; what becomes of it is decided where pasted blocks are (`operations.gradebook`).
"""

import csv
import io
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any
from xml.etree.ElementTree import ParseError

from openpyxl import Workbook, load_workbook
from openpyxl.cell import Cell
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.utils.exceptions import InvalidFileException
from openpyxl.worksheet.datavalidation import DataValidation

from fsms import grading, text
from fsms.errors import InvalidValue, SchoolError
from fsms.operations.gradebook import Block, Column, Preview, Sheet, Target
from fsms.operations.gradebook.pasting import Bad

LARGEST_FILE = 2 * 1024 * 1024
LARGEST_UNPACKED = 30 * 1024 * 1024
MOST_PARTS, MOST_ROWS, MOST_COLUMNS = 200, 500, 100
HEAD_ROWS = 2  # The title, which says whose sheet it is, and the headings.

# What openpyxl raises over files that only look like its own.
_BROKEN = (
    AttributeError,
    EOFError,
    IndexError,
    InvalidFileException,
    KeyError,
    NotImplementedError,
    OSError,
    ParseError,
    RuntimeError,
    SyntaxError,
    TypeError,
    ValueError,
    zipfile.BadZipFile,
    zlib.error,
)


def _(sentence: str) -> str:
    """Mark a sentence for the translators; the screen translates it when it is shown."""
    return sentence


@dataclass(frozen=True)
class Words:
    """What the file says in the reader's language."""

    number: str
    pupil: str
    excused: str
    allowed: str  # with %(highest)s: what a cell may hold


@dataclass(frozen=True)
class Read:
    """What a file holds of a sheet: a block to be compared, the file's row of each of its lines, and what is wrong."""

    block: Block
    rows: tuple[int, ...]
    refused: tuple[Bad, ...]

    def with_rows(self, preview: Preview) -> Preview:
        """Name what was refused by the rows of the file, and add the rows that belong to nobody."""
        told = (*(replace(bad, line=self.rows[bad.line - 1]) for bad in preview.refused), *self.refused)
        return replace(preview, refused=tuple(sorted(told, key=lambda bad: bad.line)))


def title_of(sheet: Sheet) -> str:
    """Say whose sheet it is; the file carries it in its first cell, and is known by it."""
    across = sheet.subject.subject_name if sheet.subject else sheet.month
    return f"{sheet.course} · {sheet.semester} · {across}"


# ---- Down ----------------------------------------------------------------------------------------------------------

_HEAD = PatternFill("solid", fgColor="E9EFFC")


def write(sheet: Sheet, words: Words) -> bytes:
    """Write the sheet: numbers as text, marks as numbers that the cells hold to the scale, head and names frozen."""
    book = Workbook()
    page = book.active
    assert page is not None
    page.title = "Marks"
    _put(page.cell(1, 1), title_of(sheet)).font = Font(bold=True)
    for n, heading in enumerate([words.number, words.pupil, *headings(sheet)], start=1):
        head = _put(page.cell(HEAD_ROWS, n), heading)
        head.font, head.fill = Font(bold=True), _HEAD
        head.alignment = Alignment(wrap_text=True, vertical="top", horizontal="left" if n < 3 else "center")
    for row, pupil in enumerate(sheet.pupils, start=HEAD_ROWS + 1):
        _put(page.cell(row, 1), str(pupil.student_id))
        _put(page.cell(row, 2), pupil.name)
        for n, column in enumerate(sheet.columns, start=3):
            mark = sheet.kept(pupil, column).mark
            if mark.excused:
                _put(page.cell(row, n), words.excused)
            elif mark.value is not None:
                page.cell(row, n, value=mark.value).number_format = "0.##"
    _hold_to_the_scale(page, sheet, words)
    page.freeze_panes = f"C{HEAD_ROWS + 1}"
    for n, width in enumerate([9.0, 26.0, *[13.0] * len(sheet.columns)], start=1):
        page.column_dimensions[get_column_letter(n)].width = width
    kept = io.BytesIO()
    book.save(kept)
    return kept.getvalue()


def headings(sheet: Sheet) -> list[str]:
    """Name the columns: the months of a subject, or the subjects of a month."""
    return [_heading(sheet, column) for column in sheet.columns]


def _heading(sheet: Sheet, column: Column) -> str:
    if sheet.subject:
        return column.period
    return column.subject if column.period == sheet.month else f"{column.subject} {column.period}"


def _put(cell: Any, written: str) -> Cell:
    """Write text that stays text: a name that begins with = is nobody's formula."""
    cell.value, cell.number_format = written, "@"
    cell.data_type = "s"
    kept: Cell = cell
    return kept


def _hold_to_the_scale(page: Any, sheet: Sheet, words: Words) -> None:
    if not sheet.pupils:
        return
    for n, column in enumerate(sheet.columns, start=3):
        letter, highest = get_column_letter(n), grading.written(column.maximum)
        first = f"{letter}{HEAD_ROWS + 1}"
        rule = f'OR(AND(ISNUMBER({first}),{first}>=0,{first}<={highest}),{first}="{words.excused}",{first}="excused")'
        held = DataValidation(type="custom", formula1=rule, allow_blank=True, showErrorMessage=True)
        held.error = words.allowed % {"highest": highest}
        held.add(f"{first}:{letter}{HEAD_ROWS + len(sheet.pupils)}")
        page.add_data_validation(held)


# ---- Up ------------------------------------------------------------------------------------------------------------


def read(sent: bytes, sheet: Sheet) -> Read:
    """Read a file against the sheet it should be of. Raises InvalidValue where it is none of ours."""
    rows = list(_rows(sent))
    _refuse_another_sheet(rows, sheet)
    targets = _targets(rows, sheet)
    pupils = {str(pupil.student_id): pupil.student_id for pupil in (*sheet.pupils, *sheet.dropped)}
    lines: list[list[str]] = []
    places: list[tuple[int, int]] = []  # the row of the file, and the pupil
    refused: list[Bad] = []
    for row, cells in enumerate(rows[HEAD_ROWS:], start=HEAD_ROWS + 1):
        typed = [cells[n] if n < len(cells) else "" for n in targets]
        number = text.digits(cells[0]) if cells else ""
        if number in pupils and pupils[number] not in {pupil for _, pupil in places}:
            lines.append(typed)
            places.append((row, pupils[number]))
        elif any(typed):
            reason = _TWICE if number in pupils else _NOBODY
            refused.append(Bad(row, number or next(filter(None, typed)), InvalidValue(reason)))
    block = Block(_as_copied(lines), tuple(pupil for _, pupil in places), tuple(targets.values()))
    return Read(block, tuple(row for row, _ in places), tuple(refused))


_NOBODY = _("No pupil of this class has this number.")
_TWICE = _("This pupil stands in the file twice; the first row counts.")
_NO_EXCEL = _("This is no Excel file that can be read. Save the sheet as .xlsx and choose it again.")
_TOO_LARGE = _("This file is too large for the sheet of a class. Choose the file that was downloaded here.")


def _refuse_another_sheet(rows: Sequence[Sequence[str]], sheet: Sheet) -> None:
    found = rows[0][0] if rows and rows[0] else ""
    if found != text.clean(title_of(sheet)):
        raise InvalidValue(
            _("This is not the file of the sheet “%(wanted)s”: its first cell says “%(found)s”."),
            wanted=title_of(sheet),
            found=found[:80],
        )


def _targets(rows: Sequence[Sequence[str]], sheet: Sheet) -> dict[int, Target]:
    """Find the sheet's column under each heading of the file; one that says nothing known is not guessed."""
    known = {
        text.clean(heading): Target(column.subject_id, column.period)
        for heading, column in zip(headings(sheet), sheet.columns, strict=True)
    }
    heads = rows[1] if len(rows) > 1 else []
    width = max((len(cells) for cells in rows[1:]), default=0)
    targets: dict[int, Target] = {}
    for n in range(2, width):
        heading = heads[n] if n < len(heads) else ""
        if not heading and not any(len(cells) > n and cells[n] for cells in rows[HEAD_ROWS:]):
            continue
        if heading not in known or known[heading] in targets.values():
            raise InvalidValue(
                _("Column %(column)s is headed “%(heading)s”. Name it as in the downloaded file, each column once."),
                column=get_column_letter(n + 1),
                heading=heading[:40],
            )
        targets[n] = known[heading]
    return targets


def _as_copied(lines: Sequence[Sequence[str]]) -> str:
    written = io.StringIO()
    csv.writer(written, delimiter="\t", lineterminator="\n").writerows(lines)
    return written.getvalue()


# ---- A stranger's file ---------------------------------------------------------------------------------------------


def _rows(sent: bytes) -> Iterator[list[str]]:
    """Read the first sheet of a file as texts, row by row, the empty ones at its end left out."""
    _measure(sent)
    try:
        found = list(_cells(sent))
    except _BROKEN as broken:
        raise InvalidValue(_NO_EXCEL) from broken
    while found and not any(found[-1]):
        found.pop()
    if len(found) > MOST_ROWS:
        raise InvalidValue(_TOO_LARGE)
    yield from found


def _cells(sent: bytes) -> Iterator[list[str]]:
    book = load_workbook(io.BytesIO(sent), read_only=True, keep_links=False)
    try:
        page = book.worksheets[0]
        page.reset_dimensions()  # what a file says of its own size may be anything
        for row in page.iter_rows(max_row=MOST_ROWS + 1, max_col=MOST_COLUMNS, values_only=True):
            cells = [_typed(value) for value in row]
            while cells and not cells[-1]:
                cells.pop()
            yield cells
    finally:
        book.close()


def _typed(value: object) -> str:
    """Write a value as somebody would have typed it; 7.550000000000001 is 7.55."""
    if isinstance(value, float):
        return f"{value:.10g}"
    return "" if value is None else text.clean(str(value))[:200].replace("\n", " ")


def _measure(sent: bytes) -> None:
    """Refuse what would grow without end, or carries a grammar of its own, before anything is unpacked for use."""
    if len(sent) > LARGEST_FILE:
        raise InvalidValue(_TOO_LARGE)
    try:
        with zipfile.ZipFile(io.BytesIO(sent)) as packed:
            parts = packed.infolist()
            if len(parts) > MOST_PARTS or sum(part.file_size for part in parts) > LARGEST_UNPACKED:
                raise InvalidValue(_TOO_LARGE)
            if any(_has_a_grammar(packed, part) for part in parts):
                raise InvalidValue(_NO_EXCEL)
    except SchoolError:
        raise
    except _BROKEN as broken:
        raise InvalidValue(_NO_EXCEL) from broken


def _has_a_grammar(packed: zipfile.ZipFile, part: zipfile.ZipInfo) -> bool:
    """Unpack a part no further than its declared size, and look for entities that could multiply."""
    if not part.filename.endswith((".xml", ".rels")):
        return False
    with packed.open(part) as opened:
        unpacked = opened.read(part.file_size + 1)
    return b"<!DOCTYPE" in unpacked or b"<!ENTITY" in unpacked
