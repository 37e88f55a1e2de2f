"""The school's clock: Phnom Penh's day and hour, wherever the server stands."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

SCHOOL_ZONE = ZoneInfo("Asia/Phnom_Penh")


def now() -> datetime:
    """The present moment, aware, in UTC, cut to milliseconds because that is what the columns keep."""
    moment = datetime.now(UTC)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def today() -> date:
    """The day it is at the school."""
    return datetime.now(SCHOOL_ZONE).date()
