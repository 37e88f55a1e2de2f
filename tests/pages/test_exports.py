"""A list taken away as CSV: what the list shows, to whom it shows it, and told in the log."""

import csv
import io

import pytest

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

    (entry,) = (row for row in contents(make.session)["ActivityLog"] if "export_student" in row)

    details = next(value for value in entry if isinstance(value, dict))
    assert details["rows"] == 1
    assert details["filters"] == {"gender-is": "male"}
    assert admin.user.user_id in entry
    assert "Took away a list (1 rows): pupil" in admin.get("/admin/activitylog/").column("What happened")


def test_a_file_asks_as_often_for_twice_as_many_rows(admin: PageClient, make: Make, same_queries) -> None:  # type: ignore[no-untyped-def]
    for _ in range(3):
        make.grade()

    same_queries(
        lambda: _read(admin, "/admin/grade/export/csv/"),
        lambda: [make.grade() for _ in range(3)],
    )
