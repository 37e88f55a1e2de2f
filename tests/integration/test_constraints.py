"""Each forbidden thing, written straight into the tables: the database refuses it, by name, and nothing is changed."""

import re
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from sqlalchemy import CheckConstraint, Connection, ForeignKeyConstraint, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import ExcludeConstraint
from sqlalchemy.exc import DBAPIError, IntegrityError

from fsms import errors
from fsms.config import ROOT
from fsms.models import Base
from tests.database import engine_of, migrated_template, scratch_database
from tests.integration.small_school import HASH, fill

# A row that each table accepts; an example changes what it is about. Values are SQL.
GOOD: dict[str, dict[str, str]] = {
    "User": {"username": "'sokha'", "password": f"'{HASH}'", "lastname": "'Som'", "firstname": "'Sokha'"},
    "Student": {
        "lastName": "'Chea'",
        "firstName": "'Mony'",
        "gender": "'male'",
        "dob": "'2013-05-31'",
        "class": "'6'",
    },
    "Guardian": {"studentId": "1", "relation": "'Mother'"},
    "FamilyInfo": {"studentId": "1"},
    "Scholarship": {"studentId": "1"},
    "SchoolYear": {"schoolYearCode": "'2026-2027'"},
    "Semester": {"semester": "'First Semester'", "semesterCode": "'S1-2026'"},
    "Subject": {"subjectName": "'English'"},
    "Course": {"schoolYearId": "1", "grade": "'7'", "section": "'A'", "courseName": "'Grade 7'"},
    "Enrollment": {"studentId": "1", "courseId": "2"},
    "Grade": {
        "studentId": "1",
        "courseId": "1",
        "subjectId": "2",
        "semesterId": "1",
        "gradeDate": "'2024-12'",
        "grade": "9.25",
    },
    "Attendance": {
        "studentId": "1",
        "courseId": "1",
        "attendanceDate": "'2024-11-07'",
        "session": "'AM'",
        "status": "'Present'",
    },
    "ActivityLog": {"action": "'login'"},
    "TermLock": {"semesterId": "2", "courseId": "2", "reason": "'Reports are printed'"},
    "Preference": {"userId": "2", "name": "'language'", "value": "'\"km\"'"},
    "SavedView": {"userId": "2", "page": "'student'", "name": "'My view'", "address": "'sort=dob'"},
    "Receipt": {
        "userId": "1",
        "key": "'7d9f1c1e-4b35-4f2e-9c11-5f1a6d1c0b01'",
        "what": "'marks'",
        "answer": "'{}'",
    },
}

TODAY = "(now() AT TIME ZONE 'Asia/Phnom_Penh')::date"
TOMORROW = f"{TODAY} + 1"
NOBODY = "999999"
ANSWERED = "00000000-0000-4000-8000-000000000001"

# What, where, how it differs from a good row, and the constraints of which one must refuse it. Where a pupil or class
# does not exist, two foreign keys are broken, and PostgreSQL names the older one.
FORBIDDEN_ROWS = [
    ("a user name that is taken", "User", {"username": "'teacher'"}, "User_username_key"),
    ("a user name taken in other case", "User", {"username": "'Teacher'"}, "User_username_lower_key"),
    ("a user name with a space", "User", {"username": "'som sokha'"}, "User_username_check"),
    ("a user name with punctuation", "User", {"username": "'som.sokha'"}, "User_username_check"),
    ("an empty user name", "User", {"username": "''"}, "User_username_check"),
    ("a password in plain text", "User", {"password": "'secret123'"}, "User_password_check"),
    ("an unknown role", "User", {"role": "'principal'"}, "User_role_check"),
    ("an unknown account status", "User", {"status": "'asleep'"}, "User_status_check"),
    ("a staff member without a name", "User", {"lastname": "''"}, "User_name_check"),
    ("fewer than no failed sign-ins", "User", {"failedLoginAttempts": "-1"}, "User_failedLoginAttempts_check"),
    ("an unknown gender", "Student", {"gender": "'Male'"}, "Student_gender_check"),
    ("grade level 13", "Student", {"class": "'13'"}, "Student_class_check"),
    ("grade level 0", "Student", {"class": "'0'"}, "Student_class_check"),
    ("a section in the grade level", "Student", {"class": "'5A'"}, "Student_class_check"),
    ("an unknown status of a pupil", "Student", {"status": "'sleeping'"}, "Student_status_check"),
    ("a birthday tomorrow", "Student", {"dob": TOMORROW}, "Student_dob_check"),
    ("a birthday in another century", "Student", {"dob": "'1899-12-31'"}, "Student_dob_check"),
    ("a family name of one letter", "Student", {"lastName": "'S'"}, "Student_lastName_check"),
    ("a first name of one letter and blanks", "Student", {"firstName": "'  D '"}, "Student_firstName_check"),
    ("a guardian of nobody", "Guardian", {"studentId": NOBODY}, "Guardian_studentId_fkey"),
    ("a guardian who is nothing to the pupil", "Guardian", {"relation": "''"}, "Guardian_relation_check"),
    ("a negative income", "Guardian", {"income": "-1"}, "Guardian_income_check"),
    ("an income that is no number", "Guardian", {"income": "'NaN'"}, "Guardian_income_check"),
    ("fewer than no children", "Guardian", {"childrenCount": "-1"}, "Guardian_childrenCount_check"),
    ("a hundred children", "Guardian", {"childrenCount": "100"}, "Guardian_childrenCount_check"),
    ("a second family record", "FamilyInfo", {"studentId": "4"}, "FamilyInfo_studentId_key"),
    ("a family of nobody", "FamilyInfo", {"studentId": NOBODY}, "FamilyInfo_studentId_fkey"),
    ("negative help", "FamilyInfo", {"helpAmount": "-0.01"}, "FamilyInfo_helpAmount_check"),
    ("help that is no number", "FamilyInfo", {"helpAmount": "'NaN'"}, "FamilyInfo_helpAmount_check"),
    ("a scholarship for nobody", "Scholarship", {"studentId": NOBODY}, "Scholarship_studentId_fkey"),
    ("a negative scholarship", "Scholarship", {"amount": "-5"}, "Scholarship_amount_check"),
    ("a scholarship that is no number", "Scholarship", {"amount": "'NaN'"}, "Scholarship_amount_check"),
    ("a school year twice", "SchoolYear", {"schoolYearCode": "'2024-2025'"}, "SchoolYear_schoolYearCode_key"),
    ("a school year of two", "SchoolYear", {"schoolYearCode": "'2024-2026'"}, "SchoolYear_schoolYearCode_check"),
    ("a school year backwards", "SchoolYear", {"schoolYearCode": "'2025-2024'"}, "SchoolYear_schoolYearCode_check"),
    ("half a school year", "SchoolYear", {"schoolYearCode": "'2024'"}, "SchoolYear_schoolYearCode_check"),
    ("a semester code twice", "Semester", {"semesterCode": "'S1-2024'"}, "Semester_semesterCode_key"),
    ("a semester without a name", "Semester", {"semester": "''"}, "Semester_names_check"),
    ("a semester without a code", "Semester", {"semesterCode": "''"}, "Semester_names_check"),
    ("a semester of no year", "Semester", {"schoolYearId": NOBODY}, "Semester_schoolYearId_fkey"),
    ("a semester that only begins", "Semester", {"startDate": "'2026-01-01'"}, "Semester_dates_check"),
    ("a semester that only ends", "Semester", {"endDate": "'2026-01-01'"}, "Semester_dates_check"),
    (
        "a semester that ends before it begins",
        "Semester",
        {"startDate": "'2026-02-01'", "endDate": "'2026-01-01'"},
        "Semester_dates_check",
    ),
    (
        "a day in two semesters",
        "Semester",
        {"startDate": "'2025-08-31'", "endDate": "'2026-01-01'"},
        "Semester_dates_excl",
    ),
    ("a subject twice, in other case", "Subject", {"subjectName": "'MATHEMATICS'"}, "Subject_subjectName_lower_key"),
    ("a subject without a name", "Subject", {"subjectName": "''"}, "Subject_subjectName_check"),
    (
        "a class twice",
        "Course",
        {"grade": "'5'", "courseName": "'Grade 5'"},
        "Course_schoolYearId_grade_section_courseName_key",
    ),
    ("a class of grade 13", "Course", {"grade": "'13'"}, "Course_grade_check"),
    ("a class without a section", "Course", {"section": "''"}, "Course_section_check"),
    ("a class without a name", "Course", {"courseName": "''"}, "Course_courseName_check"),
    ("a class of no year", "Course", {"schoolYearId": NOBODY}, "Course_schoolYearId_fkey"),
    ("a first teacher who is nobody", "Course", {"teacherId1": NOBODY}, "Course_teacherId1_fkey"),
    ("a second teacher who is nobody", "Course", {"teacherId2": NOBODY}, "Course_teacherId2_fkey"),
    ("a third teacher who is nobody", "Course", {"teacherId3": NOBODY}, "Course_teacherId3_fkey"),
    ("one teacher as first and second", "Course", {"teacherId1": "2", "teacherId2": "2"}, "Course_teachers_check"),
    ("one teacher as first and third", "Course", {"teacherId1": "2", "teacherId3": "2"}, "Course_teachers_check"),
    ("one teacher as second and third", "Course", {"teacherId2": "2", "teacherId3": "2"}, "Course_teachers_check"),
    ("a double enrolment", "Enrollment", {"courseId": "1"}, "Enrollment_studentId_courseId_key"),
    (
        "a double enrolment after a drop",
        "Enrollment",
        {"studentId": "2", "courseId": "1"},
        "Enrollment_studentId_courseId_key",
    ),
    ("an enrolment of nobody", "Enrollment", {"studentId": NOBODY}, "Enrollment_studentId_fkey"),
    ("an enrolment in no class", "Enrollment", {"courseId": NOBODY}, "Enrollment_courseId_fkey"),
    (
        "a drop in no semester",
        "Enrollment",
        {"drop": "true", "dropSemesterId": NOBODY, "dropDate": "'2025-01-01'"},
        "Enrollment_dropSemesterId_fkey",
    ),
    ("a drop without semester and date", "Enrollment", {"drop": "true"}, "Enrollment_drop_check"),
    (
        "a drop without its semester",
        "Enrollment",
        {"drop": "true", "dropDate": "'2025-01-01'"},
        "Enrollment_drop_check",
    ),
    ("a drop without its date", "Enrollment", {"drop": "true", "dropSemesterId": "1"}, "Enrollment_drop_check"),
    ("a drop date without a drop", "Enrollment", {"dropDate": "'2025-01-01'"}, "Enrollment_drop_check"),
    ("a drop semester without a drop", "Enrollment", {"dropSemesterId": "1"}, "Enrollment_drop_check"),
    (
        "a drop tomorrow",
        "Enrollment",
        {"drop": "true", "dropSemesterId": "1", "dropDate": TOMORROW},
        "Enrollment_dropDate_check",
    ),
    (
        "a drop before the first day",
        "Enrollment",
        {"enrolledOn": "'2025-05-03'", "drop": "true", "dropSemesterId": "2", "dropDate": "'2025-05-02'"},
        "Enrollment_enrolledOn_check",
    ),
    ("a mark after the drop", "Grade", {"studentId": "2", "gradeDate": "'2025-06'"}, "Grade_enrollment_check"),
    (
        "a mark the day after the drop",
        "Grade",
        {"studentId": "2", "gradeDate": "'2025-05-03'"},
        "Grade_enrollment_check",
    ),
    ("a mark before the first month", "Grade", {"studentId": "4", "gradeDate": "'2024-10'"}, "Grade_enrollment_check"),
    (
        "a mark the day before the first",
        "Grade",
        {"studentId": "4", "gradeDate": "'2024-11-03'"},
        "Grade_enrollment_check",
    ),
    (
        "attendance the day after the drop",
        "Attendance",
        {"studentId": "2", "attendanceDate": "'2025-05-03'"},
        "Attendance_enrollment_check",
    ),
    (
        "attendance the day before the first",
        "Attendance",
        {"studentId": "4", "attendanceDate": "'2024-11-03'"},
        "Attendance_enrollment_check",
    ),
    ("a mark for a month away", "Grade", {"studentId": "4", "gradeDate": "'2025-02'"}, "Grade_enrollment_check"),
    ("a mark for a day away", "Grade", {"studentId": "4", "gradeDate": "'2025-01-16'"}, "Grade_enrollment_check"),
    (
        "attendance while away",
        "Attendance",
        {"studentId": "4", "attendanceDate": "'2025-01-16'"},
        "Attendance_enrollment_check",
    ),
    (
        "attendance the day before coming back",
        "Attendance",
        {"studentId": "4", "attendanceDate": "'2025-03-09'"},
        "Attendance_enrollment_check",
    ),
    *(
        (f"{what} in the times away", "Enrollment", {"away": f"'{{{ranges}}}'"}, "Enrollment_away_check")
        for what, ranges in (
            ("nothing", ""),
            ("no order", '"[2025-02-01,2025-03-01)","[2024-12-01,2025-01-01)"'),
            ("days twice", '"[2024-12-01,2025-01-10)","[2025-01-01,2025-02-01)"'),
            ("no end", '"[2025-01-01,)"'),
            ("no day", '"[2025-01-01,2025-01-01)"'),
            ("no range", "NULL"),
        )
    ),
    (
        "a drop before coming back",
        "Enrollment",
        {
            "away": "'{\"[2025-01-15,2025-02-10)\"}'",
            "drop": "true",
            "dropSemesterId": "1",
            "dropDate": "'2025-02-09'",
        },
        "Enrollment_away_check",
    ),
    ("a mark without an enrolment", "Grade", {"courseId": "2"}, "Grade_studentId_courseId_fkey"),
    (
        "a mark for nobody",
        "Grade",
        {"studentId": NOBODY},
        "Grade_studentId_fkey | Grade_studentId_courseId_fkey",
    ),
    ("a mark in no class", "Grade", {"courseId": NOBODY}, "Grade_courseId_fkey | Grade_studentId_courseId_fkey"),
    ("a mark in no subject", "Grade", {"subjectId": NOBODY}, "Grade_subjectId_fkey"),
    ("a mark in no semester", "Grade", {"semesterId": NOBODY}, "Grade_semesterId_fkey"),
    ("a mark by nobody", "Grade", {"userId": NOBODY}, "Grade_userId_fkey"),
    (
        "a double mark",
        "Grade",
        {"subjectId": "1"},
        "Grade_studentId_courseId_subjectId_semesterId_gradeDate_key",
    ),
    ("a negative mark", "Grade", {"grade": "-0.01"}, "Grade_grade_check"),
    ("a mark that is no number", "Grade", {"grade": "'NaN'"}, "Grade_grade_check"),
    ("neither mark nor excuse", "Grade", {"grade": "NULL"}, "Grade_excused_check"),
    ("a mark and an excuse", "Grade", {"excused": "true"}, "Grade_excused_check"),
    ("a mark of the 13th month", "Grade", {"gradeDate": "'2024-13'"}, "Grade_gradeDate_check"),
    ("a mark dated in the old form", "Grade", {"gradeDate": "'12/24'"}, "Grade_gradeDate_check"),
    ("attendance without an enrolment", "Attendance", {"courseId": "2"}, "Attendance_studentId_courseId_fkey"),
    (
        "attendance of nobody",
        "Attendance",
        {"studentId": NOBODY},
        "Attendance_studentId_fkey | Attendance_studentId_courseId_fkey",
    ),
    (
        "attendance in no class",
        "Attendance",
        {"courseId": NOBODY},
        "Attendance_courseId_fkey | Attendance_studentId_courseId_fkey",
    ),
    ("attendance in no semester", "Attendance", {"semesterId": NOBODY}, "Attendance_semesterId_fkey"),
    ("attendance in no school year", "Attendance", {"schoolYearId": NOBODY}, "Attendance_schoolYearId_fkey"),
    (
        "double attendance",
        "Attendance",
        {"attendanceDate": "'2024-11-04'"},
        "Attendance_studentId_courseId_attendanceDate_session_key",
    ),
    (
        "a full day after a morning",
        "Attendance",
        {"attendanceDate": "'2024-11-04'", "session": "'FULL'"},
        "Attendance_AM_key",
    ),
    (
        "a full day after an afternoon",
        "Attendance",
        {"attendanceDate": "'2024-11-05'", "session": "'FULL'"},
        "Attendance_PM_key",
    ),
    (
        "a morning after a full day",
        "Attendance",
        {"attendanceDate": "'2024-11-06'", "session": "'AM'"},
        "Attendance_AM_key",
    ),
    (
        "an afternoon after a full day",
        "Attendance",
        {"attendanceDate": "'2024-11-06'", "session": "'PM'"},
        "Attendance_PM_key",
    ),
    ("an unknown attendance status", "Attendance", {"status": "'absent'"}, "Attendance_status_check"),
    ("attendance tomorrow", "Attendance", {"attendanceDate": TOMORROW}, "Attendance_attendanceDate_check"),
    ("an act of nobody we know", "ActivityLog", {"userId": NOBODY}, "ActivityLog_userId_fkey"),
    ("a log entry without an action", "ActivityLog", {"action": "''"}, "ActivityLog_action_check"),
    ("a lock of no semester", "TermLock", {"semesterId": NOBODY}, "TermLock_semesterId_fkey"),
    ("a lock of no class", "TermLock", {"courseId": NOBODY}, "TermLock_courseId_fkey"),
    ("a lock by nobody", "TermLock", {"lockedBy": NOBODY}, "TermLock_lockedBy_fkey"),
    (
        "a lock opened by nobody",
        "TermLock",
        {"openedBy": NOBODY, "openUntil": "now()", "openReason": "'late'"},
        "TermLock_openedBy_fkey",
    ),
    ("a second lock for all", "TermLock", {"semesterId": "1", "courseId": "NULL"}, "TermLock_all_key"),
    ("a second lock of a class", "TermLock", {"semesterId": "1", "courseId": "1"}, "TermLock_course_key"),
    ("a lock without a reason", "TermLock", {"reason": "' '"}, "TermLock_reason_check"),
    ("a lock opened without an end", "TermLock", {"openReason": "'late'"}, "TermLock_open_check"),
    ("a lock opened without a reason", "TermLock", {"openUntil": "now()"}, "TermLock_open_check"),
    ("a preference of nobody", "Preference", {"userId": NOBODY}, "Preference_userId_fkey"),
    ("a preference without a name", "Preference", {"name": "''"}, "Preference_name_check"),
    ("a preference with a long name", "Preference", {"name": "repeat('x', 101)"}, "Preference_name_check"),
    (
        "a preference as long as a book",
        "Preference",
        {"value": "to_jsonb(repeat('x', 20000))"},
        "Preference_value_check",
    ),
    ("a view of nobody", "SavedView", {"userId": NOBODY}, "SavedView_userId_fkey"),
    ("a view of no list", "SavedView", {"page": "''"}, "SavedView_page_check"),
    ("a view without a name", "SavedView", {"name": "''"}, "SavedView_name_check"),
    ("a view with a long name", "SavedView", {"name": "repeat('x', 61)"}, "SavedView_name_check"),
    ("a view as long as a book", "SavedView", {"address": "repeat('x', 4001)"}, "SavedView_address_check"),
    ("two own views of one name", "SavedView", {"name": "'KEPT'"}, "SavedView_own_key"),
    ("two office views of one name", "SavedView", {"name": "'KEPT'", "shared": "true"}, "SavedView_shared_key"),
    ("a receipt of nobody", "Receipt", {"userId": NOBODY}, "Receipt_userId_fkey"),
    ("a second answer to one request", "Receipt", {"key": f"'{ANSWERED}'"}, "Receipt_userId_key_key"),
    ("an answer to nothing", "Receipt", {"what": "''"}, "Receipt_what_check"),
]

# Deleting what others point at. Of several links the oldest speaks, and it is as good a reason as any.
FORBIDDEN_DELETIONS = [
    ("a pupil with a guardian", "Student", 3, "Guardian_studentId_fkey"),
    ("a pupil with a family record", "Student", 4, "FamilyInfo_studentId_fkey | Enrollment_studentId_fkey"),
    ("a pupil with a scholarship", "Student", 5, "Scholarship_studentId_fkey"),
    ("a pupil who dropped", "Student", 2, "Enrollment_studentId_fkey"),
    (
        "a pupil with marks",
        "Student",
        1,
        "Enrollment_studentId_fkey | Grade_studentId_fkey | Attendance_studentId_fkey",
    ),
    ("a school year with classes", "SchoolYear", 1, "Course_schoolYearId_fkey"),
    (
        "a class with pupils",
        "Course",
        1,
        "Enrollment_courseId_fkey | Grade_courseId_fkey | Attendance_courseId_fkey",
    ),
    ("a subject with marks", "Subject", 1, "Grade_subjectId_fkey"),
    ("a semester with marks", "Semester", 1, "Grade_semesterId_fkey"),
    ("an account with a history", "User", 1, "ActivityLog_userId_fkey"),
    (
        "an enrolment with marks",
        "Enrollment",
        1,
        "Grade_studentId_courseId_fkey | Attendance_studentId_courseId_fkey",
    ),
    ("an enrolment with attendance", "Enrollment", 3, "Attendance_studentId_courseId_fkey"),
]

ALLOWED_ROWS = [
    *((f"a good row of {table}", table, {}) for table in GOOD),
    ("an afternoon after a morning", "Attendance", {"attendanceDate": "'2024-11-04'", "session": "'PM'"}),
    ("attendance today", "Attendance", {"attendanceDate": TODAY}),
    ("a birthday today", "Student", {"dob": TODAY}),
    ("a Khmer user name", "User", {"username": "'សុខដារា'"}),
    ("an excuse", "Grade", {"grade": "NULL", "excused": "true"}),
    ("a mark of a day", "Grade", {"gradeDate": "'2024-12-14'"}),
    ("a mark for the same month in another semester", "Grade", {"subjectId": "1", "semesterId": "2"}),
    ("a whole drop", "Enrollment", {"drop": "true", "dropSemesterId": "1", "dropDate": TODAY}),
    ("a mark for the month of the drop", "Grade", {"studentId": "2", "gradeDate": "'2025-05'"}),
    ("a mark for the day of the drop", "Grade", {"studentId": "2", "gradeDate": "'2025-05-02'"}),
    ("a mark for the month of the first day", "Grade", {"studentId": "4", "gradeDate": "'2024-11'"}),
    ("a mark for the first day", "Grade", {"studentId": "4", "gradeDate": "'2024-11-04'"}),
    ("a mark for the month of leaving for a time", "Grade", {"studentId": "4", "gradeDate": "'2025-01'"}),
    ("a mark for the month of coming back", "Grade", {"studentId": "4", "gradeDate": "'2025-03'"}),
    ("attendance on the day of leaving", "Attendance", {"studentId": "4", "attendanceDate": "'2025-01-15'"}),
    ("attendance on the day of coming back", "Attendance", {"studentId": "4", "attendanceDate": "'2025-03-10'"}),
    (
        "a drop on the day of coming back",
        "Enrollment",
        {
            "away": '\'{"[2025-01-15,2025-02-10)","[2025-02-10,2025-02-11)"}\'',
            "drop": "true",
            "dropSemesterId": "1",
            "dropDate": "'2025-02-11'",
        },
    ),
    ("attendance on the day of the drop", "Attendance", {"studentId": "2", "attendanceDate": "'2025-05-02'"}),
    (
        "attendance on the first day",
        "Attendance",
        {"studentId": "4", "session": "'PM'", "attendanceDate": "'2024-11-04'"},
    ),
    (
        "a drop on the first day",
        "Enrollment",
        {"enrolledOn": "'2025-05-02'", "drop": "true", "dropSemesterId": "2", "dropDate": "'2025-05-02'"},
    ),
    ("another section of a class", "Course", {"grade": "'5'", "section": "'C'", "courseName": "'Grade 5'"}),
    ("a semester right after another", "Semester", {"startDate": "'2025-09-01'", "endDate": "'2026-01-31'"}),
    ("an act without a user", "ActivityLog", {"userId": "NULL"}),
    ("a scholarship of nothing yet", "Scholarship", {"amount": "0"}),
]


@pytest.fixture(scope="module")
def _filled() -> Iterator[str]:
    with scratch_database("constraints", migrated_template()) as url:
        with engine_of(url) as engine, engine.begin() as connection:
            fill(connection)
            connection.execute(
                text('UPDATE "Enrollment" SET away = \'{"[2025-01-15,2025-03-10)"}\' WHERE "studentId" = 4')
            )
            connection.execute(text(insert_into("Receipt", {"key": f"'{ANSWERED}'"})))
            connection.execute(text(insert_into("TermLock", {"semesterId": "1", "courseId": "NULL"})))
            connection.execute(text(insert_into("TermLock", {"semesterId": "1", "courseId": "1"})))
            for shared in ("false", "true"):
                connection.execute(text(insert_into("SavedView", {"name": "'Kept'", "shared": shared})))
        yield url


@pytest.fixture
def connection(_filled: str) -> Iterator[Connection]:
    with engine_of(_filled) as engine, engine.connect() as connection, connection.begin() as transaction:
        yield connection
        transaction.rollback()


def insert_into(table: str, changed: dict[str, str]) -> str:
    row = GOOD[table] | changed
    columns = ", ".join(f'"{column}"' for column in row)
    return f'INSERT INTO "{table}" ({columns}) VALUES ({", ".join(row.values())})'  # noqa: S608


def refusal_of(connection: Connection, statement: str) -> DBAPIError:
    """Run what must be refused, and see to it that the tables are the same afterwards."""
    before = everything_in(connection)

    with pytest.raises(DBAPIError) as refused, connection.begin_nested():
        connection.execute(text(statement))

    assert everything_in(connection) == before
    return refused.value


def everything_in(connection: Connection) -> dict[str, list[str]]:
    return {
        table: list(connection.scalars(text(f'SELECT row::text FROM "{table}" AS row ORDER BY 1')))  # noqa: S608
        for table in GOOD
    }


def key_of(table: str) -> str:
    return Base.metadata.tables[table].primary_key.columns[0].name


@pytest.mark.parametrize(
    ("table", "changed", "constraint"), [e[1:] for e in FORBIDDEN_ROWS], ids=[e[0] for e in FORBIDDEN_ROWS]
)
def test_the_database_refuses_a_forbidden_row(
    connection: Connection, table: str, changed: dict[str, str], constraint: str
) -> None:
    refused = refusal_of(connection, insert_into(table, changed))

    name = errors.constraint_of(refused)
    assert name in constraint.split(" | ")
    assert errors.sentence_for(refused) == errors.SENTENCES[name]


CHANGEABLE = [example for example in FORBIDDEN_ROWS if example[1] != "ActivityLog"]  # The log is never changed.


@pytest.mark.parametrize(
    ("table", "changed", "constraint"), [e[1:] for e in CHANGEABLE], ids=[e[0] for e in CHANGEABLE]
)
def test_a_good_row_cannot_be_changed_into_a_forbidden_one(
    connection: Connection, table: str, changed: dict[str, str], constraint: str
) -> None:
    key = connection.scalar(text(insert_into(table, {}) + f' RETURNING "{key_of(table)}"'))
    changes = ", ".join(f'"{column}" = {value}' for column, value in changed.items())

    refused = refusal_of(connection, f'UPDATE "{table}" SET {changes} WHERE "{key_of(table)}" = {key}')  # noqa: S608

    assert errors.constraint_of(refused) in constraint.split(" | ")


@pytest.mark.parametrize(
    ("table", "key", "constraint"), [e[1:] for e in FORBIDDEN_DELETIONS], ids=[e[0] for e in FORBIDDEN_DELETIONS]
)
def test_a_row_that_others_need_stays(connection: Connection, table: str, key: int, constraint: str) -> None:
    refused = refusal_of(connection, f'DELETE FROM "{table}" WHERE "{key_of(table)}" = {key}')  # noqa: S608

    name = errors.constraint_of(refused)
    assert name in constraint.split(" | ")
    assert errors.sentence_for(refused) == errors.STILL_USED[name]


def test_a_semester_in_which_pupils_dropped_stays(connection: Connection) -> None:
    refused = refusal_of(connection, 'DELETE FROM "Semester" WHERE "semesterId" = 2')

    assert errors.constraint_of(refused) == "Enrollment_drop_check"
    assert errors.sentence_for(refused) == "Pupils were dropped in this semester, so it must stay."


@pytest.mark.parametrize(("table", "changed"), [e[1:] for e in ALLOWED_ROWS], ids=[e[0] for e in ALLOWED_ROWS])
def test_the_database_takes_what_is_right(connection: Connection, table: str, changed: dict[str, str]) -> None:
    assert connection.execute(text(insert_into(table, changed))).rowcount == 1


def test_what_was_written_before_a_drop_and_lies_after_it_stays_and_can_be_corrected(connection: Connection) -> None:
    drop = (
        'UPDATE "Enrollment" SET "drop" = true, "dropSemesterId" = 1, "dropDate" = \'2024-11-04\' WHERE "studentId" = 1'
    )

    connection.execute(text(drop))
    connection.execute(text("UPDATE \"Attendance\" SET status = 'Late' WHERE \"attendanceDate\" > '2024-11-04'"))
    connection.execute(text('UPDATE "Grade" SET grade = 8 WHERE "studentId" = 1'))
    connection.execute(text('UPDATE "Student" SET "studentId" = 77 WHERE "studentId" = 1'))

    assert connection.scalar(text('SELECT count(*) FROM "Attendance" WHERE "studentId" = 77')) == 3


SEVERAL = {
    "Grade": """INSERT INTO "Grade" ("studentId", "courseId", "subjectId", "semesterId", "gradeDate", grade) VALUES
        (1, 1, 2, 1, '2025-02', 8), (2, 1, 2, 1, '2025-02', 8), (4, 1, 2, 1, {month}, 8)""",
    "Attendance": """INSERT INTO "Attendance" ("studentId", "courseId", "attendanceDate", session, status) VALUES
        (1, 1, '2025-02-14', 'AM', 'Late'), (2, 1, '2025-02-14', 'AM', 'Late'), (4, 1, {day}, 'AM', 'Late')""",
}


@pytest.mark.parametrize("table", SEVERAL)
def test_of_many_rows_written_at_once_each_is_held_within_its_pupils_place(connection: Connection, table: str) -> None:
    within = SEVERAL[table].format(month="'2025-03'", day="'2025-03-10'")
    outside = SEVERAL[table].format(month="'2025-02'", day="'2025-02-14'")  # pupil 4 was away

    refused = refusal_of(connection, outside)

    assert errors.constraint_of(refused) == f"{table}_enrollment_check"
    assert connection.execute(text(within)).rowcount == 3


def test_of_marks_that_take_the_place_of_others_those_that_move_are_held_too(connection: Connection) -> None:
    within = SEVERAL["Grade"].format(month="'2025-03'")
    there = '"studentId", "courseId", "subjectId", "semesterId", "gradeDate"'
    in_place = f"{within} ON CONFLICT ({there}) DO UPDATE SET "
    connection.execute(text(within))

    assert connection.execute(text(in_place + "grade = 9")).rowcount == 3
    refused = refusal_of(connection, in_place + "\"gradeDate\" = '2024-10'")

    assert errors.constraint_of(refused) == "Grade_enrollment_check"


def test_marks_that_are_copied_in_are_held_within_their_pupils_places(connection: Connection) -> None:
    columns = '"studentId", "courseId", "subjectId", "semesterId", "gradeDate", grade'

    def copy(*rows: tuple[Any, ...]) -> None:
        driver: Any = connection.connection.driver_connection
        with connection.begin_nested(), driver.cursor().copy(f'COPY "Grade" ({columns}) FROM STDIN') as into:
            for row in rows:
                into.write_row(row)

    with pytest.raises(psycopg.errors.CheckViolation) as refused:
        copy((1, 1, 2, 1, "2025-02", 8), (4, 1, 2, 1, "2025-02", 8))
    copy((1, 1, 2, 1, "2025-02", 8), (4, 1, 2, 1, "2025-03", 8))

    assert refused.value.diag.constraint_name == "Grade_enrollment_check"


@pytest.mark.parametrize("zone", ["Etc/GMT+12", "UTC", "Pacific/Kiritimati"])
def test_today_is_the_schools_day_whatever_the_session_says(connection: Connection, zone: str) -> None:
    connection.execute(text(f"SET LOCAL TimeZone = '{zone}'"))

    connection.execute(text(insert_into("Student", {"dob": TODAY})))
    refused = refusal_of(connection, insert_into("Student", {"dob": TOMORROW}))

    assert errors.constraint_of(refused) == "Student_dob_check"


def test_a_teacher_who_leaves_leaves_the_class_without_one(connection: Connection) -> None:
    connection.execute(text('DELETE FROM "User" WHERE "userId" = 2'))

    assert connection.scalar(text('SELECT "teacherId1" FROM "Course" WHERE "courseId" = 1')) is None
    assert connection.scalar(text('SELECT count(*) FROM "Grade"')) == 1


REQUIRED_COLUMNS = [
    (table.name, column.name)
    for table in Base.metadata.sorted_tables
    for column in table.columns
    if not column.nullable and not column.primary_key and column.server_default is None
]


@pytest.mark.parametrize(("table", "column"), REQUIRED_COLUMNS, ids=[".".join(pair) for pair in REQUIRED_COLUMNS])
def test_the_database_refuses_a_row_without_a_required_value(connection: Connection, table: str, column: str) -> None:
    refused = refusal_of(connection, insert_into(table, {column: "NULL"}))

    assert isinstance(refused, IntegrityError)
    assert errors.constraint_of(refused) is None
    assert errors.sentence_for(refused) == errors.REQUIRED[f"{table}.{column}"]


@pytest.mark.parametrize(
    ("table", "changed", "sentence"),
    [
        ("Grade", {"grade": "123456"}, errors.BY_STATE["22003"]),
        ("Attendance", {"session": "'NIGHT'"}, errors.BY_STATE["22P02"]),
        ("Student", {"dob": "'2014-02-30'"}, errors.BY_STATE["22008"]),
        ("Student", {"dob": "'last week'"}, errors.BY_STATE["22007"]),
        ("Student", {"gender": "NULL::text || 'x'", "class": "NULL"}, None),
        ("User", {"version": "NULL"}, errors.BY_STATE["23502"]),
        ("Student", {"studentId": "1"}, errors.BY_STATE["23505"]),
        ("Student", {"no such column": "1"}, errors.UNKNOWN),
    ],
)
def test_what_has_no_sentence_of_its_own_is_still_said_in_words(
    connection: Connection, table: str, changed: dict[str, str], sentence: str | None
) -> None:
    refused = refusal_of(connection, insert_into(table, changed))

    said = errors.sentence_for(refused)
    assert said == (sentence or said)
    assert not re.search(r"SELECT|INSERT|constraint|relation|%\(|2014|NIGHT", said)


def test_a_psycopg_error_is_understood_without_its_wrapping(connection: Connection) -> None:
    refused = refusal_of(connection, insert_into("Student", {"class": "'13'"}))

    assert refused.orig is not None
    assert errors.constraint_of(refused.orig) == "Student_class_check"
    assert errors.sentence_for(refused.orig) == errors.SENTENCES["Student_class_check"]


def test_an_error_that_is_not_the_databases_gets_the_general_sentence() -> None:
    assert errors.constraint_of(ValueError("x")) is None
    assert errors.sentence_for(ValueError("x")) == errors.UNKNOWN


# ---- The sentences are held to the models and to the database ------------------------------------------------------


def named_in_the_models() -> set[str]:
    names: set[Any] = set()
    for table in Base.metadata.tables.values():
        names |= {index.name for index in table.indexes if index.unique}
        names |= {
            constraint.name
            for constraint in table.constraints
            if isinstance(constraint, CheckConstraint | UniqueConstraint | ForeignKeyConstraint | ExcludeConstraint)
        }
    return names


def named_in_the_database(connection: Connection) -> set[str]:
    constraints = connection.scalars(
        text(
            "SELECT conname FROM pg_constraint "
            "WHERE connamespace = 'public'::regnamespace AND contype IN ('c', 'f', 'u', 'x', 't')"
        )
    )
    indexes = connection.scalars(
        text(
            "SELECT indexrelid::regclass::text FROM pg_index WHERE indisunique AND NOT indisprimary "
            "AND indrelid IN (SELECT oid FROM pg_class WHERE relnamespace = 'public'::regnamespace)"
        )
    )
    return set(constraints) | {name.strip('"') for name in indexes}


TRIGGERS = {"Attendance_enrollment_check", "Grade_enrollment_check"}  # Of these no model knows.


def test_every_constraint_of_the_models_has_its_sentence_and_no_sentence_is_orphaned() -> None:
    assert named_in_the_models() | TRIGGERS == set(errors.SENTENCES)


def test_every_constraint_of_the_database_has_its_sentence(connection: Connection) -> None:
    assert named_in_the_database(connection) == set(errors.SENTENCES)


def test_every_link_that_holds_a_row_fast_says_why_it_must_stay() -> None:
    holding = {
        constraint.name
        for table in Base.metadata.tables.values()
        for constraint in table.foreign_key_constraints
        if constraint.ondelete == "RESTRICT"
    }

    # Emptying the semester of a drop would leave half a drop, so this link holds too.
    assert holding | {"Enrollment_dropSemesterId_fkey"} == set(errors.STILL_USED)


def test_every_required_column_has_its_sentence() -> None:
    assert {f"{table}.{column}" for table, column in REQUIRED_COLUMNS} == set(errors.REQUIRED)


def test_every_constraint_stands_in_the_table_of_rules() -> None:
    page = (ROOT / "docs" / "rules.md").read_text()

    assert {name for name in errors.SENTENCES if f"`{name}`" not in page} == set()


def test_every_constraint_is_tried_by_an_example() -> None:
    tried = {name for example in FORBIDDEN_ROWS for name in example[3].split(" | ")}

    assert tried == set(errors.SENTENCES)


@pytest.mark.parametrize(
    "sentence",
    sorted(
        {
            *errors.SENTENCES.values(),
            *errors.STILL_USED.values(),
            *errors.REQUIRED.values(),
            *errors.BY_STATE.values(),
            errors.UNKNOWN,
        }
    ),
)
def test_a_sentence_is_whole_and_speaks_the_schools_language(sentence: str) -> None:
    assert re.fullmatch(r"[A-Z].+\.", sentence)
    assert "%" not in sentence
    assert not re.search(r"constraint|NULL|column|table\b|foreign|violat", sentence)
