"""Every forbidden thing, typed into a form: it is said at its field, what was typed stays, and nothing is changed."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy.orm import Session

from fsms import clock
from fsms.errors import SENTENCES
from fsms.models import Base
from tests.browser import PageClient
from tests.builders import Make, contents, key_of
from tests.pages.typed import GOOD, Typed, kept

REQUIRED = "Please fill this in."
GONE = "This record does not exist any more. Choose another one."
NOT_A_CHOICE = "Not a valid choice."
NOT_OFFERED = (NOT_A_CHOICE, GONE)
TOO_SHORT = "Write a name of at least 2 characters."
UNBORN = "The date of birth lies in the future. Enter the day the pupil was born."
NO_DATE = "Write the date as 31/05/2010."
WHOLE = "Write a whole number."
TWO_PLACES = "Write at most 2 decimal places."
ON_THE_SCALE = "Write a number from 0 to 10."
RIEL = "Write a number from 0 to 9999999999.99."

TOMORROW = str(clock.today() + dt.timedelta(days=1))


def too_long(most: int) -> str:
    """The sentence for a text of more letters than that."""
    return f"This is too long: at most {most} characters."


def no_number(typed: str) -> str:
    """The sentence for what is no number."""
    return f"“{typed}” is not a number."


# ---- What stands in the way ---------------------------------------------------------------------------------------


def taken(build: Callable[..., Base], typed: Typed | None = None, **given: Any) -> Callable[[Make], Typed]:
    """Make a row, and type the same, or what is given, into another one."""

    def _typed(make: Make) -> Typed:
        build(make, **given)
        return typed or given

    return _typed


def not_enrolled(make: Make) -> Typed:
    """A pupil, and a course the pupil is not in."""
    return {"student": make.student().student_id, "course": make.course().course_id}


def enrolled_already(make: Make) -> Typed:
    """A pupil, and a course the pupil is in."""
    place = make.enrollment()
    return {"student": place.student_id, "course": place.course_id}


def family_already(make: Make) -> Typed:
    """A pupil with a family record."""
    return {"student": make.family().student_id}


def same_class(make: Make) -> Typed:
    """Year, level, section and name of a class that is there."""
    held = make.course(level=7, section="A")
    return {"school_year": held.school_year_id, "grade": "7", "section": "A", "course_name": held.course_name}


def same_teacher(first: str, second: str) -> Callable[[Make], Typed]:
    """One teacher in two of the three places."""

    def _typed(make: Make) -> Typed:
        number = make.user().user_id
        return {first: number, second: number}

    return _typed


def overlap(make: Make) -> Typed:
    """A semester that begins on the last day of another."""
    make.semester(start_date=dt.date(2024, 11, 1), end_date=dt.date(2025, 3, 31))
    return {"start_date": "2025-03-31", "end_date": "2025-08-31"}


def half_a_drop(make: Make) -> Typed:
    """A drop in a semester, without a date."""
    return {"drop": True, "drop_semester": make.semester().semester_id}


def drop_tomorrow(make: Make) -> Typed:
    """A drop that has not happened yet."""
    return half_a_drop(make) | {"drop_date": TOMORROW}


def second_mark(make: Make) -> Typed:
    """Pupil, course, subject, semester and month of a mark that is there."""
    held = make.grade(grade_date="2025-01")
    keys = {name: key_of(getattr(held, name)) for name in ("student", "course", "subject", "semester")}
    return keys | {"grade_date": "01/25"}


def beside(recorded: str, typed: str) -> Callable[[Make], Typed]:
    """A session of a day of which another one, or the same, is recorded."""

    def _typed(make: Make) -> Typed:
        held = make.attendance(attendance_date=dt.date(2025, 1, 6), session=recorded)
        keys = {"student": held.student_id, "course": held.course_id}
        return keys | {"attendance_date": "2025-01-06", "session": typed}

    return _typed


# ---- The table ----------------------------------------------------------------------------------------------------

Example = tuple[str, Typed | Callable[[Make], Typed], str, str]

# What, how it is typed, at which field it is said, and the sentence: its words, or the constraint it belongs to.
FORBIDDEN: dict[str, list[Example]] = {
    "user": [
        ("a name that is taken", taken(Make.user, username="dara"), "username", "User_username_key"),
        (
            "a name taken in other case",
            taken(Make.user, {"username": "DARA"}, username="dara"),
            "username",
            "User_username_lower_key",
        ),
        ("a name with a space", {"username": "sok dara"}, "username", "User_username_check"),
        ("a name with punctuation", {"username": "sok.dara"}, "username", "User_username_check"),
        ("no user name", {"username": ""}, "username", REQUIRED),
        ("invisible letters for a user name", {"username": "\u200b"}, "username", REQUIRED),
        ("no family name", {"last_name": ""}, "last_name", REQUIRED),
        ("blanks for a first name", {"first_name": "   "}, "first_name", REQUIRED),
        ("an unknown role", {"role": "principal"}, "role", NOT_A_CHOICE),
        ("an unknown status", {"status": "asleep"}, "status", NOT_A_CHOICE),
        ("a name without end", {"position": "ក" * 201}, "position", too_long(200)),
    ],
    "student": [
        ("a name of one letter", {"last_name": "ស"}, "last_name", TOO_SHORT),
        ("one letter and blanks", {"first_name": " ដ "}, "first_name", TOO_SHORT),
        ("no family name", {"last_name": ""}, "last_name", REQUIRED),
        ("no sex", {"gender": ""}, "gender", REQUIRED),
        ("an unknown sex", {"gender": "Male"}, "gender", NOT_A_CHOICE),
        ("no birthday", {"dob": ""}, "dob", REQUIRED),
        ("born tomorrow", {"dob": TOMORROW}, "dob", UNBORN),
        ("born in another century", {"dob": "1899-12-31"}, "dob", "Student_dob_check"),
        ("a day that is none", {"dob": "31/02/2014"}, "dob", NO_DATE),
        ("a word for a day", {"dob": "yesterday"}, "dob", NO_DATE),
        ("a year of five digits", {"dob": "12014-05-31"}, "dob", NO_DATE),
        ("grade level 13", {"class_": "13"}, "class_", NOT_A_CHOICE),
        ("grade level 0", {"class_": "0"}, "class_", NOT_A_CHOICE),
        ("no grade level", {"class_": ""}, "class_", REQUIRED),
        ("an unknown status", {"status": "sleeping"}, "status", NOT_A_CHOICE),
        ("a book about the health", {"health": "ក" * 4001}, "health", too_long(4000)),
    ],
    "guardian": [
        ("a guardian of nobody", {"student": ""}, "student", REQUIRED),
        ("a guardian of somebody who is gone", {"student": "999999"}, "student", GONE),
        ("a guardian of a word", {"student": "abc"}, "student", GONE),
        ("a guardian of a huge number", {"student": "9" * 30}, "student", GONE),
        ("an unknown relation", {"relation": "Neighbour"}, "relation", NOT_A_CHOICE),
        ("less than no income", {"income": "-1"}, "income", RIEL),
        ("an income without end", {"income": "1" * 40}, "income", RIEL),
        ("31 children", {"children_count": "31"}, "children_count", "Write a number from 0 to 30."),
        ("half a child", {"children_count": "2.5"}, "children_count", WHOLE),
    ],
    "familyinfo": [
        ("a second family record", family_already, "student", "FamilyInfo_studentId_key"),
        ("a family of nobody", {"student": ""}, "student", REQUIRED),
        ("an unknown living standard", {"living_condition": "rich"}, "living_condition", NOT_A_CHOICE),
        ("a contribution of less than nothing", {"help_amount": "-0.01"}, "help_amount", RIEL),
    ],
    "scholarship": [
        ("a scholarship of less than nothing", {"amount": "-40000"}, "amount", RIEL),
        ("a scholarship of no number", {"amount": "much"}, "amount", no_number("much")),
        ("a scholarship for nobody", {"student": ""}, "student", REQUIRED),
    ],
    "schoolyear": [
        (
            "two years that are not in a row",
            {"school_year_code": "2024-2026"},
            "school_year_code",
            "SchoolYear_schoolYearCode_check",
        ),
        ("a year alone", {"school_year_code": "2024"}, "school_year_code", "SchoolYear_schoolYearCode_check"),
        ("no year", {"school_year_code": ""}, "school_year_code", REQUIRED),
        (
            "the same year again",
            taken(Make.school_year, school_year_code="2024-2025"),
            "school_year_code",
            "SchoolYear_schoolYearCode_key",
        ),
    ],
    "semester": [
        ("overlapping semesters", overlap, "end_date", "Semester_dates_excl"),
        ("a first day without a last", {"start_date": "2024-11-01"}, "start_date", "Semester_dates_check"),
        (
            "a semester that ends before it begins",
            {"start_date": "2024-11-01", "end_date": "2024-10-31"},
            "end_date",
            "Semester_dates_check",
        ),
        (
            "a code that is taken",
            taken(Make.semester, semester_code="S1-2024"),
            "semester_code",
            "Semester_semesterCode_key",
        ),
        ("no code", {"semester_code": ""}, "semester_code", REQUIRED),
    ],
    "subject": [
        (
            "a doubled subject",
            taken(Make.subject, {"subject_name": "PHYSICS"}, subject_name="Physics"),
            "subject_name",
            "Subject_subjectName_lower_key",
        ),
        ("a subject without a name", {"subject_name": " "}, "subject_name", REQUIRED),
    ],
    "course": [
        ("grade level 13", {"grade": "13"}, "grade", NOT_A_CHOICE),
        ("no section", {"section": ""}, "section", REQUIRED),
        ("no year", {"school_year": ""}, "school_year", REQUIRED),
        ("a year that is gone", {"school_year": "999999"}, "school_year", GONE),
        ("the same class again", same_class, "course_name", "Course_schoolYearId_grade_section_courseName_key"),
        (
            "a teacher twice, first and second",
            same_teacher("teacher1", "teacher2"),
            "teacher2",
            "Course_teachers_check",
        ),
        ("a teacher twice, first and third", same_teacher("teacher1", "teacher3"), "teacher3", "Course_teachers_check"),
        (
            "a teacher twice, second and third",
            same_teacher("teacher2", "teacher3"),
            "teacher3",
            "Course_teachers_check",
        ),
    ],
    "enrollment": [
        ("the same place again", enrolled_already, "course", "Enrollment_studentId_courseId_key"),
        ("nobody", {"student": ""}, "student", REQUIRED),
        ("no course", {"course": ""}, "course", REQUIRED),
        ("a drop without semester and date", {"drop": True}, "drop", "Enrollment_drop_check"),
        ("a drop without a date", half_a_drop, "drop_semester", "Enrollment_drop_check"),
        ("a date without a drop", {"drop_date": "2025-02-01"}, "drop_date", "Enrollment_drop_check"),
        ("dropped tomorrow", drop_tomorrow, "drop_date", "Enrollment_dropDate_check"),
    ],
    "grade": [
        ("no month", {"grade_date": ""}, "grade_date", REQUIRED),
        ("a mark without enrolment", not_enrolled, "course", "Grade_studentId_courseId_fkey"),
        (
            "a second mark for the month",
            second_mark,
            "grade_date",
            "Grade_studentId_courseId_subjectId_semesterId_gradeDate_key",
        ),
        ("a mark without a subject", {"subject": ""}, "subject", REQUIRED),
        ("a mark and an excuse", {"excused": True}, "grade", "Grade_excused_check"),
    ],
    "attendance": [
        ("attendance without enrolment", not_enrolled, "course", "Attendance_studentId_courseId_fkey"),
        (
            "the same morning again",
            beside("AM", "AM"),
            "session",
            "Attendance_studentId_courseId_attendanceDate_session_key",
        ),
        ("a full day after the morning", beside("AM", "FULL"), "session", "Attendance_AM_key"),
        ("an afternoon after the full day", beside("FULL", "PM"), "session", "Attendance_PM_key"),
        ("attendance tomorrow", {"attendance_date": TOMORROW}, "attendance_date", "Attendance_attendanceDate_check"),
        ("an unknown status", {"status": "asleep"}, "status", NOT_A_CHOICE),
        ("an unknown session", {"session": "NIGHT"}, "session", NOT_A_CHOICE),
        ("no day", {"attendance_date": ""}, "attendance_date", REQUIRED),
    ],
}

MARKS = [
    *((typed, ON_THE_SCALE) for typed in ("10.5", "11", "១១", "-1", "7,500", "10.001")),
    ("9" * 100, ON_THE_SCALE),
    ("7.555", TWO_PLACES),
    *(
        (typed, no_number(typed))
        for typed in (
            "abc",
            "7.5.5",
            "7,5,5",
            "1_0",
            "٧",
            "7/10",
            "=1+1",
            "NaN",
            "sNaN",
            "Infinity",
            "-inf",
            "1e1",
            "1e-999999",
        )
    ),
    ("", "Grade_excused_check"),
    ("\u200b", "Grade_excused_check"),
]
MONTHS = ("2025-13", "2025", "March", "00/25", "31/02/2025", "0000-01", "2025-3-14-1", "13/13/2025")

EXAMPLES = [
    *((page, *example) for page, examples in FORBIDDEN.items() for example in examples),
    *(("grade", f"the mark {typed[:12]}", {"grade": typed}, "grade", sentence) for typed, sentence in MARKS),
    *(
        ("grade", f"the month {typed}", {"grade_date": typed}, "grade_date", "Grade_gradeDate_check")
        for typed in MONTHS
    ),
]


@pytest.mark.parametrize("form", ["new", "edit"])
@pytest.mark.parametrize(
    ("page", "typed", "at", "sentence"),
    [pytest.param(page, *rest, id=f"{page}: {what}") for page, what, *rest in EXAMPLES],
)
def test_a_forbidden_thing_is_said_at_its_field_and_changes_nothing(
    admin: PageClient,
    make: Make,
    session: Session,
    form: str,
    page: str,
    typed: Typed | Callable[[Make], Typed],
    at: str,
    sentence: str,
) -> None:
    wrong = typed(make) if callable(typed) else typed
    if form == "new":
        wrong = GOOD[page](make) | wrong
        admin.get(f"/admin/{page}/new/")
    else:
        admin.get(f"/admin/{page}/edit/?id={key_of(make.one(page))}")
    before = contents(session)

    refused = admin.submit(typed=wrong)

    assert refused.status == 200
    assert refused.errors == {at: SENTENCES.get(sentence, sentence)}
    assert contents(session) == before
    # What was never offered cannot be shown as chosen.
    offered = {name: value for name, value in wrong.items() if name != at or (value and sentence not in NOT_OFFERED)}
    assert kept(refused, offered)


def test_a_new_account_needs_a_password(admin: PageClient, make: Make, session: Session) -> None:
    typed = GOOD["user"](make) | {"new_password": ""}
    before = contents(session)

    admin.get("/admin/user/new/")
    refused = admin.submit(typed=typed)

    assert refused.errors == {"new_password": REQUIRED}
    assert contents(session) == before
