"""The thirteen entities of the school, as plain SQLAlchemy. No queries, no Flask, no business verbs.

Tables and columns carry the names of the school's existing database (`"Student"."studentId"`), so that a dump of
it restores here; attributes are snake_case. A rule that must never be broken, whoever writes, is a constraint of
the table; what only needs words before the flush is in `@validates`. Every constraint has its sentence in `errors`.
"""

import datetime as dt
import uuid
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    CheckConstraint,
    Date,
    Enum,
    ForeignKeyConstraint,
    Index,
    Integer,
    Numeric,
    UniqueConstraint,
    Uuid,
    and_,
    any_,
    cast,
    func,
    literal,
    or_,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, DATERANGE, JSONB, ExcludeConstraint, Range
from sqlalchemy.ext.hybrid import hybrid_method, hybrid_property
from sqlalchemy.orm import Mapped, mapped_column, relationship, validates
from sqlalchemy.sql.elements import SQLColumnExpression

from fsms import clock
from fsms import text as written
from fsms.columns import (
    CONFIDENTIAL,
    SCHOOL_TODAY,
    Base,
    Named,
    Versioned,
    chosen,
    flag,
    found_by,
    link,
    money,
    not_negative,
    one_of,
)
from fsms.errors import InvalidValue
from fsms.stays import Stay
from fsms.vocabulary import (
    AccountStatus,
    AttendanceSession,
    AttendanceStatus,
    Gender,
    GradeLevel,
    HelpFrequency,
    LivingCondition,
    PovertyCard,
    Relation,
    Religion,
    Role,
    StudentStatus,
    stored_values,
)

__all__ = ["ENTITIES", "Base"]

# ---- People -------------------------------------------------------------------------------------------------------


class User(Named, Versioned, Base):
    """Somebody who works at the school and may sign in."""

    __tablename__ = "User"
    __table_args__ = (
        Index("User_username_key", "username", unique=True),
        Index("User_username_lower_key", text("lower(username)"), unique=True),
        Index("idx_user_role", "role"),
        Index("idx_user_status", "status"),
        Index("idx_user_created_at", "createdAt"),
        one_of("role", Role, "User_role_check"),
        one_of("status", AccountStatus, "User_status_check"),
        CheckConstraint(
            "username <> '' AND username !~ '[\\x01-\\x2f\\x3a-\\x40\\x5b-\\x60\\x7b-\\x7f]'",
            name="User_username_check",
        ),
        CheckConstraint("password ~ '^\\$2[abxy]\\$'", name="User_password_check"),
        CheckConstraint('char_length("lastname") > 0 AND char_length("firstname") > 0', name="User_name_check"),
        CheckConstraint('"failedLoginAttempts" >= 0', name="User_failedLoginAttempts_check"),
    )

    user_id: Mapped[int] = mapped_column("userId", primary_key=True)
    username: Mapped[str] = mapped_column(**CONFIDENTIAL)
    password: Mapped[str] = mapped_column(info={"secret": True}, **CONFIDENTIAL)
    last_name: Mapped[str] = mapped_column("lastname")
    first_name: Mapped[str] = mapped_column("firstname")
    phonenumber1: Mapped[str | None] = mapped_column(**CONFIDENTIAL)
    phonenumber2: Mapped[str | None] = mapped_column(**CONFIDENTIAL)
    role: Mapped[str] = chosen(
        "role", Role, default=Role.TEACHER.value, server_default=Role.TEACHER.value, **CONFIDENTIAL
    )
    avatar: Mapped[str | None]
    photo: Mapped[str | None]
    position: Mapped[str | None]
    status: Mapped[str] = chosen(
        "status",
        AccountStatus,
        default=AccountStatus.ACTIVE.value,
        server_default=AccountStatus.ACTIVE.value,
        **CONFIDENTIAL,
    )
    last_login: Mapped[dt.datetime | None] = mapped_column("lastLogin", **CONFIDENTIAL)
    account_locked_until: Mapped[dt.datetime | None] = mapped_column("accountLockedUntil", **CONFIDENTIAL)
    failed_login_attempts: Mapped[int] = mapped_column(
        "failedLoginAttempts", default=0, server_default=text("0"), **CONFIDENTIAL
    )
    last_failed_login: Mapped[dt.datetime | None] = mapped_column("lastFailedLogin", **CONFIDENTIAL)
    password_change_required: Mapped[bool] = mapped_column(
        "passwordChangeRequired", default=False, server_default=text("false"), **CONFIDENTIAL
    )

    @validates("username")
    def _username_is_alphanumeric(self, _key: str, value: str) -> str:
        if not written.is_alphanumeric(written.clean(value)):
            raise InvalidValue("Use only letters and digits in the user name, without spaces.")
        return value

    def __str__(self) -> str:
        """Show the full name."""
        return self.full_name


class Student(Named, Versioned, Base):
    """A pupil, as registered. The class of today follows from the active enrolment."""

    __tablename__ = "Student"
    __table_args__ = (
        one_of("gender", Gender, "Student_gender_check"),
        one_of("class", GradeLevel, "Student_class_check"),
        one_of("status", StudentStatus, "Student_status_check"),
        CheckConstraint(f"dob BETWEEN '1900-01-01' AND {SCHOOL_TODAY}", name="Student_dob_check"),
        CheckConstraint('char_length(btrim("lastName")) >= 2', name="Student_lastName_check"),
        CheckConstraint('char_length(btrim("firstName")) >= 2', name="Student_firstName_check"),
        Index("idx_student_name", text('"lastName" COLLATE "C"'), text('"firstName" COLLATE "C"'), "studentId"),
    )

    student_id: Mapped[int] = mapped_column("studentId", primary_key=True)
    last_name: Mapped[str] = mapped_column("lastName")
    first_name: Mapped[str] = mapped_column("firstName")
    gender: Mapped[str] = chosen("gender", Gender)
    dob: Mapped[dt.date]
    class_: Mapped[str] = chosen("class", GradeLevel)
    photo: Mapped[str | None]
    phone: Mapped[str | None]
    registration_date: Mapped[dt.date | None] = mapped_column("registrationDate")
    status: Mapped[str | None] = chosen(
        "status", StudentStatus, default=StudentStatus.ACTIVE.value, server_default=StudentStatus.ACTIVE.value
    )
    religion: Mapped[str | None] = chosen("religion", Religion, **CONFIDENTIAL)
    health: Mapped[str | None]
    emergency_contact: Mapped[str | None] = mapped_column("emergencyContact")
    class_id: Mapped[int | None] = mapped_column("classId")
    needs_clothes: Mapped[flag] = mapped_column("needsClothes")
    needs_materials: Mapped[flag] = mapped_column("needsMaterials")
    needs_transport: Mapped[flag] = mapped_column("needsTransport")
    previous_school: Mapped[str | None] = mapped_column("previousSchool")
    register_to_study: Mapped[flag] = mapped_column("registerToStudy")
    student_birth_district: Mapped[str | None] = mapped_column("studentBirthDistrict")
    student_district: Mapped[str | None] = mapped_column("studentDistrict")
    student_house_number: Mapped[str | None] = mapped_column("studentHouseNumber")
    student_province: Mapped[str | None] = mapped_column("studentProvince")
    student_village: Mapped[str | None] = mapped_column("studentVillage")
    transfer_reason: Mapped[str | None] = mapped_column("transferReason")
    vaccinated: Mapped[flag]
    school_year: Mapped[str | None] = mapped_column("schoolYear")
    student_commune: Mapped[str | None] = mapped_column("studentCommune")

    # What belongs to the pupil alone goes with the pupil; marks and attendance hold the pupil fast.
    guardians: Mapped[list["Guardian"]] = relationship(
        back_populates="student", cascade="all, delete-orphan", order_by="Guardian.guardian_id"
    )
    family: Mapped["FamilyInfo | None"] = relationship(back_populates="student", cascade="all, delete-orphan")
    scholarships: Mapped[list["Scholarship"]] = relationship(
        back_populates="student", cascade="all, delete-orphan", order_by="Scholarship.scholarship_id"
    )
    enrollments: Mapped[list["Enrollment"]] = relationship(
        back_populates="student", lazy="raise", passive_deletes="all"
    )
    grades: Mapped[list["Grade"]] = relationship(back_populates="student", lazy="raise", passive_deletes="all")
    attendances: Mapped[list["Attendance"]] = relationship(
        back_populates="student", lazy="raise", passive_deletes="all"
    )

    @validates("last_name", "first_name")
    def _name_has_two_characters(self, _key: str, value: str) -> str:
        if len(written.clean(value or "")) < 2:
            raise InvalidValue("Write a name of at least 2 characters.")
        return value

    @validates("dob")
    def _born_already(self, _key: str, value: dt.date) -> dt.date:
        if value and value > clock.today():
            raise InvalidValue("The date of birth lies in the future. Enter the day the pupil was born.")
        return value

    @hybrid_property
    def level(self) -> int:
        """The grade level as a number: 2 comes before 10."""
        return int(self.class_)

    @level.inplace.expression
    @classmethod
    def _level(cls) -> SQLColumnExpression[int]:
        return cast(cls.class_, Integer)

    def __str__(self) -> str:
        """Show name and pupil number, since namesakes are common."""
        return f"{self.full_name} · {self.student_id}"


class Guardian(Named, Versioned, Base):
    """Somebody who answers for a pupil."""

    __tablename__ = "Guardian"
    __table_args__ = (
        Index("idx_guardian_student", "studentId"),
        CheckConstraint("relation <> ''", name="Guardian_relation_check"),
        not_negative("income", "Guardian_income_check"),
        CheckConstraint('"childrenCount" BETWEEN 0 AND 30', name="Guardian_childrenCount_check"),
    )

    guardian_id: Mapped[int] = mapped_column("guardianId", primary_key=True)
    student_id: Mapped[int] = mapped_column("studentId", link("Student.studentId"))
    relation: Mapped[str] = chosen("relation", Relation)
    phone: Mapped[str | None]
    believe_jesus: Mapped[flag] = mapped_column("believeJesus", **CONFIDENTIAL)
    birth_district: Mapped[str | None] = mapped_column("birthDistrict", **CONFIDENTIAL)
    children_count: Mapped[int | None] = mapped_column("childrenCount", **CONFIDENTIAL)
    church: Mapped[str | None] = mapped_column(**CONFIDENTIAL)
    district: Mapped[str | None]
    first_name: Mapped[str | None] = mapped_column("firstName")
    house_number: Mapped[str | None] = mapped_column("houseNumber")
    income: Mapped[money] = mapped_column(**CONFIDENTIAL)
    last_name: Mapped[str | None] = mapped_column("lastName")
    occupation: Mapped[str | None] = mapped_column(**CONFIDENTIAL)
    province: Mapped[str | None]
    village: Mapped[str | None]
    commune: Mapped[str | None]

    student: Mapped[Student] = relationship(back_populates="guardians")

    def __str__(self) -> str:
        """Show the name, or the relation of a guardian whose name nobody wrote down."""
        return self.full_name or self.relation or ""


class FamilyInfo(Versioned, Base):
    """How a pupil's family lives. One record a pupil at most."""

    __tablename__ = "FamilyInfo"
    __table_args__ = (
        Index("FamilyInfo_studentId_key", "studentId", unique=True),
        not_negative("helpAmount", "FamilyInfo_helpAmount_check"),
    )

    familyinfo_id: Mapped[int] = mapped_column("familyinfoId", primary_key=True)
    student_id: Mapped[int] = mapped_column("studentId", link("Student.studentId"))
    can_help_school: Mapped[flag] = mapped_column("canHelpSchool")
    church_name: Mapped[str | None] = mapped_column("churchName")
    duration_in_kpc: Mapped[str | None] = mapped_column("durationInKPC")
    help_amount: Mapped[money] = mapped_column("helpAmount")
    help_frequency: Mapped[str | None] = chosen("helpFrequency", HelpFrequency)
    know_school: Mapped[str | None] = mapped_column("knowSchool")
    living_condition: Mapped[str | None] = chosen("livingCondition", LivingCondition)
    living_with: Mapped[str | None] = mapped_column("livingWith")
    organization_help: Mapped[str | None] = mapped_column("organizationHelp")
    own_house: Mapped[flag] = mapped_column("ownHouse")
    religion: Mapped[str | None] = chosen("religion", Religion)
    poverty_card: Mapped[str | None] = chosen("povertyCard", PovertyCard)

    student: Mapped[Student] = relationship(back_populates="family")

    def __str__(self) -> str:
        """Show whose family it is, where the pupil is at hand."""
        return f"{self.student or self.student_id}"


class Scholarship(Versioned, Base):
    """Money promised to a pupil, and by whom."""

    __tablename__ = "Scholarship"
    __table_args__ = (
        Index("idx_scholarship_student", "studentId"),
        not_negative("amount", "Scholarship_amount_check"),
    )

    scholarship_id: Mapped[int] = mapped_column("scholarshipId", primary_key=True)
    student_id: Mapped[int] = mapped_column("studentId", link("Student.studentId"))
    type: Mapped[str | None]
    amount: Mapped[money]
    sponsor: Mapped[str | None]

    student: Mapped[Student] = relationship(back_populates="scholarships")

    def __str__(self) -> str:
        """Show kind and sponsor."""
        return " · ".join(part for part in (self.type, self.sponsor) if part) or f"{self.scholarship_id}"


# ---- Calendar and courses -----------------------------------------------------------------------------------------


class SchoolYear(Versioned, Base):
    """A year of teaching, written "2024-2025"."""

    __tablename__ = "SchoolYear"
    __table_args__ = (
        Index("SchoolYear_schoolYearCode_key", "schoolYearCode", unique=True),
        CheckConstraint(
            "CASE WHEN \"schoolYearCode\" ~ '^[0-9]{4}-[0-9]{4}$' THEN "
            'right("schoolYearCode", 4)::int = left("schoolYearCode", 4)::int + 1 ELSE false END',
            name="SchoolYear_schoolYearCode_check",
        ),
    )

    school_year_id: Mapped[int] = mapped_column("schoolYearId", primary_key=True)
    school_year_code: Mapped[str] = mapped_column("schoolYearCode")

    def __str__(self) -> str:
        """Show the code."""
        return self.school_year_code or ""


class Semester(Versioned, Base):
    """A half of a school year; a date belongs to one at most."""

    __tablename__ = "Semester"
    __table_args__ = (
        Index("Semester_semesterCode_key", "semesterCode", unique=True),
        Index("idx_semester_school_year", "schoolYearId"),
        CheckConstraint("semester <> '' AND \"semesterCode\" <> ''", name="Semester_names_check"),
        CheckConstraint(
            '("startDate" IS NULL) = ("endDate" IS NULL) AND "startDate" <= "endDate"', name="Semester_dates_check"
        ),
        ExcludeConstraint(
            (text('daterange("startDate", "endDate", \'[]\')'), "&&"),
            where=text('"startDate" IS NOT NULL'),
            using="gist",
            name="Semester_dates_excl",
        ),
    )

    semester_id: Mapped[int] = mapped_column("semesterId", primary_key=True)
    semester: Mapped[str]
    semester_code: Mapped[str] = mapped_column("semesterCode")
    school_year_id: Mapped[int | None] = mapped_column("schoolYearId", link("SchoolYear.schoolYearId", optional=True))
    start_date: Mapped[dt.date | None] = mapped_column("startDate")
    end_date: Mapped[dt.date | None] = mapped_column("endDate")

    school_year: Mapped[SchoolYear | None] = relationship()

    def __str__(self) -> str:
        """Show the code, which names the year too."""
        return self.semester_code or ""


class Subject(Versioned, Base):
    """What is taught and marked."""

    __tablename__ = "Subject"
    __table_args__ = (
        Index("Subject_subjectName_lower_key", text('lower("subjectName")'), unique=True),
        CheckConstraint("\"subjectName\" <> ''", name="Subject_subjectName_check"),
    )

    subject_id: Mapped[int] = mapped_column("subjectId", primary_key=True)
    subject_name: Mapped[str] = mapped_column("subjectName")

    def __str__(self) -> str:
        """Show the name."""
        return self.subject_name or ""


class Course(Versioned, Base):
    """A class of a school year (7A of 2024-2025) with up to three teachers."""

    __tablename__ = "Course"
    __table_args__ = (
        UniqueConstraint(
            "schoolYearId",
            "grade",
            "section",
            "courseName",
            name="Course_schoolYearId_grade_section_courseName_key",
        ),
        Index("idx_course_schoolyear_grade_section", "schoolYearId", "grade", "section"),
        Index("idx_course_teacher1", "teacherId1"),
        Index("idx_course_teacher2", "teacherId2"),
        Index("idx_course_teacher3", "teacherId3"),
        one_of("grade", GradeLevel, "Course_grade_check"),
        CheckConstraint("section <> ''", name="Course_section_check"),
        CheckConstraint("\"courseName\" <> ''", name="Course_courseName_check"),
        CheckConstraint(
            '"teacherId1" <> "teacherId2" AND "teacherId1" <> "teacherId3" AND "teacherId2" <> "teacherId3"',
            name="Course_teachers_check",
        ),
    )

    course_id: Mapped[int] = mapped_column("courseId", primary_key=True)
    school_year_id: Mapped[int] = mapped_column("schoolYearId", link("SchoolYear.schoolYearId"))
    teacher_id1: Mapped[int | None] = mapped_column("teacherId1", link("User.userId", optional=True))
    teacher_id2: Mapped[int | None] = mapped_column("teacherId2", link("User.userId", optional=True))
    teacher_id3: Mapped[int | None] = mapped_column("teacherId3", link("User.userId", optional=True))
    grade: Mapped[str] = chosen("grade", GradeLevel)
    section: Mapped[str]
    course_name: Mapped[str] = mapped_column("courseName")

    # A course is never shown without its year, so it is never read without it.
    school_year: Mapped[SchoolYear] = relationship(lazy="joined", innerjoin=True)
    teacher1: Mapped[User | None] = relationship(foreign_keys=[teacher_id1])
    teacher2: Mapped[User | None] = relationship(foreign_keys=[teacher_id2])
    teacher3: Mapped[User | None] = relationship(foreign_keys=[teacher_id3])
    enrollments: Mapped[list["Enrollment"]] = relationship(back_populates="course", lazy="raise", passive_deletes="all")

    @hybrid_property
    def level(self) -> int:
        """The grade level as a number: 2 comes before 10."""
        return int(self.grade)

    @level.inplace.expression
    @classmethod
    def _level(cls) -> SQLColumnExpression[int]:
        return cast(cls.grade, Integer)

    def __str__(self) -> str:
        """Show level, section and year: "7A · 2024-2025"."""
        return f"{self.grade}{self.section} · {self.school_year or ''}"


class Enrollment(Versioned, Base):
    """A pupil's place in a course. A drop keeps the row, the marks and the attendance."""

    __tablename__ = "Enrollment"
    __table_args__ = (
        Index("Enrollment_studentId_courseId_key", "studentId", "courseId", unique=True),
        Index("idx_enrollment_student_course", "studentId", "courseId"),
        Index("idx_enrollment_course", "courseId"),
        Index("idx_enrollment_drop", "drop"),
        Index("idx_enrollment_drop_date", "dropDate"),
        Index("idx_enrollment_drop_semester", "dropSemesterId"),
        CheckConstraint(
            '"drop" = ("dropSemesterId" IS NOT NULL) AND "drop" = ("dropDate" IS NOT NULL)',
            name="Enrollment_drop_check",
        ),
        CheckConstraint(f'"dropDate" <= {SCHOOL_TODAY}', name="Enrollment_dropDate_check"),
        CheckConstraint('"enrolledOn" <= "dropDate"', name="Enrollment_enrolledOn_check"),
        CheckConstraint('fsms_are_in_order(away, "dropDate") OR away IS NULL', name="Enrollment_away_check"),
    )

    enrollment_id: Mapped[int] = mapped_column("enrollmentId", primary_key=True)
    course_id: Mapped[int] = mapped_column("courseId", link("Course.courseId"))
    student_id: Mapped[int] = mapped_column("studentId", link("Student.studentId"))
    # The first day in the class; empty where that is the first day of the school year.
    enrolled_on: Mapped[dt.date | None] = mapped_column("enrolledOn")
    # Who was dropped and came back: from each drop to the day before coming back.
    away: Mapped[list[Range[dt.date]] | None] = mapped_column(ARRAY(DATERANGE))
    drop: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    # Required in a drop, so it must not be emptied by deleting the semester: half a drop would be left.
    drop_semester_id: Mapped[int | None] = mapped_column("dropSemesterId", link("Semester.semesterId", optional=True))
    drop_date: Mapped[dt.date | None] = mapped_column("dropDate")
    drop_reason: Mapped[str | None] = mapped_column("dropReason")

    course: Mapped[Course] = relationship(back_populates="enrollments")
    student: Mapped[Student] = relationship(back_populates="enrollments")
    drop_semester: Mapped[Semester | None] = relationship()

    @hybrid_method
    def is_active_on(self, day: dt.date) -> bool:
        """Say whether the pupil is in the class on that day: from the first day there to a drop, less the time away.

        The day of the drop is the first without the pupil. Rosters, gradebooks, means and ranks all ask this.
        """
        return day in Stay.of(self)

    @is_active_on.inplace.expression  # type: ignore[attr-defined, untyped-decorator]  # mypy takes it for the method
    @classmethod
    def _is_active_on(cls, day: dt.date) -> SQLColumnExpression[bool]:
        begun = or_(cls.enrolled_on.is_(None), cls.enrolled_on <= day)
        is_away = literal(day, Date).op("<@", is_comparison=True)(any_(cls.away))
        return and_(begun, is_away.is_not(True), or_(cls.drop_date.is_(None), cls.drop_date > day))

    def __str__(self) -> str:
        """Show pupil and course."""
        return f"{self.student} · {self.course}"


STAY = (Enrollment.enrolled_on, Enrollment.drop_date, Enrollment.away)
"""The columns that say when a pupil is in a class: what `Stay.of` reads of a row."""


# ---- Marks and attendance -----------------------------------------------------------------------------------------


class Grade(Versioned, Base):
    """A mark: pupil, course, subject, semester and the month or day it is for."""

    __tablename__ = "Grade"
    __table_args__ = (
        ForeignKeyConstraint(
            ["studentId", "courseId"],
            ["Enrollment.studentId", "Enrollment.courseId"],
            name="Grade_studentId_courseId_fkey",
            ondelete="RESTRICT",
            onupdate="CASCADE",
        ),
        UniqueConstraint(
            "studentId",
            "courseId",
            "subjectId",
            "semesterId",
            "gradeDate",
            name="Grade_studentId_courseId_subjectId_semesterId_gradeDate_key",
        ),
        Index("idx_grade_student_course", "studentId", "courseId"),
        Index("idx_grade_date", "gradeDate"),
        Index("idx_grade_date_id", text('"gradeDate" COLLATE "C"'), "gradeId"),
        Index("idx_grade_grade_id", "grade", "gradeId"),
        Index("idx_grade_course_student_subject", "courseId", "studentId", "subjectId"),
        not_negative("grade", "Grade_grade_check"),
        # No row is nothing, a number is a mark, 0 too; excused is the third, and no number.
        CheckConstraint("excused = (grade IS NULL)", name="Grade_excused_check"),
        CheckConstraint(
            "\"gradeDate\" ~ '^[0-9]{4}-(0[1-9]|1[0-2])(-(0[1-9]|[12][0-9]|3[01]))?$'", name="Grade_gradeDate_check"
        ),
    )

    grade_id: Mapped[int] = mapped_column("gradeId", primary_key=True)
    course_id: Mapped[int] = mapped_column("courseId", link("Course.courseId"))
    student_id: Mapped[int] = mapped_column("studentId", link("Student.studentId"))
    subject_id: Mapped[int] = mapped_column("subjectId", link("Subject.subjectId"))
    semester_id: Mapped[int] = mapped_column("semesterId", link("Semester.semesterId"))
    grade_date: Mapped[str] = mapped_column("gradeDate")
    grade: Mapped[Decimal | None] = mapped_column(Numeric(6, 2))
    excused: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    grade_comment: Mapped[str | None] = mapped_column("gradeComment")
    user_id: Mapped[int | None] = mapped_column("userId", link("User.userId", optional=True))
    last_edit: Mapped[dt.datetime | None] = mapped_column("lastEdit")

    course: Mapped[Course] = relationship()
    student: Mapped[Student] = relationship(back_populates="grades")
    subject: Mapped[Subject] = relationship()
    semester: Mapped[Semester] = relationship()
    user: Mapped[User | None] = relationship()

    @validates("grade_date")
    def _period_is_iso(self, _key: str, value: str) -> str:
        try:
            return written.iso_period(value)
        except (ValueError, TypeError):
            raise InvalidValue("Write the month as 2025-03 or 03/25, or the day as 2025-03-14 or 14/03/2025.") from None

    def __str__(self) -> str:
        """Show the mark, or that there is an excuse for none, with its month."""
        return f"{'excused' if self.excused else self.grade} · {self.grade_date}"


class Attendance(Versioned, Base):
    """What was seen of a pupil in a session of a day."""

    __tablename__ = "Attendance"
    __table_args__ = (
        ForeignKeyConstraint(
            ["studentId", "courseId"],
            ["Enrollment.studentId", "Enrollment.courseId"],
            name="Attendance_studentId_courseId_fkey",
            ondelete="RESTRICT",
            onupdate="CASCADE",
        ),
        UniqueConstraint(
            "studentId",
            "courseId",
            "attendanceDate",
            "session",
            name="Attendance_studentId_courseId_attendanceDate_session_key",
        ),
        # A full day is both halves: it may stand beside neither. Two partial unique indexes say so at a fraction
        # of the cost of an exclusion constraint (docs/decisions/full-day-attendance.md).
        *(
            Index(
                f"Attendance_{half}_key",
                "studentId",
                "courseId",
                "attendanceDate",
                unique=True,
                postgresql_where=text(f"session IN ('{half}', 'FULL')"),
            )
            for half in ("AM", "PM")
        ),
        Index("idx_attendance_student_date", "studentId", "attendanceDate"),
        Index("idx_attendance_course_date", "courseId", "attendanceDate"),
        Index("idx_attendance_date", "attendanceDate", "courseId"),
        Index("idx_attendance_date_id", "attendanceDate", "attendanceId"),
        Index("idx_attendance_status_id", "status", "attendanceId"),
        Index("idx_attendance_session_id", "session", "attendanceId"),
        Index(
            "idx_attendance_absences",
            "courseId",
            "attendanceDate",
            postgresql_include=["studentId", "session", "status"],
            postgresql_where=text("status IN ('Absent', 'Excused')"),
        ),
        Index("idx_attendance_semester", "semesterId"),
        Index("idx_attendance_school_year", "schoolYearId"),
        one_of("status", AttendanceStatus, "Attendance_status_check"),
        CheckConstraint(f'"attendanceDate" <= {SCHOOL_TODAY}', name="Attendance_attendanceDate_check"),
    )

    attendance_id: Mapped[int] = mapped_column("attendanceId", primary_key=True)
    student_id: Mapped[int] = mapped_column("studentId", link("Student.studentId"))
    course_id: Mapped[int] = mapped_column("courseId", link("Course.courseId"))
    semester_id: Mapped[int | None] = mapped_column("semesterId", link("Semester.semesterId", optional=True))
    school_year_id: Mapped[int | None] = mapped_column("schoolYearId", link("SchoolYear.schoolYearId", optional=True))
    attendance_date: Mapped[dt.date] = mapped_column("attendanceDate")
    session: Mapped[AttendanceSession] = mapped_column(
        Enum(AttendanceSession, name="AttendanceSession", values_callable=stored_values),
        info={"choices": AttendanceSession},
    )
    status: Mapped[str] = chosen("status", AttendanceStatus)
    reason: Mapped[str | None]
    recorded_by: Mapped[str | None] = mapped_column("recordedBy")

    course: Mapped[Course] = relationship()
    student: Mapped[Student] = relationship(back_populates="attendances")
    semester: Mapped[Semester | None] = relationship()
    school_year: Mapped[SchoolYear | None] = relationship()

    def __str__(self) -> str:
        """Show day, session and status."""
        return f"{self.attendance_date} {self.session} · {self.status}"


# ---- The log ------------------------------------------------------------------------------------------------------


class ActivityLog(Base):
    """Who did what, when, to which record. Written once, never changed."""

    __tablename__ = "ActivityLog"
    __table_args__ = (
        Index("idx_activitylog_entity", "entity", "entityId"),
        Index("idx_activitylog_batch", "batch"),
        Index("idx_activitylog_user", "userId", "timestamp"),
        Index("idx_activitylog_timestamp", "timestamp"),
        Index("idx_activitylog_action", "action", "timestamp"),
        Index("idx_activitylog_outside", "id", postgresql_where=text("details @> '{\"outside\": true}'")),
        Index(
            "idx_activitylog_undone",
            text("(details #>> '{facts,undoes}')"),
            postgresql_where=text("action = 'undo'"),
        ),
        CheckConstraint("action <> ''", name="ActivityLog_action_check"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    # Nobody, where the command line acted or an unknown name failed to sign in.
    user_id: Mapped[int | None] = mapped_column("userId", link("User.userId"))
    action: Mapped[str]
    details: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    timestamp: Mapped[dt.datetime] = mapped_column(default=clock.now, server_default=func.current_timestamp())
    entity: Mapped[str | None]
    entity_id: Mapped[int | None] = mapped_column("entityId", Integer)
    batch: Mapped[uuid.UUID | None] = mapped_column(Uuid)

    user: Mapped[User | None] = relationship()

    def __str__(self) -> str:
        """Show the action."""
        return self.action or ""


ENTITIES: tuple[type[Base], ...] = (
    User,
    Student,
    Guardian,
    FamilyInfo,
    Scholarship,
    Course,
    Subject,
    Grade,
    Enrollment,
    Attendance,
    SchoolYear,
    Semester,
    ActivityLog,
)


# ---- What people are found by -------------------------------------------------------------------------------------

# Family name, first name, family name again: both orders stand in it, with nothing between them.
_NAMES = "fsms_name_key(coalesce({0}, '') || coalesce({1}, '') || coalesce({0}, ''))"
_PHONES = "fsms_phone_key(coalesce({}, '') || '/' || coalesce({}, ''))"

found_by(User, nameKey=_NAMES.format("lastname", "firstname"), phoneKey=_PHONES.format("phonenumber1", "phonenumber2"))
found_by(
    Student,
    nameKey=_NAMES.format('"lastName"', '"firstName"'),
    phoneKey=_PHONES.format("phone", '"emergencyContact"'),
)
found_by(Guardian, nameKey=_NAMES.format('"lastName"', '"firstName"'), phoneKey="fsms_phone_key(coalesce(phone, ''))")
