"""Letters and mentions: which share of the scale each begins at."""

from dataclasses import dataclass
from fractions import Fraction

from fsms.grading.traces import Figure


@dataclass(frozen=True)
class Letter:
    """A letter, the percentage of the scale from which it is given, and its mention in both languages."""

    letter: str
    percent: int
    english: str
    khmer: str


LETTERS = (
    Letter("A", 90, "Excellent", "ល្អប្រសើរ"),
    Letter("B", 80, "Very good", "ល្អណាស់"),
    Letter("C", 70, "Good", "ល្អ"),
    Letter("D", 60, "Fairly good", "ល្អបង្គួរ"),
    Letter("E", 50, "Average", "មធ្យម"),
    Letter("F", 0, "Weak", "ខ្សោយ"),
)


def letter_of(figure: Figure) -> Letter | None:
    """Find the letter of the unrounded value: 8.996 is shown as 9.00 and is a B. None where there is no value."""
    if figure.value is None:
        return None
    reached = figure.value * 100 / Fraction(figure.out_of)
    return next(letter for letter in LETTERS if reached >= letter.percent)
