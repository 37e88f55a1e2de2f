"""Which school year it is, as a piece of SQL that other questions are built with."""

from datetime import date

from sqlalchemy import ColumnElement, Integer, ScalarSelect, Select, cast, func, select

from fsms.models import Course, Enrollment, SchoolYear, Semester

FIRST_MONTH = 9  # Of a year whose semesters have no dates, since schools begin between September and November.


def present(today: date) -> ScalarSelect[int]:
    """The year begun last; in the weeks between two years it is still the one just finished."""
    first_day = (
        select(func.min(Semester.start_date))
        .where(Semester.school_year_id == SchoolYear.school_year_id)
        .scalar_subquery()
    )
    written = cast(func.left(SchoolYear.school_year_code, 4), Integer)
    begins = func.coalesce(first_day, func.make_date(written, FIRST_MONTH, 1))
    return (
        select(SchoolYear.school_year_id)
        .where(begins <= today)
        .order_by(begins.desc(), SchoolYear.school_year_id.desc())
        .limit(1)
        .scalar_subquery()
    )


def pupils_of(*asked: ColumnElement[bool]) -> Select[int]:
    """The numbers of the pupils with a place in a class of which something holds, and of whose place it holds."""
    return select(Enrollment.student_id).join(Course, Course.course_id == Enrollment.course_id).where(*asked)


def keeps_the_place() -> ColumnElement[bool]:
    """The pupil did not drop the class."""
    return Enrollment.drop.is_(False)
