"""The page of a pupil in words: warnings, facts by section, marks as tables. What it tells is `fsms.reports.pupil`."""

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext, ngettext

from fsms import grading
from fsms.admin_views import formatters, history
from fsms.grading import Figure, Standing
from fsms.models import Base, Enrollment
from fsms.reports.marks import PupilInCourse, PupilInSemester
from fsms.reports.pupil import Concern, Pupil

# ---- Warnings ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Notice:
    """A sentence that stands at the top of the page, and how grave it is."""

    kind: str
    sentence: str


_GRAVE = {Concern.NO_GUARDIAN_PHONE: "danger", Concern.OVER_LIMIT: "danger", Concern.HEALTH: "info"}


def warnings(pupil: Pupil) -> list[Notice]:
    """Put what should not be overlooked into sentences, the gravest first."""
    found = [Notice(_GRAVE.get(concern, "warning"), _sentence(concern, pupil)) for concern in pupil.concerns]
    return sorted(found, key=lambda one: ["danger", "warning", "info"].index(one.kind))


def _sentence(concern: Concern, pupil: Pupil) -> str:
    match concern:
        case Concern.NO_GUARDIAN_PHONE:
            return gettext("No guardian can be reached by phone. Ask for a number.")
        case Concern.HEALTH:
            return gettext("Health: %(note)s", note=pupil.student.health)
        case Concern.DROPPED:
            return _dropped(pupil.this_year[0])
        case Concern.NOT_ENROLLED:
            return gettext("Not in a class of %(year)s yet.", year=pupil.present_year)
    return _absences(concern, pupil)


def _dropped(place: Enrollment) -> str:
    facts = {"course": place.course, "day": day(place.drop_date), "reason": place.drop_reason}
    if place.drop_reason:
        return gettext("Dropped from %(course)s on %(day)s: %(reason)s", **facts)
    return gettext("Dropped from %(course)s on %(day)s.", **facts)


def _absences(concern: Concern, pupil: Pupil) -> str:
    year = pupil.attendance_this_year
    assert year is not None, "there is no such warning without attendance"
    weighed = f"{year.tally.weighed_absences.normalize():f}"
    if concern is Concern.OVER_LIMIT:
        return gettext(
            "%(count)s absences this year, excused ones half: at %(limit)s the pupil may be dismissed.",
            count=weighed,
            limit=pupil.rules.dismiss_at,
        )
    if concern is Concern.NEAR_LIMIT:
        return gettext(
            "%(count)s absences this year, excused ones half: the limit is %(limit)s. Call the family.",
            count=weighed,
            limit=pupil.rules.dismiss_at,
        )
    return gettext(
        "Absent in %(count)s of %(all)s sessions this year.",
        count=year.tally.absent + year.tally.excused,
        all=year.tally.recorded,
    )


# ---- Facts ---------------------------------------------------------------------------------------------------------

Fact = tuple[Any, Any]


def day(when: dt.date | dt.datetime | None) -> str:
    """Show a day."""
    return formatters.day_in_text(when.isoformat()[:10]) if when else ""


def age(born: dt.date, today: dt.date) -> str:
    """Say how old somebody is, in whole years."""
    years = today.year - born.year - ((today.month, today.day) < (born.month, born.day))
    return ngettext("%(num)d year old", "%(num)d years old", years)


def facts_of(row: Base, names: Sequence[str], labels: dict[str, Any]) -> Iterator[Fact]:
    """Give label and value, in words, of some columns of a record."""
    by_type: dict[Any, Any] = formatters.FOR_DETAILS
    for name in names:
        value = getattr(row, name)
        shown = by_type[type(value)](None, value, name) if type(value) in by_type else None
        yield labels[name], history.in_words(type(row), name, value) if shown is None else shown


# ---- Marks ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class MarksTable:
    """The marks of a semester: a line for each subject, a column for each month."""

    title: str
    months: tuple[str, ...]
    lines: tuple[tuple[str, tuple[str, ...], str], ...]
    average: str
    rank: str


def marks_tables(marks: PupilInCourse | None) -> list[MarksTable]:
    """Put a pupil's marks into tables; semesters without any are left out."""
    return [_table(marks, one) for one in marks.semesters if one.months] if marks else []


def year_of(marks: PupilInCourse) -> tuple[str, str]:
    """Say average and rank of the year."""
    return average(marks.year.standing.average), rank(marks.year.standing)


def _table(marks: PupilInCourse, part: PupilInSemester) -> MarksTable:
    entries, standing = part.line.entries, part.line.standing
    lines = []
    for subject in marks.subjects:
        cells = tuple(
            ", ".join(
                _mark(entry.mark)
                for cell, entry in sorted(entries.items())
                if (cell.semester, cell.subject, cell.month) == (part.semester.semester_id, subject.subject_id, month)
            )
            for month in part.months
        )
        figure = standing.subjects.get(subject.subject_id)
        if any(cells) or (figure and figure.value is not None):
            lines.append((subject.name, cells, average(figure)))
    return MarksTable(part.semester.name, tuple(_month(m) for m in part.months), tuple(lines), *_end(standing))


def _end(standing: Standing) -> tuple[str, str]:
    return average(standing.average), rank(standing)


def _mark(mark: grading.Mark) -> str:
    return gettext("Excused") if mark.value is None else grading.written(mark.value)


def _month(iso: str) -> str:
    return f"{iso[5:7]}/{iso[:4]}"


def average(figure: Figure | None) -> str:
    """Show an average with two decimals; a dash where there is none."""
    return "—" if figure is None or figure.value is None else f"{grading.rounded(figure.value)}"


def rank(standing: Standing) -> str:
    """Say the place in the class, or why there is none."""
    if standing.rank is not None:
        return gettext("%(place)s of %(all)s", place=standing.rank.place, all=standing.rank.of)
    if standing.dropped:
        return gettext("dropped, so without a rank")
    return gettext("marks are missing, so without a rank") if standing.incomplete else "—"


def sections(columns: Iterable[tuple[str, Any]], named: Sequence[tuple[Any, Sequence[str]]]) -> list[Any]:
    """Sort the columns of the record, as far as its reader sees them, into sections; what is left comes last."""
    labels = dict(columns)
    placed = {name for _title, names in named for name in names}
    found = [(title, [(name, labels[name]) for name in names if name in labels]) for title, names in named]
    rest = [(name, label) for name, label in labels.items() if name not in placed]
    return [*found, (gettext("Record"), rest)]
