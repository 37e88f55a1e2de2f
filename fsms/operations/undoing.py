"""Taking acts back: the old values return where the row still has the new ones, and nothing else. Never commits.

The rows are written by Core, as they stood: no rule of today's forms is asked about yesterday's values, and no cascade
takes along what came later. The database's own rules hold, and its triggers record what is done, so that an undo is
an act like any other and can be taken back itself.
"""

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import groupby
from typing import Any, cast

from sqlalchemy import ColumnElement, Row, Table, bindparam, delete, func, insert, select, update
from sqlalchemy.dialects.postgresql import array
from sqlalchemy.exc import DataError, IntegrityError, ProgrammingError
from sqlalchemy.orm import Session, scoped_session

from fsms import activity, errors, policy
from fsms.activity import AnySession
from fsms.errors import Refused, SchoolError
from fsms.models import ActivityLog, Base, Grade, User
from fsms.operations import locks
from fsms.policy import Actor, Verb

Target = uuid.UUID | int
"""What is taken back: a batch, or a single entry of the log by its number."""

Entry = Row[Any]
_Refusal = tuple[Entry, str]  # What the database does not take, and why.

NO_PASSWORD = "$2b$12$" + "." * 53  # No password has this hash.

_LOG = cast(Table, ActivityLog.__table__)
_SIGNED: Mapping[type[Base], str] = {Grade: "user_id"}  # Who wrote it; a teacher writes only as themselves.


def _(sentence: str) -> str:
    """Mark a sentence for the translators; the screen translates it when it is shown."""
    return sentence


class NothingToUndo(SchoolError):
    """There is no such change, or none whose old values the log has."""


class AlreadyUndone(SchoolError):
    """Everything is as it was before the act."""


@dataclass(frozen=True)
class Restored:
    """A record that is again as it was, by the entry that told of its change."""

    entity: str
    entity_id: int
    label: str | None


@dataclass(frozen=True)
class Kept:
    """What somebody has changed since. `attribute` is None where the whole record is gone or was edited."""

    entity: str
    entity_id: int
    label: str | None
    attribute: str | None
    now: Any
    who: str | None = None
    when: datetime | None = None


@dataclass(frozen=True)
class Impossible:
    """What cannot come back, and why."""

    entity: str
    entity_id: int | None
    label: str | None
    reason: str


@dataclass(frozen=True)
class Report:
    """What an undo did or, as a preview, would do. `batch` is the undo's own, by which it can be taken back."""

    batch: uuid.UUID | None
    restored: tuple[Restored, ...]
    kept_because_changed_since: tuple[Kept, ...]
    impossible: tuple[Impossible, ...]


@dataclass
class _Tally:
    restored: list[Restored] = field(default_factory=list)
    kept: list[tuple[Kept, Entry]] = field(default_factory=list)
    impossible: list[Impossible] = field(default_factory=list)

    def add(self, other: "_Tally") -> None:
        self.restored += other.restored
        self.kept += other.kept
        self.impossible += other.impossible


# ---- The act -------------------------------------------------------------------------------------------------------


def preview(session: AnySession, target: Target) -> Report:
    """Say what an undo would do, by doing it and taking it back."""
    trial = session.begin_nested()
    try:
        return replace(undo(session, target), batch=None)
    finally:
        trial.rollback()
        session.expire_all()


def undo(session: AnySession, target: Target) -> Report:
    """Take an act back as far as nobody has changed it since.

    Raises NothingToUndo, AlreadyUndone, or Refused to whoever could not have made the change.
    """
    session = session() if isinstance(session, scoped_session) else session
    session.flush()
    # Two at once wait for one another, also where there is no row left to hold.
    session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(str(target), 0))))
    entries = _entries(session, target)
    actor = _allowed(policy.actor_of(session), entries)
    if _is_undone(session, str(target)):
        raise AlreadyUndone(_("This has been undone already."))
    _refuse_what_is_locked(session, entries)
    what = _in_words(session, target, entries)
    with activity.deed(session, "undo", _("Undone: %(what)s"), what=what, undoes=str(target)) as batch:
        with activity.told_by_the_database(session):
            tally = _take_all_back(session, actor, entries)
        session.expire_all()
    if not (tally.restored or tally.kept or tally.impossible):
        raise AlreadyUndone(_("This has been undone already."))
    kept = tuple(_with_who_and_when(session, kept, entry, batch) for kept, entry in tally.kept)
    return Report(
        batch if tally.restored else None,
        tuple(dict.fromkeys(tally.restored)),
        tuple(dict.fromkeys(kept)),
        tuple(dict.fromkeys(tally.impossible)),
    )


def _entries(session: AnySession, target: Target) -> list[Entry]:
    """Read what changed, the last first, since that is the order in which it can go back."""
    which = _LOG.c.id == target if isinstance(target, int) else _LOG.c.batch == target
    told = which & _LOG.c.entity.is_not(None) & _LOG.c.details.has_any(array(["changes", "rows"]))
    entries = list(session.execute(select(_LOG).where(told).order_by(_LOG.c.id.desc())))
    if not entries:
        raise NothingToUndo(_("The log has nothing here that could be undone."))
    return entries


def _allowed(actor: Actor | None, entries: Sequence[Entry]) -> Actor:
    """Let those through who could have made the change; which rows they reach is left to the database."""
    owns = actor is not None and policy.DATABASE_ROLES.get(actor.role) == policy.OWNER
    if actor is None or not (owns or all(entry.userId == actor.user_id for entry in entries)):
        raise Refused(_("Only whoever made this change, or an administrator, can undo it."))
    for entity, verb in {(activity.entity_of(entry.entity), _OPPOSITE[_verb(entry)]) for entry in entries}:
        if not policy.may(actor, verb, entity):
            raise Refused(policy.why(actor, verb, entity))
    return actor


def _refuse_what_is_locked(session: AnySession, entries: Sequence[Entry]) -> None:
    """Refuse, before anything goes back, to touch marks that are closed to the actor."""
    of_marks = [entry for entry in entries if entry.entity == Grade.__tablename__]
    locks.refuse_locked_marks(session, {entry.entityId for entry in of_marks})
    gone = [entry.details.get("changes", {}) for entry in of_marks if _verb(entry) == "delete"]
    for course_id, semester_id in sorted({(told["course_id"][0], told["semester_id"][0]) for told in gone}):
        if refused := locks.refusal(session, course_id, semester_id):
            raise refused


def _is_undone(session: AnySession, target: str) -> bool:
    """Say whether the last undo of this still stands, that is, was not undone itself."""
    undone = _LOG.c.details["facts", "undoes"].astext == target
    found = select(_LOG.c.batch).where(_LOG.c.action == "undo", undone).order_by(_LOG.c.id.desc()).limit(1)
    batch = session.scalar(found)
    return batch is not None and not _is_undone(session, str(batch))


def _in_words(session: AnySession, target: Target, entries: Sequence[Entry]) -> str:
    """Find the sentence of the deed, or make one of what the log says of the rows."""
    if not isinstance(target, int):
        deed = (_LOG.c.batch == target) & _LOG.c.details.has_key("sentence")
        if told := session.scalar(select(_LOG.c.details).where(deed).order_by(_LOG.c.id.desc()).limit(1)):
            return str(told["sentence"] % told["facts"] if told["facts"] else told["sentence"])
    first = entries[-1]
    words = f"{first.action} {_label(first) or first.entityId}"
    return words if len(entries) == 1 else f"{words} (+{len(entries) - 1})"


# ---- A run: entries of one table that were written at once, and go back at once ------------------------------------


def _take_all_back(session: Session, actor: Actor, entries: Sequence[Entry]) -> _Tally:
    """Go back run by run. What the database refuses waits until more has gone back, and is then tried again.

    A link that a foreign key emptied by itself is told after its cause, and can only return after it as well.
    """
    tally = _Tally()
    waiting: list[_Refusal] = []
    for _same, run in groupby(entries, key=_verb_and_table):
        refused = _take_back(session, actor, list(run), tally)
        waiting = _try_again(session, actor, waiting, tally) + refused
    tally.impossible += [_impossible(entry, reason) for entry, reason in _try_again(session, actor, waiting, tally)]
    return tally


def _try_again(session: Session, actor: Actor, waiting: list[_Refusal], tally: _Tally) -> list[_Refusal]:
    still = [refusal for entry, _why in waiting for refusal in _take_back(session, actor, [entry], tally)]
    return still if len(still) == len(waiting) else _try_again(session, actor, still, tally)


def _take_back(session: Session, actor: Actor, run: list[Entry], tally: _Tally) -> list[_Refusal]:
    """Take back a run; where the database refuses, halve it until it is clear for which rows, and return these."""
    verb, table = _verb_and_table(run[0])
    try:
        with session.begin_nested():
            tally.add(_BACK[verb](session, actor, activity.entity_of(table), run))
    except (IntegrityError, DataError, ProgrammingError) as refused:
        if isinstance(refused, ProgrammingError) and not errors.is_refusal(refused):
            raise
        if len(run) == 1:
            return [(run[0], _reason(refused))]
        halves = run[: len(run) // 2], run[len(run) // 2 :]
        return [refusal for half in halves for refusal in _take_back(session, actor, half, tally)]
    return []


def _put_values_back(session: Session, actor: Actor, entity: type[Base], run: list[Entry]) -> _Tally:
    tally = _Tally()
    rows = _held(session, entity, run)
    back: dict[int, dict[str, Any]] = {}
    for entry in run:
        if entry.entityId not in rows:
            tally.kept.append((_kept(entry, None, None), entry))
        elif values := _values_to_put_back(entry, activity.columns(entity), rows[entry.entityId], tally):
            back.setdefault(entry.entityId, {}).update(_in_own_name(actor, entity, values))
            tally.restored.append(_restored(entry))
    _write(session, entity, back)
    return tally


def _values_to_put_back(entry: Entry, columns: Mapping[str, Any], row: dict[str, Any], tally: _Tally) -> dict[str, Any]:
    """Sort out the old values to return, and note in the row what the next older entry will find."""
    values = {}
    for name, pair in entry.details["changes"].items():
        old, new = (_canonical(columns[name], kept) for kept in pair)
        if columns[name].info.get("secret"):
            tally.impossible.append(_impossible(entry, _NO_SECRET))
        elif row[name] == new:
            values[name] = row[name] = old
        elif row[name] != old:
            tally.kept.append((_kept(entry, name, row[name]), entry))
    return values


def _bring_rows_back(session: Session, actor: Actor, entity: type[Base], run: list[Entry]) -> _Tally:
    tally = _Tally()
    there = _held(session, entity, run)
    rows = []
    for entry in run:
        if entry.entityId not in there:
            rows.append(_row_to_bring_back(entry, actor, entity))
            tally.restored.append(_restored(entry))
            if NO_PASSWORD in rows[-1].values():
                tally.impossible.append(_impossible(entry, _NO_SECRET))
    if rows:
        session.connection().execute(insert(_table(entity)), rows)
    return tally


def _row_to_bring_back(entry: Entry, actor: Actor, entity: type[Base]) -> dict[str, Any]:
    """Say what stands in every column, also where it is nothing: the defaults of today are not asked."""
    columns = activity.columns(entity)
    old = _what_came_later(columns) | {name: pair[0] for name, pair in entry.details["changes"].items()}
    values = {name: activity.restored(column, old.get(name)) for name, column in columns.items()}
    values |= {name: NO_PASSWORD for name, column in columns.items() if column.info.get("secret") and name in old}
    return {columns[name].name: value for name, value in _in_own_name(actor, entity, values).items()}


def _what_came_later(columns: Mapping[str, Any]) -> dict[str, Any]:
    """Say what stands, in a row that is told of in an older entry, in columns that must be filled and came after it."""
    return {
        name: column.default.arg
        for name, column in columns.items()
        if not column.nullable and isinstance(getattr(column.default, "arg", None), bool)
    }


def _take_rows_away(session: Session, _actor: Actor, entity: type[Base], run: list[Entry]) -> _Tally:
    tally = _Tally()
    rows = _held(session, entity, run)
    pointed_at = _pointed_at(session, entity, [*rows])
    columns = activity.columns(entity)
    for entry in run:
        row = rows.get(entry.entityId)
        if row is None:
            continue
        made = _what_came_later(columns)
        made |= {name: _canonical(columns[name], pair[1]) for name, pair in entry.details["changes"].items()}
        if any(row[name] != made.get(name) for name in columns if name != "created_at"):
            tally.kept.append((_kept(entry, None, None), entry))
        elif entry.entityId in pointed_at:
            tally.impossible.append(_impossible(entry, errors.BY_STATE["23001"]))
        else:
            tally.restored.append(_restored(entry))
    gone = [done.entity_id for done in tally.restored]
    if gone:
        session.connection().execute(delete(_table(entity)).where(_key(entity).in_(gone)))
    return tally


def _miss_rows(_session: Session, _actor: Actor, _entity: type[Base], run: list[Entry]) -> _Tally:
    return _Tally(impossible=[_impossible(entry, _NO_ROWS) for entry in run])


_BACK: dict[str, Callable[[Session, Actor, type[Base], list[Entry]], _Tally]] = {
    "update": _put_values_back,
    "delete": _bring_rows_back,
    "create": _take_rows_away,
    "truncate": _miss_rows,
}
_OPPOSITE = {"update": Verb.EDIT, "delete": Verb.CREATE, "create": Verb.DELETE, "truncate": Verb.CREATE}
_NO_SECRET = _("The log keeps no passwords, so the old one cannot come back. Give the account a new one.")


_NO_ROWS = _("All records were removed at once from outside the application. Restore them from a backup.")


def _in_own_name(actor: Actor, entity: type[Base], values: dict[str, Any]) -> dict[str, Any]:
    """Let a teacher sign what a teacher writes: the database takes it under no other name."""
    name = _SIGNED.get(entity)
    if name in values and actor.role == "teacher":
        values[name] = actor.user_id
    return values


# ---- Rows ----------------------------------------------------------------------------------------------------------


def _held(session: Session, entity: type[Base], run: Sequence[Entry]) -> dict[int, dict[str, Any]]:
    """Read the rows as the log would write them, and hold them to the end of the transaction."""
    columns = activity.columns(entity)
    wanted = {name: column for name, column in columns.items() if not column.info.get("secret")}
    numbers = sorted({entry.entityId for entry in run})
    found = select(_key(entity), *wanted.values()).where(_key(entity).in_(numbers)).order_by(_key(entity))
    held = session.connection().execute(found.with_for_update(key_share=True))
    return {
        number: {name: activity.stored(wanted[name], value) for name, value in zip(wanted, values, strict=True)}
        | dict.fromkeys(columns.keys() - wanted.keys(), activity.HIDDEN)
        for number, *values in held
    }


def _write(session: Session, entity: type[Base], back: Mapping[int, Mapping[str, Any]]) -> None:
    """Write the values, one statement for all rows that get the same columns."""
    columns = activity.columns(entity)
    table = _table(entity)
    for names, rows in groupby(sorted(back.items(), key=lambda row: sorted(row[1])), key=lambda row: sorted(row[1])):
        values: dict[ColumnElement[Any], Any] = {columns[name]: bindparam(f"new_{name}") for name in names}
        statement = update(table).where(_key(entity) == bindparam("number"))
        statement = statement.values({**values, table.c.version: table.c.version + 1})
        parameters = [
            {"number": number} | {f"new_{name}": activity.restored(columns[name], row[name]) for name in names}
            for number, row in rows
        ]
        session.connection().execute(statement, parameters)


def _pointed_at(session: Session, entity: type[Base], numbers: Sequence[int]) -> set[int]:
    """Find the rows that others point at by links which the database would empty without a word."""
    links = [
        link.parent
        for table in Base.metadata.sorted_tables
        for link in table.foreign_keys
        if link.column is _key(entity) and link.ondelete == "SET NULL"
    ]
    return {
        number
        for link in links
        for number in session.connection().scalars(select(link).where(link.in_(numbers)).distinct())
    }


def _table(entity: type[Base]) -> Table:
    return cast(Table, entity.__table__)


def _key(entity: type[Base]) -> ColumnElement[int]:
    return _table(entity).primary_key.columns[0]


def _canonical(column: Any, kept: Any) -> Any:
    """Bring a value of the log to the form of today's rows, whoever wrote the entry."""
    return activity.stored(column, activity.restored(column, kept))


# ---- Words ---------------------------------------------------------------------------------------------------------


def _with_who_and_when(session: AnySession, kept: Kept, entry: Entry, own: uuid.UUID) -> Kept:
    """Find the entry of the later change, as far as the reader may see it."""
    later = (
        select(_LOG.c.timestamp, User.full_name)
        .join_from(_LOG, User, isouter=True)
        .where(_LOG.c.entity == entry.entity, _LOG.c.entityId == entry.entityId, _LOG.c.id > entry.id)
        .where(_LOG.c.batch.is_distinct_from(own))
        .order_by(_LOG.c.id.desc())
        .limit(1)
    )
    if kept.attribute is not None:
        later = later.where(_LOG.c.details["changes"].has_key(kept.attribute))
    when, who = session.execute(later).one_or_none() or (None, None)
    return replace(kept, when=when, who=who or None)


def _reason(refused: IntegrityError | DataError | ProgrammingError) -> str:
    if errors.is_refusal(refused):
        return _("This record is not open to you any more.")
    return errors.sentence_for(refused)


def _verb(entry: Entry) -> str:
    return str(entry.action).partition("_")[0]


def _verb_and_table(entry: Entry) -> tuple[str, str]:
    return _verb(entry), entry.entity


def _label(entry: Entry) -> str | None:
    label: str | None = entry.details.get("label")
    return label


def _restored(entry: Entry) -> Restored:
    return Restored(entry.entity, entry.entityId, _label(entry))


def _kept(entry: Entry, attribute: str | None, now: Any) -> Kept:
    return Kept(entry.entity, entry.entityId, _label(entry), attribute, now)


def _impossible(entry: Entry, reason: str) -> Impossible:
    return Impossible(entry.entity, entry.entityId, _label(entry), reason)
