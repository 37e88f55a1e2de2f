"""Parts of pages that are the same for many requests, drawn once and remembered in this process.

A part is remembered for one reader, in one language and one way of writing numbers, so that nobody is ever shown what
was drawn for somebody else; and for whatever else its template says that it depends on. It must hold no moment. The
token of a form, the nonce of a script and the address of a page are the page's own: a part is kept with marks in their
place.
"""

import re
import secrets
from collections.abc import Callable, Iterable
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any, cast

from flask import Flask, current_app, g, request
from markupsafe import Markup, escape
from wtforms import BooleanField, Field, HiddenField, StringField, TextAreaField

from fsms import clock
from fsms.admin_views.by_role import reader
from fsms.admin_views.forms import ChosenField, DayField, NumberField
from fsms.admin_views.inlines import InlineRows
from fsms.admin_views.lines import Lines
from fsms.admin_views.lookups import LookUpField
from fsms.admin_views.photographs import PhotoField
from fsms.admin_views.screen import has_khmer_digits, language
from fsms.models import Base

MOST = 1_000
"""Parts that are kept, each of a few thousand characters; the one not asked for longest goes first."""
MOST_FIELDS = 5_000
"""Fields of forms, each of a few hundred characters."""
MOST_ROWS = 2_000
"""Rows of lists, each of a thousand characters or two."""
MOST_CHILDREN = 500
"""Children of a record as rows of its form, each of some thousand characters."""

FOR_WHOM = "fsms.drawn_for"

SEALS = ("csrf_token", "csp_nonce", "own_address")
"""The functions of templates whose answers are no part's own."""
_MARKS = {name: f"{name}-{secrets.token_hex(8)}" for name in SEALS}
"""What stands in their place. Nobody can know it, and so write it into a record for a seal to be put there."""
_NAMES = {mark: name for name, mark in _MARKS.items()}
_MARK = re.compile(f"({'|'.join(_NAMES)})")
_DRAWING = "fsms.drawing_a_part"
_SEALS = "fsms.seals"

ROW_END = f"row-end-{secrets.token_hex(8)}"
"""Stands behind each row that is drawn with others."""

WAY_BACK = secrets.token_hex(8)
"""Stands in the links of remembered rows for the list that leads to them; nobody can write it into a record."""

Draw = Callable[[Field, dict[str, Any]], Markup]

_ALIKE = frozenset(
    {BooleanField, ChosenField, DayField, LookUpField, NumberField, PhotoField, StringField, TextAreaField}
)
"""Fields of which the place in the form and `_shown_in` say all: what they show is known before they are drawn."""


def _place(*_depends: Any) -> list[Any]:
    """Give the place of a part, which is empty until it is drawn."""
    return []


_kept, _kept_fields, _kept_rows, _kept_children = (
    lru_cache(most)(_place) for most in (MOST, MOST_FIELDS, MOST_ROWS, MOST_CHILDREN)
)


def install(app: Flask) -> None:
    """Let the templates of `app` ask for parts; called when the seals are there."""
    given = cast(dict[str, Any], app.jinja_env.globals)
    given.update(remembered=remembered, remembered_field=remembered_field, remembered_fields=remembered_fields)
    given.update(remembered_rows=remembered_rows, row_end=ROW_END, way_back=WAY_BACK)
    seals = {name: cast(Callable[[], str], given[name]) for name in SEALS}
    app.extensions[_SEALS] = seals
    sealed = {name: _sealed(name, seal) for name, seal in seals.items()}
    given.update(sealed)
    app.context_processor(lambda: sealed)  # Flask-WTF puts its own into each context, above the globals.


def _sealed(name: str, seal: Callable[[], str]) -> Callable[[], str]:
    """Answer the seal of a request, or the mark for it while a part is drawn."""
    return lambda: _MARKS[name] if _DRAWING in request.environ else seal()


def remembered(draw: Callable[..., Markup], *depends: Any) -> Markup:
    """Answer a part as it was drawn before, or let its macro draw it; `depends` is all that it shows or links to."""
    part: str = getattr(draw, "name", None) or draw.__qualname__  # a macro of Jinja has the one, a method the other
    environ = request.environ  # behind its proxy once: a page asks for a dozen parts
    kept = _kept(part, _for_whom(environ), *depends)
    drawn, pieces = kept[0] if kept else _drawn(draw)
    if not kept and not _is_of_this_request(drawn):
        kept.append((drawn, pieces))
    if not pieces or _DRAWING in environ:
        return drawn
    sealed = [_seal(environ, _NAMES[piece]) if place % 2 else piece for place, piece in enumerate(pieces)]
    return Markup("".join(sealed))  # noqa: S704 - drawn by a template, as it was kept


def _seal(environ: dict[str, Any], name: str) -> str:
    """Answer a seal of the request as it stands in a page; found out once, for all parts that have it."""
    found = environ.get(_SEALS, {}).get(name)
    if found is None:
        found = environ.setdefault(_SEALS, {})[name] = str(escape(current_app.extensions[_SEALS][name]()))
    return cast(str, found)


def _drawn(draw: Callable[..., Markup]) -> tuple[Markup, list[str]]:
    """Draw a part with the marks of its seals; and the same in pieces, of which every second one is a mark.

    There are no pieces of a part without a seal.
    """
    was_drawing = _DRAWING in request.environ
    request.environ[_DRAWING] = True
    try:
        drawn = Markup(draw())  # noqa: S704 - of a template
    finally:
        if not was_drawing:
            del request.environ[_DRAWING]
    pieces = _MARK.split(str(drawn))
    return drawn, pieces if len(pieces) > 1 else []


def _is_of_this_request(drawn: str) -> bool:
    """Say whether a secret came in by another way than its function; then the part is not for the next request."""
    return any(seal and seal in drawn for seal in (g.get("csrf_token"), getattr(request, "csp_nonce", None)))


def remembered_field(draw: Draw, field: Field, attributes: dict[str, Any]) -> Markup:
    """Draw a field of a form, or answer how it was drawn with the same value."""
    return remembered_fields(draw, ((field, attributes),))


def remembered_fields(draw: Draw, fields: Iterable[tuple[Field, dict[str, Any]]]) -> Markup:
    """Draw fields one below the other, those that were not drawn before with the same value: most records are alike."""
    here = cast(Any, request)._get_current_object()  # noqa: SLF001 - behind its proxy once: a form has a hundred fields
    alike = _for_whom(here.environ), here.endpoint
    drawn = [_of_field(alike, draw, field, attributes) for field, attributes in fields]
    return Markup("\n".join(drawn))  # noqa: S704 - drawn by a template, or kept as it was


def _of_field(alike: tuple[Any, ...], draw: Draw, field: Any, attributes: dict[str, Any]) -> Markup:
    kind = type(field)
    shown: Any
    if field.errors:
        return draw(field, attributes)
    if kind in _ALIKE:
        shown, keep = _shown_in(field), _kept_fields
    elif kind is InlineRows and (shown := _shown_in_rows(field)) is not None:
        keep = _kept_children
    else:
        return draw(field, attributes)
    label, hint = field.label.text, field.description
    # Words that the code has are the same object, whatever language they are said in.
    words = label if type(label) is str else id(label), hint if type(hint) is str else id(hint)
    drawn_as = (field.id, words, repr(field.render_kw), repr(attributes))
    kept = keep(alike, repr(shown), drawn_as)
    if not kept:
        # The words stay with it: of a word that is gone, another one may take the number.
        kept.extend((draw(field, attributes), label, hint))
    drawn: Markup = kept[0]
    return drawn


def _shown_in(field: Any) -> Any:
    """Tell all that a field shows beside its words."""
    kind = type(field)
    if kind is LookUpField:
        return field.loader.format(field.data), field.loader.few()
    if kind is PhotoField:
        return field.present, field.shown, field.kept
    return field.data if kind is BooleanField or kind is ChosenField else field._value()  # noqa: SLF001


def _shown_in_rows(rows: InlineRows) -> Any:
    """Tell all that rows of children show; None where that is not known before they are drawn."""
    if request.method == "POST":
        return None  # what was sent may be wrong, or ticked for deletion
    told: list[Any] = [clock.today(), rows.max_entries]  # a new row may have the day in it
    if (values := rows.told()) is not None:
        return [*told, *values]
    for row in rows.entries:
        fields = [*row.form]
        if not all(type(field) in _ALIKE or isinstance(field, HiddenField) for field in fields):
            return None
        told.append((row.id, [_shown_in(field) for field in fields]))
    return told


def remembered_rows(draw: Callable[[list[Base]], Markup], lines: Lines, *depends: Any) -> Markup:
    """Draw the rows of a list, but for those whose lines are as they were when they were drawn before.

    A list is mostly seen again as it was: somebody comes back to it from a record. What a row shows must stand in the
    record or in those read with it; a row for which more is read while it is drawn is drawn each time.
    """
    alike = (_for_whom(request.environ), clock.today(), *depends)
    kept = [_kept_rows(alike, told) for told in lines.facts]
    shown = [row[0] if row else "" for row in kept]
    if missing := [place for place, row in enumerate(kept) if not row]:
        records = [lines[place] for place in missing]
        before, after = _Read(), _Read()
        facts = [before.of(record) for record in records]
        drawn = draw(records).split(ROW_END)
        for place, record, told, row in zip(missing, records, facts, drawn, strict=False):
            shown[place] = row
            if after.of(record) == told:
                kept[place].append(row)
    return Markup("".join(shown))  # noqa: S704 - drawn by a template, as they were kept


_PLAIN = frozenset({str, int, bool, type(None), date, datetime})


class _Read:
    """What was read of records and of those that were read with them; found out once for those that many rows share."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[Any, ...]] = {}

    def of(self, record: Base) -> tuple[Any, ...]:
        """Tell all of it, as something to look up by."""
        found = self._known.get(id(record))
        if found is None:
            self._known[id(record)] = ()  # whoever leads back to it
            told = self._told
            found = tuple(
                [
                    (name, value if type(value) in _PLAIN else told(value))
                    for name, value in vars(record).items()
                    if name != "_sa_instance_state"
                ]
            )
            self._known[id(record)] = found
        return found

    def _told(self, value: Any) -> Any:
        if isinstance(value, Base):
            return self.of(value)
        # 5 and 5.00 are equal, and written otherwise.
        return repr(value) if isinstance(value, Decimal | list | dict) else value


def _for_whom(environ: dict[str, Any]) -> object:
    """Tell readers, languages and digits apart; found out once a request, which may draw a hundred fields."""
    found: object = environ.get(FOR_WHOM)
    if found is None:
        found = environ[FOR_WHOM] = _one_for(reader(), language(), has_khmer_digits(), request.script_root)
    return found


@lru_cache(MOST)
def _one_for(*_told: Any) -> object:
    """Give one thing that stands for all of it, since looking up by one is quicker than by many."""
    return object()
