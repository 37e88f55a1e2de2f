"""The demo school's years end with the one that holds today."""

from datetime import date, timedelta

import pytest

from fsms.demo.calendar import is_school_day, school_years


@pytest.mark.parametrize(
    ("today", "last"),
    [
        ("2025-11-01", "2025-2026"),
        ("2026-03-31", "2025-2026"),
        ("2026-08-31", "2025-2026"),
        ("2026-09-15", "2025-2026"),
        ("2026-10-31", "2025-2026"),
        ("2026-11-01", "2026-2027"),
    ],
)
def test_the_last_year_holds_today_or_has_just_ended(today: str, last: str) -> None:
    years = school_years(date.fromisoformat(today), 3)

    assert years[-1].code == last
    assert [year.begins for year in years] == [years[-1].begins - 2, years[-1].begins - 1, years[-1].begins]


def test_every_day_of_a_year_belongs_to_one_semester() -> None:
    (year,) = school_years(date(2025, 3, 13), 1)
    first, second = year.semesters

    assert (first.code, second.code) == ("S1-2024", "S2-2024")
    assert (first.name, second.name) == ("ឆមាសទី ១", "ឆមាសទី ២")
    assert first.end + timedelta(days=1) == second.start
    assert [year.semester_of(day) for day in (year.start, first.end, second.start, year.end)] == [first] * 2 + [
        second
    ] * 2


def test_a_year_has_ten_months_of_marks() -> None:
    (year,) = school_years(date(2025, 3, 13), 1)

    months = list(year.months())

    assert [month.written for month in months][::9] == ["2024-11", "2025-08"]
    assert len(months) == 10
    assert [month.semester.code for month in months] == ["S1-2024"] * 5 + ["S2-2024"] * 5


def test_lessons_stop_for_weekends_and_the_khmer_new_year() -> None:
    assert is_school_day(date(2025, 4, 11))
    assert not any(is_school_day(date(2025, 4, day)) for day in (12, 13, 14, 15, 16, 19))


def test_school_days_end_with_the_day_asked_for() -> None:
    (year,) = school_years(date(2025, 3, 13), 1)

    assert year.school_days(date(2025, 3, 13))[-1] == date(2025, 3, 13)
    assert year.school_days(date(2030, 1, 1))[-1] == date(2025, 8, 29)
