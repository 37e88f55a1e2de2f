"""The cards of a form: which fields stand together, under which words."""

from typing import Any

from flask_admin.form.rules import Field as FieldRule
from flask_admin.form.rules import FieldSet
from flask_admin.helpers import get_render_ctx
from markupsafe import Markup

from fsms.admin_views.remembered import remembered_field

USUAL = "lib.render_field"


class Section(FieldSet):
    """A card of a form: `Section(["first_name", "last_name"], "Personal")`. Fields share a row where there is room."""

    def __call__(self, form: Any, form_opts: Any = None, field_args: Any = None) -> Markup:
        """Draw the fields of the section inside its card; a field by its name without a way through the rules."""
        draw = get_render_ctx().resolve("lib").draw_field
        beside = field_args or {}
        attributes = form_opts.widget_args if form_opts else {}
        drawn = [
            remembered_field(draw, form[rule.field_name], attributes.get(rule.field_name, {}) | beside)
            if type(rule) is FieldRule and rule.macro_name == USUAL
            else rule(form, form_opts, beside)
            for rule in self.rules
        ]
        return Markup('<section class="card form-card">{}</section>').format(Markup("").join(drawn))
