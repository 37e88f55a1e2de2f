"""What was taken on a day, who is missing, and how much of school a pupil attended: asked of the database."""

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy.dialects.postgresql import Range
from sqlalchemy.orm import Session, sessionmaker

from fsms import policy
from fsms.config import AttendanceRules
from fsms.models import Course, Enrollment, SchoolYear, Semester, Student
from fsms.policy import Actor
from fsms.reports import absences, attendance, registers
from fsms.reports.attendance import AM, FULL, PM
from fsms.vocabulary import AttendanceSession
from tests.browser import Queries
from tests.builders import Make

MONDAY = dt.date(2025, 3, 10)
NOON = dt.datetime(2025, 3, 10, 5, 0, tzinfo=dt.UTC)  # 12:00 in Phnom Penh


def day(number: int) -> dt.date:
    """The school day of that number, Saturdays and Sundays left out."""
    return MONDAY + dt.timedelta(days=number % 5 + number // 5 * 7)


@pytest.fixture
def year(make: Make) -> SchoolYear:
    """The school year 2024-2025, with its two semesters."""
    year = make.school_year(school_year_code="2024-2025")
    for code, first, last in (
        ("S1-2024", dt.date(2024, 11, 1), dt.date(2025, 3, 31)),
        ("S2-2024", dt.date(2025, 4, 1), dt.date(2025, 8, 31)),
    ):
        make.semester(semester_code=code, start_date=first, end_date=last, school_year=year)
    return year


@pytest.fixture
def course(make: Make, year: SchoolYear) -> Course:
    """Class 5A of that year."""
    return make.course(level=5, section="A", school_year=year)


Seen = Callable[..., None]


@pytest.fixture
def seen(make: Make, session: Session) -> Seen:
    """Write attendance of one enrolment, day after day: P, A, L, E, or - where nobody looked."""
    words = {"P": "Present", "A": "Absent", "L": "Late", "E": "Excused"}

    def write(place: Enrollment, days: str, half: AttendanceSession = FULL, first: int = 0) -> None:
        for number, letter in enumerate(days, first):
            if letter in words:
                when = day(number)
                semester = session.query(Semester).filter(Semester.start_date <= when, Semester.end_date >= when).one()
                make.attendance(
                    enrollment=place, attendance_date=when, session=half, status=words[letter], semester=semester
                )

    return write


Speaking = sessionmaker(join_transaction_mode="create_savepoint")
policy.install(Speaking)


def speaking(session: Session, actor: Actor) -> Session:
    """Open a session beside, in the name of somebody."""
    theirs = Speaking(bind=session.get_bind())
    policy.speak_for(theirs, actor)
    return theirs


def only(found: Any) -> Any:
    (one,) = found
    return one


# ---- The classes of a day ------------------------------------------------------------------------------------------


def test_a_class_that_nobody_took_differs_from_one_whose_pupils_were_present(
    session: Session, make: Make, course: Course, year: SchoolYear
) -> None:
    taken = make.enrollment(course=course)
    make.enrollment(course=make.course(level=5, section="B", school_year=year))
    make.attendance(enrollment=taken, attendance_date=MONDAY, session=AM, recorded_by="Kim Dara")

    first, second = attendance.classes_on(session, MONDAY, NOON)

    assert (first.name, first.pupils, first.halves[PM]) == ("5A", 1, None)
    assert (first.halves[AM].pupils, first.halves[AM].by) == (1, "Kim Dara")  # type: ignore[union-attr]
    assert second.halves == {AM: None, PM: None}
    assert (first.missing, second.missing) == ((), (AM,))
    assert [one.name for one in attendance.not_taken(session, MONDAY, NOON)] == ["5B"]


def test_a_full_day_is_both_halves(session: Session, make: Make, course: Course) -> None:
    make.attendance(enrollment=make.enrollment(course=course), attendance_date=MONDAY, session=FULL)

    one = only(attendance.classes_on(session, MONDAY, NOON))

    assert one.halves[AM] == one.halves[PM] is not None


def test_the_afternoon_is_not_missed_before_it_has_begun(session: Session, make: Make, course: Course) -> None:
    make.enrollment(course=course)

    at = {hour: NOON.replace(hour=hour - 7) for hour in (7, 12, 13)}

    missing = {hour: only(attendance.classes_on(session, MONDAY, now)).missing for hour, now in at.items()}
    assert missing == {7: (AM,), 12: (AM,), 13: (AM, PM)}
    assert only(attendance.classes_on(session, MONDAY, NOON - dt.timedelta(hours=6))).missing == ()
    assert only(attendance.classes_on(session, MONDAY, NOON + dt.timedelta(days=1))).missing == (AM, PM)


def test_nobody_misses_a_class_on_a_sunday_or_one_without_pupils(
    session: Session, make: Make, course: Course, year: SchoolYear
) -> None:
    make.course(level=6, school_year=year)

    assert attendance.not_taken(session, MONDAY - dt.timedelta(days=1), NOON) == ()
    assert attendance.not_taken(session, MONDAY, NOON) == ()
    make.enrollment(course=course)
    assert only(attendance.not_taken(session, MONDAY, NOON)).name == "5A"
    policy.set_attendance_rules(session, AttendanceRules(school_days=frozenset({7})))
    assert attendance.not_taken(session, MONDAY, NOON) == ()


def test_a_class_that_meets_in_the_morning_only_is_not_missed_in_the_afternoon(
    session: Session, make: Make, course: Course, seen: Seen
) -> None:
    seen(make.enrollment(course=course), "PPP", AM)

    one = only(attendance.classes_on(session, day(4), NOON + dt.timedelta(days=10)))

    assert one.missing == (AM,)
    assert list(one.halves) == [AM]


def test_a_dropped_pupil_counts_until_the_day_before_the_drop(session: Session, make: Make, course: Course) -> None:
    make.dropped(course=course, drop_date=day(2))

    counts = [only(attendance.classes_on(session, day(number), NOON)).pupils for number in (0, 1, 2, 3)]

    assert counts == [1, 1, 0, 0]


def test_a_teacher_hears_of_the_own_classes_only(session: Session, make: Make, year: SchoolYear) -> None:
    teacher = make.user()
    own, other = (
        make.course(level=5, section=s, school_year=year, teacher=t) for s, t in (("A", teacher), ("B", None))
    )
    for one in (own, other):
        make.attendance(enrollment=make.enrollment(course=one), attendance_date=MONDAY, session=AM, status="Absent")

    with speaking(session, Actor(teacher.user_id, "teacher")) as theirs:
        classes = attendance.classes_on(theirs, MONDAY, NOON)
        missing = absences.absent_on(theirs, MONDAY)

    assert [one.name for one in classes] == ["5A"]
    assert [one.course for one in missing] == ["5A"]


QUESTIONS: tuple[Callable[[Session, dt.date], object], ...] = (
    attendance.classes_on,
    absences.absent_on,
    absences.in_a_row,
    absences.too_often,
    absences.near_limit,
)


def test_more_classes_need_no_more_queries(
    session: Session, make: Make, course: Course, year: SchoolYear, queries: Queries
) -> None:
    def more() -> None:
        for place in (make.enrollment(course=course), make.enrollment(course=make.course(school_year=year))):
            make.guardian(student=place.student, phone="012 345 678")
            make.attendance(enrollment=place, attendance_date=MONDAY, status="Absent")

    def count() -> list[int]:
        counts = []
        for question in QUESTIONS:
            with queries() as asked:
                question(session, MONDAY)
            counts.append(len(asked))
        return counts

    more()
    count()
    before = count()
    more()
    count()

    assert count() == before


# ---- Who is missing ------------------------------------------------------------------------------------------------


def test_who_is_missing_today_stands_with_those_to_call(session: Session, make: Make, course: Course) -> None:
    ill, late, gone = (make.enrollment(course=course) for _ in range(3))
    make.guardian(student=ill.student, relation="Mother", phone="012 345 678")
    make.guardian(student=ill.student, relation="Father", phone=None)
    for place, status in ((ill, "Excused"), (late, "Late"), (gone, "Present")):
        make.attendance(enrollment=place, attendance_date=MONDAY, session=FULL, status=status, reason="គ្រុនក្តៅ")

    one = only(absences.absent_on(session, MONDAY))

    assert (one.student_id, one.course) == (ill.student_id, "5A")
    assert [(missed.session, missed.status, missed.reason) for missed in one.halves] == [(FULL, "Excused", "គ្រុនក្តៅ")]
    assert [(contact.relation, contact.phone) for contact in one.contacts] == [("Mother", "012 345 678")]


@pytest.mark.parametrize(
    ("days", "expected"),
    [
        ("AAA", (6, 0)),
        ("PA", None),  # a full day is two sessions, not yet three
        ("PAE", (4, 2)),
        ("AAP", None),
        ("AALA", None),
        ("AAPAA", (4, 0)),
        ("PA--A", (4, 0)),  # nobody looked in between
        ("PAA--", (4, 0)),
    ],
)
def test_absences_in_a_row_reach_up_to_the_last_record(
    session: Session, make: Make, course: Course, seen: Seen, days: str, expected: tuple[int, int] | None
) -> None:
    seen(make.enrollment(course=course), days)

    found = [(one.sessions, one.excused) for one in absences.in_a_row(session, day(len(days) - 1))]

    assert found == ([expected] if expected else [])


def test_a_row_begins_in_the_afternoon_of_a_morning_that_was_attended(
    session: Session, make: Make, course: Course, seen: Seen
) -> None:
    place = make.enrollment(course=course)
    seen(place, "PA", AM)
    seen(place, "AA", PM)

    one = only(absences.in_a_row(session, day(1)))

    assert (one.sessions, one.since) == (3, day(0))


def test_somebody_dropped_is_not_called_about(session: Session, make: Make, course: Course, seen: Seen) -> None:
    seen(make.dropped(course=course, drop_date=day(3)), "AAA")

    assert only(absences.in_a_row(session, day(2)))
    assert absences.in_a_row(session, day(3)) == ()
    assert absences.too_often(session, day(3)) == ()
    assert absences.near_limit(session, day(3)) == ()


def test_often_is_a_share_of_what_was_recorded_lately(session: Session, make: Make, course: Course, seen: Seen) -> None:
    often, seldom = make.enrollment(course=course), make.enrollment(course=course)
    seen(often, "PPPPPPPPPPPPPPPEAP")
    seen(seldom, "PPPPPPPPPPPPPPPPAP")

    one = only(absences.too_often(session, day(17)))

    assert (one.student_id, one.absent, one.excused) == (often.student_id, 4, 2)
    assert str(one.absent_share) == "4 / 36 = 11.1 %"
    assert str(one.share) == "32 / 36 = 88.9 %"


def test_twenty_absences_of_a_year_warn_and_thirty_are_the_limit(
    session: Session, make: Make, course: Course, seen: Seen
) -> None:
    nineteen, twenty, thirty = (make.enrollment(course=course) for _ in range(3))
    seen(nineteen, "A" * 9 + "E")  # 18 and a full day excused: 19
    seen(twenty, "A" * 9 + "EE")
    seen(thirty, "A" * 15)

    first, second = absences.near_limit(session, day(20))

    assert (first.student_id, float(first.tally.weighed_absences), first.is_over) == (thirty.student_id, 30, True)
    assert (second.student_id, float(second.tally.weighed_absences), second.is_over) == (twenty.student_id, 20, False)


# ---- A pupil -------------------------------------------------------------------------------------------------------


def test_a_pupil_is_summed_up_by_year_and_semester(session: Session, make: Make, course: Course, seen: Seen) -> None:
    place = make.enrollment(course=course)
    seen(place, "PPLAE")
    seen(place, "PP", first=20)  # in April

    year = only(attendance.summary(session, place.student_id, day(30)))

    assert (year.name, str(year.share)) == ("2024-2025", "10 / 14 = 71.4 %")
    assert [(part.name, str(part.share)) for part in year.semesters] == [
        ("S1-2024", "6 / 10 = 60.0 %"),
        ("S2-2024", "4 / 4 = 100.0 %"),
    ]


def test_what_nobody_took_of_a_pupil_is_counted_apart(session: Session, make: Make, course: Course, seen: Seen) -> None:
    place, other = make.enrollment(course=course), make.enrollment(course=make.course(school_year=course.school_year))
    seen(place, "PP-P--P")
    seen(other, "PPPPP")  # on the days after these nobody had school

    year = only(attendance.summary(session, place.student_id, day(8)))

    assert str(year.share) == "8 / 8 = 100.0 %"
    assert year.share.not_taken == 4


def test_a_time_away_is_neither_missed_nor_not_taken(session: Session, make: Make, course: Course, seen: Seen) -> None:
    place, other = make.enrollment(course=course), make.enrollment(course=course)
    seen(place, "PP--P")
    seen(other, "PPPPP")
    gone = make.enrollment(course=course)
    place.away, gone.away = [Range(day(2), day(4))], [Range(day(0), day(5))]
    session.commit()

    year = only(attendance.summary(session, place.student_id, day(4)))
    week = registers.register(session, course.course_id, day(0), day(4))

    assert (str(year.share), year.share.not_taken) == ("6 / 6 = 100.0 %", 0)
    lines = {line.student_id: line for line in week.lines}
    assert lines.keys() == {place.student_id, other.student_id}
    assert lines[place.student_id].outside == {day(2), day(3)}
    assert (str(week.share), week.share.not_taken) == ("16 / 16 = 100.0 %", 0)


def test_a_late_pupil_attended_as_much_as_the_school_has_decided(
    session: Session, make: Make, course: Course, seen: Seen
) -> None:
    place = make.enrollment(course=course)
    seen(place, "PPPLA")
    policy.set_attendance_rules(session, AttendanceRules(late_percent=50))

    assert str(only(attendance.summary(session, place.student_id)).share) == "7 / 10 = 70.0 %"
    assert only(attendance.summary(session, place.student_id)).share.numerator == Decimal(7)


def test_a_pupil_without_attendance_has_no_summary(session: Session, make: Make, course: Course) -> None:
    student: Student = make.enrollment(course=course).student

    assert attendance.summary(session, student.student_id) == ()
    assert attendance.summary(session, 999_999) == ()
