"""Accounts: signing in, the lock after wrong tries, passwords, the own phones. Flushes; never commits.

The session must speak for the system: whoever signs in has no rights yet, and no teacher may read a hash.
"""

import datetime as dt
from typing import Any, cast

from sqlalchemy import ColumnElement, Table, func, select, update
from sqlalchemy.orm import Session

from fsms import activity, clock, passwords, text
from fsms.errors import InvalidValue
from fsms.models import User
from fsms.policy import SYSTEM, Actor
from fsms.vocabulary import AccountStatus, Role

TRIES_BEFORE_LOCK = 5
FIRST_LOCK = dt.timedelta(minutes=5)
LONGEST_LOCK = dt.timedelta(hours=1)
LONGEST_NAME_IN_LOG = 100

_ACCOUNTS = cast(Table, User.__table__)


# ---- Signing in and out -------------------------------------------------------------------------------------------


def authenticate(session: Session, username: str, password: str, *, cost: int, ip: str | None) -> User | None:
    """Return the account that name and password open; None does not say what was wrong."""
    name = _whole_characters(text.clean(username))
    user = _held(session, func.lower(User.username) == func.lower(name))
    if user is None:
        # An unknown name costs the same work as a known one, so that the clock does not tell them apart.
        passwords.matches(password, None, cost=cost)
        activity.record(session, "login_failed", SYSTEM, {"ip": ip, "username": name[:LONGEST_NAME_IN_LOG]})
        session.flush()
        return None
    if not _confirmed(session, user, password, cost=cost, ip=ip):
        return None
    kept = user.password
    if passwords.is_outdated(kept, cost=cost):
        kept = passwords.renewed(password, cost=cost)
    _note(session, user, "login", password=kept, lastLogin=clock.now(), failedLoginAttempts=0, accountLockedUntil=None)
    _record(session, "login", user, ip=ip)
    return user


def sign_out(session: Session, user_id: int, *, ip: str | None) -> None:
    """Note that somebody signed out."""
    _record(session, "logout", session.get_one(User, user_id), ip=ip)


# ---- The lock -----------------------------------------------------------------------------------------------------


def lock_after(failures: int) -> dt.timedelta | None:
    """Say how long an account is locked after so many wrong tries in a row; None: not at all."""
    beyond = failures - TRIES_BEFORE_LOCK
    # Four doublings pass the longest lock; more would only make numbers that no clock can add.
    return None if beyond < 0 else min(FIRST_LOCK * 2 ** min(beyond, 4), LONGEST_LOCK)


def is_locked(user: User) -> bool:
    """Say whether the account takes no password now. A lock ends by itself."""
    return user.account_locked_until is not None and user.account_locked_until > clock.now()


def unlock(session: Session, user_id: int, *, by: Actor, ip: str | None) -> User | None:
    """End the lock of an account and forget the wrong tries; None where there is no such account."""
    user = _held(session, User.user_id == user_id)
    if user is not None:
        _note(session, user, "unlock_account", failedLoginAttempts=0, accountLockedUntil=None)
        activity.record(session, "unlock_account", by, {"ip": ip}, entity="User", entity_id=user_id)
        session.flush()
    return user


def _confirmed(session: Session, user: User, password: str, *, cost: int, ip: str | None, **facts: Any) -> bool:
    """Compare the password and count a wrong one. While the account is locked the right one is refused as well.

    Tries during the lock are not counted: it would never end while somebody else keeps on guessing.
    """
    right = passwords.matches(password, user.password, cost=cost)
    if is_locked(user):
        _record(session, "login_failed", user, ip=ip, locked=True, **facts)
        return False
    if right and user.status == AccountStatus.ACTIVE:
        return True
    failures = user.failed_login_attempts + 1
    lock, now = lock_after(failures), clock.now()
    until = now + lock if lock else None
    counted = {"failedLoginAttempts": failures, "lastFailedLogin": now, "accountLockedUntil": until}
    _note(session, user, "login_failed", **counted)
    _record(session, "login_failed", user, ip=ip, **facts)
    if lock:
        _record(session, "account_locked", user, ip=ip, minutes=lock // dt.timedelta(minutes=1))
    return False


# ---- Passwords and phones -----------------------------------------------------------------------------------------


def change_password(session: Session, user_id: int, *, old: str, new: str, cost: int, ip: str | None) -> bool:
    """Give an account the password its owner chose. False: the old one is wrong, which counts as a wrong try."""
    user = _held(session, User.user_id == user_id)
    assert user, "somebody signed in has an account"
    passwords.check(new, username=user.username)
    if passwords.normal(new) == passwords.normal(old):
        raise InvalidValue("This is the present password. Choose a new one.", about="new_password")
    if not _confirmed(session, user, old, cost=cost, ip=ip, at="account"):
        return False
    user.password = passwords.hashed(new, cost=cost)
    user.password_change_required = False
    session.flush()
    _record(session, "change_password", user, ip=ip)
    return True


def give_password(user: User, password: str, *, cost: int) -> None:
    """Set a password that somebody else chose: it opens the account once, for choosing an own one."""
    passwords.check(password, username=user.username)
    user.password = passwords.hashed(password, cost=cost)
    user.password_change_required = True
    user.failed_login_attempts, user.account_locked_until = 0, None


def change_phones(session: Session, user_id: int, *, phonenumber1: str, phonenumber2: str) -> None:
    """Write the phone numbers that somebody gives as the own ones."""
    user = session.get_one(User, user_id)
    user.phonenumber1, user.phonenumber2 = phonenumber1 or None, phonenumber2 or None
    session.flush()


# ---- Administrators -----------------------------------------------------------------------------------------------


def create_admin(session: Session, *, username: str, last_name: str, first_name: str, password: str, cost: int) -> User:
    """Make an administrator's account, with a password of the own choice."""
    passwords.check(password, username=username)
    admin = User(
        username=username,
        last_name=last_name,
        first_name=first_name,
        password=passwords.hashed(password, cost=cost),
        role=Role.ADMIN.value,
    )
    session.add(admin)
    session.flush()
    return admin


def keep_own_rights(admin: User) -> None:
    """Refuse an administrator who would lock himself out: so there always is one."""
    if admin.role != Role.ADMIN:
        raise InvalidValue("You cannot take the administrator's rights from yourself. Ask another one.", about="role")
    if admin.status != AccountStatus.ACTIVE:
        raise InvalidValue("You cannot switch off your own account. Ask another administrator.", about="status")


# ---- Rows ---------------------------------------------------------------------------------------------------------


def _held(session: Session, which: ColumnElement[bool]) -> User | None:
    """Read an account and hold it to the end of the transaction.

    Tries for one account so wait for one another: of a hundred sent at once five are compared, and none is lost in
    counting. The gentler kind of lock lets others write rows that point at the account.
    """
    held = select(User).where(which).with_for_update(key_share=True)
    return session.scalars(held.execution_options(populate_existing=True)).one_or_none()


def _note(session: Session, user: User, action: str, **columns: Any) -> None:
    """Write what signing in leaves behind; the entry of that action tells of it.

    This is no edit of the record: it neither counts a version, which would refuse the form an administrator has open,
    nor says “last saved”.
    """
    values = {_ACCOUNTS.c[name]: value for name, value in columns.items()} | {_ACCOUNTS.c.updatedAt: user.updated_at}
    written = update(_ACCOUNTS).where(_ACCOUNTS.c.userId == user.user_id).values(values)
    session.execute(written.execution_options(logged_as=action))
    session.refresh(user)


def _record(session: Session, action: str, user: User, **details: Any) -> None:
    own = Actor(user.user_id, user.role)
    activity.record(session, action, own, details, entity="User", entity_id=user.user_id)
    session.flush()


def _whole_characters(name: str) -> str:
    """Replace halves of surrogate pairs, which JSON can carry and PostgreSQL cannot."""
    return name.encode("utf-8", "replace").decode()
