"""What a page or a script is shown of a sheet: texts of cells, what became of what was typed, where to go from here."""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import url_for
from flask_babel import gettext, ngettext

from fsms import clock, grading, text
from fsms.admin_views.base import words
from fsms.admin_views.gradebook_requests import name_of
from fsms.admin_views.lookups import record_id
from fsms.grading import Cell, Figure, Mark, Rank
from fsms.models import Course, Semester
from fsms.operations.gradebook import (
    Choice,
    Column,
    Entry,
    Kept,
    Outcome,
    Place,
    Preview,
    Pupil,
    Saved,
    Sheet,
    State,
)
from fsms.reports import marks

MOST_COURSES = 150  # Offered; with its months and subjects the page then stays a choice that can be looked through.
LISTED = 4
"""So many changes or refusals of a preview are named; the others are counted."""


# ---- The address of a sheet ----------------------------------------------------------------------------------------


def address(sheet: Sheet) -> str:
    """Say where a sheet is found."""
    return url_for("gradebook.index", **arguments(sheet))


def address_of(course: Course, semester: Semester, asked: Mapping[str, str]) -> str:
    """Say where the sheet is found that was asked for, without loading it."""
    return url_for("gradebook.index", **_arguments(course, semester, *columns_asked_for(asked)))


def arguments(sheet: Sheet) -> dict[str, Any]:
    """Name what an address must say to ask for this sheet."""
    subject_id = sheet.subject.subject_id if sheet.subject else None
    return _arguments(sheet.course, sheet.semester, sheet.month, subject_id)


def _arguments(course: Course, semester: Semester, month: str | None, subject_id: int | None) -> dict[str, Any]:
    across = {"subject": subject_id} if subject_id else {"month": month}
    return {"course": course.course_id, "semester": semester.semester_id, **across}


def columns_asked_for(asked: Mapping[str, str]) -> tuple[str | None, int | None]:
    """Read whether the subjects of a month or the months of a subject are asked for; what cannot be read is neither."""
    subject_id = record_id(asked.get("subject"))
    try:
        month = text.iso_period(asked.get("month", ""))[:7]
    except ValueError:
        month = None
    return month, subject_id


# ---- Words ---------------------------------------------------------------------------------------------------------


def in_cell(mark: Mark) -> str:
    """Write a mark as it stands in its cell, and as it can be typed."""
    if mark.excused:
        return gettext("exc")
    return "" if mark.value is None else grading.written(mark.value)


def in_words(mark: Mark) -> str:
    """Write a mark as a sentence has it, where nothing needs a word too."""
    return in_cell(mark) or gettext("blank")


def at(moment: dt.datetime | None) -> str:
    """Say when: the hour today, the day and the hour before."""
    if moment is None:
        return ""
    there = moment.astimezone(clock.SCHOOL_ZONE)
    return f"{there:%H:%M}" if there.date() == clock.today() else f"{there:%d/%m/%Y %H:%M}"


def month_in_words(period: str) -> str:
    """Write a month, or a day of it, as the school does."""
    year, month, *day = period.split("-")
    return "/".join([*day, month, year])


def said_of(outcome: Outcome) -> str:
    """Say why a cell was not saved."""
    if outcome.reason:
        return words(outcome.reason)
    typed, now = text.clean(outcome.entry.typed) or gettext("blank"), outcome.now
    if not now.state:
        return gettext("You typed %(typed)s. Somebody removed the mark meanwhile.", typed=typed)
    return gettext(
        "You typed %(typed)s. %(who)s saved %(mark)s at %(when)s.",
        typed=typed,
        who=now.who or gettext("Somebody"),
        mark=in_words(now.mark),
        when=at(now.when),
    )


# ---- The page ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Head:
    """The head of a column."""

    id: str
    label: str
    detail: str
    maximum: str


@dataclass(frozen=True)
class Box:
    """A cell as it is drawn; `wrong` says what is wrong with what was typed there, `shut` why nothing can be."""

    name: str
    head: str
    text: str
    css: str
    comment: str
    wrong: str | None
    shut: str | None = None


@dataclass(frozen=True)
class Line:
    """A pupil with the cells of the own row."""

    pupil: Pupil
    cells: tuple[Box, ...]


def by_year(listed: Sequence[Choice], sheet: Sheet | None) -> dict[str, list[Choice]]:
    """Put the courses under their years, the newest years whole while few enough: ten years are no choice.

    A course of an older year that is shown keeps beside it those of its level.
    """
    years: dict[str, list[Choice]] = {}
    for choice in listed:
        years.setdefault(str(choice.course.school_year), []).append(choice)
    offered: dict[str, list[Choice]] = {}
    room = MOST_COURSES
    for year, choices in years.items():
        room -= len(choices)
        if room >= 0 or not offered:
            offered[year] = choices
        elif sheet and str(sheet.course.school_year) == year:
            offered[year] = [choice for choice in choices if choice.course.level == sheet.course.level]
    return offered


def shown(sheet: Sheet, typed: Sequence[Entry] = (), trouble: Sequence[Outcome] = ()) -> dict[str, Any]:
    """Gather what the template needs of a sheet and, where a form was sent, of what went wrong with it."""
    wrong = {outcome.entry.place: said_of(outcome) for outcome in trouble}
    texts = {entry.place: entry.typed for entry in typed if entry.place in wrong}
    names = {pupil.student_id: pupil.name for pupil in (*sheet.pupils, *sheet.dropped)}
    subjects = {column.subject_id: column.subject for column in sheet.columns}
    lines = [_line(sheet, pupil, texts, wrong) for pupil in sheet.pupils]
    return {
        "heads": [_head(sheet, column) for column in sheet.columns],
        "lines": lines,
        "has_shut": any(box.shut for line in lines for box in line.cells),
        "dropped": [_line(sheet, pupil, texts, wrong) for pupil in sheet.dropped],
        "problems": [
            (
                name_of(place),
                f"{names.get(place.student_id, place.student_id)}, {subjects.get(place.subject_id, '')}",
                said,
            )
            for place, said in wrong.items()
        ],
        "cells": {name_of(place): _in_form(kept) for place, kept in sheet.cells.items()},
        "months": [(month, month_in_words(month)) for month in sheet.months],
        "arguments": arguments(sheet),
        "excused": gettext("exc"),
    }


def _head(sheet: Sheet, column: Column) -> Head:
    period = month_in_words(column.period)
    is_day = len(column.period) > len("2025-03")
    label, detail = (period, "") if sheet.subject else (column.subject, period if is_day else "")
    return Head(head_of(column), label, detail, grading.written(column.maximum))


def head_of(column: Column) -> str:
    """Name a column as its cells point at it."""
    return f"c.{column.subject_id}.{column.period}"


def _line(sheet: Sheet, pupil: Pupil, texts: Mapping[Place, str], wrong: Mapping[Place, str]) -> Line:
    cells = []
    for column in sheet.columns:
        place = Place(pupil.student_id, column.subject_id, column.period)
        kept = sheet.kept(pupil, column)
        cells.append(
            Box(
                name=name_of(place),
                head=head_of(column),
                text=texts.get(place, in_cell(kept.mark)),
                css=css_of(kept),
                comment=kept.comment,
                wrong=wrong.get(place),
                shut=words(shut) if (shut := sheet.why_shut(pupil, column)) else None,
            )
        )
    return Line(pupil, tuple(cells))


def css_of(kept: Kept) -> str:
    """Give nothing, 0 and excused their own look, and a comment its corner."""
    look = "is-excused" if kept.mark.excused else "is-zero" if kept.mark.value == 0 else ""
    return f"{look} has-comment".strip() if kept.comment else look


# ---- Figures -------------------------------------------------------------------------------------------------------


def figures(sheet: Sheet, reckoned: marks.Sheet | None) -> dict[str, Any]:
    """Put into texts what the marks come to: for each pupil and each column, and for the class."""
    if reckoned is None:
        return {"pupils": {}, "columns": {}, "mean": ""}
    of = sheet.subject.subject_id if sheet.subject else None
    standings = reckoned.standings
    ranks = standings.ranks_in(of) if of else {one.pupil: one.rank for one in standings.pupils if one.rank}
    semester_id = sheet.semester.semester_id
    cells = {column: Cell(semester_id, column.subject_id, column.period) for column in sheet.columns}
    return {
        "pupils": {
            str(standing.pupil): _of_pupil(_figure(standing.subjects, of) if of else standing.average, ranks)
            for standing in standings.pupils
        },
        "columns": {
            head_of(column): [
                "" if of else _rounded(_figure(standings.subjects, column.subject_id)),
                str(reckoned.missing.get(cell, "")),
            ]
            for column, cell in cells.items()
        },
        "mean": _rounded(_figure(standings.subjects, of) if of else standings.mean),
    }


def _of_pupil(figure: Figure | None, ranks: Mapping[int, Rank]) -> list[str]:
    """Give average, rank and the number of missing marks."""
    if figure is None or figure.what.pupil is None:
        return ["", "", ""]
    rank = ranks.get(figure.what.pupil)
    return [_rounded(figure), str(rank.place) if rank else "", str(len(figure.missing) or "")]


def _figure(of_subjects: Mapping[int, Figure], subject_id: int) -> Figure | None:
    return of_subjects.get(subject_id)


def _rounded(figure: Figure | None) -> str:
    return "" if figure is None or figure.value is None else str(grading.rounded(figure.value))


def _in_form(kept: Kept) -> list[str]:
    return [in_cell(kept.mark), kept.state, kept.comment, kept.who or "", at(kept.when)]


# ---- Answers to the script -----------------------------------------------------------------------------------------


def fresh(sheet: Sheet, reckoned: marks.Sheet | None) -> dict[str, Any]:
    """Say what the cells of a sheet hold now, and what they come to."""
    cells = {name_of(place): _in_form(kept) for place, kept in sheet.cells.items()}
    return {"cells": cells, "figures": figures(sheet, reckoned)}


def answered(saved: Saved) -> dict[str, Any]:
    """Say what became of each cell that was sent."""
    return {
        "cells": [
            {
                "name": name_of(outcome.entry.place),
                "key": str(outcome.entry.key) if outcome.entry.key else None,
                "outcome": outcome.state.value,
                "said": said_of(outcome) if outcome.state in TROUBLE else "",
                "now": _in_form(outcome.now),
            }
            for outcome in saved.outcomes
        ],
        "batch": str(saved.batch) if saved.batch else None,
        "at": at(clock.now()),
    }


TROUBLE = (State.CLASH, State.REFUSED)


def previewed(found: Preview) -> dict[str, Any]:
    """Put a preview into words, beside the cells that are to be sent if it is applied."""
    return {
        "said": ", ".join(_counted(found)),
        "notes": list(_notes(found)),
        "cells": [
            {
                "name": name_of(entry.place),
                "typed": entry.typed,
                "comment": entry.comment,
                "seen": entry.seen,
                "only_if_empty": entry.only_if_empty,
            }
            for entry in found.entries
        ],
    }


def _counted(found: Preview) -> Iterator[str]:
    yield gettext("%(num)d new", num=found.new)
    if found.changed:
        changes = [f"{in_words(change.before)} → {in_words(change.after)}" for change in found.changed[:LISTED]]
        yield gettext("%(num)d changed (%(which)s)", num=len(found.changed), which=_some(changes, len(found.changed)))
    if found.refused:
        lines = [
            gettext("row %(line)d: “%(typed)s”", line=bad.line, typed=bad.typed[:20]) for bad in found.refused[:LISTED]
        ]
        yield gettext("%(num)d refused (%(which)s)", num=len(found.refused), which=_some(lines, len(found.refused)))
    if found.same:
        yield gettext("%(num)d as before", num=found.same)
    if found.blank:
        yield gettext("%(num)d left blank, where nothing changes", num=found.blank)


def _some(named: list[str], total: int) -> str:
    return ", ".join([*named, "…"] if total > len(named) else named)


def _notes(found: Preview) -> Iterator[str]:
    if found.by_number:
        yield gettext("The rows go to the pupils by the numbers in the first column.")
    if found.lines_outside:
        yield ngettext(
            "%(num)d row lies below the last pupil and is left out.",
            "%(num)d rows lie below the last pupil and are left out.",
            found.lines_outside,
        )
    if found.columns_outside:
        yield ngettext(
            "%(num)d column lies outside the sheet and is left out.",
            "%(num)d columns lie outside the sheet and are left out.",
            found.columns_outside,
        )
    for bad in found.refused[:LISTED]:
        yield gettext("Row %(line)d: %(reason)s", line=bad.line, reason=words(bad.reason))
