"""The site map: which pages there are, in which group, in which order, and what every page is told."""

from typing import Any

from flask import Flask
from flask_admin import Admin, BaseView
from flask_babel import lazy_gettext as _
from flask_login import current_user

from fsms.admin_views import (
    contexts,
    exports,
    front_door,
    late_macros,
    photographs,
    problems,
    remembered,
    screen,
    theme,
)
from fsms.admin_views.activitylog import ActivityLogView
from fsms.admin_views.attendance import AttendanceView
from fsms.admin_views.base import EntityView
from fsms.admin_views.course import CourseView
from fsms.admin_views.drops import DropsView
from fsms.admin_views.enrollment import EnrollmentView
from fsms.admin_views.familyinfo import FamilyInfoView
from fsms.admin_views.finding import FindView
from fsms.admin_views.grade import GradeView
from fsms.admin_views.gradebook import GradebookView
from fsms.admin_views.gradebook_file import GradebookFileView
from fsms.admin_views.guardian import GuardianView
from fsms.admin_views.home import HomeView
from fsms.admin_views.locks import LocksView
from fsms.admin_views.missing import MissingView
from fsms.admin_views.roster import RosterView
from fsms.admin_views.scholarship import ScholarshipView
from fsms.admin_views.schoolyear import SchoolYearView
from fsms.admin_views.semester import SemesterView
from fsms.admin_views.student import StudentView
from fsms.admin_views.subject import SubjectView
from fsms.admin_views.user import UserView
from fsms.admin_views.why import WhyView
from fsms.config import ROOT
from fsms.models import (
    ActivityLog,
    Attendance,
    Base,
    Course,
    Enrollment,
    FamilyInfo,
    Grade,
    Guardian,
    Scholarship,
    SchoolYear,
    Semester,
    Student,
    Subject,
    User,
)
from fsms.vocabulary import Role, label_of

# Group, then page, entity, name and icon. What a teacher opens in the yard stands in the phone's bottom bar.
Page = tuple[type[EntityView], type[Base], Any, str]
SITE: tuple[tuple[Any, tuple[Page, ...]], ...] = (
    (
        _("People"),
        (
            (StudentView, Student, _("Pupils"), "users"),
            (GuardianView, Guardian, _("Guardians"), "heart-handshake"),
            (FamilyInfoView, FamilyInfo, _("Families"), "home"),
            (ScholarshipView, Scholarship, _("Scholarships"), "award"),
        ),
    ),
    (
        _("Teaching"),
        (
            (CourseView, Course, _("Courses"), "school"),
            (EnrollmentView, Enrollment, _("Enrolments"), "user-plus"),
            (AttendanceView, Attendance, _("Attendance"), "calendar-check"),
            (GradeView, Grade, _("Marks"), "certificate"),
        ),
    ),
    (
        _("School"),
        (
            (SubjectView, Subject, _("Subjects"), "books"),
            (SchoolYearView, SchoolYear, _("School years"), "calendar"),
            (SemesterView, Semester, _("Semesters"), "calendar-event"),
        ),
    ),
    (
        _("Office"),
        (
            (UserView, User, _("Staff"), "id-badge-2"),
            (ActivityLogView, ActivityLog, _("Activity log"), "history"),
        ),
    ),
)
ON_PHONE = {Student, Course}

# Screens of their own, each with its group, its name in addresses, its icon, and whether a phone's bar has it. They
# stand before the lists of their group.
Screen = tuple[Any, type[BaseView], str, Any, str, bool]
SCREENS: tuple[Screen, ...] = (
    (_("Teaching"), RosterView, "roster", _("Take attendance"), "clipboard-check", True),
    (_("Teaching"), MissingView, "missing", _("Who is missing"), "user-off", False),
    (_("Teaching"), GradebookView, "gradebook", _("Gradebook"), "notebook", True),
    (_("Teaching"), DropsView, "drops", _("Drops"), "logout", False),
)


def install(app: Flask) -> None:
    """Put every page into the application."""
    screen.install(app)
    problems.install(app)
    front_door.install(app)
    contexts.install(app)
    late_macros.install(app)
    theme.install(app)
    remembered.install(app)
    photographs.install(app)
    exports.install(app)
    app.context_processor(what_every_page_is_told)
    admin = Admin(
        app,
        name=_("Friendship School"),
        index_view=HomeView(name=_("Home"), menu_icon_value="home"),
        theme=theme.SchoolTheme(),
        translations_path=str(ROOT / "translations"),
    )
    admin.add_view(FindView(name=_("Search"), endpoint="find", url="/admin/find"))
    for group, pages in SITE:
        admin.add_category(group)
        for at, own, endpoint, name, icon, on_phone in SCREENS:
            if at == group:
                css = "on-phone" if on_phone else ""
                admin.add_view(own(name, category=group, endpoint=endpoint, menu_icon_value=icon, menu_class_name=css))
        for view, entity, name, icon in pages:
            css = "on-phone" if entity in ON_PHONE else ""
            admin.add_view(view(entity, name=name, category=group, menu_icon_value=icon, menu_class_name=css))
    admin.add_view(LocksView(name=_("Locks"), category=_("School"), endpoint="locks", menu_icon_value="lock"))
    admin.add_view(GradebookFileView(name=_("Marks"), endpoint="gradebookfile", url="/admin/gradebook/file"))
    admin.add_view(WhyView(name=_("Why?"), endpoint="why", url="/admin/gradebook/why"))


def what_every_page_is_told() -> dict[str, Any]:
    """Say who reads, and in which language."""
    told: dict[str, Any] = {"language": screen.language(), "languages": screen.LANGUAGES}
    user = current_user._get_current_object()  # noqa: SLF001 - werkzeug's own advice
    if user and user.is_authenticated:
        told["account"] = {"name": user.full_name, "role": label_of(Role, user.role)}
    return told
