"""The marks of real classes in the database: read under the rights of the reader, and ranked as PostgreSQL ranks."""

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal
from random import Random
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, text
from sqlalchemy.dialects.postgresql import Range
from sqlalchemy.orm import Session, sessionmaker

from fsms import grading
from fsms.grading import PLAIN, SCHOOL, Cell, Mark
from fsms.models import Course, Semester, Subject
from fsms.policy import Actor, install, speak_for
from fsms.reports import marks
from tests.browser import Queries
from tests.builders import Make
from tests.database import engine_of, migrated_template, scratch_database

Sessions = sessionmaker(join_transaction_mode="create_savepoint")
install(Sessions)

MONTHS = ("2025-01", "2025-02", "2025-03")


class ClassOf:
    """A class of a teacher with a semester, subjects and pupils; another teacher's class lies beside it."""

    def __init__(self, make: Make, *, level: int = 5, pupils: int = 6, subjects: int = 3) -> None:
        self.make = make
        year = make.school_year()
        self.teacher = make.user()
        self.course: Course = make.course(level=level, teacher=self.teacher, school_year=year)
        self.semester: Semester = make.semester(
            school_year=year, start_date=dt.date(2025, 1, 1), end_date=dt.date(2025, 3, 31)
        )
        self.subjects: list[Subject] = [make.subject() for _ in range(subjects)]
        self.places = [
            make.enrollment(course=self.course, student=make.student(last_name=f"Pupil{n:02}")) for n in range(pupils)
        ]

    def mark(self, pupil: int, subject: int, value: str | None, month: str = MONTHS[0], **given: Any) -> None:
        """Write a mark; None is an excuse."""
        self.make.grade(
            enrollment=self.places[pupil],
            subject=self.subjects[subject],
            semester=self.semester,
            grade_date=month,
            grade=None if value is None else Decimal(value),
            excused=value is None,
            **given,
        )

    def fill(self, chance: Random) -> None:
        """Write a mark in every cell, few different ones, so that many averages are equal."""
        for month in MONTHS:
            for subject in range(len(self.subjects)):
                for pupil in range(len(self.places)):
                    self.mark(pupil, subject, str(chance.choice(("5", "6", "6.5", "8"))), month)


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    """An empty school in a database of this module."""
    with scratch_database("marks", migrated_template()) as url, engine_of(url) as engine:
        yield engine


@pytest.fixture
def connection(engine: Engine) -> Iterator[Connection]:
    """One connection, and nothing of the test is kept."""
    with engine.connect() as connection, connection.begin() as transaction:
        yield connection
        transaction.rollback()


@pytest.fixture
def session(connection: Connection) -> Iterator[Session]:
    """A session in which the principal asks."""
    with Sessions(bind=connection) as session:
        speak_for(session, Actor(None, "admin"))
        yield session


@pytest.fixture
def class_(session: Session) -> ClassOf:
    """A class without marks."""
    return ClassOf(Make(session))


def as_teacher(connection: Connection, user_id: int) -> Session:
    """A session in which a teacher asks."""
    session = Sessions(bind=connection)
    speak_for(session, Actor(user_id, "teacher"))
    return session


def sheet_of(session: Session, class_: ClassOf) -> marks.Sheet:
    """The sheet of the class over its semester, in the plain scheme."""
    sheet = marks.semester(session, PLAIN, class_.course.course_id, class_.semester.semester_id)
    assert sheet
    return sheet


def places(sheet: marks.Sheet) -> dict[int, int | None]:
    """The rank of each pupil."""
    return {line.student_id: line.standing.rank.place if line.standing.rank else None for line in sheet.lines}


# ---- Ranks ---------------------------------------------------------------------------------------------------------

# Written for this test alone: the means of each pupil's subjects, the mean of those, and PostgreSQL's own rank().
INDEPENDENT = """
WITH of_subject AS (
    SELECT "studentId", "subjectId", avg(grade) AS mean FROM "Grade" JOIN "Enrollment" USING ("studentId", "courseId")
    WHERE "courseId" = :course AND "semesterId" = :semester AND NOT "drop" AND NOT excused GROUP BY 1, 2
), overall AS (SELECT "studentId", avg(mean) AS mean FROM of_subject GROUP BY 1)
SELECT "studentId", rank() OVER (ORDER BY round(mean, 12) DESC), round(mean, 2) FROM overall
"""


@pytest.mark.parametrize("seed", range(4))
def test_ranks_agree_with_those_of_postgresql(session: Session, seed: int) -> None:
    class_ = ClassOf(Make(session), pupils=9, subjects=2 + seed % 2)
    class_.fill(Random(seed))  # noqa: S311

    sheet = sheet_of(session, class_)

    assert ranked(sheet) == ranked_by_postgresql(session, class_)
    assert len(set(places(sheet).values())) < len(sheet.lines), "some share a place"


@pytest.mark.parametrize("typed", [["7"], ["6"] * 5, ["10", "0", "10", "0"], [None] * 4, []])
def test_ranks_agree_where_all_are_alike_alone_or_without_marks(session: Session, typed: list[str | None]) -> None:
    class_ = ClassOf(Make(session), pupils=len(typed), subjects=1)
    for pupil, mark in enumerate(typed):
        if mark is not None:
            class_.mark(pupil, 0, mark, MONTHS[0])

    sheet = sheet_of(session, class_)

    assert ranked(sheet) == ranked_by_postgresql(session, class_)
    assert len(ranked(sheet)) == sum(mark is not None for mark in typed)


def ranked(sheet: marks.Sheet) -> dict[int, tuple[int, Decimal]]:
    """The rank and average of each pupil who has one."""
    return {
        line.student_id: (line.standing.rank.place, grading.rounded(line.standing.average.value))
        for line in sheet.lines
        if line.standing.rank and line.standing.average.value is not None
    }


def ranked_by_postgresql(session: Session, class_: ClassOf) -> dict[int, tuple[int, Decimal]]:
    of = {"course": class_.course.course_id, "semester": class_.semester.semester_id}
    return {student: (place, mean) for student, place, mean in session.execute(text(INDEPENDENT), of)}


def test_whoever_lacks_a_mark_is_named_and_not_ranked(session: Session, class_: ClassOf) -> None:
    class_.places = class_.places[:3]
    class_.mark(0, 0, "8")
    class_.mark(1, 0, None)
    class_.mark(2, 1, "9")

    sheet = sheet_of(session, class_)

    assert {line.name for line in sheet.incomplete} >= {line.name for line in sheet.lines[:3]}
    subject_of = {n: subject.subject_id for n, subject in enumerate(class_.subjects)}
    assert sheet.columns == tuple(Cell(class_.semester.semester_id, subject_of[n], MONTHS[0]) for n in (0, 1))
    assert list(sheet.missing.values()) == [4, 5]


def test_a_dropped_pupil_stands_apart_with_the_own_marks(session: Session, class_: ClassOf) -> None:
    for pupil in range(6):
        class_.mark(pupil, 0, f"{pupil + 4}")
    best = class_.places[5]
    best.drop, best.drop_date, best.drop_semester = True, dt.date(2025, 2, 1), class_.semester
    session.commit()

    sheet = sheet_of(session, class_)

    assert [line.student_id for line in sheet.dropped] == [best.student_id]
    assert sheet.dropped[0].dropped_on == dt.date(2025, 2, 1)
    assert sheet.dropped[0].standing.average.value == 9
    assert sheet.standings.mean.value == 6
    assert sorted(place for place in places(sheet).values() if place) == [1, 2, 3, 4, 5]


def test_pupils_stand_in_the_order_of_the_khmer_alphabet(session: Session, class_: ClassOf) -> None:
    names = ["ហេង", "កែវ", "ខៀវ", "ចាន់", "ម៉ៅ", "អ៊ុំ", "គឹម"]
    class_.make.session.query(type(class_.places[0])).delete()
    for name in names:
        class_.make.enrollment(course=class_.course, student=class_.make.student(last_name=name, first_name="ដារ៉ា"))

    found = [line.name.split()[0] for line in sheet_of(session, class_).lines]

    assert found == ["កែវ", "ខៀវ", "គឹម", "ចាន់", "ម៉ៅ", "ហេង", "អ៊ុំ"]


# ---- Who reads -----------------------------------------------------------------------------------------------------


def test_a_teacher_reads_the_own_class_just_as_the_principal_does(
    session: Session, connection: Connection, class_: ClassOf
) -> None:
    class_.fill(Random(1))  # noqa: S311
    elsewhere = class_.make.enrollment(student=class_.places[0].student)  # in a class that the teacher does not see
    class_.make.attendance(enrollment=elsewhere, status="Absent")
    teacher_id, course = class_.teacher.user_id, class_.course.course_id
    read = [marks.year(session, scheme, course) for scheme in (PLAIN, SCHOOL)]
    march = marks.month(session, SCHOOL, course, class_.semester.semester_id, MONTHS[2])
    assert march
    assert {line.standing.average.factor.absences for line in march.lines} == {0, 1}
    session.commit()

    with as_teacher(connection, teacher_id) as teacher:
        assert [marks.year(teacher, scheme, course) for scheme in (PLAIN, SCHOOL)] == read


def test_of_another_teachers_class_there_is_nothing(session: Session, connection: Connection, class_: ClassOf) -> None:
    class_.fill(Random(1))  # noqa: S311
    stranger, pupil = class_.make.user().user_id, class_.places[0].student_id
    course, semester = class_.course.course_id, class_.semester.semester_id
    session.commit()

    with as_teacher(connection, stranger) as teacher:
        assert marks.month(teacher, PLAIN, course, semester, MONTHS[0]) is None
        assert marks.semester(teacher, PLAIN, course, semester) is None
        assert marks.year(teacher, PLAIN, course) is None
        assert marks.of_pupil(teacher, PLAIN, pupil, course) is None
        assert marks.courses_of(teacher, pupil) == ()
        assert marks.missing(teacher, dt.date(2025, 2, 10)) == ()


# ---- Periods -------------------------------------------------------------------------------------------------------


def test_absences_lower_a_month_in_the_schools_own_scheme(session: Session, class_: ClassOf) -> None:
    class_.mark(0, 0, "8")
    for session_, status in (("AM", "Absent"), ("PM", "Late")):
        class_.make.attendance(enrollment=class_.places[0], session=session_, status=status)
    class_.mark(0, 0, "8", "2025-03")

    of = class_.course.course_id, class_.semester.semester_id
    march = marks.month(session, SCHOOL, *of, "2025-03")

    assert march
    assert march.lines[0].standing.average.value == Decimal("7.8")
    assert march.lines[0].standing.average.factor.absences == 1


def test_a_month_holds_the_marks_of_its_days_too(session: Session, class_: ClassOf) -> None:
    class_.mark(0, 0, "6", "2025-01-10")
    class_.mark(0, 0, "9", "2025-01-20")
    class_.mark(0, 0, "1", "2025-02")

    sheet = marks.month(session, PLAIN, class_.course.course_id, class_.semester.semester_id, "2025-01")

    assert sheet
    assert sheet.lines[0].standing.average.value == Decimal("7.5")
    assert sheet.months == ("2025-01",)
    assert [entry.mark for entry in sheet.lines[0].entries.values()] == [Mark(Decimal(6)), Mark(Decimal(9))]


def test_a_pupils_semesters_and_year_are_those_of_the_class(session: Session, class_: ClassOf) -> None:
    class_.fill(Random(3))  # noqa: S311
    pupil = class_.places[2].student_id

    (course,) = marks.courses_of(session, pupil)
    found = marks.of_pupil(session, PLAIN, pupil, course.course_id)

    assert found
    (semester,) = found.semesters
    assert semester.months == MONTHS
    assert semester.line == sheet_of(session, class_).of(pupil)
    assert found.year.standing.average.value == semester.line.standing.average.value


def test_a_class_without_pupils_or_marks_is_a_sheet_all_the_same(session: Session) -> None:
    empty = ClassOf(Make(session), pupils=0)

    sheet = sheet_of(session, empty)

    assert (sheet.lines, sheet.subjects, sheet.columns) == ((), (), ())
    assert sheet.standings.mean.value is None


# ---- What is missing -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scheme", [PLAIN, SCHOOL], ids=["plain", "school"])
@pytest.mark.parametrize("level", [5, 8])
def test_who_came_later_owes_no_mark_of_the_time_before(session: Session, scheme: grading.Scheme, level: int) -> None:
    class_ = ClassOf(Make(session), level=level, pupils=3, subjects=2)
    class_.places[2].enrolled_on = dt.date(2025, 3, 10)
    session.commit()
    for pupil, months in ((0, MONTHS), (1, MONTHS), (2, MONTHS[2:])):
        for month in months:
            for subject in range(2):
                class_.mark(pupil, subject, str(6 + pupil), month)

    sheet = marks.semester(session, scheme, class_.course.course_id, class_.semester.semester_id)
    january = marks.month(session, scheme, class_.course.course_id, class_.semester.semester_id, MONTHS[0])

    assert sheet
    assert january
    assert not sheet.incomplete
    assert not sheet.missing
    assert places(sheet) == {class_.places[2 - n].student_id: n + 1 for n in range(3)}
    late = january.of(class_.places[2].student_id)
    assert late
    assert (late.standing.average.value, late.standing.rank, late.standing.incomplete) == (None, None, False)
    assert {left.why for left in late.standing.average.left_out} == {grading.Why.OUTSIDE}
    assert not january.missing
    assert not january.incomplete


def test_who_was_away_owes_no_mark_of_the_months_between(session: Session, class_: ClassOf) -> None:
    class_.places[2].away = [Range(dt.date(2025, 1, 20), dt.date(2025, 3, 3))]
    session.commit()
    for pupil in range(6):
        for month in MONTHS:
            if (pupil, month) != (2, "2025-02"):
                class_.mark(pupil, 0, "7", month)

    sheet = sheet_of(session, class_)

    assert not sheet.incomplete
    assert not sheet.missing
    assert set(places(sheet).values()) == {1}


def test_who_has_not_come_yet_lacks_no_marks(session: Session, class_: ClassOf) -> None:
    for pupil in range(5):
        class_.mark(pupil, 0, "7", "2025-02")
    class_.places[5].enrolled_on = dt.date(2025, 3, 1)
    session.commit()

    assert marks.missing(session, dt.date(2025, 2, 10)) == ()
    assert [one.missing for one in marks.missing(session, dt.date(2025, 3, 10))] == [6]


def test_missing_marks_are_counted_by_class_and_subject(session: Session, class_: ClassOf) -> None:
    for pupil in range(6):
        class_.mark(pupil, 0, "7", "2025-01")
        class_.mark(pupil, 1, "7", "2025-02")
    class_.mark(0, 2, "7", "2025-02")
    class_.mark(1, 2, None, "2025-02")

    missing = marks.missing(session, dt.date(2025, 2, 10))

    names = [subject.subject_id for subject in class_.subjects]
    assert [(one.subject_id, one.missing, one.pupils, one.begun) for one in missing] == [
        (names[0], 6, 6, False),
        (names[2], 4, 6, True),
    ]
    assert {one.label for one in missing} == {f"{class_.course.grade}{class_.course.section}"}


def test_outside_every_semester_nothing_is_missing(session: Session, class_: ClassOf) -> None:
    class_.mark(0, 0, "7", "2025-01")

    assert marks.missing(session, dt.date(2030, 1, 1)) == ()


def test_more_pupils_and_marks_take_no_more_queries(session: Session, class_: ClassOf, queries: Queries) -> None:
    class_.fill(Random(1))  # noqa: S311
    course, pupil = class_.course.course_id, class_.places[0].student_id

    def asked() -> int:
        session.commit()
        with queries() as found:
            marks.year(session, SCHOOL, course)
            marks.of_pupil(session, SCHOOL, pupil, course)
            marks.missing(session, dt.date(2025, 2, 10))
        return len(found)

    before = asked()
    class_.places += [class_.make.enrollment(course=class_.course) for _ in range(6)]
    class_.subjects += [class_.make.subject() for _ in range(3)]
    for pupil_number in range(12):
        class_.mark(pupil_number, 4, "7")

    assert asked() == before
