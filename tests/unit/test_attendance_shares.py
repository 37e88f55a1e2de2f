"""Fractions of attendance: what counts on which side, and how it is rounded."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsms.config import AttendanceRules, BadSetting, Settings
from fsms.reports.attendance import Share, Tally

RULES = AttendanceRules()
counts = st.integers(min_value=0, max_value=5000)
tallies = st.builds(Tally, present=counts, absent=counts, late=counts, excused=counts, not_taken=counts)
percents = st.integers(min_value=0, max_value=100)


def test_the_fraction_is_shown_with_what_it_comes_to() -> None:
    half_for_late = AttendanceRules(late_percent=50)

    assert str(Tally(present=41, absent=2, late=1, not_taken=2).share(half_for_late)) == "41.5 / 44 = 94.3 %"
    assert str(Tally(present=41, absent=2, late=1).share(RULES)) == "42 / 44 = 95.5 %"
    assert str(Tally(present=200).share(RULES)) == "200 / 200 = 100.0 %"


@pytest.mark.parametrize(("numerator", "shown"), [(1, "12.5"), (3, "37.5")])
def test_a_percentage_keeps_one_decimal(numerator: int, shown: str) -> None:
    assert str(Share(Decimal(numerator), 8).percentage) == shown


def test_a_half_is_rounded_up() -> None:
    assert str(Share(Decimal(1), 800).percentage) == "0.1"
    assert str(Share(Decimal(1), 2000).percentage) == "0.1"
    assert str(Share(Decimal(1), 2001).percentage) == "0.0"


def test_where_nothing_was_recorded_there_is_no_percentage() -> None:
    share = Tally(not_taken=7).share(RULES)

    assert share.percentage is None
    assert (str(share), share.not_taken) == ("0 / 0", 7)


def test_two_excused_absences_count_as_one() -> None:
    assert Tally(absent=29, excused=2).weighed_absences == 30
    assert Tally(absent=29, excused=1).weighed_absences == Decimal("29.5")


@given(tallies)
def test_what_was_not_taken_is_on_neither_side(tally: Tally) -> None:
    taken = Tally(tally.present, tally.absent, tally.late, tally.excused)

    assert tally.share(RULES).percentage == taken.share(RULES).percentage
    assert tally.share(RULES).not_taken == tally.not_taken


@given(tallies, percents)
def test_a_share_lies_between_nothing_and_everything(tally: Tally, late: int) -> None:
    share = tally.share(AttendanceRules(late_percent=late))

    assert 0 <= share.numerator <= share.denominator == tally.recorded
    assert share.percentage is None or 0 <= share.percentage <= 100


@given(tallies, percents)
def test_the_shown_percentage_is_the_exact_one_rounded(tally: Tally, late: int) -> None:
    share = tally.share(AttendanceRules(late_percent=late))
    if not share.denominator:
        return

    exact = Fraction(share.numerator) / share.denominator * 100
    shown = Fraction(share.percentage or 0)
    assert Fraction(-1, 20) <= exact - shown < Fraction(1, 20)


@given(st.lists(tallies, max_size=6), percents)
def test_a_year_is_the_sum_of_its_parts(parts: list[Tally], late: int) -> None:
    rules = AttendanceRules(late_percent=late)
    whole = sum(parts, Tally())

    assert whole.share(rules).numerator == sum((part.share(rules).numerator for part in parts), Decimal(0))
    assert whole.recorded == sum(part.recorded for part in parts)


@given(tallies)
def test_a_late_pupil_never_attends_more_than_a_punctual_one(tally: Tally) -> None:
    punctual = Tally(tally.present + tally.late, tally.absent, 0, tally.excused)

    for late in (0, 50, 100):
        rules = AttendanceRules(late_percent=late)
        assert tally.share(rules).numerator <= punctual.share(rules).numerator


def test_the_rules_are_settings() -> None:
    rules = Settings.from_environment(
        {"FSMS_ATTENDANCE_DAYS": "3", "FSMS_SCHOOL_DAYS": "123456", "FSMS_LATE_PERCENT": "50"}
    ).attendance

    assert (rules.open_days, rules.late_percent, rules.school_days) == (3, 50, frozenset({1, 2, 3, 4, 5, 6}))
    assert Settings.from_environment({}).attendance == AttendanceRules()


def test_a_weekday_that_is_none_is_refused() -> None:
    with pytest.raises(BadSetting, match="FSMS_SCHOOL_DAYS must be the numbers of weekdays from Monday, like 12345"):
        Settings.from_environment({"FSMS_SCHOOL_DAYS": "Mon-Fri"})
