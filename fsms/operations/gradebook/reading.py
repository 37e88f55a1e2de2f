"""What somebody typed into cells of a sheet: what of it can be saved, and why the rest cannot. Writes nothing."""

import json
import uuid
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache
from typing import Any

from sqlalchemy import ARRAY, Integer, Select, Text, any_, bindparam, cast, func, select

from fsms import errors, text
from fsms.activity import AnySession
from fsms.errors import InvalidValue, Refused, SchoolError
from fsms.grading import Mark, Scheme, parse_mark
from fsms.models import Course, Enrollment, Semester, Student, Subject
from fsms.operations import locks
from fsms.operations.gradebook.cells import EMPTY, Kept, Place
from fsms.pooling import ONE_PLAN
from fsms.stays import Stay

LONGEST_COMMENT = 500

_NO_SUBJECT = errors.SENTENCES["Grade_subjectId_fkey"]
_NO_PERIOD = errors.SENTENCES["Grade_gradeDate_check"]
_NO_PLACE = errors.SENTENCES["Grade_studentId_courseId_fkey"]


def _(sentence: str) -> str:
    """Mark a sentence for the translators; the screen translates it when it is shown."""
    return sentence


class State(StrEnum):
    """What became of a cell."""

    SAVED = "saved"
    SAME = "same"  # it stood there already
    CLASH = "clash"  # somebody else has written there since; theirs stands
    REFUSED = "refused"


@dataclass(frozen=True)
class Entry:
    """What somebody typed into a cell, and the state that was seen there before."""

    place: Place
    typed: str
    comment: str = ""
    seen: str = ""
    key: uuid.UUID | None = None  # by which a request sent again is known
    only_if_empty: bool = False


@dataclass(frozen=True)
class Outcome:
    """What became of an entry, what the cell holds now and, where it was refused, why."""

    entry: Entry
    state: State
    now: Kept
    reason: SchoolError | None = None


@dataclass(frozen=True)
class Wanted:
    """An entry that could be read."""

    entry: Entry
    mark: Mark
    comment: str


@dataclass(frozen=True)
class _Placed:
    """A pupil of the class, and for how long."""

    name: str
    stay: Stay

    def refuse_if_dropped(self) -> None:
        """Refuse whatever would change the marks of somebody who left."""
        if self.stay.dropped_on:
            raise Refused(
                _("%(pupil)s was dropped from this class on %(day)s, so the marks stay as they are."),
                pupil=self.name,
                day=f"{self.stay.dropped_on:%d/%m/%Y}",
            )

    def refuse_new_mark(self, period: str) -> None:
        """Refuse a mark for a time in which the pupil was not here; those that are there can be corrected."""
        if refused := self.stay.refusal_of_mark(period, self.name):
            raise refused


def understood(
    session: AnySession, course: Course, semester: Semester, entries: Iterable[Entry], scheme: Scheme
) -> tuple[list[Wanted], list[Outcome]]:
    """Tell the entries that can be saved from those that cannot. Of two for one cell the later counts."""
    last = {entry.place: entry for entry in entries}
    if locked := locks.refusal(session, course.course_id, semester.semester_id):
        return [], [Outcome(entry, State.REFUSED, EMPTY, locked) for entry in last.values()]
    places, names = _places_and_subjects(session, course, last)
    maxima = {number: scheme.maximum(course.level, name) for number, name in names.items()}
    wanted, refused = [], []
    for entry in last.values():
        try:
            wanted.append(_understood(entry, maxima, places))
        except SchoolError as reason:
            refused.append(Outcome(entry, State.REFUSED, EMPTY, reason))
    return wanted, refused


def _understood(entry: Entry, maxima: Mapping[int, Decimal], places: Mapping[int, _Placed]) -> Wanted:
    student_id, subject_id, period = entry.place
    if student_id not in places:
        raise InvalidValue(_NO_PLACE)
    places[student_id].refuse_if_dropped()
    if subject_id not in maxima:
        raise InvalidValue(_NO_SUBJECT)
    if not _is_period(period):
        raise InvalidValue(_NO_PERIOD)
    mark = parse_mark(entry.typed, maxima[subject_id])
    comment = text.clean(entry.comment) if entry.comment else ""
    if len(comment) > LONGEST_COMMENT:
        raise InvalidValue(_("The comment is too long: at most %(most)s characters."), most=LONGEST_COMMENT)
    if mark.is_blank and comment and not entry.seen:
        raise InvalidValue(_("A comment stands beside a mark. Enter the mark too, or “excused”."))
    if not mark.is_blank and not entry.seen:
        places[student_id].refuse_new_mark(period)
    return Wanted(entry, mark, "" if mark.is_blank else comment)


@lru_cache(maxsize=1000)
def _is_period(period: str) -> bool:
    try:
        return text.iso_period(period) == period
    except ValueError:
        return False


def _places_and_subjects(
    session: AnySession, course: Course, cells: Collection[Place]
) -> tuple[dict[int, _Placed], dict[int, str]]:
    """Read who of the pupils is or was in the class, and when; and what the subjects are called.

    The names stand beside each pupil, so that one question tells both. Where none of the pupils ever had a place they
    stay unknown, and nothing can be saved anyway.
    """
    students, subjects = {place.student_id for place in cells}, {place.subject_id for place in cells}
    asked = {"course": course.course_id, "students": list(students), "subjects": list(subjects)}
    listed = session.connection().execute(_ABOUT, asked).all()
    names = json.loads(listed[0].subjects or "{}") if listed else {}
    places = {row.student_id: _Placed(row.full_name, Stay.of(row)) for row in listed}
    return places, {int(number): name for number, name in names.items()}


def _about() -> Select[Any]:
    named = select(cast(func.jsonb_object_agg(Subject.subject_id, Subject.subject_name), Text))
    named = named.where(Subject.subject_id == any_(bindparam("subjects", type_=ARRAY(Integer))))
    return (
        select(
            Enrollment.student_id.label("student_id"),
            Student.full_name.label("full_name"),
            Enrollment.enrolled_on.label("enrolled_on"),
            Enrollment.drop_date.label("drop_date"),
            Enrollment.away.label("away"),
            named.scalar_subquery().label("subjects"),
        )
        .join(Enrollment.student)
        .where(
            Enrollment.course_id == bindparam("course", type_=Integer),
            Enrollment.student_id == any_(bindparam("students", type_=ARRAY(Integer))),
        )
        .execution_options(**ONE_PLAN)
    )


_ABOUT = _about()
