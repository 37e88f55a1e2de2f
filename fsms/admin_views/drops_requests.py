"""What is typed into the pages of enrolling and dropping, read: filters, days, reasons. Changes nothing."""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Self

from flask import Response, request

from fsms import clock, text
from fsms.admin_views.lookups import record_id
from fsms.errors import SchoolError
from fsms.exchange import csv_export
from fsms.operations import enrolling
from fsms.operations.enrolling import Later, Leaving
from fsms.reports.drops import FACETS, Asked
from fsms.sign_in import own_page
from fsms.vocabulary import StudentStatus

LAST_PAGE = 100_000
LEAVING_AS = (StudentStatus.INACTIVE, StudentStatus.TRANSFERRED, StudentStatus.GRADUATED)


def _(sentence: str) -> str:
    """Mark a sentence for the translators; the screen translates it when it is shown."""
    return sentence


def asked() -> Asked:
    """Read the filters of the address; what is empty asks for nothing."""
    given = {name: text.clean(request.args.get(name, "")) for name in FACETS}
    return Asked(**{name: value for name, value in given.items() if value}, words=text.clean(request.args.get("q", "")))


def arguments_of(asked: Asked) -> dict[str, str]:
    """Write filters as the arguments of an address."""
    return {{"words": "q"}.get(name, name): value for name, value in asdict(asked).items() if value}


def page() -> int:
    """Read the number of the page, counted from 0."""
    return min(max(request.args.get("page", 0, type=int), 0), LAST_PAGE)


def numbers(name: str) -> set[int]:
    """Read the keys that an argument gives, once or more often; what is no key is left out."""
    return {number for typed in request.values.getlist(name) if (number := record_id(typed))}


def way_back() -> str | None:
    """Read where to go when all is done: a page of this site."""
    return own_page(request.values.get("url"))


@dataclass(frozen=True)
class Typed:
    """What was typed, kept as it was typed until it is asked for."""

    on: str
    reason: str
    own_words: str
    later: str
    status: StudentStatus
    seal: str

    @classmethod
    def of_request(cls, reason: str = "") -> Self:
        """Read the form; where nothing is typed yet, today."""
        given = request.values
        status = next((one for one in LEAVING_AS if one.value == given.get("status")), LEAVING_AS[0])
        return cls(
            on=text.clean(given.get("on", clock.today().isoformat())),
            reason=given.get("reason", reason),
            own_words=text.clean(given.get("own_words", "")),
            later=given.get("later", Later.KEEP.value),
            status=status,
            seal=given.get("seal", ""),
        )

    def day(self) -> dt.date:
        """Read the day, as browsers send it or as the school writes it; SchoolError at its field."""
        return day_of(self.on)

    def leaving(self) -> Leaving:
        """Read how the place is closed."""
        return replace(self.looking(), reason=enrolling.reason(self.reason, self.own_words))

    def looking(self) -> Leaving:
        """Read as much as the effect depends on: while one only looks, the reason may still be missing."""
        later = Later(self.later) if self.later in [*Later] else Later.KEEP
        return Leaving(self.day(), "–", later)

    @property
    def is_confirmed(self) -> bool:
        """Say whether the act is meant, and not only its effect."""
        return request.method == "POST" and "look" not in request.form


def day_of(typed: str) -> dt.date:
    """Read a day as 2025-03-14 or 14/03/2025, in Khmer digits too."""
    try:
        written = text.iso_period(typed)
        return dt.date.fromisoformat(written)
    except ValueError:
        raise SchoolError(_("Enter the day as 14/03/2025."), about="on") from None


def csv_answer(name: str, headings: Sequence[str], rows: Iterable[Sequence[str]]) -> Response:
    """Send rows as a CSV file."""
    written = csv_export.lines([csv_export.harmless(cell) for cell in row] for row in (headings, *rows))
    answer = Response(csv_export.BYTE_ORDER_MARK + written, mimetype="text/csv")
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer
