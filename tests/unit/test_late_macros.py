"""Files of macros that a template names: made when something in them is drawn."""

import pytest
from flask import Flask
from jinja2 import DictLoader

from fsms.admin_views import late_macros

MACROS = """
{% set _made = noted() %}
{% macro greeting(name, caller=none) %}{{ word }}, {{ name }}{{ caller() if caller }}{% endmacro %}
"""


def drawn(page: str) -> tuple[str, int]:
    """Draw a page that names the macros; with how often they were made."""
    app, made = Flask(__name__), list[int]()
    late_macros.install(app)
    app.jinja_env.loader = DictLoader({"macros.html": MACROS, "page.html": page})
    app.jinja_env.globals["noted"] = lambda: made.append(1)
    return app.jinja_env.get_template("page.html").render(word="Hello"), len(made)


def test_macros_that_nothing_is_drawn_with_are_not_made() -> None:
    assert drawn('{% import "macros.html" as m with context %}{% set later = m.greeting %}A page') == ("A page", 0)


def test_macros_are_made_once_for_all_that_is_drawn_with_them() -> None:
    page = '{% import "macros.html" as m with context %}{{ m.greeting("Dara") }} {{ m.greeting("Sok") }}'

    assert drawn(page) == ("Hello, Dara Hello, Sok", 1)


def test_what_a_macro_is_given_is_escaped_and_its_own_html_is_not() -> None:
    page = '{% import "macros.html" as m with context %}{{ m.greeting("<Dara>") }}'

    assert drawn(page) == ("Hello, &lt;Dara&gt;", 1)


def test_a_macro_draws_what_its_caller_holds() -> None:
    page = '{% from "macros.html" import greeting with context %}{% call greeting("Dara") %}!{% endcall %}'

    assert drawn(page) == ("Hello, Dara!", 1)


def test_macros_that_are_told_nothing_are_made_at_once() -> None:
    assert drawn('{% import "macros.html" as m %}{{ m.greeting("Dara") }}') == (", Dara", 1)


def test_a_macro_that_is_not_there_is_an_error_when_it_is_drawn() -> None:
    with pytest.raises(AttributeError, match="farewell"):
        drawn('{% import "macros.html" as m with context %}{{ m.farewell() }}')
