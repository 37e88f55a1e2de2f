"""Macros of templates, made when one of them is drawn and not when their file is named.

A page names files of dozens of macros and tells them all that it was told. Most of what they draw was drawn before
(`remembered`), and making them cost a page as much as its rows.
"""

from collections.abc import Mapping
from functools import partial
from typing import Any

from flask import Flask
from jinja2 import Template, pass_eval_context
from jinja2.environment import TemplateModule


def install(app: Flask) -> None:
    """Let the templates of `app` name files of macros without making them."""
    app.jinja_env.template_class = NamedLate


class LateMacro:
    """A macro that is looked for when it is called."""

    def __init__(self, file: "LateMacros", name: str) -> None:
        """Take the file that it stands in, and what it is called there."""
        self.file = file
        self.name = name

    @pass_eval_context
    def __call__(self, *arguments: Any, **named: Any) -> Any:
        """Draw it; whatever Jinja gives a macro is handed on."""
        return getattr(self.file.made, self.name)(*arguments, **named)


class LateMacros:
    """A file of macros, as a template knows it by the name that it gave it."""

    def __init__(self, make: partial[TemplateModule]) -> None:
        """Take what makes them."""
        self._make = make
        self._made: TemplateModule | None = None

    @property
    def made(self) -> TemplateModule:
        """The macros themselves."""
        if self._made is None:
            self._made = self._make()
        return self._made

    def __getattr__(self, name: str) -> LateMacro:
        """Answer a macro; whether there is one of this name shows when it is called."""
        if name.startswith("_"):
            raise AttributeError(name)
        return LateMacro(self, name)


class NamedLate(Template):
    """A template whose macros wait, where another one names it “with context”."""

    def make_module(self, told: Any = None, shared: bool = False, inner: Mapping[str, Any] | None = None) -> Any:  # type: ignore[override]
        """Promise the macros; of a file that is told nothing they are made once for all pages anyway."""
        make = super().make_module
        return LateMacros(partial(make, told, shared, inner)) if shared else make(told, shared, inner)
