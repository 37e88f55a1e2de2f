"""Filters of the lists. Each has a stable name in the address, so that a bookmark keeps its meaning."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from flask_admin.contrib.sqla.filters import BaseSQLAFilter
from flask_babel import gettext, lazy_gettext
from sqlalchemy import Boolean, Column, Date, DateTime, Integer, Numeric, Text, and_, cast

from fsms import text
from fsms.admin_views.forms import number_in
from fsms.clock import SCHOOL_ZONE
from fsms.vocabulary import Choice

LARGEST = Decimal(10) ** 9


class SchoolFilter(BaseSQLAFilter):
    """One question to one column."""

    key = ""  # the last part of the stable name
    words: Any = ""
    data_type: str | None = None

    def __init__(self, path: str, column: Any, label: Any, options: Any = None) -> None:
        """Take the dotted path from the entity to the column; it is the first part of the stable name."""
        super().__init__(column, label, options=options, data_type=self.data_type)
        self.path = path
        self.arg = f"{path}-{self.key}"
        self._attribute = path.rpartition(".")[2]

    def get_column(self, alias: Any) -> Any:
        """Find the column in the other table of the query; upstream asks for its name in the database."""
        return self.column if alias is None else getattr(alias, self._attribute)

    def operation(self) -> Any:
        """Say the question."""
        return self.words

    def validate(self, value: str) -> bool:
        """Say whether the value in the address can be asked for."""
        try:
            self.clean(value)
        except ValueError:
            return False
        return True

    def clean(self, value: str) -> Any:
        """Read the value."""
        return text.clean(value)

    def apply(self, query: Any, value: Any, alias: Any = None) -> Any:
        """Narrow the query."""
        return query.filter(self.asks(self.get_column(alias), value))

    def asks(self, column: Any, value: Any) -> Any:
        """Say the question as SQL."""
        raise NotImplementedError(self.key)


class Contains(SchoolFilter):
    """The text holds these letters."""

    key, words = "contains", lazy_gettext("contains")

    def asks(self, column: Any, value: Any) -> Any:
        return cast(column, Text).icontains(value, autoescape=True)


class Empty(SchoolFilter):
    """Nothing, or something, is written."""

    key, words, data_type = "empty", lazy_gettext("is empty"), "yes_no"

    def __init__(self, path: str, column: Any, label: Any) -> None:
        """Offer yes and no."""
        super().__init__(path, column, label, options=YES_NO)

    def clean(self, value: str) -> bool:
        return _yes_or_no(value)

    def asks(self, column: Any, value: bool) -> Any:
        return column.is_(None) if value else column.is_not(None)


class Is(SchoolFilter):
    """The value is exactly this one of a fixed set."""

    key, words = "is", lazy_gettext("is")

    def __init__(self, path: str, column: Any, label: Any, choices: type[Choice]) -> None:
        """Offer the set."""
        self.choices = choices
        super().__init__(path, column, label, options=lambda: choice_options(choices))

    def clean(self, value: str) -> str:
        return str(self.choices(value).value)  # type: ignore[call-arg]  # looks the member up

    def asks(self, column: Any, value: str) -> Any:
        return column == value


class IsTrue(SchoolFilter):
    """The box is ticked, or not."""

    key, words = "is", lazy_gettext("is")

    def __init__(self, path: str, column: Any, label: Any) -> None:
        """Offer yes and no."""
        super().__init__(path, column, label, options=YES_NO)

    def clean(self, value: str) -> bool:
        return _yes_or_no(value)

    def asks(self, column: Any, value: bool) -> Any:
        return column.is_(True) if value else column.is_not(True)


class _Number(SchoolFilter):
    data_type = "number"

    def clean(self, value: str) -> Decimal:
        number = number_in(value)
        if abs(number) > LARGEST:
            raise ValueError(value)
        return number


class Equals(_Number):
    """The number is this one."""

    key, words = "equals", lazy_gettext("equals")

    def asks(self, column: Any, value: Decimal) -> Any:
        return cast(column, Numeric) == value


class AtLeast(_Number):
    """The number is this one or more."""

    key, words = "at-least", lazy_gettext("at least")

    def asks(self, column: Any, value: Decimal) -> Any:
        return column >= value


class Below(_Number):
    """The number is less than this one."""

    key, words = "below", lazy_gettext("below")

    def asks(self, column: Any, value: Decimal) -> Any:
        return column < value


class _Day(SchoolFilter):
    data_type = "datepicker"

    def clean(self, value: str) -> date:
        day = text.day(value)
        if not date(1900, 1, 1) <= day <= date(2999, 12, 31):
            raise ValueError(value)
        return day

    def midnight(self, column: Any, day: date) -> date | datetime:
        """Return the day, or the moment it begins at the school where the column keeps moments."""
        is_moment = isinstance(column.type, DateTime)
        return datetime(day.year, day.month, day.day, tzinfo=SCHOOL_ZONE) if is_moment else day


class From(_Day):
    """On this day or later."""

    key, words = "from", lazy_gettext("from")

    def asks(self, column: Any, value: date) -> Any:
        return column >= self.midnight(column, value)


class Until(_Day):
    """On this day or earlier."""

    key, words = "until", lazy_gettext("until")

    def asks(self, column: Any, value: date) -> Any:
        return column < self.midnight(column, value + timedelta(days=1))


class Between(_Day):
    """From one day to another, both counted; in the address "2026-11-01 to 2026-11-30"."""

    key, words, data_type = "between", lazy_gettext("between"), "daterangepicker"

    def clean(self, value: str) -> Any:
        first, between, last = value.partition(" to ")
        if not between:
            raise ValueError(value)
        return super().clean(first), super().clean(last)

    def asks(self, column: Any, value: Any) -> Any:
        first, last = value
        end = self.midnight(column, last + timedelta(days=1))
        return and_(column >= self.midnight(column, first), column < end)


class Has(SchoolFilter):
    """A question about other tables, given as a function from yes or no to SQL."""

    words = lazy_gettext("is")

    def __init__(self, arg: str, label: Any, asks: Callable[[], Any]) -> None:
        """Take the stable name, the label and the condition for "yes"; the function runs for each request."""
        super().__init__(arg, Column(arg, Boolean), label, options=YES_NO)
        self.path = self.arg = arg
        self._asks = asks

    def clean(self, value: str) -> bool:
        return _yes_or_no(value)

    def apply(self, query: Any, value: bool, alias: Any = None) -> Any:
        return query.filter(self._asks() if value else ~self._asks())


def YES_NO() -> list[tuple[str, str]]:  # noqa: N802
    """Offer yes and no, in the reader's language."""
    return [("1", gettext("Yes")), ("0", gettext("No"))]


def choice_options(choices: type[Choice]) -> list[tuple[str, str]]:
    """Offer a fixed set, in the reader's language."""
    return [(str(choice.value), gettext(choice.label)) for choice in choices]


def _yes_or_no(value: str) -> bool:
    if value not in {"0", "1"}:
        raise ValueError(value)
    return value == "1"


def for_column(path: str, column: Column[Any], label: Any) -> list[SchoolFilter]:
    """List the questions that make sense for a column, most useful first."""
    if choices := column.info.get("choices"):
        return [Is(path, column, label, choices)]
    kind = column.type
    if isinstance(kind, Boolean):
        return [IsTrue(path, column, label)]
    if isinstance(kind, (Date, DateTime)):
        return [Between(path, column, label), From(path, column, label), Until(path, column, label)]
    if isinstance(kind, (Integer, Numeric)):
        return [Equals(path, column, label), AtLeast(path, column, label), Below(path, column, label)]
    found: list[SchoolFilter] = [Contains(path, column, label)]
    return [*found, Empty(path, column, label)] if column.nullable else found
