"""The log in words: a sentence for an entry, its changes field by field, and the history of a record."""

import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import current_app, g
from flask_babel import gettext
from flask_babel import lazy_gettext as _
from sqlalchemy import Column, select
from sqlalchemy.orm import joinedload

from fsms import activity, policy
from fsms.admin_views import formatters
from fsms.admin_views.by_role import reader
from fsms.database import db
from fsms.exchange import labels
from fsms.models import ENTITIES, ActivityLog, Base
from fsms.vocabulary import label_of

LONGEST_HISTORY = 50

NAMES: dict[str, Any] = {
    "User": _("account"),
    "Student": _("pupil"),
    "Guardian": _("guardian"),
    "FamilyInfo": _("family record"),
    "Scholarship": _("scholarship"),
    "Course": _("course"),
    "Subject": _("subject"),
    "Grade": _("mark"),
    "Enrollment": _("enrolment"),
    "Attendance": _("attendance record"),
    "SchoolYear": _("school year"),
    "Semester": _("semester"),
}
ACTS: dict[str, Any] = {
    "create": _("Added %(what)s"),
    "update": _("Changed %(what)s"),
    "delete": _("Deleted %(what)s"),
    "truncate": _("Emptied the table of %(what)s"),
}
EVENTS: dict[str, Any] = {
    "login": _("Signed in"),
    "logout": _("Signed out"),
    "login_failed": _("Could not sign in"),
    "account_locked": _("Account locked after wrong passwords"),
    "unlock_account": _("Unlocked an account"),
    "change_password": _("Changed the own password"),
    "refused": _("Was refused"),
    "export": _("Began to take away a list"),
    "exported": _("Took away a list (%(rows)s rows)"),
    "broke_off": _("Broke off taking away a list after %(rows)s rows"),
}


@dataclass(frozen=True)
class Change:
    """One field before and after, in words."""

    field: str
    before: str
    after: str


@dataclass(frozen=True)
class Line:
    """An entry of the log, ready to show."""

    entry_id: int
    when: datetime
    who: str
    sentence: str
    changes: tuple[Change, ...]
    outside: bool
    batch: str | None


def line(entry: ActivityLog) -> Line:
    """Put an entry into words."""
    details = entry.details or {}
    return Line(
        entry_id=entry.id,
        when=entry.timestamp,
        who=who(entry),
        sentence=sentence(entry),
        changes=tuple(changes(entry)),
        outside=bool(details.get("outside")),
        batch=str(entry.batch) if entry.batch and "changes" in details else None,
    )


def lines(entries: Sequence[ActivityLog]) -> list[Line]:
    """Put entries into words, with the names of the records that their changes lead to: a semester, not its number."""
    _look_up(entries)
    return [line(entry) for entry in entries]


def who(entry: ActivityLog) -> str:
    """Name whoever acted."""
    return named(entry.details or {}, str(entry.user) if entry.user is not None else None)


def named(details: Mapping[str, Any], account: str | None) -> str:
    """Name whoever acted, given the name of the account, if it was one."""
    if details.get("outside"):
        return gettext("Outside the application (%(by)s)", by=details.get("by", "?"))
    if account is not None:
        return account
    return gettext("Unknown name “%(name)s”", name=details["username"]) if "username" in details else gettext("System")


def sentence(entry: ActivityLog) -> str:
    """Say what was done, in one sentence."""
    details = entry.details or {}
    if told := details.get("sentence"):
        facts = dict(details.get("facts") or {})
        facts |= {name: say(facts[name]) for name, say in _IN_WORDS.items() if name in facts}
        return gettext(told, **facts)
    kind = kind_of(entry)
    verb = entry.action.partition("_")[0]
    if verb in ACTS and "changes" in details:
        return str(ACTS[verb]) % {"what": f"{kind} “{formatters.title(details.get('label') or entry.entity_id)}”"}
    if verb in {"export", "exported"}:
        return f"{_of_an_export(verb, details)}: {kind}"
    said = str(EVENTS.get(entry.action, entry.action))
    about = " ".join(str(part) for part in (kind, entry.entity_id) if part)
    return f"{said}: {about}" if about and entry.entity != "User" else said


def _of_an_export(verb: str, details: Mapping[str, Any]) -> str:
    if verb == "export" and "rows" in details:
        verb = "exported"  # as entries were written when the file was made before it was sent
    if verb == "exported" and not details.get("whole", True):
        verb = "broke_off"
    return str(EVENTS[verb]) % {"rows": details.get("rows", "?")}


def _act(what: str) -> str:
    """Put into words what an undo took back: "update_student Sok Dara" where it was no deed with a sentence."""
    name, _space, label = what.partition(" ")
    verb, _line, kind = name.partition("_")
    entity = next((entity for entity in NAMES if entity.lower() == kind), None)
    if verb not in ACTS or entity is None:
        return what
    return str(ACTS[verb]) % {"what": f"{NAMES[entity]} “{formatters.title(label)}”"}


_IN_WORDS: dict[str, Callable[[Any], str]] = {
    "what": lambda what: _act(str(what)),
    "reason": formatters.reason_in_words,
}
"""How facts of a sentence are said that the log keeps in the words of the database."""


def changes(entry: ActivityLog) -> list[Change]:
    """List the fields before and after; what the reader may not see of the record, the log does not show either."""
    entity = next((kind for kind in ENTITIES if kind.__tablename__ == entry.entity), None)
    held: Mapping[str, Any] = (entry.details or {}).get("changes") or {}
    hidden = policy.hidden_columns(reader(), entity) if entity and reader() else frozenset()
    shown = [name for name in held if name not in hidden]
    said = _labels(entity)
    return [Change(_label(said, name), *(in_words(entity, name, value) for value in held[name])) for name in shown]


def of_record(row: Base) -> list[Line]:
    """Tell what happened to a record, the newest first; teachers see what they did themselves."""
    key = row.__mapper__.primary_key_from_instance(row)[0]
    entries = db.session.scalars(
        select(ActivityLog)
        .where(ActivityLog.entity == row.__tablename__, ActivityLog.entity_id == key)
        .order_by(ActivityLog.id.desc())
        .limit(LONGEST_HISTORY)
        .options(joinedload(ActivityLog.user))
    )
    return lines(entries.all())


def of_batch(entry: ActivityLog) -> list[Line]:
    """Tell what else belongs to the same act."""
    if entry.batch is None:
        return []
    entries = db.session.scalars(
        select(ActivityLog)
        .where(ActivityLog.batch == entry.batch, ActivityLog.id != entry.id)
        .order_by(ActivityLog.id)
        .limit(LONGEST_HISTORY)
        .options(joinedload(ActivityLog.user))
    )
    return lines(entries.all())


def of_target(target: uuid.UUID | int) -> list[Line]:
    """Tell what an undo would take back."""
    which = ActivityLog.id == target if isinstance(target, int) else ActivityLog.batch == target
    entries = select(ActivityLog).where(which).order_by(ActivityLog.id).limit(LONGEST_HISTORY)
    return lines(db.session.scalars(entries.options(joinedload(ActivityLog.user))).all())


def kind_of(entry: ActivityLog) -> str:
    """Name what kind of record an entry is about; a deed is about none, and the empty word is no word to translate."""
    return gettext(str(NAMES.get(entry.entity, entry.entity))) if entry.entity else ""


def _labels(entity: type[Base] | None) -> Mapping[str, Any]:
    """Find the words of the entity's own page."""
    views = current_app.extensions["admin"][0]._views  # noqa: SLF001 - Flask-Admin has no other list of them
    return next((view.column_labels for view in views if entity and getattr(view, "model", None) is entity), {})


def _label(labels: Mapping[str, Any], name: str) -> str:
    """Call a field by its label; a key by that of the record it leads to."""
    return str(labels.get(name) or labels.get(name.replace("_id", "")) or name.replace("_", " "))


def in_words(entity: type[Base] | None, name: str, value: Any) -> str:
    """Put a value, as the log keeps it, into words."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return gettext("Yes") if value else gettext("No")
    column = entity.__mapper__.columns.get(name) if entity else None
    if column is not None and isinstance(value, list):
        return formatters.times(activity.restored(column, value))
    if column is not None and (led_to := _led_to(column)):
        return _found().get((led_to, value), str(value))
    if column is not None and (choices := column.info.get("choices")):
        return gettext(label_of(choices, str(value)))
    if name == "drop_reason":
        return formatters.reason_in_words(str(value))
    return formatters.day_in_text(str(value))


# ---- Names of records ----------------------------------------------------------------------------------------------


def _led_to(column: Column[Any]) -> type[Base] | None:
    """Say whose number a column holds."""
    (key,) = column.foreign_keys if len(column.foreign_keys) == 1 else (None,)
    return next((kind for kind in ENTITIES if key is not None and kind.__table__ is key.column.table), None)


def _found() -> dict[tuple[type[Base], Any], str]:
    """Give the names of records found so far for this page."""
    found: dict[tuple[type[Base], Any], str] = g.setdefault("named_records", {})
    return found


def _look_up(entries: Iterable[ActivityLog]) -> None:
    """Find the names of all records that the changes of entries lead to, with one question to each kind.

    A record that is gone, or that the reader does not see, keeps its number.
    """
    wanted: dict[type[Base], set[int]] = {}
    for entry in entries:
        entity = next((kind for kind in ENTITIES if kind.__tablename__ == entry.entity), None)
        for name, held in ((entry.details or {}).get("changes") or {}).items():
            column = entity.__mapper__.columns.get(name) if entity else None
            if column is not None and (led_to := _led_to(column)):
                wanted.setdefault(led_to, set()).update(value for value in held if isinstance(value, int))
    for kind, keys in wanted.items():
        names = (attribute.key for attribute in labels.read_by(kind))
        if keys and not policy.hidden_columns(reader(), kind) & set(names):
            _found().update({(kind, key): name for key, name in _named(kind, keys)})


def _named(kind: type[Base], keys: set[int]) -> Sequence[tuple[int, str]]:
    joined, key = labels.Joined(kind), kind.__mapper__.primary_key[0]
    asked = joined.applied(select(key, joined.label(())).where(key.in_(keys)))
    return [(number, name) for number, name in db.session.connection().execute(asked) if name]
