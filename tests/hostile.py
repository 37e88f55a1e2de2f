"""A thousand texts that break careless files: what spreadsheets run, what CSV and XML stumble over, every script.

Guardians carry them into a list, which is taken away and read again.
"""

import csv
import io
import random
from decimal import Decimal
from typing import Any

from sqlalchemy import insert

from fsms.models import Guardian
from fsms.vocabulary import Relation
from tests.browser import PageClient
from tests.builders import Make

_PIECES = (
    *("=", "+", "-", "@", "'", "''", "\uff1d", "\uff0b", "\uff0d", "\uff20"),  # what a spreadsheet runs or strips
    *("SUM(A1)", "cmd|' /C calc'!A0", 'HYPERLINK("http://example.org")', "https://example.org", "#REF!"),
    *('"', '""', ",", ";", "|", "\\", "\\.", "\\N", "\t", "\r", "\n", "\r\n", " ", "  ", "\xa0"),  # what CSV is made of
    *("<b>", "&amp;", "]]>", "_x0041_", "_x000D_", "%d", "%%", "{0}", ":name", "$1"),  # what XML and SQL are made of
    *(chr(control) for control in (*range(1, 9), *range(11, 13), *range(14, 32), 0x7F, 0x85)),
    *("\u2028", "\u200b", "\u200d", "\u200e", "\u200f", "\u202e", "\u2066", "\ufeff"),  # seen by nobody
    *("សុខ ដារ៉ា", "ស្រី\u200bនាង", "១២៣", "שלום", "مرحبا", "é", "e\u0301", "😀", "\ufffe", "\uffff"),
    *("007", "00123", "0", "12", "12345678901234567890", "1.50", "1,5", "1e5", "TRUE", "NULL", "NaN", "None"),
    *("2024-03-14", "31/12/2010", "1-2", "MARCH1"),  # what a spreadsheet takes for a number or a day
)


def _texts(how_many: int) -> list[str]:
    chance = random.Random(2010)  # noqa: S311 - the same texts in every run
    found = dict.fromkeys(_PIECES)
    while len(found) < how_many:
        found["".join(chance.choices(_PIECES, k=chance.randint(2, 5)))] = None
    return list(found)


TEXTS = _texts(1_000)

# Texts, a number with cents, a whole one, yes or no, a moment; what was typed stands in two of them.
COLUMNS = "full_name,relation,student,phone,occupation,village,income,children_count,believe_jesus,updated_at"
_ADDRESS = "/admin/guardian/export/{form}/?columns=" + COLUMNS
PHONE, OCCUPATION, VILLAGE = (COLUMNS.split(",").index(name) for name in ("phone", "occupation", "village"))


def guardians_of_hostile_words(make: Make) -> None:
    """Write down all of a thousand guardians, each in another hostile way."""
    pupil = make.student()
    rows: list[dict[str, Any]] = [
        {
            "student_id": pupil.student_id,
            "relation": Relation.MOTHER.value,
            "last_name": "កែវ",
            "first_name": "សុភា",
            "phone": f"01{number:07}",
            "occupation": text,
            "village": text,
            "income": Decimal(number) / 4,
            "children_count": number % 30,
            "believe_jesus": number % 2 == 0,
        }
        for number, text in enumerate(TEXTS)
    ]
    make.session.execute(insert(Guardian), rows)
    make.session.commit()


def taken(client: PageClient, form: str) -> bytes:
    """Take their list away."""
    with client.web.get(_ADDRESS.format(form=form)) as answer:
        assert answer.status_code == 200
        return answer.get_data()


def by_python(file: bytes) -> list[list[str]]:
    """Read a CSV as Python's own reader does, the headings first."""
    return list(csv.reader(io.StringIO(file.decode("utf-8-sig"), newline="")))
