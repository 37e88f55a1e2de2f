"""Who changed what, from what to what: every flush writes its story into the log, in the same transaction.

What a flush does not see, the triggers of `0010_activity` tell in the same words: bulk statements, psql, and what
foreign keys do by themselves. `fsms.logged` says to them whose turn it is (docs/decisions/activity-log.md).
"""

import datetime as dt
import json
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from decimal import ROUND_HALF_UP, Decimal
from functools import cache
from typing import Any, cast

from sqlalchemy import (
    Boolean,
    Column,
    ColumnElement,
    Date,
    DateTime,
    Enum,
    Insert,
    Integer,
    Numeric,
    Select,
    Table,
    Text,
    Uuid,
    bindparam,
    column,
    event,
    func,
    insert,
    inspect,
    literal,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import ARRAY, DATERANGE, JSONB, Range
from sqlalchemy.exc import InvalidRequestError
from sqlalchemy.orm import (
    InstanceState,
    ORMExecuteState,
    Session,
    SessionTransaction,
    UOWTransaction,
    scoped_session,
    sessionmaker,
)
from sqlalchemy.orm.base import NO_VALUE
from sqlalchemy.sql import ClauseElement

from fsms.errors import SchoolError
from fsms.models import ActivityLog
from fsms.office import Base
from fsms.policy import Actor, actor_of, wrote
from fsms.pooling import ONE_PLAN

AnySession = Session | scoped_session[Any]
Changes = dict[str, list[Any]]
Known = dict[Base, dict[str, Any]]

ROW_BY_ROW = "rows"
"""`logged_as` of a bulk statement whose rows the triggers shall record, in the name of the session's actor."""

HIDDEN = "hidden"
"""What the log shows of a password."""

_LOG = cast(Table, ActivityLog.__table__)
_TABLES = {table: order for order, table in enumerate(Base.metadata.sorted_tables) if not table.info.get("unrecorded")}
_COUNTED = frozenset({"updated_at", "version"})  # Every save moves these; they tell nothing.

_CIRCUMSTANCES = "fsms.circumstances"
_BATCH = "fsms.batch"
_DEED = "fsms.deed"
_LAST_DEED = "fsms.last_deed"
_KNOWN = "fsms.known"
_NAMING = "fsms.naming"


@dataclass(frozen=True)
class Circumstances:
    """Where an act came from: the visitor's address and the number of the request."""

    ip: str | None = None
    request: str | None = None


class Unlogged(RuntimeError):
    """A statement would change rows behind the log's back."""


class _Asking(InvalidRequestError):
    """A row cannot say its name without a query."""


# ---- For those who act ---------------------------------------------------------------------------------------------


def install(target: sessionmaker[Any] | scoped_session[Any] | type[Session] | Session) -> None:
    """Let these sessions tell the log what they change. Comes after `policy.install`, which says who acts."""
    event.listen(target, "before_flush", _prepare)
    event.listen(target, "after_flush", _tell)
    event.listen(target, "do_orm_execute", _mind_the_bulk_doors)
    event.listen(target, "after_transaction_end", _close_the_batch)


def set_circumstances(session: AnySession, circumstances: Circumstances | None) -> None:
    """Say from where the session's acts come; the web layer does so once a request."""
    session.info[_CIRCUMSTANCES] = circumstances


def record(
    session: AnySession,
    action: str,
    actor: Actor | None,
    details: Mapping[str, Any],
    *,
    entity: str | None = None,
    entity_id: int | None = None,
    batch: uuid.UUID | None = None,
) -> None:
    """Write one entry for an act that changes no record: a sign-in, an export. Details are facts, never a secret.

    `batch` joins entries of one act that are written at different times; else it is the transaction's.
    """
    session.add(
        ActivityLog(
            action=action,
            user_id=actor.user_id if actor else None,
            details=_circumstances(session, actor) | dict(details),
            entity=entity,
            entity_id=entity_id,
            batch=batch or _batch(session),
        )
    )


def batch_told(session: AnySession) -> uuid.UUID | None:
    """Name the batch of the transaction or its deed, so that undo can be offered; None where it tells of nothing."""
    batch: uuid.UUID | None = next((b for key in (_DEED, _LAST_DEED, _BATCH) if (b := session.info.get(key))), None)
    if batch is None or session.scalar(select(_LOG.c.id).where(_LOG.c.batch == batch).limit(1)) is None:
        return None
    return batch


@contextmanager
def deed(session: AnySession, action: str, sentence: str, **facts: Any) -> Iterator[uuid.UUID]:
    """Join the changes of one person's act under a name, and give the batch by which it can be undone.

    The sentence is untranslated, with its facts as `%(name)s`. A deed inside another is part of it; one that changes
    nothing leaves no entry.
    """
    if outer := session.info.get(_DEED):
        yield outer
        return
    session.flush()  # What was changed before is no part of this.
    batch = session.info[_DEED] = session.info[_LAST_DEED] = uuid.uuid4()
    try:
        yield batch
        session.flush()
        actor = actor_of(session)
        told = _circumstances(session, actor) | {"sentence": sentence, "facts": _plain(facts)}
        user_id = actor.user_id if actor else None
        session.connection().execute(
            _INSERT_DEED, {"action": action, "user_id": user_id, "batch": batch, "details": told}
        )
    finally:
        del session.info[_DEED]


@contextmanager
def told_by_the_database(session: AnySession, told: str = ROW_BY_ROW) -> Iterator[None]:
    """Let the triggers record what is written inside, in the name of the session's actor."""
    _say(session, told)
    yield
    _say(session, "")


class Teller:
    """Notes what statements of one's own do to rows, for a deed that tells of them itself."""

    def __init__(self, batch: uuid.UUID) -> None:
        """Begin with nothing."""
        self.batch = batch
        self.entries: list[dict[str, Any]] = []

    def tell(self, entity: type[Base], key: int, old: Mapping[str, Any], new: Mapping[str, Any], label: str) -> None:
        """Note a row by its values, by attribute: no old ones where it is new, no new ones where it is gone."""
        verb = "update" if old and new else "create" if new else "delete"
        if changes := _differences(entity, old, new):
            self.entries.append(_entry(verb, entity, key, changes, label))


@contextmanager
def telling(session: AnySession, action: str, sentence: str, **facts: Any) -> Iterator[Teller]:
    """Do a deed by statements of one's own, any number of rows in each; the log gets the whole of it in one statement.

    The triggers are silent inside, and cost nothing: what the teller is not told stays untold.
    """
    outer: uuid.UUID | None = session.info.get(_DEED)
    session.flush()  # What was changed before is no part of this.
    teller = Teller(outer or uuid.uuid4())
    if not outer:
        session.info[_LAST_DEED] = teller.batch
    _say(session, "on")
    yield teller
    entries = teller.entries
    if entries and not outer:
        told = {"sentence": sentence, "facts": _plain(facts), "entries": len(entries)}
        entries = [*entries, {"action": action, "entity": None, "entityId": None, "details": told}]
    _put(session, entries, teller.batch)


# ---- A flush -------------------------------------------------------------------------------------------------------


def _prepare(session: Session, _context: UOWTransaction, _objects: object) -> None:
    """Before the rows are written: read the old values nobody has loaded, and say that the flush tells for itself."""
    if not any(_is_told(row) for row in (*session.new, *session.dirty, *session.deleted)):
        return
    session.info[_KNOWN] = _read_old_values(session)
    _say(session, "on")


def _tell(session: Session, context: UOWTransaction) -> None:
    """When the rows are written: write what changed, all of it in one statement."""
    known = session.info.pop(_KNOWN, None)
    if known is not None:
        _put(session, list(_entries(session, context, known)), _batch(session))


def _put(session: AnySession, entries: list[dict[str, Any]], batch: uuid.UUID) -> None:
    """Write the entries, all of them in one statement, and let the triggers listen again."""
    if entries:
        actor = actor_of(session)
        wrote(session)
        session.connection().execute(
            _INSERT,
            {
                "entries": entries,
                "circumstances": _circumstances(session, actor),
                "user_id": actor.user_id if actor else None,
                "batch": batch,
            },
        )
    else:
        _say(session, "")


def _entries(session: Session, context: UOWTransaction, known: Known) -> Iterator[dict[str, Any]]:
    created = session.new
    # Not session.dirty and session.deleted: a row that lost its parent is deleted without appearing there.
    written = [
        (state, "delete" if deleted else "create" if state.obj() in created else "update")
        for state, (deleted, only_listed) in context.states.items()
        if not only_listed and state.class_ is not ActivityLog and state.mapper.local_table in _TABLES
    ]
    for state, verb in sorted(written, key=_in_order_of_writing):
        row = state.obj()
        if changes := _CHANGES[verb](state, known.get(row, {})):
            key = state.mapper.primary_key_from_instance(row)[0]
            yield _entry(verb, state.class_, key, changes, _label(session, row))


def _entry(verb: str, entity: type[Base], key: int, changes: Changes, label: str | None) -> dict[str, Any]:
    return {
        "action": f"{verb}_{entity.__name__.lower()}",
        "entity": entity.__tablename__,
        "entityId": key,
        "details": {"changes": changes} | ({"label": label} if label else {}),
    }


def _is_told(row: Base) -> bool:
    return not isinstance(row, ActivityLog) and row.__table__ in _TABLES


def _in_order_of_writing(written: tuple[InstanceState[Base], str]) -> tuple[int, int, int]:
    """Sort as the flush wrote them, parents first and deletions last, so that undo can go back the same way."""
    state, verb = written
    order = _TABLES[cast(Table, state.mapper.local_table)]
    return (1, -order, 0) if verb == "delete" else (0, order, int(verb == "create"))


def _created(state: InstanceState[Base], _known: Mapping[str, Any]) -> Changes:
    values = {name: stored(col, state.dict.get(name)) for name, col in columns(state.class_).items()}
    return {name: [None, value] for name, value in values.items() if value is not None and name != "created_at"}


def _updated(state: InstanceState[Base], known: Mapping[str, Any]) -> Changes:
    changes = {}
    for name in columns(state.class_).keys() & state.committed_state.keys():
        col = columns(state.class_)[name]
        old, new = _old(state, known, name), state.dict.get(name)
        pair = [stored(col, old), stored(col, new)]
        if pair[0] != pair[1] or (_is_secret(col) and old != new):
            changes[name] = pair
    return changes


def _deleted(state: InstanceState[Base], known: Mapping[str, Any]) -> Changes:
    values = {name: stored(col, _old(state, known, name)) for name, col in columns(state.class_).items()}
    return {name: [value, None] for name, value in values.items() if value is not None}


def _differences(entity: type[Base], old: Mapping[str, Any], new: Mapping[str, Any]) -> Changes:
    """Compare rows of which all that matters is known; a new row's own hour of making is not told."""
    changes = {}
    for name, write in _writers(entity):
        before, after = old.get(name), new.get(name)
        if before is not after and before != after and (old or name != "created_at"):
            changes[name] = [None if before is None else write(before), None if after is None else write(after)]
    return changes


_CHANGES = {"create": _created, "update": _updated, "delete": _deleted}


def _old(state: InstanceState[Base], known: Mapping[str, Any], name: str) -> Any:
    old = state.committed_state.get(name, state.dict.get(name, NO_VALUE))
    return known.get(name) if old is NO_VALUE else old


def _label(session: Session, row: Base) -> str | None:
    """Let the row say its name, so far as it knows it without a query."""
    session.info[_NAMING] = True
    try:
        return str(row)
    except (InvalidRequestError, SchoolError):
        return None
    finally:
        del session.info[_NAMING]


# ---- Old values ----------------------------------------------------------------------------------------------------


def _read_old_values(session: Session) -> Known:
    """Read what a change or a deletion is about to overwrite unseen, with one query an entity.

    Rows loaded in this transaction need none. The query also refreshes what had expired, such as the version, for
    which the flush would ask row by row.
    """
    missing: dict[type[Base], dict[Base, set[str]]] = {}
    deleted = session.deleted
    for row in (*session.new, *session.dirty, *deleted):
        state = inspect(row)
        _refuse_expressions(state)
        if state.has_identity and (names := _unseen(state, whole=row in deleted)):
            missing.setdefault(state.class_, {})[row] = names
    known: Known = {}
    for entity, rows in missing.items():
        wanted = sorted(set[str]().union(*rows.values()))
        key = entity.__mapper__.primary_key[0]
        numbers = [number for row in rows for number in inspect(row).identity or ()]
        found = select(entity, *(columns(entity)[name] for name in wanted)).where(key.in_(numbers))
        for row, *values in session.execute(found):
            known[row] = dict(zip(wanted, values, strict=True))
    return known


def _unseen(state: InstanceState[Base], *, whole: bool) -> set[str]:
    """Name the columns that will be overwritten and whose old values are not at hand."""
    if whole:
        return {name for name, col in columns(state.class_).items() if name in state.unloaded and not _is_secret(col)}
    changed = {name for name, old in state.committed_state.items() if old is NO_VALUE}
    for link in state.mapper.relationships:
        if link.key in state.committed_state:
            linking = {state.mapper.get_property_by_column(col).key for col in link.local_columns}
            changed |= linking & state.unloaded
    return changed & columns(state.class_).keys()


def _refuse_expressions(state: InstanceState[Base]) -> None:
    for name, value in state.dict.items():
        if isinstance(value, ClauseElement):
            raise Unlogged(f"{state.class_.__name__}.{name} is set to SQL, whose value the log cannot know.")


# ---- The other doors -----------------------------------------------------------------------------------------------


def _mind_the_bulk_doors(asked: ORMExecuteState) -> Any:
    """Refuse a bulk statement that does not say by which entry, or by whom, it is told."""
    if asked.session.info.get(_NAMING):
        raise _Asking
    if not (asked.is_insert or asked.is_update or asked.is_delete):
        return None
    table = getattr(asked.statement, "table", None)
    if table is _LOG or table not in _TABLES:
        return None
    told = asked.execution_options.get("logged_as")
    if not told:
        raise Unlogged(
            f"This statement would change {table} unrecorded. Change the rows one by one, or pass the execution "
            "option logged_as: activity.ROW_BY_ROW, or the action of the entry you write yourself."
        )
    with told_by_the_database(asked.session, ROW_BY_ROW if told == ROW_BY_ROW else "on"):
        return asked.invoke_statement()


def _say(session: AnySession, told: str) -> None:
    """Tell the triggers who records what comes now: the flush ("on"), they for us ("rows"), or they as outsiders."""
    facts = {"batch": str(_batch(session)), "details": _circumstances(session, actor_of(session))}
    session.connection().execute(_SAY, {"told": told, "facts": json.dumps(facts) if told else ""})


# ---- Facts ---------------------------------------------------------------------------------------------------------


def _batch(session: AnySession) -> uuid.UUID:
    """Number what belongs together: the deed, or else the transaction."""
    deed_in_progress: uuid.UUID | None = session.info.get(_DEED)
    return deed_in_progress or cast(uuid.UUID, session.info.setdefault(_BATCH, uuid.uuid4()))


def _close_the_batch(session: Session, transaction: SessionTransaction) -> None:
    if transaction.parent is None:
        session.info.pop(_BATCH, None)
        session.info.pop(_LAST_DEED, None)


def _circumstances(session: AnySession, actor: Actor | None) -> dict[str, Any]:
    given: Circumstances | None = session.info.get(_CIRCUMSTANCES)
    facts = {name: fact for name, fact in asdict(given).items() if fact} if given else {}
    return facts if actor and actor.user_id else facts | {"by": actor.role if actor else "nobody"}


def _plain(facts: Mapping[str, Any]) -> dict[str, Any]:
    return {name: fact if isinstance(fact, int | float | str | None) else str(fact) for name, fact in facts.items()}


# ---- Values --------------------------------------------------------------------------------------------------------


@cache
def columns(entity: type[Base]) -> Mapping[str, Column[Any]]:
    """Say which attributes of an entity the log tells of, and where they are stored."""
    return {
        attribute.key: cast(Column[Any], attribute.columns[0])
        for attribute in entity.__mapper__.column_attrs
        if attribute.key not in _COUNTED
    }


@cache
def entity_of(table: str) -> type[Base]:
    """Find the entity by the name of its table."""
    return next(mapper.class_ for mapper in Base.registry.mappers if mapper.class_.__tablename__ == table)


def stored(col: Column[Any], value: Any) -> Any:
    """Write a value as the log keeps it: as the column will hold it, so that equal values look equal."""
    return None if value is None else _keeping(col)(value)


@cache
def _writers(entity: type[Base]) -> tuple[tuple[str, Callable[[Any], Any]], ...]:
    """Say of each attribute that the log tells of how its values are written."""
    return tuple((name, _keeping(col)) for name, col in columns(entity).items())


@cache
def _keeping(col: Column[Any]) -> Callable[[Any], Any]:
    return (lambda _value: HIDDEN) if _is_secret(col) else _writing(col)


@cache
def _writing(col: Column[Any]) -> Callable[[Any], Any]:
    match col.type:
        case Numeric(scale=int(scale)):
            unit = Decimal(1).scaleb(-scale)
            return lambda value: str(Decimal(str(value)).quantize(unit, ROUND_HALF_UP))
        case DateTime():
            return lambda value: value.astimezone(dt.UTC).isoformat(timespec="milliseconds")
        case Date():
            return lambda value: str(value)[:10]
        case Enum():
            return lambda value: str(getattr(value, "value", value))
        case Integer():
            return int
        case Boolean():
            return bool
        case ARRAY():
            return lambda values: [str(value) for value in values]
    return str


def restored(col: Column[Any], kept: Any) -> Any:
    """Read a value of the log back as the column takes it."""
    if kept is None:
        return None
    match col.type:
        case Numeric():
            return Decimal(kept)
        case Enum(enum_class=type() as choices):
            return choices(kept)
        case DateTime():
            return dt.datetime.fromisoformat(kept)
        case Date():
            return dt.date.fromisoformat(kept)
        case ARRAY(item_type=DATERANGE()):
            return [_days(written) for written in kept]
    return kept


def _days(written: str) -> Range[dt.date]:
    """Read a range as PostgreSQL writes it: [2025-01-15,2025-02-10)."""
    first, after = written.strip("[)").split(",")
    return Range(dt.date.fromisoformat(first), dt.date.fromisoformat(after))


def _is_secret(col: Column[Any]) -> bool:
    return bool(col.info.get("secret"))


# ---- Statements ----------------------------------------------------------------------------------------------------


def _settings(told: ColumnElement[str], facts: ColumnElement[str]) -> Select[Any]:
    return select(
        func.set_config("fsms.logged", told, true()).label("told"),
        func.set_config("fsms.activity", facts, true()).label("facts"),
    )


def _insert_entries() -> Insert:
    """Compose what ends a flush: all its entries, however many, as one JSON value; and the triggers listen again."""
    entries = (
        func.jsonb_to_recordset(bindparam("entries", type_=JSONB))
        .table_valued(
            column("action", Text), column("entity", Text), column("entityId", Integer), column("details", JSONB)
        )
        .render_derived(name="entry", with_types=True)
    )
    again = _settings(literal(""), literal("")).cte("again")
    told = select(
        entries.c.action,
        entries.c.entity,
        entries.c.entityId,
        bindparam("circumstances", type_=JSONB).op("||")(entries.c.details),
        bindparam("user_id", type_=Integer),
        bindparam("batch", type_=Uuid),
    ).select_from(again.join(entries, true()))
    return insert(_LOG).from_select(["action", "entity", "entityId", "details", "userId", "batch"], told)


def _insert_deed() -> Insert:
    """Compose what ends a deed: its own entry, which counts the others and is left out where there is none."""
    batch = bindparam("batch", type_=Uuid)
    others = select(func.count().label("entries")).select_from(_LOG).where(_LOG.c.batch == batch).subquery()
    told = select(
        bindparam("action", type_=Text),
        bindparam("user_id", type_=Integer),
        batch,
        bindparam("details", type_=JSONB).op("||")(func.jsonb_build_object("entries", others.c.entries)),
    ).where(others.c.entries > 0)
    return insert(_LOG).from_select(["action", "userId", "batch", "details"], told)


_SAY = _settings(bindparam("told", type_=Text), bindparam("facts", type_=Text)).execution_options(**ONE_PLAN)
_INSERT = _insert_entries().execution_options(**ONE_PLAN)
_INSERT_DEED = _insert_deed()
