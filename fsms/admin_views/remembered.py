"""Parts of pages that are the same for many requests, drawn once and remembered in this process.

A part is remembered for one reader, in one language and one way of writing numbers, so that nobody is ever shown what
was drawn for somebody else; and for whatever else its template says that it depends on. It must hold no token, no
nonce and no moment.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Any, cast

from flask import Flask, request
from markupsafe import Markup
from wtforms import BooleanField, Field, StringField, TextAreaField

from fsms.admin_views.by_role import reader
from fsms.admin_views.forms import ChosenField, DayField, NumberField
from fsms.admin_views.screen import has_khmer_digits, language

MOST = 1_000
"""Parts that are kept, each of a few thousand characters; the one not asked for longest goes first."""
MOST_FIELDS = 5_000
"""Fields of forms, each of a few hundred characters."""

FOR_WHOM = "fsms.drawn_for"

_ALIKE = frozenset({BooleanField, ChosenField, DayField, NumberField, StringField, TextAreaField})
"""Fields of which the place in the form and the value say all: they ask nobody, and hold nothing of a request."""


def _place(*_depends: Any) -> list[Any]:
    """Give the place of a part, which is empty until it is drawn."""
    return []


_kept, _kept_fields = lru_cache(MOST)(_place), lru_cache(MOST_FIELDS)(_place)


def install(app: Flask) -> None:
    """Let the templates of `app` ask for parts."""
    app.jinja_env.globals.update(remembered=remembered, remembered_field=remembered_field)


def remembered(draw: Callable[..., Markup], *depends: Any) -> Markup:
    """Answer a part as it was drawn before, or let its macro draw it; `depends` is all that it shows or links to."""
    name: str = getattr(draw, "name", None) or draw.__qualname__  # a macro of Jinja has the one, a method the other
    kept = _kept(name, *_for_whom(), *depends)
    if not kept:
        kept.append(draw())
    drawn: Markup = kept[0]
    return drawn


def remembered_field(draw: Callable[..., Markup], field: Field, attributes: dict[str, Any]) -> Markup:
    """Draw a field of a form, or answer how it was drawn with the same value: most fields of most records are alike."""
    if type(field) not in _ALIKE or field.errors:
        return draw(field, attributes)
    filled = cast(Any, field)
    value = filled.data if isinstance(field, BooleanField | ChosenField) else filled._value()  # noqa: SLF001
    words = filled.label.text, filled.description
    drawn_as = (request.endpoint, filled.id, *map(_told_apart, words), repr(filled.render_kw), repr(attributes))
    kept = _kept_fields(*_for_whom(), repr(value), *drawn_as)
    if not kept:
        # The words stay with it: of a word that is gone, another one may take the number.
        kept.extend((draw(field, attributes), *words))
    drawn: Markup = kept[0]
    return drawn


def _for_whom() -> tuple[Any, ...]:
    """Tell readers, languages and digits apart; found out once a request, which may draw a hundred fields."""
    found: tuple[Any, ...] | None = request.environ.get(FOR_WHOM)
    if found is None:
        found = request.environ[FOR_WHOM] = reader(), language(), has_khmer_digits(), request.script_root
    return found


def _told_apart(words: Any) -> Any:
    """Tell words apart: those that the code has are the same object, whatever language they are said in."""
    return words if isinstance(words, str) else id(words)
