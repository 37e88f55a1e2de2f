"""Letters and mentions: which share of the scale each begins at."""

from dataclasses import dataclass
from fractions import Fraction

from fsms.grading.traces import Figure


def _(word: str) -> str:
    """Mark a word for the translators; the screen translates it when it is shown."""
    return word


@dataclass(frozen=True)
class Letter:
    """A letter, the percentage of the scale from which it is given, and its mention in both languages."""

    letter: str
    percent: int
    english: str
    khmer: str


LETTERS = (
    Letter("A", 90, _("Excellent"), "ល្អប្រសើរ"),
    Letter("B", 80, _("Very good"), "ល្អណាស់"),
    Letter("C", 70, _("Good"), "ល្អ"),
    Letter("D", 60, _("Fairly good"), "ល្អបង្គួរ"),
    Letter("E", 50, _("Average"), "មធ្យម"),
    Letter("F", 0, _("Weak"), "ខ្សោយ"),
)


def letter_of(figure: Figure) -> Letter | None:
    """Find the letter of the unrounded value: 8.996 is shown as 9.00 and is a B. None where there is no value."""
    if figure.value is None:
        return None
    reached = figure.value * 100 / Fraction(figure.out_of)
    return next(letter for letter in LETTERS if reached >= letter.percent)
