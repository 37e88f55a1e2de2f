"""A list taken away as CSV: what the list shows, to whom it shows it, and told in the log."""

import csv
import datetime as dt
import io
import json
import uuid
from decimal import Decimal
from typing import Any, cast

import pytest
from flask import Flask
from openpyxl import load_workbook
from openpyxl.worksheet.worksheet import Worksheet

from fsms.models import ENTITIES
from tests.browser import PageClient
from tests.builders import Make, contents


def _read(client: PageClient, address: str) -> list[list[str]]:
    with client.web.get(address) as answer:
        assert answer.status_code == 200
        assert answer.mimetype == "text/csv"
        written = answer.get_data()
    assert written.startswith(b"\xef\xbb\xbf")
    return list(csv.reader(io.StringIO(written.decode("utf-8-sig"), newline="")))


def test_a_file_holds_what_the_list_shows_with_its_filters_and_order(admin: PageClient, make: Make) -> None:
    for name, gender in (("សុខ", "male"), ("ចាន់", "female"), ("កែវ", "female")):
        make.student(last_name=name, first_name="ដារ៉ា", gender=gender)

    headings, *rows = _read(admin, "/admin/student/export/csv/?flt0_gender-is=female&sort=full_name")

    assert headings[:3] == ["Pupil number", "Name", "Sex"]
    assert [row[1] for row in rows] == ["កែវ ដារ៉ា", "ចាន់ ដារ៉ា"]
    assert {row[2] for row in rows} == {"Female"}
    assert rows[0][3] == "2014-05-31"


@pytest.mark.parametrize("typed", ["=HYPERLINK(1)", "+1+1", "-2+3", "@SUM(A1)"])
def test_what_a_spreadsheet_would_run_is_made_harmless(admin: PageClient, make: Make, typed: str) -> None:
    make.subject(subject_name=typed)

    _headings, row = _read(admin, "/admin/subject/export/csv/")

    assert row[0] == f"'{typed}"


def test_quotes_commas_and_lines_survive(admin: PageClient, make: Make) -> None:
    make.grade(grade_comment='say "well done",\nthen rest')

    _headings, row = _read(admin, "/admin/grade/export/csv/")

    assert 'say "well done",\nthen rest' in row


def test_a_teacher_takes_away_own_rows_and_no_hidden_column(teacher: PageClient, make: Make) -> None:
    own = make.enrollment(course=make.course(teacher=teacher.user)).student
    make.enrollment()
    make.guardian(student=own, occupation="Confidentialsmith")
    make.guardian()

    headings, *rows = _read(teacher, "/admin/guardian/export/csv/")

    assert len(rows) == 1
    assert "Occupation" not in headings
    assert "Confidentialsmith" not in str(rows)


def test_the_log_tells_who_took_what_away_with_filters_and_rows(admin: PageClient, make: Make) -> None:
    make.student(gender="male")
    make.student(gender="female")
    _read(admin, "/admin/student/export/csv/?flt0_gender-is=male")

    (begun,) = _entries(make, "export_student")
    (ended,) = _entries(make, "exported_student")

    assert begun["filters"] == {"gender-is": "male"}
    assert begun["format"] == "csv"
    assert (ended["rows"], ended["whole"]) == (1, True)
    said = admin.get("/admin/activitylog/").column("What happened")
    assert "Took away a list (1 rows): pupil" in said
    assert "Began to take away a list: pupil" in said


def test_the_log_tells_of_a_file_that_nobody_waited_for(admin: PageClient, make: Make) -> None:
    for _ in range(3):
        make.student()

    with admin.web.get("/admin/student/export/csv/", buffered=False) as answer:
        next(iter(answer.response))  # the headings; then the browser goes away

    (ended,) = _entries(make, "exported_student")
    assert ended["whole"] is False


def _entries(make: Make, action: str) -> list[dict[str, Any]]:
    rows = contents(make.session)["ActivityLog"]
    return [next(value for value in row if isinstance(value, dict)) for row in rows if action in row]


def test_a_workbook_has_days_as_days_and_numbers_as_numbers(admin: PageClient, make: Make) -> None:
    make.student(last_name="=1+1", phone="012345678", dob=dt.date(2014, 5, 31))
    make.scholarship(amount=Decimal("12.50"))

    pupils = _workbook(admin, "/admin/student/export/xlsx/?sort=student_id")
    money = _workbook(admin, "/admin/scholarship/export/xlsx/")

    headings = [cell.value for cell in pupils[1]]
    first = dict(zip(headings, pupils[2], strict=True))
    assert pupils.freeze_panes == "A2"
    assert first["Date of birth"].value == dt.datetime(2014, 5, 31)  # noqa: DTZ001 - a day has no zone
    assert first["Name"].data_type == first["Phone"].data_type == first["Pupil number"].data_type == "s"
    assert first["Phone"].value == "012345678"
    assert str(first["Name"].value).startswith("=1+1")
    amounts = [row[[cell.value for cell in money[1]].index("Amount (riel)")] for row in money.iter_rows(min_row=2)]
    assert [(cell.value, cell.data_type) for cell in amounts] == [(12.5, "n")]


def _workbook(client: PageClient, address: str) -> Worksheet:
    with client.web.get(address) as answer:
        assert answer.status_code == 200
        return cast(Worksheet, load_workbook(io.BytesIO(answer.get_data())).worksheets[0])


def test_programs_get_names_and_values_that_do_not_depend_on_the_language(admin: PageClient, make: Make) -> None:
    make.grade(grade=Decimal("7.50"))
    admin.post("/language", {"language": "km"})

    with admin.web.get("/admin/grade/export/jsonl/") as answer:
        (line,) = answer.get_data().splitlines()

    assert b'"grade": 7.5' in line
    assert json.loads(line).keys() >= {"student", "course", "subject", "semester", "grade_date"}


@pytest.mark.parametrize("form", ["csv", "xlsx", "jsonl"])
def test_every_list_can_be_taken_away_in_every_form(admin: PageClient, make: Make, form: str) -> None:
    make.grade()
    make.attendance()
    make.guardian()
    make.family()
    make.scholarship()

    for entity in ENTITIES:
        with admin.web.get(f"/admin/{entity.__name__.lower()}/export/{form}/") as answer:
            assert answer.status_code == 200, entity
            assert len(answer.get_data()) > 20, entity


def test_every_column_on_offer_can_be_taken_away(admin: PageClient, make: Make, flask_app: Flask) -> None:
    make.grade()
    make.attendance()
    make.guardian()
    make.family()
    make.scholarship()

    for view in flask_app.extensions["admin"][0]._views:
        if offered := getattr(view, "_offered_columns", None):
            columns = ",".join(name for name, _label in offered)
            headings, *rows = _read(admin, f"/admin/{view.endpoint}/export/csv/?columns={columns}")
            assert len(headings) == len(offered), view.endpoint
            assert rows, view.endpoint


def test_a_file_is_in_the_language_of_its_reader(admin: PageClient, make: Make) -> None:
    make.attendance(status="Late")
    admin.post("/language", {"language": "km"})

    _headings, row = _read(admin, "/admin/attendance/export/csv/")
    _headings, *log = _read(admin, "/admin/activitylog/export/csv/")

    assert "យឺត" in row
    assert "Began" not in str(log)


def test_an_export_tells_how_far_it_is_to_who_asked_for_it(admin: PageClient, teacher: PageClient, make: Make) -> None:
    make.student()
    key = uuid.uuid4()
    _read(admin, f"/admin/student/export/csv/?key={key}")

    told = admin.web.get(f"/admin/exports/{key}").get_json()

    assert told == {"rows": 1, "ended": True, "whole": True}
    assert teacher.web.get(f"/admin/exports/{key}").status_code == 404


def test_a_file_asks_as_often_for_twice_as_many_rows(admin: PageClient, make: Make, same_queries) -> None:  # type: ignore[no-untyped-def]
    for _ in range(3):
        make.grade()

    same_queries(
        lambda: _read(admin, "/admin/grade/export/csv/"),
        lambda: [make.grade() for _ in range(3)],
    )
