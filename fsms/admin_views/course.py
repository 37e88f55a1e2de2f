"""The page of the courses: the classes of each school year."""

from collections.abc import Iterator
from typing import Any, ClassVar

from babel.dates import get_month_names
from flask import current_app, request, url_for
from flask_admin import expose
from flask_babel import gettext
from flask_babel import lazy_gettext as _
from sqlalchemy import ColumnElement, and_, select
from wtforms import Form
from wtforms.validators import Optional

from fsms import clock, policy
from fsms.admin_views import chips, everyday
from fsms.admin_views.base import EntityView
from fsms.admin_views.by_role import reader
from fsms.database import db
from fsms.models import Course, Enrollment
from fsms.policy import Verb
from fsms.reports import classes, school_year
from fsms.vocabulary import Gender, label_of


def _has_no_teacher() -> ColumnElement[bool]:
    return and_(Course.teacher_id1.is_(None), Course.teacher_id2.is_(None), Course.teacher_id3.is_(None))


def _has_no_pupils() -> ColumnElement[bool]:
    return Course.course_id.not_in(select(Enrollment.course_id).where(school_year.keeps_the_place()))


class CourseView(EntityView):
    """Classes, with up to three teachers."""

    title_column = "course_name"
    create_title = _("Add a course")
    column_list = ("school_year", "grade", "section", "course_name", "teacher1", "teacher2", "teacher3")
    column_details_list = (
        "course_id",
        "school_year",
        "grade",
        "section",
        "course_name",
        "teacher1",
        "teacher2",
        "teacher3",
        "created_at",
        "updated_at",
    )
    column_searchable_list = (
        "course_name",
        "section",
        "school_year.school_year_code",
        "teacher1.last_name",
        "teacher1.first_name",
    )
    column_sortable_list = (
        ("school_year", "school_year.school_year_code"),
        ("grade", ("level",)),
        "section",
        "course_name",
        ("teacher1", ("teacher1.last_name", "teacher1.first_name")),
    )
    column_default_sort = [("school_year.school_year_code", True), ("level", False), ("section", False)]
    column_filters = (
        "school_year.school_year_code",
        "grade",
        "section",
        "teacher1.last_name",
        "teacher2.last_name",
        "teacher3.last_name",
    )
    quick_filters = (
        everyday.this_year(Course.course_id),
        everyday.mine(Course.course_id),
        chips.toggle("untaught", _("Without teacher"), _has_no_teacher),
        chips.toggle("empty", _("Without pupils"), _has_no_pupils),
        everyday.levels(Course.grade),
    )
    column_further_list = (
        "course_id",
        "updated_at",
    )
    column_labels: ClassVar[dict[str, Any]] = {
        "course_id": _("Course number"),
        "school_year": _("School year"),
        "school_year.school_year_code": _("School year"),
        "grade": _("Grade level"),
        "section": _("Section"),
        "course_name": _("Course name"),
        "teacher1": _("Class teacher"),
        "teacher2": _("Second teacher"),
        "teacher3": _("Third teacher"),
        "teacher1.last_name": _("Class teacher"),
        "teacher2.last_name": _("Second teacher"),
        "teacher3.last_name": _("Third teacher"),
        "created_at": _("Created"),
        "updated_at": _("Last saved"),
    }
    details_template = "admin/course.html"
    # Left empty, it is named below.
    form_args: ClassVar[dict[str, Any]] = {"course_name": {"validators": [Optional()]}}
    form_columns = ("school_year", "grade", "section", "course_name", "teacher1", "teacher2", "teacher3")

    def on_model_change(self, form: Form, model: Course, is_created: bool) -> None:
        """Name a course after its class where nobody wrote a name."""
        if not model.course_name:
            model.course_name = f"ថ្នាក់ទី {model.grade}{model.section}"

    def render(self, template: str, **kwargs: Any) -> str:
        """Show with a class its pupils, its teachers and its figures."""
        if template == self.details_template:
            kwargs |= _shown(kwargs["model"])
        return super().render(template, **kwargs)

    @expose("/names/")
    def names_view(self) -> str:
        """Show the name list of a class as it is printed, or its pupils' photographs."""
        course = self.get_one(request.args.get("id"))
        assert isinstance(course, Course)
        return self.render(
            "admin/drops/names.html",
            course=course,
            roster=classes.of_course(db.session, course),
            today=clock.today(),
            with_photos=bool(request.args.get("photos")),
            sex_short=_SEX_ON_PAPER,
            months_km=get_month_names("wide", "stand-alone", "km"),
        )


_SEX_ON_PAPER = {"male": "ប", "female": "ស"}


def _shown(course: Course) -> dict[str, Any]:
    roster = classes.of_course(db.session, course)
    return {
        "roster": roster,
        "free": roster.free(current_app.config["SETTINGS"].class_size),
        "doors": [*_doors(course)],
        "may_enrol": policy.may(reader(), Verb.EDIT, Enrollment),
        "sex_words": lambda stored: gettext(label_of(Gender, stored)),
    }


def _doors(course: Course) -> Iterator[tuple[str, str, str]]:
    """Give what one does with a class: a label, an icon and the address, of the screens that there are."""
    number = course.course_id
    if "gradebook.index" in current_app.view_functions:
        yield gettext("Gradebook"), "certificate", url_for("gradebook.index", course=number)
    if "roster.index" in current_app.view_functions:
        yield gettext("Take attendance"), "calendar-check", url_for("roster.index", course=number)
    yield gettext("Name list"), "list-check", url_for("course.names_view", id=number)
    yield gettext("Photo sheet"), "photo", url_for("course.names_view", id=number, photos=1)
    if policy.may(reader(), Verb.EDIT, Enrollment):
        yield gettext("Enrol pupils"), "user-plus", url_for("drops.enrol_view", course=number)
