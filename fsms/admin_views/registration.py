"""The form of the pupils: the first class in the same save, pupils who may be the same, the family of a sibling."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from flask import flash, jsonify, request
from flask_admin import expose
from flask_admin.helpers import is_form_submitted
from flask_babel import lazy_gettext as _
from flask_babel import ngettext
from sqlalchemy import select
from sqlalchemy.orm import selectinload
from wtforms import Form, SelectField

from fsms import clock, text
from fsms.admin_views.by_role import reader
from fsms.admin_views.familyinfo import FAMILY_FIELDS
from fsms.admin_views.guardian import GUARDIAN_FIELDS
from fsms.admin_views.lookups import record_id
from fsms.database import db
from fsms.models import Base, Course, SchoolYear, Student
from fsms.operations import registering, siblings
from fsms.operations.registering import Likeness, PerhapsTwice
from fsms.policy import Verb, may
from fsms.reports import pupil, school_year

ALTHOUGH = "although"
"""The name under which the reason is sent why a pupil is another one than those who look alike."""

LONGEST_REASON = 200
NO_CLASS = "—"
NOT_A_NUMBER = -1

_WHY: dict[Likeness, Any] = {
    Likeness.NAME_AND_BIRTHDAY: _("the same name and date of birth"),
    Likeness.PHONE: _("the same phone"),
}


@dataclass(frozen=True)
class Other:
    """A pupil who is on record already and may be the same, ready to show."""

    student: Student
    course: Course | None
    why: str
    guardians: tuple[str, ...]


class FirstClass(SelectField):
    """The class of the present year in which a new pupil begins; none is a choice too."""

    def __init__(self, **kwargs: Any) -> None:
        """Take what every field takes; the classes are listed when the form is drawn."""
        super().__init__(coerce=lambda value: (record_id(value) or NOT_A_NUMBER) if value else None, **kwargs)

    def offer(self, courses: list[tuple[Course, int]]) -> None:
        """List the classes, each with how many pupils it has."""
        self.choices = [
            ("", NO_CLASS),
            *(
                (str(course.course_id), f"{course} ({ngettext('%(num)d pupil', '%(num)d pupils', pupils)})")
                for course, pupils in courses
            ),
        ]

    def populate_obj(self, obj: Any, name: str) -> None:
        """Write nothing: a class is no column of the pupil, but a place of its own."""


class Registration:
    """What the form of the pupils has beyond that of every entity."""

    get_url: Any
    model: type[Base]

    def get_create_form(self) -> type[Form]:
        """Ask a new pupil's class."""
        made: Any = super().get_create_form()  # type: ignore[misc]
        made.course = FirstClass(
            label=_("Class"),
            description=_("Enrolled at once; grade level and school year follow from the class."),
        )
        return made  # type: ignore[no-any-return]

    def create_form(self, obj: Any = None) -> Form:
        """Begin with what is usual or, for another child of a family, with the family."""
        known = _of_the_address() if request.method == "GET" else None
        form: Any = super().create_form(registering.sibling_of(known) if known else obj)  # type: ignore[misc]
        year = db.session.get(SchoolYear, db.session.scalar(select(school_year.present(clock.today()))) or 0)
        courses = registering.courses_of(db.session, year.school_year_id) if year else []
        form.course.offer(courses)
        if not is_form_submitted():
            form.status.data = form.status.default
            form.registration_date.data = clock.today()
            form.school_year.data = year.school_year_code if year else None
        elif chosen := next((one for one, _n in courses if str(one.course_id) == request.form.get("course")), None):
            # The class says the level, whatever else was typed.
            form.class_.data, form.class_.raw_data = chosen.grade, [chosen.grade]
        return form  # type: ignore[no-any-return]

    def create_model(self, form: Any) -> Any:
        """Register the pupil with the family, and enrol in the class that was chosen, in one act."""
        row = Student()
        acts = []

        def write() -> None:
            form.populate_obj(row)
            today = clock.today()
            first_day = min(row.registration_date or today, today)
            acts.append(registering.register(db.session, row, form.course.data, on=first_day, although=_although()))

        if not self._written(form, write):  # type: ignore[attr-defined]
            return False
        flash(str(acts[-1]), "undo")
        return row

    def on_model_change(self, form: Any, model: Student, is_created: bool) -> None:
        """Ask before a changed name, birthday or phone makes a pupil look like another one."""
        registering.refuse_a_second(db.session, model, although=_although())

    def _told_in(self, form: Any, error: Exception, row: Base | None) -> None:
        """Show who looks alike beside what is typed."""
        if isinstance(error, PerhapsTwice):
            form.alike, form.although = list(_others(error)), _although()
        else:
            super()._told_in(form, error, row)  # type: ignore[misc]

    def get_save_return_url(self, model: Any, is_created: bool = False) -> str:
        """Show a new pupil's page; from a change go back where one came from."""
        if is_created:
            return self.get_url(".details_view", id=model.student_id)  # type: ignore[no-any-return]
        return super().get_save_return_url(model, is_created)  # type: ignore[misc,no-any-return]

    @expose("/family/")
    def family_view(self) -> Any:
        """Say whose guardian has a phone number, and what can be taken over for another child."""
        found = siblings.of(
            db.session,
            siblings.numbers_in([request.args.get("phone", "")[:LONGEST_REASON]]),
            other_than=record_id(request.args.get("id")),
        )
        if not found:
            return jsonify(found=False)
        known = _with_family(found[0].student.student_id)
        assert known is not None, "it was found a moment ago"
        return jsonify(
            found=True,
            sentence=ngettext(
                "%(guardian)s has %(num)d child here: %(children)s.",
                "%(guardian)s has %(num)d children here: %(children)s.",
                len(found),
                guardian=found[0].guardian,
                children=", ".join(str(one.student) for one in found),
            ),
            values=dict(_values(registering.sibling_of(known), registering.OF_THE_FAMILY)),
            guardians=[dict(_values(guardian, GUARDIAN_FIELDS)) for guardian in known.guardians],
            family=dict(_values(known.family, FAMILY_FIELDS)) if known.family else None,
        )


def _although() -> str:
    return text.clean(request.form.get(ALTHOUGH, ""))[:LONGEST_REASON]


def _others(error: PerhapsTwice) -> Iterator[Other]:
    why = {one.student_id: one.why for one in error.alike}
    found = db.session.scalars(
        select(Student)
        .where(Student.student_id.in_(why))
        .order_by(Student.student_id)
        .options(selectinload(Student.guardians))
    ).all()
    classes = pupil.classes_of(db.session, list(why), clock.today())
    for other in found:
        guardians = tuple(" ".join(filter(None, (str(one), one.phone))) for one in other.guardians)
        yield Other(other, classes.get(other.student_id), str(_WHY[why[other.student_id]]), guardians)


def _of_the_address() -> Student | None:
    """Find the pupil whose family the address names."""
    key = record_id(request.args.get("family"))
    return _with_family(key) if key is not None else None


def _with_family(key: int) -> Student | None:
    if not may(reader(), Verb.CREATE, Student):
        return None
    return db.session.scalar(
        select(Student)
        .where(Student.student_id == key)
        .options(selectinload(Student.guardians), selectinload(Student.family))
    )


def _values(row: Base, names: tuple[str, ...]) -> Iterator[tuple[str, Any]]:
    """Give what stands in the fields of a form."""
    for name in names:
        value = getattr(row, name)
        if isinstance(value, Decimal):
            value = f"{value.normalize():f}"
        yield name, value if isinstance(value, bool) else "" if value is None else str(value)
