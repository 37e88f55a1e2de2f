"""A list taken away is the school of one moment, whoever writes meanwhile."""

import csv
import io
import json
import uuid
from typing import Any

import pytest
from flask import Flask
from openpyxl import load_workbook
from sqlalchemy import text

from fsms import policy
from fsms.admin_views import exports
from fsms.database import db
from fsms.exchange.sheet import ROWS_AT_ONCE
from fsms.policy import SYSTEM

SUBJECTS = 3 * ROWS_AT_ONCE
NAMED = "select 'Before ' || n from generate_series(1, :number) n"


@pytest.mark.parametrize("form", ["csv", "xlsx", "jsonl"])
def test_what_is_written_meanwhile_is_not_in_the_file(school: Flask, form: str) -> None:
    _write(school, f'insert into "Subject" ("subjectName") {NAMED}', number=SUBJECTS)
    gone: list[int] = []

    def _somebody_writes(rows: int) -> None:
        if not gone:
            _write(school, """update "Subject" set "subjectName" = 'After ' || "subjectId" where "subjectId" % 2 = 0""")
            _write(school, 'delete from "Subject" where "subjectId" % 3 = 0')
            _write(
                school, """insert into "Subject" ("subjectName") select 'Late ' || n from generate_series(1, 99) n"""
            )
        gone.append(rows)

    names = _names(form, b"".join(_taking_away(school, form, _somebody_writes)))

    assert gone[0] < SUBJECTS, "somebody wrote while rows were still to come"
    assert sorted(names) == sorted(f"Before {number}" for number in range(1, SUBJECTS + 1))


def _write(school: Flask, statement: str, **values: Any) -> None:
    with school.app_context(), db.engine.begin() as connection:
        connection.execute(text(statement), values)


def _taking_away(school: Flask, form: str, watch: exports.Count) -> Any:
    view: Any = next(view for view in school.extensions["admin"][0]._views if view.endpoint == "subject")
    with school.test_request_context("/admin/subject/"):
        policy.speak_for(db.session(), SYSTEM)
        sheet = view.sheet()
        db.session.rollback()
    told = exports.Told(school, SYSTEM, "Subject", "subject", uuid.uuid4())
    return exports.stream(form, sheet, told, watch=watch)


def _names(form: str, file: bytes) -> list[str]:
    match form:
        case "csv":
            return [row[0] for row in csv.reader(io.StringIO(file.decode("utf-8-sig"), newline=""))][1:]
        case "xlsx":
            rows = load_workbook(io.BytesIO(file), read_only=True).worksheets[0].iter_rows(min_row=2, values_only=True)
            return [str(row[0]) for row in rows]
        case _:
            return [json.loads(line)["subject_name"] for line in file.splitlines()]
