"""Taking a list away as a file: what the list shows to this reader, with its filters, search, columns and order.

The file is read outside of the request's session, on a connection of its own that speaks for the same reader, while
the browser already saves its first bytes; a browser that goes away lets the connection go. The log tells of it before
the first byte, and at the end how many rows went.
"""

import select as sockets
import socket
import tempfile
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any, ClassVar
from urllib.parse import urlencode

from flask import Flask, Response, abort, current_app, jsonify, request
from flask_admin.contrib.sqla import ModelView
from flask_babel import force_locale, get_locale, gettext
from sqlalchemy import (
    Boolean,
    Connection,
    Date,
    DateTime,
    Integer,
    Numeric,
    Select,
    func,
    inspect,
    select,
    text,
    true,
)
from sqlalchemy.ext.hybrid import hybrid_property
from sqlalchemy.orm import RelationshipProperty
from sqlalchemy.sql.sqltypes import TypeEngine
from werkzeug.http import dump_options_header

from fsms import activity, clock, policy, sign_in
from fsms.admin_views import formatters
from fsms.admin_views.by_role import reader
from fsms.database import db
from fsms.errors import SchoolError
from fsms.exchange import csv_export, json_lines, labels, xlsx_export
from fsms.exchange.sheet import Column, Kind, Sheet
from fsms.models import ActivityLog, Base
from fsms.policy import SYSTEM, Actor, Verb
from fsms.vocabulary import Choice

Count = Callable[[int], object]
Said = tuple[Callable[[labels.Joined], Any], Callable[[Any], str]]

WORK = "fsms export"  # what the server's list of connections calls an export, before its key
PIECE = 64 * 1024
MEDIA_TYPES = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "jsonl": "application/x-ndjson",
}


class Gone(Exception):
    """Whoever asked for the file is not there any more."""


# ---- What the list shows, as SQL -----------------------------------------------------------------------------------


def sheet_of(view: Any, title: str, columns: list[tuple[str, str]], rows: Select[Any]) -> Sheet:
    """Describe a list for a file; a column whose words only Python knows is given as it is stored."""
    joined = labels.Joined(view.model)
    made = tuple(_column(view, joined, path, heading) for path, heading in columns)
    return Sheet(title=title, columns=made, rows=joined.applied(rows), speaking=_in_this_language())


def _in_this_language() -> Callable[[], AbstractContextManager[object]]:
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]  # noqa: SLF001 - Flask's own advice
    language = str(get_locale() or "en")

    @contextmanager
    def speaking() -> Iterator[None]:
        with app.app_context(), force_locale(language):
            yield

    return speaking


def _column(view: Any, joined: labels.Joined, path: str, heading: str) -> Column:
    if said := view.export_said.get(path):
        value, say = said
        return Column(path, heading, value(joined), said=say)
    *steps, last = path.split(".")
    there = joined.at(tuple(steps))
    described = inspect(there).mapper.all_orm_descriptors[last]
    if isinstance(getattr(described, "property", None), RelationshipProperty):
        return Column(path, heading, joined.label((*steps, last)))
    value = getattr(there, last)
    if isinstance(described, hybrid_property):
        return Column(path, heading, value, _kind_of_type(value.type))
    formatter = (view.column_formatters_export or view.column_formatters).get(path)
    if formatter is formatters.phone:
        return Column(path, heading, value, Kind.PHONE)
    if choices := described.property.columns[0].info.get("choices"):
        return Column(path, heading, value, Kind.CHOICE, _words_of(choices))
    kind = Kind.KEY if described.property.columns[0].primary_key else _kind_of_type(value.type)
    words = {"true": gettext("Yes"), "false": gettext("No")} if kind is Kind.FLAG else {}
    return Column(path, heading, value, kind, words, nothing=str(view.export_nothing.get(path, "")))


def _words_of(choices: type[Choice]) -> Mapping[str, str]:
    return {choice.value: gettext(choice.label) for choice in choices}


def _kind_of_type(held: TypeEngine[Any]) -> Kind:
    kinds: tuple[tuple[Any, Kind], ...] = (
        (Boolean, Kind.FLAG),
        (DateTime, Kind.MOMENT),
        (Date, Kind.DAY),
        (Integer | Numeric, Kind.NUMBER),
    )
    return next((kind for types, kind in kinds if isinstance(held, types)), Kind.TEXT)


# ---- The doors -----------------------------------------------------------------------------------------------------


class Exports(ModelView):
    """A model view whose list can be taken away."""

    can_export = property(lambda self: policy.may(reader(), Verb.EXPORT, self.model))
    export_types = ("csv", "xlsx", "jsonl")
    # Columns whose words only Python knows: what is read for them, and how it is said.
    export_said: ClassVar[Mapping[str, Said]] = {}
    # What people read in a column where there is no value.
    export_nothing: ClassVar[Mapping[str, Any]] = {}

    model: type[Base]

    def _export_csv(self, return_url: Any) -> Response:
        return self._taken_away("csv")

    def _export_tablib(self, export_type: str, return_url: Any) -> Response:
        return self._taken_away(export_type)

    def sheet(self) -> Sheet:
        """Describe what the address asks for, to this reader."""
        args = self._get_list_extra_args()
        column = self._get_column_by_idx(args.sort)
        _count, query = self.get_list(
            0, column and column[0], args.sort_desc, args.search, args.filters, execute=False, page_size=0
        )
        columns = [(str(name), str(label)) for name, label in self._export_columns]
        return sheet_of(self, str(self.name), columns, query.statement)

    def address_of(self, questions: Sequence[str], search: str | None = None, columns: str | None = None) -> str:
        """Write the address that asks a list these questions, as `status-is=active`; SchoolError for unknown ones."""
        offered = {flt.arg for flt in self._filters or ()}
        asked = {"search": search} if search else {}
        if columns:
            known = [name for name, _label in self._offered_columns]
            for name in columns.split(","):
                if name not in known:
                    raise SchoolError(
                        "The list of %(entity)s has no column “%(name)s”. It has: %(offered)s.",
                        entity=self.endpoint,
                        name=name,
                        offered=", ".join(known),
                    )
            asked["columns"] = columns
        for place, question in enumerate(questions):
            name, _is, value = question.partition("=")
            if name not in offered:
                raise SchoolError(
                    "The list of %(entity)s cannot be asked “%(name)s”. It can be asked: %(offered)s.",
                    entity=self.endpoint,
                    name=name,
                    offered=", ".join(sorted(offered)),
                )
            asked[f"flt{place}_{name}"] = value
        return f"/admin/{self.endpoint}/?{urlencode(asked)}"

    def _taken_away(self, form: str) -> Response:
        told = Told(
            app=current_app._get_current_object(),  # type: ignore[attr-defined]  # noqa: SLF001 - Flask's own advice
            actor=reader() or SYSTEM,
            entity=self.model.__tablename__,
            name=self.endpoint,
            key=_key(request.args.get("key")),
        )
        sheet = self.sheet()
        db.session.rollback()  # The request's own reading is done.
        args = self._get_list_extra_args()
        asked = {self._filters[index].arg: value for index, _name, value in args.filters or ()}
        told.begun({"filters": asked, "search": args.search, "format": form})
        asker = request.environ.get("gunicorn.socket")
        sent = stream(form, sheet, told, lambda: _has_gone(asker))
        name = f"friendship-school-{self.endpoint}-{clock.today():%Y-%m-%d}.{form}"
        answer = Response(sent, content_type=MEDIA_TYPES[form])
        answer.headers["Content-Disposition"] = dump_options_header("attachment", {"filename": name})
        return answer


@dataclass(frozen=True)
class Told:
    """What the log hears of an export, at its beginning and at its end."""

    app: Flask
    actor: Actor
    entity: str
    name: str
    key: uuid.UUID

    def begun(self, facts: dict[str, Any]) -> None:
        """Tell who takes what away, committed before the first byte."""
        self._record(f"export_{self.name}", facts)

    def ended(self, rows: int, *, whole: bool) -> None:
        """Tell how many rows went, and whether that was all."""
        with self.app.app_context():
            self._record(f"exported_{self.name}", {"rows": rows, "whole": whole})

    def _record(self, action: str, facts: dict[str, Any]) -> None:
        with sign_in.as_system(self.actor.user_id) as apart:
            activity.record(apart, action, self.actor, facts, entity=self.entity, batch=self.key)


def _key(typed: str | None) -> uuid.UUID:
    try:
        return uuid.UUID(typed or "")
    except ValueError:
        return uuid.uuid4()


# ---- The bytes -----------------------------------------------------------------------------------------------------


def stream(
    form: str,
    sheet: Sheet,
    told: Told,
    has_gone: Callable[[], bool] = lambda: False,
    watch: Count = lambda _rows: None,
) -> Iterator[bytes]:
    """Yield the file, and tell the log at its end, or where it broke off; `watch` hears how many rows have gone."""
    with told.app.app_context():
        bind = db.engine
    return _stream(form, sheet, told, bind, has_gone, watch)


def _stream(
    form: str, sheet: Sheet, told: Told, bind: Any, has_gone: Callable[[], bool], watch: Count
) -> Iterator[bytes]:
    rows, whole = 0, False

    def count(number: int) -> None:
        nonlocal rows
        rows = number
        watch(number)

    try:
        if form == "xlsx":
            yield from _workbook(sheet, told, bind, count, has_gone)
        else:
            write = csv_export.stream if form == "csv" else json_lines.stream
            with policy.reading_for(bind, told.actor) as connection:
                _name_the_work(connection, told.key)
                yield from write(connection, sheet, count)
        whole = True
    except Gone:
        return
    finally:
        told.ended(rows, whole=whole)


def _workbook(sheet: Sheet, told: Told, bind: Any, count: Count, has_gone: Callable[[], bool]) -> Iterator[bytes]:
    """Write the workbook to the disk, since its directory stands at its end, and send it."""
    with tempfile.TemporaryFile() as file:
        with policy.reading_for(bind, told.actor) as connection:

            def counted(number: int) -> None:
                count(number)
                if has_gone():
                    raise Gone
                _name_the_work(connection, told.key, number)

            xlsx_export.write(file, connection, sheet, counted)
        file.seek(0)
        while piece := file.read(PIECE):
            yield piece


def _has_gone(connection: socket.socket | None) -> bool:
    """Say whether the browser has closed the connection; not every server tells, and then it is still there."""
    if connection is None:
        return False
    readable, _, _ = sockets.select([connection], [], [], 0)
    return bool(readable) and connection.recv(1, socket.MSG_PEEK) == b""


# ---- How far it is -------------------------------------------------------------------------------------------------


def _name_the_work(connection: Connection, key: uuid.UUID, rows: int | None = None) -> None:
    """Say to the server which export the transaction works for and, where PostgreSQL does not count, how far it is."""
    told = f"{WORK} {key.hex}" + ("" if rows is None else f" {rows}")
    connection.execute(select(func.set_config("application_name", told, true())))


_HOW_FAR = text(
    """
    SELECT max(coalesce(copied.tuples_processed, nullif(split_part(application_name, ' ', 4), '')::bigint, 0))
    FROM pg_stat_activity LEFT JOIN pg_stat_progress_copy AS copied USING (pid)
    WHERE application_name LIKE :work AND pg_stat_activity.datname = current_database()
    """  # PostgreSQL 13 counts no copies: there an export says only that it goes on. The processes
    # that help with a large list have its name too, and count nothing.
)


def how_far(key: uuid.UUID) -> Response:
    """Answer how many rows of the reader's own export have gone, and whether it has ended."""
    ended = db.session.scalar(
        select(ActivityLog.details).where(ActivityLog.batch == key, ActivityLog.action.startswith("exported_"))
    )
    if ended is not None:
        return jsonify(rows=ended["rows"], ended=True, whole=ended["whole"])
    if db.session.scalar(select(ActivityLog.id).where(ActivityLog.batch == key).limit(1)) is None:
        abort(404)
    with sign_in.as_system() as apart:
        rows = apart.scalar(_HOW_FAR, {"work": f"{WORK} {key.hex}%"})
    return jsonify(rows=rows or 0, ended=False)


def install(app: Flask) -> None:
    """Let pages ask how far an export is."""
    app.add_url_rule("/admin/exports/<uuid:key>", "export_progress", how_far)
