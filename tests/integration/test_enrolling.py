"""Pupils come into classes and leave them: nothing is destroyed, every act can be taken back, no teacher does it."""

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine, func, select, text
from sqlalchemy.dialects.postgresql import Range
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session, sessionmaker

from fsms import activity, errors, policy
from fsms.config import AttendanceRules
from fsms.errors import Refused, SchoolError
from fsms.grading import PLAIN
from fsms.models import (
    ENTITIES,
    ActivityLog,
    Attendance,
    Course,
    Enrollment,
    Grade,
    SchoolYear,
    Semester,
    Student,
    User,
)
from fsms.operations import enrolling, undoing
from fsms.operations.enrolling import BadDay, HasAPlace, Later, Leaving, SecondClass, WasDropped
from fsms.operations.places import NotInTheClass, of
from fsms.policy import Actor, set_attendance_rules, speak_for
from fsms.reports import effects, story
from fsms.reports import marks as marks_report
from fsms.reports.story import Event
from fsms.vocabulary import StudentStatus
from tests.builders import Make
from tests.database import engine_of, migrated_template, scratch_database
from tests.integration.test_undoing import everything

PRINCIPAL = Actor(1, "admin")
TEACHER = Actor(2, "teacher")
TODAY = dt.date(2025, 2, 10)
DAY = dt.date(2025, 1, 15)

Sessions = sessionmaker(join_transaction_mode="create_savepoint")
policy.install(Sessions)
activity.install(Sessions)


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    """A database with a principal and a teacher."""
    with scratch_database("enrolling", migrated_template()) as url, engine_of(url) as engine:
        with Session(engine) as session:
            Make(session).user(user_id=PRINCIPAL.user_id, username="principal", role="admin")
            Make(session).user(user_id=TEACHER.user_id, username="sokha")
        yield engine


@pytest.fixture
def connection(engine: Engine) -> Iterator[Connection]:
    """One connection, and nothing of the test is kept."""
    with engine.connect() as connection, connection.begin() as transaction:
        yield connection
        transaction.rollback()


@pytest.fixture
def session(connection: Connection) -> Iterator[Session]:
    """A session in which the principal acts."""
    with Sessions(bind=connection) as session:
        speak_for(session, PRINCIPAL)
        yield session


@dataclass
class School:
    """The year 2024-2025 with two classes of grade 7, and one class of the year before."""

    session: Session
    make: Make
    year: SchoolYear
    a: Course
    b: Course
    last_year: Course

    def pupil(self, *, course: Course | None = None, days: int = 0, marks: int = 0, **of_place: Any) -> Enrollment:
        """A pupil in 7A, with attendance on as many days before and after the day of the drop, and so many marks."""
        place = self.make.enrollment(course=course or self.a, **of_place)
        for away in range(1, days + 1):
            for day in (DAY - dt.timedelta(away), DAY + dt.timedelta(away)):
                self.make.attendance(enrollment=place, attendance_date=day)
        for month in range(marks):
            self.make.grade(enrollment=place, grade_date=f"2024-{month + 1:02}", semester=self.first_semester)
        enrolling.keep_in_step(self.session, [place.student_id])
        self.session.commit()
        return place

    @property
    def first_semester(self) -> Semester:
        return self.session.scalars(select(Semester).where(Semester.semester_code == "S1-2024")).one()

    def counts(self) -> dict[str, int]:
        """How many rows each table has, but the log."""
        return {
            entity.__tablename__: self.session.scalar(select(func.count()).select_from(entity.__table__)) or 0
            for entity in ENTITIES
            if entity is not ActivityLog
        }

    def last_batch(self) -> Any:
        return self.session.scalar(select(ActivityLog.batch).order_by(ActivityLog.id.desc()).limit(1))


@pytest.fixture
def school(session: Session) -> School:
    return school_in(session)


def school_in(session: Session) -> School:
    make = Make(session)
    year = make.school_year(school_year_code="2024-2025")
    for code, first, last in (
        ("S1-2024", dt.date(2024, 11, 1), dt.date(2025, 3, 31)),
        ("S2-2024", dt.date(2025, 4, 1), dt.date(2025, 8, 31)),
    ):
        make.semester(semester_code=code, school_year=year, start_date=first, end_date=last)
    before = make.school_year(school_year_code="2023-2024")
    make.semester(semester_code="S2-2023", school_year=before)
    return School(
        session=session,
        make=make,
        year=year,
        a=make.course(level=7, section="A", school_year=year),
        b=make.course(level=7, section="B", school_year=year),
        last_year=make.course(level=6, section="A", school_year=before),
    )


def drop(school: School, *places: Enrollment, on: dt.date = DAY, later: Later = Later.KEEP) -> None:
    numbers = [place.enrollment_id for place in places]
    enrolling.drop(school.session, numbers, Leaving(on, "Moved house", later), today=TODAY)
    school.session.commit()


# ---- Dropping ------------------------------------------------------------------------------------------------------


def test_a_drop_closes_the_place_and_keeps_every_row(school: School) -> None:
    place = school.pupil(days=3, marks=2)
    before = school.counts()

    drop(school, place)

    assert (place.drop, place.drop_date, place.drop_reason) == (True, DAY, "Moved house")
    assert str(place.drop_semester) == "S1-2024"
    assert school.counts() == before


def test_attendance_after_the_drop_goes_if_the_person_says_so_and_comes_back_with_undo(
    school: School, connection: Connection
) -> None:
    place = school.pupil(days=3, marks=2)
    before, rows = school.counts(), everything(connection)

    drop(school, place, later=Later.REMOVE)
    after = school.counts()
    undoing.undo(school.session, school.last_batch())

    assert before["Attendance"] - after.pop("Attendance") == 3
    assert after == {table: count for table, count in before.items() if table != "Attendance"}
    assert everything(connection) == rows


def test_who_is_dropped_from_the_only_class_is_in_none_and_studies_no_more(school: School) -> None:
    place = school.pupil()
    assert (place.student.class_id, place.student.class_) == (school.a.course_id, "7")

    drop(school, place)

    assert (place.student.class_id, place.student.class_, place.student.school_year) == (None, "7", "2024-2025")
    assert place.student.status == StudentStatus.INACTIVE


def test_who_is_dropped_from_an_old_class_studies_on(school: School) -> None:
    now = school.pupil()
    old = school.make.enrollment(student=now.student, course=school.last_year)

    drop(school, old, on=dt.date(2024, 2, 1))

    assert (now.student.class_id, now.student.status) == (school.a.course_id, "active")


@pytest.mark.parametrize(
    ("day", "sentence"),
    [
        (TODAY + dt.timedelta(1), "future"),
        (dt.date(2024, 10, 31), "came to"),
        (dt.date(2024, 11, 1), None),
        (TODAY, None),
    ],
)
def test_the_day_lies_within_the_enrolment_and_not_in_the_future(
    school: School, day: dt.date, sentence: str | None
) -> None:
    place = school.pupil()

    if sentence is None:
        drop(school, place, on=day)
        assert place.drop_date == day
    else:
        with pytest.raises(BadDay, match=sentence):
            drop(school, place, on=day)


def test_nobody_is_dropped_before_coming_or_after_the_year(school: School) -> None:
    late = school.pupil(enrolled_on=dt.date(2025, 1, 10))
    old = school.pupil(course=school.last_year)

    with pytest.raises(BadDay, match="came to 7A"):
        drop(school, late, on=dt.date(2025, 1, 9))
    with pytest.raises(BadDay, match="ended on 31/08/2024"):
        drop(school, old, on=dt.date(2024, 9, 1))


def test_many_are_dropped_together_or_not_at_all(school: School) -> None:
    first, second = school.pupil(), school.pupil(enrolled_on=dt.date(2025, 2, 1))

    with pytest.raises(BadDay):
        drop(school, first, second)
    school.session.rollback()
    assert not first.drop

    drop(school, first, second, on=dt.date(2025, 2, 1))

    assert first.drop
    assert second.drop
    told = school.session.scalars(select(ActivityLog).where(ActivityLog.action == "drop_students")).one()
    assert told.details
    assert told.details["facts"]["pupils"] == 2


def test_who_was_dropped_meanwhile_is_not_dropped_again(school: School) -> None:
    place = school.pupil()
    drop(school, place)

    with pytest.raises(NotInTheClass, match="on 15/01/2025 already"):
        drop(school, place, on=TODAY)
    with pytest.raises(NotInTheClass, match="does not exist"):
        enrolling.drop(school.session, [999_999], Leaving(DAY, "x"), today=TODAY)


def test_a_class_planned_for_a_later_year_can_be_given_up(school: School) -> None:
    coming = school.make.course(level=8, school_year=school.make.school_year(school_year_code="2025-2026"))
    school.make.semester(semester_code="S1-2025")
    place = school.pupil(course=coming, enrolled_on=dt.date(2025, 11, 20))

    drop(school, place, on=TODAY)

    assert (place.enrolled_on, place.drop_date, str(place.drop_semester)) == (None, TODAY, "S1-2025")


@pytest.mark.parametrize(
    ("chosen", "own_words", "kept"),
    [
        ("Illness", "", "Illness"),
        ("Illness", " dengue  fever ", "Illness: dengue fever"),
        ("", "ផ្លាស់ទីលំនៅ", "ផ្លាស់ទីលំនៅ"),
        ("not on the list", "x", "x"),
    ],
)
def test_a_reason_is_of_the_list_or_in_own_words(chosen: str, own_words: str, kept: str) -> None:
    assert enrolling.reason(chosen, own_words) == kept


@pytest.mark.parametrize(("chosen", "own_words"), [("", ""), ("not on the list", "  "), ("Illness", "x" * 300)])
def test_a_reason_is_there_and_not_a_novel(chosen: str, own_words: str) -> None:
    with pytest.raises(SchoolError):
        enrolling.reason(chosen, own_words)


# ---- Coming back, moving, leaving ----------------------------------------------------------------------------------


def test_re_enrolling_opens_the_same_place_and_the_log_keeps_the_story(school: School) -> None:
    place = school.pupil(days=1, marks=1)
    before = school.counts()
    drop(school, place)

    enrolling.re_enrol(school.session, place.enrollment_id, today=TODAY)

    assert (place.drop, place.drop_date, place.drop_semester, place.drop_reason) == (False, None, None, None)
    assert (place.student.status, place.student.class_id) == ("active", school.a.course_id)
    assert school.counts() == before
    deeds = select(ActivityLog.action).where(ActivityLog.details.has_key("sentence")).order_by(ActivityLog.id)
    assert school.session.scalars(deeds).all() == ["drop_student", "re_enrol_student"]
    with pytest.raises(NotInTheClass, match="already"):
        enrolling.re_enrol(school.session, place.enrollment_id, today=TODAY)


def in_words(place: Enrollment) -> list[str]:
    return [str(gap) for gap in place.away or ()]


def test_who_comes_back_was_away_in_between(school: School) -> None:
    place = school.pupil()
    drop(school, place, on=DAY)

    enrolling.re_enrol(school.session, place.enrollment_id, today=TODAY)
    school.session.commit()
    drop(school, place, on=TODAY)
    enrolling.re_enrol(school.session, place.enrollment_id, today=TODAY + dt.timedelta(3))

    assert in_words(place) == ["[2025-01-15,2025-02-10)", "[2025-02-10,2025-02-13)"]
    assert [day for day in (DAY - ONE, DAY, TODAY - ONE, TODAY, TODAY + 3 * ONE) if place.is_active_on(day)] == [
        DAY - ONE,
        TODAY + 3 * ONE,
    ]


ONE = dt.timedelta(1)


@pytest.mark.parametrize(
    ("on", "away"), [(DAY, []), (DAY + ONE, ["[2025-01-15,2025-01-16)"]), (TODAY, ["[2025-01-15,2025-02-10)"])]
)
def test_the_day_of_coming_back_can_be_said(school: School, on: dt.date, away: list[str]) -> None:
    place = school.pupil()
    drop(school, place)

    enrolling.re_enrol(school.session, place.enrollment_id, today=TODAY, on=on)

    assert in_words(place) == away
    assert place.is_active_on(on)


@pytest.mark.parametrize(
    ("on", "sentence"),
    [(TODAY + ONE, "lies in the future"), (DAY - ONE, r"was in 7A · 2024-2025 until 15/01/2025")],
)
def test_nobody_comes_back_before_the_drop_or_tomorrow(school: School, on: dt.date, sentence: str) -> None:
    place = school.pupil()
    drop(school, place)

    with pytest.raises(BadDay, match=sentence):
        enrolling.re_enrol(school.session, place.enrollment_id, today=TODAY, on=on)

    assert place.drop


def test_a_place_of_a_year_that_is_over_is_opened_for_its_last_day(school: School) -> None:
    place = school.pupil()
    drop(school, place)

    enrolling.re_enrol(school.session, place.enrollment_id, today=dt.date(2026, 2, 1))

    assert in_words(place) == ["[2025-01-15,2025-08-31)"]


def test_who_moves_back_was_away_from_the_old_class(school: School) -> None:
    place = school.pupil()
    old, new = enrolling.move(
        school.session, place.enrollment_id, school.b.course_id, Leaving(DAY, "Work"), today=TODAY
    )
    school.session.commit()

    enrolling.move(school.session, new.enrollment_id, school.a.course_id, Leaving(TODAY, "Work"), today=TODAY)

    assert in_words(old) == ["[2025-01-15,2025-02-10)"]
    assert (old.drop, new.drop, new.away) == (False, True, None)


def test_a_drop_does_not_fall_into_a_time_away(school: School) -> None:
    place = school.pupil()
    drop(school, place)
    enrolling.re_enrol(school.session, place.enrollment_id, today=TODAY)
    school.session.commit()

    with pytest.raises(BadDay, match="on 10/02/2025"):
        drop(school, place, on=TODAY - ONE)


def test_for_a_time_away_nobody_writes_attendance_or_marks(school: School) -> None:
    place = school.pupil()
    school.a.teacher_id1 = TEACHER.user_id
    subject = school.make.subject()
    drop(school, place, on=dt.date(2024, 11, 20))
    enrolling.re_enrol(school.session, place.enrollment_id, today=TODAY)
    school.session.commit()
    set_attendance_rules(school.session, AttendanceRules(open_days=100_000))
    whose = {"student_id": place.student_id, "course_id": place.course_id}
    seen = {**whose, "session": "AM", "status": "Present"}
    given = {**whose, "subject_id": subject.subject_id, "semester_id": school.first_semester.semester_id, "grade": 8}

    for actor in (PRINCIPAL, TEACHER):
        speak_for(school.session, actor)
        for row, sentence in (
            (Attendance(**seen, attendance_date=dt.date(2024, 11, 21)), "was not in this class on that day"),
            (Attendance(**seen, attendance_date=TODAY - ONE), "was not in this class on that day"),
            (Grade(**given, grade_date="2024-12", user_id=actor.user_id), "was not in this class then"),
            (Grade(**given, grade_date="2025-02-09", user_id=actor.user_id), "was not in this class then"),
        ):
            school.session.add(row)
            with pytest.raises(DBAPIError) as refused:
                school.session.flush()
            school.session.rollback()
            assert sentence in errors.sentence_for(refused.value)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(days=st.lists(st.integers(0, 90), min_size=1, max_size=6, unique=True).map(sorted), late=st.booleans())
def test_database_and_panel_agree_who_is_in_a_class_on_a_day(engine: Engine, days: list[int], late: bool) -> None:
    with engine.connect() as connection, connection.begin() as transaction, Sessions(bind=connection) as session:
        speak_for(session, PRINCIPAL)
        school = school_in(session)
        first, *ends = [dt.date(2024, 11, 2) + dt.timedelta(day) for day in days]
        place = school.pupil(enrolled_on=first if late else None)
        for n, day in enumerate(ends):
            if n % 2 == 0:
                drop(school, place, on=day)
            else:
                enrolling.re_enrol(session, place.enrollment_id, today=TODAY, on=day)
                session.commit()
        for day in (dt.date(2024, 11, 1) + dt.timedelta(n) for n in range(95)):
            found = select(Enrollment.enrollment_id).where(Enrollment.is_active_on(day))
            assert bool(session.scalars(found).all()) == place.is_active_on(day)
        transaction.rollback()


def test_a_move_ends_one_place_and_begins_another_on_the_day(school: School) -> None:
    place = school.pupil(days=2, marks=2)
    before = school.counts()

    old, new = enrolling.move(
        school.session, place.enrollment_id, school.b.course_id, Leaving(DAY, "Moved to another class"), today=TODAY
    )

    assert (old.drop_date, new.enrolled_on, new.drop) == (DAY, DAY, False)
    assert (new.student.class_id, new.student.status) == (school.b.course_id, "active")
    assert school.counts() == before | {"Enrollment": before["Enrollment"] + 1}


def test_what_was_written_after_a_move_can_go_along(school: School, connection: Connection) -> None:
    place = school.pupil(days=2, marks=2)
    school.make.grade(enrollment=place, grade_date="2025-02", semester=school.first_semester)
    before = everything(connection)
    how = Leaving(DAY, "Moved to another class", Later.CARRY)

    _old, new = enrolling.move(school.session, place.enrollment_id, school.b.course_id, how, today=TODAY)

    there = Attendance.course_id == school.b.course_id
    assert school.session.scalar(select(func.count()).select_from(Attendance).where(there)) == 2
    assert school.session.scalars(select(Grade.grade_date).where(Grade.course_id == new.course_id)).all() == ["2025-02"]
    school.session.commit()
    undoing.undo(school.session, school.last_batch())
    assert everything(connection) == before


def test_who_moves_back_gets_the_old_place_again(school: School) -> None:
    place = school.pupil()
    how = Leaving(DAY, "Moved to another class")
    _, new = enrolling.move(school.session, place.enrollment_id, school.b.course_id, how, today=TODAY)

    _, back = enrolling.move(
        school.session, new.enrollment_id, school.a.course_id, Leaving(TODAY, "Moved to another class"), today=TODAY
    )

    assert back is place
    assert not place.drop
    assert new.drop_date == TODAY


def test_a_move_stays_in_the_school_year(school: School) -> None:
    place = school.pupil()

    for course, refused in ((school.last_year, SchoolError), (school.a, HasAPlace)):
        with pytest.raises(refused):
            enrolling.move(school.session, place.enrollment_id, course.course_id, Leaving(DAY, "x"), today=TODAY)


def test_leaving_school_closes_all_open_places_on_one_day_and_no_old_ones(school: School) -> None:
    place = school.pupil(days=1)
    second = school.make.enrollment(student=place.student, course=school.b)
    old = school.make.enrollment(student=place.student, course=school.last_year)
    before = school.counts()

    closed = enrolling.leave_school(
        school.session,
        place.student_id,
        Leaving(DAY, "Changed school"),
        status=StudentStatus.TRANSFERRED,
        today=TODAY,
    )

    assert {row.enrollment_id for row in closed} == {place.enrollment_id, second.enrollment_id}
    assert (place.drop_date, second.drop_date, old.drop) == (DAY, DAY, False)
    assert place.student.status == StudentStatus.TRANSFERRED
    assert school.counts() == before
    with pytest.raises(NotInTheClass, match="no open place"):
        enrolling.leave_school(
            school.session, place.student_id, Leaving(DAY, "x"), status=StudentStatus.INACTIVE, today=TODAY
        )


# ---- Enrolling -----------------------------------------------------------------------------------------------------


def test_many_are_enrolled_in_one_act_and_their_records_follow(school: School, connection: Connection) -> None:
    pupils = [school.make.student(status="inactive", class_="6") for _ in range(3)]
    before = everything(connection)

    enrolling.enrol(school.session, [p.student_id for p in pupils], school.a.course_id, on=dt.date(2025, 2, 3))
    school.session.commit()

    assert {(p.class_, p.class_id, p.school_year, p.status) for p in pupils} == {
        ("7", school.a.course_id, "2024-2025", "active")
    }
    places = school.session.scalars(select(Enrollment)).all()
    assert {place.enrolled_on for place in places} == {dt.date(2025, 2, 3)}
    undoing.undo(school.session, school.last_batch())
    assert everything(connection) == before


def test_who_begins_with_the_year_has_no_first_day_of_their_own(school: School) -> None:
    pupil = school.make.student()

    (place,) = enrolling.enrol(school.session, [pupil.student_id], school.a.course_id, on=dt.date(2024, 10, 1))

    assert place.enrolled_on is None


def test_a_pupil_has_one_place_in_a_class(school: School) -> None:
    active, dropped = school.pupil(), school.pupil()
    drop(school, dropped)

    with pytest.raises(HasAPlace, match="has a place in 7A"):
        enrolling.enrol(school.session, [active.student_id], school.a.course_id, on=TODAY)
    with pytest.raises(WasDropped, match=r"was dropped from 7A · 2024-2025 on 15/01/2025\. Re-enrol"):
        enrolling.enrol(school.session, [dropped.student_id], school.a.course_id, on=TODAY)


def test_a_second_class_in_the_year_is_confirmed(school: School) -> None:
    place = school.pupil()

    with pytest.raises(SecondClass, match="is in 7A"):
        enrolling.enrol(school.session, [place.student_id], school.b.course_id, on=TODAY)
    enrolling.enrol(school.session, [place.student_id], school.b.course_id, on=TODAY, second_class=True)

    assert school.counts()["Enrollment"] == 2


@pytest.mark.parametrize(("students", "course"), [([999_999], None), ([], None), (None, 999_999)])
def test_who_or_what_does_not_exist_is_said_so(school: School, students: list[int] | None, course: int | None) -> None:
    numbers = [school.make.student().student_id] if students is None else students

    with pytest.raises(SchoolError, match=r"any more\. Choose another"):
        enrolling.enrol(school.session, numbers, course or school.a.course_id, on=TODAY)


def test_nobody_is_enrolled_in_a_year_that_is_over(school: School) -> None:
    pupil = school.make.student()

    with pytest.raises(BadDay, match="ended on"):
        enrolling.enrol(school.session, [pupil.student_id], school.last_year.course_id, on=TODAY)


def test_a_record_registered_for_a_coming_year_is_left_alone(school: School) -> None:
    place = school.pupil()
    place.student.class_, place.student.school_year = "8", "2025-2026"
    school.session.commit()

    drop(school, place)

    assert (place.student.class_, place.student.school_year) == ("8", "2025-2026")


def test_a_day_without_a_semester_is_said_so(school: School) -> None:
    year = school.make.school_year(school_year_code="2022-2023")
    place = school.pupil(course=school.make.course(level=5, school_year=year))

    with pytest.raises(SchoolError, match="No semester of 2022-2023 holds 01/02/2023"):
        drop(school, place, on=dt.date(2023, 2, 1))


# ---- On a day ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("first", "dropped", "days"),
    [
        (None, None, (True, True, True, True)),
        (dt.date(2025, 1, 15), None, (False, True, True, True)),
        (None, dt.date(2025, 1, 15), (True, False, False, False)),
        (dt.date(2025, 1, 15), dt.date(2025, 1, 17), (False, True, True, False)),
        (dt.date(2025, 1, 15), dt.date(2025, 1, 15), (False, False, False, False)),
    ],
)
def test_who_is_active_on_a_day_is_the_same_in_python_and_in_sql(
    school: School, first: dt.date | None, dropped: dt.date | None, days: tuple[bool, ...]
) -> None:
    place = school.make.enrollment(
        course=school.a,
        enrolled_on=first,
        drop=dropped is not None,
        drop_date=dropped,
        drop_semester=school.first_semester if dropped else None,
    )

    for day, active in zip((dt.date(2025, 1, 14 + n) for n in range(4)), days, strict=True):
        assert place.is_active_on(day) is active
        assert bool(school.session.scalars(select(Enrollment).where(Enrollment.is_active_on(day))).all()) is active


# ---- Who may -------------------------------------------------------------------------------------------------------


def test_a_teacher_enrols_and_drops_nobody(school: School) -> None:
    school.a.teacher_id1 = TEACHER.user_id
    place, pupil = school.pupil(), school.make.student()
    numbers, courses, pupils = place.enrollment_id, (school.a.course_id, school.b.course_id), pupil.student_id
    before = school.counts()
    school.session.commit()
    speak_for(school.session, TEACHER)
    how = Leaving(DAY, "x")

    acts: list[Callable[[], object]] = [
        lambda: enrolling.drop(school.session, [numbers], how, today=TODAY),
        lambda: enrolling.re_enrol(school.session, numbers, today=TODAY),
        lambda: enrolling.move(school.session, numbers, courses[1], how, today=TODAY),
        lambda: enrolling.enrol(school.session, [pupils], courses[0], on=TODAY),
        lambda: enrolling.leave_school(school.session, pupils, how, status=StudentStatus.INACTIVE, today=TODAY),
    ]

    for act in acts:
        with pytest.raises(Refused, match="administrators enrol and drop"):
            act()
    for statement in (
        'UPDATE "Enrollment" SET "drop" = true, "dropDate" = \'2025-01-15\', "dropSemesterId" = 1',
        'UPDATE "Enrollment" SET "enrolledOn" = \'2025-01-15\'',
        f'INSERT INTO "Enrollment" ("studentId", "courseId") VALUES ({pupils}, {courses[0]})',  # noqa: S608
        'DELETE FROM "Enrollment"',
    ):
        with pytest.raises(DBAPIError) as refused:
            school.session.execute(text(statement))
        assert errors.is_refusal(refused.value)
        school.session.rollback()
    speak_for(school.session, PRINCIPAL)
    assert school.counts() == before


def test_nobody_takes_attendance_or_gives_marks_after_the_drop(school: School) -> None:
    place = school.pupil()
    school.a.teacher_id1 = TEACHER.user_id
    drop(school, place)
    row = {"student_id": place.student_id, "course_id": place.course_id, "session": "AM", "status": "Present"}
    school.session.commit()
    set_attendance_rules(school.session, AttendanceRules(open_days=100_000))

    for actor in (PRINCIPAL, TEACHER):
        speak_for(school.session, actor)
        school.session.add(Attendance(**row, attendance_date=DAY + dt.timedelta(1)))
        with pytest.raises(DBAPIError) as refused:
            school.session.flush()
        school.session.rollback()
        assert "was not in this class on that day" in errors.sentence_for(refused.value)


# ---- Any acts ------------------------------------------------------------------------------------------------------


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    acts=st.lists(
        st.tuples(st.sampled_from(["drop", "back", "move", "leave", "enrol"]), st.integers(0, 10**6)),
        min_size=1,
        max_size=5,
    )
)
def test_whatever_is_done_can_be_taken_back_to_the_last_value(engine: Engine, acts: list[tuple[str, int]]) -> None:
    with engine.connect() as connection, connection.begin() as transaction, Sessions(bind=connection) as session:
        speak_for(session, PRINCIPAL)
        school = school_in(session)
        for n in range(4):
            school.pupil(course=(school.a, school.b)[n % 2], days=2, marks=1)
        school.make.student()
        session.commit()
        for name, draw in acts:
            before, last, counted = everything(connection), school.last_batch(), school.counts()
            try:
                _act(school, name, draw)
                session.commit()
            except SchoolError:
                session.rollback()
            if school.last_batch() == last:
                assert everything(connection) == before
                continue
            lost = {table: n - school.counts()[table] for table, n in counted.items() if school.counts()[table] < n}
            assert set(lost) <= {"Attendance"}
            after, batch = everything(connection), school.last_batch()
            report = undoing.undo(session, batch)
            assert everything(connection) == before
            assert not report.kept_because_changed_since
            assert not report.impossible
            session.commit()
            undoing.undo(session, report.batch or batch)
            session.commit()
            assert everything(connection) == after
        transaction.rollback()


def _act(school: School, name: str, draw: int) -> None:
    session = school.session
    places = session.scalars(select(Enrollment).order_by(Enrollment.enrollment_id)).all()
    pupils = session.scalars(select(Student.student_id).order_by(Student.student_id)).all()
    place, pupil = places[draw % len(places)], pupils[draw // 7 % len(pupils)]
    course = (school.a, school.b)[draw // 3 % 2]
    how = Leaving(DAY + dt.timedelta(draw % 5 - 2), "Illness", [*Later][draw % 3])
    match name:
        case "drop":
            enrolling.drop(
                session, {place.enrollment_id, places[draw // 5 % len(places)].enrollment_id}, how, today=TODAY
            )
        case "back":
            on = None if draw % 3 else DAY + dt.timedelta(draw % 11)
            enrolling.re_enrol(session, place.enrollment_id, today=TODAY, on=on, second_class=bool(draw % 2))
        case "move":
            enrolling.move(session, place.enrollment_id, course.course_id, how, today=TODAY)
        case "leave":
            enrolling.leave_school(session, pupil, how, status=StudentStatus.TRANSFERRED, today=TODAY)
        case "enrol":
            enrolling.enrol(session, [pupil], course.course_id, on=TODAY, second_class=bool(draw % 2))


# ---- What an act would do ------------------------------------------------------------------------------------------


def rows_of(session: Session, place: Enrollment) -> tuple[int, int, int]:
    """Count marks and attendance of a place, and the attendance after the day."""
    attendance = select(func.count()).select_from(Attendance).where(*of(Attendance, place))
    return (
        session.scalar(select(func.count()).select_from(Grade).where(*of(Grade, place))) or 0,
        session.scalar(attendance) or 0,
        session.scalar(attendance.where(Attendance.attendance_date > DAY)) or 0,
    )


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    pupils=st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3), st.booleans()), min_size=1, max_size=4),
    later=st.sampled_from([*Later]),
    act=st.sampled_from(["drop", "move", "leave"]),
)
def test_the_numbers_of_a_preview_are_those_of_the_act(
    engine: Engine, pupils: list[tuple[int, int, bool]], later: Later, act: str
) -> None:
    with engine.connect() as connection, connection.begin() as transaction, Sessions(bind=connection) as session:
        speak_for(session, PRINCIPAL)
        school = school_in(session)
        places = [school.pupil(days=days, marks=marks) for days, marks, _ in pupils]
        for place, (_days, _marks, second) in zip(places, pupils, strict=True):
            if second:
                school.make.enrollment(student=place.student, course=school.make.course(school_year=school.year))
        numbers = [place.enrollment_id for place in places]
        how = Leaving(DAY, "Illness", later)
        before, rows = everything(connection), {place.enrollment_id: rows_of(session, place) for place in places}
        told = _told(school, act, numbers, how)
        assert everything(connection) == before

        done = _done(school, act, numbers, how)

        session.commit()
        assert {effect.enrollment_id for effect in told.effects} == {place.enrollment_id for place in done}
        for effect in told.effects:
            place = session.get_one(Enrollment, effect.enrollment_id)
            marks, attendance, after = rows_of(session, place)
            assert (effect.marks_kept, effect.attendance_kept, effect.attendance_later) == (marks, attendance, after)
            had = rows.get(effect.enrollment_id, (0, 0, 0))
            assert effect.marks_carried == had[0] - marks
            assert effect.attendance_removed + effect.attendance_carried == had[1] - attendance
            assert (effect.status or place.student.status) == place.student.status
            sheet = marks_report.semester(session, PLAIN, place.course_id, place.drop_semester_id or 0)
            assert sheet
            assert effect.ranked == sum(1 for line in sheet.lines if line.standing.rank)
        transaction.rollback()


def _told(school: School, act: str, numbers: list[int], how: Leaving) -> effects.Preview:
    common: dict[str, Any] = {"today": TODAY, "scheme": PLAIN}
    match act:
        case "drop":
            return effects.of_drop(school.session, numbers, how, **common)
        case "move":
            return effects.of_move(school.session, numbers[0], school.b.course_id, how, **common)
    pupil = school.session.get_one(Enrollment, numbers[0]).student_id
    return effects.of_leaving(school.session, pupil, how, status=StudentStatus.TRANSFERRED, **common)


def _done(school: School, act: str, numbers: list[int], how: Leaving) -> list[Enrollment]:
    match act:
        case "drop":
            return enrolling.drop(school.session, numbers, how, today=TODAY)
        case "move":
            return [enrolling.move(school.session, numbers[0], school.b.course_id, how, today=TODAY)[0]]
    pupil = school.session.get_one(Enrollment, numbers[0]).student_id
    return enrolling.leave_school(school.session, pupil, how, status=StudentStatus.TRANSFERRED, today=TODAY)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    marks=st.lists(st.tuples(st.integers(4, 8), st.integers(0, 8)), min_size=2, max_size=6),
    act=st.sampled_from(["drop", "move", "leave"]),
)
def test_the_ranks_of_a_preview_are_those_after_the_act(engine: Engine, marks: list[tuple[int, int]], act: str) -> None:
    with engine.connect() as connection, connection.begin() as transaction, Sessions(bind=connection) as session:
        speak_for(session, PRINCIPAL)
        school = school_in(session)
        semester, subjects = school.first_semester, [school.make.subject(), school.make.subject()]
        places = [school.pupil() for _ in marks]
        for place, given_marks in zip(places, marks, strict=True):
            for subject, mark in zip(subjects, given_marks, strict=True):
                if mark:  # Who lacks one has no rank.
                    school.make.grade(
                        enrollment=place, subject=subject, semester=semester, grade_date="2024-12", grade=mark
                    )
        numbers, how = [places[0].enrollment_id], Leaving(DAY, "Illness")

        def ranks() -> dict[int, int]:
            sheet = marks_report.semester(session, PLAIN, school.a.course_id, semester.semester_id)
            assert sheet
            return {line.student_id: line.standing.rank.place for line in sheet.lines if line.standing.rank}

        before = ranks()
        (told,) = _told(school, act, numbers, how).effects
        assert ranks() == before

        _done(school, act, numbers, how)

        after = ranks()
        assert places[0].student_id not in after
        assert told.ranked == len(after)
        assert told.rank_changes == sum(before.get(pupil) != place for pupil, place in after.items())
        transaction.rollback()


def test_a_preview_says_who_gets_another_rank(school: School) -> None:
    subject, places = school.make.subject(), [school.pupil() for _ in range(4)]
    for place, mark in zip(places, (9, 8, 8, 7), strict=True):
        school.make.grade(
            enrollment=place, subject=subject, grade_date="2024-12", semester=school.first_semester, grade=mark
        )

    (effect,) = effects.of_drop(
        school.session, [places[0].enrollment_id], Leaving(DAY, "Illness"), today=TODAY, scheme=PLAIN
    ).effects

    assert (effect.ranked, effect.rank_changes) == (3, 3)


# ---- The line of events --------------------------------------------------------------------------------------------


def test_the_line_of_events_tells_what_happened_when_why_and_by_whom(school: School) -> None:
    pupil = school.make.student()
    (place,) = enrolling.enrol(school.session, [pupil.student_id], school.a.course_id, on=dt.date(2024, 12, 2))
    school.session.commit()
    drop(school, place)
    undoing.undo(school.session, school.last_batch())
    school.session.commit()
    drop(school, place, on=dt.date(2025, 1, 20))
    enrolling.re_enrol(school.session, place.enrollment_id, today=TODAY, on=dt.date(2025, 1, 27))
    school.session.commit()
    how = Leaving(dt.date(2025, 2, 3), "Moved to another class")
    enrolling.move(school.session, place.enrollment_id, school.b.course_id, how, today=TODAY)
    school.session.commit()
    enrolling.leave_school(
        school.session, pupil.student_id, Leaving(TODAY, "Work"), status=StudentStatus.INACTIVE, today=TODAY
    )
    school.session.commit()

    lines = story.of_pupil(school.session, pupil.student_id)

    told = [(line.event, line.day, line.course[:2], line.to and line.to[:2]) for line in lines]
    assert {(event, day) for event, day, *_ in told} >= {
        (Event.ENROLLED, dt.date(2024, 12, 2)),
        (Event.DROPPED, DAY),
        (Event.DROPPED, dt.date(2025, 1, 20)),
        (Event.CAME_BACK, dt.date(2025, 1, 27)),
        (Event.MOVED, dt.date(2025, 2, 3)),
        (Event.LEFT, TODAY),
    }
    assert [event for event, *_ in told].count(Event.CAME_BACK) == 1
    assert [event for event, *_ in told].count(Event.TAKEN_BACK) == 1
    assert (Event.MOVED, dt.date(2025, 2, 3), "7A", "7B") in told
    assert len(told) == 7
    assert {line.who for line in lines} == {school.session.get_one(User, PRINCIPAL.user_id).full_name}
    assert all(line.recorded and line.batch for line in lines)


def test_a_time_away_that_the_log_no_longer_tells_is_told_by_the_row(school: School) -> None:
    place = school.pupil(away=[Range(dt.date(2024, 12, 2), dt.date(2025, 1, 6))])

    told = [(line.event, line.day) for line in story.of_pupil(school.session, place.student_id)]

    assert told[-2:] == [(Event.DROPPED, dt.date(2024, 12, 2)), (Event.CAME_BACK, dt.date(2025, 1, 6))]


def test_what_is_older_than_the_log_is_told_by_the_rows(school: School, connection: Connection) -> None:
    place = school.pupil()
    connection.execute(text("SET LOCAL fsms.logged = 'on'"))
    connection.execute(
        text(
            'INSERT INTO "Enrollment" ("studentId", "courseId", "drop", "dropDate", "dropSemesterId") VALUES (:s, :c, '
            'true, \'2024-02-01\', (SELECT min("semesterId") FROM "Semester"))'
        ),
        {"s": place.student_id, "c": school.last_year.course_id},
    )

    lines = story.of_pupil(school.session, place.student_id)

    old = [(line.event, line.day, line.who) for line in lines if line.course.startswith("6A")]
    assert old == [(Event.ENROLLED, dt.date(2023, 9, 1), None), (Event.DROPPED, dt.date(2024, 2, 1), None)]


def test_a_teacher_reads_the_line_of_events_without_the_names_of_others(school: School) -> None:
    school.a.teacher_id1 = TEACHER.user_id
    place = school.pupil()
    drop(school, place)
    number = place.student_id
    school.session.commit()
    speak_for(school.session, TEACHER)

    lines = story.of_pupil(school.session, number)

    assert [(line.event, line.day, line.who) for line in lines] == [
        (Event.ENROLLED, dt.date(2024, 11, 1), None),
        (Event.DROPPED, DAY, None),
    ]
