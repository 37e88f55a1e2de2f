"""Saving cells of a class's sheet: what differs, once, in one's own name; nobody's mark is lost or doubled."""

import datetime as dt
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from decimal import Decimal
from itertools import permutations
from random import Random
from threading import Barrier

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine, func, select, text
from sqlalchemy.orm import Session, sessionmaker

from fsms import activity, policy
from fsms.grading import BLANK, EXCUSED, PLAIN, Mark
from fsms.models import ActivityLog, Course, Enrollment, Grade, Semester
from fsms.operations import gradebook, undoing
from fsms.operations.gradebook import EMPTY, Block, Entry, Filling, Kept, Outcome, Place, Preview, Saved, State, Target
from fsms.policy import SYSTEM, Actor, speak_for
from tests.browser import Queries
from tests.database import engine_of, migrated_template, scratch_database
from tests.integration.small_school import fill

PRINCIPAL = Actor(1, "admin")
TEACHER = Actor(2, "teacher")
COLLEAGUE = Actor(9, "teacher")

# Class 1 is the teacher's and the colleague's, with pupils 1, 3 to 6, and 2 who was dropped; pupil 1 has a mark, 7.5
# for subject 1 in December. Class 2 is the colleague's alone.
ROWS = """
UPDATE "Course" SET "teacherId2" = 9 WHERE "courseId" = 1;
UPDATE "Course" SET "teacherId1" = 9 WHERE "courseId" = 2;
INSERT INTO "Enrollment" ("enrollmentId", "studentId", "courseId") VALUES
    (13, 3, 1), (15, 5, 1), (16, 6, 1), (17, 6, 2);
INSERT INTO "Grade" ("studentId", "courseId", "subjectId", "semesterId", "gradeDate", grade, "userId") VALUES
    (2, 1, 1, 1, '2024-12', 5, 2), (6, 2, 1, 1, '2024-12', 6, 9);
"""
DECEMBER = "2024-12"
DARA, BOPHA, VANNA, SREY, PICH = (Place(number, 1, DECEMBER) for number in (1, 2, 3, 4, 5))

Apart = sessionmaker()
Sessions = sessionmaker(join_transaction_mode="create_savepoint")
for made in (Apart, Sessions):
    policy.install(made)
    activity.install(made)

Speaking = Callable[[Actor | None], Session]


@contextmanager
def small_school() -> Iterator[Engine]:
    """The small school with its second teacher, in a database of its own."""
    with scratch_database("gradebook", migrated_template()) as url, engine_of(url) as engine:
        with engine.begin() as connection:
            fill(connection)
            connection.execute(text(ROWS))
        yield engine


@pytest.fixture
def school() -> Iterator[Engine]:
    """A school for those who come at once, each on a connection of their own."""
    with small_school() as engine:
        yield engine


@pytest.fixture(scope="module")
def _school() -> Iterator[Engine]:
    with small_school() as engine:
        yield engine


@pytest.fixture
def connection(_school: Engine) -> Iterator[Connection]:
    """One connection, and nothing of the test is kept."""
    with _school.connect() as connection, connection.begin() as transaction:
        yield connection
        transaction.rollback()


@pytest.fixture
def speaking(connection: Connection) -> Iterator[Speaking]:
    """Open sessions that speak for somebody, all on the one connection."""
    opened: list[Session] = []

    def open_for(actor: Actor | None) -> Session:
        session = Sessions(bind=connection)
        speak_for(session, actor)
        opened.append(session)
        return session

    yield open_for
    for session in reversed(opened):
        session.close()


@pytest.fixture
def teacher(speaking: Speaking) -> Session:
    """A session that speaks for the teacher."""
    return speaking(TEACHER)


@pytest.fixture
def colleague(speaking: Speaking) -> Session:
    """A session that speaks for the colleague."""
    return speaking(COLLEAGUE)


def save(session: Session, *entries: Entry, course: int = 1) -> Saved:
    """Save and commit, as the page does."""
    saved = gradebook.save(session, session.get_one(Course, course), session.get_one(Semester, 1), entries, PLAIN)
    session.commit()
    return saved


def kept(session: Session, place: Place, course: int = 1) -> Kept:
    """Say what a cell holds now."""
    sheet = gradebook.load(
        session, session.get_one(Course, course), session.get_one(Semester, 1), PLAIN, month=place.period
    )
    session.commit()
    return sheet.cells.get(place, EMPTY)


def states(saved: Saved) -> list[State]:
    return [outcome.state for outcome in saved.outcomes]


def only(saved: Saved) -> Outcome:
    (outcome,) = saved.outcomes
    return outcome


# ---- What is saved -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "mark"),
    [
        ("8", Mark(Decimal(8))),
        ("0", Mark(Decimal(0))),
        ("៧,៥", Mark(Decimal("7.5"))),
        ("excused", EXCUSED),
        ("ច្បាប់", EXCUSED),
    ],
)
def test_what_is_typed_is_kept_in_the_name_of_its_typist(teacher: Session, typed: str, mark: Mark) -> None:
    saved = save(teacher, Entry(VANNA, typed, comment="  well  done "))

    assert states(saved) == [State.SAVED]
    found = kept(teacher, VANNA)
    assert (found.mark, found.comment, found.who) == (mark, "well done", "Kim Dara")
    assert only(saved).now == found


def test_a_blank_is_no_mark_and_zero_is_one(teacher: Session) -> None:
    seen = kept(teacher, DARA).state

    save(teacher, Entry(DARA, " ", seen=seen), Entry(VANNA, "0"))

    assert kept(teacher, DARA) == EMPTY
    assert teacher.scalar(select(func.count()).where(Grade.student_id == 1)) == 0
    assert kept(teacher, VANNA).mark == Mark(Decimal(0))


def test_what_stands_there_already_is_not_written_again(teacher: Session) -> None:
    before = kept(teacher, DARA)

    saved = save(teacher, Entry(DARA, "7.50", seen=before.state), Entry(VANNA, ""))

    assert states(saved) == [State.SAME, State.SAME]
    assert saved.batch is None
    assert kept(teacher, DARA) == before
    assert teacher.scalar(select(func.count()).select_from(ActivityLog)) == 0


def test_a_comment_alone_is_a_change(teacher: Session) -> None:
    before = kept(teacher, DARA)

    saved = save(teacher, Entry(DARA, "7.5", comment="late", seen=before.state))

    assert states(saved) == [State.SAVED]
    assert kept(teacher, DARA).comment == "late"


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        (Entry(VANNA, "11"), "A mark lies between 0 and 10; 11 does not."),
        (Entry(VANNA, "-1"), "A mark lies between 0 and 10; -1 does not."),
        (Entry(VANNA, "abs"), "“abs” is not a mark. Write a number such as 7.5, or “excused”."),
        (Entry(VANNA, "NaN"), "“NaN” is not a mark. Write a number such as 7.5, or “excused”."),
        (Entry(VANNA, "8" * 5000), None),
        (Entry(VANNA, "8\0"), ""),
        (Entry(VANNA, "", comment="why?"), "A comment stands beside a mark. Enter the mark too, or “excused”."),
        (Entry(VANNA, "8", comment="x" * 501), "The comment is too long: at most 500 characters."),
        (Entry(VANNA._replace(subject_id=99), "8"), "This subject does not exist any more. Choose another subject."),
        (Entry(VANNA._replace(student_id=99), "8"), "The pupil is not enrolled in this class. Enrol the pupil first."),
        (Entry(VANNA._replace(period="2024-13"), "8"), None),
        (Entry(VANNA._replace(period="12/24"), "8"), None),
        (
            Entry(BOPHA, "8"),
            "Sok Bopha was dropped from this class on 02/05/2025, so the marks stay as they are.",
        ),
    ],
)
def test_what_cannot_be_a_mark_is_refused_with_the_reason_and_the_rest_is_saved(
    teacher: Session, entry: Entry, reason: str | None
) -> None:
    saved = save(teacher, entry, Entry(SREY, "9"))

    first, second = saved.outcomes
    if reason == "":
        assert first.state is State.SAVED
    else:
        assert first.state is State.REFUSED
        assert str(first.reason) == reason or reason is None
        assert kept(teacher, VANNA) == EMPTY
    assert second.state is State.SAVED
    assert kept(teacher, SREY).mark == Mark(Decimal(9))


def test_forty_marks_are_one_act_with_one_undo(teacher: Session) -> None:
    before = kept(teacher, DARA)
    saved = save(
        teacher,
        Entry(DARA, "9", seen=before.state),
        *(Entry(place, "5") for place in (VANNA, SREY, PICH)),
        Entry(VANNA._replace(subject_id=2), "e"),
    )

    assert saved.batch
    told = teacher.scalars(select(ActivityLog.action).where(ActivityLog.batch == saved.batch).order_by(ActivityLog.id))
    assert sorted(told) == ["create_grade"] * 4 + ["save_marks", "update_grade"]

    undoing.undo(teacher, saved.batch)
    teacher.commit()

    assert kept(teacher, DARA).mark == before.mark
    assert [kept(teacher, place) for place in (VANNA, SREY, PICH)] == [EMPTY] * 3


def test_a_removed_mark_comes_back_by_undo(teacher: Session) -> None:
    before = kept(teacher, DARA)
    saved = save(teacher, Entry(DARA, "", seen=before.state))
    assert saved.batch

    undoing.undo(teacher, saved.batch)
    teacher.commit()

    assert kept(teacher, DARA).mark == before.mark


@pytest.mark.parametrize("actor", [PRINCIPAL, TEACHER])
def test_forty_marks_take_no_more_statements_than_one(speaking: Speaking, queries: Queries, actor: Actor) -> None:
    session = speaking(actor)
    cells = [
        Place(student, subject, f"2024-12-{day:02}")
        for student in (1, 3, 4, 5, 6)
        for subject in (1, 2)
        for day in range(1, 5)
    ]

    def statements(places: list[Place], typed: str, seen: dict[Place, str]) -> tuple[list[str], dict[Place, str]]:
        course, semester = session.get_one(Course, 1), session.get_one(Semester, 1)
        entries = [Entry(place, typed, seen=seen.get(place, ""), key=uuid.uuid4()) for place in places]
        with queries() as asked:
            saved = gradebook.save(session, course, semester, entries, PLAIN)
        session.commit()
        assert set(states(saved)) == {State.SAVED}
        return asked, {outcome.entry.place: outcome.now.state for outcome in saved.outcomes}

    seen: dict[Place, str] = {}
    for typed in ("7", "8", ""):
        one, seen_one = statements(cells[:1], typed, seen)
        thirty_nine, seen_others = statements(cells[1:], typed, seen)
        seen = seen_one | seen_others

        assert len(thirty_nine) == len(one) <= 9, "\n\n".join(thirty_nine)


# ---- Sent again ----------------------------------------------------------------------------------------------------


def test_a_cell_sent_again_is_written_once_and_answered_alike(teacher: Session, colleague: Session) -> None:
    entry = Entry(VANNA, "8", key=uuid.uuid4())
    first = only(save(teacher, entry))
    assert first.state is State.SAVED
    save(colleague, Entry(VANNA, "6", seen=first.now.state))

    again = save(teacher, entry, Entry(SREY, "9", key=uuid.uuid4()))

    assert states(again) == [State.SAVED, State.SAVED]
    assert again.outcomes[0].now == first.now
    assert kept(teacher, VANNA).mark == Mark(Decimal(6))


def test_a_refused_cell_may_be_sent_again_when_the_reason_is_gone(teacher: Session, speaking: Speaking) -> None:
    entry = Entry(BOPHA, "8", seen=kept(teacher, BOPHA).state, key=uuid.uuid4())
    assert states(save(teacher, entry)) == [State.REFUSED]
    principal = speaking(PRINCIPAL)
    place = principal.get_one(Enrollment, 2)
    place.drop, place.drop_date, place.drop_semester_id = False, None, None
    principal.commit()

    assert states(save(teacher, entry)) == [State.SAVED]


def test_a_request_that_comes_late_writes_nothing_after_its_repetition_was_answered_with_a_clash(
    teacher: Session, colleague: Session
) -> None:
    entry = Entry(VANNA, "8", key=uuid.uuid4())
    theirs = only(save(colleague, Entry(VANNA, "6")))
    repeated = only(save(teacher, entry))
    save(colleague, Entry(VANNA, "", seen=theirs.now.state))

    late = only(save(teacher, entry))

    assert (repeated.state, late.state) == (State.CLASH, State.CLASH)
    assert (late.now, late.now.who) == (repeated.now, repeated.now.who)
    assert kept(teacher, VANNA) == EMPTY
    assert states(save(teacher, replace(entry, key=uuid.uuid4()))) == [State.SAVED]


# ---- Two at once ---------------------------------------------------------------------------------------------------


def test_who_saved_meanwhile_is_named_and_nothing_is_overwritten(teacher: Session, colleague: Session) -> None:
    seen = kept(teacher, DARA).state
    save(colleague, Entry(DARA, "7", seen=seen))

    clash = only(save(teacher, Entry(DARA, "8", seen=seen)))

    assert clash.state is State.CLASH
    assert (clash.now.mark, clash.now.who) == (Mark(Decimal(7)), "Prak Rith")
    assert clash.now.when
    assert kept(teacher, DARA).mark == Mark(Decimal(7))

    assert states(save(teacher, Entry(DARA, "8", seen=clash.now.state))) == [State.SAVED]
    assert kept(teacher, DARA).mark == Mark(Decimal(8))


def test_two_who_typed_the_same_do_not_clash(teacher: Session, colleague: Session) -> None:
    save(colleague, Entry(VANNA, "7"))

    assert states(save(teacher, Entry(VANNA, "7.0"))) == [State.SAME]


def test_who_filled_a_cell_or_emptied_it_meanwhile_is_a_clash_too(teacher: Session, colleague: Session) -> None:
    seen = kept(teacher, DARA).state
    save(colleague, Entry(DARA, "", seen=seen), Entry(VANNA, "7"))

    saved = save(teacher, Entry(DARA, "8", seen=seen), Entry(VANNA, "6"))

    assert states(saved) == [State.CLASH, State.CLASH]
    assert saved.outcomes[0].now == EMPTY
    assert (kept(teacher, DARA), kept(teacher, VANNA).mark) == (EMPTY, Mark(Decimal(7)))


def test_a_mark_removed_and_written_anew_is_another_mark(teacher: Session, colleague: Session) -> None:
    save(teacher, Entry(VANNA, "5"))
    seen = kept(teacher, VANNA).state
    save(colleague, Entry(VANNA, "", seen=seen))
    save(colleague, Entry(VANNA, "6"))

    assert states(save(teacher, Entry(VANNA, "8", seen=seen))) == [State.CLASH]


def test_filling_empty_cells_leaves_a_filled_one_alone_without_a_clash(teacher: Session, colleague: Session) -> None:
    save(colleague, Entry(VANNA, "7"))

    saved = save(teacher, Entry(VANNA, "5", only_if_empty=True), Entry(SREY, "5", only_if_empty=True))

    assert states(saved) == [State.SAME, State.SAVED]
    assert kept(teacher, VANNA).mark == Mark(Decimal(7))


def test_who_gives_way_leaves_a_trace_in_the_history_of_the_mark(teacher: Session, colleague: Session) -> None:
    save(colleague, Entry(VANNA, "7"))

    course, semester = teacher.get_one(Course, 1), teacher.get_one(Semester, 1)
    gradebook.give_way(teacher, course, semester, Entry(VANNA, "8"))
    teacher.commit()

    entry = teacher.scalars(select(ActivityLog).where(ActivityLog.action == "give_way")).one()
    assert (entry.user_id, entry.entity) == (TEACHER.user_id, "Grade")
    assert entry.details
    assert entry.details["facts"] == {"typed": "8", "stays": "7"}
    assert kept(teacher, VANNA).mark == Mark(Decimal(7))


@pytest.mark.parametrize("order", [*permutations(range(3))])
def test_several_who_save_the_same_empty_cells_in_any_order_make_no_double(
    school: Engine, order: tuple[int, ...]
) -> None:
    cells = [VANNA, SREY, PICH]
    together = Barrier(3)

    def enter(who: int) -> Saved:
        actor = (PRINCIPAL, TEACHER, COLLEAGUE)[who]
        with Apart(bind=school) as session:
            speak_for(session, actor)
            together.wait(30)
            return save(session, *(Entry(cells[nth], str(who + 1)) for nth in (order if who else order[::-1])))

    with ThreadPoolExecutor(3) as pool:
        results = list(pool.map(enter, range(3)))

    # Whoever came first has all of them: who comes second waits for the first cell of the same order.
    assert sorted(states(saved).count(State.SAVED) for saved in results) == [0, 0, 3]
    assert sum(states(saved).count(State.CLASH) for saved in results) == 6
    with Session(school) as session:
        assert session.scalar(select(func.count()).where(Grade.student_id.in_([3, 4, 5]))) == 3


def test_twenty_at_once_lose_nothing_and_double_nothing(school: Engine) -> None:
    """Each keeps on as a person would: what clashed is looked at and, at random, insisted on or left."""
    people = 20
    with Session(school) as session:
        session.execute(_MORE_PRINCIPALS, {"first": 101, "last": 100 + people - 2})
        session.commit()
    actors = [TEACHER, COLLEAGUE, *(Actor(101 + nth, "admin") for nth in range(people - 2))]
    cells = [Place(student, subject, DECEMBER) for student in (1, 3, 4, 5, 6) for subject in (1, 2)]

    def work(nth: int) -> list[tuple[Place, str, str, str]]:
        """Answer the chain of what was accepted: cell, the state before it, the state after it, the mark."""
        chance = Random(nth)  # noqa: S311
        accepted: list[tuple[Place, str, str, str]] = []
        seen: dict[Place, str] = {}
        with Apart(bind=school) as session:
            speak_for(session, actors[nth])
            for _round in range(15):
                chosen = chance.sample(cells, 3)
                entries = [
                    Entry(place, chance.choice(["", "e", f"{chance.randint(0, 100) / 10}"]), seen=seen.get(place, ""))
                    for place in chosen
                ]
                for outcome in save(session, *entries).outcomes:
                    place = outcome.entry.place
                    assert outcome.state is not State.REFUSED
                    if outcome.state is State.SAVED:
                        accepted.append((place, outcome.entry.seen, outcome.now.state, str(outcome.now.mark)))
                    seen[place] = outcome.now.state
        return accepted

    with Session(school) as session:
        begun = {row.student_id: row for row in session.scalars(select(Grade).where(Grade.course_id == 1))}
        assert set(begun) == {1, 2}
    with ThreadPoolExecutor(people) as pool:
        accepted = [one for each in pool.map(work, range(people)) for one in each]

    with Session(school) as session:
        told = session.execute(
            select(ActivityLog.entity_id, func.count())
            .where(ActivityLog.entity == "Grade", ActivityLog.action.in_(_CHANGES))
            .group_by(ActivityLog.entity_id)
        ).all()
        doubles = session.execute(_DOUBLES).all()
        now = {
            (row.student_id, row.subject_id): row
            for row in session.scalars(select(Grade).where(Grade.course_id == 1, Grade.student_id != 2))
        }
    assert doubles == []
    # In the log once each, no more and no less.
    assert sum(count for _, count in told) == len(accepted)
    # No state was built upon twice, so no accepted mark was overwritten unseen.
    built_upon = [(place, before) for place, before, _, _ in accepted if before]
    assert len(built_upon) == len(set(built_upon))
    # What stands there is what somebody was told is saved, and nobody built upon.
    ends = {(place, after) for place, _, after, _ in accepted if after} - set(built_upon)
    standing = {
        (Place(student, subject, DECEMBER), f"{row.grade_id}.{row.version}.{int(row.updated_at.timestamp() * 1000)}")
        for (student, subject), row in now.items()
    }
    untouched = {(place, state) for place, state in standing if place == DARA and state.split(".")[1] == "1"}
    assert standing - untouched == ends - untouched


_MORE_PRINCIPALS = text(
    'insert into "User" ("userId", username, password, lastname, firstname, role) '
    "select n, 'principal' || n, '$2b$04$' || repeat('x', 53), 'Staff', 'Nr ' || n, 'admin' "
    "from generate_series(cast(:first as int), cast(:last as int)) n"
)
_CHANGES = ("create_grade", "update_grade", "delete_grade")
_DOUBLES = text(
    'select 1 from "Grade" group by "studentId", "courseId", "subjectId", "semesterId", "gradeDate" having count(*) > 1'
)


# ---- Whose -------------------------------------------------------------------------------------------------------


def test_a_teacher_finds_no_class_of_somebody_elses(teacher: Session, colleague: Session) -> None:
    assert [choice.course.course_id for choice in gradebook.choices(teacher, 2)] == [1]
    assert teacher.get(Course, 2) is None
    teacher.commit()
    assert [choice.course.course_id for choice in gradebook.choices(colleague, 9)] == [1, 2]


def test_the_database_refuses_a_class_that_was_smuggled_past(teacher: Session, speaking: Speaking) -> None:
    principal = speaking(PRINCIPAL)
    foreign = principal.get_one(Course, 2)
    principal.expunge_all()
    principal.commit()

    saved = gradebook.save(teacher, foreign, teacher.get_one(Semester, 1), [Entry(Place(6, 1, DECEMBER), "1")], PLAIN)

    assert states(saved) == [State.REFUSED]


def test_own_classes_come_first_in_each_year(speaking: Speaking) -> None:
    system = speaking(SYSTEM)
    listed = gradebook.choices(system, 2)

    assert [(choice.course.course_id, choice.own) for choice in listed] == [(1, True), (2, False)]


# ---- A pupil who came later ----------------------------------------------------------------------------------------


@pytest.fixture
def late(connection: Connection) -> Place:
    """The cell of December of a pupil who came on 10 January."""
    connection.execute(text('UPDATE "Enrollment" SET "enrolledOn" = \'2025-01-10\' WHERE "enrollmentId" = 15'))
    return PICH


CAME_LATER = "Keo Pich came to this class on 10/01/2025, so there are no marks for the time before."


@pytest.mark.parametrize(
    ("period", "state"),
    [
        ("2024-12", State.REFUSED),
        ("2025-01-09", State.REFUSED),
        ("2025-01", State.SAVED),
        ("2025-01-10", State.SAVED),
        ("2025-02", State.SAVED),
    ],
)
def test_marks_begin_with_the_month_in_which_the_pupil_came(
    teacher: Session, late: Place, period: str, state: State
) -> None:
    (outcome,) = save(teacher, Entry(late._replace(period=period), "8")).outcomes

    assert outcome.state is state
    assert (str(outcome.reason) if outcome.reason else None) == (CAME_LATER if state is State.REFUSED else None)


def test_between_leaving_and_coming_back_there_are_no_marks(teacher: Session, connection: Connection) -> None:
    connection.execute(text('UPDATE "Enrollment" SET away = \'{"[2024-12-20,2025-02-10)"}\' WHERE "enrollmentId" = 15'))

    saved = save(teacher, *(Entry(PICH._replace(period=period), "8") for period in ("2024-12", "2025-01", "2025-02")))

    assert states(saved) == [State.SAVED, State.REFUSED, State.SAVED]
    assert [str(outcome.reason) for outcome in saved.outcomes if outcome.reason] == [
        "Keo Pich left this class on 20/12/2024 and came back on 10/02/2025; between there are no marks."
    ]


def test_a_pasted_mark_for_the_time_before_is_refused_in_the_preview(teacher: Session, late: Place) -> None:
    seen = preview(teacher, Block("8\t7", (late.student_id,), (Target(1, DECEMBER), Target(1, "2025-01"))))

    assert [(bad.typed, str(bad.reason)) for bad in seen.refused] == [("8", CAME_LATER)]
    assert [entry.place.period for entry in seen.entries] == ["2025-01"]


def test_the_sheet_says_of_each_cell_why_it_is_shut(teacher: Session, late: Place) -> None:
    course, semester = teacher.get_one(Course, 1), teacher.get_one(Semester, 1)

    sheet = gradebook.load(teacher, course, semester, PLAIN, subject_id=1)

    pupil = next(pupil for pupil in sheet.pupils if pupil.student_id == late.student_id)
    shut = {column.period: str(why) for column in sheet.columns if (why := sheet.why_shut(pupil, column))}
    assert shut == {"2024-11": CAME_LATER, DECEMBER: CAME_LATER}
    assert not any(sheet.why_shut(other, sheet.columns[0]) for other in sheet.pupils if other is not pupil)


def test_a_mark_of_an_earlier_time_that_is_there_can_be_corrected_and_removed(
    teacher: Session, speaking: Speaking
) -> None:
    save(teacher, Entry(PICH, "5"))
    principal = speaking(PRINCIPAL)
    principal.get_one(Enrollment, 15).enrolled_on = dt.date(2025, 1, 10)
    principal.commit()

    corrected = save(teacher, Entry(PICH, "6", seen=kept(teacher, PICH).state))
    removed = save(teacher, Entry(PICH, "", seen=kept(teacher, PICH).state))
    again = save(teacher, Entry(PICH, "6"))

    assert states(corrected) + states(removed) + states(again) == [State.SAVED, State.SAVED, State.REFUSED]


# ---- The sheet -----------------------------------------------------------------------------------------------------


def test_a_sheet_has_the_pupils_by_name_and_those_who_left_apart(teacher: Session) -> None:
    sheet = gradebook.load(teacher, teacher.get_one(Course, 1), teacher.get_one(Semester, 1), PLAIN, month=DECEMBER)

    assert [pupil.name for pupil in sheet.pupils] == ["Keo Nary", "Keo Pich", "Keo Srey", "Keo Vanna", "Sok Dara"]
    assert [(pupil.name, str(pupil.dropped_on)) for pupil in sheet.dropped] == [("Sok Bopha", "2025-05-02")]
    assert sheet.months == ("2024-11", "2024-12", "2025-01", "2025-02", "2025-03")
    assert sheet.cells[BOPHA].mark == Mark(Decimal(5))


def test_a_sheet_shows_a_month_across_subjects_or_a_subject_across_months(teacher: Session) -> None:
    save(teacher, Entry(Place(1, 1, "2024-12-14"), "9"), Entry(Place(1, 2, "2025-01"), "8"))
    course, semester = teacher.get_one(Course, 1), teacher.get_one(Semester, 1)

    month = gradebook.load(teacher, course, semester, PLAIN, month=DECEMBER)
    subject = gradebook.load(teacher, course, semester, PLAIN, subject_id=1)

    assert [(c.subject, c.period) for c in month.columns] == [
        ("Mathematics", "2024-12"),
        ("Mathematics", "2024-12-14"),
        ("Khmer", "2024-12"),
    ]
    assert [c.period for c in subject.columns] == [
        "2024-11",
        "2024-12",
        "2024-12-14",
        "2025-01",
        "2025-02",
        "2025-03",
    ]
    assert subject.cells[Place(1, 1, "2024-12-14")].mark == Mark(Decimal(9))


def test_a_class_without_marks_takes_the_subjects_of_its_like(colleague: Session) -> None:
    save(colleague, Entry(VANNA._replace(subject_id=2), "8"))
    sheet = gradebook.load(colleague, colleague.get_one(Course, 2), colleague.get_one(Semester, 1), PLAIN)

    assert [subject.subject_name for subject in sheet.subjects] == ["Mathematics", "Khmer"]


# ---- Pasting -------------------------------------------------------------------------------------------------------

PUPILS = (6, 5, 4, 3, 1)  # as the sheet has them
COLUMNS = (Target(1, DECEMBER), Target(2, DECEMBER))


def preview(session: Session, pasted: Block | Filling) -> Preview:
    found = gradebook.preview(session, session.get_one(Course, 1), session.get_one(Semester, 1), pasted, PLAIN)
    session.commit()
    return found


def test_a_preview_says_what_is_new_what_changes_and_what_is_refused(teacher: Session) -> None:
    before = kept(teacher, DARA)

    found = preview(teacher, Block("8\t7\r\n6,5\tabs\r\n\t5\r\n11\t\r\n9\t7\r\n", PUPILS, COLUMNS))

    assert (found.new, len(found.changed), found.same, found.blank) == (5, 1, 0, 2)
    assert [(change.before.value, change.after.value) for change in found.changed] == [(Decimal("7.5"), Decimal(9))]
    assert [(bad.line, bad.typed) for bad in found.refused] == [(2, "abs"), (4, "11")]
    assert kept(teacher, DARA) == before

    saved = save(teacher, *found.entries)
    assert states(saved) == [State.SAVED] * 6
    assert saved.batch
    undoing.undo(teacher, saved.batch)
    teacher.commit()
    assert kept(teacher, DARA).mark == before.mark


def test_a_block_larger_than_the_sheet_says_what_is_left_out(teacher: Session) -> None:
    found = preview(teacher, Block("1\t2\t3\n" * 7, PUPILS[-2:], COLUMNS))

    assert (len(found.entries), found.lines_outside, found.columns_outside) == (4, 5, 1)


def test_a_short_block_touches_what_it_covers_only(teacher: Session) -> None:
    found = preview(teacher, Block("8\n9", PUPILS, COLUMNS))

    assert [(entry.place.student_id, entry.typed) for entry in found.entries] == [(6, "8"), (5, "9")]


@pytest.mark.parametrize("names", [False, True])
@pytest.mark.parametrize("heading", [False, True])
def test_rows_with_numbers_go_to_their_pupils(teacher: Session, names: bool, heading: bool) -> None:
    rows = [("1", "Sok Dara", "9"), ("99", "Nobody", "8"), ("៤", "Keo Srey", "7"), ("3", "Keo Vanna", "6")]
    rows = [("No.", "Name", "Maths"), *rows] if heading else rows
    copied = "\n".join("\t".join(row if names else (row[0], row[2])) for row in rows)

    found = preview(teacher, Block(copied, PUPILS, COLUMNS))

    assert found.by_number
    assert {entry.place.student_id: entry.typed for entry in found.entries} == {1: "9", 4: "7", 3: "6"}
    assert [(bad.line, str(bad.reason)) for bad in found.refused] == [
        (3 if heading else 2, "No pupil of this class has this number.")
    ]


def test_marks_are_not_taken_for_numbers(teacher: Session) -> None:
    found = preview(teacher, Block("5\t6\n5\t7\n4\t1", PUPILS, COLUMNS))

    assert not found.by_number
    assert len(found.entries) == 6


def test_a_value_for_all_empty_cells_never_touches_a_filled_one(teacher: Session) -> None:
    found = preview(teacher, Filling("5", tuple(Place(number, 1, DECEMBER) for number in (1, 2, 3, 4))))

    assert {entry.place.student_id for entry in found.entries} == {3, 4}
    assert found.same == 1
    assert [bad.line for bad in found.refused] == [2]
    assert all(entry.only_if_empty for entry in found.entries)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25, deadline=None)
@given(
    st.lists(st.lists(st.sampled_from(["", "7", "0", "e", "x", "11", "១០", '"', "8,5"]), max_size=4), max_size=8),
)
def test_applying_does_what_the_preview_said(teacher: Session, block: list[list[str]]) -> None:
    copied = "\n".join("\t".join(line) for line in block)
    found = preview(teacher, Block(copied, PUPILS, COLUMNS))

    saved = save(teacher, *found.entries)

    assert states(saved) == [State.SAVED] * (found.new + len(found.changed))
    again = preview(teacher, Block(copied, PUPILS, COLUMNS))
    assert not again.entries
    assert len(again.refused) == len(found.refused)
    if saved.batch:
        undoing.undo(teacher, saved.batch)
        teacher.commit()
    assert [kept(teacher, place).mark for place in (DARA, VANNA, SREY)] == [Mark(Decimal("7.5")), BLANK, BLANK]


def test_more_than_a_clipboard_should_hold_is_refused_in_a_sentence(teacher: Session) -> None:
    with pytest.raises(Exception, match="more than 5000 cells"):
        preview(teacher, Block("1\n" * 6000, PUPILS, COLUMNS))


def test_the_log_tells_the_act_in_the_name_of_who_did_it(teacher: Session) -> None:
    save(teacher, Entry(VANNA, "8"))

    entry = teacher.scalars(select(ActivityLog).where(ActivityLog.action == "save_marks")).one()
    assert entry.user_id == TEACHER.user_id
    assert entry.details
    assert entry.details["facts"] == {"course": "5A · 2024-2025", "semester": "S1-2024"}
