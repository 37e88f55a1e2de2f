"""The ways of grading, as data: maxima, divisors, what a missing mark means. No arithmetic beyond looking up.

`PLAIN` is marks of 0 to 10 and plain means at every level. `SCHOOL` is how Friendship School has graded until now:
its own maxima per level and subject, divisors, a bonus subject, a loss for absences and an exam month.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction

from fsms import text
from fsms.grading.traces import Factor
from fsms.vocabulary import AttendanceSession, AttendanceStatus

TEN, FIFTY, HUNDRED = Decimal(10), Decimal(50), Decimal(100)


@dataclass(frozen=True)
class Subject:
    """A subject by its number and name; the schemes know the name."""

    id: int
    name: str


@dataclass(frozen=True)
class Level:
    """How one grade level is graded."""

    out_of: Decimal  # what an average can reach
    maximum: Decimal  # of every subject that has none of its own
    maxima: Mapping[str, Decimal] = field(default_factory=dict)
    divisor: Fraction | None = None  # of a month's total; None: the number of subjects with a mark
    bonus: frozenset[str] = frozenset()  # subjects that the divisor leaves out
    blank_is_zero: bool = False

    def maximum_of(self, subject: str) -> Decimal:
        """Say how much can be reached in a subject of this name."""
        return self.maxima.get(key_of(subject), self.maximum)

    def share_of(self, subject: str) -> Fraction:
        """Say what an excused subject takes from the divisor."""
        return Fraction() if key_of(subject) in self.bonus else Fraction(self.maximum_of(subject) / self.out_of)


@dataclass(frozen=True)
class Scheme:
    """A way of grading."""

    name: str
    levels: Mapping[int, Level]
    by_attendance: bool = False  # absences lower a month's result
    exam_month: bool = False  # the last month of a semester counts as much as all before it

    def level(self, level: int) -> Level:
        """Find how a grade level is graded."""
        return self.levels[level]

    @property
    def highest(self) -> Decimal:
        """The highest maximum of any subject at any level."""
        return max(mark for level in self.levels.values() for mark in (level.maximum, *level.maxima.values()))

    def maximum(self, level: int, subject: str) -> Decimal:
        """Say how much can be reached in a subject of this name at a grade level."""
        return self.levels[level].maximum_of(subject)


# ---- Subjects ------------------------------------------------------------------------------------------------------

# By code, not by name: old records write a name with or without invisible spaces, in Khmer or in English.
_NAMES = {
    "mathematics": ("គណិតវិទ្យា", "Mathematics", "Maths", "Math"),
    "khmer": ("ភាសាខ្មែរ", "Khmer", "Khmer language"),
    "composition": ("តែងសេចក្តី", "Composition", "Essay"),
    "dictation": ("សរសេរតាមអាន", "Dictation"),
    "physics": ("រូបវិទ្យា", "Physics"),
    "chemistry": ("គីមីវិទ្យា", "Chemistry"),
    "biology": ("ជីវវិទ្យា", "Biology"),
    "earth": ("ផែនដីវិទ្យា", "Earth science"),
    "civics": ("សីលធម៌-ពលរដ្ឋវិទ្យា", "Civics", "Ethics-civics"),
    "geography": ("ភូមិវិទ្យា", "Geography"),
    "history": ("ប្រវត្តិវិទ្យា", "History"),
    "english": ("អង់គ្លេស", "ភាសាអង់គ្លេស", "English"),
}


def _folded(name: str) -> str:
    return text.clean(name).replace(" ", "").casefold()


_KEYS = {_folded(name): key for key, names in _NAMES.items() for name in names}


def key_of(subject: str) -> str:
    """Find the code of a subject by its name; an unknown one is its own."""
    folded = _folded(subject)
    return _KEYS.get(folded, folded)


# ---- Attendance ----------------------------------------------------------------------------------------------------

_SESSIONS: dict[str, int] = {AttendanceSession.AM: 1, AttendanceSession.PM: 1, AttendanceSession.FULL: 2}
_ABSENT: dict[str, Fraction] = {AttendanceStatus.ABSENT: Fraction(1), AttendanceStatus.EXCUSED: Fraction(1, 2)}
MOST_ABSENCES, LARGEST_LOSS = 4, Fraction(1, 10)


def absences_of(records: Iterable[tuple[str, str]]) -> Fraction:
    """Count absences by session and status: without leave whole, with leave half. Being late costs nothing."""
    counted = (_ABSENT.get(status, Fraction()) * _SESSIONS[session] for session, status in records)
    return sum(counted, Fraction())


def attendance_factor(absences: Fraction) -> Factor:
    """Turn a month's absences into what its result is multiplied by: 1 without any, 0.90 from four on."""
    lost = min(absences / MOST_ABSENCES, Fraction(1)) * LARGEST_LOSS
    return Factor(1 - lost, absences)


# ---- The two schemes -----------------------------------------------------------------------------------------------

PLAIN = Scheme("plain", dict.fromkeys(range(1, 13), Level(out_of=TEN, maximum=TEN)))

_PRIMARY = Level(out_of=TEN, maximum=TEN)
# 12 subjects: 2 × 100 + 10 × 50 = 700 = 14 × 50.
_SEVEN_AND_EIGHT = Level(
    out_of=FIFTY,
    maximum=FIFTY,
    maxima={"mathematics": HUNDRED, "khmer": HUNDRED},
    divisor=Fraction(14),
    blank_is_zero=True,
)
# Without English the subjects make 420 = 8.4 × 50; English comes on top.
_NINE = Level(
    out_of=FIFTY,
    maximum=FIFTY,
    maxima={
        "composition": FIFTY,
        "dictation": FIFTY,
        "mathematics": HUNDRED,
        "physics": Decimal(35),
        "biology": Decimal(35),
        "civics": Decimal(35),
        "chemistry": Decimal(25),
        "earth": Decimal(25),
        "geography": Decimal(32),
        "history": Decimal(33),
        "english": FIFTY,
    },
    divisor=Fraction("8.4"),
    bonus=frozenset({"english"}),
    blank_is_zero=True,
)
_UPPER = Level(out_of=HUNDRED, maximum=HUNDRED)

SCHOOL = Scheme(
    "school",
    dict.fromkeys(range(1, 7), _PRIMARY)
    | {7: _SEVEN_AND_EIGHT, 8: _SEVEN_AND_EIGHT, 9: _NINE}
    | dict.fromkeys(range(10, 13), _UPPER),
    by_attendance=True,
    exam_month=True,
)

SCHEMES = {scheme.name: scheme for scheme in (PLAIN, SCHOOL)}
"""By the name that FSMS_GRADING_SCHEME takes."""
