"""How a name may stand in the other script: the demo school's names, which are kept in both."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fsms import romanising
from fsms.demo.names import BOYS, FAMILY_NAMES, GIRLS
from fsms.text import name_key

NAMES = (*FAMILY_NAMES, *BOYS, *GIRLS)
# Sounds that are spoken and not written, or written and not spoken.
LATIN_NOT_BRIDGED = {"Raksmey", "Chanraksmey"}
KHMER_NOT_BRIDGED = {"រស្មី", "ច័ន្ទរស្មី", "សំបូរ"}


def means(typed: str, kept: str) -> bool:
    """Say whether what is typed may mean the name as kept."""
    pattern = romanising.pattern(name_key(typed))
    return pattern is not None and re.search(pattern, name_key(kept)) is not None


def is_meant_wholly(typed: str, kept: str) -> bool:
    pattern = romanising.pattern(name_key(typed))
    return pattern is not None and re.fullmatch(pattern, name_key(kept)) is not None


def test_a_name_typed_in_latin_letters_means_its_khmer_form() -> None:
    missed = {name.latin for name in NAMES if not means(name.latin, name.khmer)}

    assert missed == LATIN_NOT_BRIDGED


def test_a_name_typed_in_khmer_means_its_latin_form() -> None:
    missed = {name.khmer for name in NAMES if not means(name.khmer, name.latin)}

    assert missed == KHMER_NOT_BRIDGED


@pytest.mark.parametrize(("way", "other"), [("latin", "khmer"), ("khmer", "latin")])
def test_a_name_is_rarely_taken_for_another(way: str, other: str) -> None:
    taken = sum(
        is_meant_wholly(getattr(one, way), getattr(another, other))
        for one in NAMES
        for another in NAMES
        if one != another
    )

    assert taken / len(NAMES) < 0.2


@pytest.mark.parametrize(
    ("typed", "kept"),
    [("Sok", "Sokh"), ("Sopheap", "Sophiap"), ("Ly", "Li"), ("Vutthy", "Vuthy"), ("Chhan", "Chan"), ("Bou", "Bu")],
)
def test_latin_spellings_of_one_sound_stand_for_one_another(typed: str, kept: str) -> None:
    assert means(typed, kept)
    assert means(kept, typed)


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("Sok", "សេង"),
        ("Dara", "ដារិន"),
        ("Dara", "តារា"),
        ("តារា", "Dara"),
        ("Sok", "Socheat"),
        ("Chan", "ចេង"),
        ("Ly", "ឡាយ"),
        ("Mao", "មាស"),
        ("Heng", "ហុង"),
        ("Vuthy", "វាវី"),
        ("សុខ", "Seng"),
        ("ដារា", "Dalin"),
        ("ហេង", "Hong"),
        ("Sokha", "Sokly"),
    ],
)
def test_other_names_are_not_meant(typed: str, kept: str) -> None:
    assert not means(typed, kept)


@pytest.mark.parametrize("typed", ["", "a", "7a", "012", "Ĺ", "李", "a" * 41])
def test_of_what_is_no_word_of_the_two_scripts_nothing_is_said(typed: str) -> None:
    assert romanising.pattern(typed) is None


@settings(deadline=None)
@given(st.text(alphabet="abcdehiklmnoprstuvwyzxqjfgកខគងចញដតធណបផភមយរលវសហអឥឧាិីុូេែៃោៅំះៈ្", max_size=40))
def test_whatever_is_typed_makes_a_pattern_or_none(typed: str) -> None:
    pattern = romanising.pattern(name_key(typed))

    assert pattern is None or re.compile(pattern)


@pytest.mark.parametrize("typed", ["Sok", "Dara", "Ngim", "Kha", "Phally", "Thy", "Nhem", "Sopheap", "ak"])
def test_what_is_sought_anywhere_is_found_without_what_stands_before_or_behind(typed: str) -> None:
    key = name_key(typed)
    exactly, anywhere = romanising.pattern(key), romanising.pattern(key, anywhere=True)

    assert exactly
    assert anywhere
    assert len(anywhere) < len(exactly)
    kept = [name_key(written) for name in NAMES for written in (name.latin, name.khmer)]
    assert [bool(re.search(anywhere, one)) for one in kept] == [bool(re.search(exactly, one)) for one in kept]
