"""The boxes of lists and look-ups understand names, phones and classes as people type them."""

import json
from collections.abc import Callable

import pytest

from tests.browser import PageClient
from tests.builders import Make


@pytest.mark.parametrize("typed", ["Chhim Vibol", "វិបុលឈឹម", "ឈឹម\u200bវិបុល"])
@pytest.mark.parametrize(
    "page", ["student", "guardian", "enrollment", "attendance", "grade", "scholarship", "familyinfo"]
)
def test_a_pupil_is_found_in_any_spelling_on_every_list_that_names_pupils(
    admin: PageClient, make: Make, page: str, typed: str
) -> None:
    place = make.enrollment(student=make.student(last_name="ឈឹម", first_name="វិបុល"))
    rows: dict[str, Callable[[], object]] = {
        "guardian": lambda: make.guardian(student=place.student),
        "attendance": lambda: make.attendance(enrollment=place),
        "grade": lambda: make.grade(enrollment=place),
        "scholarship": lambda: make.scholarship(student=place.student),
        "familyinfo": lambda: make.family(student=place.student),
    }
    rows.get(page, lambda: None)()
    make.one(page)

    assert len(admin.get(f"/admin/{page}/", query_string={"search": typed}).rows) == 1


def test_staff_and_classes_are_found_as_people_say_them(admin: PageClient, make: Make) -> None:
    make.user(last_name="ទេព", first_name="វិចិត្រ", phonenumber2="077 111 222")
    make.course(level=7, section="A", course_name="ថ្នាក់ទី 7")
    make.course(level=7, section="B", course_name="ថ្នាក់ទី 7")

    assert admin.get("/admin/user/?search=Tep Vichet").column("Name") == ["ទេព វិចិត្រ"]
    assert admin.get("/admin/user/?search=077-111-222").column("Name") == ["ទេព វិចិត្រ"]
    assert len(admin.get("/admin/course/?search=៧A").rows) == 1
    assert len(admin.get("/admin/course/?search=ថ្នាក់ទី 7B").rows) == 1


@pytest.mark.parametrize("typed", ["Chhim Vibol", "វិបុល ឈឹម", "12345678"])
def test_a_look_up_finds_a_pupil_in_any_spelling(admin: PageClient, make: Make, typed: str) -> None:
    pupil = make.student(last_name="ឈឹម", first_name="វិបុល", phone="012 345 678")
    make.student()

    answer = admin.get("/admin/enrollment/ajax/lookup/", query_string={"name": "student", "query": typed})

    assert [found[0] for found in json.loads(answer.source)] == [pupil.student_id]
