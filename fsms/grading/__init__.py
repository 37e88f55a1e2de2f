"""Arithmetic of marks: what fits the scale, averages, letters, ranks, and how each came about. Pure: no database.

Averages are exact fractions until they are shown: 23/3 has no decimal, and a rank by rounded numbers, or by
"less than 0.01 apart", makes 9.000, 8.995 and 8.990 all first. Only `rounded` rounds, half up, for the screen.
"""

from fsms.grading.averages import Pupil, Standing, Standings, month, semester, year, year_and_semesters
from fsms.grading.letters import LETTERS, Letter, letter_of
from fsms.grading.marks import (
    BLANK,
    EXCUSED,
    HIGHEST_MARK,
    LOWEST_MARK,
    Cell,
    Mark,
    check_mark,
    parse_mark,
    written,
)
from fsms.grading.ranks import Rank, ranks
from fsms.grading.schemes import PLAIN, SCHEMES, SCHOOL, Level, Scheme, Subject, absences_of, attendance_factor
from fsms.grading.traces import Factor, Figure, LeftOut, Rule, Term, What, Why, rounded

__all__ = [
    "BLANK",
    "EXCUSED",
    "HIGHEST_MARK",
    "LETTERS",
    "LOWEST_MARK",
    "PLAIN",
    "SCHEMES",
    "SCHOOL",
    "Cell",
    "Factor",
    "Figure",
    "LeftOut",
    "Letter",
    "Level",
    "Mark",
    "Pupil",
    "Rank",
    "Rule",
    "Scheme",
    "Standing",
    "Standings",
    "Subject",
    "Term",
    "What",
    "Why",
    "absences_of",
    "attendance_factor",
    "check_mark",
    "letter_of",
    "month",
    "parse_mark",
    "ranks",
    "rounded",
    "semester",
    "written",
    "year",
    "year_and_semesters",
]
