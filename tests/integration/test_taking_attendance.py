"""Saving what was seen of a class: nothing faked, nothing lost, whoever else is saving."""

import datetime as dt
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from copy import copy
from threading import Barrier
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine, func, select, text
from sqlalchemy.dialects.postgresql import Range
from sqlalchemy.orm import Session, sessionmaker

from fsms import activity, clock, policy
from fsms.config import AttendanceRules
from fsms.errors import InvalidValue
from fsms.models import ActivityLog, Attendance, Enrollment, Student
from fsms.operations import attendance
from fsms.operations.attendance import AM, FULL, PM, Mark, NoSuchClass, NotThatDay, Outcome, Seen, TooLate
from fsms.operations.undoing import undo
from fsms.policy import Actor, speak_for
from fsms.vocabulary import AttendanceSession, AttendanceStatus
from tests.builders import Make
from tests.database import engine_of, migrated_template, scratch_database

PRESENT, ABSENT = Seen(AttendanceStatus.PRESENT), Seen(AttendanceStatus.ABSENT)
LATE, EXCUSED = Seen(AttendanceStatus.LATE), Seen(AttendanceStatus.EXCUSED, "គ្រុនក្តៅ")

TODAY = clock.today()
HALVES = (AM, PM)

Sessions = sessionmaker(join_transaction_mode="create_savepoint")
policy.install(Sessions)
activity.install(Sessions)


class School:
    """A class of four with its teacher, and another teacher with a class of one."""

    def __init__(self, connection: Connection | Engine) -> None:
        self.connection = connection
        with Session(connection) as session:
            session.execute(text("SET fsms.logged = 'on'"))
            make = Make(session)
            first = TODAY - dt.timedelta(days=60)
            year = make.school_year(school_year_code=f"{first.year}-{first.year + 1}")
            self.semester = make.semester(
                semester_code="S1", start_date=first, end_date=TODAY + dt.timedelta(days=60), school_year=year
            ).semester_id
            self.year = year.school_year_id
            teacher, other = make.user(last_name="Kim", first_name="Dara"), make.user()
            course = make.course(school_year=year, teacher=teacher, level=5, section="A")
            foreign = make.course(school_year=year, teacher=other)
            self.places = [make.enrollment(course=course).enrollment_id for _ in range(4)]
            self.pupils = list(session.scalars(select(Enrollment.student_id).order_by(Enrollment.enrollment_id)))
            self.stranger = make.enrollment(course=foreign).student_id
            self.course, self.foreign = course.course_id, foreign.course_id
            self.teacher = Actor(teacher.user_id, "teacher")
            self.colleague = Actor(other.user_id, "teacher")
            self.principal = Actor(make.user(role="admin").user_id, "admin")
            session.execute(text("RESET fsms.logged"))
            session.commit()

    @contextmanager
    def speaking(self, actor: Actor) -> Iterator[Session]:
        with Sessions(bind=self.connection) as session:
            speak_for(session, actor)
            yield session

    def take(
        self,
        seen: Mapping[int, Mapping[AttendanceSession, Seen]],
        *,
        before: Mapping[int, Mapping[AttendanceSession, Seen]] | None = None,
        by: Actor | None = None,
        day: dt.date = TODAY,
        course: int | None = None,
    ) -> Outcome:
        """Save as somebody who saw the roster as it is or, where `before` is given, as it was."""
        with self.speaking(by or self.teacher) as session:
            if before is None:
                before = self.shown(day)
            marks = {
                pupil: {half: Mark(now, before.get(pupil, {}).get(half)) for half, now in halves.items()}
                for pupil, halves in seen.items()
            }
            outcome = attendance.save(session, course or self.course, day, marks)
            session.commit()
            return outcome

    def shown(self, day: dt.date = TODAY) -> dict[int, dict[AttendanceSession, Seen]]:
        """What a roster shows now."""
        with self.speaking(self.principal) as session:
            lines = attendance.roster(session, self.course, day).lines
            return {line.student_id: {half: one.seen for half, one in line.halves.items()} for line in lines}

    def rows(self) -> list[tuple[int, str, str, str | None]]:
        """What stands in the table."""
        with self.speaking(self.principal) as session:
            columns = (Attendance.student_id, Attendance.session, Attendance.status, Attendance.reason)
            found = session.execute(select(*columns).order_by(Attendance.student_id, Attendance.session))
            return [(row[0], row[1].value, row[2], row[3]) for row in found]

    def entries(self) -> int:
        """How much the log holds."""
        with self.speaking(self.principal) as session:
            return session.scalar(select(func.count()).select_from(ActivityLog)) or 0


@pytest.fixture(scope="module")
def founded() -> Iterator[School]:
    """The school as it was founded, in a database of this module."""
    with scratch_database("taking", migrated_template()) as url, engine_of(url) as engine:
        yield School(engine)


@contextmanager
def a_day_at(founded: School) -> Iterator[School]:
    """Give the school, and keep nothing of what is done."""
    assert isinstance(founded.connection, Engine)
    with founded.connection.connect() as connection, connection.begin() as transaction:
        school = copy(founded)
        school.connection = connection
        yield school
        transaction.rollback()


@pytest.fixture
def school(founded: School) -> Iterator[School]:
    """The school, of which nothing is kept."""
    with a_day_at(founded) as school:
        yield school


def both(seen: Seen) -> dict[AttendanceSession, Seen]:
    return {AM: seen, PM: seen}


# ---- The roster ----------------------------------------------------------------------------------------------------


def test_opening_a_roster_writes_nothing_and_fakes_nothing(school: School) -> None:
    before = school.entries()

    with school.speaking(school.teacher) as session:
        found = attendance.roster(session, school.course, TODAY)
        assert not [*session.new, *session.dirty]

    assert [line.halves for line in found.lines] == [{}] * 4
    assert found.taken(AM) is None
    assert found.usual_session is None
    assert (school.rows(), school.entries()) == ([], before)


def test_reopening_shows_what_was_saved_and_by_whom(school: School) -> None:
    first, second, *_ = school.pupils

    school.take({first: {AM: PRESENT}, second: {AM: EXCUSED}})

    with school.speaking(school.teacher) as session:
        found = attendance.roster(session, school.course, TODAY)
    assert {line.student_id: line.halves[AM].seen for line in found.lines if line.halves} == {
        first: PRESENT,
        second: EXCUSED,
    }
    taken = found.taken(AM)
    assert taken
    assert (taken.pupils, taken.by) == (2, "Kim Dara")
    assert found.taken(PM) is None
    assert found.usual_session is AM


def test_a_pupil_stands_on_the_roster_within_the_enrolment_only(school: School) -> None:
    with Session(school.connection) as session:
        late, dropped = (session.get_one(Enrollment, place) for place in school.places[:2])
        late.enrolled_on = TODAY
        dropped.drop, dropped.drop_date, dropped.drop_semester_id = True, TODAY, school.semester
        session.commit()

    yesterday = TODAY - dt.timedelta(days=1)
    assert set(school.shown(yesterday)) == set(school.pupils[1:])
    assert set(school.shown(TODAY)) == {school.pupils[0], *school.pupils[2:]}


def test_who_was_away_for_a_time_is_not_on_its_rosters(school: School) -> None:
    one = dt.timedelta(days=1)
    with Session(school.connection) as session:
        session.get_one(Enrollment, school.places[0]).away = [Range(TODAY - 2 * one, TODAY)]
        session.commit()

    stands = [
        day for day in (TODAY - 3 * one, TODAY - 2 * one, TODAY - one, TODAY) if school.pupils[0] in school.shown(day)
    ]
    outcome = school.take({school.pupils[0]: {AM: PRESENT}}, day=TODAY - one)

    assert stands == [TODAY - 3 * one, TODAY]
    assert (len(outcome.outside), outcome.written) == (1, 0)


def test_who_left_while_somebody_was_marking_is_named_and_the_rest_is_saved(school: School) -> None:
    gone, here = school.pupils[:2]
    with Session(school.connection) as session:
        place = session.get_one(Enrollment, school.places[0])
        place.drop, place.drop_date, place.drop_semester_id = True, TODAY, school.semester
        name = session.get_one(Student, gone).full_name
        session.commit()

    outcome = school.take({gone: {AM: ABSENT}, here: {AM: PRESENT}, 999_999: {AM: PRESENT}})

    assert outcome.outside == (name, "999999")
    assert outcome.written == 1
    assert school.rows() == [(here, "AM", "Present", None)]


# ---- What is written -----------------------------------------------------------------------------------------------


def test_the_server_fills_in_semester_year_and_who_recorded_it(school: School) -> None:
    school.take({school.pupils[0]: both(LATE)})

    with school.speaking(school.principal) as session:
        row = session.scalars(select(Attendance)).one()
        assert (row.semester_id, row.school_year_id, row.recorded_by) == (school.semester, school.year, "Kim Dara")
        assert (row.session, row.status, row.attendance_date) == (FULL, "Late", TODAY)


def test_only_what_differs_is_written_and_a_save_that_changes_nothing_leaves_no_trace(school: School) -> None:
    everybody = {pupil: {AM: PRESENT} for pupil in school.pupils}
    school.take(everybody)
    before = school.entries()

    again = school.take(everybody)
    assert (again.written, again.unchanged, again.batch) == (0, 4, None)
    assert school.entries() == before

    corrected = school.take(everybody | {school.pupils[2]: {AM: ABSENT}})
    assert (corrected.written, corrected.unchanged) == (1, 3)
    assert school.entries() == before + 2  # the change and the deed


def test_a_full_day_and_its_halves_change_into_each_other_in_one_save(school: School) -> None:
    pupil = school.pupils[0]
    for wanted, expected in (
        (both(PRESENT), [(pupil, "FULL", "Present", None)]),
        ({PM: ABSENT}, [(pupil, "AM", "Present", None), (pupil, "PM", "Absent", None)]),
        (both(EXCUSED), [(pupil, "FULL", "Excused", "គ្រុនក្តៅ")]),
        ({AM: LATE}, [(pupil, "AM", "Late", None), (pupil, "PM", "Excused", "គ្រុនក្តៅ")]),
        ({AM: LATE, PM: LATE}, [(pupil, "FULL", "Late", None)]),
        ({AM: ABSENT, PM: PRESENT}, [(pupil, "AM", "Absent", None), (pupil, "PM", "Present", None)]),
    ):
        school.take({pupil: wanted})
        assert school.rows() == expected


def test_the_other_half_of_a_split_day_stays_with_whom_it_was_recorded_by(school: School) -> None:
    pupil = school.pupils[0]
    school.take({pupil: both(PRESENT)}, by=school.teacher)

    school.take({pupil: {PM: ABSENT}}, by=school.principal)

    with school.speaking(school.principal) as session:
        found = session.execute(select(Attendance.session, Attendance.recorded_by).order_by(Attendance.session))
        by = {row.session: row.recorded_by for row in found}
    assert by[AM] == "Kim Dara"
    assert by[PM] != "Kim Dara"


def test_an_afternoon_after_a_morning_is_a_row_of_its_own(school: School) -> None:
    pupil = school.pupils[0]

    school.take({pupil: {AM: PRESENT}})
    school.take({pupil: {PM: PRESENT}})

    assert [row[1] for row in school.rows()] == ["AM", "PM"]


# ---- Who may, and when ---------------------------------------------------------------------------------------------


def test_a_teacher_takes_the_own_classes_only(school: School) -> None:
    for pupil, course, by in (
        (school.stranger, school.foreign, school.teacher),
        (school.pupils[0], school.course, school.colleague),
        (school.pupils[0], 999_999, school.principal),
    ):
        with pytest.raises(NoSuchClass):
            school.take({pupil: {AM: PRESENT}}, course=course, by=by, before={})

    # A pupil of somebody else's class is not on the own roster either.
    outcome = school.take({school.stranger: {AM: PRESENT}})
    assert (outcome.written, len(outcome.outside)) == (0, 1)
    assert school.rows() == []


def test_nobody_takes_attendance_in_advance_or_outside_the_school_year(school: School) -> None:
    for day in (TODAY + dt.timedelta(days=1), TODAY - dt.timedelta(days=400)):
        with pytest.raises(NotThatDay):
            school.take({school.pupils[0]: {AM: PRESENT}}, day=day, by=school.principal, before={})
        with school.speaking(school.teacher) as session:
            assert isinstance(attendance.roster(session, school.course, day).closed, NotThatDay)
    assert school.rows() == []


def test_after_some_days_only_administrators_correct(school: School) -> None:
    usual = AttendanceRules().open_days
    last_open, closed = (TODAY - dt.timedelta(days=days) for days in (usual, usual + 1))

    assert school.take({school.pupils[0]: {AM: PRESENT}}, day=last_open).written == 1
    with pytest.raises(TooLate, match=f"{last_open:%d/%m/%Y}"):
        school.take({school.pupils[0]: {AM: PRESENT}}, day=closed)
    assert school.take({school.pupils[0]: {AM: PRESENT}}, day=closed, by=school.principal).written == 1


def test_the_school_chooses_how_many_days(school: School) -> None:
    yesterday = TODAY - dt.timedelta(days=1)
    with school.speaking(school.teacher) as session:
        policy.set_attendance_rules(session, AttendanceRules(open_days=0))
        assert attendance.roster(session, school.course, TODAY).closed is None
        assert isinstance(attendance.roster(session, school.course, yesterday).closed, TooLate)


@pytest.mark.parametrize("status", ["", "absent", "Here", None, 7, ["Absent"]])
def test_a_status_that_is_none_is_refused(status: Any) -> None:
    with pytest.raises(InvalidValue, match="no such attendance status"):
        Seen.of(status)


def test_a_reason_is_cleaned_and_kept_short() -> None:
    assert Seen.of("Absent", "  ឈឺ\x00\u200b ").reason == "ឈឺ"
    assert Seen.of("Absent", " ").reason is None
    assert Seen.of("Present", "no need").reason is None
    with pytest.raises(InvalidValue, match="longer than 200"):
        Seen.of("Absent", "x" * 201)


# ---- Two at once ---------------------------------------------------------------------------------------------------


def test_what_two_saw_differently_is_told_to_the_second_and_all_else_is_saved(school: School) -> None:
    first, second, third, fourth = school.pupils
    hollow: dict[int, Any] = {}
    school.take({first: {AM: ABSENT}, second: {AM: PRESENT}, third: {AM: PRESENT}}, before=hollow)

    outcome = school.take(
        {first: {AM: PRESENT}, second: {AM: PRESENT}, third: {AM: LATE}, fourth: {AM: EXCUSED}},
        before=hollow,
        by=school.principal,
    )

    assert [(one.student_id, one.mine, one.theirs.seen if one.theirs else None) for one in outcome.clashes] == [
        (first, PRESENT, ABSENT),
        (third, LATE, PRESENT),
    ]
    assert outcome.clashes[0].theirs
    assert outcome.clashes[0].theirs.by == "Kim Dara"
    assert outcome.written == 1
    assert [row[2] for row in school.rows()] == ["Absent", "Present", "Present", "Excused"]


def test_keeping_mine_is_saving_again_with_theirs_in_sight(school: School) -> None:
    pupil = school.pupils[0]
    school.take({pupil: {AM: ABSENT}}, before={})
    assert school.take({pupil: {AM: LATE}}, before={}).clashes

    assert school.take({pupil: {AM: LATE}}, before={pupil: {AM: ABSENT}}).written == 1
    assert school.rows() == [(pupil, "AM", "Late", None)]


def test_a_half_that_was_not_touched_keeps_what_somebody_else_saw(school: School) -> None:
    pupil = school.pupils[0]
    school.take({pupil: {AM: PRESENT}}, before={})
    school.take({pupil: {AM: ABSENT}}, before={pupil: {AM: PRESENT}}, by=school.principal)

    outcome = school.take({pupil: {AM: PRESENT}}, before={pupil: {AM: PRESENT}})

    assert (outcome.written, outcome.clashes) == (0, ())
    assert school.rows() == [(pupil, "AM", "Absent", None)]


def test_two_tablets_at_the_same_moment_lose_no_row() -> None:
    with scratch_database("tablets", migrated_template()) as url, engine_of(url) as engine:
        school = School(engine)
        together = Barrier(2)

        def save(seen: Mapping[int, Seen]) -> Outcome:
            together.wait()
            return school.take({pupil: {AM: one} for pupil, one in seen.items()}, before={})

        with ThreadPoolExecutor() as pool:
            halves = [dict.fromkeys(school.pupils[:3], PRESENT), dict.fromkeys(school.pupils[1:], PRESENT)]
            outcomes = list(pool.map(save, halves))

        assert sum(outcome.written for outcome in outcomes) == 4
        assert not any(outcome.clashes for outcome in outcomes)
        assert school.rows() == [(pupil, "AM", "Present", None) for pupil in school.pupils]


# ---- Anything, and back --------------------------------------------------------------------------------------------

observations = st.sampled_from([PRESENT, ABSENT, LATE, EXCUSED, Seen(AttendanceStatus.ABSENT, "ឈឺ")])
days_of_a_pupil = st.dictionaries(st.sampled_from(HALVES), observations, min_size=1, max_size=2)
saves = st.dictionaries(st.integers(0, 3), days_of_a_pupil, min_size=1, max_size=4)

any_saves = given(taken=st.lists(saves, max_size=3), last=saves)
quietly = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def _of_pupils(school: School, save: Mapping[int, Any]) -> dict[int, Any]:
    return {school.pupils[number]: halves for number, halves in save.items()}


@quietly
@any_saves
def test_any_save_undone_leaves_every_row_as_it_was(founded: School, taken: list[Any], last: Any) -> None:
    with a_day_at(founded) as school:
        for save in taken:
            school.take(_of_pupils(school, save))
        before = _attendance(school)

        outcome = school.take(_of_pupils(school, last))

        if outcome.batch is None:
            assert _attendance(school) == before
            return
        with school.speaking(school.teacher) as session:
            report = undo(session, outcome.batch)
            session.commit()
        assert not report.impossible
        assert not report.kept_because_changed_since
        assert _attendance(school) == before


@quietly
@any_saves
def test_after_any_saves_the_roster_shows_the_last_of_each_half(founded: School, taken: list[Any], last: Any) -> None:
    with a_day_at(founded) as school:
        expected: dict[int, dict[AttendanceSession, Seen]] = {pupil: {} for pupil in school.pupils}
        for save in (*taken, last):
            outcome = school.take(_of_pupils(school, save))
            assert not outcome.clashes
            for pupil, halves in _of_pupils(school, save).items():
                expected[pupil] |= halves

        assert school.shown() == expected


def _attendance(school: School) -> list[str]:
    with Session(school.connection) as session:
        rows = text("SELECT to_jsonb(row) - '{updatedAt,version}'::text[] FROM \"Attendance\" AS row ORDER BY 1")
        return [str(row) for row in session.scalars(rows)]
