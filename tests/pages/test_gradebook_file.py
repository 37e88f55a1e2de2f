"""The sheet of a class as an Excel file: what it looks like, what comes back, and strangers' files."""

import datetime as dt
import io
import json
import zipfile
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from openpyxl import Workbook, load_workbook
from sqlalchemy import select
from sqlalchemy.orm import Session

from fsms.models import ActivityLog, Grade
from tests.browser import Page, PageClient
from tests.builders import Make

MONTH = "2025-03"


class AClass:
    """A class of three with two subjects; the first pupil has a 7 and an excuse, the last was dropped."""

    def __init__(self, make: Make, teacher: Any) -> None:
        year = make.school_year()
        self.course = make.course(level=5, section="A", teacher=teacher, school_year=year)
        self.semester = make.semester(semester_code="S2-1", school_year=year)
        self.subjects = [make.subject(subject_name=name) for name in ("គណិតវិទ្យា ក", "=Maths")]
        names = (("Sok", "ដារ៉ា"), ("=1+1", "Bopha"))
        self.places = [
            make.enrollment(course=self.course, student=make.student(last_name=last, first_name=first))
            for last, first in names
        ]
        self.dropped = make.dropped(course=self.course, semester=self.semester, drop_date=dt.date(2025, 4, 1))
        given = {"semester": self.semester, "grade_date": MONTH, "user": teacher}
        make.grade(enrollment=self.places[0], subject=self.subjects[0], grade=Decimal(7), **given)
        make.grade(enrollment=self.places[0], subject=self.subjects[1], grade=None, excused=True, **given)
        make.grade(enrollment=self.dropped, subject=self.subjects[0], grade=Decimal(3), **given)

    @property
    def query(self) -> str:
        return f"?course={self.course.course_id}&semester={self.semester.semester_id}&month={MONTH}"

    def download(self, client: PageClient, query: str | None = None) -> Any:
        client.before_each()
        answer = client.web.get(f"/admin/gradebook/file/sheet.xlsx{query or self.query}")
        assert answer.status_code == 200
        return load_workbook(io.BytesIO(answer.data))

    def upload(self, client: PageClient, book: Any, *, name: str = "marks.xlsx") -> Page:
        if not isinstance(book, bytes):
            kept = io.BytesIO()
            book.save(kept)
            book = kept.getvalue()
        client.get(f"/admin/gradebook/file/{self.query}")
        return client.submit("upload", {"file": (io.BytesIO(book), name)})


@pytest.fixture
def own(make: Make, teacher: PageClient) -> AClass:
    return AClass(make, teacher.user)


def stored(session: Session) -> dict[tuple[int, int], str | None]:
    session.expire_all()
    return {
        (mark.student_id, mark.subject_id): "excused" if mark.excused else str(mark.grade)
        for mark in session.scalars(select(Grade))
    }


# ---- Down ----------------------------------------------------------------------------------------------------------


def test_the_file_holds_the_class_as_a_person_needs_it(teacher: PageClient, own: AClass) -> None:
    page = own.download(teacher).active

    rows = [[cell.value for cell in row] for row in page.iter_rows()]
    assert rows[0][0] == f"{own.course} · S2-1 · {MONTH}"
    assert rows[1] == ["Number", "Pupil", "គណិតវិទ្យា ក", "=Maths"]
    by_number = {row[0]: row[1:] for row in rows[2:]}
    assert by_number == {
        str(own.places[0].student_id): ["Sok ដារ៉ា", 7, "exc"],
        str(own.places[1].student_id): ["=1+1 Bopha", None, None],
    }
    assert page.freeze_panes == "C3"
    assert {cell.data_type for row in page.iter_rows(min_row=2) for cell in row} <= {"s", "n"}, "no formula"
    assert [str(rule.sqref) for rule in page.data_validations.dataValidation] == ["C3:C4", "D3:D4"]


def test_the_months_of_a_subject_can_be_taken_away_too(teacher: PageClient, own: AClass) -> None:
    query = f"?course={own.course.course_id}&semester={own.semester.semester_id}&subject={own.subjects[0].subject_id}"

    page = own.download(teacher, query).active

    assert page["A1"].value.endswith("· គណិតវិទ្យា ក")
    assert MONTH in [cell.value for cell in page[2]]


def test_that_it_was_taken_away_stands_in_the_log(teacher: PageClient, own: AClass, session: Session) -> None:
    own.download(teacher)

    entry = session.scalars(select(ActivityLog).where(ActivityLog.action == "export_grade")).one()
    assert (entry.user_id, entry.entity) == (teacher.user.user_id, "Grade")


# ---- Up ------------------------------------------------------------------------------------------------------------


def test_a_file_comes_back_is_looked_at_applied_and_undone(teacher: PageClient, own: AClass, session: Session) -> None:
    book = own.download(teacher)
    page = book.active
    row_of = {page.cell(row, 1).value: row for row in (3, 4)}
    first, second = (row_of[str(place.student_id)] for place in own.places)
    page.cell(first, 3).value, page.cell(second, 3).value, page.cell(second, 4).value = 8, "៩,៥", "abs"
    before = stored(session)

    seen = own.upload(teacher, book)

    assert "1 new, 1 changed (7 → 8), 1 refused" in seen.text
    assert f"Row {second}: “abs” is not a mark." in seen.text
    assert "· March 2025" in seen.text, "the month stands there in words"
    assert stored(session) == before
    applied = teacher.submit("apply")
    assert "2 marks saved." in applied.flashes
    (one, two), (maths, other) = (place.student_id for place in own.places), (s.subject_id for s in own.subjects)
    assert stored(session) == before | {(one, maths): "8.00", (two, maths): "9.50"}
    assert (one, other) in before, "the excuse stays"
    undo = next(link.get("href") or "" for link in applied.find("a") if "undo" in (link.get("href") or ""))
    teacher.get(undo)
    teacher.submit("undo")
    assert stored(session) == before


def test_rows_and_columns_may_stand_in_any_order(teacher: PageClient, own: AClass, session: Session) -> None:
    book = own.download(teacher)
    page = book.active
    new = Workbook()
    blank: Any = new.active
    blank.append([page["A1"].value])
    blank.append(["No", "Name", "=Maths", None, "គណិតវិទ្យា ក"])
    blank["C2"].data_type = "s"
    for place, mark in zip(reversed(own.places), (5, 6), strict=True):
        blank.append([place.student_id, "whoever", None, None, mark])

    own.upload(teacher, new)
    teacher.submit("apply")

    maths = own.subjects[0].subject_id
    held = stored(session)
    assert [held[place.student_id, maths] for place in own.places] == ["6.00", "5.00"]


def test_what_somebody_else_saved_meanwhile_stays(
    teacher: PageClient, own: AClass, session: Session, make: Make
) -> None:
    book = own.download(teacher)
    for row in (3, 4):
        book.active.cell(row, 3).value = 1
    own.upload(teacher, book)
    mark = session.scalars(select(Grade).where(Grade.student_id == own.places[0].student_id, ~Grade.excused)).one()
    mark.grade = Decimal(10)
    session.commit()

    applied = teacher.submit("apply")

    assert any("1 mark not saved" in said for said in applied.flashes)
    assert stored(session)[mark.student_id, mark.subject_id] == "10.00"


def test_rows_of_nobody_of_dropped_pupils_and_doubles_are_refused(
    teacher: PageClient, own: AClass, session: Session
) -> None:
    book = own.download(teacher)
    page = book.active
    page.append(["999999", "Nobody", 5])
    page.append([str(own.dropped.student_id), "Dropped", 5])
    page.append([str(own.places[0].student_id), "Again", 5])
    page.append([None, None, 5])

    seen = own.upload(teacher, book)

    assert "Row 5: No pupil of this class has this number." in seen.text
    assert "was dropped from this class on" in seen.text
    assert "Row 7: This pupil stands in the file twice; the first row counts." in seen.text
    assert "Row 8: No pupil of this class has this number." in seen.text
    assert "Nothing would change." in seen.text


def test_a_file_gives_no_mark_for_the_time_before_a_pupil_came(
    teacher: PageClient, own: AClass, session: Session
) -> None:
    own.places[1].enrolled_on = dt.date(2025, 4, 10)
    session.commit()
    book = own.download(teacher)
    row = next(row for row in book.active.iter_rows(min_row=3) if row[0].value == str(own.places[1].student_id))
    row[2].value = 9

    seen = own.upload(teacher, book)

    assert "came to this class on 10/04/2025, so there are no marks for the time before." in seen.text
    assert "Nothing would change." in seen.text


def test_a_formula_is_no_mark(teacher: PageClient, own: AClass) -> None:
    book = own.download(teacher)
    book.active["C4"] = "=5+5"

    assert "“=5+5” is not a mark." in own.upload(teacher, book).text


@pytest.mark.parametrize("heading", ["Mathz", "", "=Maths"])
def test_a_renamed_column_is_not_guessed(teacher: PageClient, own: AClass, heading: str) -> None:
    book = own.download(teacher)
    book.active["C2"] = heading
    book.active["C2"].data_type = "s"

    refused = own.upload(teacher, book)

    assert "is headed" in refused.errors["file"] or "Column" in refused.errors["file"]


def test_the_sheet_of_another_class_or_month_is_refused(
    teacher: PageClient, own: AClass, make: Make, session: Session
) -> None:
    other = make.course(level=6, section="B", teacher=teacher.user)
    place = make.enrollment(course=other)
    make.grade(enrollment=place, semester=own.semester, subject=own.subjects[0], grade_date=MONTH)
    elsewhere = f"?course={other.course_id}&semester={own.semester.semester_id}&month={MONTH}"
    before = stored(session)

    for query in (elsewhere, own.query.replace(MONTH, "2025-04")):
        refused = own.upload(teacher, own.download(teacher, query))
        assert "This is not the file of the sheet" in refused.errors["file"]
    assert stored(session) == before


# ---- Strangers' files ----------------------------------------------------------------------------------------------


def packed(parts: dict[str, bytes]) -> bytes:
    kept = io.BytesIO()
    with zipfile.ZipFile(kept, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return kept.getvalue()


def a_workbook(**parts: bytes) -> bytes:
    kept = io.BytesIO()
    Workbook().save(kept)
    with zipfile.ZipFile(kept) as archive:
        held = {name: archive.read(name) for name in archive.namelist()}
    return packed(held | {name.replace("__", "/"): content for name, content in parts.items()})


LAUGHS = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]><worksheet>&b;</worksheet>'

FILES: dict[str, Callable[[], bytes]] = {
    "nothing": lambda: b"",
    "text": lambda: b"Number;Mark\n1000;7\n",
    "a picture": lambda: b"\x89PNG\r\n\x1a\n" + b"\0" * 100,
    "an old Excel file": lambda: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600,
    "half a file": lambda: a_workbook()[:2000],
    "an empty archive": lambda: packed({}),
    "an archive of something else": lambda: packed({"letter.txt": b"Dear office"}),
    "a broken sheet": lambda: a_workbook(**{"xl__worksheets__sheet1.xml": b"<worksheet><sheetData><row"}),
    "entities that multiply": lambda: a_workbook(**{"xl__worksheets__sheet1.xml": LAUGHS}),
    "a bomb": lambda: packed({"xl/worksheets/sheet1.xml": b"0" * (40 * 1024 * 1024)}),
    "many parts": lambda: packed({f"{n}.xml": b"<a/>" for n in range(300)}),
    "too long a file": lambda: b"PK" + b"\0" * (3 * 1024 * 1024),
    "somebody's list": lambda: a_workbook(),
}


@pytest.mark.parametrize("kind", FILES)
def test_what_is_no_file_of_ours_is_refused_in_a_sentence(
    teacher: PageClient, own: AClass, session: Session, kind: str
) -> None:
    before = stored(session)

    refused = own.upload(teacher, FILES[kind]())

    assert refused.status == 200
    said = refused.errors["file"]
    assert said.startswith(("This is no Excel file", "This file is too large", "This is not the file of the sheet"))
    assert stored(session) == before


def test_a_sheet_of_a_million_rows_is_refused(teacher: PageClient, own: AClass) -> None:
    book = own.download(teacher)
    for row in range(5, 700):
        book.active.cell(row, 3).value = 5

    assert "too large" in own.upload(teacher, book).errors["file"]


@pytest.mark.parametrize("cells", ["", "x", "{}", "[1]", '[{"name": "m.1.2"}]', '[{"name": 5}]', "[" * 5000])
def test_what_the_preview_did_not_give_is_not_applied(
    teacher: PageClient, own: AClass, session: Session, cells: str
) -> None:
    before = stored(session)

    answer = teacher.post(f"/admin/gradebook/file/{own.query}", {"cells": cells})

    assert answer.status == 400
    assert stored(session) == before


def test_of_another_teachers_class_there_is_no_file(
    other_teacher: PageClient, teacher: PageClient, own: AClass, session: Session
) -> None:
    before = stored(session)
    name = f"m.{own.places[1].student_id}.{own.subjects[0].subject_id}.{MONTH}"
    cells = f'[{{"name": "{name}", "typed": "1", "comment": "", "seen": ""}}]'

    for path in ("", "sheet.xlsx"):
        assert other_teacher.get(f"/admin/gradebook/file/{path}{own.query}").status == 404
    assert other_teacher.post(f"/admin/gradebook/file/{own.query}", {"cells": cells}).status == 404
    assert stored(session) == before


def test_a_locked_semester_refuses_the_file_too(
    teacher: PageClient, admin: PageClient, own: AClass, session: Session
) -> None:
    book = own.download(teacher)
    book.active["C4"] = 9
    admin.get(f"/admin/locks/?year={own.course.school_year_id}")
    admin.submit(f"lock-{own.semester.semester_id}", reason="Reports are printed")
    before = stored(session)

    assert "Reports are printed" in own.upload(teacher, book).text
    name = f"m.{own.places[1].student_id}.{own.subjects[0].subject_id}.{MONTH}"
    cells = f'[{{"name": "{name}", "typed": "1", "comment": "", "seen": ""}}]'
    applied = teacher.post(f"/admin/gradebook/file/{own.query}", {"cells": cells})
    assert any("Reports are printed" in said for said in applied.flashes)
    assert stored(session) == before


def test_in_khmer_the_file_goes_down_and_comes_back(teacher: PageClient, own: AClass, session: Session) -> None:
    teacher.post("/language", {"language": "km"})
    before = stored(session)

    book = own.download(teacher)
    own.upload(teacher, book)

    assert not any(teacher.page.errors.values())
    assert stored(session) == before
    assert [cell["name"] for cell in json.loads(teacher.page.form("apply").values["cells"])] == []
