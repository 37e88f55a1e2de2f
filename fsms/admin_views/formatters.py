"""How values look in lists and on pages of details."""

import re
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from flask_babel import gettext
from markupsafe import Markup

from fsms.clock import SCHOOL_ZONE
from fsms.vocabulary import AttendanceSession, Choice, label_of


def _date(_view: Any, value: date, _name: str) -> str:
    return f"{value:%d/%m/%Y}"


def at_school(moment: datetime) -> str:
    """Show a moment by the school's clock."""
    return f"{moment.astimezone(SCHOOL_ZONE):%d/%m/%Y %H:%M}"


def _moment(_view: Any, value: datetime, _name: str) -> str:
    return at_school(value)


def _number(_view: Any, value: Decimal, _name: str) -> str:
    # Riel have no cents and marks are read at a glance: zeros behind the point say nothing.
    written = f"{value:,f}"
    return written.rstrip("0").rstrip(".") if "." in written else written


def _flag(_view: Any, value: bool, _name: str) -> str:
    return gettext("Yes") if value else gettext("No")


def _nothing(_view: Any, _value: None, _name: str) -> str:
    return ""


def _session(_view: Any, value: AttendanceSession, _name: str) -> str:
    return gettext(value.label)


def day_in_text(written: str) -> str:
    """Show an ISO day, as the log keeps it, as everywhere else; other texts as they are."""
    try:
        return f"{date.fromisoformat(written):%d/%m/%Y}"
    except ValueError:
        return written


def days_in(written: str) -> str:
    """Show the ISO days inside a text as everywhere else."""
    return re.sub(r"(\d{4})-(\d\d)-(\d\d)(?!\d)", r"\3/\2/\1", written)


FOR_LISTS = {
    type(None): _nothing,
    bool: _flag,
    datetime: _moment,
    date: _date,
    Decimal: _number,
    AttendanceSession: _session,
}
FOR_DETAILS = FOR_LISTS


def _iso(_view: Any, value: date, _name: str) -> str:
    return value.isoformat()


def _digits(_view: Any, value: Decimal, _name: str) -> str:
    return f"{value:f}"


# In a file numbers and days are to be reckoned with, not read.
FOR_FILES = FOR_LISTS | {date: _iso, Decimal: _digits}


class choice:  # noqa: N801 - it reads as what it does: column_formatters = {"status": choice(Status)}
    """A column formatter that shows a stored value by its word."""

    def __init__(self, choices: type[Choice]) -> None:
        """Take the set of values."""
        self.choices = choices

    def __call__(self, _view: Any, _context: Any, row: Any, name: str) -> str:
        """Find the value behind a dotted path, and its word."""
        value = row
        for step in name.split("."):
            value = getattr(value, step, None)
        return gettext(label_of(self.choices, str(value))) if value else ""


def phone(_view: Any, _context: Any, row: Any, name: str) -> str | Markup:
    """Show a phone number that a phone can call by a tap."""
    number = getattr(row, name)
    if not number:
        return ""
    dialled = "".join(c for c in number if c.isdigit() or c == "+")
    return Markup('<a href="tel:{}">{}</a>').format(dialled, number)


def listed(_view: Any, _context: Any, row: Any, name: str) -> str:
    """Show related records by their names."""
    held = getattr(row, name)
    if held is None:
        return ""
    return ", ".join(str(one) for one in held) if isinstance(held, list) else gettext("Yes")
