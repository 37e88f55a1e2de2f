"""Which passwords are good enough, and comparing them."""

import unicodedata

import bcrypt
import pytest

from fsms import passwords
from fsms.errors import InvalidValue

LONG_KHMER = "ខ" * 24
# The same word for the eye: é in one piece, and as an e that is given its accent.
COMPOSED, APART = "café au lait", unicodedata.normalize("NFD", "café au lait")


@pytest.mark.parametrize(
    ("password", "says"),
    [
        ("", "at least 8"),
        ("seven77", "at least 8"),
        ("x" * 20 + "y" * 20 + "zäwv" * 8 + "!", "at most 72 bytes"),
        (LONG_KHMER + "គ", "at most 72 bytes"),
        ("sokdara", "at least 8"),
        ("sokdara7", "contains the user name"),
        ("my SokDara!", "contains the user name"),
        ("password", "Many people"),
        ("Password1", "Many people"),
        ("P@ssw0rd2024!", "Many people"),
        ("12345678", "Many people"),
        ("qwerty123456", "Many people"),
        ("iloveyou", "Many people"),
        ("aaaaaaaaaa", "Many people"),
        ("        ", "Many people"),
        ("12121212", "Many people"),
        ("hijklmnop", "Many people"),
        ("zyxwvuts", "Many people"),
        ("១២៣៤៥៦៧៨", "Many people"),
        ("phnompenh2025", "Many people"),
        ("ពាក្យសម្ងាត់", "Many people"),
    ],
)
def test_a_weak_password_is_refused_with_a_reason(password: str, says: str) -> None:
    with pytest.raises(InvalidValue, match=says) as refused:
        passwords.check(password, username="SokDara")

    assert refused.value.about == "new_password"


@pytest.mark.parametrize(
    "password",
    ["correct horse 7", "ទឹកដោះគោខ្មៅ", "tr0ub4dor&3x", " spaces count ", "a" * 20 + "b" * 20 + "cdef" * 8, "ខគឃង" * 6],
)
def test_a_good_password_is_taken(password: str) -> None:
    passwords.check(password, username="teacher1")

    assert passwords.matches(password, passwords.hashed(password, cost=4), cost=4)


def test_a_name_of_two_letters_may_stand_in_a_password_by_chance() -> None:
    passwords.check("lighthouse keeper", username="li")


def test_khmer_and_accents_may_be_composed_either_way() -> None:
    assert COMPOSED != APART

    assert passwords.matches(APART, passwords.hashed(COMPOSED, cost=4), cost=4)
    assert passwords.matches(COMPOSED, passwords.hashed(APART, cost=4), cost=4)


def test_the_old_program_hashed_what_was_typed_as_it_came() -> None:
    old = bcrypt.hashpw(APART.encode(), bcrypt.gensalt(4)).decode()

    assert passwords.matches(APART, old, cost=4)


@pytest.mark.parametrize(
    "typed", ["correct horse", "correct horse 7 ", " correct horse 7", "Correct horse 7", "", "\ud800"]
)
def test_every_character_counts(typed: str) -> None:
    assert not passwords.matches(typed, passwords.hashed("correct horse 7", cost=4), cost=4)


def test_nothing_after_a_zero_byte_is_ignored() -> None:
    assert not passwords.matches("correct", passwords.hashed("correct\0 horse", cost=4), cost=4)


@pytest.mark.parametrize(
    "kept", [None, "", "plain text", "$2b$04$short", "$2b$04$" + "." * 53, "$argon2id$v=19$m=65536"]
)
def test_what_is_no_hash_matches_nothing(kept: str | None) -> None:
    assert not any(passwords.matches(typed, kept, cost=4) for typed in ("", "plain text", "correct horse 7"))


@pytest.mark.parametrize(
    ("kind", "cost", "outdated"),
    [("2b", 6, False), ("2b", 7, False), ("2b", 5, True), ("2a", 6, True), ("2y", 6, True)],
)
def test_an_older_or_cheaper_hash_is_outdated_but_matches(kind: str, cost: int, outdated: bool) -> None:
    kept = passwords.hashed("correct horse 7", cost=cost).replace("$2b$", f"${kind}$")

    assert passwords.matches("correct horse 7", kept, cost=6)
    assert passwords.is_outdated(kept, cost=6) is outdated


def test_the_work_tells_neither_a_name_nor_the_age_of_a_hash(monkeypatch: pytest.MonkeyPatch) -> None:
    spent = 0
    compare, compute = bcrypt.checkpw, bcrypt.hashpw

    def counted_compare(secret: bytes, kept: bytes) -> bool:
        nonlocal spent
        spent += 2 ** int(kept.split(b"$")[2])
        return compare(secret, kept)

    def counted_compute(secret: bytes, salt: bytes) -> bytes:
        nonlocal spent
        spent += 2 ** int(salt.split(b"$")[2])
        return compute(secret, salt)

    hashes = [passwords.hashed("correct horse 7", cost=cost) for cost in (4, 6, 8)]
    kept = [None, "no hash at all", *hashes, hashes[1].replace("$2b$", "$2a$")]
    monkeypatch.setattr(bcrypt, "checkpw", counted_compare)
    monkeypatch.setattr(bcrypt, "hashpw", counted_compute)
    work = set()
    for one in kept:
        for typed in ("correct horse 7", "wrong", "", "x" * 500):
            spent = 0
            passwords.matches(typed, one, cost=8)
            work.add(spent)

    assert work == {2**8}
