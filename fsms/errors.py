"""What can go wrong at the school's desk, in sentences fit for the screen. Imports nothing of ours.

A sentence says what happened and what to do. It is English here and translated where it is shown;
`%(name)s` marks the facts that are filled in after translation.
"""

import re


class SchoolError(Exception):
    """A rule of the school was broken; the message is for the person at the screen."""

    def __init__(self, sentence: str, *, about: str | None = None, **facts: object) -> None:
        """Keep the untranslated sentence and its facts apart, so that the screen can translate it.

        `about` names the attribute that is wrong, so that a form can put the sentence at its field.
        """
        super().__init__(sentence % facts if facts else sentence)
        self.about = about
        self.sentence = sentence
        self.facts = facts


class InvalidValue(SchoolError):
    """A single field makes no sense by itself."""


class Refused(SchoolError):
    """The person may not do this, or not to this record."""


class StaleRecord(SchoolError):
    """Somebody else saved the record since it was opened."""


# ---- What the database refuses, in words ---------------------------------------------------------------------------


def _(sentence: str) -> str:
    """Mark a sentence for the translators; the screen translates it when it is shown."""
    return sentence


_CHOOSE_PUPIL = _("This pupil is not in the school's records any more. Choose another pupil.")
_CHOOSE_COURSE = _("This class does not exist any more. Choose another class.")
_CHOOSE_TEACHER = _("This staff member has no account any more. Choose another teacher.")
_CHOOSE_SEMESTER = _("This semester does not exist any more. Choose another semester.")
_CHOOSE_YEAR = _("This school year does not exist any more. Choose another school year.")
_NOT_ENROLLED = _("The pupil is not enrolled in this class. Enrol the pupil first.")
_AMOUNT = _("An amount of money cannot be less than zero. Enter the amount in riel, or leave it empty.")
_VIEW = _("The view was not kept, because something of it is missing. Please report it.")
_RECEIPT = _("The request lacks what is needed to answer it only once, so nothing was saved. Please report it.")
_FULL_DAY = _("A full day stands for morning and afternoon, and one of them is already recorded. Change that entry.")

SENTENCES: dict[str, str] = {
    # Staff
    "User_username_key": _("This user name is taken. Choose another one."),
    "User_username_lower_key": _("This user name is taken; capital letters make no difference. Choose another one."),
    "User_username_check": _("Use only letters and digits in the user name, without spaces."),
    "User_password_check": _("The password was not encrypted, so it was not saved. Set it through the password field."),
    "User_role_check": _("There is no such role. Choose administrator or teacher."),
    "User_status_check": _("There is no such account status. Choose active or inactive."),
    "User_name_check": _("A name is empty. Enter family name and first name."),
    "User_failedLoginAttempts_check": _("Failed sign-ins cannot be fewer than none. Enter 0 or more."),
    # Pupils and their families
    "Student_gender_check": _("There is no such gender in the records. Choose male or female."),
    "Student_class_check": _("There is no such grade level. Choose one from 1 to 12."),
    "Student_status_check": _("There is no such status for a pupil. Choose one from the list."),
    "Student_dob_check": _("The date of birth is in the future or before 1900. Enter the day the pupil was born."),
    "Student_lastName_check": _("The family name is too short. Write at least 2 characters."),
    "Student_firstName_check": _("The first name is too short. Write at least 2 characters."),
    "Guardian_studentId_fkey": _CHOOSE_PUPIL,
    "Guardian_relation_check": _("Say what the guardian is to the pupil: father, mother or somebody else."),
    "Guardian_income_check": _AMOUNT,
    "Guardian_childrenCount_check": _("The number of children must be from 0 to 30. Correct it, or leave it empty."),
    "FamilyInfo_studentId_key": _("This pupil already has a family record. Open that one and change it."),
    "FamilyInfo_studentId_fkey": _CHOOSE_PUPIL,
    "FamilyInfo_helpAmount_check": _AMOUNT,
    "Scholarship_studentId_fkey": _CHOOSE_PUPIL,
    "Scholarship_amount_check": _AMOUNT,
    # Calendar and courses
    "SchoolYear_schoolYearCode_key": _("This school year is already there. Open it instead of adding it again."),
    "SchoolYear_schoolYearCode_check": _("Write the school year as two years in a row, for example 2024-2025."),
    "Semester_semesterCode_key": _("This semester code is taken. Open that semester, or choose another code."),
    "Semester_schoolYearId_fkey": _CHOOSE_YEAR,
    "Semester_names_check": _("Give the semester a name and a code, for example S1-2024."),
    "Semester_dates_check": _("Give the semester both its first and its last day, in this order, or neither."),
    "Semester_dates_excl": _("Some of these days belong to another semester already. Change the dates of one of them."),
    "Subject_subjectName_lower_key": _(
        "There is already a subject of this name. Use that one, or choose another name."
    ),
    "Subject_subjectName_check": _("The subject has no name. Write one."),
    "Course_schoolYearId_fkey": _CHOOSE_YEAR,
    "Course_teacherId1_fkey": _CHOOSE_TEACHER,
    "Course_teacherId2_fkey": _CHOOSE_TEACHER,
    "Course_teacherId3_fkey": _CHOOSE_TEACHER,
    "Course_schoolYearId_grade_section_courseName_key": _(
        "This class is already there in this school year. Open it, or choose another section or name."
    ),
    "Course_grade_check": _("There is no such grade level. Choose one from 1 to 12."),
    "Course_section_check": _("The section is empty. Write a letter, for example A."),
    "Course_courseName_check": _("The class has no name. Write one."),
    "Course_teachers_check": _("The same teacher is named twice. Choose different teachers for the class."),
    # Enrolment, marks and attendance
    "Enrollment_courseId_fkey": _CHOOSE_COURSE,
    "Enrollment_studentId_fkey": _CHOOSE_PUPIL,
    "Enrollment_dropSemesterId_fkey": _CHOOSE_SEMESTER,
    "Enrollment_studentId_courseId_key": _("This pupil already has a place in this class. Open that enrolment."),
    "Enrollment_drop_check": _("A drop needs both its semester and its date. Enter both, or take the drop back."),
    "Enrollment_enrolledOn_check": _("The drop lies before the pupil's first day in the class. Correct one of them."),
    "Enrollment_away_check": _(
        "The pupil left this class before and came back later than that. Enter the day of coming back or a later one."
    ),
    "Enrollment_dropDate_check": _("The date of the drop is in the future. Enter today or an earlier day."),
    "Grade_courseId_fkey": _CHOOSE_COURSE,
    "Grade_studentId_fkey": _CHOOSE_PUPIL,
    "Grade_subjectId_fkey": _("This subject does not exist any more. Choose another subject."),
    "Grade_semesterId_fkey": _CHOOSE_SEMESTER,
    "Grade_userId_fkey": _CHOOSE_TEACHER,
    "Grade_studentId_courseId_fkey": _NOT_ENROLLED,
    "Grade_studentId_courseId_subjectId_semesterId_gradeDate_key": _(
        "The pupil already has a mark in this subject for this date. Change that mark."
    ),
    "Grade_enrollment_check": _(
        "The pupil was not in this class then: not yet, or not any more. Check the month, or the enrolment."
    ),
    "Grade_grade_check": _("A mark cannot be less than zero. Enter the mark as a number, for example 7.5."),
    "Grade_excused_check": _("A mark is a number, or the pupil was excused: enter one of the two."),
    "Grade_gradeDate_check": _("Write the month as 2025-03 or 03/25, or the day as 2025-03-14 or 14/03/2025."),
    "Attendance_courseId_fkey": _CHOOSE_COURSE,
    "Attendance_studentId_fkey": _CHOOSE_PUPIL,
    "Attendance_semesterId_fkey": _CHOOSE_SEMESTER,
    "Attendance_schoolYearId_fkey": _CHOOSE_YEAR,
    "Attendance_studentId_courseId_fkey": _NOT_ENROLLED,
    "Attendance_studentId_courseId_attendanceDate_session_key": _(
        "The pupil's attendance for this part of the day is already recorded. Change that entry."
    ),
    "Attendance_AM_key": _FULL_DAY,
    "Attendance_PM_key": _FULL_DAY,
    "Attendance_enrollment_check": _(
        "The pupil was not in this class on that day: not yet, or not any more. Check the day, or the enrolment."
    ),
    "Attendance_status_check": _("There is no such attendance status. Choose present, absent, late or excused."),
    "Attendance_attendanceDate_check": _("Attendance cannot be taken in advance. Choose today or an earlier day."),
    # The log
    "ActivityLog_userId_fkey": _("This staff member has no account any more, so nothing was recorded. Sign in again."),
    "ActivityLog_action_check": _("The log entry does not say what was done, so nothing was saved. Please report it."),
    # What the panel keeps for itself
    "SavedView_userId_fkey": _("Your account does not exist any more, so the view was not kept. Sign in again."),
    "SavedView_own_key": _("You have a view of this name already. Choose another name, or change that view."),
    "SavedView_shared_key": _("There is an office view of this name already. Choose another name."),
    "SavedView_page_check": _("The view belongs to no list, so it was not kept. Please report it."),
    "SavedView_name_check": _("Give the view a name of up to 60 characters."),
    "SavedView_address_check": _("The view asks for too much at once. Take some filters away."),
    "TermLock_semesterId_fkey": _CHOOSE_SEMESTER,
    "TermLock_courseId_fkey": _CHOOSE_COURSE,
    "TermLock_lockedBy_fkey": _CHOOSE_TEACHER,
    "TermLock_openedBy_fkey": _CHOOSE_TEACHER,
    "TermLock_all_key": _("The marks of this semester are locked for all classes already. Open the page again."),
    "TermLock_course_key": _("The marks of this class are locked already. Open the page again."),
    "TermLock_reason_check": _("Say why: whoever finds the marks locked or open reads it."),
    "TermLock_open_check": _("Opening locked marks needs both a reason and an end. Enter both."),
    "Preference_userId_fkey": _("Your account does not exist any more, so the choice was not kept. Sign in again."),
    "Preference_name_check": _("This choice has no name or too long a one, so it was not kept. Please report it."),
    "Preference_value_check": _("This choice is too long to be kept. Choose less."),
    "Receipt_userId_fkey": _("This staff member has no account any more, so nothing was saved. Sign in again."),
    "Receipt_userId_key_key": _("This request was answered already. Open the page again to see what was saved."),
    "Receipt_what_check": _RECEIPT,
}
"""What to say where a row would break the constraint of this name."""

STILL_USED: dict[str, str] = {
    "Guardian_studentId_fkey": _("This pupil has guardians on record. Remove them first."),
    "FamilyInfo_studentId_fkey": _("This pupil has a family record. Remove it first."),
    "Scholarship_studentId_fkey": _("This pupil has a scholarship on record. Remove it first."),
    "Enrollment_studentId_fkey": _("This pupil is or was enrolled in a class, so the record must stay."),
    "Grade_studentId_fkey": _("This pupil has marks, so the record must stay. Drop the pupil from the class instead."),
    "Attendance_studentId_fkey": _(
        "This pupil has attendance on record, so the record must stay. Drop the pupil from the class instead."
    ),
    "Course_schoolYearId_fkey": _("This school year has classes, so it must stay."),
    "Enrollment_courseId_fkey": _("Pupils are or were enrolled in this class, so it must stay."),
    "Grade_courseId_fkey": _("There are marks in this class, so it must stay."),
    "Attendance_courseId_fkey": _("Attendance was taken in this class, so it must stay."),
    "Grade_subjectId_fkey": _("There are marks in this subject, so it must stay. It can be renamed."),
    "Grade_semesterId_fkey": _("There are marks in this semester, so it must stay."),
    "Enrollment_dropSemesterId_fkey": _("Pupils were dropped in this semester, so it must stay."),
    "Grade_studentId_courseId_fkey": _(
        "The pupil has marks in this class, so the enrolment must stay. Drop the pupil instead."
    ),
    "Attendance_studentId_courseId_fkey": _(
        "The pupil has attendance in this class, so the enrolment must stay. Drop the pupil instead."
    ),
    "ActivityLog_userId_fkey": _(
        "This account has entries in the activity log, so it must stay. Set it to inactive instead."
    ),
}
"""What to say where a row cannot go (or change its number) because others point at it through this foreign key."""

REQUIRED: dict[str, str] = {
    "User.username": _("The user name is empty. Write one."),
    "User.password": _("The password is empty. Set one of at least 8 characters."),
    "User.lastname": _("The family name is empty. Write it."),
    "User.firstname": _("The first name is empty. Write it."),
    "Student.lastName": _("The family name is empty. Write it."),
    "Student.firstName": _("The first name is empty. Write it."),
    "Student.gender": _("The gender is empty. Choose male or female."),
    "Student.dob": _("The date of birth is empty. Enter it as 2010-05-31."),
    "Student.class": _("The grade level is empty. Choose one from 1 to 12."),
    "Guardian.studentId": _("Choose the pupil this guardian answers for."),
    "Guardian.relation": _("Say what the guardian is to the pupil: father, mother or somebody else."),
    "FamilyInfo.studentId": _("Choose the pupil this family record is about."),
    "Scholarship.studentId": _("Choose the pupil who gets the scholarship."),
    "SchoolYear.schoolYearCode": _("Write the school year as two years in a row, for example 2024-2025."),
    "Semester.semester": _("Give the semester a name and a code, for example S1-2024."),
    "Semester.semesterCode": _("Give the semester a name and a code, for example S1-2024."),
    "Subject.subjectName": _("The subject has no name. Write one."),
    "Course.schoolYearId": _("Choose the school year of the class."),
    "Course.grade": _("The grade level is empty. Choose one from 1 to 12."),
    "Course.section": _("The section is empty. Write a letter, for example A."),
    "Course.courseName": _("The class has no name. Write one."),
    "Enrollment.studentId": _("Choose the pupil to enrol."),
    "Enrollment.courseId": _("Choose the class to enrol the pupil in."),
    "Grade.studentId": _("Choose the pupil the mark is for."),
    "Grade.courseId": _("Choose the class the mark was given in."),
    "Grade.subjectId": _("Choose the subject the mark is for."),
    "Grade.semesterId": _("Choose the semester the mark belongs to."),
    "Grade.gradeDate": _("Write the month as 2025-03 or 03/25, or the day as 2025-03-14 or 14/03/2025."),
    "Attendance.studentId": _("Choose the pupil whose attendance this is."),
    "Attendance.courseId": _("Choose the class the attendance was taken in."),
    "Attendance.attendanceDate": _("The day is empty. Enter it as 2025-03-14."),
    "Attendance.session": _("Choose morning, afternoon or full day."),
    "Attendance.status": _("Choose present, absent, late or excused."),
    "TermLock.semesterId": _("Choose the semester whose marks are to be locked."),
    "TermLock.reason": _("Say why: whoever finds the marks locked or open reads it."),
    "ActivityLog.action": _("The log entry does not say what was done, so nothing was saved. Please report it."),
    "Preference.value": _("Nothing was chosen, so nothing was kept. Choose again."),
    "Receipt.key": _RECEIPT,
    "Receipt.userId": _RECEIPT,
    "Receipt.what": _RECEIPT,
    "Receipt.answer": _RECEIPT,
    "SavedView.userId": _VIEW,
    "SavedView.page": _VIEW,
    "SavedView.name": _("Give the view a name of up to 60 characters."),
    "SavedView.address": _VIEW,
}
"""What to say where a column that must be filled is empty."""

BY_STATE: dict[str, str] = {
    "22003": _("A number is too large. Check the digits and enter it again."),
    "22007": _("A date cannot be read. Enter it as 2025-03-14."),
    "22008": _("A date cannot be read. Enter it as 2025-03-14."),
    "22P02": _("A value cannot be read. Choose it from the list, or write numbers as 7.5."),
    "23001": _("Other records depend on this one, so it must stay."),
    "23502": _("A field that must be filled is empty. Fill it in."),
    "23503": _("This record depends on another one that does not exist any more. Open the page again."),
    "23505": _("There is already such a record. Open that one instead of adding it again."),
    "23514": _("A value is not allowed here. Check what you entered."),
    "23P01": _("This overlaps with another record. Check what you entered."),
    "40001": _("Somebody else was saving the same records. Nothing was saved; please try again."),
    "40P01": _("Somebody else was saving the same records. Nothing was saved; please try again."),
    "FS001": _("The activity log is never changed, whoever asks: it tells what happened."),
}
"""What to say by PostgreSQL's error code where no constraint has a sentence of its own."""

UNKNOWN = _("The database did not accept this, and nothing was saved. Check what you entered and try again.")

_WHOLE_DROP = "Enrollment_drop_check"
_DROP_SEMESTER = "Enrollment_dropSemesterId_fkey"


def was_a_race(error: BaseException) -> bool:
    """Say whether two transactions were in one another's way, and this is the one that was stopped."""
    return getattr(_diagnosis(error), "sqlstate", None) in ("40001", "40P01")


def constraint_of(error: BaseException) -> str | None:
    """Name the constraint that refused the row; None where the error is about none."""
    name: str | None = getattr(_diagnosis(error), "constraint_name", None)
    return name


def is_refusal(error: BaseException) -> bool:
    """Say whether the database refused because of who asked: a column not granted, a row of somebody else."""
    return getattr(_diagnosis(error), "sqlstate", None) == "42501"


def sentence_for(error: BaseException) -> str:
    """Say in words what the database refused, for an error of SQLAlchemy or of psycopg; shows no SQL and no value."""
    diagnosis = _diagnosis(error)
    state = getattr(diagnosis, "sqlstate", None) or ""
    name = constraint_of(error) or ""
    column = f"{getattr(diagnosis, 'table_name', '')}.{getattr(diagnosis, 'column_name', '')}"
    if sentence := _still_used(diagnosis, name, state):
        return sentence
    return SENTENCES.get(name) or REQUIRED.get(column) or BY_STATE.get(state, UNKNOWN)


def _still_used(diagnosis: object, name: str, state: str) -> str | None:
    """Tell the foreign key that holds a parent fast from the one that misses a parent: both bear the same name.

    PostgreSQL 18 has a code for the first, 23001. Before it, the detail ends with the table at the other side; that
    name stands there in every language of the server.
    """
    if name == _WHOLE_DROP and f'"{_DROP_SEMESTER.split("_")[1]}" = NULL' in (getattr(diagnosis, "context", "") or ""):
        # The semester was deleted, and its foreign key emptied the link of a drop.
        return STILL_USED[_DROP_SEMESTER]
    if state not in ("23001", "23503"):
        return None
    other_side = (getattr(diagnosis, "message_detail", None) or "").rpartition(")")[2]
    child = getattr(diagnosis, "table_name", None) or ""
    if state == "23001" or (child and re.search(rf"\b{re.escape(child)}\b", other_side)):
        return STILL_USED.get(name, BY_STATE["23001"])
    return None


def _diagnosis(error: BaseException) -> object:
    """Find psycopg's diagnosis, below SQLAlchemy's wrapping or bare."""
    return getattr(getattr(error, "orig", None) or error, "diag", None)
