"""Rows for the tests, one builder an entity. What matters to a test is given to the builder; the rest is invented."""

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from functools import cache
from itertools import count
from typing import Any, TypeVar

import bcrypt
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from fsms.models import (
    ENTITIES,
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
from fsms.vocabulary import AttendanceSession, AttendanceStatus, Gender, GradeLevel, Relation, Role

PASSWORD = "correct horse 7"

FAMILY_NAMES = ("សុខ", "ចាន់", "គឹម", "លី", "ហេង", "កែវ", "ម៉ៅ", "ប្រាក់")
FIRST_NAMES = ("ដារ៉ា", "បុប្ផា", "សុភា", "វណ្ណា", "ពេជ្រ", "មុន្នី", "ស្រីនាង", "រិទ្ធី", "ធីតា")
SUBJECTS = ("គណិតវិទ្យា", "ភាសាខ្មែរ", "ភាសាអង់គ្លេស", "រូបវិទ្យា", "គីមីវិទ្យា", "ជីវវិទ្យា")

PAGES = tuple(entity.__name__.lower() for entity in ENTITIES)
EDITED_PAGES = tuple(page for page in PAGES if page != "activitylog")

Row = TypeVar("Row", bound=Base)


def key_of(row: Base) -> int:
    """The number of a row, as it stands in addresses."""
    (key,) = row.__mapper__.primary_key_from_instance(row)
    return int(key)


def contents(session: Session) -> dict[str, list[Any]]:
    """Everything the thirteen tables hold, to be compared with what they hold later."""
    session.commit()
    held = {
        entity.__tablename__: [tuple(row) for row in session.execute(select(entity.__table__).order_by(text("1")))]
        for entity in ENTITIES
    }
    session.commit()
    return held


@cache
def hashed(password: str) -> str:
    """Hash a password at the lowest cost, once."""
    return bcrypt.hashpw(password.encode(), bcrypt.gensalt(4)).decode()


class Make:
    """Writes rows and commits them. A row needed by another one is made with it."""

    def __init__(self, session: Session) -> None:
        """Write through this session."""
        self.session = session
        self._numbers = count(1)

    def user(self, *, password: str = PASSWORD, **given: Any) -> User:
        """A teacher who may sign in."""
        number = next(self._numbers)
        return self._written(
            User,
            {"username": f"staff{number}", "password": hashed(password), "role": Role.TEACHER.value} | self._name(),
            given,
        )

    def student(self, **given: Any) -> Student:
        """A pupil of ten or so."""
        usual = {"gender": Gender.FEMALE.value, "dob": dt.date(2014, 5, 31), "class_": GradeLevel.G5.value}
        return self._written(Student, self._name() | usual, given)

    def guardian(self, *, student: Student | None = None, **given: Any) -> Guardian:
        """A pupil's mother."""
        usual = {"student": student or self.student(), "relation": Relation.MOTHER.value}
        return self._written(Guardian, self._name() | usual, given)

    def family(self, *, student: Student | None = None, **given: Any) -> FamilyInfo:
        """A pupil's family record."""
        return self._written(FamilyInfo, {"student": student or self.student()}, given)

    def scholarship(self, *, student: Student | None = None, **given: Any) -> Scholarship:
        """A pupil's scholarship of ten dollars or so."""
        return self._written(
            Scholarship, {"student": student or self.student(), "type": "តម្រូវការ", "amount": Decimal(40000)}, given
        )

    def school_year(self, **given: Any) -> SchoolYear:
        """A year of its own, long past."""
        first = 1900 + next(self._numbers)
        return self._written(SchoolYear, {"school_year_code": f"{first}-{first + 1}"}, given)

    def semester(self, **given: Any) -> Semester:
        """A semester without dates, so that it stands in nobody's way."""
        number = next(self._numbers)
        return self._written(Semester, {"semester": "First Semester", "semester_code": f"S{number}"}, given)

    def subject(self, **given: Any) -> Subject:
        """A subject of its own."""
        number = next(self._numbers)
        return self._written(Subject, {"subject_name": f"{SUBJECTS[number % len(SUBJECTS)]} {number}"}, given)

    def course(
        self,
        *,
        level: int = 5,
        teacher: User | None = None,
        school_year: SchoolYear | None = None,
        **given: Any,
    ) -> Course:
        """A class, taught by nobody unless a teacher is given."""
        usual = {
            "grade": str(level),
            "teacher1": teacher,
            "section": f"S{next(self._numbers)}",
            "course_name": f"ថ្នាក់ទី {level}",
            "school_year": school_year or self.school_year(),
        }
        return self._written(Course, usual, given)

    def enrollment(self, *, student: Student | None = None, course: Course | None = None, **given: Any) -> Enrollment:
        """A pupil's place in a class."""
        return self._written(
            Enrollment, {"student": student or self.student(), "course": course or self.course()}, given
        )

    def dropped(self, *, semester: Semester | None = None, **given: Any) -> Enrollment:
        """A place in a class that was given up."""
        whole: dict[str, Any] = {
            "drop": True,
            "drop_semester": semester or self.semester(),
            "drop_date": dt.date(2025, 2, 1),
        }
        return self.enrollment(**(whole | given))

    def grade(self, *, enrollment: Enrollment | None = None, **given: Any) -> Grade:
        """A mark of an enrolled pupil."""
        place = enrollment or self.enrollment()
        usual = {
            "student": place.student,
            "course": place.course,
            "subject": given.get("subject") or self.subject(),
            "semester": given.get("semester") or self.semester(),
            "grade_date": "2025-03",
            "grade": Decimal("7.5"),
        }
        return self._written(Grade, usual, given)

    def attendance(self, *, enrollment: Enrollment | None = None, **given: Any) -> Attendance:
        """A morning's attendance of an enrolled pupil."""
        place = enrollment or self.enrollment()
        usual = {
            "student": place.student,
            "course": place.course,
            "attendance_date": dt.date(2025, 3, 14),
            "session": AttendanceSession.AM,
            "status": AttendanceStatus.PRESENT.value,
        }
        return self._written(Attendance, usual, given)

    def log_entry(self, **given: Any) -> ActivityLog:
        """An entry of the activity log."""
        return self._written(ActivityLog, {"action": "login"}, given)

    def one(self, page: str) -> Base:
        """A row for the page of that name, `make.one("schoolyear")`; nothing but what it needs."""
        return self._of_page[page]()

    @property
    def _of_page(self) -> dict[str, Callable[[], Base]]:
        return {
            "user": self.user,
            "student": self.student,
            "guardian": self.guardian,
            "familyinfo": self.family,
            "scholarship": self.scholarship,
            "course": self.course,
            "subject": self.subject,
            "grade": self.grade,
            "enrollment": self.enrollment,
            "attendance": self.attendance,
            "schoolyear": self.school_year,
            "semester": self.semester,
            "activitylog": self.log_entry,
        }

    def _name(self) -> dict[str, Any]:
        number = next(self._numbers)
        return {
            "last_name": FAMILY_NAMES[number % len(FAMILY_NAMES)],
            "first_name": FIRST_NAMES[number % len(FIRST_NAMES)],
        }

    def _written(self, entity: type[Row], usual: dict[str, Any], given: dict[str, Any]) -> Row:
        row = entity(**(usual | given))
        self.session.add(row)
        self.session.commit()
        return row
