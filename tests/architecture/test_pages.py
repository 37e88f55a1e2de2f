"""Every entity has a page, and every page says all that upstream would otherwise guess, leak or lose."""

from collections.abc import Iterator
from typing import Any, cast

import pytest
from flask import Flask
from flask_admin import Admin
from sqlalchemy import Boolean, Column, Table
from wtforms import Form

from fsms.admin_views.base import EntityView
from fsms.admin_views.lookups import LookUpField
from fsms.models import ENTITIES, Base

IDS = [entity.__name__ for entity in ENTITIES]

# Kept by the application, not typed by anybody.
KEPT = {"created_at", "updated_at", "version", "last_edit", "user_id", "recorded_by"}
NOT_TYPED: dict[str, set[str]] = {
    "User": {
        "password",
        "avatar",
        "last_login",
        "account_locked_until",
        "failed_login_attempts",
        "last_failed_login",
        "password_change_required",
    },
    # The acts of coming back write it.
    "Enrollment": {"away"},
    # A number of the old application that leads nowhere.
    "Student": {"class_id"},
}
NOT_SHOWN: dict[str, set[str]] = {
    "User": {"password", "avatar", "last_failed_login", "password_change_required"},
    "Student": {"class_id"},
    # Told in words, field by field.
    "ActivityLog": {"details"},
}


@pytest.fixture(scope="module")
def views(flask_app: Flask) -> dict[type[Base], EntityView]:
    """The pages by their entity."""
    (admin,) = (one for one in flask_app.extensions["admin"] if isinstance(one, Admin))
    return {view.model: view for view in admin._views if isinstance(view, EntityView)}


Views = dict[type[Base], EntityView]


def test_every_entity_has_one_page(views: Views, flask_app: Flask) -> None:
    assert set(views) == set(ENTITIES)
    assert {view.endpoint for view in views.values()} == {entity.__name__.lower() for entity in ENTITIES}
    assert {view.url for view in views.values()} == {f"/admin/{entity.__name__.lower()}" for entity in ENTITIES}


@pytest.mark.parametrize("entity", ENTITIES, ids=IDS)
def test_every_page_names_its_columns_its_order_and_its_fields(views: Views, entity: type[Base]) -> None:
    own = vars(type(views[entity]))

    declared = {
        "column_list",
        "column_details_list",
        "column_searchable_list",
        "column_sortable_list",
        "column_default_sort",
        "column_filters",
        "column_labels",
        "form_columns",
    }
    assert declared <= set(own), declared - set(own)
    assert type(views[entity]).__doc__


@pytest.mark.parametrize("entity", ENTITIES, ids=IDS)
def test_every_shown_column_has_a_label(views: Views, entity: type[Base]) -> None:
    view = views[entity]
    columns = [*view.column_list, *view.column_further_list, *view.column_details_list]
    shown = [*columns, *view.column_filters, *view.form_columns]
    extra = set(view.form_extra_fields or ())

    unlabelled = [path for path in shown if path not in view.column_labels and path not in extra]

    assert not unlabelled


@pytest.mark.parametrize("entity", ENTITIES, ids=IDS)
def test_every_label_belongs_to_something_shown(views: Views, entity: type[Base]) -> None:
    view = views[entity]
    shown = {
        *view.column_list,
        *view.column_further_list,
        *view.column_details_list,
        *view.column_filters,
        *view.column_searchable_list,
        *view.form_columns,
        *(row.model.__name__ for row in view.inline_models or ()),
    }

    assert not [path for path in view.column_labels if path not in shown and not hasattr(entity, path)]


@pytest.mark.parametrize("entity", ENTITIES, ids=IDS)
def test_what_is_said_to_sort_can_be_clicked(views: Views, entity: type[Base]) -> None:
    view = views[entity]
    declared = {name if isinstance(name, str) else name[0] for name in view.column_sortable_list}

    assert declared <= set(view._sortable_columns)
    assert declared <= {*view.column_list, *view.column_further_list}


@pytest.mark.parametrize("entity", ENTITIES, ids=IDS)
def test_a_secret_is_on_no_list_no_page_no_form_and_in_no_search(views: Views, entity: type[Base]) -> None:
    view = views[entity]
    paths = [
        *view.column_list,
        *view.column_further_list,
        *view.column_details_list,
        *view.column_searchable_list,
        *view.column_filters,
        *_sorted_by(view),
        *view.form_columns,
        *(getattr(view, "column_export_list", None) or ()),
    ]

    assert not [path for path in paths if _is_secret(view, path)]
    assert not [name for name in _form(view)._fields if _is_secret(view, name)]


def _sorted_by(view: EntityView) -> Iterator[str]:
    for name in view.column_sortable_list:
        if isinstance(name, str):
            yield name
        else:
            yield from [name[1]] if isinstance(name[1], str) else name[1]


def _is_secret(view: EntityView, path: str) -> bool:
    try:
        column = view._column(path)
    except AttributeError:  # a field that is no column
        return False
    return column is not None and bool(column.info.get("secret"))


def test_there_is_a_secret_to_keep() -> None:
    assert [c.name for entity in ENTITIES for c in entity.__table__.columns if c.info.get("secret")] == ["password"]


@pytest.mark.parametrize("entity", ENTITIES, ids=IDS)
def test_no_form_chooses_among_many(views: Views, entity: type[Base]) -> None:
    """A to-many relation as a select would load the table, and empty what the reader may not see."""
    view = views[entity]
    relations = entity.__mapper__.relationships
    many = {name for name in _form(view)._fields if name in relations and relations[name].uselist}

    assert many <= {_rows_of(view, row.model) for row in view.inline_models or ()}


@pytest.mark.parametrize("entity", ENTITIES, ids=IDS)
def test_every_foreign_key_in_a_form_is_a_look_up(views: Views, entity: type[Base]) -> None:
    relations = entity.__mapper__.relationships
    form = _form(views[entity])
    single = [name for name in form._fields if name in relations and not relations[name].uselist]
    rows = {_rows_of(views[entity], row.model) for row in views[entity].inline_models or ()}

    assert not [name for name in single if name not in rows and not isinstance(form._fields[name], LookUpField)]
    numbers = {_property(entity, column).key for column in _columns(entity) if column.foreign_keys}
    assert not numbers & set(form._fields)


@pytest.mark.parametrize("entity", [e for e in ENTITIES if e.__name__ != "ActivityLog"], ids=IDS[:-1])
def test_every_column_can_be_typed_in_or_is_kept_by_the_application(views: Views, entity: type[Base]) -> None:
    fields = set(_form(views[entity])._fields)

    missing = {_property(entity, column).key for column in _columns(entity) if not _fields_of(entity, column) & fields}

    assert missing - KEPT == NOT_TYPED.get(entity.__name__, set())
    assert set(views[entity].form_columns) <= fields


def test_every_column_of_a_row_inside_the_pupils_form_can_be_typed_in(views: Views) -> None:
    student = next(view for entity, view in views.items() if entity.__name__ == "Student")

    for row in student.inline_models or ():
        columns = {column for column in _columns(row.model) if column.name != "studentId"}
        missing = {c.name for c in columns if not _fields_of(row.model, c) & {*row.form_columns, *KEPT}}
        assert not missing, row.model.__name__


@pytest.mark.parametrize("entity", ENTITIES, ids=IDS)
def test_every_column_can_be_read_on_the_page_of_details(views: Views, entity: type[Base]) -> None:
    shown = set(views[entity].column_details_list)

    unseen = {_property(entity, column).key for column in _columns(entity) if not _fields_of(entity, column) & shown}

    assert unseen - {"version"} == NOT_SHOWN.get(entity.__name__, set())


@pytest.mark.parametrize("entity", [e for e in ENTITIES if e.__name__ != "ActivityLog"], ids=IDS[:-1])
def test_a_field_must_be_filled_exactly_when_its_column_must(views: Views, entity: type[Base]) -> None:
    form = _form(views[entity])
    named_by_the_application = {("Course", "course_name")}
    wrong = []

    for column in _columns(entity):
        for name in _fields_of(entity, column) & set(form._fields):
            must = not column.nullable and not isinstance(column.type, Boolean) and not column.default
            asked = bool(form._fields[name].flags.required)
            if must != asked and (entity.__name__, name) not in named_by_the_application and not column.default:
                wrong.append(name)

    assert not wrong


@pytest.mark.parametrize("entity", ENTITIES, ids=IDS)
def test_filters_have_names_that_stay(views: Views, entity: type[Base]) -> None:
    view = views[entity]
    names = [flt.arg for flt in view.get_filters()]

    assert len(names) == len(set(names))
    assert set(view._filter_args or {}) <= set(names)
    assert not [name for name in names if name[0].isdigit()]


def _form(view: EntityView) -> Form:
    app = view.admin.app
    with app.test_request_context():
        return view._edit_form_class()  # type: ignore[no-any-return]


def _columns(entity: type[Base]) -> list[Column[Any]]:
    return [c for c in cast(Table, entity.__table__).columns if not c.primary_key and not c.computed]


def _property(entity: type[Base], column: Column[Any]) -> Any:
    return entity.__mapper__.get_property_by_column(column)


def _fields_of(entity: type[Base], column: Column[Any]) -> set[str]:
    """Name what may stand for a column: its attribute, or a relation that it keys alone."""
    mapper = entity.__mapper__
    relations = {r.key for r in mapper.relationships if column in r.local_columns and not r.uselist}
    names = {_property(entity, column).key} | relations
    return names | ({"full_name"} if names & {"last_name", "first_name"} else set())


def _rows_of(view: EntityView, child: type[Base]) -> str:
    return next(r.key for r in view.model.__mapper__.relationships if r.mapper.class_ is child)
