"""How the admin pages look: the theme, the widgets whose HTML is ours, and what the templates may ask for.

The templates are in templates/, the styles and scripts in static/. Nothing here knows a model of the school.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache, lru_cache
from typing import Any, cast
from urllib.parse import urlencode

from flask import Flask, request
from flask_admin.contrib.sqla.tools import get_field_with_path
from flask_admin.form import BaseForm
from flask_admin.form.widgets import DatePickerWidget, Select2Widget, TimePickerWidget
from flask_admin.helpers import get_url
from flask_admin.model.widgets import AjaxSelect2Widget
from flask_admin.theme import Theme
from flask_babel import gettext
from jinja2.utils import url_quote
from markupsafe import Markup, escape
from sqlalchemy import Integer, Numeric
from wtforms import BooleanField, Field, FieldList, FormField, StringField, TextAreaField
from wtforms.fields import Flags, Label
from wtforms.widgets import CheckboxInput, DateInput, HiddenInput, RadioInput, Select, TimeInput, html_params

from fsms import clock
from fsms.admin_views import formatters, screen
from fsms.admin_views.counting import Count
from fsms.config import ROOT

_PLAIN = frozenset({BooleanField, StringField, TextAreaField})

ICONS = "vendor/tabler-icons-3.51.0/icons.svg"


@dataclass
class SchoolTheme(Theme):
    """Our templates only: Flask-Admin has no folder of this name, so none of its inline handlers can slip in."""

    folder: str = "school"
    base_template: str = "admin/base.html"


def install(app: Flask) -> None:
    """Give the templates of `app` their icons, chips and links."""
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.filters.update(
        at_school=formatters.at_school,
        day=formatters.day,
        in_address=lru_cache(1_000)(url_quote),
        long_day=formatters.long_day,
        month=formatters.month,
        number=formatters.number,
        reason_in_words=formatters.reason_in_words,
        title_of=formatters.title,
        decimalformat=formatters.number,
        digits=screen.in_digits,
    )
    app.jinja_env.globals.update(
        day_line=day_line,
        icon=icon,
        kind_of=kind_of,
        now=clock.now,
        cell_openings=cell_openings,
        column_classes=column_classes,
        filter_chips=filter_chips,
        fields_shown=fields_shown,
        filter_choices=filter_choices,
        form_errors=form_errors,
        hidden_fields=hidden_fields,
        how_many=how_many,
        own_row_actions=own_row_actions,
        page_range=page_range,
        url_here=url_here,
    )


_FRAME = re.compile(r'<path stroke="none" d="M0 0h24v24H0z" fill="none" */>')
"""The square around each icon, which nobody sees: a page has seventy of them."""


@cache
def icon(name: str, css_class: str = "") -> Markup:
    """Answer the SVG of an icon of static/vendor/icons.txt; it says nothing to a screen reader.

    Its lines stand in the page: a <use> of the sprite would be a request and a tree of its own for each, and drawn a
    frame later than the words beside it.
    """
    if name not in _icons():
        raise LookupError(f"There is no icon {name!r}: add it to static/vendor/icons.txt and run `npm run vendor`.")
    return Markup('<svg class="{}" viewBox="0 0 24 24" aria-hidden="true">{}</svg>').format(
        f"icon {css_class}".strip(), _icons()[name]
    )


@cache
def _icons() -> dict[str, Markup]:
    """Read what each icon is drawn with."""
    sprite = (ROOT / "static" / ICONS).read_text()
    drawn = re.findall(r'<symbol id="([^"]+)" viewBox="0 0 24 24">(.*?)</symbol>', sprite)
    return {name: Markup(_FRAME.sub("", lines)) for name, lines in drawn}  # noqa: S704  (our own file)


# ---- Forms ----------------------------------------------------------------------------------------------------------


class LookupSelect:
    """A <select> which static/js/lookup.js turns into a search box; its answers come from the view's ajax look-up."""

    def __init__(self, *, multiple: bool = False) -> None:
        self.multiple = multiple

    def __call__(self, field: Any, **attributes: Any) -> Markup:
        """Draw the options chosen now and, where they are few, all others."""
        models = (field.data if self.multiple else [field.data]) or ()
        chosen = [field.loader.format(model) for model in models if model is not None]
        others = [option for option in field.loader.few() if option not in chosen]
        attributes |= {
            "data-lookup-url": get_url(".ajax_lookup", name=field.loader.name),
            "data-placeholder": field.loader.options.get("placeholder", gettext("Type to search")),
            "multiple": self.multiple,
        }
        if narrowed := field.loader.narrowed_by:
            attributes["data-lookup-with"] = " ".join(narrowed)
        attributes.setdefault("id", field.id)
        shown = [] if self.multiple else [Markup('<option value=""></option>')]
        shown += [Markup('<option value="{}" selected>{}</option>').format(*option) for option in chosen]
        shown += [_option(*option) for option in others]
        return Markup("<select {}>{}</select>").format(
            Markup(html_params(name=field.name, **attributes)), Markup("").join(shown)
        )


@lru_cache(1_000)
def _option(key: int, label: str) -> Markup:
    """Draw what can be chosen; it is the same handful in every form."""
    return Markup('<option value="{}">{}</option>').format(key, label)


def day_line(**attributes: Any) -> Markup:
    """Draw a line for a day, and the button of the browser's own calendar (static/js/days.js).

    A date input of the browser shows days in the language of the browser, often month first, whatever the page says;
    docs/decisions/days-and-digits.md has the rest. The value may be a day, or a text as it was typed.
    """
    value = attributes.get("value") or ""
    attributes["value"] = formatters.day(value) if isinstance(value, date) else formatters.day_in_text(str(value))
    usual = {
        "inputmode": "numeric",
        "autocomplete": "off",
        "placeholder": gettext("dd/mm/yyyy"),
        "class": "form-control",
    }
    button = Markup('<button class="btn-icon needs-js" type="button" data-pick-day aria-label="{}">{}</button>').format(
        gettext("Open the calendar"), icon("calendar")
    )
    line = Markup('<input type="text" {}>').format(Markup(html_params(**(usual | attributes))))
    return Markup('<span class="day-input">{}{}</span>').format(line, button)


def file_chooser(**attributes: Any) -> Markup:
    """Draw the choice of a file in our words: the browser's own control speaks the language of the browser."""
    seen = Markup(
        '<span class="file-words needs-js" aria-hidden="true">{}<span data-file-name>{}</span></span>'
    ).format(icon("upload"), gettext("Choose a file"))
    return Markup('<span class="file-chooser">{}<input type="file" {}></span>').format(
        seen, Markup(html_params(**attributes))
    )


def _widget_for(field: Field) -> Any:
    """Answer the browser's own control where Flask-Admin would send a jQuery plug-in."""
    match field.widget:
        case AjaxSelect2Widget(multiple=multiple):
            return LookupSelect(multiple=multiple)
        case Select2Widget(multiple=multiple):
            return Select(multiple=multiple)
        case DatePickerWidget():
            return DateInput()
        case TimePickerWidget():
            return TimeInput()
        case widget:
            return widget


def _css_class(widget: Any) -> str:
    if isinstance(widget, CheckboxInput | RadioInput):
        return "form-check-input"
    if isinstance(widget, Select | LookupSelect):
        return "form-select"
    return "form-control"


MOST_PLACES = 30
"""Places in which a field is kept: in the form itself, or in one of so many rows."""


def _is_same_in_each(unbound: Any) -> bool:
    """Say whether a field depends on nothing but its place: neither on who asks nor on what the school set.

    A label that is not given is one in the language of the first reader.
    """
    kind = unbound.field_class
    return (kind in _PLAIN or getattr(kind, "is_same_in_each", False)) and unbound.kwargs.get("label") is not None


def _copy_for(form: BaseForm, made: Field, translations: Any) -> Field:
    """Copy a field that no form has used. What a form may change of its own field is not shared."""
    field, flags = object.__new__(type(made)), Flags()
    flags.__dict__ |= made.flags.__dict__
    field.__dict__ |= made.__dict__
    field.__dict__ |= {
        "meta": form.meta,
        "_translations": translations,
        "label": Label(made.label.field_id, made.label.text),
        "flags": flags,
    }
    return field


class Form(BaseForm):
    """The base of every admin form: `form_base_class = theme.Form`, on views and on inline forms."""

    class Meta:
        """Decides how each field is drawn, and in which words WTForms speaks."""

        def get_translations(self, _form: BaseForm) -> screen.FormWords:
            """Speak Khmer too, which WTForms does not."""
            return screen.FormWords()

        def bind_field(self, form: BaseForm, unbound_field: Any, options: dict[str, Any]) -> Field:
            """Make a field of the form; one that is the same in each form is made once, and copied then."""
            kept: dict[tuple[str, str], Field] = vars(unbound_field).setdefault("_made_once", {})
            place = options["name"], options["prefix"]
            made: Field | None = kept.get(place)
            if made is None:
                made = unbound_field.bind(form=form, **options)
                if not _is_same_in_each(unbound_field) or len(kept) > MOST_PLACES:
                    return made
                kept[place] = made
            return _copy_for(form, made, options["translations"])

        def render_field(self, field: Field, render_kw: dict[str, Any]) -> Any:
            """Draw `field`, telling a screen reader of its error and its help."""
            widget = _widget_for(field)
            attributes = {**(getattr(field, "render_kw", None) or {}), **render_kw}
            if isinstance(field, FieldList | FormField) or isinstance(widget, HiddenInput):
                return widget(field, **attributes)
            described_by = [f"{field.id}-help"] if field.description else []
            attributes["class"] = f"{_css_class(widget)} {attributes.get('class', '')}".strip()
            if field.errors:
                attributes["class"] += " is-invalid"
                attributes["aria-invalid"] = "true"
                described_by.insert(0, f"{field.id}-error")
            if described_by:
                attributes["aria-describedby"] = " ".join(described_by)
            return widget(field, **attributes)


def kind_of(field: Field) -> str:
    """Say what a field is drawn as: "rows" of fields, or its input's type; nothing of both for a select, say."""
    return "rows" if isinstance(field, FieldList | FormField) else getattr(field.widget, "input_type", "")


def hidden_fields(form: Iterable[Field]) -> Markup:
    """Draw the fields of a form that nobody sees: each has a name and a value, and nothing else."""
    line = '<input type="hidden" id="{}" name="{}" value="{}">'
    hidden = [cast(Any, field) for field in form if getattr(field.widget, "input_type", "") == "hidden"]
    drawn = [line.format(*map(escape, (field.id, field.name, field._value()))) for field in hidden]  # noqa: SLF001
    return Markup("".join(drawn))  # noqa: S704 - each value is escaped above


def fields_shown(form: Iterable[Field], options: Any = None) -> list[tuple[Field, dict[str, Any]]]:
    """List the fields of a form that are seen, each with the attributes that its view wants for it."""
    attributes = (options and options.widget_args) or {}
    return [(field, attributes.get(field.short_name, {})) for field in form if kind_of(field) != "hidden"]


def form_errors(form: Iterable[Field]) -> Iterator[tuple[str, str, str]]:
    """Yield the id, the label and the message of each error, those of inline rows too, in the order of the page."""
    for field in form:
        if isinstance(field, FieldList | FormField):
            yield from form_errors(field)
        else:
            yield from ((field.id, field.label.text, message) for message in field.errors)


# ---- Lists ----------------------------------------------------------------------------------------------------------

_STANDARD_ACTIONS = {"row_actions.view_row", "row_actions.edit_row", "row_actions.delete_row"}


def own_row_actions(actions: Iterable[Any]) -> list[Any]:
    """Answer the row actions of the view itself; the list draws look, edit and delete without calling a macro."""
    return [action for action in actions if getattr(action, "template_name", None) not in _STANDARD_ACTIONS]


def column_classes(view: Any, columns: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Answer the CSS class of each list column: `num` stands to the right. `view.column_css` has the last word."""
    return {name: _class_of(view.model, name) for name, _ in columns} | getattr(view, "column_css", {})


def cell_openings(classes: Mapping[str, str], columns: Iterable[tuple[str, str]]) -> dict[str, Markup]:
    """Answer how the cells of each list column begin: on a phone each says what it is."""
    opening = Markup('<td class="{}" data-label="{}">')
    return {name: opening.format(classes[name], label) for name, label in columns}


def _class_of(model: Any, name: str) -> str:
    try:
        attribute, _ = get_field_with_path(model, name)
    except AttributeError:  # a column made by a formatter only
        return ""
    column = getattr(getattr(attribute, "property", None), "columns", [None])[0]
    if column is None or column.primary_key or column.foreign_keys:
        return ""
    return "num" if isinstance(column.type, Integer | Numeric) else ""


def url_here(**changes: Any) -> str:
    """Answer the address of this page with some arguments set, or gone where None; the page number starts anew."""
    return _url({**request.args.to_dict(), "page": None, **changes})


def _url(arguments: Mapping[str, Any]) -> str:
    query = urlencode({name: value for name, value in arguments.items() if value is not None})
    return f"{request.path}?{query}" if query else request.path


@dataclass(frozen=True)
class Chip:
    """One filter at work, as shown above a list."""

    name: str
    operation: str
    shown: str
    argument: str
    value: str
    without: str


Groups = Mapping[str, list[dict[str, Any]]] | None


def filter_chips(
    groups: Groups,
    active: Iterable[tuple[int, str, str]] | None,
    arguments: Iterable[str],
    without: Callable[[int], str],
) -> list[Chip]:
    """Put words to the active filters: their operation, the label of a chosen option, the address without each."""
    choices = {choice["index"]: choice for group in (groups or {}).values() for choice in group}
    chips = []
    for place, ((index, name, value), argument) in enumerate(zip(active or (), arguments, strict=True)):
        if index not in choices:
            continue  # a quick filter, which shows by itself that it is on
        choice = choices[index]
        chips.append(
            Chip(
                name=name,
                operation=choice["operation"],
                shown=_shown(choice, value),
                argument=argument,
                value=value,
                without=without(place),
            )
        )
    return chips


def _shown(choice: Mapping[str, Any], value: str) -> str:
    if options := dict(choice["options"] or ()):
        return ", ".join(str(options.get(part, part)) for part in value.split(","))
    return re.sub(r"(\d{4})-(\d\d)-(\d\d)", r"\3/\2/\1", value) if "picker" in (choice["type"] or "") else value


def filter_choices(groups: Groups) -> dict[str, list[dict[str, Any]]]:
    """Answer what static/js/filters.js needs to know: for each column its operations, and what to type or choose."""
    wanted = ("arg", "operation", "type", "options")
    return {name: [{key: choice[key] for key in wanted} for choice in group] for name, group in (groups or {}).items()}


def page_range(page: int, page_size: int, shown: int) -> tuple[int, int]:
    """Answer the numbers of the first and the last row on the page, counted from one."""
    first = page * page_size
    return first + 1, first + shown


def how_many(count: Count) -> str:
    """Say how many rows match, and where it is not known exactly, that it is not."""
    number = formatters.number(count.number)
    return number if count.is_exact else gettext("about %(count)s", count=number)
