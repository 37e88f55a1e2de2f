"""Text as people type it."""

from datetime import date

import pytest

from fsms import text


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("  សុខ   ដារ៉ា ", "សុខ ដារ៉ា"),
        ("ភាសា\u200bខ្មែរ", "ភាសាខ្មែរ"),
        ("\ufeffSok\u2060 Dara\u200d", "Sok Dara"),
        ("Cafe\u0301", "Café"),
        ("a\x00b\x07c", "abc"),
        ("one\r\n two \nthree", "one\ntwo\nthree"),
        ("no\u00a0break", "no break"),
        ("\u200b", ""),
    ],
)
def test_what_looks_the_same_is_kept_the_same(typed: str, kept: str) -> None:
    assert text.clean(typed) == kept


def test_cleaning_twice_changes_nothing_more() -> None:
    once = text.clean(" ឆមាស\u200bទី ១ \x00")

    assert text.clean(once) == once


@pytest.mark.parametrize(
    ("typed", "iso"),
    [
        ("03/25", "2025-03"),
        ("3/25", "2025-03"),
        ("03/2025", "2025-03"),
        ("2025-03", "2025-03"),
        ("2025-3", "2025-03"),
        ("2025-03-14", "2025-03-14"),
        ("14/03/2025", "2025-03-14"),
        ("១៤/០៣/២០២៥", "2025-03-14"),
        (" 03 / 25 ", "2025-03"),
    ],
)
def test_a_month_or_day_in_any_accepted_form_becomes_iso(typed: str, iso: str) -> None:
    assert text.iso_period(typed) == iso


@pytest.mark.parametrize("typed", ["", "13/25", "2025-13", "2025-02-30", "31/02/2025", "March", "25", "0/25", "2025"])
def test_what_is_no_month_and_no_day_is_refused(typed: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - the function's promise is the type alone
        text.iso_period(typed)


@pytest.mark.parametrize(
    ("typed", "alphanumeric"),
    [("sokdara7", True), ("សុខដារ៉ា", True), ("sok dara", False), ("sok.dara", False), ("", False), ("a_b", False)],
)
def test_letters_of_every_script_are_letters(typed: str, alphanumeric: bool) -> None:
    assert text.is_alphanumeric(typed) is alphanumeric


@pytest.mark.parametrize("written", ["31/05/2010", "31/5/2010", "31.05.2010", "31-05-2010", "2010-05-31", "៣១/០៥/២០១០"])
def test_a_day_is_read_day_first_or_as_browsers_write_it(written: str) -> None:
    assert text.day(written) == date(2010, 5, 31)


@pytest.mark.parametrize(
    "written", ["", "31/02/2010", "05/31/2010", "31/05/10", "2010-31-05", "٣١/٠٥/٢٠١٠", "1/1/0000"]
)
def test_what_names_no_day_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        text.day(written)


def test_digits_go_to_khmer_and_back() -> None:
    assert text.khmer_digits("12/05 – 7A") == "១២/០៥ – ៧A"
    assert text.digits(text.khmer_digits("0123456789")) == "0123456789"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("សុខ\u200bដារ៉ា", "សុខដារ៉ា"),
        ("សុខ ដារ៉ា", "សុខដារ៉ា"),
        ("ដារ៉ា", "ដារា"),
        ("ចាន់", "ចាន"),
        ("បណ្ដិត", "បណ្តិត"),
        ("សេាភា", "សោភា"),
        ("កេីត", "កើត"),
        ("ឫទ្ធី", "រិទ្ធី"),
        ("មុំ", "មំុ"),
        ("SOK-Dara", "sok dara"),
        ("René", "rene"),
        ("១២", "12"),
        ("Ｄａｒａ", "dara"),
    ],
)
def test_names_that_look_or_sound_the_same_have_one_key(one: str, other: str) -> None:
    assert text.name_key(one) == text.name_key(other)


@pytest.mark.parametrize(("one", "other"), [("សុខ", "សុក"), ("ដារា", "តារា"), ("លី", "លិ"), ("Sok", "Sak"), ("ធា", "ធារ")])
def test_other_names_have_other_keys(one: str, other: str) -> None:
    assert text.name_key(one) != text.name_key(other)


@pytest.mark.parametrize(
    "written",
    [
        "012345678",
        "012 345 678",
        "012-345-678",
        "(012) 345 678",
        "+855 12 345 678",
        "+855 (0)12 345 678",
        "85512345678",
        "00855 12 345678",
        "12345678",
        "០១២ ៣៤៥ ៦៧៨",
        "+៨៥៥១២៣៤៥៦៧៨",
        "012\u200b345\u200b678",
    ],
)
def test_a_phone_number_has_one_key_however_it_is_written(written: str) -> None:
    assert text.phone_key(written) == "12345678"


def test_several_numbers_in_one_field_stand_apart() -> None:
    assert text.phone_key("012 345 678 / 085 512 345, aunt: 097 1234567") == "12345678 85512345 971234567"
