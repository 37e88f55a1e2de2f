"""Records that belong to one parent, edited as rows inside the parent's form: a pupil's guardians, say."""

from collections.abc import Sequence
from typing import Any

from flask_admin.contrib.sqla.fields import InlineModelFormList
from flask_admin.contrib.sqla.form import InlineModelConverter
from flask_admin.model.form import InlineFormAdmin
from wtforms import BooleanField, Form, HiddenField

from fsms.admin_views import theme
from fsms.admin_views.lookups import record_id
from fsms.errors import StaleRecord

MOST_ROWS = 30

STALE = (
    "Somebody else saved this record after you opened it. Nothing was changed. "
    "Open it again in another tab, compare, and save once more."
)


class VersionField(HiddenField):
    """The version of the record that the form was opened with; saving over a newer one is refused."""

    def populate_obj(self, obj: Any, name: str) -> None:
        """Compare instead of writing: the version is counted by the mapper."""
        if obj.version is not None and self.data != str(obj.version):
            raise StaleRecord(STALE)


class InlineRows(InlineModelFormList):
    """The children of a record as rows of its form: many, or at most one where the relation holds one."""

    def __init__(self, form: type[Form], session: Any, model: Any, prop: str, inline_view: Any, **kwargs: Any) -> None:
        """Find out from the relation how many children there may be."""
        parent_side = model.__mapper__.relationships[prop].back_populates
        parent = model.__mapper__.relationships[prop].mapper
        self.holds_many = bool(parent.relationships[parent_side].uselist)
        kwargs["max_entries"] = MOST_ROWS if self.holds_many else 1
        super().__init__(form, session, model, prop, inline_view, **kwargs)

    def process(self, formdata: Any, data: Any = None, extra_filters: Sequence[Any] | None = None) -> None:
        """Show a single child as a list of one."""
        if not isinstance(data, (list, tuple)):
            data = [] if data is None or not hasattr(data, "__mapper__") else [data]
        super().process(formdata, data, extra_filters)

    def display_row_controls(self, field: Any) -> bool:
        """Say whether a row stands for a saved record, which is ticked for deletion rather than taken away."""
        return bool(field.get_pk())

    def should_delete(self, field: Any) -> bool:
        """Leave out what is ticked, and a new row in which nothing was written."""
        return super().should_delete(field) or (not field.get_pk() and _is_blank(field))

    def populate_obj(self, obj: Any, name: str) -> None:
        """Write the rows into the children, unless one of them was changed or removed since the form was opened."""
        held = getattr(obj, name)
        children = {child.__mapper__.primary_key_from_instance(child)[0]: child for child in _listed(held)}
        kept = []
        for row in self.entries:
            child = children.pop(record_id(row.get_pk()), None)
            if self.should_delete(row):
                if child is not None:
                    row.form.version.populate_obj(child, "version")
                continue
            if child is None and row.get_pk():
                # Removed meanwhile, or never this parent's own.
                raise StaleRecord(STALE)
            child = child or self.model()
            row.populate_obj(child, None)
            kept.append(child)
        # What the form did not show was added by somebody else meanwhile; it stays.
        shown = {record_id(row.get_pk()) for row in self.entries}
        kept.extend(child for key, child in children.items() if key not in shown)
        setattr(obj, name, kept if self.holds_many else next(iter(kept), None))


def _listed(held: Any) -> list[Any]:
    if held is None:
        return []
    return list(held) if isinstance(held, list) else [held]


def _is_blank(row: Any) -> bool:
    for field in row.form:
        if isinstance(field, HiddenField):
            continue
        if isinstance(field, BooleanField):
            if field.data:
                return False
        elif any(str(value).strip() for value in field.raw_data or ()):
            return False
    return True


class SchoolInlineConverter(InlineModelConverter):
    """Makes the rows' fields as it makes the form's."""

    inline_field_list_type = InlineRows


class Inline(InlineFormAdmin):
    """What a page says of its inline rows; each row carries its own version."""

    form_base_class = theme.Form

    def postprocess_form(self, form_class: Any) -> Any:
        """Add the version."""
        form_class.version = VersionField()
        return form_class
