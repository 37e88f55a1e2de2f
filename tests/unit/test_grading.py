"""Arithmetic of marks: the school's own figures, worked out by hand, and rules that hold for any class."""

import contextlib
from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fsms import grading
from fsms.errors import InvalidValue
from fsms.grading import BLANK, EXCUSED, PLAIN, SCHOOL, Cell, Mark, Pupil, Rule, Subject, Why

MATHS, KHMER = Subject(1, "គណិតវិទ្យា"), Subject(2, "ភាសាខ្មែរ")
ABOUT = [Subject(n, f"Subject {n}") for n in range(1, 20)]


def pupil(
    number: int, *months: Sequence[str | None], absences: Sequence[int | str] = (), dropped: bool = False
) -> Pupil:
    """A pupil with the marks of January, February … 2025 in subjects 1, 2, …; "x" is excused, None is blank."""
    cells = {
        Cell(1, subject, f"2025-{month:02}"): EXCUSED if mark == "x" else Mark(Decimal(mark))
        for month, marks in enumerate(months, start=1)
        for subject, mark in enumerate(marks, start=1)
        if mark is not None
    }
    missed = {f"2025-{month:02}": Fraction(found) for month, found in enumerate(absences, start=1)}
    return Pupil(number, cells, dropped, missed)


def shown(figure: grading.Figure) -> tuple[str, str]:
    """An average as it is shown, with its letter."""
    assert figure.value is not None
    letter = grading.letter_of(figure)
    assert letter
    return str(grading.rounded(figure.value)), letter.letter


# ---- The school's figures ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("absences", "total", "average", "letter"), [(0, "38.00", "7.60", "C"), (2, "36.10", "7.22", "C")]
)
def test_a_month_in_grade_5(absences: int, total: str, average: str, letter: str) -> None:
    one = pupil(1, "87968", absences=[absences])

    month = grading.month(SCHOOL, 5, ABOUT[:5], [one], 1, "2025-01").of(1).average

    assert month.total is not None
    assert str(grading.rounded(month.total)) == total
    assert shown(month) == (average, letter)


@pytest.mark.parametrize(
    ("absences", "total", "average", "letter"), [(0, "560.00", "40.00", "B"), (4, "504.00", "36.00", "C")]
)
def test_a_month_in_grade_7(absences: int, total: str, average: str, letter: str) -> None:
    subjects = [MATHS, KHMER, *ABOUT[2:12]]
    one = pupil(1, ["80", "80", *["40"] * 10], absences=[absences])

    month = grading.month(SCHOOL, 7, subjects, [one], 1, "2025-01").of(1).average

    assert month.total is not None
    assert str(grading.rounded(month.total)) == total
    assert shown(month) == (average, letter)


NINTH = ("តែងសេចក្តី", "សរសេរតាមអាន", "គណិតវិទ្យា", "រូបវិទ្យា", "ជីវវិទ្យា", "សីលធម៌-ពលរដ្ឋវិទ្យា", "គីមីវិទ្យា", "ផែនដីវិទ្យា",
         "ភូមិវិទ្យា", "ប្រវត្តិវិទ្យា", "អង់គ្លេស")  # fmt: skip


@pytest.mark.parametrize(("english", "total", "average"), [(False, "420.00", "50.00"), (True, "470.00", "55.95")])
def test_full_marks_in_grade_9_without_and_with_english(*, english: bool, total: str, average: str) -> None:
    subjects = [Subject(n, name) for n, name in enumerate(NINTH[: 11 if english else 10], start=1)]
    full = [str(SCHOOL.maximum(9, subject.name)) for subject in subjects]

    month = grading.month(SCHOOL, 9, subjects, [pupil(1, full)], 1, "2025-01").of(1).average

    assert month.total is not None
    assert str(grading.rounded(month.total)) == total
    assert shown(month) == (average, "A")


def test_absences_are_counted_in_sessions_and_leave_counts_half() -> None:
    missed = grading.absences_of([("AM", "Absent"), ("FULL", "Excused"), ("PM", "Late"), ("FULL", "Absent")])

    assert missed == 4
    assert grading.attendance_factor(missed).value == Fraction("0.90")


@pytest.mark.parametrize(
    ("absences", "factor"),
    [("0", "1"), ("1/2", "0.9875"), ("1", "0.975"), ("2", "0.95"), ("3", "0.925"), ("4", "0.9"), ("40", "0.9")],
)
def test_absences_cost_at_most_a_tenth(absences: str, factor: str) -> None:
    assert grading.attendance_factor(Fraction(absences)).value == Fraction(factor)


def test_a_semester_in_grade_5_is_half_exam_month_half_the_months_before() -> None:
    one = pupil(1, "879", "687", "999", "888", absences=[0, 1, 3, 0])

    semester = grading.semester(SCHOOL, 5, ABOUT[:3], [one], 1).of(1).average

    exam, before = semester.terms
    assert before.figure is not None
    assert [term.value for term in before.figure.terms] == [8, Fraction("6.825"), Fraction("8.325")]
    assert exam.value == 8
    assert grading.rounded(before.value, 4) == Decimal("7.7167")
    assert shown(semester) == ("7.86", "C")


def test_a_semester_of_a_single_month_is_that_months_average() -> None:
    semester = grading.semester(SCHOOL, 5, ABOUT[:3], [pupil(1, "888")], 1).of(1).average

    assert shown(semester) == ("8.00", "B")


def test_a_year_after_its_first_semester_is_that_semesters_average() -> None:
    year = grading.year(SCHOOL, 5, ABOUT[:3], [pupil(1, "888")], [1, 2]).of(1)

    assert shown(year.average) == ("8.00", "B")
    assert year.average.complete
    assert [(out.what.semester, out.why) for out in year.average.left_out] == [(2, Why.NO_MARKS)]


def test_equal_averages_share_a_place_and_the_next_place_is_free() -> None:
    standings = grading.month(
        PLAIN, 5, ABOUT[:1], [pupil(n, [mark]) for n, mark in enumerate(("9.1", "8.0", "8.0", "7.5"))], 1, "2025-01"
    )

    assert [standing.rank and standing.rank.place for standing in standings.pupils] == [1, 2, 2, 4]
    assert standings.of(1).rank == grading.Rank(2, of=4, tied=2)


def test_averages_that_only_look_equal_are_ranked_apart() -> None:
    close = [pupil(n, marks) for n, marks in enumerate((["9", "9.01"], ["9", "9"], ["9", "8.99"]))]

    standings = grading.month(PLAIN, 5, ABOUT[:2], close, 1, "2025-01")

    assert [standing.rank and standing.rank.place for standing in standings.pupils] == [1, 2, 3]


# ---- The plain scheme ----------------------------------------------------------------------------------------------


def test_by_default_every_subject_counts_the_same_and_every_mark_of_it() -> None:
    one = pupil(1, ["6", "9"], ["7"], ["9"])

    semester = grading.semester(PLAIN, 7, ABOUT[:2], [one], 1).of(1)

    assert semester.subjects[1].value == Fraction(22, 3)
    assert semester.average.value == (Fraction(22, 3) + 9) / 2
    year = grading.year(PLAIN, 7, ABOUT[:2], [one], [1]).of(1)
    assert year.average.value == semester.average.value


def test_the_scale_is_zero_to_ten_at_every_level() -> None:
    assert {PLAIN.maximum(level, "គណិតវិទ្យា") for level in range(1, 13)} == {Decimal(10)}


def test_two_marks_of_one_month_are_averaged() -> None:
    marks = {Cell(1, 1, "2025-01-10"): Mark(Decimal(6)), Cell(1, 1, "2025-01-20"): Mark(Decimal(9))}

    month = grading.month(PLAIN, 5, ABOUT[:1], [Pupil(1, marks)], 1, "2025-01").of(1)

    assert month.subjects[1].value == Fraction("7.5")


# ---- Nothing, zero, excused ----------------------------------------------------------------------------------------


def test_blank_zero_and_excused_are_three_things() -> None:
    pupils = [pupil(1, ["8", None]), pupil(2, ["8", "0"]), pupil(3, ["8", "x"])]

    blank, zero, excused = grading.month(PLAIN, 5, ABOUT[:2], pupils, 1, "2025-01").pupils

    assert [one.average.value for one in (blank, zero, excused)] == [8, 4, 8]
    assert [one.incomplete for one in (blank, zero, excused)] == [True, False, False]
    assert blank.rank is None
    assert [out.why for out in blank.average.left_out] == [Why.BLANK]
    assert [out.why for out in excused.average.left_out] == [Why.EXCUSED]


def test_in_grade_7_a_missing_mark_counts_zero_and_an_excused_one_shrinks_the_divisor() -> None:
    subjects = [MATHS, KHMER, *ABOUT[2:12]]
    full = ["100", "100", *["50"] * 10]
    pupils = [pupil(1, full), pupil(2, [None, *full[1:]]), pupil(3, ["x", *full[1:]])]

    whole, blank, excused = grading.month(SCHOOL, 7, subjects, pupils, 1, "2025-01").pupils

    assert [grading.rounded(one.average.value or 0) for one in (whole, blank, excused)] == [
        Decimal("50.00"),
        Decimal("42.86"),
        Decimal("50.00"),
    ]
    assert excused.average.divisor == 12
    assert [term.value for term in blank.average.terms if term.blank] == [0]
    assert [one.incomplete for one in (whole, blank, excused)] == [False, True, False]


def test_an_excused_bonus_subject_takes_nothing_from_the_divisor() -> None:
    subjects = [Subject(1, "គណិតវិទ្យា"), Subject(2, "English")]

    month = grading.month(SCHOOL, 9, subjects, [pupil(1, ["84", "x"])], 1, "2025-01").of(1)

    assert month.average.value == 10


def test_who_has_no_mark_at_all_has_no_average_and_not_zero() -> None:
    for scheme, level in ((PLAIN, 5), (SCHOOL, 5), (SCHOOL, 8)):
        pupils = [pupil(1, ["8", "9"]), pupil(2, [])]

        nobody = grading.month(scheme, level, ABOUT[:2], pupils, 1, "2025-01").of(2)

        assert nobody.average.value is None
        assert nobody.incomplete
        assert grading.letter_of(nobody.average) is None


def test_who_was_dropped_counts_for_nobody_and_keeps_the_own_average() -> None:
    pupils = [pupil(1, ["8"]), pupil(2, ["10", "10"], dropped=True), pupil(3, ["6"])]

    standings = grading.month(PLAIN, 5, ABOUT[:2], pupils, 1, "2025-01")

    assert [standing.rank and standing.rank.place for standing in standings.pupils] == [1, None, 2]
    assert standings.of(2).average.value == 10
    assert standings.mean.value == 7
    assert standings.dropped == (2,)
    assert [(out.what.pupil, out.why) for out in standings.mean.left_out] == [(2, Why.DROPPED)]
    assert not standings.of(1).incomplete, "a subject that only the dropped pupil has is owed by nobody"


def test_the_mean_of_the_class_leaves_out_who_lacks_marks() -> None:
    pupils = [pupil(1, ["8", "8"]), pupil(2, ["2", None]), pupil(3, ["6", "6"])]

    standings = grading.month(PLAIN, 5, ABOUT[:2], pupils, 1, "2025-01")

    assert standings.mean.value == 7
    assert standings.incomplete == (2,)
    assert [(out.what.pupil, out.why) for out in standings.mean.left_out] == [(2, Why.INCOMPLETE)]


@pytest.mark.parametrize("pupils", [[], [pupil(1, [])], [pupil(1, []), pupil(2, [])]])
def test_a_class_without_marks_has_neither_mean_nor_ranks(pupils: list[Pupil]) -> None:
    for standings in (
        grading.month(PLAIN, 5, ABOUT[:2], pupils, 1, "2025-01"),
        grading.semester(SCHOOL, 8, ABOUT[:2], pupils, 1),
        grading.year(SCHOOL, 5, ABOUT[:2], pupils, [1, 2]),
    ):
        assert standings.mean.value is None
        assert {standing.rank for standing in standings.pupils} <= {None}


# ---- Letters and rounding ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mark", "letter", "khmer"),
    [
        ("10", "A", "ល្អប្រសើរ"),
        ("9", "A", "ល្អប្រសើរ"),
        ("8.99", "B", "ល្អណាស់"),
        ("8", "B", "ល្អណាស់"),
        ("7", "C", "ល្អ"),
        ("6", "D", "ល្អបង្គួរ"),
        ("5", "E", "មធ្យម"),
        ("4.99", "F", "ខ្សោយ"),
        ("0", "F", "ខ្សោយ"),
    ],
)
def test_letters_begin_at_shares_of_the_scale(mark: str, letter: str, khmer: str) -> None:
    figure = grading.month(PLAIN, 5, ABOUT[:1], [pupil(1, [mark])], 1, "2025-01").of(1).average

    found = grading.letter_of(figure)

    assert found
    assert (found.letter, found.khmer) == (letter, khmer)


@pytest.mark.parametrize(
    ("value", "places", "rounded"),
    [("7.125", 2, "7.13"), ("7.115", 2, "7.12"), ("23/3", 2, "7.67"), ("0.005", 2, "0.01"), ("2.5", 0, "3")],
)
def test_halves_are_rounded_up(value: str, places: int, rounded: str) -> None:
    assert str(grading.rounded(Fraction(value), places)) == rounded


# ---- What is typed -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "mark"),
    [
        ("7.5", Mark(Decimal("7.5"))),
        ("7,5", Mark(Decimal("7.5"))),
        ("៧,៥", Mark(Decimal("7.5"))),
        (" ១០ ", Mark(Decimal(10))),
        ("\u200b9\u200b", Mark(Decimal(9))),
        ("0", Mark(Decimal(0))),
        (".5", Mark(Decimal("0.5"))),
        ("", BLANK),
        ("   ", BLANK),
        ("excused", EXCUSED),
        ("EXC", EXCUSED),
        ("ច្បាប់", EXCUSED),
        ("មាន ច្បាប់", EXCUSED),
    ],
)
def test_a_mark_is_read_as_people_write_it(typed: str, mark: Mark) -> None:
    assert grading.parse_mark(typed) == mark


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("abs", "“abs” is not a mark. Write a number such as 7.5, or “excused”."),
        ("7.5.", "“7.5.” is not a mark. Write a number such as 7.5, or “excused”."),
        ("1e1", "“1e1” is not a mark. Write a number such as 7.5, or “excused”."),
        ("NaN", "“NaN” is not a mark. Write a number such as 7.5, or “excused”."),
        ("9" * 400, "A mark lies between 0 and 10; 99999999999999999999 does not."),
        ("11", "A mark lies between 0 and 10; 11 does not."),
        ("-1", "A mark lies between 0 and 10; -1 does not."),
        ("7.555", "A mark has at most 2 decimals; 7.555 has more."),
    ],
)
def test_what_is_no_mark_is_refused_with_the_reason(typed: str, sentence: str) -> None:
    with pytest.raises(InvalidValue) as refused:
        grading.parse_mark(typed)

    assert str(refused.value) == sentence


def test_the_scale_of_the_subject_decides() -> None:
    assert grading.parse_mark("85", SCHOOL.maximum(7, "គណិតវិទ្យា")) == Mark(Decimal(85))
    with pytest.raises(InvalidValue, match="A mark lies between 0 and 50; 85 does not"):
        grading.parse_mark("85", SCHOOL.maximum(7, "រូបវិទ្យា"))


def test_invisible_spaces_do_not_change_a_subjects_maximum() -> None:
    assert SCHOOL.maximum(7, "ភាសា\u200bខ្មែរ") == SCHOOL.maximum(8, "Khmer language") == 100


def test_marks_are_written_without_idle_zeros() -> None:
    assert [grading.written(Decimal(mark)) for mark in ("7.50", "10.00", "0.00", "1E+1")] == ["7.5", "10", "0", "10"]


# ---- Any class -----------------------------------------------------------------------------------------------------

SUBJECTS = [MATHS, KHMER, Subject(3, "English"), Subject(4, "Physics")]
CELLS = [
    Cell(semester, subject.id, f"2025-{month:02}{day}")
    for semester, months in ((1, (1, 2)), (2, (4, 5)))
    for month in months
    for subject in SUBJECTS
    for day in ("", "-14")[: 1 + (subject is MATHS)]
]
_marks = st.sampled_from([BLANK, BLANK, EXCUSED, *(Mark(Decimal(n) / 4) for n in range(0, 41, 3))])
_absences = st.dictionaries(st.sampled_from(["2025-01", "2025-02", "2025-05"]), st.fractions(0, 6, max_denominator=2))
_pupils = st.builds(
    Pupil,
    st.just(0),
    st.lists(_marks, min_size=len(CELLS), max_size=len(CELLS)).map(lambda found: dict(zip(CELLS, found, strict=True))),
    st.booleans(),
    _absences,
)
_classes = st.lists(_pupils, max_size=6).map(
    lambda found: [Pupil(n, one.marks, one.dropped, one.absences) for n, one in enumerate(found)]
)
_schemes = st.sampled_from([(PLAIN, 5), (SCHOOL, 5), (SCHOOL, 7), (SCHOOL, 9), (SCHOOL, 12)])


def reckoned(scheme: grading.Scheme, level: int, pupils: Sequence[Pupil]) -> list[grading.Standings]:
    return [
        grading.month(scheme, level, SUBJECTS, pupils, 1, "2025-02"),
        grading.semester(scheme, level, SUBJECTS, pupils, 2),
        grading.year(scheme, level, SUBJECTS, pupils, [1, 2]),
    ]


@settings(max_examples=40, deadline=None)
@given(_schemes, _classes)
def test_a_trace_recomputes_to_its_value(how: tuple[grading.Scheme, int], pupils: list[Pupil]) -> None:
    for standings in reckoned(*how, pupils):
        figures = [standings.mean, *standings.subjects.values()]
        figures += [one for s in standings.pupils for one in (s.average, *s.subjects.values())]
        for figure in figures:
            assert figure.recomputed() == figure.value
            assert figure.value is None or figure.value >= 0


@settings(max_examples=40, deadline=None)
@given(_schemes, _classes, st.randoms(use_true_random=False))
def test_the_order_of_pupils_subjects_and_marks_changes_nothing(
    how: tuple[grading.Scheme, int], pupils: list[Pupil], chance: Random
) -> None:
    shuffled = [Pupil(p.id, dict(sorted(p.marks.items(), reverse=True)), p.dropped, p.absences) for p in pupils]
    chance.shuffle(shuffled)

    for before, after in zip(reckoned(*how, pupils), reckoned(*how, shuffled), strict=True):
        assert {s.pupil: s for s in before.pupils} == {s.pupil: s for s in after.pupils}
        assert before.mean.value == after.mean.value
        assert before.subjects.keys() == after.subjects.keys()


@settings(max_examples=40, deadline=None)
@given(_schemes, _classes)
def test_a_rank_is_one_more_than_those_who_are_better(how: tuple[grading.Scheme, int], pupils: list[Pupil]) -> None:
    for standings in reckoned(*how, pupils):
        ranked = [s for s in standings.pupils if s.rank]

        assert {s.pupil for s in ranked} == {
            s.pupil for s in standings.pupils if not s.dropped and s.average.value is not None and not s.average.missing
        }
        values = [s.average.value for s in ranked if s.average.value is not None]
        for standing in ranked:
            assert standing.rank
            own = standing.average.value
            assert own is not None
            assert standing.rank.place == 1 + sum(value > own for value in values)
            assert standing.rank.tied == values.count(own)
            assert standing.rank.of == len(ranked)
        assert [s.rank.place for s in standings.in_order_of_rank if s.rank] == sorted(
            s.rank.place for s in ranked if s.rank
        )


@settings(max_examples=40, deadline=None)
@given(_classes)
def test_whoever_is_named_incomplete_lacks_a_mark_that_somebody_else_has(pupils: list[Pupil]) -> None:
    standings = grading.semester(PLAIN, 5, SUBJECTS, pupils, 1)
    given_marks = {cell for p in pupils if not p.dropped for cell, mark in p.marks.items() if mark != BLANK}

    for one in pupils:
        lacking = {c for c in given_marks if c.semester == 1 and one.marks.get(c, BLANK) == BLANK}
        standing = standings.of(one.id)
        if not one.dropped:
            assert standing.average.missing == lacking
            assert standing.incomplete == bool(lacking or standing.average.value is None)


@given(st.text(max_size=30))
def test_any_text_is_a_mark_or_a_sentence(typed: str) -> None:
    with contextlib.suppress(InvalidValue):
        value = grading.parse_mark(typed).value
        assert value is None or 0 <= value <= 10


def test_a_single_mark_is_told_as_a_mark() -> None:
    month = grading.month(PLAIN, 5, ABOUT[:1], [pupil(1, ["8"])], 1, "2025-01").of(1)

    assert month.subjects[1].rule is Rule.MARK
    assert month.average.rule is Rule.MEAN
