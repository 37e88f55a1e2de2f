"""What is asked for: how large a school, and the one source of chance it is drawn from."""

import random
from dataclasses import dataclass
from datetime import date

from fsms.errors import InvalidValue

# Rows per table, under the tables' names, in the order of `models.ENTITIES`.
Counts = dict[str, int]

FIRST_PUPIL = 1000
ADMINS = 2
FEWEST_STAFF = ADMINS + 3


@dataclass(frozen=True, kw_only=True)
class Plan:
    """An order for a demo school. The same plan gives the same school, row for row."""

    today: date
    password_hash: str
    students: int = 600
    years: int = 3
    staff: int = 30
    seed: int = 2010

    def __post_init__(self) -> None:
        """Refuse a school that could not be drawn."""
        if self.students < 1 or self.years < 1:
            raise InvalidValue("Ask for at least one pupil and one school year.")
        if self.staff < FEWEST_STAFF:
            raise InvalidValue("Ask for at least %(fewest)s staff.", fewest=FEWEST_STAFF)


def stream(plan: Plan, topic: str) -> random.Random:
    """Open the stream of chance of one topic: a new draw in one topic leaves the others as they were."""
    return random.Random(f"{plan.seed}:{topic}")  # noqa: S311 - nothing secret is drawn here
