"""What a person chose is kept for that person alone, and nobody's log tells of it."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, delete, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, sessionmaker

from fsms import activity, errors, policy
from fsms.models import ActivityLog, User
from fsms.office import Preference
from fsms.operations.preferences import read, read_all, remember
from fsms.policy import SYSTEM, Actor, speak_for
from tests.database import engine_of, migrated_template, scratch_database
from tests.integration.small_school import fill

PRINCIPAL = Actor(1, "admin")
TEACHER = Actor(2, "teacher")
COLLEAGUE = Actor(9, "teacher")

Sessions = sessionmaker(join_transaction_mode="create_savepoint")
policy.install(Sessions)
activity.install(Sessions)


@pytest.fixture(scope="module")
def school() -> Iterator[Engine]:
    """The small school, in a database of this module."""
    with scratch_database("preferences", migrated_template()) as url, engine_of(url) as engine:
        with engine.begin() as connection:
            fill(connection)
        yield engine


@pytest.fixture
def connection(school: Engine) -> Iterator[Connection]:
    """One connection, and nothing of the test is kept."""
    with school.connect() as connection, connection.begin() as transaction:
        yield connection
        transaction.rollback()


Speaking = Callable[[Actor | None], Session]


@pytest.fixture
def speaking(connection: Connection) -> Iterator[Speaking]:
    """Open a session that speaks for somebody; the one before is closed, since all are on one connection."""
    session = Sessions(bind=connection)

    def open_for(actor: Actor | None) -> Session:
        session.close()
        speak_for(session, actor)
        return session

    yield open_for
    session.close()


@pytest.mark.parametrize("value", ["km", 20, True, ["last_name", "dob"], {"digits": "khmer", "nested": {"ក": None}}])
@pytest.mark.parametrize("actor", [PRINCIPAL, TEACHER], ids=["admin", "teacher"])
def test_what_is_remembered_is_read_again(speaking: Speaking, actor: Actor, value: Any) -> None:
    session = speaking(actor)

    remember(session, "choice", value)
    session.commit()

    assert read(speaking(actor), "choice") == value


def test_the_last_choice_counts(speaking: Speaking) -> None:
    session = speaking(TEACHER)

    remember(session, "language", "en")
    remember(session, "language", "km")

    assert read(session, "language") == "km"


def test_nothing_remembered_reads_as_the_default(speaking: Speaking) -> None:
    session = speaking(TEACHER)

    assert read(session, "language") is None
    assert read(session, "language", "en") == "en"


def test_none_forgets(speaking: Speaking) -> None:
    session = speaking(TEACHER)
    remember(session, "language", "km")

    remember(session, "language", None)

    assert read(session, "language", "en") == "en"


def test_several_choices_are_read_with_one_question(speaking: Speaking) -> None:
    session = speaking(TEACHER)
    for name in ("language", "digits", "theme"):
        remember(session, name, name.upper())

    assert read_all(session, ["language", "theme", "unknown"]) == {"language": "LANGUAGE", "theme": "THEME"}


def test_nobody_reads_the_choices_of_another(speaking: Speaking) -> None:
    session = speaking(COLLEAGUE)
    remember(session, "language", "km")
    session.commit()

    assert read(speaking(TEACHER), "language") is None
    assert read(speaking(PRINCIPAL), "language") is None
    assert read(speaking(SYSTEM), "language") is None
    assert read(speaking(None), "language") is None


def test_the_system_reads_on_behalf_of_an_account(speaking: Speaking) -> None:
    session = speaking(TEACHER)
    remember(session, "language", "km")
    session.commit()

    assert read(speaking(Actor(TEACHER.user_id, SYSTEM.role)), "language") == "km"


def test_a_choice_that_would_fill_the_disk_is_refused_in_words(speaking: Speaking) -> None:
    session = speaking(TEACHER)

    with pytest.raises(IntegrityError) as refused:
        remember(session, "columns", ["last_name"] * 5000)

    assert errors.sentence_for(refused.value) == errors.SENTENCES["Preference_value_check"]


@pytest.mark.parametrize("by", ["operation", "row"])
def test_the_log_is_silent_about_it(speaking: Speaking, by: str) -> None:
    session = speaking(PRINCIPAL)
    before = session.scalar(select(func.count()).select_from(ActivityLog))

    if by == "operation":
        remember(session, "language", "km")
    else:
        session.add(Preference(user_id=1, name="language", value="km"))
    session.commit()

    assert session.scalar(select(func.count()).select_from(ActivityLog)) == before


def test_it_goes_with_the_account(speaking: Speaking) -> None:
    session = speaking(COLLEAGUE)
    remember(session, "language", "km")
    session.commit()
    principal = speaking(PRINCIPAL)

    principal.execute(delete(User).where(User.user_id == COLLEAGUE.user_id), execution_options={"logged_as": "rows"})

    assert principal.scalar(select(func.count()).select_from(Preference)) == 0
