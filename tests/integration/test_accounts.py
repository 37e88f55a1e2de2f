"""Signing in, the lock after wrong tries, and passwords, on the database."""

import datetime as dt
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import bcrypt
import pytest
import time_machine
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from fsms import passwords
from fsms.database import db
from fsms.errors import InvalidValue
from fsms.models import ActivityLog, User
from fsms.operations import accounts
from fsms.policy import Actor
from fsms.vocabulary import AccountStatus, Role
from tests.builders import PASSWORD, Make

# What is told of accounts beside the changes of their rows.
ACTS = ("login", "logout", "login_failed", "account_locked", "unlock_account", "change_password")
MORNING = dt.datetime(2025, 3, 14, 0, 30, tzinfo=dt.UTC)


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    """A clock that stands still at half past seven in Phnom Penh."""
    with time_machine.travel(MORNING, tick=False) as clock:
        yield clock


@pytest.fixture
def dara(make: Make, clock: time_machine.Traveller) -> User:
    """A teacher with an account."""
    return make.user(username="dara")


def tries(session: Session, password: str, username: str = "dara", *, cost: int = 4, ip: str = "10.0.0.1") -> bool:
    """Try to sign in; commits as the page would."""
    opened = accounts.authenticate(session, username, password, cost=cost, ip=ip)
    session.commit()
    return opened is not None


def minutes_locked(user: User) -> float:
    """Answer how long the account is still locked."""
    return (
        (user.account_locked_until - dt.datetime.now(dt.UTC)).total_seconds() / 60 if user.account_locked_until else 0
    )


def log(session: Session) -> list[tuple[str, int | None, dict[str, Any]]]:
    """Read from the beginning what people did with accounts."""
    entries = session.scalars(select(ActivityLog).where(ActivityLog.action.in_(ACTS)).order_by(ActivityLog.id))
    return [(entry.action, entry.user_id, entry.details or {}) for entry in entries]


# ---- The lock -----------------------------------------------------------------------------------------------------


def test_the_lock_doubles_from_five_minutes_to_an_hour(
    session: Session, dara: User, clock: time_machine.Traveller
) -> None:
    locked = []
    for _ in range(12):
        assert not tries(session, "wrong")
        locked.append(minutes_locked(dara))
        clock.shift(dt.timedelta(minutes=locked[-1]))

    assert locked == [0, 0, 0, 0, 5, 10, 20, 40, 60, 60, 60, 60]


@pytest.mark.parametrize("failures", [5, 9, 64, 2**31 - 1])
def test_no_number_of_failures_locks_for_more_than_an_hour(failures: int) -> None:
    assert accounts.lock_after(failures) in {accounts.FIRST_LOCK, accounts.LONGEST_LOCK}


def test_wrong_tries_from_many_addresses_lock_the_one_account(session: Session, dara: User, make: Make) -> None:
    make.user(username="bopha")
    for number in range(5):
        tries(session, "wrong", "DARA" if number % 2 else "dara", ip=f"10.0.0.{number}")

    assert minutes_locked(dara) == 5
    assert tries(session, PASSWORD, "bopha")


def test_the_right_password_does_not_open_a_locked_account_until_the_lock_ends(
    session: Session, dara: User, clock: time_machine.Traveller
) -> None:
    for _ in range(5):
        tries(session, "wrong")

    assert not tries(session, PASSWORD)
    clock.shift(dt.timedelta(minutes=4, seconds=59))
    assert not tries(session, PASSWORD)
    clock.shift(dt.timedelta(seconds=1))
    assert tries(session, PASSWORD)
    assert (dara.failed_login_attempts, dara.account_locked_until) == (0, None)


def test_tries_during_the_lock_do_not_lengthen_it(session: Session, dara: User, clock: time_machine.Traveller) -> None:
    for _ in range(30):
        tries(session, "wrong")

    assert dara.failed_login_attempts == 5
    clock.shift(dt.timedelta(minutes=5))
    assert tries(session, PASSWORD)


def test_success_forgets_the_wrong_tries(session: Session, dara: User) -> None:
    for password in ("wrong",) * 4 + (PASSWORD,) + ("wrong",) * 4:
        tries(session, password)

    assert dara.failed_login_attempts == 4
    assert minutes_locked(dara) == 0


def test_wrong_tries_at_the_same_moment_all_count(school: Flask) -> None:
    with school.app_context():
        engine = db.engine
    with Session(engine) as session:
        Make(session).user(username="dara")

    def guess(_: int) -> bool:
        with Session(engine) as apart:
            return tries(apart, "wrong")

    with ThreadPoolExecutor(4) as pool:
        assert not any(pool.map(guess, range(4)))
    with Session(engine) as session:
        assert session.scalars(select(User.failed_login_attempts)).one() == 4

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(guess, range(8)))
    with Session(engine) as session:
        # The fifth locked the account, so the rest was neither counted nor of any use.
        assert session.scalars(select(User.failed_login_attempts)).one() == 5


def test_an_administrator_ends_a_lock(session: Session, dara: User, make: Make) -> None:
    principal = make.user(role=Role.ADMIN.value)
    for _ in range(5):
        tries(session, "wrong")

    accounts.unlock(session, dara.user_id, by=Actor(principal.user_id, principal.role), ip="10.0.0.9")

    assert tries(session, PASSWORD)
    action, who, details = next(entry for entry in log(session) if entry[0] == "unlock_account")
    assert (action, who, details) == ("unlock_account", principal.user_id, {"ip": "10.0.0.9"})


def test_a_locked_and_an_unknown_account_cost_the_work_of_a_known_one(
    session: Session, dara: User, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    make.user(username="gone", status=AccountStatus.INACTIVE.value)
    make.user(username="locked", account_locked_until=MORNING + dt.timedelta(hours=1))
    compared = []
    compare = bcrypt.checkpw

    def noted(secret: bytes, kept: bytes) -> bool:
        compared.append(kept[:7])
        return compare(secret, kept)

    monkeypatch.setattr(bcrypt, "checkpw", noted)

    for name in ("dara", "gone", "locked", "nobody", ""):
        tries(session, "wrong", name)
        tries(session, PASSWORD, name)

    assert compared == [b"$2b$04$"] * 10


# ---- Signing in ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("typed", ["dara", "DARA", " Dara ", "da\u200bra", "dara\x00"])
def test_the_name_may_be_typed_as_people_type(session: Session, dara: User, typed: str) -> None:
    assert tries(session, PASSWORD, typed)
    assert dara.last_login == MORNING


@pytest.mark.parametrize("typed", ["", "da", "dar_", "%", "dara'--", "\ud800", "ដារ៉ា" * 5000])
def test_another_name_opens_nothing(session: Session, dara: User, typed: str) -> None:
    assert not tries(session, PASSWORD, typed)


def test_an_inactive_account_opens_for_nobody(session: Session, make: Make) -> None:
    make.user(username="gone", status=AccountStatus.INACTIVE.value)

    assert not tries(session, PASSWORD, "gone")


@pytest.mark.parametrize(("kind", "cost"), [("2b", 4), ("2a", 4), ("2a", 5), ("2y", 5)])
def test_an_old_hash_is_renewed_by_signing_in(session: Session, make: Make, kind: str, cost: int) -> None:
    old = passwords.hashed(PASSWORD, cost=cost).replace("$2b$", f"${kind}$")
    sok = make.user(username="sok")
    sok.password = old
    session.commit()

    assert not tries(session, "wrong", "sok", cost=5)
    assert sok.password == old
    assert tries(session, PASSWORD, "sok", cost=5)
    assert sok.password.startswith("$2b$05$")
    assert tries(session, PASSWORD, "sok", cost=5)


def test_a_password_of_the_old_program_beyond_72_bytes_is_renewed_too(session: Session, make: Make) -> None:
    long = "ក" * 40
    sok = make.user(username="sok")
    sok.password = bcrypt.hashpw(long.encode()[:72], bcrypt.gensalt(4)).decode().replace("$2b$", "$2a$")
    session.commit()

    assert tries(session, long, "sok")
    assert sok.password.startswith("$2b$")
    assert tries(session, long, "sok")


def test_signing_in_is_no_edit_of_the_record(session: Session, dara: User, clock: time_machine.Traveller) -> None:
    before = (dara.version, dara.updated_at)
    clock.shift(dt.timedelta(hours=1))

    tries(session, "wrong")
    tries(session, PASSWORD)

    assert (dara.version, dara.updated_at) == before


# ---- What is written down -----------------------------------------------------------------------------------------


def test_the_log_tells_who_came_and_who_did_not(session: Session, dara: User) -> None:
    for password in ("wrong",) * 5 + (PASSWORD,):
        tries(session, password)
    tries(session, PASSWORD, "nobody" * 50)

    who = dara.user_id
    *known, unknown = log(session)
    assert known == [
        *[("login_failed", who, {"ip": "10.0.0.1"})] * 5,
        ("account_locked", who, {"ip": "10.0.0.1", "minutes": 5}),
        ("login_failed", who, {"ip": "10.0.0.1", "locked": True}),
    ]
    assert unknown[:2] == ("login_failed", None)
    assert unknown[2]["username"] == ("nobody" * 50)[:100]


def test_the_log_holds_no_password(session: Session, dara: User) -> None:
    new = "three quiet otters"
    tries(session, "my wrong guess")
    tries(session, PASSWORD)
    accounts.change_password(session, dara.user_id, old="another guess", new=new, cost=4, ip=None)
    accounts.change_password(session, dara.user_id, old=PASSWORD, new=new, cost=4, ip=None)
    accounts.sign_out(session, dara.user_id, ip=None)

    written = str([entry.details for entry in session.scalars(select(ActivityLog))])
    assert [action for action, *_ in log(session)] == [
        "login_failed", "login", "login_failed", "change_password", "logout",
    ]  # fmt: skip
    assert not any(secret in written for secret in ("guess", PASSWORD, new, "$2b$"))


# ---- Passwords ----------------------------------------------------------------------------------------------------


def test_the_owner_changes_the_password(session: Session, dara: User) -> None:
    dara.password_change_required = True
    session.commit()

    assert accounts.change_password(session, dara.user_id, old=PASSWORD, new="three quiet otters", cost=4, ip=None)

    assert not dara.password_change_required
    assert tries(session, "three quiet otters")
    assert not tries(session, PASSWORD)


@pytest.mark.parametrize("new", [PASSWORD, "short", "dara is here", "password123"])
def test_a_weak_or_the_same_password_changes_nothing(session: Session, dara: User, new: str) -> None:
    with pytest.raises(InvalidValue):
        accounts.change_password(session, dara.user_id, old=PASSWORD, new=new, cost=4, ip=None)

    assert tries(session, PASSWORD)


def test_wrong_old_passwords_lock_the_account(session: Session, dara: User) -> None:
    for _ in range(5):
        assert not accounts.change_password(session, dara.user_id, old="no", new="three quiet otters", cost=4, ip=None)

    assert minutes_locked(dara) == 5
    assert not accounts.change_password(session, dara.user_id, old=PASSWORD, new="three quiet otters", cost=4, ip=None)


def test_a_password_given_by_an_administrator_ends_the_lock_and_must_be_changed(session: Session, dara: User) -> None:
    for _ in range(5):
        tries(session, "wrong")

    accounts.give_password(dara, "three quiet otters", cost=4)
    session.commit()

    assert dara.password_change_required
    assert tries(session, "three quiet otters")


def test_the_first_administrator_is_made_with_an_own_password(session: Session) -> None:
    first = {"username": "principal", "last_name": "សុខ", "first_name": "ដារ៉ា", "cost": 4}
    with pytest.raises(InvalidValue):
        accounts.create_admin(session, password="principal1", **first)  # type: ignore[arg-type]

    made = accounts.create_admin(session, password=PASSWORD, **first)  # type: ignore[arg-type]

    assert (made.role, made.password_change_required) == (Role.ADMIN, False)
    assert tries(session, PASSWORD, "principal")
