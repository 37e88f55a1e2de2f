"""Choosing a record of another entity by typing a part of its name: the look-up behind every foreign key."""

from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

from flask import g, request
from flask_admin.model.ajax import AjaxModelLoader
from flask_admin.model.fields import AjaxSelectField
from flask_babel import gettext
from sqlalchemy import ColumnElement, Select, cast, select
from wtforms import ValidationError
from wtforms.form import BaseForm

from fsms import searching
from fsms.database import db
from fsms.exchange.labels import Joined
from fsms.models import Base, Course, Enrollment, SchoolYear, Semester, Student, Subject, User

LARGEST_ID = searching.LARGEST_NUMBER
MOST_ANSWERS = 50

# What a person may type to find a record, and the order in which records are offered.
SEARCHED: dict[type[Base], tuple[Any, ...]] = {
    Student: (Student.last_name, Student.first_name, Student.student_id, Student.phone),
    User: (User.last_name, User.first_name, User.username),
    Course: (Course.grade + Course.section, Course.course_name, SchoolYear.school_year_code),
    Subject: (Subject.subject_name,),
    SchoolYear: (SchoolYear.school_year_code,),
    Semester: (Semester.semester_code, Semester.semester),
}
OFFERED: dict[type[Base], tuple[Any, ...]] = {
    Student: (Student.last_name, Student.first_name, Student.student_id),
    User: (User.last_name, User.first_name, User.user_id),
    Course: (SchoolYear.school_year_code.desc(), cast(Course.grade, db.Integer), Course.section, Course.course_id),
    Subject: (Subject.subject_name, Subject.subject_id),
    SchoolYear: (SchoolYear.school_year_code.desc(), SchoolYear.school_year_id),
    Semester: (Semester.semester_code.desc(), Semester.semester_id),
}
FEW = frozenset({Subject, SchoolYear, Semester})
"""Of these a school has a handful: they stand in the form, for browsers without scripts, and so that nobody waits."""
JOINED: dict[type[Base], Any] = {Course: Course.school_year}


def record_id(typed: object) -> int | None:
    """Return a key that a row can have, or None for anything else that stands in an address or a form."""
    written = str(typed)
    if not written.isascii() or not written.isdigit() or len(written) > 10:
        return None
    return int(written) if int(written) <= LARGEST_ID else None


@cache
def _labelled(model: type[Base]) -> Select[Any]:
    """Ask for the keys and labels of a handful of records, in the order in which they are offered."""
    key = model.__mapper__.primary_key[0]
    return select(key, Joined(model).label(())).order_by(*OFFERED[model]).limit(MOST_ANSWERS)


class LookUp(AjaxModelLoader):
    """Answers what a person typed with the records that fit, a page at a time."""

    def __init__(self, name: str, model: type[Base]) -> None:
        """Look up records of the entity for the form field of that name."""
        super().__init__(name, {})
        self.model = model

    @property
    def narrowed_by(self) -> tuple[str, ...]:
        """Name the other fields of the form whose values narrow the answers; they stand in the address."""
        return ()

    def format(self, model: Base | None) -> tuple[int, str] | None:
        """Give key and label."""
        if model is None:
            return None
        return db.inspect(model).identity[0], str(model)

    def get_one(self, pk: Any) -> Base | None:
        """Find the record that a form names."""
        key = record_id(pk)
        if key is None:
            return None
        with db.session.no_autoflush:
            return db.session.get(self.model, key)

    def get_list(self, query: str | None, offset: int | None = 0, limit: int | None = 10) -> list[Base]:
        """Find the records that fit, never more than a page of them whatever the address asks for."""
        statement = select(self.model).where(
            searching.every_word_in(query or "", SEARCHED[self.model]), *self.offered()
        )
        if self.model in JOINED:
            statement = statement.join(JOINED[self.model])
        statement = statement.order_by(*OFFERED[self.model])
        first = min(max(offset or 0, 0), LARGEST_ID)
        return list(db.session.scalars(statement.offset(first).limit(min(max(limit or 10, 1), MOST_ANSWERS))).unique())

    def few(self) -> Sequence[tuple[int, str]]:
        """List, by key and label, what stands in the form without being looked up; read once a request."""
        if self.model not in FEW:
            return ()
        read: dict[type[Base], Sequence[tuple[int, str]]] = g.setdefault("few", {})
        if self.model not in read:
            found = db.session.connection().execute(_labelled(self.model))
            read[self.model] = [(key, label or "") for key, label in found]
        return read[self.model]

    def offered(self) -> Iterator[ColumnElement[bool]]:
        """Say which records may be chosen; one that is chosen already stays, whatever this says."""
        return iter(())


class PupilOfClass(LookUp):
    """Offers pupils who have an open place in a class or, once the form names one, in that class."""

    @property
    def narrowed_by(self) -> tuple[str, ...]:
        """Follow the course of the form."""
        return ("course",)

    def offered(self) -> Iterator[ColumnElement[bool]]:
        """Leave out who was dropped, and who never had a place that the reader sees."""
        place = select(Enrollment.enrollment_id).where(Enrollment.student_id == Student.student_id, ~Enrollment.drop)
        if typed := request.args.get("course"):
            place = place.where(Enrollment.course_id == (record_id(typed) or 0))
        yield place.exists()


class LookUpField(AjaxSelectField):
    """A foreign key in a form; a record that does not exist is refused, not taken for "none"."""

    is_same_in_each = True

    def pre_validate(self, form: BaseForm) -> None:
        """Refuse a key that leads nowhere."""
        named = self.raw_data[0] if self.raw_data else ""
        if named and self.data is None:
            raise ValidationError(gettext("This record does not exist any more. Choose another one."))
