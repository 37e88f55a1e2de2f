"""Questions that several lists ask every day, as chips: this year, my courses, the classes of the year, today."""

from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any

from flask_babel import lazy_gettext as _
from flask_login import current_user
from sqlalchemy import ColumnElement, Select, and_, or_, select

from fsms import clock
from fsms.admin_views.chips import CHOSEN, Chip, Chips, ChipsOfRows, of_choices, toggle, toggle_of_parents
from fsms.admin_views.counting import Parents
from fsms.models import Course, Subject
from fsms.pooling import ONE_PLAN
from fsms.reports import school_year
from fsms.vocabulary import GradeLevel

# ---- School year, courses and levels -------------------------------------------------------------------------------


def is_this_year() -> ColumnElement[bool]:
    """A course is one of the present school year."""
    return Course.school_year_id == school_year.present(clock.today())


def is_mine() -> ColumnElement[bool]:
    """The reader is one of a course's teachers."""
    me = current_user.user_id
    return or_(Course.teacher_id1 == me, Course.teacher_id2 == me, Course.teacher_id3 == me)


def _courses(asked: ColumnElement[bool]) -> Select[int]:
    return select(Course.course_id).where(asked)


def this_year(course: Any) -> Chips:
    """Of the courses of the present year, by the column with the course's number."""
    return toggle_of_parents("year", _("This year"), lambda: Parents(course, _courses(is_this_year())))


def mine(course: Any) -> Chips:
    """Of the reader's own courses."""
    return toggle_of_parents("mine", _("My courses"), lambda: Parents(course, _courses(is_mine())))


def pupils_of_this_year(student: Any) -> Chips:
    """Pupils with a place in a class of this year, by the column with the pupil's number."""
    return toggle("year", _("This year"), lambda: student.in_(enrolled_this_year()))


def enrolled_this_year() -> Select[int]:
    """The numbers of the pupils who have a place this year and did not drop it."""
    return school_year.pupils_of(is_this_year(), school_year.keeps_the_place())


def levels(level: Any) -> Chips:
    """The twelve grade levels, by the column of the level."""
    return of_choices("level", _("Grade level"), level, GradeLevel)


def levels_of_courses(course: Any) -> Chips:
    """The grade levels of courses, by the column with the course's number."""
    answers = (_level(course, level) for level in GradeLevel)
    return Chips("level", _("Grade level"), *answers)


def _level(course: Any, level: GradeLevel) -> Chip:
    chip = of_choices("", "", Course.grade, GradeLevel).clean(level.value)[0]
    return Chip(chip.value, chip.label, lambda: course.in_(_courses(Course.grade == level.value)))


def classes(course: Any) -> Chips:
    """The classes of the present year, by the column with the course's number."""
    return ChipsOfRows(
        "class",
        _("Class"),
        _classes_offered,
        lambda chosen: course == chosen,
        lambda chosen: Parents(course, _courses(Course.course_id.in_(chosen)), course.in_(chosen)),
    )


def classes_of_pupils(student: Any) -> Chips:
    """The classes of the present year, by the column with the number of a pupil who has a place there."""
    return ChipsOfRows(
        "class",
        _("Class"),
        _classes_offered,
        lambda chosen: student.in_(school_year.pupils_of(Course.course_id == chosen, school_year.keeps_the_place())),
    )


def _classes_offered() -> Select[Any, Any]:
    return _classes_offered_on(clock.today())


@lru_cache(maxsize=2)
def _classes_offered_on(today: date) -> Select[Any, Any]:
    """Build once a day what every list asks."""
    of_the_year = Course.school_year_id == school_year.present(today)
    return (
        select(Course.course_id, Course.grade + Course.section)
        .where(or_(of_the_year, Course.course_id == CHOSEN))
        .order_by(Course.level, Course.section, Course.course_id)
        .execution_options(**ONE_PLAN)
    )


def subjects(subject: Any) -> Chips:
    """All subjects, by the column with the subject's number."""
    return ChipsOfRows("subject", _("Subject"), _subjects_offered, lambda chosen: subject == chosen)


def _subjects_offered() -> Select[Any, Any]:
    return select(Subject.subject_id, Subject.subject_name).order_by(
        Subject.subject_name.collate("C"), Subject.subject_id
    )


# ---- Days ----------------------------------------------------------------------------------------------------------


def monday() -> date:
    """The day this week began."""
    return clock.today() - timedelta(days=clock.today().weekday())


def first_of_month(*, months_ago: int = 0) -> date:
    """The day a month began: this one, or one before."""
    today = clock.today()
    years, month = divmod(today.year * 12 + today.month - 1 - months_ago, 12)
    return date(years, month + 1, 1)


def midnight(day: date) -> datetime:
    """The moment a day begins at the school."""
    return datetime(day.year, day.month, day.day, tzinfo=clock.SCHOOL_ZONE)


def days(column: Any, begins: Any = lambda day: day) -> Chips:
    """Today, this week, this month, by a column of days; `begins` turns a day into what the column keeps."""

    def since(first: Any) -> Any:
        return lambda: and_(column >= begins(first()), column < begins(clock.today() + timedelta(days=1)))

    return Chips(
        "day",
        _("Day"),
        Chip("today", _("Today"), since(clock.today)),
        Chip("week", _("This week"), since(monday)),
        Chip("month", _("This month"), since(first_of_month)),
    )


def months_in_text(column: Any) -> Chips:
    """The present month and the last one, by a column of ISO text."""

    def month(ago: int) -> Any:
        return lambda: and_(
            column >= f"{first_of_month(months_ago=ago):%Y-%m}", column < f"{first_of_month(months_ago=ago - 1):%Y-%m}"
        )

    return Chips("month", _("Month"), Chip("this", _("This month"), month(0)), Chip("last", _("Last month"), month(1)))
