"""The marks of a class as a sheet: loading it, saving cells, reading what was pasted. Flushes, never commits."""

from fsms.operations.gradebook.cells import EMPTY, Kept, Place, kept
from fsms.operations.gradebook.pasting import Block, Filling, Preview, Target, preview
from fsms.operations.gradebook.reading import Entry, Outcome, State
from fsms.operations.gradebook.saving import Saved, give_way, save
from fsms.operations.gradebook.sheets import (
    Choice,
    Column,
    Pupil,
    Sheet,
    choices,
    found_by_numbers,
    load,
    other_subjects,
    semester_of,
    semesters_of,
)

__all__ = [
    "EMPTY",
    "Block",
    "Choice",
    "Column",
    "Entry",
    "Filling",
    "Kept",
    "Outcome",
    "Place",
    "Preview",
    "Pupil",
    "Saved",
    "Sheet",
    "State",
    "Target",
    "choices",
    "found_by_numbers",
    "give_way",
    "kept",
    "load",
    "other_subjects",
    "preview",
    "save",
    "semester_of",
    "semesters_of",
]
