"""Figures that carry how they came about: terms, weights, divisor, factor, and what was left out and why.

Every figure has one shape, so that one rule recomputes them all: factor × Σ (weight × term) ÷ divisor. A term that is
a figure itself carries it, down to the marks.
"""

from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from math import lcm
from typing import NamedTuple

from fsms.grading.marks import Cell

ONE = Fraction(1)


def rounded(value: Fraction | Decimal | int, places: int = 2) -> Decimal:
    """Round half up, for the screen; nothing is reckoned with the answer."""
    scaled = Fraction(value) * 10**places
    return Decimal((2 * scaled.numerator + scaled.denominator) // (2 * scaled.denominator)).scaleb(-places)


class Rule(StrEnum):
    """How the terms make the figure."""

    MARK = "mark"  # the mark itself
    MEAN = "mean"  # the sum over the number of terms
    DIVISOR = "divisor"  # the sum over a divisor that the level has
    HALVES = "halves"  # the exam month, and the mean of the months before it, half each


class Why(StrEnum):
    """Why something is no term."""

    BLANK = "blank"  # no mark yet
    EXCUSED = "excused"
    OUTSIDE = "outside"  # the pupil was not in the class then
    NO_MARKS = "no marks"  # there are none in this part
    DROPPED = "dropped"
    INCOMPLETE = "incomplete"  # the pupil's own figure lacks marks


class What(NamedTuple):
    """What a term or a figure is of; what does not matter is None. A class has thousands, so they are light."""

    pupil: int | None = None
    semester: int | None = None
    subject: int | None = None
    period: str | None = None


class LeftOut(NamedTuple):
    """Something that might have been a term, and the reason why it is none."""

    what: What
    why: Why


@dataclass(frozen=True)
class Factor:
    """What a month's result is multiplied by, and the absences it comes from."""

    value: Fraction = ONE
    absences: Fraction = Fraction(0)


NO_FACTOR = Factor()


class Term(NamedTuple):
    """One number that goes into a figure. A blank one stands for a missing mark that counts as 0."""

    what: What
    value: Fraction
    weight: Fraction = ONE
    figure: "Figure | None" = None
    blank: bool = False

    @property
    def counted(self) -> Fraction:
        """The value by its weight; nearly every weight is one, and a class has thousands of terms."""
        return self.value if self.weight is ONE else self.weight * self.value


@dataclass(frozen=True)
class Figure:
    """A mark, an average or a mean; its value is None where there is nothing to reckon with, never 0."""

    what: What
    rule: Rule
    out_of: Decimal
    value: Fraction | None
    terms: tuple[Term, ...] = ()
    divisor: Fraction = ONE
    factor: Factor = NO_FACTOR
    left_out: tuple[LeftOut, ...] = ()
    missing: frozenset[Cell] = field(default=frozenset(), repr=False)

    @property
    def complete(self) -> bool:
        """Whether every mark that the class has is there, or excused."""
        return self.value is not None and not self.missing

    @property
    def outside(self) -> bool:
        """Whether there is nothing because the pupil was not in the class then, and nothing is owed."""
        return self.value is None and not self.missing and any(left.why is Why.OUTSIDE for left in self.left_out)

    @property
    def total(self) -> Fraction | None:
        """The sum of the terms after the factor, before the divisor."""
        return None if self.value is None else self.value * self.divisor

    def recomputed(self) -> Fraction | None:
        """Reckon the value once more from the trace alone, down to the marks."""
        if not self.terms or self.divisor <= 0:
            return None
        values = (term.weight * (_again(term.figure) if term.figure else term.value) for term in self.terms)
        return sum(values, Fraction(0)) / self.divisor * self.factor.value


def _again(figure: Figure) -> Fraction:
    value = figure.recomputed()
    assert value is not None, "a figure without a value is left out, and no term"
    return value


def _sum(values: list[Fraction]) -> Fraction:
    """Add up over the common denominator: a fraction for each step would be brought to its lowest terms each time."""
    ratios = [value.as_integer_ratio() for value in values]
    common = lcm(*(denominator for _, denominator in ratios))
    return Fraction(sum(numerator * (common // denominator) for numerator, denominator in ratios), common)


def figure(
    what: What,
    rule: Rule,
    out_of: Decimal,
    terms: list[Term],
    *,
    divisor: Fraction | None = None,
    factor: Factor = NO_FACTOR,
    left_out: tuple[LeftOut, ...] = (),
    missing: frozenset[Cell] = frozenset(),
) -> Figure:
    """Reckon a figure; without a divisor its terms are counted. Nothing but blanks is nothing."""
    over = Fraction(len(terms)) if divisor is None else divisor
    value = None
    if over > 0 and not all(term.blank for term in terms):
        value = _sum([term.counted for term in terms]) / over
        value = value if factor is NO_FACTOR else value * factor.value
    kept = tuple(terms) if value is not None else ()
    return Figure(what, rule, out_of, value, kept, over if kept else ONE, factor, left_out, missing)
