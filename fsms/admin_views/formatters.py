"""How values look in lists and on pages of details.

Days are written 31/05/2010 and months by their names, numbers in the digits of the reader. What is copied, dialled or
looked up stays as it is kept: ids, phone numbers, user names, codes, names of classes, and all that goes into files.
"""

import re
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from babel.dates import get_month_names
from flask_babel import gettext
from markupsafe import Markup

from fsms import text
from fsms.admin_views.screen import in_digits, language, word
from fsms.clock import SCHOOL_ZONE
from fsms.vocabulary import AttendanceSession, AttendanceStatus, Choice, DropReason, label_of

# ---- Days, months and moments --------------------------------------------------------------------------------------


def day(value: date) -> str:
    """Write a day: 31/05/2010."""
    return in_digits(f"{value:%d/%m/%Y}")


def long_day(value: date) -> str:
    """Write a day with the name of its month: 31 May 2010, ៣១ ឧសភា ២០១០."""
    return in_digits(f"{value.day} {month_name(value.month)} {value.year}")


def month(value: date) -> str:
    """Write a month: March 2025, មីនា ២០២៥."""
    return in_digits(f"{month_name(value.month)} {value.year}")


def month_name(number: int) -> str:
    """Name a month, 1 to 12, in the reader's language."""
    return str(get_month_names("wide", "stand-alone", language())[number])


def at_school(moment: datetime) -> str:
    """Show a moment by the school's clock."""
    return in_digits(_at_school(moment))


def _at_school(moment: datetime) -> str:
    return f"{moment.astimezone(SCHOOL_ZONE):%d/%m/%Y %H:%M}"


def period_in_text(written: str) -> str:
    """Show an ISO month or day, as marks and the log keep it, as everywhere else; other texts as they are."""
    try:
        return day(date.fromisoformat(written)) if len(written) > len("2025-03") else month(_first_of(written))
    except ValueError:
        return written


def _first_of(iso_month: str) -> date:
    return date.fromisoformat(f"{iso_month}-01")


def day_in_text(written: str) -> str:
    """Show an ISO day, as the log keeps it, as everywhere else; other texts as they are."""
    try:
        return day(date.fromisoformat(written))
    except ValueError:
        return written


def times(ranges: Iterable[Any]) -> str:
    """Show ranges of days, each from the first day to the last."""
    return "; ".join(f"{day(one.lower)} – {day(one.upper - timedelta(days=1))}" for one in ranges)


_PERIOD = re.compile(r"(?<!\d)\d{4}-(?:0[1-9]|1[0-2])(?:-\d\d)?(?![\d-])")
_DAY = re.compile(r"\d{4}-\d\d-\d\d(?!\d)")
_ATTENDANCE = re.compile(rf"({_DAY.pattern}) ({'|'.join(AttendanceSession)}) · ({'|'.join(AttendanceStatus)})")


def title(record: object) -> str:
    """Call a record by its name in the reader's language, or a text of the log that names one.

    Attendance is called by its day, session and status, in the words in which they are kept; a mark by its month.
    """

    def _in_words(found: re.Match[str]) -> str:
        session, status = label_of(AttendanceSession, found[2]), label_of(AttendanceStatus, found[3])
        return f"{day_in_text(found[1])} {gettext(session)} · {gettext(status)}"

    return _PERIOD.sub(lambda found: period_in_text(found[0]), _ATTENDANCE.sub(_in_words, str(record)))


# ---- Numbers and words ---------------------------------------------------------------------------------------------


def number(value: Decimal | int) -> str:
    """Write a number as it is read: 440,000 and not 440000.00."""
    # Riel have no cents and marks are read at a glance: zeros behind the point say nothing.
    written = f"{value:,f}" if isinstance(value, Decimal) else f"{value:,}"
    return in_digits(written.rstrip("0").rstrip(".") if "." in written else written)


def _flag(_view: Any, value: bool, _name: str) -> str:
    return gettext("Yes") if value else gettext("No")


def _nothing(_view: Any, _value: None, _name: str) -> str:
    return ""


def _session(_view: Any, value: AttendanceSession, _name: str) -> str:
    return word(value.label)


FOR_LISTS = {
    type(None): _nothing,
    bool: _flag,
    datetime: lambda _view, value, _name: at_school(value),
    date: lambda _view, value, _name: day(value),
    Decimal: lambda _view, value, _name: number(value),
    AttendanceSession: _session,
}
FOR_DETAILS = FOR_LISTS


# In a file numbers and days are to be reckoned with, not read.
FOR_FILES = FOR_LISTS | {
    datetime: lambda _view, value, _name: _at_school(value),
    date: lambda _view, value, _name: value.isoformat(),
    Decimal: lambda _view, value, _name: f"{value:f}",
}


# ---- Columns -------------------------------------------------------------------------------------------------------


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
        return word(label_of(self.choices, str(value))) if value else ""


def period(_view: Any, _context: Any, row: Any, name: str) -> str:
    """Show the month, or the day, that a mark is for."""
    return period_in_text(getattr(row, name) or "")


def reason_in_words(reason: str | None) -> str:
    """Show why a pupil was dropped: what is of the list in the reader's language, own words as they were written."""
    first, colon, rest = (reason or "").partition(": ")
    return word(label_of(DropReason, first)) + colon + rest if first else ""


def reason(_view: Any, _context: Any, row: Any, name: str) -> str:
    """Show why a pupil was dropped."""
    return reason_in_words(getattr(row, name))


def whole(_view: Any, _context: Any, row: Any, name: str) -> str:
    """Show how many, in the reader's digits."""
    counted = getattr(row, name)
    return "" if counted is None else number(counted)


FOR_READING = frozenset({period, reason, whole})
"""What is written so for readers only: a file takes the value itself."""


def dialled(number: str) -> str:
    """Return what a phone dials; nothing where the text names nobody's number."""
    return "".join(c for c in text.digits(number) if c.isdigit() or c == "+")


def phone(_view: Any, _context: Any, row: Any, name: str) -> str | Markup:
    """Show a phone number that a phone can call by a tap."""
    kept = getattr(row, name)
    if not kept:
        return ""
    return Markup('<a href="tel:{}">{}</a>').format(dialled(kept), kept)


def listed(_view: Any, _context: Any, row: Any, name: str) -> str:
    """Show related records by their names."""
    held = getattr(row, name)
    if held is None:
        return ""
    return ", ".join(str(one) for one in held) if isinstance(held, list) else gettext("Yes")
