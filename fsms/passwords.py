"""Passwords: which ones are good enough, how they are kept, and comparing them. Knows no account and no database."""

import re
import unicodedata
from functools import cache
from itertools import pairwise
from pathlib import Path

import bcrypt

from fsms.errors import InvalidValue

SHORTEST = 8
LONGEST_IN_BYTES = 72  # bcrypt reads no further
# What a shorter name is contained in by chance.
SHORTEST_TELLING_NAME = 3

# “password2024!” is “password”: this many digits and signs at the end make no word a secret.
LONGEST_USELESS_ENDING = 5
FEWEST_DIFFERENT_CHARACTERS = 4
LETTERS_AS_DIGITS = str.maketrans("013457@$!", "oieastasi")

_OF_BCRYPT = re.compile(r"\$2([abxy])\$(\d\d)\$[./A-Za-z0-9]{53}")


def _(sentence: str) -> str:
    """Mark a sentence for the translators; the screen translates it when it is shown."""
    return sentence


def check(password: str, *, username: str) -> None:
    """Raise InvalidValue, with a sentence that says what to do, unless the password is good enough."""
    chosen = normal(password)
    if len(chosen) < SHORTEST:
        raise _refused(_("Choose a password of at least %(count)s characters."), count=SHORTEST)
    _check_length(chosen)
    name = normal(username).casefold()
    if name == chosen.casefold() or (len(name) >= SHORTEST_TELLING_NAME and name in chosen.casefold()):
        raise _refused(_("The password contains the user name. Choose one that does not."))
    if _is_easy_to_guess(chosen.casefold()):
        raise _refused(_("Many people use this password, so it is guessed first. Choose another, such as three words."))


def normal(password: str) -> str:
    """Return the password in NFC: keyboards and phones compose the same Khmer letters differently. Spaces count."""
    return unicodedata.normalize("NFC", password)


def hashed(password: str, *, cost: int) -> str:
    """Return the bcrypt hash to keep; `check` has said before whether the password is good enough."""
    _check_length(normal(password))
    return bcrypt.hashpw(_bytes(normal(password)), bcrypt.gensalt(cost)).decode()


def renewed(password: str, *, cost: int) -> str:
    """Return a new hash of a password that was right just now; one of the old program's may be longer than bcrypt."""
    return bcrypt.hashpw(_bytes(normal(password))[:LONGEST_IN_BYTES], bcrypt.gensalt(cost)).decode()


def is_outdated(kept: str, *, cost: int) -> bool:
    """Say whether a hash should be renewed: it is of an older kind, or cheaper to try than we want."""
    parts = _OF_BCRYPT.fullmatch(kept)
    return not parts or parts[1] != "b" or int(parts[2]) < cost


def matches(password: str, kept: str | None, *, cost: int) -> bool:
    """Say whether this is the password behind the hash. None, for a name that nobody has, matches nothing.

    The work is that of a new hash in every case, so that the clock tells neither whether there is such an account
    nor how old its hash is.
    """
    parts = _OF_BCRYPT.fullmatch(kept or "")
    against, spent = (parts[0], int(parts[2])) if parts else (_nobodys_hash(cost), cost)
    found = False
    # The school's old program hashed what was typed as it came, and cut it at bcrypt's 72 bytes.
    for typed in dict.fromkeys((normal(password), password)):
        secret = _bytes(typed)[:LONGEST_IN_BYTES]
        found = bcrypt.checkpw(secret, against.encode()) or found
        # 2¹⁰ + 2¹⁰ + 2¹¹ = 2¹²: a cheaper hash is topped up to the whole work.
        for missing in range(spent, cost):
            bcrypt.hashpw(secret, bcrypt.gensalt(missing))
    return found and parts is not None


def _check_length(chosen: str) -> None:
    if len(_bytes(chosen)) > LONGEST_IN_BYTES:
        raise _refused(
            _("This password is too long: at most %(count)s bytes, which is 72 Latin or 24 Khmer characters."),
            count=LONGEST_IN_BYTES,
        )


def _is_easy_to_guess(password: str) -> bool:
    if len(set(password)) < FEWEST_DIFFERENT_CHARACTERS or _is_a_run(password):
        return True
    stem = re.sub(r"[\d\W_]+\Z", "", password)
    ending = password[len(stem) :]
    known = {password, password.translate(LETTERS_AS_DIGITS)} & _common()
    known_stem = {stem, stem.translate(LETTERS_AS_DIGITS)} & _common()
    return bool(known or (known_stem and (len(ending) <= LONGEST_USELESS_ENDING or ending in _common())))


def _is_a_run(password: str) -> bool:
    """Say whether each character follows the one before in the alphabet, forwards or backwards."""
    steps = {ord(after) - ord(before) for before, after in pairwise(password)}
    return steps in ({1}, {-1})


@cache
def _common() -> frozenset[str]:
    return frozenset((Path(__file__).parent / "common_passwords.txt").read_text(encoding="utf-8").split())


def _nobodys_hash(cost: int) -> str:
    return f"$2b${cost:02}$" + "." * 53


def _bytes(password: str) -> bytes:
    # JSON can carry half a surrogate pair, which is no text: it must be a wrong password, not a crash.
    return password.encode("utf-8", "surrogatepass")


def _refused(sentence: str, **facts: object) -> InvalidValue:
    return InvalidValue(sentence, about="new_password", **facts)
