"""The cards of a form: which fields stand together, under which words."""

from typing import Any

from flask_admin.form.rules import Field as FieldRule
from flask_admin.form.rules import FieldSet, Header
from flask_admin.helpers import get_render_ctx
from markupsafe import Markup

from fsms.admin_views.remembered import remembered_field

USUAL = "lib.render_field"


class Section(FieldSet):
    """A card of a form: `Section(["first_name", "last_name"], "Personal")`. Fields share a row where there is room."""

    def __call__(self, form: Any, form_opts: Any = None, field_args: Any = None) -> Markup:
        """Draw the fields of the section inside its card; what stands in it by its name without a way by the rules."""
        lib = get_render_ctx().resolve("lib")
        beside = field_args or {}
        attributes = form_opts.widget_args if form_opts else {}
        drawn = [Markup('<section class="card form-card">')]
        for rule in self.rules:
            if type(rule) is FieldRule and rule.macro_name == USUAL:
                wanted = attributes.get(rule.field_name, {}) | beside
                drawn.append(remembered_field(lib.draw_field, form[rule.field_name], wanted))
            elif type(rule) is Header:
                drawn.append(lib.render_header(**rule.default_args))
            else:
                drawn.append(rule(form, form_opts, beside))
        return Markup("").join([*drawn, Markup("</section>")])
