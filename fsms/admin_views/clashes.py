"""Two people at one record: what the other saved meanwhile beside what is typed here, field by field, and the choice.

A form carries the version it was opened with, and so does each of its rows. The log tells which fields were saved
since, by whom and when, and from what; so a field that only one of the two has changed needs no question.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import request
from flask_babel import gettext
from sqlalchemy import and_, or_, select
from sqlalchemy.orm import joinedload
from wtforms import Field, Form

from fsms import activity
from fsms.admin_views import history
from fsms.admin_views.inlines import MINE, THEIRS, InlineRows, VersionField
from fsms.admin_views.photographs import PhotoField
from fsms.database import db
from fsms.models import ActivityLog, Base

ASKED = "asked"  # names what the page has asked about
KEEP = "keep-"  # and before such a name, the answer

_MOST_ENTRIES = 200


@dataclass(frozen=True)
class Line:
    """One thing on which two people differ; `keep` is the answer, or what goes without saying."""

    name: str
    label: str
    theirs: str
    mine: str
    keep: str | None
    who: str = ""
    when: datetime | None = None


@dataclass(frozen=True)
class _Save:
    """What the log tells of a field since a form was opened: what it was then, and who saved it last."""

    before: Any
    who: str
    when: datetime


Saves = Mapping[str, _Save] | None
"""By attribute; None where the log cannot tell."""


# ---- The question --------------------------------------------------------------------------------------------------


def between(form: Any, row: Base) -> list[Line]:
    """Compare what is typed with what the record holds by now, and let the form be saved over just that."""
    rows = [field for field in form if isinstance(field, InlineRows)]
    pairs = [(entry, entry.held(getattr(row, field.name))) for field in rows for entry in field.entries]
    saved = _entries([row, *(child for _entry, child in pairs if child is not None)])
    lines = list(_of_fields(form, row, saved, form._fields.get("version")))
    for entry, child in pairs:
        lines.extend(_of_row(entry, child, saved))
    return lines


def _of_row(entry: Any, child: Base | None, saved: "Entries") -> Iterator[Line]:
    """Compare a row of the form with the record it stands for."""
    label = f"{entry.rows.label.text} {entry.number}"
    if child is None:
        if entry.get_pk() and not entry.is_to_go:
            yield _line(entry.name, label, theirs=gettext("Removed"), mine=entry.summary(), keep=None)
        return
    version = entry.form.version
    if version.opened == getattr(child, "version", None):
        return
    if entry.is_to_go:
        told = _last(saved, child)
        yield _line(entry.name, label, theirs=str(child), mine=gettext("Remove"), keep=None, **told)
        version.compared_with(child)
        return
    for line in _of_fields(entry.form, child, saved, version):
        yield Line(line.name, f"{label}: {line.label}", line.theirs, line.mine, line.keep, line.who, line.when)


def _of_fields(form: Form, row: Base, saved: "Entries", version: VersionField | None) -> Iterator[Line]:
    if version is None or version.opened == getattr(row, "version", None):
        return
    saves = _since(saved, row, version.opened)
    for field in form:
        if (column := _column(field, row)) is None:
            continue
        typed, held = _typed(field, column, row), _held(column, row)
        if typed != held:
            save = saves.get(column) if saves is not None else None
            yield _line(
                field.name,
                field.label.text,
                theirs=_in_words(row, field, column, held),
                mine=_mine_in_words(row, field, column, typed),
                keep=_without_asking(saves, save, typed),
                **({"who": save.who, "when": save.when} if save else {}),
            )
    version.compared_with(row)


def _without_asking(saves: Saves, save: _Save | None, typed: Any) -> str | None:
    """Say what to keep of a field that only one of the two has changed."""
    if saves is None:
        return None
    if save is None:
        return MINE
    return THEIRS if save.before == typed else None


def _line(name: str, label: str, *, theirs: str, mine: str, keep: str | None, **told: Any) -> Line:
    return Line(name, label, theirs, mine, _answer(name) or keep, **told)


# ---- The answer ----------------------------------------------------------------------------------------------------


def unanswered() -> set[str]:
    """Name what the page has asked and nobody has answered."""
    return {name for name in request.form.getlist(ASKED) if _answer(name) is None}


def settle(form: Form) -> None:
    """Let the form leave alone what shall stay as the other has saved it."""
    for field in form:
        if isinstance(field, InlineRows):
            for entry in field.entries:
                entry.keep = _answer(entry.name)
                _leave(entry.form)
    _leave(form)


def _leave(form: Any) -> None:
    for field in form:
        field.left = _answer(field.name) == THEIRS


def _answer(name: str) -> str | None:
    answer = request.form.get(KEEP + name)
    return answer if answer in (MINE, THEIRS) else None


# ---- Values --------------------------------------------------------------------------------------------------------


def _column(field: Field, row: Base) -> str | None:
    """Name the attribute that a field writes; that of the key where the field chooses another record."""
    mapper = row.__mapper__
    if isinstance(field, PhotoField | VersionField):
        return None
    if field.short_name in mapper.relationships and not isinstance(field, InlineRows):
        (column,) = mapper.relationships[field.short_name].local_columns
        return str(mapper.get_property_by_column(column).key)
    return field.short_name if field.short_name in activity.columns(type(row)) else None


def _typed(field: Field, column: str, row: Base) -> Any:
    value = field.data
    if isinstance(value, Base):
        (value,) = value.__mapper__.primary_key_from_instance(value)
    return activity.stored(activity.columns(type(row))[column], None if value is False or value == "" else value)


def _held(column: str, row: Base) -> Any:
    value = getattr(row, column)
    return activity.stored(activity.columns(type(row))[column], None if value is False else value)


def _in_words(row: Base, field: Field, column: str, value: Any) -> str:
    if field.short_name in row.__mapper__.relationships:
        return str(getattr(row, field.short_name) or "")
    return history.in_words(type(row), column, value)


def _mine_in_words(row: Base, field: Field, column: str, value: Any) -> str:
    if isinstance(field.data, Base):
        return str(field.data)
    return history.in_words(type(row), column, value)


# ---- The log -------------------------------------------------------------------------------------------------------

Entries = Mapping[tuple[str, int], list[ActivityLog]]


def _entries(rows: Iterable[Base]) -> Entries:
    """Read how these records were changed, the newest entry of each first."""
    keys: dict[str, list[int]] = {}
    for row in rows:
        keys.setdefault(row.__tablename__, []).append(_key(row))
    whose = or_(*(and_(ActivityLog.entity == name, ActivityLog.entity_id.in_(those)) for name, those in keys.items()))
    found: dict[tuple[str, int], list[ActivityLog]] = {}
    for entry in db.session.scalars(
        select(ActivityLog)
        .where(whose, ActivityLog.action.startswith("update_", autoescape=True))
        .order_by(ActivityLog.id.desc())
        .limit(_MOST_ENTRIES)
        .options(joinedload(ActivityLog.user))
    ):
        found.setdefault((entry.entity or "", entry.entity_id or 0), []).append(entry)
    return found


def _since(saved: Entries, row: Base, opened: int | None) -> Saves:
    """Tell of each field what became of it since the version that the form was opened with."""
    entries = saved.get((row.__tablename__, _key(row)), [])
    steps = getattr(row, "version", 0) - opened if opened is not None else -1
    if not 0 < steps <= len(entries):
        return None
    saves: dict[str, _Save] = {}
    for entry in entries[:steps]:
        for name, (before, _after) in ((entry.details or {}).get("changes") or {}).items():
            last = saves.get(name)
            who, when = (last.who, last.when) if last else (history.who(entry), entry.timestamp)
            saves[name] = _Save(None if before is False else before, who, when)
    return saves


def _last(saved: Entries, row: Base) -> dict[str, Any]:
    entries = saved.get((row.__tablename__, _key(row)), [])
    return {"who": history.who(entries[0]), "when": entries[0].timestamp} if entries else {}


def _key(row: Base) -> int:
    return int(row.__mapper__.primary_key_from_instance(row)[0])
