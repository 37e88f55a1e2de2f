"""The page of a pupil in words: warnings, facts by section, marks as tables. What it tells is `fsms.reports.pupil`."""

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from flask import request
from flask_babel import gettext, ngettext

from fsms import clock, grading, policy
from fsms.admin_views import formatters, history, scheme, story_words
from fsms.admin_views.by_role import reader
from fsms.admin_views.familyinfo import FAMILY_FIELDS, FAMILY_LABELS
from fsms.admin_views.lookups import record_id
from fsms.admin_views.screen import in_digits
from fsms.database import db
from fsms.grading import Figure, Standing
from fsms.models import Base, Enrollment, FamilyInfo, Student
from fsms.policy import Verb
from fsms.reports import pupil
from fsms.reports.marks import PupilInCourse, PupilInSemester
from fsms.reports.pupil import Concern, Pupil
from fsms.vocabulary import Relation, label_of

# ---- The page ------------------------------------------------------------------------------------------------------

Named = Sequence[tuple[Any, Sequence[str]]]


class PupilPage:
    """What the page of a pupil has beyond that of every record."""

    details_template = "admin/pupil.html"
    # The sections of the record, by title; without one, what has its own place on the page.
    details_sections: ClassVar[Named] = ()
    _details_columns: Any

    def render(self, template: str, **kwargs: Any) -> str:
        """Tell on the page of a pupil what other records say of the pupil."""
        if template == self.details_template:
            kwargs |= _told_of(kwargs["model"])
            kwargs["sections"] = _sections(self._details_columns, self.details_sections)
        return super().render(template, **kwargs)  # type: ignore[misc,no-any-return]


def _told_of(student: Student) -> dict[str, Any]:
    told = pupil.read(
        db.session,
        student,
        scheme.in_use(),
        today=clock.today(),
        course_id=record_id(request.args.get("course")),
    )
    private = policy.may(reader(), Verb.VIEW, FamilyInfo)
    family = student.family if private else None
    return {
        "pupil": told,
        "warnings": warnings(told),
        "tables": marks_tables(told.marks),
        "of_year": year_of(told.marks) if told.marks else None,
        "age": age(student.dob, clock.today()),
        "dialled": formatters.dialled,
        "story": story_words.told_of(student.student_id),
        "relation": lambda guardian: gettext(label_of(Relation, guardian.relation)),
        "private": private,
        "family": list(facts_of(family, FAMILY_FIELDS, FAMILY_LABELS)) if family else [],
        "promises": pupil.promises_to(db.session, student) if private else [],
    }


def _sections(columns: Iterable[tuple[str, Any]], named: Named) -> list[Any]:
    """Sort the columns of the record, as far as its reader sees them, into sections; what is left comes last."""
    labels = dict(columns)
    placed = {name for _title, names in named for name in names}
    found = [(title, [(name, labels[name]) for name in names if name in labels]) for title, names in named]
    rest = [(name, label) for name, label in labels.items() if name not in placed]
    return [*found, (gettext("Record"), rest)]


# ---- Warnings ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Notice:
    """A sentence that stands at the top of the page, and how grave it is."""

    kind: str
    sentence: str


_GRAVE = {Concern.NO_GUARDIAN_PHONE: "danger", Concern.OVER_LIMIT: "danger", Concern.HEALTH: "info"}


def warnings(told: Pupil) -> list[Notice]:
    """Put what should not be overlooked into sentences, the gravest first."""
    found = [Notice(_GRAVE.get(concern, "warning"), _sentence(concern, told)) for concern in told.concerns]
    return sorted(found, key=lambda one: ["danger", "warning", "info"].index(one.kind))


def _sentence(concern: Concern, told: Pupil) -> str:
    match concern:
        case Concern.NO_GUARDIAN_PHONE:
            return gettext("No guardian can be reached by phone. Ask for a number.")
        case Concern.HEALTH:
            return gettext("Health: %(note)s", note=told.student.health)
        case Concern.DROPPED:
            return _dropped(told.this_year[0])
        case Concern.NOT_ENROLLED:
            return gettext("Not in a class of %(year)s yet.", year=told.present_year)
    return _absences(concern, told)


def _dropped(place: Enrollment) -> str:
    facts = {
        "course": place.course,
        "day": formatters.day(place.drop_date) if place.drop_date else "",
        "reason": formatters.reason_in_words(place.drop_reason),
    }
    if place.drop_reason:
        return gettext("Dropped from %(course)s on %(day)s: %(reason)s", **facts)
    return gettext("Dropped from %(course)s on %(day)s.", **facts)


def _absences(concern: Concern, told: Pupil) -> str:
    year = told.attendance_this_year
    assert year is not None, "there is no such warning without attendance"
    weighed, limit = formatters.number(year.tally.weighed_absences), in_digits(told.rules.dismiss_at)
    if concern is Concern.OVER_LIMIT:
        return gettext(
            "%(count)s absences this year, excused ones half: at %(limit)s the pupil may be dismissed.",
            count=weighed,
            limit=limit,
        )
    if concern is Concern.NEAR_LIMIT:
        return gettext(
            "%(count)s absences this year, excused ones half: the limit is %(limit)s. Call the family.",
            count=weighed,
            limit=limit,
        )
    return gettext(
        "Absent in %(count)s of %(all)s sessions this year.",
        count=in_digits(year.tally.absent + year.tally.excused),
        all=in_digits(year.tally.recorded),
    )


# ---- Facts ---------------------------------------------------------------------------------------------------------

Fact = tuple[Any, Any]


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
    return gettext("Excused") if mark.value is None else in_digits(grading.written(mark.value))


def _month(iso: str) -> str:
    return in_digits(f"{iso[5:7]}/{iso[:4]}")


def average(figure: Figure | None) -> str:
    """Show an average with two decimals; a dash where there is none."""
    return "—" if figure is None or figure.value is None else in_digits(grading.rounded(figure.value))


def rank(standing: Standing) -> str:
    """Say the place in the class, or why there is none."""
    if standing.rank is not None:
        return gettext("%(place)s of %(all)s", place=in_digits(standing.rank.place), all=in_digits(standing.rank.of))
    if standing.dropped:
        return gettext("dropped, so without a rank")
    return gettext("marks are missing, so without a rank") if standing.incomplete else "—"
