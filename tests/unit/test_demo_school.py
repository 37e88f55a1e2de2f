"""The demo school is drawn from its seed alone, and lives as a school does. No database here."""

from collections import Counter
from dataclasses import replace
from datetime import date
from hashlib import sha256
from itertools import pairwise
from statistics import median

import pytest

from fsms.demo import Plan, journeys
from fsms.demo.calendar import school_years
from fsms.demo.copying import line
from fsms.demo.journeys import Journey, School
from fsms.demo.loading import draw, tables
from fsms.demo.people import draw_staff
from fsms.errors import InvalidValue
from fsms.vocabulary import Role, StudentStatus

DEFAULT = Plan(today=date(2025, 3, 13), password_hash="$2b$04$no-one-signs-in-with-this")
SMALL = replace(DEFAULT, students=60, years=2)


@pytest.fixture(scope="module")
def school() -> School:
    """The default plan's people and classes."""
    return draw(DEFAULT)


def _fingerprints(plan: Plan) -> dict[str, str]:
    return {table.word: sha256("".join(table.blocks).encode()).hexdigest() for table in tables(plan)}


def test_the_same_plan_gives_the_same_rows() -> None:
    assert _fingerprints(SMALL) == _fingerprints(replace(SMALL))


def test_another_seed_gives_another_school() -> None:
    one, other = _fingerprints(SMALL), _fingerprints(replace(SMALL, seed=1))

    assert [word for word in one if one[word] == other[word]] == ["school years", "semesters", "subjects"]


def test_another_password_changes_the_accounts_only() -> None:
    one, other = _fingerprints(SMALL), _fingerprints(replace(SMALL, password_hash="$2b$04$another"))

    assert [word for word in one if one[word] != other[word]] == ["staff"]


def test_a_topic_drawn_otherwise_leaves_the_others_as_they_were(monkeypatch: pytest.MonkeyPatch) -> None:
    names = [(pupil.last_name, pupil.first_name, pupil.born) for pupil in draw(SMALL).pupils]

    monkeypatch.setattr(journeys, "_DROPPED", 0.2)
    school = draw(replace(SMALL, staff=50))

    assert [(pupil.last_name, pupil.first_name, pupil.born) for pupil in school.pupils][:40] == names[:40]


def test_exactly_the_pupils_asked_for_are_registered_and_most_are_here_now(school: School) -> None:
    here = [pupil for pupil in school.pupils if pupil.status is StudentStatus.ACTIVE]

    assert [pupil.number for pupil in school.pupils] == list(range(1000, 1600))
    assert 450 <= len(here) <= 550
    assert {pupil.level for pupil in here} == set(range(1, 13))


def test_classes_are_as_large_as_the_school_s(school: School) -> None:
    sizes = Counter(place.course.number for year in school.places for place in year)

    assert 23 <= median(sizes.values()) <= 27
    assert max(sizes.values()) <= 34
    assert len(sizes) == len(school.courses)


def test_about_six_in_a_hundred_places_end_in_a_drop(school: School) -> None:
    places = [place for year in school.places for place in year]

    assert 0.05 <= sum(place.dropped_on is not None for place in places) / len(places) <= 0.07


@pytest.mark.parametrize("today", ["2024-11-01", "2024-11-23", "2025-01-15", "2025-09-20"])
def test_the_share_of_drops_is_kept_on_any_day_of_the_year(today: str) -> None:
    school = draw(replace(DEFAULT, today=date.fromisoformat(today)))
    places = [place for year in school.places for place in year]

    assert 0.05 <= sum(place.dropped_on is not None for place in places) / len(places) <= 0.07
    assert all(place.dropped_on <= school.plan.today for place in places if place.dropped_on)


def test_pupils_go_up_a_level_or_repeat_it(school: School) -> None:
    levels: dict[int, list[int]] = {}
    for year in school.places:
        for place in year:
            levels.setdefault(place.pupil.number, []).append(place.course.level)

    steps = Counter(b - a for path in levels.values() for a, b in pairwise(path))

    assert set(steps) == {0, 1}
    assert 0.01 < steps[0] / steps.total() < 0.1


def test_pupils_have_the_age_of_their_level(school: School) -> None:
    ages = [school.years[0].begins - place.pupil.born.year - place.course.level for place in school.places[0]]

    assert set(ages) <= {5, 6, 7, 8}
    assert ages.count(5) + ages.count(6) > 0.8 * len(ages)


def test_brothers_and_sisters_share_a_home_and_namesakes_do_not(school: School) -> None:
    namesakes = [name for name, n in Counter((p.last_name, p.first_name) for p in school.pupils).items() if n > 1]

    assert sum(count > 1 for count in school.children) > 50
    assert max(school.children) <= 4
    assert 3 <= len(namesakes) <= 40


def test_names_are_khmer_with_some_latin_ones_among_them(school: School) -> None:
    latin = sum(pupil.last_name.isascii() for pupil in school.pupils) / len(school.pupils)

    assert 0.1 < latin < 0.2


def test_accounts_have_the_fixed_user_names() -> None:
    staff = draw_staff(DEFAULT)

    assert [person.username for person in staff[:4]] == ["admin", "secretary", "teacher1", "teacher2"]
    assert [person.role for person in staff[:3]] == [Role.ADMIN, Role.ADMIN, Role.TEACHER]
    assert [person.username for person in staff if not person.active] == ["teacher28"]


def test_teacher1_teaches_several_classes_and_nobody_stands_twice_in_one(school: School) -> None:
    now = [course for course in school.courses if course.year is school.years[-1]]

    assert 2 <= sum("teacher1" in [teacher.username for teacher in course.teachers] for course in now) < len(now) / 2
    assert all(1 <= len(set(course.teachers)) == len(course.teachers) <= 3 for course in school.courses)
    assert all(teacher.active for course in now for teacher in course.teachers)


def test_a_finished_year_graduates_its_last_level() -> None:
    plan = replace(SMALL, today=date(2025, 9, 20))

    school = Journey(plan, school_years(plan.today, plan.years), draw_staff(plan)).live()

    finished = [p.pupil for p in school.places[-1] if p.course.level == 12 and not p.dropped_on]
    assert {pupil.status for pupil in finished} == {StudentStatus.GRADUATED}


@pytest.mark.parametrize(("students", "years"), [(1, 1), (1, 5), (13, 3), (40, 20)])
def test_the_smallest_schools_can_be_drawn_too(students: int, years: int) -> None:
    plan = replace(DEFAULT, students=students, years=years, staff=5)

    rows = {table.word: "".join(table.blocks).count("\n") for table in tables(plan)}

    assert rows["pupils"] == students
    assert rows["semesters"] == 2 * years


@pytest.mark.parametrize("wrong", [{"students": 0}, {"years": 0}, {"staff": 4}])
def test_an_impossible_plan_is_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(InvalidValue):
        replace(DEFAULT, **wrong)  # type: ignore[arg-type]


def test_a_row_escapes_what_would_break_it() -> None:
    yes = True

    assert line(7, None, yes, "a\tb\nc\\d") == "7\t\\N\tt\ta\\tb\\nc\\\\d\n"
