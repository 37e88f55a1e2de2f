"""Ranks: 1, 2, 2, 4 by exact values. Whoever lacks marks has none."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from fsms.grading.traces import Figure


@dataclass(frozen=True)
class Rank:
    """A place among those who are ranked, and how many share it."""

    place: int
    of: int
    tied: int = 1


def ranks(figures: Mapping[int, Figure]) -> dict[int, Rank]:
    """Rank the complete figures, the highest first. Equal is equal exactly: there is no tolerance that could chain."""
    values = {pupil: -found.value for pupil, found in figures.items() if found.value is not None and found.complete}
    in_order, sharing = sorted(values.values()), Counter(values.values())
    return {
        pupil: Rank(bisect_left(in_order, value) + 1, len(in_order), sharing[value]) for pupil, value in values.items()
    }
