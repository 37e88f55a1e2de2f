"""One cell of the gradebook: nothing, a number, or that the pupil was excused; and reading it as it was typed."""

import re
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import NamedTuple

from fsms import text
from fsms.errors import InvalidValue

LOWEST_MARK = Decimal(0)
HIGHEST_MARK = Decimal(10)
LONGEST_REMEMBERED = 12
"""Letters up to which what was typed is remembered with the mark that it meant."""
PLACES = 2
"""How many decimals a mark may have: as many as the column keeps."""


def _(sentence: str) -> str:
    """Mark a sentence for the translators; the screen translates it when it is shown."""
    return sentence


class Cell(NamedTuple):
    """Where a mark stands. The period is a month, "2025-03", or a day of it, "2025-03-14"."""

    semester: int
    subject: int
    period: str

    @property
    def month(self) -> str:
        """The month of the period."""
        return self.period[:7]


@dataclass(frozen=True)
class Mark:
    """What a cell holds. Nothing, 0 and excused are three different things."""

    value: Decimal | None = None
    excused: bool = False

    @property
    def is_blank(self) -> bool:
        """Whether nothing stands there. Comparing with `BLANK` says the same and takes ten times as long."""
        return self.value is None and not self.excused


BLANK = Mark()
EXCUSED = Mark(excused=True)

# "abs" is none of them: whether an absence is excused is for the teacher to say.
_EXCUSED_WORDS = frozenset({"excused", "exc", "ex", "e", "ច្បាប់", "មានច្បាប់", "ច"})
_NUMBER = re.compile(r"[-+]?(\d+[.,]?\d*|[.,]\d+)", re.ASCII)


def parse_mark(typed: str, maximum: Decimal = HIGHEST_MARK) -> Mark:
    """Read what somebody typed: 7.5, ៧,៥, excused, ច្បាប់ or nothing. Raise InvalidValue, with the reason, otherwise."""
    return (_parsed_before if len(typed) <= LONGEST_REMEMBERED else _parsed)(typed, maximum)


def _parsed(typed: str, maximum: Decimal) -> Mark:
    plain = text.digits(text.clean(typed)).replace(" ", "").casefold()
    if not plain:
        return BLANK
    if plain in _EXCUSED_WORDS:
        return EXCUSED
    if not _NUMBER.fullmatch(plain):
        raise InvalidValue(
            _("“%(typed)s” is not a mark. Write a number such as 7.5, or “excused”."),
            about="grade",
            typed=text.clean(typed)[:40],
        )
    return Mark(check_mark(Decimal(plain.replace(",", ".")), maximum))


_parsed_before = lru_cache(1_000)(_parsed)
"""A class has a dozen different marks, and the next class has the same ones."""


def check_mark(mark: Decimal, maximum: Decimal = HIGHEST_MARK) -> Decimal:
    """Return the mark if it lies on the scale; raise InvalidValue otherwise, never clamp."""
    if not mark.is_finite() or not LOWEST_MARK <= mark <= maximum:
        raise InvalidValue(
            _("A mark lies between %(lowest)s and %(highest)s; %(mark)s does not."),
            about="grade",
            lowest=LOWEST_MARK,
            highest=maximum,
            mark=f"{mark}"[:20],
        )
    if mark != round(mark, PLACES):
        raise InvalidValue(
            _("A mark has at most %(places)s decimals; %(mark)s has more."),
            about="grade",
            places=PLACES,
            mark=f"{mark}"[:20],
        )
    return mark


def written(mark: Decimal) -> str:
    """Write a mark without the zeros that say nothing: 7.5, not 7.50; 10, not 1E+1."""
    plain = f"{mark:f}"
    return plain.rstrip("0").rstrip(".") if "." in plain else plain
