"""Records that belong to one parent, edited as rows inside the parent's form: a pupil's guardians, say."""

from collections.abc import Sequence
from functools import cache
from typing import Any

from flask_admin.contrib.sqla.fields import InlineModelFormList
from flask_admin.contrib.sqla.form import InlineModelConverter
from flask_admin.model.fields import InlineModelFormField
from flask_admin.model.form import InlineFormAdmin
from markupsafe import Markup
from wtforms import BooleanField, Form, HiddenField

from fsms.admin_views import theme
from fsms.admin_views.lookups import record_id
from fsms.errors import StaleRecord

MOST_ROWS = 30

MINE, THEIRS = "mine", "theirs"
"""Whose will is done where two people saved one record: see `clashes`."""

STALE = "Somebody else saved this record after you opened it. Nothing of yours is lost: choose what to keep."


class VersionField(HiddenField):
    """The version of the record that the form was opened with; saving over a newer one is refused.

    "3:5" is a form opened at version 3 whose reader has been shown what was saved up to version 5.
    """

    def __init__(self, **kwargs: Any) -> None:
        """Have no label: nobody sees it, and upstream would look for one in the catalogues each time."""
        super().__init__("", **kwargs)

    def process_formdata(self, valuelist: list[str]) -> None:
        """Take what was sent; a form that sends no version was opened at none."""
        self.data = valuelist[0] if valuelist else None

    @property
    def opened(self) -> int | None:
        """The version it was opened with; None where that is no number."""
        return record_id(str(self.data).partition(":")[0])

    def is_current(self, obj: Any) -> bool:
        """Whether nobody has saved the record since its reader saw it last."""
        return obj.version is None or str(self.data).rpartition(":")[2] == str(obj.version)

    def compared_with(self, obj: Any) -> None:
        """Note that the reader is shown the record as it is by now."""
        self.data = f"{str(self.data or '').partition(':')[0]}:{obj.version}"

    def populate_obj(self, obj: Any, name: str) -> None:
        """Compare instead of writing: the version is counted by the mapper."""
        if not self.is_current(obj):
            raise StaleRecord(STALE)


class InlineRow(InlineModelFormField):
    """One child as a row of its parent's form."""

    rows: "InlineRows"
    number = 1
    keep: str | None = None
    """Whose will is done where two people differ about the whole row."""

    def __init__(self, *given: Any, **named: Any) -> None:
        """Have no label of its own, which would be looked for in the catalogues each time: the rows have one."""
        super().__init__(*given, **{"label": "", **named})

    def forget_what_was_not_sent(self) -> None:
        """Stand for no record but the one that was sent: upstream takes the row at the same place for it."""
        for field in self.form:
            if isinstance(field, HiddenField) and not field.raw_data:
                field.data = None

    @property
    def is_to_go(self) -> bool:
        """Whether the row is ticked for deletion, or a new one in which nothing was written."""
        return self.rows.should_delete(self)

    def summary(self) -> str:
        """Say in short what is written in the row."""
        shown = (str(field.data) for field in self.form if not isinstance(field, HiddenField | BooleanField))
        return " · ".join([text for text in shown if text not in ("", "None")][:4])

    def held(self, children: Any) -> Any:
        """Find the child that the row stands for, among those the parent has by now."""
        key = record_id(self.get_pk())
        return next((one for one in _listed(children) if one.__mapper__.primary_key_from_instance(one)[0] == key), None)

    def populate_obj(self, obj: Any, name: str | None) -> None:
        """Write the fields, but for those that stay as somebody else has saved them."""
        for key, field in self.form._fields.items():
            if key != self._pk and not getattr(field, "left", False):
                field.populate_obj(obj, key)


class InlineRows(InlineModelFormList):
    """The children of a record as rows of its form: many, or at most one where the relation holds one."""

    form_field_type = InlineRow
    is_same_in_each = True  # its rows come later
    waiting: Sequence[Any] | None = None
    """The children of which no rows were made yet."""

    def __init__(self, form: type[Form], session: Any, model: Any, prop: str, inline_view: Any, **kwargs: Any) -> None:
        """Find out from the relation how many children there may be."""
        parent_side = model.__mapper__.relationships[prop].back_populates
        parent = model.__mapper__.relationships[prop].mapper
        self.holds_many = bool(parent.relationships[parent_side].uselist)
        kwargs["max_entries"] = MOST_ROWS if self.holds_many else 1
        super().__init__(form, session, model, prop, inline_view, **kwargs)

    def process(self, formdata: Any, data: Any = None, extra_filters: Sequence[Any] | None = None) -> None:
        """Show a single child as a list of one. Where nothing was sent, rows are made when somebody asks for them."""
        if not isinstance(data, (list, tuple)):
            data = [] if data is None or not hasattr(data, "__mapper__") else [data]
        if formdata:
            self._make_rows(formdata, data)
        else:
            self.object_data = self.waiting = data

    @property
    def entries(self) -> list[InlineRow]:
        """The rows; most are drawn as they were drawn before, and not asked for."""
        if self.waiting is not None:
            children, self.waiting = self.waiting, None
            self._make_rows(None, children)
        return self._made

    @entries.setter
    def entries(self, rows: list[InlineRow]) -> None:
        self._made = rows

    def told(self) -> list[list[Any]] | None:
        """Tell what the rows will show, by the values of the children; None where that takes making them."""
        if self.waiting is None or self.form._unbound_fields is None:  # noqa: SLF001 - WTForms keeps no other list
            return None
        names, held = _columns_shown(self.form, self.model), [vars(child) for child in self.waiting]
        if not names or any(name not in values for values in held for name in names):
            return None
        return [[values[name] for name in names] for values in held]

    def _make_rows(self, formdata: Any, data: Any) -> None:
        super().process(formdata, data)
        for number, row in enumerate(self.entries, 1):
            row.rows, row.number = self, number
            if formdata:
                row.forget_what_was_not_sent()

    def blank(self) -> Markup:
        """Draw the empty row that the browser copies for each new one; whose form it stands in makes no difference."""
        row = self.unbound_field.bind(form=None, name="", _meta=self.meta)
        row.separator = ""
        row.process(None)
        return Markup(row())  # noqa: S704 - drawn by a template

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
            if self.should_delete(row) and row.keep != THEIRS:
                if child is not None:
                    row.form.version.populate_obj(child, "version")
            elif (written := self._write(row, child)) is not None:
                kept.append(written)
        # What the form did not show was added by somebody else meanwhile; it stays.
        shown = {record_id(row.get_pk()) for row in self.entries}
        kept.extend(child for key, child in children.items() if key not in shown)
        setattr(obj, name, kept if self.holds_many else next(iter(kept), None))

    def _write(self, row: InlineRow, child: Any) -> Any:
        """Write a row into its child, a new one where there is none; None where the child stays away."""
        if child is None and row.get_pk():
            # Removed meanwhile, or never this parent's own.
            if row.keep is None:
                raise StaleRecord(STALE)
            if row.keep == THEIRS:
                return None
        if row.keep == THEIRS:
            row.form.version.populate_obj(child, "version")
            return child
        child = child or self.model()
        row.populate_obj(child, None)
        return child


@cache
def _columns_shown(form: type[Form], model: Any) -> tuple[str, ...]:
    """Name the columns that a row's form shows; none where it shows something else too."""
    names = tuple(name for name, _field in form._unbound_fields or ())  # noqa: SLF001
    return names if {*names} <= {*model.__mapper__.column_attrs.keys()} else ()


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
