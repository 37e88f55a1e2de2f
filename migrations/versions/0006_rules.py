"""The rules of the tables: what a row may say, and what there may be only one of.

Each table is read once for all its checks. A row that breaks a rule is not bent to fit: the upgrade stops, leaves
the database as it was and names the rows, because only the school knows which of two marks is the right one.
"""

from alembic import op
from alembic.util import CommandError
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

revision = "0006_rules"
down_revision = "0005_enrolments"
branch_labels = None
depends_on = None

TODAY = "(now() AT TIME ZONE 'Asia/Phnom_Penh')::date"
LEVELS = "('1', '2', '3', '4', '5', '6', '7', '8', '9', '10', '11', '12')"

CHECKS = {
    "User": {
        "User_role_check": "role IN ('admin', 'teacher')",
        "User_status_check": "status IN ('active', 'inactive')",
        # Letters and digits of any script: whatever is not ASCII is left to the application.
        "User_username_check": r"username <> '' AND username !~ '[\x01-\x2f\x3a-\x40\x5b-\x60\x7b-\x7f]'",
        "User_password_check": r"password ~ '^\$2[abxy]\$'",
        "User_name_check": "char_length(lastname) > 0 AND char_length(firstname) > 0",
        "User_failedLoginAttempts_check": '"failedLoginAttempts" >= 0',
    },
    "Student": {
        "Student_gender_check": "gender IN ('male', 'female')",
        "Student_class_check": f"class IN {LEVELS}",
        "Student_status_check": "status IN ('active', 'inactive', 'graduated', 'transferred')",
        "Student_dob_check": f"dob BETWEEN '1900-01-01' AND {TODAY}",
        "Student_lastName_check": 'char_length(btrim("lastName")) >= 2',
        "Student_firstName_check": 'char_length(btrim("firstName")) >= 2',
    },
    "Guardian": {
        "Guardian_relation_check": "relation <> ''",
        "Guardian_income_check": "income >= 0 AND income <> 'NaN'",
        "Guardian_childrenCount_check": '"childrenCount" BETWEEN 0 AND 30',
    },
    "FamilyInfo": {"FamilyInfo_helpAmount_check": '"helpAmount" >= 0 AND "helpAmount" <> \'NaN\''},
    "Scholarship": {"Scholarship_amount_check": "amount >= 0 AND amount <> 'NaN'"},
    "SchoolYear": {
        "SchoolYear_schoolYearCode_check": (
            "CASE WHEN \"schoolYearCode\" ~ '^[0-9]{4}-[0-9]{4}$' THEN "
            'right("schoolYearCode", 4)::int = left("schoolYearCode", 4)::int + 1 ELSE false END'
        ),
    },
    "Semester": {
        "Semester_names_check": "semester <> '' AND \"semesterCode\" <> ''",
        "Semester_dates_check": '("startDate" IS NULL) = ("endDate" IS NULL) AND "startDate" <= "endDate"',
    },
    "Subject": {"Subject_subjectName_check": "\"subjectName\" <> ''"},
    "Course": {
        "Course_grade_check": f"grade IN {LEVELS}",
        "Course_section_check": "section <> ''",
        "Course_courseName_check": "\"courseName\" <> ''",
        "Course_teachers_check": (
            '"teacherId1" <> "teacherId2" AND "teacherId1" <> "teacherId3" AND "teacherId2" <> "teacherId3"'
        ),
    },
    "Enrollment": {
        "Enrollment_drop_check": '"drop" = ("dropSemesterId" IS NOT NULL) AND "drop" = ("dropDate" IS NOT NULL)',
        "Enrollment_dropDate_check": f'"dropDate" <= {TODAY}',
    },
    "Grade": {
        "Grade_grade_check": "grade >= 0 AND grade <> 'NaN'",
        "Grade_gradeDate_check": "\"gradeDate\" ~ '^[0-9]{4}-(0[1-9]|1[0-2])(-(0[1-9]|[12][0-9]|3[01]))?$'",
    },
    "Attendance": {
        "Attendance_status_check": "status IN ('Present', 'Absent', 'Late', 'Excused')",
        "Attendance_attendanceDate_check": f'"attendanceDate" <= {TODAY}',
    },
    "ActivityLog": {"ActivityLog_action_check": "action <> ''"},
}

# Table, what makes the index, what may stand there once, and which rows count.
SINGLE = {
    "User_username_lower_key": ("User", "lower(username)", ""),
    "Subject_subjectName_lower_key": ("Subject", 'lower("subjectName")', ""),
    # A full day is both halves, so it stands beside neither (docs/decisions/full-day-attendance.md).
    "Attendance_AM_key": ("Attendance", '"studentId", "courseId", "attendanceDate"', "session IN ('AM', 'FULL')"),
    "Attendance_PM_key": ("Attendance", '"studentId", "courseId", "attendanceDate"', "session IN ('PM', 'FULL')"),
}
UNIQUE = {
    "Course_schoolYearId_grade_section_courseName_key": (
        "Course",
        '"schoolYearId", grade, section, "courseName"',
    ),
    "Grade_studentId_courseId_subjectId_semesterId_gradeDate_key": (
        "Grade",
        '"studentId", "courseId", "subjectId", "semesterId", "gradeDate"',
    ),
    "Attendance_studentId_courseId_attendanceDate_session_key": (
        "Attendance",
        '"studentId", "courseId", "attendanceDate", session',
    ),
}

FOR_LOOKING_UP = {
    "idx_guardian_student": '"Guardian"("studentId")',
    "idx_scholarship_student": '"Scholarship"("studentId")',
    "idx_enrollment_course": '"Enrollment"("courseId")',
}


def upgrade() -> None:
    """Add the rules; stop and name the rows where one is broken."""
    for table, checks in CHECKS.items():
        added = ", ".join(f'ADD CONSTRAINT "{name}" CHECK ({rule})' for name, rule in checks.items())
        _unless_broken(f'ALTER TABLE "{table}" {added}')
    for name, (table, columns) in UNIQUE.items():
        _unless_broken(f'ALTER TABLE "{table}" ADD CONSTRAINT "{name}" UNIQUE ({columns})')
    for name, (table, columns, rows) in SINGLE.items():
        _unless_broken(f'CREATE UNIQUE INDEX "{name}" ON "{table}" ({columns})' + (f" WHERE {rows}" if rows else ""))
    # Semesters have no days before this; afterwards no day belongs to two.
    op.execute(
        'ALTER TABLE "Semester" ADD CONSTRAINT "Semester_dates_excl" EXCLUDE USING gist '
        '(daterange("startDate", "endDate", \'[]\') WITH &&) WHERE ("startDate" IS NOT NULL)'
    )
    for name, columns in FOR_LOOKING_UP.items():
        op.execute(f"CREATE INDEX {name} ON {columns}")


def downgrade() -> None:
    """Take the rules away; every row stays."""
    for name in (*FOR_LOOKING_UP, *SINGLE):
        op.execute(f'DROP INDEX "{name}"')
    op.execute('ALTER TABLE "Semester" DROP CONSTRAINT "Semester_dates_excl"')
    for name, (table, _) in UNIQUE.items():
        op.execute(f'ALTER TABLE "{table}" DROP CONSTRAINT "{name}"')
    for table, checks in CHECKS.items():
        op.execute(f'ALTER TABLE "{table}" ' + ", ".join(f'DROP CONSTRAINT "{name}"' for name in checks))


def _unless_broken(statement: str) -> None:
    try:
        with op.get_bind().begin_nested():
            op.execute(statement)
    except IntegrityError as error:
        name = getattr(getattr(error.orig, "diag", None), "constraint_name", None) or ""
        raise CommandError(
            f"The database was left as it was: rows break the rule {name}. "
            f"Put them right in the old application, then upgrade again.\n{_broken(name)}"
        ) from error


def _broken(name: str) -> str:
    """List the first rows that break a rule, by their keys."""
    for table, checks in CHECKS.items():
        if name in checks:
            return _rows(table, f"NOT ({checks[name]})")
    table, columns, rows = SINGLE.get(name) or (*UNIQUE[name], "")
    counted = f"WHERE {rows}" if rows else ""
    return _rows(
        table, f'({columns}) IN (SELECT {columns} FROM "{table}" {counted} GROUP BY {columns} HAVING count(*) > 1)'
    )


def _rows(table: str, condition: str, most: int = 20) -> str:
    (key,) = op.get_bind().scalars(
        text(
            "SELECT attname FROM pg_index JOIN pg_attribute ON attrelid = indrelid AND attnum = indkey[0] "
            "WHERE indisprimary AND indrelid = cast(:table AS regclass)"
        ),
        {"table": f'"{table}"'},
    )
    found = list(
        op.get_bind().scalars(
            text(f'SELECT "{key}" FROM "{table}" WHERE {condition} ORDER BY "{key}" LIMIT {most + 1}')
        )
    )
    listed = ", ".join(str(row) for row in found[:most])
    return f"{table}.{key}: {listed}" + (" and more" if len(found) > most else "")
