"""Arithmetic of marks: the scale and what fits it. Pure: no database, no screen."""

from decimal import Decimal

from fsms.errors import InvalidValue

LOWEST_MARK = Decimal(0)
HIGHEST_MARK = Decimal(10)


def check_mark(mark: Decimal) -> Decimal:
    """Return the mark if it lies on the scale of 0 to 10; raise InvalidValue otherwise, never clamp."""
    if not mark.is_finite() or not LOWEST_MARK <= mark <= HIGHEST_MARK:
        raise InvalidValue(
            "A mark lies between %(lowest)s and %(highest)s; %(mark)s does not.",
            about="grade",
            lowest=LOWEST_MARK,
            highest=HIGHEST_MARK,
            mark=mark,
        )
    return mark
