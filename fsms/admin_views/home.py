"""The first page after signing in: the own courses, and a door to each list."""

from flask_admin import AdminIndexView, expose
from flask_login import current_user
from sqlalchemy import or_, select

from fsms.database import db
from fsms.models import Course, SchoolYear


class HomeView(AdminIndexView):
    """Where the day begins."""

    def is_accessible(self) -> bool:
        """Ask for an account; upstream lets strangers in."""
        return bool(current_user.is_authenticated)

    @expose("/")
    def index(self) -> str:
        """Show the courses of this year that the reader teaches."""
        return self.render("admin/index.html", courses=_own_courses(current_user.user_id))


def _own_courses(user_id: int) -> list[Course]:
    newest = select(SchoolYear.school_year_id).order_by(SchoolYear.school_year_code.desc()).limit(1)
    teaches = or_(Course.teacher_id1 == user_id, Course.teacher_id2 == user_id, Course.teacher_id3 == user_id)
    courses = select(Course).where(Course.school_year_id == newest.scalar_subquery(), teaches)
    return list(db.session.scalars(courses.order_by(Course.level, Course.section, Course.course_id)))
