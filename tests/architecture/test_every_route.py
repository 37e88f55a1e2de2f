"""Every address of the panel, for strangers, teachers and administrators: who gets in, and what is never shown.

The expectations stand here, apart from `fsms.policy`, so that a slip there does not change what is expected. A new
route without a line fails. The canary is a class of another teacher: its name may stand in no answer to a teacher.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask

from fsms import clock
from fsms.models import Base, Guardian, Student
from tests.browser import PageClient
from tests.builders import Make, contents

# What a teacher may do on each page: list, view, create, edit, delete.
TEACHER = {
    "student": "lv",
    "guardian": "lv",
    "familyinfo": "",
    "scholarship": "",
    "course": "lv",
    "enrollment": "lv",
    "attendance": "lvced",
    "grade": "lvced",
    "subject": "lv",
    "schoolyear": "lv",
    "semester": "lv",
    "user": "",
    "activitylog": "lv",
}
ADMIN = dict.fromkeys(TEACHER, "lvced") | {"activitylog": "lv"}

# The routes of an entity's page, the right that each asks for, and how it is called.
ENTITY_ROUTES = {
    "index_view": ("l", "GET", "/"),
    "details_view": ("v", "GET", "/details/?id={id}"),
    "create_view": ("c", "GET", "/new/"),
    "edit_view": ("e", "GET", "/edit/?id={id}"),
    "deletion_view": ("d", "GET", "/deletion/?id={id}"),
    "delete_view": ("d", "POST", "/delete/"),
    "counts_view": ("l", "GET", "/counts/"),
    "views_view": ("l", "POST", "/views/"),
    "action_view": ("d", "POST", "/action/"),
    "ajax_lookup": ("e", "GET", "/ajax/lookup/?name={lookup}&query=&limit=100000"),
    "ajax_update": ("e", "POST", "/ajax/update/"),
    "export": ("l", "GET", "/export/csv/"),
}
LOOKUPS = {
    "guardian": "student",
    "familyinfo": "student",
    "scholarship": "student",
    "course": "teacher1",
    "enrollment": "student",
    "attendance": "student",
    "grade": "student",
    "semester": "school_year",
}
# Everything else: endpoint -> statuses for nobody, teacher, admin, by GET where the route has it, by POST otherwise.
OTHER_ROUTES = {
    "start": (302, 302, 302),
    "admin.index": (302, 200, 200),
    "admin.static": (302, 404, 404),
    "static": (404, 404, 404),
    "find.index": (302, 200, 200),
    "find.opened": (401, 400, 400),
    "healthz": (200, 200, 200),
    "login": (200, 302, 302),
    "logout": (302, 302, 302),
    "export_progress": (302, 404, 404),
    "language": (302, 302, 302),
    "appearance": (200, 200, 200),
    "photo": (302, 404, 404),
    "account": (302, 200, 200),
    "session_state": (200, 200, 200),
    "session_extend": (401, 200, 200),
    "gradebookfile.index": (302, 404, 404),
    "gradebookfile.download": (302, 404, 404),
    "locks.index": (302, 403, 200),
    "why.index": (302, 404, 404),
    "user.unlock_view": (401, 403, 404),
    "roster.index": (302, 200, 200),
    "roster.week": (302, 404, 404),
    "roster.month": (302, 404, 404),
    "roster.worker": (302, 200, 200),
    "missing.index": (302, 200, 200),
    "student.family_view": (302, 403, 200),
    "activitylog.undo_view": (302, 404, 404),
    "course.names_view": (302, 404, 404),
    "drops.index": (302, 403, 200),
    "drops.export": (302, 403, 200),
    "drops.find_view": (302, 403, 200),
    "drops.drop_view": (302, 403, 302),
    "drops.move_view": (302, 403, 404),
    "drops.leave_view": (302, 403, 404),
    "drops.enrol_view": (302, 403, 200),
    "drops.back_view": (302, 403, 404),
    "gradebook.index": (302, 200, 200),
    "gradebook.cells": (302, 404, 404),
    "gradebook.give_way": (401, 400, 400),
    "gradebook.preview": (401, 400, 400),
    "gradebook.undo": (401, 400, 400),
}
REFUSED, NOT_FOUND = 403, 404
CANARY = "Canarybird"


@dataclass
class School:
    """A teacher's own class and the canary, with a row of everything in each."""

    own: dict[str, Base]
    foreign: dict[str, Base]

    def key(self, page: str, *, own: bool) -> int:
        row = (self.own if own else self.foreign)[page]
        return int(row.__mapper__.primary_key_from_instance(row)[0])


def _class_with_everything(make: Make, name: str, **course: Any) -> dict[str, Base]:
    taught = make.course(course_name=f"{name} course", section=name, **course)
    pupil = make.student(last_name=f"{name} family", first_name=f"{name} pupil")
    place = make.enrollment(student=pupil, course=taught)
    return {
        "course": taught,
        "student": pupil,
        "enrollment": place,
        "guardian": make.guardian(student=pupil, last_name=f"{name} guardian", phone=f"{name} phone"),
        "familyinfo": make.family(student=pupil, living_with=f"{name} aunt"),
        "scholarship": make.scholarship(student=pupil, sponsor=f"{name} sponsor"),
        "grade": make.grade(enrollment=place, grade_comment=f"{name} comment"),
        "attendance": make.attendance(enrollment=place, reason=f"{name} reason", attendance_date=clock.today()),
    }


@pytest.fixture
def school(make: Make, teacher: PageClient, other_teacher: PageClient) -> School:
    shared = {page: make.one(page) for page in ("subject", "schoolyear", "semester")}
    own = _class_with_everything(make, "Own", teacher=teacher.user)
    foreign = _class_with_everything(make, CANARY, teacher=other_teacher.user)
    return School(
        own=own | shared | {"user": teacher.user, "activitylog": make.log_entry(user=teacher.user)},
        foreign=foreign
        | shared
        | {"user": other_teacher.user, "activitylog": make.log_entry(user=other_teacher.user, action=CANARY)},
    )


def test_every_route_of_the_application_has_an_expectation(flask_app: Flask) -> None:
    known = {f"{page}.{view}" for page in TEACHER for view in ENTITY_ROUTES} | set(OTHER_ROUTES)

    endpoints = {rule.endpoint for rule in flask_app.url_map.iter_rules()}
    # Each page's blueprint has a place for static files, and the home page is a page without records.
    unknown = {endpoint for endpoint in endpoints - known if not endpoint.endswith(".static")}

    assert not unknown
    assert not {endpoint for endpoint in OTHER_ROUTES if endpoint not in endpoints}


def _call(client: PageClient, page: str, view: str, key: int) -> int:
    _, method, path = ENTITY_ROUTES[view]
    address = f"/admin/{page}" + path.format(id=key, lookup=LOOKUPS.get(page, "none"))
    if method == "GET":
        return client.get(address, follow=False).status
    return client.post(address, {"id": key, "rowid": key, "action": "delete"}, follow=False).status


@pytest.mark.parametrize("page", TEACHER)
def test_a_stranger_gets_into_nothing(visitor: PageClient, page: str) -> None:
    for view, (_, method, _path) in ENTITY_ROUTES.items():
        assert _call(visitor, page, view, 1) == (302 if method == "GET" else 401), view


@pytest.mark.parametrize("page", TEACHER)
def test_each_door_opens_to_the_roles_that_may_pass(
    admin: PageClient, teacher: PageClient, school: School, page: str
) -> None:
    for client, rights in ((teacher, TEACHER), (admin, ADMIN)):
        for view, (right, _, _) in ENTITY_ROUTES.items():
            if view in {"delete_view", "action_view"} and right in rights[page]:
                continue  # done below, each on a row of its own
            status = _call(client, page, view, school.key(page, own=True))
            if right not in rights[page] or (view == "export" and page == "activitylog" and client is teacher):
                assert status == REFUSED, (page, view)
            else:
                assert status in {200, 302, NOT_FOUND}, (page, view)
                assert status != NOT_FOUND or view.startswith("ajax"), (page, view)


@pytest.mark.parametrize("endpoint", sorted(OTHER_ROUTES))
def test_the_other_routes_answer_as_expected(
    flask_app: Flask, visitor: PageClient, teacher: PageClient, admin: PageClient, endpoint: str
) -> None:
    rule = next(rule for rule in flask_app.url_map.iter_rules() if rule.endpoint == endpoint)
    with flask_app.test_request_context():
        values = {"filename": "none.css", "person": "student", "key": 999_999}
        _, path = rule.build({name: values[name] for name in rule.arguments}) or ("", "")

    for client, expected in zip((visitor, teacher, admin), OTHER_ROUTES[endpoint], strict=True):
        if "GET" in (rule.methods or ()):
            answer = client.get(path, follow=False)
        else:
            answer = client.post(path, {"id": 999_999}, follow=False)
        assert answer.status == expected, (endpoint, expected)


@pytest.mark.parametrize("page", [page for page, rights in TEACHER.items() if rights])
def test_no_answer_to_a_teacher_holds_a_byte_of_the_canary(teacher: PageClient, school: School, page: str) -> None:
    foreign = school.key(page, own=False)
    shared = page in {"subject", "schoolyear", "semester"}

    for address in _tempting_addresses(page, foreign):
        answer = teacher.get(address)
        assert CANARY not in answer.source, address
        if f"id={foreign}" in address and not shared:
            assert answer.status in {REFUSED, NOT_FOUND}, address


def test_neither_home_nor_the_search_box_tells_a_teacher_of_the_canary(teacher: PageClient, school: School) -> None:
    numbers = [school.key(page, own=False) for page in ("student", "guardian", "course")]
    for typed in (CANARY[1:], f"{CANARY[1:]} phone", *map(str, numbers)):
        for part in ("", "1"):
            answer = teacher.web.get("/admin/find/", query_string={"q": typed} | ({"part": part} if part else {}))
            assert CANARY not in answer.text, typed
    for page in ("student", "guardian", "course"):
        teacher.post("/admin/find/opened/", {"record": f"{page.title()} {school.key(page, own=False)}"})
    assert CANARY not in teacher.get("/admin/find/").source
    assert CANARY not in teacher.get("/admin/").source


def _tempting_addresses(page: str, foreign: int) -> Iterator[str]:
    yield f"/admin/{page}/?page_size=100"
    yield f"/admin/{page}/?search={CANARY[1:]}"
    yield f"/admin/{page}/details/?id={foreign}"
    yield f"/admin/{page}/edit/?id={foreign}"
    yield f"/admin/{page}/export/csv/"
    for path in ("course.section", "section", "student.last_name", "last_name", "course.grade", "student_id", "reason"):
        for question in ("contains", "is", "equals"):
            yield f"/admin/{page}/?flt0_{path}-{question}={CANARY[1:]}"
    for name in ("student", "course", "teacher1", "subject", "semester", "school_year", "user"):
        for typed in ("", CANARY[1:], str(foreign)):
            yield f"/admin/{page}/ajax/lookup/?name={name}&query={typed}&limit=100000&offset=0"


@pytest.mark.parametrize("page", TEACHER)
def test_a_teacher_changes_nothing_of_anybody_elses(teacher: PageClient, school: School, make: Make, page: str) -> None:
    foreign = school.key(page, own=False)
    before = _without_log(make)

    statuses = {
        teacher.post(f"/admin/{page}/delete/", {"id": foreign}).status,
        teacher.post(f"/admin/{page}/edit/?id={foreign}", _forged(page, school)).status,
    }
    teacher.post(f"/admin/{page}/action/", {"action": "delete", "rowid": foreign})
    teacher.post(f"/admin/{page}/new/", _forged(page, school))
    teacher.post(f"/admin/{page}/ajax/update/", {"list_form_pk": foreign, "grade": "1", "status": "Absent"})

    assert statuses <= {REFUSED, NOT_FOUND}
    assert _without_log(make) == before


def _forged(page: str, school: School) -> dict[str, Any]:
    """Fill a form with the keys of rows that are somebody else's."""
    keys = {f"{name}": school.key(name, own=False) for name in ("student", "course", "subject", "semester")}
    return keys | {
        "school_year": school.key("schoolyear", own=False),
        "grade_date": "2025-04",
        "grade": "10",
        "attendance_date": "2025-03-20",
        "session": "PM",
        "status": "Absent",
        "last_name": "Forged",
        "first_name": "Forged",
        "section": "Forged",
        "version": "1",
    }


def _without_log(make: Make) -> dict[str, list[Any]]:
    return {table: rows for table, rows in contents(make.session).items() if table != "ActivityLog"}


@pytest.mark.parametrize("page", ["grade", "attendance"])
def test_an_own_row_cannot_be_moved_to_somebody_elses_class(
    teacher: PageClient, school: School, make: Make, page: str
) -> None:
    before = _without_log(make)

    for smuggled in ("student", "course"):
        form = teacher.get(f"/admin/{page}/edit/?id={school.key(page, own=True)}").form()
        teacher.post(form.action, form.filled({smuggled: school.key(smuggled, own=False)}))

    assert _without_log(make) == before


@pytest.mark.parametrize("page", ["grade", "attendance"])
def test_a_teacher_works_on_the_own_class(teacher: PageClient, school: School, page: str) -> None:
    edited = teacher.get(f"/admin/{page}/edit/?id={school.key(page, own=True)}")
    typed = {"grade": "9.25"} if page == "grade" else {"status": "Late"}

    saved = teacher.post(edited.form().action, edited.form().filled(typed))

    assert saved.status == 200
    assert not saved.errors
    removed = teacher.post(f"/admin/{page}/delete/", {"id": school.key(page, own=True)})
    assert removed.status == 200


def test_what_a_teacher_may_not_read_of_the_own_pupils_is_on_no_page(
    teacher: PageClient, school: School, make: Make
) -> None:
    guardian, student = school.own["guardian"], school.own["student"]
    assert isinstance(guardian, Guardian)
    assert isinstance(student, Student)
    guardian.income, guardian.occupation = Decimal(987_654), "Confidentialsmith"
    guardian.church = "Confidentialchurch"
    student.religion = "hinduism"
    make.session.commit()

    for page, key in (("guardian", guardian.guardian_id), ("student", student.student_id)):
        for address in (f"/admin/{page}/", f"/admin/{page}/details/?id={key}", f"/admin/{page}/?search=Confidential"):
            answer = teacher.get(address)
            assert answer.status == 200
            for secret in ("987", "Confidentialsmith", "Confidentialchurch", "Hindu", "Own sponsor", "Own aunt"):
                assert secret not in answer.source, (address, secret)
    assert "Own phone" in teacher.get(f"/admin/guardian/details/?id={guardian.guardian_id}").source


def test_a_refused_act_is_kind_and_recorded(teacher: PageClient, school: School, make: Make) -> None:
    refused = teacher.get("/admin/scholarship/")

    assert refused.status == REFUSED
    assert "Scholarships are for administrators only." in refused.text
    entries = contents(make.session)["ActivityLog"]
    assert any("refused" in row and "Scholarship" in row and teacher.user.user_id in row for row in entries)


def test_looking_at_somebody_elses_row_is_recorded_too(teacher: PageClient, school: School, make: Make) -> None:
    missing = teacher.get(f"/admin/course/details/?id={school.key('course', own=False)}")

    assert missing.status == NOT_FOUND
    entries = contents(make.session)["ActivityLog"]
    assert any("refused" in row and "Course" in row for row in entries), entries


def test_the_menu_shows_a_teacher_what_a_teacher_may_open(teacher: PageClient, admin: PageClient) -> None:
    menu = teacher.get("/admin/").source

    for page, rights in TEACHER.items():
        assert (f'href="/admin/{page}/"' in menu) is ("l" in rights), page
    assert 'href="/admin/scholarship/"' in admin.get("/admin/").source
