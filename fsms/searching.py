"""Whether what somebody typed stands in a record: names however spelled, phones however spaced, numbers. Reads only.

`words` takes the typed text apart, `stands_in` asks of one word and one column, `every_word_in` of all of them. Which
rows are asked at all, row security decides. docs/decisions/search.md says how names are compared.
"""

import re
from collections.abc import Callable, Sequence
from typing import Any, cast

from sqlalchemy import Column, ColumnElement, Table, Text, and_, false, or_, true
from sqlalchemy import cast as as_type

from fsms import romanising, text
from fsms.models import Base, Course, Guardian, Student, User

LONGEST = 200
LARGEST_NUMBER = 2**31 - 1
SHORTEST_PHONE = 3  # Two digits of a phone number are in every other one.

_PHONE = re.compile(r"[+(]*[0-9](?:[\s.()-]*[0-9])*")
# The parts of one number are apart: it begins as phone numbers do, or nothing else is typed.
_SPACED_PHONE = re.compile(r"(?<!\S)(?:\(?(?:\+|0)[0-9().-]*|855)(?:\s+[0-9().-]+)+(?!\S)")


def words(typed: str) -> list[str]:
    """Take apart what somebody typed; "012 345 678" is one word, and marks between words are none."""
    written = text.clean(typed)[:LONGEST]
    plain = text.digits(written)
    if sum(map(str.isdigit, plain)) >= 8 and re.fullmatch(r"[0-9\s]+", plain):
        return [plain]
    found = re.split(r"\s+", _SPACED_PHONE.sub(lambda phone: re.sub(r"\s+", "\0", phone[0]), plain)) if plain else []
    apart = [word.replace("\0", " ") for word in found if word]
    return [word for word in apart if text.name_key(word)] or apart


def every_word_in(typed: str, columns: Sequence[Any]) -> ColumnElement[bool]:
    """Ask that each word stands in one of the columns, in any order."""
    return and_(true(), *(or_(*(stands_in(word, column) for column in columns)) for word in words(typed)))


def stands_in(word: str, column: Any) -> ColumnElement[bool]:
    """Ask whether a word stands in a column: anywhere in a text, as a spelling of a name, as a number."""
    of_table = getattr(column, "property", None)
    kept = of_table.columns[0] if of_table is not None else column
    if isinstance(kept, Column) and kept.primary_key:
        return is_number(word, kept)
    asked = _ASKED.get(kept) if isinstance(kept, Column) else None
    return asked(word) if asked else _anywhere(word, column)


def is_named(entity: type[Base], word: str, *, first: bool = False) -> ColumnElement[bool]:
    """Ask whether a word is a spelling of a part of a person's name; of its beginning, if it must come first."""
    key, sought = _key(entity, "nameKey"), text.name_key(word)
    if not sought:
        return false()
    pattern = romanising.pattern(sought, anywhere=not first)
    if first:
        return key.regexp_match(f"^(?:{sought}|{pattern or sought})")
    if not pattern:
        return key.contains(sought)
    return key.regexp_match(pattern if re.search(pattern, sought) else f"{sought}|{pattern}")


def has_phone(entity: type[Base], word: str) -> ColumnElement[bool]:
    """Ask whether a phone number of a person holds these digits, typed at home or with the country's code."""
    key, sought = _key(entity, "phoneKey"), text.phone_key(word) if _PHONE.fullmatch(word) else ""
    if len(sought) < SHORTEST_PHONE - word.startswith("0"):
        return false()
    # A number typed from its beginning begins so; the key has the zero of none.
    from_the_start = word.startswith(("0", "+", "(0", "(+")) or sought != "".join(filter(str.isdigit, word))
    return or_(key.startswith(sought), key.contains(f" {sought}")) if from_the_start else key.contains(sought)


def is_number(word: str, key: Any) -> ColumnElement[bool]:
    """Ask whether a record has this number."""
    number = word.removeprefix("#")
    if number.isascii() and number.isdigit() and int(number) <= LARGEST_NUMBER:
        return cast(ColumnElement[bool], key == int(number))
    return false()


def _key(entity: type[Base], name: str) -> Column[Any]:
    return cast(Table, entity.__table__).c[name]


def _anywhere(word: str, column: Any) -> ColumnElement[bool]:
    found: ColumnElement[bool] = as_type(column, Text).icontains(word, autoescape=True)
    return found


def _nowhere(_word: str) -> ColumnElement[bool]:
    """The key that stands for this column too is asked already, for the column beside it."""
    return false()


def _people() -> dict[Any, Callable[[str], ColumnElement[bool]]]:
    asked: dict[Any, Callable[[str], ColumnElement[bool]]] = {}
    for entity, phone in ((User, "phonenumber1"), (Student, "phone"), (Guardian, "phone")):
        columns = entity.__mapper__.columns
        asked[columns["last_name"]] = lambda word, entity=entity: is_named(entity, word)  # type: ignore[misc]
        asked[columns["first_name"]] = _nowhere
        asked[columns[phone]] = lambda word, entity=entity: has_phone(entity, word)  # type: ignore[misc]
    asked[User.__mapper__.columns["phonenumber2"]] = _nowhere
    return asked


# The columns that are asked otherwise than by their letters. A section is never typed without its level.
_ASKED = _people() | {Course.__mapper__.columns["section"]: lambda word: _anywhere(word, Course.grade + Course.section)}
