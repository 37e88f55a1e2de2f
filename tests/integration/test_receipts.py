"""A request sent twice is done once, whoever sends it and however close together."""

import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from sqlalchemy import Engine, func, select, text
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.orm import Session, sessionmaker

from fsms import activity, policy
from fsms.errors import Refused
from fsms.models import ActivityLog, Subject
from fsms.office import Receipt
from fsms.operations import receipts
from fsms.operations.receipts import KeyUsedBefore
from fsms.policy import SYSTEM, Actor, speak_for
from tests.database import engine_of, migrated_template, scratch_database
from tests.integration.small_school import fill

PRINCIPAL = Actor(1, "admin")
TEACHER = Actor(2, "teacher")
COLLEAGUE = Actor(9, "teacher")

Sessions = sessionmaker()
policy.install(Sessions)
activity.install(Sessions)

Speaking = Callable[[Actor | None], Session]


@pytest.fixture
def school() -> Iterator[Engine]:
    """The small school, in a database of its own."""
    with scratch_database("receipts", migrated_template()) as url, engine_of(url) as engine:
        with engine.begin() as connection:
            fill(connection)
        yield engine


@pytest.fixture
def speaking(school: Engine) -> Iterator[Speaking]:
    """Open sessions that speak for somebody."""
    opened: list[Session] = []

    def open_for(actor: Actor | None) -> Session:
        session = Sessions(bind=school)
        speak_for(session, actor)
        opened.append(session)
        return session

    yield open_for
    for session in opened:
        session.close()


def _adding(session: Session, name: str) -> Callable[[], dict[str, str]]:
    """Give an act that leaves a row behind, and says so."""

    def act() -> dict[str, str]:
        session.add(Subject(subject_name=name))
        session.flush()
        return {"added": name}

    return act


def test_the_second_request_gets_the_first_answer_and_does_nothing(speaking: Speaking) -> None:
    key = uuid.uuid4()
    session = speaking(PRINCIPAL)
    receipts.once(session, "subject", key, _adding(session, "Astronomy"))
    session.commit()

    again = receipts.once(session, "subject", key, _adding(session, "Geology"))
    session.commit()

    assert again == {"added": "Astronomy"}
    assert session.scalar(select(func.count()).where(Subject.subject_name == "Geology")) == 0


def test_an_act_that_failed_can_be_tried_again(speaking: Speaking) -> None:
    key = uuid.uuid4()
    session = speaking(PRINCIPAL)
    receipts.once(session, "subject", key, _adding(session, "Astronomy"))
    session.rollback()

    again = receipts.once(session, "subject", key, _adding(session, "Geology"))

    assert again == {"added": "Geology"}


def test_several_requests_are_answered_each_by_its_key(speaking: Speaking) -> None:
    first, second, third = (uuid.uuid4() for _ in range(3))
    session = speaking(TEACHER)
    receipts.keep(session, "marks", {first: 1, second: [2]})

    assert receipts.given(session, "marks", [first, second, third]) == {first: 1, second: [2]}


def test_two_people_may_happen_upon_the_same_key(speaking: Speaking) -> None:
    key = uuid.uuid4()
    for actor in (PRINCIPAL, TEACHER, COLLEAGUE):
        session = speaking(actor)
        receipts.keep(session, "marks", {key: actor.user_id})
        session.commit()

    assert receipts.given(speaking(TEACHER), "marks", [key]) == {key: TEACHER.user_id}


def test_a_key_of_another_kind_of_request_is_refused(speaking: Speaking) -> None:
    key = uuid.uuid4()
    session = speaking(TEACHER)
    receipts.keep(session, "marks", {key: 1})

    with pytest.raises(KeyUsedBefore):
        receipts.once(session, "roster", key, lambda: 2)


@pytest.mark.parametrize("actor", [None, SYSTEM])
def test_who_has_no_account_gets_no_receipt(speaking: Speaking, actor: Actor | None) -> None:
    with pytest.raises(Refused):
        receipts.once(speaking(actor), "marks", uuid.uuid4(), lambda: 1)


def test_of_two_that_arrive_together_one_is_done(school: Engine) -> None:
    key = uuid.uuid4()
    done: list[int] = []
    together = Barrier(4)

    def send(number: int) -> int:
        with Sessions(bind=school) as session:
            speak_for(session, TEACHER)
            together.wait(30)
            answer: int = receipts.once(session, "marks", key, lambda: _noted(done, number))
            session.commit()
            return answer

    with ThreadPoolExecutor(4) as pool:
        answers = set(pool.map(send, range(4)))

    assert len(done) == 1
    assert answers == set(done)


def _noted(done: list[int], number: int) -> int:
    done.append(number)
    return number


def test_old_receipts_go_as_new_ones_come(speaking: Speaking) -> None:
    old, young = uuid.uuid4(), uuid.uuid4()
    principal = speaking(PRINCIPAL)
    for actor in (TEACHER, COLLEAGUE):
        session = speaking(actor)
        receipts.keep(session, "marks", {old: 1, young: 2})
        session.commit()
    principal.execute(_AGE, {"key": old, "days": 31})
    principal.execute(_AGE, {"key": young, "days": 29})
    principal.commit()

    new = uuid.uuid4()
    teacher = speaking(TEACHER)
    receipts.keep(teacher, "marks", {new: 3})
    teacher.commit()

    # A teacher's session reaches the own receipts only.
    kept = principal.execute(select(Receipt.user_id, Receipt.key))
    assert {tuple(row) for row in kept} == {(2, young), (2, new), (9, old), (9, young)}


_AGE = text("""update "Receipt" set "createdAt" = now() - make_interval(days => :days) where key = :key""")


def test_the_log_tells_of_the_act_and_not_of_the_receipt(speaking: Speaking) -> None:
    session = speaking(PRINCIPAL)
    before = session.scalar(select(func.max(ActivityLog.id))) or 0

    receipts.once(session, "subject", uuid.uuid4(), _adding(session, "Astronomy"))
    session.commit()

    told = session.scalars(select(ActivityLog.action).where(ActivityLog.id > before)).all()
    assert list(told) == ["create_subject"]


def test_a_teacher_reaches_no_receipt_of_a_colleague_and_changes_none(speaking: Speaking) -> None:
    key = uuid.uuid4()
    colleague = speaking(COLLEAGUE)
    receipts.keep(colleague, "marks", {key: 1})
    colleague.commit()
    teacher = speaking(TEACHER)
    receipts.keep(teacher, "marks", {uuid.uuid4(): 1})
    teacher.commit()

    assert teacher.scalars(select(Receipt.user_id)).all() == [2]
    assert teacher.execute(text('delete from "Receipt" returning 1')).all() == []
    for forged in (
        text("""insert into "Receipt" (key, "userId", what, answer) values (gen_random_uuid(), 9, 'marks', '1')"""),
        text("""update "Receipt" set answer = '2'"""),
    ):
        with pytest.raises(ProgrammingError), teacher.begin_nested():
            teacher.execute(forged)


def test_receipts_go_with_their_account(speaking: Speaking) -> None:
    session = speaking(COLLEAGUE)
    receipts.keep(session, "marks", {uuid.uuid4(): 1})
    session.commit()

    principal = speaking(PRINCIPAL)
    principal.execute(text('delete from "User" where "userId" = 9'))

    assert principal.scalar(select(func.count()).select_from(Receipt)) == 0
