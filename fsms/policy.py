"""Who acts, what they may do, and telling the database so. No Flask and no screens: the session is an argument.

Which rows and columns a role sees and changes is held by PostgreSQL (migration 0009), so that a forgotten query shows
nothing; here the session only says who is asking. What a role may *do* stands in `MAY`, for menus, buttons, routes
and `fsms may`. The screen hides, the database refuses (docs/decisions/row-security.md).
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Any

import psycopg
from psycopg.pq import ExecStatus, TransactionStatus
from psycopg.pq.abc import PGresult
from sqlalchemy import Connection, Engine, Integer, Select, event, literal_column, select
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import ORMExecuteState, Session, SessionTransaction, scoped_session, sessionmaker, undefer

from fsms.columns import CONFIDENTIAL
from fsms.config import AttendanceRules
from fsms.errors import Refused
from fsms.models import (
    ENTITIES,
    ActivityLog,
    Attendance,
    Base,
    Course,
    Enrollment,
    FamilyInfo,
    Grade,
    Guardian,
    Scholarship,
    SchoolYear,
    Semester,
    Student,
    Subject,
    User,
)
from fsms.pooling import PromptConnection
from fsms.vocabulary import AccountStatus


@dataclass(frozen=True)
class Actor:
    """Who asks: an "admin", a "teacher" or the "system". The system may ask on behalf of an account."""

    user_id: int | None
    role: str


SYSTEM = Actor(None, "system")
"""The command line, and reading the account of somebody who is about to sign in."""

OWNER = "none"  # PostgreSQL's word for: the account that opened the connection, which owns the tables.
NOBODY = "fsms_nobody"
DATABASE_ROLES = {"admin": OWNER, "system": OWNER, "teacher": "fsms_teacher"}


class Confidential(Refused):
    """Something was asked for that the role of the reader leaves out."""


def _(sentence: str) -> str:
    """Mark a sentence for the translators; the screen translates it when it is shown."""
    return sentence


# ---- What a role may do --------------------------------------------------------------------------------------------


class Verb(StrEnum):
    """What can be done with the records of one kind."""

    LIST = "list"
    VIEW = "view"
    CREATE = "create"
    EDIT = "edit"
    DELETE = "delete"
    EXPORT = "export"


SEE = frozenset({Verb.LIST, Verb.VIEW, Verb.EXPORT})
CHANGE = frozenset({Verb.CREATE, Verb.EDIT, Verb.DELETE})

MAY: dict[str, dict[type[Base], frozenset[Verb]]] = {
    "admin": dict.fromkeys(ENTITIES, SEE | CHANGE) | {ActivityLog: SEE},
    "teacher": {
        Course: SEE,
        Enrollment: SEE,
        Student: SEE,
        Guardian: SEE,
        Grade: SEE | CHANGE,
        Attendance: SEE | CHANGE,
        Subject: SEE,
        SchoolYear: SEE,
        Semester: SEE,
        ActivityLog: frozenset({Verb.LIST, Verb.VIEW}),
    },
}
MAY["system"] = MAY["admin"]

REASONS: dict[type[Base], str] = {
    Course: _("Teachers see their own classes; administrators change them."),
    Enrollment: _("Teachers see who is in their own classes; administrators enrol and drop pupils."),
    Student: _("Teachers see the pupils of their own classes; administrators change the records."),
    Guardian: _("Teachers see how to reach the guardians of their pupils; administrators change the records."),
    Grade: _("Teachers see and enter marks in their own classes, under their own name, until the pupil is dropped."),
    Attendance: _(
        "Teachers see and take attendance in their own classes, and correct it for some days; "
        "after that administrators do."
    ),
    Subject: _("Teachers see all subjects; administrators change them."),
    SchoolYear: _("Teachers see all school years; administrators change them."),
    Semester: _("Teachers see all semesters; administrators change them."),
    ActivityLog: _("Teachers see what they did themselves. Nobody changes the activity log."),
    User: _("Teachers have a page for their own account; administrators look after the others."),
    FamilyInfo: _("How a family lives is for administrators only."),
    Scholarship: _("Scholarships are for administrators only."),
}
"""What holds for teachers, and so why a teacher may or may not."""


def sees_all(actor: Actor | None) -> bool:
    """Say whether the database shows the role every row."""
    return actor is not None and DATABASE_ROLES.get(actor.role) == OWNER


def may(actor: Actor | None, verb: Verb, entity: type[Base] | str) -> bool:
    """Say whether the role is there for this at all; which rows it is for, the database decides."""
    kind = _entity(entity)
    return actor is not None and kind is not None and verb in MAY.get(actor.role, {}).get(kind, frozenset())


def why(actor: Actor | None, verb: Verb, entity: type[Base] | str) -> str:
    """Give the reason of `may` in a sentence."""
    kind = _entity(entity)
    if kind is None:
        return _("The school keeps no such records.")
    if actor is None or actor.role not in MAY:
        return _("Nobody has signed in, so nothing may be seen or changed.")
    if actor.role == "teacher":
        return REASONS[kind]
    if not may(actor, verb, kind):
        return _("Nobody changes the activity log: it tells what happened.")
    return _("Administrators see and change the records of the whole school.")


def reaches(session: Session, verb: Verb, entity: type[Base], key: int) -> bool:
    """Ask the database whether a row is among those that the session's actor sees or, to change it, may change.

    For what `may` allows: a lock, which is how the database is asked about a change, is refused to others.
    """
    number = entity.__mapper__.primary_key[0]
    row = select(number).where(number == key)
    return session.scalar(row.with_for_update() if verb in CHANGE else row) is not None


def _entity(named: type[Base] | str) -> type[Base] | None:
    """Find an entity by its class or, in any case of letters, by its name."""
    if isinstance(named, str):
        return next((entity for entity in ENTITIES if entity.__name__.lower() == named.lower()), None)
    return named if named in ENTITIES else None


# ---- Columns a teacher may not read --------------------------------------------------------------------------------


def confidential(entity: type[Base]) -> frozenset[str]:
    """Name the attributes that the entity marks as such (`columns.CONFIDENTIAL`); the grants name the same."""
    return frozenset(
        prop.key for prop in entity.__mapper__.column_attrs if prop.group == CONFIDENTIAL["deferred_group"]
    )


def hidden_columns(actor: Actor | None, entity: type[Base]) -> frozenset[str]:
    """Name the attributes that the actor may not read, of whatever row."""
    if sees_all(actor):
        return frozenset()
    if actor is None or actor.role not in MAY or entity in (FamilyInfo, Scholarship):
        return frozenset(entity.__mapper__.column_attrs.keys())
    return confidential(entity)


# ---- What the school has decided ------------------------------------------------------------------------------------

_ATTENDANCE = "fsms.attendance"


def set_attendance_rules(session: Session | scoped_session[Any], rules: AttendanceRules) -> None:
    """Give the session the school's own rules of attendance, from its next transaction on."""
    session.info[_ATTENDANCE] = rules


def attendance_rules(session: Session | scoped_session[Any]) -> AttendanceRules:
    """Say by which rules of attendance the session works."""
    rules: AttendanceRules = session.info.get(_ATTENDANCE, _USUAL)
    return rules


_USUAL = AttendanceRules()


# ---- Telling the database ------------------------------------------------------------------------------------------

_ACTOR = "fsms.actor"
_ENTERS = "fsms.enters"  # What is said to begin for an account.
_FOUND = "fsms.found"  # The account that came back.
_WRITTEN = "fsms.written"  # The open transaction has changed something.


def install(target: sessionmaker[Any] | scoped_session[Any] | type[Session]) -> None:
    """Let every transaction of these sessions run as their actor; those without one run as nobody."""
    event.listen(target, "after_begin", _say_who_acts)
    event.listen(target, "do_orm_execute", _mind_the_columns)
    event.listen(target, "after_flush", _remember_the_write)
    event.listen(target, "after_transaction_end", _forget_the_write)


def actor_of(session: Session | scoped_session[Any]) -> Actor | None:
    """Say for whom the session speaks."""
    actor: Actor | None = session.info.get(_ACTOR)
    return actor


def speak_for(session: Session | scoped_session[Any], actor: Actor | None) -> None:
    """Let the session speak for somebody from its next transaction on.

    What was read for the one before is forgotten with the transaction it was read in. What was written must have
    been committed or rolled back: it would be lost, or saved in the wrong name.
    """
    if actor_of(session) == actor:
        return
    let_go(session)
    session.info[_ACTOR] = actor


def let_go(session: Session | scoped_session[Any]) -> None:
    """End the transaction of a session that only read, so that it holds no connection while another one works."""
    if session.new or session.dirty or session.deleted or session.info.get(_WRITTEN):
        raise RuntimeError("Commit or roll back before the session speaks for somebody else.")
    session.close()


def begin_for(
    session: Session | scoped_session[Any], user_id: int, account: Select[*tuple[Any, ...]]
) -> dict[str, Any] | None:
    """Let the session speak for an account, and answer what `account` reads of it, by its labels; None: nobody is it.

    Each page begins so: with one message the transaction begins, the owner reads the account, and its role and number
    are set. The statement gives at least user_id, role and status, and finds the number at `ACCOUNT`.
    """
    let_go(session)
    session.info[_ACTOR], session.info[_ENTERS] = None, _Entering(_entering(account), int(user_id))
    try:
        session.connection()
    finally:
        session.info.pop(_ENTERS, None)
    found: dict[str, Any] | None = session.info.pop(_FOUND)
    if found:
        session.info[_ACTOR] = Actor(found["user_id"], found["role"])
    return found


def wrote(session: Session | scoped_session[Any]) -> None:
    """Remember that the open transaction changed something by a statement that no flush has seen."""
    session.info[_WRITTEN] = True


@contextmanager
def reading_for(bind: Engine | Connection, actor: Actor | None) -> Iterator[Connection]:
    """Give a connection in a transaction that speaks for somebody, for reading outside of any request."""
    with Session(bind) as apart:
        connection = apart.connection()
        _tell(connection, actor)
        yield connection


def _say_who_acts(session: Session, transaction: SessionTransaction, connection: Connection) -> None:
    """Set role and number for this transaction only, so that no pool, here or before the server, carries them on."""
    if transaction.nested:
        return  # A savepoint goes on in the role of its transaction.
    rules = attendance_rules(session)
    if entering := session.info.pop(_ENTERS, None):
        told = _said(connection, entering.said(rules.open_days), entering.said_briefly(connection, rules.open_days))
        session.info[_FOUND] = json.loads(told) if told else None
    else:
        _tell(connection, actor_of(session), rules)


# Said before every transaction, so it is written out: SQLAlchemy would put it together each time. What is filled in is
# a role of ours and numbers.
_SAID = (
    "SELECT set_config('role', '{role}', true), set_config('fsms.user_id', '{user}', true), "
    "set_config('fsms.attendance_days', '{days:d}', true)"
)


def _tell(connection: Connection, actor: Actor | None, rules: AttendanceRules = _USUAL) -> None:
    role = DATABASE_ROLES.get(actor.role, NOBODY) if actor else NOBODY
    user = "" if actor is None or actor.user_id is None else int(actor.user_id)
    _said(connection, _SAID.format(role=role, user=user, days=rules.open_days))


_KEY, _DAYS = "$1", "$2"
ACCOUNT: Any = literal_column(_KEY, Integer)
"""In the statement of an account: its number."""

# The account is read before the role is set, and what was read decides it; of nobody it is nobody's.
_ENTERING = """
    WITH account AS MATERIALIZED ({account})
    SELECT set_config('role', CASE account.role {roles} ELSE '{nobody}' END, true),
        set_config('fsms.user_id', coalesce(account.user_id::text, ''), true),
        set_config('fsms.attendance_days', {days}::text, true),
        row_to_json(account)::text
    FROM (VALUES (true)) AS asked LEFT JOIN account ON account.status = '{active}'
"""


@cache
def _entering(account: Select[*tuple[Any, ...]]) -> str:
    """Write out what is said when a session begins to speak for an account: said before every page, written once."""
    read = account.compile(dialect=postgresql.dialect(), compile_kwargs={"literal_binds": True})  # type: ignore[no-untyped-call]
    roles = " ".join(f"WHEN '{role}' THEN '{there}'" for role, there in DATABASE_ROLES.items() if role != SYSTEM.role)
    return _ENTERING.format(account=read, roles=roles, nobody=NOBODY, days=_DAYS, active=AccountStatus.ACTIVE)


@dataclass(frozen=True)
class _Entering:
    """What is said when a session begins to speak for an account."""

    statement: str
    user_id: int

    def said(self, days: int) -> str:
        """Say it in full."""
        return self.statement.replace(_KEY, f"{self.user_id:d}").replace(_DAYS, f"{days:d}")

    def said_briefly(self, connection: Connection, days: int) -> str | None:
        """Name what the database was told before, which it need not plan again; None where it keeps nothing."""
        driver = connection.connection.driver_connection
        if not isinstance(driver, PromptConnection) or driver.info.transaction_status != TransactionStatus.IDLE:
            return None
        name = driver.named(self.statement, "int, int")
        return f"EXECUTE {name} ({self.user_id:d}, {days:d})" if name else None


def _said(connection: Connection, said: str, briefly: str | None = None) -> str | bytes | None:
    """Say it at the beginning of a transaction; answers the last thing that came back."""
    driver: Any = connection.connection.driver_connection
    if driver.autocommit:
        raise RuntimeError("Without a transaction nothing would limit what this session sees and changes.")
    answer = _began_with(driver, briefly or said)
    if answer is None and briefly:
        driver.forget_named()
    if answer is None:
        told: str | None = connection.exec_driver_sql(said).one()[-1]
        return told
    return answer.get_value(0, answer.nfields - 1)


def _began_with(driver: psycopg.Connection[Any], said: str) -> PGresult | None:
    """Begin the transaction and tell the database in one breath, which every page waits for; None: it was not to be.

    psycopg begins a transaction by itself with the first statement, which takes a way to the server and back more.
    """
    is_plain = driver.read_only is None and driver.deferrable is None
    if driver.info.transaction_status != TransactionStatus.IDLE or not is_plain:
        return None
    level = driver.isolation_level
    begin = "BEGIN" if level is None else f"BEGIN ISOLATION LEVEL {level.name.replace('_', ' ')}"
    answer = driver.pgconn.exec_(f"{begin}; {said}".encode())
    if answer.status == ExecStatus.TUPLES_OK:
        return answer
    driver.pgconn.exec_(b"ROLLBACK")  # Said again in the usual way, it fails with the usual error.
    return None


def readable(session: Session | scoped_session[Any], statement: Any) -> Any:
    """Let a statement read all columns that the actor may; a session does it by itself, its connection does not."""
    return statement.options(undefer("*")) if sees_all(actor_of(session)) else statement


def _mind_the_columns(asked: ORMExecuteState) -> None:
    """Read everything for those who may; stop others before the database's refusal ends their transaction."""
    if asked.is_insert or asked.is_update or asked.is_delete:
        wrote(asked.session)
    if not (asked.is_select and asked.is_orm_statement):
        return
    if sees_all(actor := actor_of(asked.session)):
        asked.statement = readable(asked.session, asked.statement)
    elif asked.is_column_load and (mapper := asked.bind_mapper):
        # What was asked for is not public; without it the database itself refuses.
        loading = getattr(getattr(asked.statement, "_compile_options", None), "_only_load_props", None) or ()
        if refused := sorted(hidden_columns(actor, mapper.class_) & set(loading)):
            raise Confidential(
                _("This is for administrators only: %(entity)s, %(columns)s."),
                entity=mapper.class_.__name__,
                columns=", ".join(refused),
            )


def _remember_the_write(session: Session, _context: object) -> None:
    wrote(session)


def _forget_the_write(session: Session, transaction: SessionTransaction) -> None:
    if transaction.parent is None:
        session.info.pop(_WRITTEN, None)
