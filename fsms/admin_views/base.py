"""The one base of the thirteen generated screens: Flask-Admin's model view with its open doors closed.

A page is a declaration in Flask-Admin's own attribute names. What upstream does badly with hostile addresses, stale
forms, broken constraints and large tables is put right here, once.
"""

import re
import uuid
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property, lru_cache, partial
from typing import Any, ClassVar, cast

from flask import abort, flash, g, request
from flask_admin.contrib.sqla import ModelView
from flask_admin.helpers import is_form_submitted
from flask_babel import gettext, ngettext
from sqlalchemy import Table, or_
from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import joinedload
from sqlalchemy.orm.exc import StaleDataError
from sqlalchemy.schema import AddConstraint, CreateIndex
from wtforms import Field, Form

from fsms import activity, searching
from fsms.admin_views import clashes, formatters, history, theme
from fsms.admin_views.bulk import Act, BulkActs
from fsms.admin_views.by_role import reader, refuse
from fsms.admin_views.exports import Exports
from fsms.admin_views.forms import SchoolConverter, SchoolForm
from fsms.admin_views.inlines import SchoolInlineConverter, VersionField
from fsms.admin_views.lookups import LookUp
from fsms.admin_views.photographs import PhotoField, picture
from fsms.admin_views.screen import language
from fsms.database import db
from fsms.errors import SchoolError, StaleRecord, constraint_of, is_refusal, sentence_for
from fsms.models import ActivityLog, Base
from fsms.operations import bulk
from fsms.policy import Verb

_POSTGRESQL: Any = postgresql.dialect()  # type: ignore[no-untyped-call]


class EntityView(BulkActs, Exports):
    """A list, a form and a page of details for one entity."""

    model: type[Base]

    can_view_details = True

    column_formatters: Any = {}
    lookups: ClassVar[Mapping[str, type[LookUp]]] = {}
    column_formatters_export: Any = None
    column_formatters_detail: Any = None
    column_type_formatters = formatters.FOR_LISTS
    column_type_formatters_detail = formatters.FOR_DETAILS
    form_base_class = SchoolForm
    model_form_converter = SchoolConverter
    inline_model_form_converter = SchoolInlineConverter

    # Scripts of static/js that a form loads beside those of every form.
    form_scripts: ClassVar[tuple[str, ...]] = ()

    # Text columns that hold paragraphs.
    long_texts: ClassVar[tuple[str, ...]] = ()

    def __init__(self, model: type[Base], **kwargs: Any) -> None:
        """Show every column of a fixed set by its words, on lists and details alike."""
        shown = [*(self.column_list or ()), *self.column_further_list, *(self.column_details_list or ())]
        self.model = model
        found = {
            path: column.info["choices"]
            for path in shown
            if (column := self._column(path)) is not None and "choices" in column.info
        }
        declared: dict[str, Any] = dict(self.column_formatters)
        by_words: dict[str, Any] = {path: formatters.choice(choices) for path, choices in found.items()}
        self.column_formatters = by_words | declared
        to_read = {path for path, made in declared.items() if made in formatters.FOR_READING}
        for_files = {path: declared[path] for path in declared.keys() - to_read}
        self.column_formatters_export = by_words | for_files | dict(self.column_formatters_export or {})
        self.column_formatters_detail = by_words | dict(self.column_formatters_detail or declared)
        super().__init__(model, db, endpoint=model.__name__.lower(), **kwargs)

    def _run_view(self, fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Call once: upstream takes any TypeError for an old signature and calls again."""
        if not request.values.get("url", "").isprintable():
            abort(400)  # The way back goes into a header, and no server sends a control character there.
        return fn(self, *args, **kwargs)

    # ---- Search ----------------------------------------------------------------------------------------------------

    def search_placeholder(self) -> str:
        """Say what can be typed, in the words of the columns; a name in another table is called by its relation."""
        return _words_to_search(self, getattr(reader(), "role", ""), language())

    def _apply_search(self, query: Any, count_query: Any, joins: Any, count_joins: Any, search: str) -> Any:
        """Ask that every word stands somewhere, as `searching` understands it."""
        for word in searching.words(search):
            found = or_(*(self._word_in(word, column, path) for column, path in self._fields_to_search))
            query = query.filter(found)
            count_query = None if count_query is None else count_query.filter(found)
        return query, count_query, joins, count_joins

    @property
    def _fields_to_search(self) -> Iterator[tuple[Any, Any]]:
        for path, field in zip(self.column_searchable_list, self._search_fields, strict=True):
            if self.is_shown(path):
                yield field

    def _word_in(self, word: str, column: Any, path: Any) -> Any:
        asked = searching.stands_in(word, column)
        for relation in reversed(path or []):
            asked = relation.has(asked)
        return asked

    # ---- Forms -----------------------------------------------------------------------------------------------------

    def _process_ajax_references(self) -> dict[str, LookUp]:
        """Make every foreign key of the form a look-up."""
        relations = self.model.__mapper__.relationships
        return {
            name: self.lookups.get(name, LookUp)(name, relations[name].mapper.class_)
            for name in self.form_columns
            if name in relations and not relations[name].uselist
        }

    def scaffold_form(self) -> type[Form]:
        """Make the form of the declared columns; a page that declares none is read only and has none."""
        return super().scaffold_form() if self.form_columns else theme.Form

    def _validate_form_class(self, *_: Any, **__: Any) -> None:
        """Leave the class as declared: upstream deletes what the layout does not name, and that is the version."""

    def _get_ruleset_missing_fields(self, ruleset: Any, form: Form) -> list[str]:
        """Look once at the layout of a kind of form, of which each one has the same fields."""
        if (ruleset, type(form)) in self._laid_out:
            return []
        missing = [name for name in super()._get_ruleset_missing_fields(ruleset, form) if name != "version"]
        if not missing:
            self._laid_out.add((ruleset, type(form)))
        return missing

    @cached_property
    def _laid_out(self) -> set[tuple[Any, type[Form]]]:
        """The layouts that name every field of a kind of form."""
        return set()

    def get_edit_form(self) -> type[Form]:
        """Add the version that the form was opened with."""
        made = super().get_edit_form()
        if hasattr(self.model, "version"):
            made.version = VersionField()
        return made

    def _read_with_the_row(self) -> tuple[Any, ...]:
        """Read the children that a form has as rows with their parent: they are few, and each way takes time."""
        return self._children_in_forms if g.verb == Verb.EDIT and request.method == "GET" else ()

    @cached_property
    def _children_in_forms(self) -> tuple[Any, ...]:
        of_rows = {inline.model for inline in self.inline_models or ()}
        relations = self.model.__mapper__.relationships
        return tuple(joinedload(one.class_attribute) for one in relations if one.mapper.class_ in of_rows)

    def edit_form(self, obj: Any = None) -> Form:
        """Show the present photograph beside the field for a new one."""
        form = super().edit_form(obj)
        if isinstance(photo := form._fields.get("photo"), PhotoField):
            photo.shown = picture(obj)
        return form

    # Lists have these forms in their templates; what is sent is read by the form all the same.
    def delete_form(self) -> Any:
        """Make the form of a deletion that is sent."""
        return ModelView.delete_form(self) if request.method == "POST" else None

    def action_form(self, obj: Any = None) -> Any:
        """Make the form of an act that is sent."""
        return ModelView.action_form(self, obj) if request.method == "POST" else None

    def validate_form(self, form: Form) -> bool:
        """Hold each value against the entity's own rules, so that the message stands at its field."""
        understood = super().validate_form(form)
        if not is_form_submitted():
            return False
        for name in self.model.__mapper__.validators.keys() & {field.name for field in form if not field.errors}:
            try:
                setattr(self.model(), name, form[name].data)
            except SchoolError as error:
                _complain(form[name], error)
        return understood and not form.errors

    def create_model(self, form: Form) -> Base | bool:
        """Write a new row, or say at which field what is wrong."""
        row = self.model()

        def write() -> None:
            form.populate_obj(row)
            db.session.add(row)
            self.on_model_change(form, row, is_created=True)

        return row if self._written(form, write) else False

    def update_model(self, form: Any, model: Base) -> bool:
        """Write the changes; where somebody else saved since the form was opened, ask whose shall stay."""

        def write() -> None:
            form.populate_obj(model)
            self.on_model_change(form, model, is_created=False)

        if clashes.unanswered():
            form.clash = clashes.between(form, model)
            return False
        clashes.settle(form)
        return self._written(form, write, model)

    def _written(self, form: Form, write: Callable[[], None], row: Base | None = None) -> bool:
        """Write and commit; a broken rule changes nothing and is said in the form, whose input stays."""
        try:
            with db.session.no_autoflush:
                write()
            batch = _commit()
        except (SchoolError, StaleDataError, DBAPIError) as error:
            db.session.rollback()
            self._told_in(form, error, row)
            return False
        _offer_undo(batch)
        return True

    def _told_in(self, form: Any, error: Exception, row: Base | None) -> None:
        """Say in the form what went wrong: beside what somebody else saved, at the field, or above them all."""
        if is_refusal(error):
            refuse(g.verb, self.model)
        if isinstance(error, StaleRecord | StaleDataError) and row is not None and is_there(row):
            form.clash = clashes.between(form, row)
        elif (field := self._field_of(form, error)) is not None:
            _complain(field, error)
        else:
            flash(words(error), "error")

    def _field_of(self, form: Form, error: Exception) -> Field | None:
        """Find the field that a broken constraint speaks of: the last of its columns that the form shows filled."""
        if isinstance(error, SchoolError):
            return form._fields.get(error.about or "")
        columns = _columns_of(self.model, constraint_of(error))
        shown = [field for name in columns if (field := _field_showing(form, self.model, name)) is not None]
        return next((field for field in reversed(shown) if field.data), shown[-1] if shown else None)

    def render(self, template: str, **kwargs: Any) -> str:
        """Give the page of details its history, and the list its chips."""
        if template == self.details_template and self.model is not ActivityLog:
            kwargs["history"] = history.of_record(kwargs["model"])
        if template == self.list_template:
            kwargs |= self._list_tools()
        return super().render(template, **kwargs)

    # ---- Deleting --------------------------------------------------------------------------------------------------

    def delete_model(self, model: Base) -> bool:
        """Delete one row, or say what still needs it."""
        return self._deleted([model])

    def _deleted(self, rows: list[Base]) -> bool:
        try:
            for row in rows:
                db.session.delete(row)
            batch = _commit()
        except (SchoolError, StaleDataError, DBAPIError) as error:
            db.session.rollback()
            if is_refusal(error):
                refuse(Verb.DELETE, self.model)
            flash(words(error), "error")
            return False
        _offer_undo(batch)
        return True

    def _carry_out(self, act: Act, keys: list[int], choice: str) -> bool:
        """Do an act to all the rows or to none, and say so."""
        try:
            if act.changes is None:
                batch = bulk.delete(db.session, self.model, keys)
            else:
                batch = bulk.change(db.session, self.model, keys, partial(act.changes, choice))
            db.session.commit()
        except (SchoolError, StaleDataError, DBAPIError) as error:
            db.session.rollback()
            if is_refusal(error):
                refuse(act.verb, self.model)
            flash(words(error), "error")
            return False
        if act.changes is None:
            flash(ngettext("%(num)d record deleted.", "%(num)d records deleted.", len(keys)), "success")
        else:
            flash(ngettext("%(num)d record changed.", "%(num)d records changed.", len(keys)), "success")
        _offer_undo(batch)
        return True


def _commit() -> uuid.UUID | None:
    """Commit, and name the batch under which the log tells of it; None where nothing changed."""
    db.session.flush()
    batch = activity.batch_told(db.session)
    db.session.commit()
    return batch


def _offer_undo(batch: uuid.UUID | None) -> None:
    """Let the next page offer to take the act back."""
    if batch:
        flash(str(batch), "undo")


def words(error: Exception) -> str:
    """Say in the reader's language what went wrong."""
    if isinstance(error, SchoolError):
        return gettext(error.sentence, **error.facts)
    if isinstance(error, StaleDataError):
        return gettext("Somebody else saved or deleted this record meanwhile. Nothing was changed. Open it again.")
    return gettext(sentence_for(error))


def is_there(row: Base) -> bool:
    """Say whether a record that was read is there still."""
    return db.session.get(type(row), db.inspect(row).identity, populate_existing=True) is not None


def _complain(field: Field, error: Exception) -> None:
    field.errors = [*field.errors, words(error)]


def _columns_of(model: type[Base], constraint: str | None) -> list[str]:
    """Name the columns that a constraint or unique index is about, in its order; many are written as plain SQL."""
    table = cast(Table, model.__table__)
    # By default SQLAlchemy would mark the constraint as made apart, and leave it out of the table ever after.
    made: dict[Any, Any] = {rule.name: AddConstraint(rule, isolate_from_table=False) for rule in table.constraints}
    made |= {index.name: CreateIndex(index) for index in table.indexes}
    sql = str(made[constraint].compile(dialect=_POSTGRESQL)) if constraint in made else ""
    return [word for word in dict.fromkeys(re.findall(r"\w+", sql)) if word in table.columns]


def _field_showing(form: Form, model: type[Base], column: str) -> Field | None:
    """Find the field of a column: its own, or that of the relation which the column keys."""
    for prop in model.__mapper__.iterate_properties:
        keyed = {c.name for c in getattr(prop, "local_columns", getattr(prop, "columns", ()))}
        if column in keyed and prop.key in form and form[prop.key].type != "HiddenField":
            return form[prop.key]
    return None


@lru_cache(1_000)
def _words_to_search(view: EntityView, _role: str, _language: str) -> str:
    """Say to a role in a language what the search of a view looks into, each once."""
    labels = (
        view.column_labels.get(path, view.column_labels.get(path.split(".")[0]))
        for path in view.column_searchable_list
        if view.is_shown(path)
    )
    return ", ".join(dict.fromkeys(str(label) for label in labels if label))
