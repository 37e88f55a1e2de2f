"""From a column to a field of the form: what Flask-Admin's converter lacks for a school's records."""

import re
from collections.abc import Callable, Sequence
from decimal import Decimal
from functools import cache
from typing import Any

from flask_admin.contrib.sqla.form import AdminModelConverter
from flask_admin.model.form import converts
from flask_babel import gettext, lazy_gettext
from markupsafe import Markup
from sqlalchemy import Column
from werkzeug.datastructures import MultiDict
from wtforms import BooleanField, DateField, Field, FileField, HiddenField, SelectField, StringField, TextAreaField
from wtforms.form import BaseForm
from wtforms.validators import InputRequired, Length, Optional, StopValidation

from fsms import text
from fsms.admin_views import formatters, theme
from fsms.admin_views.lookups import LookUpField
from fsms.admin_views.screen import in_digits, language
from fsms.vocabulary import Choice

LARGEST_INTEGER = 2**31 - 1
LONGEST_LINE = 200
LONGEST_TEXT = 4000

BLANK = "—"  # a real text: WTForms 3.3 prints "__None" for an empty one


class SchoolForm(theme.Form):
    """The base of the entities' forms."""

    def populate_obj(self, obj: Any) -> None:
        """Write the fields, but for those that stay as somebody else has saved them."""
        for name, field in self._fields.items():
            if not getattr(field, "left", False):
                field.populate_obj(obj, name)

    class Meta(theme.Form.Meta):
        """Decides what a form reads."""

        def wrap_formdata(self, form: BaseForm, formdata: Any) -> Any:
            """Give files to file fields only: in place of a text, a file is nothing."""
            if formdata is None:
                return None
            takes_files = {name for name, field in form._fields.items() if isinstance(field, FileField)}
            return MultiDict(
                (name, value)
                for name, value in formdata.items(multi=True)
                if isinstance(value, str) or name in takes_files
            )


class ChosenField(SelectField):
    """A choice from a fixed set, blank where the column may be empty; an older, unknown value stays selectable."""

    is_same_in_each = True

    def __init__(self, choices: type[Choice], *, may_be_blank: bool, **kwargs: Any) -> None:
        """Take the set; labels are translated when the page is drawn."""
        super().__init__(coerce=lambda value: str(value) if value else None, **kwargs)
        self._set = choices
        self._may_be_blank = may_be_blank

    def process(self, formdata: Any, data: Any = None, extra_filters: Sequence[Any] | None = None) -> None:
        """List the choices for this reader and this value."""
        offered = [*_in_words(self._set, language())]
        if self._may_be_blank or not data:
            offered.insert(0, ("", BLANK))
        if isinstance(data, str) and data and data not in [value for value, _ in offered]:
            offered.append((data, data))
        self.choices = offered
        super().process(formdata, data, extra_filters)


@cache
def _in_words(choices: type[Choice], _language: str) -> tuple[tuple[str, str], ...]:
    return tuple((str(choice.value), gettext(choice.label)) for choice in choices)


_NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)", re.ASCII)
_THOUSANDS = re.compile(r"[-+]?\d{1,3}(,\d{3})+(\.\d+)?", re.ASCII)


def number_in(typed: str) -> Decimal:
    """Read a number as people write it: ៧,៥ and 7.5, 1 200 000 and 1,200,000. Raise ValueError for anything else."""
    plain = text.digits(text.clean(typed)).replace(" ", "")
    plain = plain.replace(",", "" if _THOUSANDS.fullmatch(plain) else ".")
    if not _NUMBER.fullmatch(plain):
        raise ValueError(typed)
    return Decimal(plain)


class NumberField(StringField):
    """A number between two bounds."""

    def __init__(
        self, *, places: int, lowest: Decimal | None = None, highest: Decimal | Callable[[], Decimal], **kwargs: Any
    ) -> None:
        """Take the number of decimal places and the bounds, both included; what a setting decides is asked for."""
        super().__init__(**kwargs)
        self.places, self.lowest = places, lowest
        self.highest = highest() if callable(highest) else highest
        self.render_kw = {"inputmode": "decimal" if places else "numeric", "autocomplete": "off"} | (
            self.render_kw or {}
        )

    def _value(self) -> str:
        if self.raw_data:
            return str(self.raw_data[0])
        if self.data is None:
            return ""
        # Zeros behind the point would have to be read past: 440000, not 440000.00.
        written = f"{self.data:f}" if isinstance(self.data, Decimal) else f"{self.data}"
        return in_digits(written.rstrip("0").rstrip(".") if "." in written else written)

    def process_formdata(self, valuelist: list[str]) -> None:
        """Read the number, or say what to write instead."""
        if not valuelist:
            return
        self.data = None
        if not text.clean(valuelist[0]):
            return
        try:
            number = number_in(valuelist[0])
        except ValueError:
            raise ValueError(gettext("“%(typed)s” is not a number.", typed=valuelist[0][:40])) from None
        self.data = self._checked(number)  # type: ignore[assignment]

    def _checked(self, number: Decimal) -> Decimal | int:
        lowest = -self.highest if self.lowest is None else self.lowest
        if not lowest <= number <= self.highest:
            raise ValueError(
                gettext("Write a number from %(lowest)s to %(highest)s.", lowest=lowest, highest=self.highest)
            )
        if number != round(number, self.places):
            if not self.places:
                raise ValueError(gettext("Write a whole number."))
            raise ValueError(gettext("Write at most %(places)s decimal places.", places=self.places))
        return number if self.places else int(number)


class DayInput:
    """A line for a day, and the browser's calendar."""

    input_type = "text"

    def __call__(self, field: Any, **attributes: Any) -> Markup:
        """Draw line and button."""
        attributes.setdefault("id", field.id)
        return theme.day_line(**{**attributes, "name": field.name, "value": field._value()})  # noqa: SLF001


class DayField(DateField):
    """A day, typed as 31/05/2010 or ៣១/០៥/២០១០ or picked from the browser's calendar."""

    is_same_in_each = True
    widget = DayInput()

    def __init__(self, **kwargs: Any) -> None:
        """Say how a day is written."""
        super().__init__(format=["%d/%m/%Y"], **kwargs)

    def _value(self) -> str:
        return str(self.raw_data[0]) if self.raw_data else formatters.day(self.data) if self.data else ""

    def process_formdata(self, valuelist: list[str]) -> None:
        """Read the day, or say how to write it."""
        self.data = None
        if not valuelist or not text.clean(valuelist[0]):
            return
        try:
            self.data = text.day(valuelist[0])
        except ValueError:
            raise ValueError(gettext("Write the date as 31/05/2010.")) from None


class Filled(InputRequired):
    """Asks for a value, in the reader's language; blanks and invisible letters are none."""

    def __call__(self, form: BaseForm, field: Field) -> None:
        """Stop at an empty field. The words are looked up now: the templates take only plain text for a message."""
        if not field.raw_data or not text.clean(str(field.raw_data[0])):
            field.errors = []
            raise StopValidation(gettext("Please fill this in."))


def required() -> Filled:
    """Ask for a value in words that say what to do."""
    return Filled()


class SchoolConverter(AdminModelConverter):
    """Make the fields of a form from the columns of an entity."""

    def convert(
        self,
        model: Any,
        mapper: Any,
        name: str,
        prop: Any,
        field_args: Any,
        hidden_pk: bool,
    ) -> Any:
        column = getattr(prop, "columns", [None])[0]
        if isinstance(column, Column) and "choices" in column.info:
            return self._chosen(mapper, prop, column, dict(field_args or {}))
        field = super().convert(model, mapper, name, prop, field_args, hidden_pk)
        if field is not None and field.field_class is HiddenField:
            field.kwargs["label"] = ""  # or else one is looked for in the catalogues each time
        return _kindly(field)

    def _model_select_field(self, prop: Any, multiple: Any, remote_model: Any, **kwargs: Any) -> Field:
        """Offer the records of another entity by look-up: never a list of thousands of options."""
        return LookUpField(self.view._form_ajax_refs[prop.key], **kwargs)  # noqa: SLF001

    def _chosen(self, mapper: Any, prop: Any, column: Column[Any], args: dict[str, Any]) -> Field:
        args["label"] = self._get_label(prop.key, args)
        args["description"] = self._get_description(prop.key, args)
        blank_allowed = bool(column.nullable)
        args["validators"] = [*args.get("validators", []), Optional() if blank_allowed else required()]
        default = getattr(column.default, "arg", None)
        return ChosenField(column.info["choices"], may_be_blank=blank_allowed, default=default, **args)

    @converts("Text")
    def conv_Text(self, field_args: Any, column: Any = None, **_: Any) -> Field:  # noqa: N802
        """Make a line, or an area where the page marks the column as long."""
        long = column.key in getattr(self.view, "long_texts", ())
        field_args["validators"].append(
            Length(
                max=LONGEST_TEXT if long else LONGEST_LINE,
                message=lazy_gettext("This is too long: at most %(max)d characters."),
            )
        )
        field_args["filters"] = [_written]
        return TextAreaField(**field_args) if long else StringField(**field_args)

    @converts("Boolean")
    def conv_Boolean(self, field_args: Any, **_: Any) -> Field:  # noqa: N802
        """Make a tick box."""
        field_args["validators"] = []
        return BooleanField(**field_args)

    @converts("Date")
    def convert_date(self, field_args: Any, **_: Any) -> Field:
        """Make a field for a day."""
        return DayField(**field_args)

    @converts("Integer")
    def handle_integer_types(self, column: Any, field_args: Any, **_: Any) -> Field:
        """Make an input for a whole number that fits the column."""
        bounds = {"highest": Decimal(LARGEST_INTEGER)} | field_args
        return NumberField(places=0, **bounds)

    @converts("Numeric")
    def handle_decimal_types(self, column: Any, field_args: Any, **_: Any) -> Field:
        """Make an input for a decimal number that fits the column."""
        places = column.type.scale
        largest = Decimal(10) ** (column.type.precision - places) - Decimal(10) ** -places
        # A page may name a narrower scale in `form_args`.
        bounds = {"lowest": Decimal(0), "highest": largest} | field_args
        return NumberField(places=places, **bounds)


def _written(value: Any) -> Any:
    return text.clean(value) or None if isinstance(value, str) else value


def _kindly(field: Any) -> Any:
    """Put our words in place of WTForms' "This field is required."."""
    validators = getattr(field, "kwargs", {}).get("validators", [])
    may_be_empty = any(isinstance(one, Optional) for one in validators)
    kept = [one for one in validators if not (may_be_empty and isinstance(one, InputRequired))]
    validators[:] = [Filled() if isinstance(one, InputRequired) else one for one in kept]
    return field
