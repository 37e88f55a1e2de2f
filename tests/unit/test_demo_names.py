"""The demo school's words are such as the school itself would accept and store."""

import re
from random import Random

import pytest

from fsms import text
from fsms.demo import names, words
from fsms.demo.homes import phone
from fsms.demo.subjects import SUBJECTS, subjects_of

KHMER = re.compile(r"[\u1780-\u17ff]{2,}")
LISTS = {"family names": names.FAMILY_NAMES, "boys": names.BOYS, "girls": names.GIRLS}


def _texts(value: object) -> list[str]:
    if isinstance(value, str):
        return [value]
    return [text for part in value for text in _texts(part)] if isinstance(value, tuple) else []


@pytest.mark.parametrize("listed", LISTS.values(), ids=LISTS)
def test_every_name_is_khmer_with_a_latin_form_and_listed_once(listed: tuple[names.Written, ...]) -> None:
    assert all(KHMER.fullmatch(name.khmer) and re.fullmatch("[A-Z][a-z]+", name.latin) for name in listed)
    assert len({name.khmer for name in listed}) == len(listed)


def test_there_are_names_enough_for_a_school() -> None:
    assert len(names.FAMILY_NAMES) >= 60
    assert len(names.BOYS) + len(names.GIRLS) >= 150


def test_every_text_is_in_the_one_form_that_is_stored() -> None:
    of_names = [form for listed in LISTS.values() for name in listed for form in name]
    of_words = [found for value in vars(words).values() for found in _texts(value)]

    assert [written for written in [*of_names, *of_words] if text.clean(written) != written] == []


def test_a_latin_family_name_stands_in_capitals() -> None:
    name = names.Written("សុខ", "Sok")

    assert name.as_family_name(latin=True) == "SOK"
    assert name.as_first_name(latin=True) == "Sok"
    assert name.as_family_name(latin=False) == "សុខ"


def test_phones_are_written_in_groups_and_some_are_missing() -> None:
    chance = Random(1)  # noqa: S311

    phones = [phone(chance) for _ in range(400)]

    written = [number for number in phones if number]
    assert 20 < phones.count(None) < 100
    assert all(re.fullmatch(r"0\d\d 0\d\d \d{3}", number) for number in written)


@pytest.mark.parametrize(("level", "subjects"), [(1, 19), (6, 19), (7, 12), (8, 12), (9, 11), (10, 12), (12, 12)])
def test_a_level_takes_its_subjects(level: int, subjects: int) -> None:
    assert len(subjects_of(level)) == subjects


def test_there_are_29_subjects() -> None:
    assert len({name for name, _ in SUBJECTS}) == 29
