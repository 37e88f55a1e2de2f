"""The cards of a form: which fields stand together, under which words."""

from functools import cached_property
from itertools import groupby
from typing import Any, cast

from flask_admin.form.rules import Field as FieldRule
from flask_admin.form.rules import FieldSet, Header
from flask_admin.helpers import get_render_ctx
from markupsafe import Markup

from fsms.admin_views.remembered import remembered_fields
from fsms.admin_views.screen import language

USUAL = "lib.render_field"


class Section(FieldSet):
    """A card of a form: `Section(["first_name", "last_name"], "Personal")`. Fields share a row where there is room."""

    def __call__(self, form: Any, form_opts: Any = None, field_args: Any = None) -> Markup:
        """Draw the fields of the section inside its card; what stands in it by its name without a way by the rules."""
        beside = field_args or {}
        attributes = form_opts.widget_args if form_opts else {}
        drawn: list[str] = []
        for names, others in self._in_order:
            drawn += [_title(rule) if type(rule) is Header else rule(form, form_opts, beside) for rule in others]
            if names:
                fields = [(form[name], attributes.get(name, {}) | beside) for name in names]
                drawn.append(remembered_fields(_draw_field, fields))
        return Markup('<section class="card form-card">{}</section>'.format("\n".join(drawn)))  # noqa: S704 - of templates

    @cached_property
    def _in_order(self) -> tuple[tuple[tuple[str, ...], tuple[Any, ...]], ...]:
        """What the section shows: each time some usual fields by their names, and the other rules before them."""
        order: list[tuple[tuple[str, ...], tuple[Any, ...]]] = []
        others: tuple[Any, ...] = ()
        for are_usual, rules in groupby(self.rules, _is_usual):
            if are_usual:
                order.append((tuple(cast(FieldRule, rule).field_name for rule in rules), others))
                others = ()
            else:
                others = tuple(rules)
        return (*order, ((), others)) if others else tuple(order)


def _is_usual(rule: Any) -> bool:
    return type(rule) is FieldRule and rule.macro_name == USUAL


def _draw_field(field: Any, attributes: dict[str, Any]) -> Markup:
    """Draw a field by the page's macros, which are looked for only where it was not drawn before."""
    drawn: Markup = get_render_ctx().resolve("lib").draw_field(field, attributes)
    return drawn


def _title(rule: Header) -> str:
    """Draw the title of a card, once in each language."""
    drawn: dict[str, str] = vars(rule).setdefault("_drawn_in", {})
    spoken = language()
    if spoken not in drawn:
        drawn[spoken] = get_render_ctx().resolve("lib").render_header(**rule.default_args)
    return drawn[spoken]
