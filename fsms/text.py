"""Text as people type it, brought to the one form that is stored and compared. Knows no table."""

import re
import unicodedata
from datetime import date

KHMER_DIGITS = str.maketrans("០១២៣៤៥៦៧៨៩", "0123456789")
_ARABIC_DIGITS = {arabic: chr(khmer) for khmer, arabic in KHMER_DIGITS.items()}

# Khmer is written without spaces, so keyboards and old files scatter invisible break marks through names;
# two names that look the same must be the same.
_INVISIBLE = dict.fromkeys(map(ord, "\u200b\u200c\u200d\u2060\ufeff\u00ad"))
_SPACES = re.compile(r"[^\S\n]+")


def clean(written: str) -> str:
    """Return the text in NFC, without zero-width and control characters, its spaces single and trimmed."""
    if written.isascii() and written.isprintable() and "  " not in written:
        return written.strip()  # as most of what is typed: a number, a name in Latin letters
    composed = unicodedata.normalize("NFC", written.translate(_INVISIBLE)).replace("\r\n", "\n")
    if composed.isprintable():
        return _SPACES.sub(" ", composed).strip()  # a name in Khmer letters
    visible = "".join(c for c in composed if c in "\n\t" or unicodedata.category(c) != "Cc")
    return "\n".join(_SPACES.sub(" ", line).strip() for line in visible.split("\n")).strip()


def digits(written: str) -> str:
    """Return the text with Khmer digits as Arabic ones: "១២" reads as "12"."""
    return written.translate(KHMER_DIGITS)


def khmer_digits(written: str) -> str:
    """Return the text with Arabic digits as Khmer ones: "12" reads as "១២"."""
    return written.translate(_ARABIC_DIGITS)


def is_alphanumeric(written: str) -> bool:
    """Say whether only letters, their marks and digits are used, in any script: Khmer vowels are marks."""
    return bool(written) and all(unicodedata.category(c)[0] in "LMN" for c in written)


# ---- Keys: what names and numbers are compared by -------------------------------------------------------------------
#
# The database keeps a key beside each name and phone (`nameKey`, `phoneKey`), whoever writes the row; its functions
# (migration 0016) say the same as these two, and a test holds them together.

_UNSAID = re.compile(
    r"[\s\u200b-\u200d\u2060\ufeff\u00ad\u0300-\u036f"  # no letters; accents
    r"!-/:-@\[-`{-~\u00b7\u2018\u2019"  # punctuation
    r"\u17b4\u17b5\u17c9-\u17d1\u17d3-\u17da\u17dd]"  # Khmer signs that many leave out, or put in another order
)
# Ways to type what looks the same: split vowels, ត for ដ below the line, the order of signs, old letters.
_LOOKS_THE_SAME = (
    (re.compile("េី"), "ើ"),
    (re.compile("េា"), "ោ"),
    (re.compile("ំ([ាុ])"), r"\1ំ"),
    (re.compile("្ដ"), "្ត"),
    (re.compile("្រ(្[ក-អ])"), r"\1្រ"),
    (re.compile("ឫ"), "រិ"),
    (re.compile("ឬ"), "រឺ"),
    (re.compile("ឲ"), "ឱ"),
)
_SMALL = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz")


def name_key(written: str) -> str:
    """Return what names are compared by: letters and digits only, small, one form for all that looks the same."""
    key = _UNSAID.sub("", unicodedata.normalize("NFKD", written))
    for found, instead in _LOOKS_THE_SAME:
        key = found.sub(instead, key)
    return digits(key).translate(_SMALL)


_BETWEEN_DIGITS = re.compile(r"[\s\u200b-\u200d\u2060\ufeff\u00ad.()\u2010-\u2015-]")
_PREFIX = re.compile(r"(^|[^0-9+])(?:(?:\+|00)855|855(?=[0-9]{8}))?0?(?=[0-9])")


def phone_key(written: str) -> str:
    """Return the numbers in a text without spaces, country code and leading zero, one space between two of them."""
    joined = _BETWEEN_DIGITS.sub("", digits(unicodedata.normalize("NFKD", written)))
    return re.sub(r"[^0-9]+", " ", _PREFIX.sub(r"\1", joined)).strip(" ")


# ---- Days and months ------------------------------------------------------------------------------------------------

_PERIOD_FORMS = (
    re.compile(r"(?P<year>\d{4})-(?P<month>\d{1,2})(?:-(?P<day>\d{1,2}))?"),
    re.compile(r"(?P<month>\d{1,2})/(?P<year>\d{2}|\d{4})"),
    re.compile(r"(?P<day>\d{1,2})/(?P<month>\d{1,2})/(?P<year>\d{4})"),
)


_DAY_FORMS = (
    re.compile(r"(?P<day>\d{1,2})[/.-](?P<month>\d{1,2})[/.-](?P<year>\d{4})", re.ASCII),
    re.compile(r"(?P<year>\d{4})-(?P<month>\d{1,2})-(?P<day>\d{1,2})", re.ASCII),
)


def day(written: str) -> date:
    """Read a day as people and browsers write it: 31/05/2010, ៣១/០៥/២០១០ or 2010-05-31.

    Raises ValueError where the text is in neither form or names no real day.
    """
    typed = digits(clean(written)).replace(" ", "")
    for form in _DAY_FORMS:
        if found := form.fullmatch(typed):
            return date(int(found["year"]), int(found["month"]), int(found["day"]))
    raise ValueError(written)


def iso_period(written: str) -> str:
    """Return a month or a day as ISO text: "03/25" is "2025-03", "14/03/2025" is "2025-03-14".

    Raises ValueError where the text is in none of the accepted forms or names no real day.
    """
    typed = digits(clean(written)).replace(" ", "")
    for form in _PERIOD_FORMS:
        if found := form.fullmatch(typed):
            parts = found.groupdict()
            year = int(parts["year"]) + (2000 if len(parts["year"]) == 2 else 0)
            day = parts.get("day")
            real = date(year, int(parts["month"]), int(day or 1))
            return real.isoformat() if day else f"{real:%Y-%m}"
    raise ValueError(written)
