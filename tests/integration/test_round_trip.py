"""What is taken away comes back as it was: hostile texts through every form of file, and a file of one moment."""

import csv
import io
import json
import random
from collections.abc import Callable, Iterator
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import load_workbook
from openpyxl.utils.escape import unescape
from sqlalchemy import Engine, Table, create_engine, delete, func, insert, select, true
from sqlalchemy.orm import load_only

from fsms.exchange import csv_export, json_lines, labels, xlsx_export
from fsms.exchange.sheet import Column, Sheet
from fsms.models import ENTITIES, ActivityLog, Base, Enrollment, FamilyInfo, Subject
from tests.builders import Make
from tests.database import migrated_template, scratch_database

SPICES = [
    "=HYPERLINK(\"http://example.org\")", "+855", "-1+2", "@SUM(A1)", "\t=1", "\n=1", "'", "''=1", "'=1", '"', ",", ";",
    "\n", "%", "%%", "\\", "\\n", "\\.", "{}", "\u0001", "\u001f", "\u200f", "\u202e", "សុខ", "ដារ៉ា", "ខ\u200bមែរ",
    "ស្រ្តី", "😀", "_x0041_", "_x000D_", "＝1", "NULL", "true", "007", "1e5", "0x1F", "1-2", "</t>", "&amp;", "''", " ",
]  # fmt: skip
SUBJECTS = Sheet(
    title="Subjects",
    columns=(Column("subject_name", "Subject", Subject.subject_name),),
    rows=select(Subject).order_by(Subject.subject_id),
)


def _hostile(count: int) -> list[str]:
    chance = random.Random(28)  # noqa: S311 - the same texts every time
    made: dict[str, None] = {}
    while len(made) < count:
        made["".join(chance.choices(SPICES, k=chance.randint(1, 5)))] = None
    return list(made)


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    with scratch_database("round_trip", migrated_template()) as url:
        engine = create_engine(url)
        yield engine
        engine.dispose()


UNLOGGED = select(func.set_config("fsms.logged", "on", true()))
TABLE = cast(Table, Subject.__table__)


@pytest.fixture
def texts(engine: Engine) -> Iterator[list[str]]:
    """A thousand subjects with hostile names, written past the model, which would tidy them."""
    written = [f"{text}·{place}" for place, text in enumerate(_hostile(1_000))]
    with engine.begin() as connection:
        connection.execute(UNLOGGED)
        connection.execute(insert(TABLE), [{"subjectName": text} for text in written])
    yield written
    with engine.begin() as connection:
        connection.execute(UNLOGGED)
        connection.execute(delete(TABLE))


def _file(stream: Callable[..., Iterator[bytes]], engine: Engine) -> bytes:
    with engine.connect() as connection:
        return b"".join(stream(connection, SUBJECTS, lambda _rows: None))


def test_a_thousand_hostile_texts_survive_csv_and_start_nothing(engine: Engine, texts: list[str]) -> None:
    written = _file(csv_export.stream, engine)

    _heading, *rows = csv.reader(io.StringIO(written.decode("utf-8-sig"), newline=""))
    cells = [cell for (cell,) in rows]
    assert [csv_export.as_it_was(cell) for cell in cells] == texts
    assert [cell for cell in cells if cell[0] in "=+-@\t\r\n＝"] == []
    assert written.count(b"\r\n") >= len(texts)


def test_a_thousand_hostile_texts_survive_a_workbook(engine: Engine, texts: list[str]) -> None:
    file = io.BytesIO()
    with engine.connect() as connection:
        xlsx_export.write(file, connection, SUBJECTS, lambda _rows: None)

    cells = [row[0] for row in load_workbook(file).worksheets[0].iter_rows(min_row=2)]
    # What XML has no sign for is written as _x0001_; Excel reads it back, openpyxl leaves it to the caller.
    assert [unescape(str(cell.value)) for cell in cells] == texts
    assert {cell.data_type for cell in cells} == {"s"}


def test_a_thousand_hostile_texts_survive_json_lines(engine: Engine, texts: list[str]) -> None:
    lines = _file(json_lines.stream, engine).decode().split("\n")

    assert [json.loads(line)["subject_name"] for line in lines if line] == texts


@given(st.text())
def test_an_apostrophe_more_is_always_taken_away_again(text: str) -> None:
    assert csv_export.as_it_was(csv_export.harmless(text)) == text


def test_a_file_is_of_one_moment_however_long_it_takes(engine: Engine, texts: list[str]) -> None:
    with engine.connect() as connection:
        pieces = csv_export.stream(connection, SUBJECTS, lambda _rows: None)
        began = next(pieces) + next(pieces)
        with engine.begin() as meanwhile:
            meanwhile.execute(UNLOGGED)
            meanwhile.execute(insert(TABLE), [{"subjectName": "came later"}])
        written = (began + b"".join(pieces)).decode("utf-8-sig")

    rows = list(csv.reader(io.StringIO(written, newline="")))
    assert len(rows) == len(texts) + 1
    assert ["came later"] not in rows


def test_whoever_goes_away_leaves_the_connection_free(engine: Engine, texts: list[str]) -> None:
    with engine.connect() as connection:
        pieces = csv_export.stream(connection, SUBJECTS, lambda _rows: None)
        next(pieces)
        next(pieces)
        pieces.close()

        assert connection.scalar(select(func.count()).select_from(Subject)) == len(texts)


@pytest.mark.parametrize("entity", [entity for entity in ENTITIES if entity is not ActivityLog])
def test_a_record_is_called_the_same_in_a_file_and_on_a_page(make: Make, entity: type[Base]) -> None:
    make.user()
    for build in (make.grade, make.attendance, make.guardian, make.family, make.scholarship):
        build()
    make.guardian(last_name=None, first_name=None)
    make.grade(grade=None, excused=True)
    make.scholarship(type=None, sponsor=None)
    make.session.commit()

    joined = labels.Joined(entity)
    key = entity.__mapper__.primary_key[0]
    named = joined.applied(select(entity, joined.label(())).order_by(key))

    found = make.session.execute(named).all()
    assert found
    assert [name for _row, name in found] == [str(row) for row, _name in found]


@pytest.mark.parametrize(
    "entity", [entity for entity in ENTITIES if entity not in (ActivityLog, Enrollment, FamilyInfo)]
)
def test_a_record_is_called_by_what_is_read_for_its_name(make: Make, entity: type[Base]) -> None:
    for build in (make.grade, make.attendance, make.guardian, make.scholarship):
        build()
    make.session.commit()
    whole = [str(row) for row in make.session.scalars(select(entity).order_by(*entity.__mapper__.primary_key))]
    make.session.expunge_all()
    read = labels.read_by(entity)

    few = select(entity).options(load_only(*read, raiseload=True)).order_by(*entity.__mapper__.primary_key)

    assert [str(row) for row in make.session.scalars(few)] == whole
