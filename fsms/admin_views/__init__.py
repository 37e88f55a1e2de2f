"""The site map: which pages there are, in which group, in which order."""

from flask import Flask
from flask_admin import Admin

from fsms.admin_views import front_door, problems, theme
from fsms.admin_views.activitylog import ActivityLogView
from fsms.admin_views.attendance import AttendanceView
from fsms.admin_views.course import CourseView
from fsms.admin_views.enrollment import EnrollmentView
from fsms.admin_views.familyinfo import FamilyInfoView
from fsms.admin_views.grade import GradeView
from fsms.admin_views.guardian import GuardianView
from fsms.admin_views.home import HomeView
from fsms.admin_views.scholarship import ScholarshipView
from fsms.admin_views.schoolyear import SchoolYearView
from fsms.admin_views.semester import SemesterView
from fsms.admin_views.student import StudentView
from fsms.admin_views.subject import SubjectView
from fsms.admin_views.user import UserView
from fsms.models import (
    ActivityLog,
    Attendance,
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


def install(app: Flask) -> None:
    """Put every page into the application."""
    problems.install(app)
    front_door.install(app)
    theme.install(app)
    admin = Admin(app, name="Friendship School", index_view=HomeView(), theme=theme.SchoolTheme())
    for view in (
        StudentView(Student),
        GuardianView(Guardian),
        FamilyInfoView(FamilyInfo),
        ScholarshipView(Scholarship),
        CourseView(Course),
        EnrollmentView(Enrollment),
        AttendanceView(Attendance),
        GradeView(Grade),
        SubjectView(Subject),
        SchoolYearView(SchoolYear),
        SemesterView(Semester),
        UserView(User),
        ActivityLogView(ActivityLog),
    ):
        admin.add_view(view)
