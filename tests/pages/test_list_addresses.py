"""The address of a list: stable, short, the same for the same list; with the columns chosen."""

import csv
import datetime as dt
import io
from xml.etree.ElementTree import Element

import pytest
from flask import Flask, url_for

from fsms.models import Student
from tests.browser import Page, PageClient
from tests.builders import PAGES, Make


def headings(page: Page) -> list[str]:
    """The heads of the list's columns."""
    return list(page.rows[0])


# ---- The address ---------------------------------------------------------------------------------------------------


def test_what_is_as_ever_is_left_out_of_the_address(admin: PageClient, make: Make) -> None:
    make.student()

    page = admin.get("/admin/student/?page=0&page_size=20&search=&desc=0&columns=&unheard=1")

    back = next(form for form in page.find("form") if form.get("id") == "actions")
    assert next(e.get("value") for e in back.iter("input") if e.get("name") == "url") == "/admin/student/"


def test_the_order_is_named_by_the_column_whatever_columns_are_shown(admin: PageClient, make: Make) -> None:
    make.student(last_name="ហេង", dob=dt.date(2014, 1, 2))
    make.student(last_name="កែវ", dob=dt.date(2015, 1, 2))

    few = admin.get("/admin/student/?sort=dob&desc=1&columns=full_name,dob")
    hidden = admin.get("/admin/student/?sort=dob&columns=full_name")

    assert few.column("Date of birth") == ["02/01/2015", "02/01/2014"]
    assert [name.split()[0] for name in hidden.column("Name")] == ["ហេង", "កែវ"]


def test_another_order_begins_at_the_first_page_and_keeps_the_rest(admin: PageClient, make: Make) -> None:
    make.student()

    page = admin.get("/admin/student/?flt0_level=5&page=3&page_size=50&search=ក&columns=full_name,dob")

    page = admin.get("/admin/student/?flt0_level=5&page_size=50&columns=full_name,dob&page=0")
    link = next(a.get("href") for a in page.find("a") if (a.get("href") or "").count("sort=dob"))
    assert link == "/admin/student/?flt0_level=5&sort=dob&columns=full_name,dob&page_size=50"


@pytest.mark.parametrize("page", PAGES)
def test_an_address_asks_for_nothing_that_is_not_offered(admin: PageClient, make: Make, page: str) -> None:
    make.one(page)

    for odd in ("sort=password", "sort=0", "columns=password", "columns=__class__,;", "columns=" + "x" * 3000):
        shown = admin.get(f"/admin/{page}/?{odd}")
        assert shown.status == 200
        assert headings(shown) == headings(admin.get(f"/admin/{page}/"))


# ---- Columns -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", PAGES)
def test_every_column_on_offer_can_be_shown_and_sorted_as_said(admin: PageClient, make: Make, page: str) -> None:
    make.one(page)
    offered = [box.get("value") or "" for box in admin.get(f"/admin/{page}/").find("input") if _is_choice(box)]

    shown = admin.get(f"/admin/{page}/?columns={','.join(offered)}")

    assert len(headings(shown)) == len(offered)
    assert len(offered) > 3 or page in {"subject", "schoolyear"}
    for link in [
        a.get("href") or "" for th in shown.find("th") for a in th.iter("a") if "sort=" in (a.get("href") or "")
    ]:
        assert admin.get(link).status == 200


def _is_choice(box: Element) -> bool:
    return box.get("name") == "columns"


def test_columns_are_chosen_in_a_form(admin: PageClient, make: Make) -> None:
    make.student(last_name="កែវ", student_village="ព្រែកលាប", dob=dt.date(2014, 5, 31))
    page = admin.get("/admin/student/?search=ក&flt0_level=5")

    form = page.form("columns")
    sent = form.filled({"columns": ["dob", "student_village"]})
    page = admin.get("/admin/student/", query_string=sent)

    assert headings(page) == ["Name", "Date of birth", "Village"]
    assert page.rows[0]["Village"] == "ព្រែកលាប"
    clear = next(a.get("href") for a in page.find("a", "btn-quiet") if "As usual" in "".join(a.itertext()))
    assert clear == "/admin/student/?search=%E1%9E%80&flt0_level=5"


def test_the_name_of_a_row_is_always_there(admin: PageClient, make: Make) -> None:
    make.student()

    page = admin.get("/admin/student/?columns=dob")

    assert headings(page) == ["Name", "Date of birth"]
    assert next(page.find("a", "row-link")).get("href")


def test_a_teacher_is_not_offered_confidential_columns(teacher: PageClient, admin: PageClient, make: Make) -> None:
    pupil = make.enrollment(course=make.course(teacher=teacher.user)).student
    pupil.religion = "hinduism"
    make.session.commit()
    address = "/admin/student/?columns=full_name,religion"

    assert headings(admin.get(address)) == ["Name", "Religion"]
    page = teacher.get(address)
    assert headings(page) == ["Name"]
    assert "eligion" not in page.text


def test_a_file_has_the_columns_of_its_list(admin: PageClient, make: Make) -> None:
    make.student(student_village="ព្រែកលាប")
    page = admin.get("/admin/student/?columns=full_name,student_village&sort=full_name")
    export = next(a.get("href") or "" for a in page.find("a") if "/export/csv/" in (a.get("href") or ""))

    with admin.web.get(export) as answer:
        written = answer.get_data().decode("utf-8-sig")

    assert next(csv.reader(io.StringIO(written))) == ["Name", "Village"]


# ---- Options -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", PAGES)
def test_no_page_holds_more_options_than_can_be_looked_through(
    admin: PageClient, make: Make, session: object, page: str
) -> None:
    for _ in range(3):
        make.one(page)
    make.session.add_all(
        Student(last_name="Sok", first_name="Dara", gender="male", dob=dt.date(2014, 1, 1), class_="5")
        for _ in range(210)
    )
    make.session.commit()
    number = next(iter(admin.get(f"/admin/{page}/").find("a", "row-link"))).get("href") or ""

    addresses = [f"/admin/{page}/?page_size=100", number]
    if page != "activitylog":
        addresses += [f"/admin/{page}/new/", number.replace("details", "edit")]
    assert max(admin.get(address).source.count("<option") for address in addresses) <= 200


@pytest.mark.parametrize("back", [None, "/admin/subject/", "/admin/subject/?search=គណិត&flt0_a=1,2", "/a b?c=d&e=%2F#f"])
def test_a_page_of_a_record_has_the_address_that_flask_would_give_it(app: Flask, back: str | None) -> None:
    (page,) = (view for view in app.extensions["admin"][0]._views if view.endpoint == "subject")
    with app.test_request_context("/admin/subject/", base_url="http://school.test/office"):
        for name in ("edit_view", "details_view", "index_view"):
            assert page.get_url(f".{name}", id=7, url=back) == url_for(f"subject.{name}", id=7, url=back)
            assert page.get_url(f".{name}") == url_for(f"subject.{name}")
        assert page.get_url(".export", export_type="csv") == url_for("subject.export", export_type="csv")
