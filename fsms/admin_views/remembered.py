"""Parts of pages that are the same for many requests, drawn once and remembered in this process.

A part is remembered for one reader, in one language and one way of writing numbers, so that nobody is ever shown what
was drawn for somebody else; and for whatever else its template says that it depends on. It must hold no token, no
nonce and no moment.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from flask import Flask, request
from markupsafe import Markup

from fsms.admin_views.by_role import reader
from fsms.admin_views.screen import has_khmer_digits, language

MOST = 1_000
"""Parts that are kept, each of a few thousand characters; the one not asked for longest goes first."""


@lru_cache(MOST)
def _kept(*_depends: Any) -> list[Markup]:
    """Give the place of a part, which is empty until it is drawn."""
    return []


def install(app: Flask) -> None:
    """Let the templates of `app` ask for parts."""
    app.jinja_env.globals["remembered"] = remembered


def remembered(draw: Callable[..., Markup], *depends: Any) -> Markup:
    """Answer a part as it was drawn before, or let its macro draw it; `depends` is all that it shows or links to."""
    name: str = getattr(draw, "name", None) or draw.__qualname__  # a macro of Jinja has the one, a method the other
    kept = _kept(name, reader(), language(), has_khmer_digits(), request.script_root, *depends)
    if not kept:
        kept.append(draw())
    return kept[0]
