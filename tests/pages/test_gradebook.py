"""The gradebook's page: the form without a script, what its script asks, and whose it is."""

import datetime as dt
import json
import re
import uuid
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from fsms.admin_views import gradebook_sheet
from fsms.config import ROOT
from fsms.models import ActivityLog, Course, Enrollment, Grade, Semester, Subject
from tests.browser import Page, PageClient, SameQueries
from tests.builders import Make

MONTH = "2025-03"


@dataclass
class AClass:
    """A class with three pupils, of whom the first has a mark and the last was dropped."""

    course: Course
    semester: Semester
    subject: Subject
    places: list[Enrollment]

    @property
    def address(self) -> str:
        return f"/admin/gradebook/?course={self.course.course_id}&semester={self.semester.semester_id}&month={MONTH}"

    def name(self, nth: int) -> str:
        return f"m.{self.places[nth].student_id}.{self.subject.subject_id}.{MONTH}"

    def cell(self, nth: int, typed: str, **more: Any) -> dict[str, Any]:
        place = {"student": self.places[nth].student_id, "subject": self.subject.subject_id, "period": MONTH}
        return {**place, "typed": typed, "comment": "", "seen": "", "key": str(uuid.uuid4()), **more}

    @property
    def here(self) -> dict[str, Any]:
        return {"course": self.course.course_id, "semester": self.semester.semester_id}


@pytest.fixture
def own(make: Make, teacher: PageClient) -> AClass:
    return a_class(make, teacher=teacher.user)


def a_class(make: Make, **course: Any) -> AClass:
    taught = make.course(**course)
    semester = make.semester()
    names = [("An", "Bora"), ("Bun", "Dara"), ("Chan", "Sok")]
    pupils = [make.student(last_name=last, first_name=first) for last, first in names]
    places = [
        *(make.enrollment(student=pupil, course=taught) for pupil in pupils[:2]),
        make.dropped(student=pupils[2], course=taught, drop_date=dt.date(2025, 4, 1)),
    ]
    mark = make.grade(enrollment=places[0], semester=semester, grade_date=MONTH, user=course.get("teacher"))
    make.grade(enrollment=places[2], semester=semester, subject=mark.subject, grade_date=MONTH, grade=Decimal(4))
    return AClass(taught, semester, mark.subject, places)


def send(client: PageClient, path: str, sent: Any) -> Page:
    """Send as the script does."""
    client.get("/account")
    headers = {"X-CSRFToken": client.csrf_token, "Accept": "application/json"}
    return Page(client.web.post(path, json=sent, headers=headers))


def marks(session: Session, own: AClass) -> dict[int, Decimal | None]:
    session.commit()
    found = select(Grade.student_id, Grade.grade).where(Grade.course_id == own.course.course_id)
    return {row.student_id: row.grade for row in session.execute(found)}


# ---- The sheet -----------------------------------------------------------------------------------------------------


def test_the_sheet_shows_the_class_with_those_who_left_apart_and_closed(teacher: PageClient, own: AClass) -> None:
    page = teacher.get(own.address)

    form = page.form("sheet-form")
    assert form.values[own.name(0)] == "7.5"
    assert form.values[own.name(1)] == ""
    assert own.name(2) not in form.values
    assert "Dropped: their marks stay as they are" in page.text
    assert "dropped 01/04/2025" in page.text


def test_each_cell_names_its_pupil_and_its_column(teacher: PageClient, own: AClass) -> None:
    page = teacher.get(own.address)

    named = (page.control(own.name(0)).get("aria-labelledby") or "").split()
    ids = {element.get("id") for element in page.find("th")}
    assert len(named) == 2
    assert set(named) <= ids
    grid = next(page.find("table", "sheet"))
    assert grid.get("role") == "grid"


def test_the_scripts_of_the_sheet_come_together_and_before_it_is_drawn(teacher: PageClient, own: AClass) -> None:
    page = teacher.get(own.address)

    (script,) = [each for each in page.find("script") if each.get("src", "").endswith("/js/gradebook/main.js")]
    assert (script.get("type"), script.get("blocking")) == ("module", "render")
    preloaded = [link.attrib["href"] for link in page.find("link") if link.get("rel") == "modulepreload"]
    assert sorted(ROOT / "static" / href.split("/", 3)[-1] for href in preloaded) == sorted(
        imported_by(ROOT / "static/js/gradebook/main.js")
    )


def imported_by(script: Path) -> set[Path]:
    """The files that a script imports, and those that they import."""
    found = {(script.parent / name).resolve() for name in re.findall(r'from "(\..+?)";', script.read_text())}
    return found.union(*map(imported_by, found))


def test_without_an_address_the_own_class_opens(teacher: PageClient, own: AClass, make: Make) -> None:
    make.course(school_year=own.course.school_year)

    page = teacher.get("/admin/gradebook/")

    assert str(own.course) in page.text
    assert page.chosen("course") == f"{own.course} · mine"


def test_who_teaches_nothing_chooses_first(admin: PageClient, own: AClass) -> None:
    page = admin.get("/admin/gradebook/")

    assert "Choose a course" in page.text
    assert str(own.course) in page.options("course")


def test_of_older_years_than_fit_the_choice_only_the_level_of_the_open_class_is_offered(
    admin: PageClient, own: AClass, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gradebook_sheet, "MOST_COURSES", 2)
    level = own.course.level
    next_year = make.school_year(school_year_code="2091-2092")
    newest = [make.course(school_year=next_year) for _ in range(2)]
    beside = make.course(level=level, school_year=own.course.school_year)
    make.course(level=level + 1, school_year=own.course.school_year)

    page = admin.get(own.address)

    assert sorted(page.options("course")) == sorted(str(course) for course in (*newest, own.course, beside))
    assert page.chosen("course") == str(own.course)


def test_an_empty_class_says_what_to_do(admin: PageClient, make: Make) -> None:
    course = make.course()
    make.semester()

    assert "Enrol pupils first" in admin.get(f"/admin/gradebook/?course={course.course_id}").text


def test_the_months_of_a_subject_stand_side_by_side(teacher: PageClient, own: AClass, make: Make) -> None:
    make.grade(enrollment=own.places[0], subject=own.subject, semester=own.semester, grade_date="2025-04")

    page = teacher.get(own.address.replace(f"month={MONTH}", f"subject={own.subject.subject_id}"))

    assert {f"c.{own.subject.subject_id}.2025-0{n}" for n in (3, 4)} <= {e.get("id") for e in page.find("th")}


@pytest.mark.parametrize(
    "arguments",
    ["month=13/25", "month=2025-99", "month=%00", "subject=abc", "subject=99999999999999", "semester=0", "semester=x"],
)
def test_an_address_nobody_wrote_shows_the_usual_sheet(teacher: PageClient, own: AClass, arguments: str) -> None:
    assert teacher.get(f"/admin/gradebook/?course={own.course.course_id}&{arguments}").status == 200


def test_a_larger_class_asks_no_more_queries(
    admin: PageClient, own: AClass, make: Make, same_queries: SameQueries
) -> None:
    def twice() -> None:
        for _ in range(3):
            place = make.enrollment(course=own.course)
            make.grade(enrollment=place, subject=own.subject, semester=own.semester)
            make.grade(enrollment=place, semester=own.semester)

    same_queries(lambda: admin.get(own.address), twice)


# ---- The form ------------------------------------------------------------------------------------------------------


def test_without_a_script_everything_is_saved_at_once_with_one_undo(
    teacher: PageClient, own: AClass, session: Session
) -> None:
    teacher.get(own.address)

    page = teacher.submit("sheet-form", {own.name(0): "8", own.name(1): "៩,៥"})

    assert page.flashes == ["2 marks saved."]
    assert any("Undo" in (link.text or "") or "undo" in (link.get("href") or "") for link in page.find("a"))
    assert marks(session, own)[own.places[1].student_id] == Decimal("9.5")
    assert page.form("sheet-form").values[own.name(1)] == "9.5"


def test_what_is_refused_stays_in_its_cell_with_the_reason_and_the_rest_is_saved(
    teacher: PageClient, own: AClass, session: Session
) -> None:
    teacher.get(own.address)

    page = teacher.submit("sheet-form", {own.name(0): "11", own.name(1): "6"})

    assert page.form("sheet-form").values[own.name(0)] == "11"
    assert page.control(own.name(0)).get("aria-invalid") == "true"
    assert "A mark lies between 0 and 10; 11 does not." in page.text
    assert marks(session, own) == {
        own.places[0].student_id: Decimal("7.5"),
        own.places[1].student_id: Decimal(6),
        own.places[2].student_id: Decimal(4),
    }


def test_of_two_forms_the_second_is_shown_the_first_and_may_insist(
    teacher: PageClient, admin: PageClient, own: AClass, session: Session
) -> None:
    teacher.get(own.address)
    admin.get(own.address)
    admin.submit("sheet-form", {own.name(0): "7"})

    page = teacher.submit("sheet-form", {own.name(0): "8"})

    assert f"You typed 8. {admin.user} saved 7 at " in page.text
    assert marks(session, own)[own.places[0].student_id] == Decimal(7)
    assert page.form("sheet-form").values[own.name(0)] == "8"
    teacher.submit("sheet-form")
    assert marks(session, own)[own.places[0].student_id] == Decimal(8)


def test_an_untouched_cell_overwrites_nothing(
    teacher: PageClient, admin: PageClient, own: AClass, session: Session
) -> None:
    teacher.get(own.address)
    admin.get(own.address)
    admin.submit("sheet-form", {own.name(0): "7"})

    page = teacher.submit("sheet-form", {own.name(1): "6"})

    assert page.flashes == ["1 mark saved."]
    assert marks(session, own)[own.places[0].student_id] == Decimal(7)


def test_a_comment_survives_a_mark_changed_without_a_script(teacher: PageClient, own: AClass, session: Session) -> None:
    comment = """late, "it's" </script> ស & '&#39;"""
    send(teacher, "/admin/gradebook/cells/", own.here | {"cells": [own.cell(1, "5", comment=comment)]})
    teacher.get(own.address)

    teacher.submit("sheet-form", {own.name(1): "6"})

    session.commit()
    mark = session.scalars(select(Grade).where(Grade.student_id == own.places[1].student_id)).one()
    assert (mark.grade, mark.grade_comment) == (Decimal(6), comment)


# ---- The script ----------------------------------------------------------------------------------------------------


def test_cells_are_saved_and_answered_one_by_one(teacher: PageClient, own: AClass, session: Session) -> None:
    sent = own.here | {"cells": [own.cell(1, "8"), own.cell(0, "9"), own.cell(2, "3")]}

    answer = send(teacher, "/admin/gradebook/cells/", sent)

    assert answer.status == 200
    outcomes = {cell["name"]: cell["outcome"] for cell in answer.json["cells"]}
    assert outcomes == {own.name(1): "saved", own.name(0): "clash", own.name(2): "refused"}
    assert answer.json["batch"]
    assert marks(session, own)[own.places[1].student_id] == Decimal(8)


def test_the_same_request_again_is_answered_alike_and_told_once(
    teacher: PageClient, own: AClass, session: Session
) -> None:
    sent = own.here | {"cells": [own.cell(1, "8")]}

    first, second = (send(teacher, "/admin/gradebook/cells/", sent) for _ in range(2))

    assert first.json["cells"] == second.json["cells"]
    session.commit()
    told = session.scalars(select(ActivityLog.action).where(ActivityLog.action == "create_grade")).all()
    assert len(told) == 1


def test_an_undo_takes_back_what_was_saved_at_once(teacher: PageClient, own: AClass, session: Session) -> None:
    batch = send(teacher, "/admin/gradebook/cells/", own.here | {"cells": [own.cell(1, "8")]}).json["batch"]

    undone = send(teacher, own.address.replace("/?", "/undo/?"), {"batch": batch})

    assert undone.json["said"] == "1 mark is as it was before."
    assert own.name(1) not in undone.json["cells"]
    assert own.places[1].student_id not in marks(session, own)
    again = send(teacher, own.address.replace("/?", "/undo/?"), {"batch": batch})
    assert (again.status, again.json["error"]) == (409, "This has been undone already.")


def test_a_block_is_shown_first_and_nothing_is_written(teacher: PageClient, own: AClass, session: Session) -> None:
    before = marks(session, own)
    pupils = [place.student_id for place in own.places[:2]]
    sent = own.here | {"copied": "8\nabs\n5", "pupils": pupils, "columns": [[own.subject.subject_id, MONTH]]}

    answer = send(teacher, "/admin/gradebook/preview/", sent).json

    assert answer["said"] == "0 new, 1 changed (7.5 → 8), 1 refused (row 2: “abs”)"
    assert "1 row lies below the last pupil and is left out." in answer["notes"]
    assert [(cell["name"], cell["typed"]) for cell in answer["cells"]] == [(own.name(0), "8")]
    assert marks(session, own) == before


def test_who_lets_the_other_mark_stand_is_told_of_in_its_history(
    teacher: PageClient, admin: PageClient, own: AClass, session: Session
) -> None:
    answer = send(teacher, "/admin/gradebook/give-way/", own.here | {"cells": [own.cell(0, "8")]})

    assert answer.status == 200
    session.commit()
    mark = session.scalars(select(Grade).where(Grade.student_id == own.places[0].student_id)).one()
    page = admin.get(f"/admin/grade/details/?id={mark.grade_id}&tab=history")
    assert "Typed “8” at the same time as somebody else, and let “7.5” stand" in page.text


@pytest.mark.parametrize("path", ["cells/", "give-way/", "preview/", "undo/?course={course}"])
@pytest.mark.parametrize(
    "sent",
    [
        None,
        [],
        {},
        {"cells": "all"},
        {"cells": [1]},
        {"cells": [{}]},
        {"cells": [{"student": {}, "subject": [], "period": 7, "typed": None}]},
        {"cells": [{"student": 1, "subject": 1, "period": "2025-03", "typed": "8", "key": "mine"}]},
        {"cells": [{"student": 10**30, "subject": 1, "period": "2025-03", "typed": "8"}]},
        {"cells": [{"student": True, "subject": 1, "period": "2025-03", "typed": "8"}]},
        {"copied": 7, "pupils": [], "columns": []},
        {"copied": "7", "pupils": ["x"], "columns": [[1]]},
        {"value": "5", "places": [[1, 2]]},
        {"batch": "everything"},
    ],
)
def test_what_no_page_of_ours_sends_is_refused(teacher: PageClient, own: AClass, path: str, sent: Any) -> None:
    sent = own.here | sent if isinstance(sent, dict) else sent
    answer = send(teacher, "/admin/gradebook/" + path.format(course=own.course.course_id), sent)

    assert answer.status == 400
    assert answer.json["error"]


@pytest.mark.parametrize("typed", ["\0", "8\0", "９", "1e400", "x" * 9_000, "' or 1=1 --", "<b>8</b>"])
def test_hostile_texts_are_answered_in_the_cell(teacher: PageClient, own: AClass, typed: str) -> None:
    sent = own.here | {"cells": [own.cell(1, typed, comment=typed[:400])]}

    answer = send(teacher, "/admin/gradebook/cells/", sent)

    assert answer.status == 200
    assert answer.json["cells"][0]["outcome"] in {"saved", "same", "refused"}


# ---- Whose ---------------------------------------------------------------------------------------------------------


def test_a_teacher_reads_and_writes_no_cell_of_somebody_elses_by_any_parameter(
    teacher: PageClient, other_teacher: PageClient, own: AClass, make: Make, session: Session
) -> None:
    foreign = a_class(make, teacher=other_teacher.user, course_name="Canarybird")
    batch = send(other_teacher, "/admin/gradebook/cells/", foreign.here | {"cells": [foreign.cell(1, "6")]}).json[
        "batch"
    ]
    before = marks(session, foreign)
    course, pupil = foreign.course.course_id, foreign.places[0].student_id
    stolen = foreign.cell(0, "1")

    for address in (
        foreign.address,
        f"/admin/gradebook/?course={course}",
        f"/admin/gradebook/cells/?course={course}",
        f"{own.address}&semester={foreign.semester.semester_id}&subject={foreign.subject.subject_id}",
    ):
        page = teacher.get(address)
        assert page.status == 404 or "Canarybird" not in page.source
        assert f"m.{pupil}." not in page.source
    for path, sent in (
        ("cells/", foreign.here | {"cells": [stolen]}),
        ("give-way/", foreign.here | {"cells": [stolen]}),
        (
            "preview/",
            foreign.here | {"copied": "1", "pupils": [pupil], "columns": [[foreign.subject.subject_id, MONTH]]},
        ),
        (f"undo/?course={course}", {"batch": str(uuid.uuid4())}),
        (f"undo/?course={course}", {"batch": batch}),
        (f"undo/?course={own.course.course_id}", {"batch": batch}),
    ):
        assert send(teacher, f"/admin/gradebook/{path}", sent).status in {404, 409}
    # A cell of somebody else's smuggled into the own sheet is no cell of it.
    smuggled = send(teacher, "/admin/gradebook/cells/", own.here | {"cells": [stolen]})
    assert [cell["outcome"] for cell in smuggled.json["cells"]] == ["refused"]
    assert smuggled.json["cells"][0]["now"] == ["", "", "", "", ""]
    forged = {"shown": json.dumps({foreign.name(0): ["7.5", "1.1.1", ""]}), foreign.name(0): "1"}
    assert teacher.post(foreign.address, forged).status == 404
    teacher.post(own.address, forged)

    assert marks(session, foreign) == before


def test_a_dropped_pupils_marks_are_read_only_by_any_way(teacher: PageClient, own: AClass, session: Session) -> None:
    before = marks(session, own)

    answer = send(teacher, "/admin/gradebook/cells/", own.here | {"cells": [own.cell(2, "9")]})
    page = teacher.post(own.address, {own.name(2): "9", "shown": "{}"})

    assert "was dropped from this class on 01/04/2025" in answer.json["cells"][0]["said"]
    assert "was dropped from this class on 01/04/2025" in page.text
    assert marks(session, own) == before


CAME_LATER = "An Bora came to this class on 10/02/2025, so there are no marks for the time before."


def test_cells_of_the_time_before_a_pupil_came_are_shut_and_say_why(
    teacher: PageClient, own: AClass, session: Session
) -> None:
    own.places[0].enrolled_on = dt.date(2025, 2, 10)
    session.commit()
    january = own.address.replace(MONTH, "2025-01")
    cell = own.name(0).replace(MONTH, "2025-01")

    page = teacher.get(january)
    answer = send(teacher, "/admin/gradebook/cells/", own.here | {"cells": [own.cell(0, "9", period="2025-01")]})
    form = teacher.post(january, {cell: "9", "shown": "{}"})

    box = page.control(cell)
    assert (box.get("readonly") is not None, box.get("title")) == (True, CAME_LATER)
    assert page.control(own.name(1).replace(MONTH, "2025-01")).get("readonly") is None
    assert answer.json["cells"][0]["said"] == CAME_LATER
    assert CAME_LATER in form.text
    assert teacher.get(own.address).control(own.name(0)).get("readonly") is None


def test_the_form_of_a_mark_refuses_a_month_before_the_pupil_came(
    teacher: PageClient, own: AClass, session: Session
) -> None:
    own.places[0].enrolled_on = dt.date(2025, 2, 10)
    session.commit()
    (mark,) = session.scalars(select(Grade).where(Grade.student_id == own.places[0].student_id))

    teacher.get(f"/admin/grade/edit/?id={mark.grade_id}")
    page = teacher.submit(typed={"grade_date": "2025-01"})

    assert "The pupil was not in this class then: not yet, or not any more." in page.text
    session.refresh(mark)
    assert mark.grade_date == MONTH


@pytest.mark.parametrize("path", ["cells/", "preview/", "undo/", "give-way/"])
def test_a_forged_request_is_refused(teacher: PageClient, own: AClass, path: str) -> None:
    answer = teacher.web.post(f"/admin/gradebook/{path}", json=own.here | {"cells": [own.cell(1, "9")]})

    assert answer.status_code == 400


def test_an_ended_session_is_told_so(visitor: PageClient, own: AClass) -> None:
    answer = send(visitor, "/admin/gradebook/cells/", own.here | {"cells": [own.cell(1, "9")]})

    assert answer.status == 401
