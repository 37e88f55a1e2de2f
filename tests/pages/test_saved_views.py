"""Saved views: lists as people like them, kept under a name, shared by administrators, one of them opening first."""

import csv
import io
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from fsms.models import User
from fsms.office import SavedView
from tests.browser import Page, PageClient, Queries
from tests.builders import Make

LIKED = "flt0_level=7&sort=full_name&columns=full_name,dob"


def save(client: PageClient, name: str, query: str = LIKED, page: str = "student", **more: Any) -> Page:
    """Keep what a list shows."""
    client.get(f"/admin/{page}/?{query}")
    return client.submit("view-name-form", {"name": name}, **more)


def views_on(page: Page) -> dict[str, str]:
    """The views that a list offers, with their addresses."""
    (menu,) = page.find("details", "views-menu")
    links = [a for a in menu.iter("a") if "view=" in (a.get("href") or "")]
    return {"".join(a.itertext()).strip(): a.get("href") or "" for a in links}


def act(client: PageClient, act: str, view: SavedView, page: str = "student", **more: Any) -> Page:
    """Ask for something to be done to a view, as a form would."""
    return client.post(f"/admin/{page}/views/", {"act": act, "id": view.view_id, **more})


@pytest.fixture
def pupils(make: Make) -> None:
    """Pupils of two levels."""
    for level in ("7", "7", "8"):
        make.student(class_=level)


def one_view(session: Session, name: str) -> SavedView:
    """Find a view by its name."""
    session.expire_all()
    return session.scalars(select(SavedView).where(SavedView.name == name)).one()


def test_lists_look_for_views_once_there_are_some(admin: PageClient, teacher: PageClient, queries: Queries) -> None:
    def asks(client: PageClient) -> bool:
        with queries() as asked:
            client.get("/admin/student/")
        return any('"SavedView".address' in statement for statement in asked)

    assert not asks(admin)
    save(admin, "Grade 7", shared="1")

    assert asks(admin)
    assert asks(teacher)
    assert "Grade 7" in views_on(teacher.get("/admin/student/"))


# ---- Keeping -------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("pupils")
def test_a_view_keeps_filters_search_order_size_and_columns(admin: PageClient, session: Session) -> None:
    query = "search=ក&flt0_level=7&flt1_dob-from=2010-01-01&sort=dob&desc=1&columns=full_name,dob&page_size=50&page=3"
    page = save(admin, "  Grade\u200b 7 ", query)

    kept = one_view(session, "Grade 7")

    assert page.flashes == ["The view “Grade 7” is saved."]
    assert kept.address == (
        "search=%E1%9E%80&flt0_level=7&flt1_dob-from=2010-01-01&sort=dob&desc=1&columns=full_name,dob&page_size=50"
    )
    assert (kept.page, kept.shared) == ("student", False)
    assert page.path == f"/admin/student/?{kept.address}&view={kept.view_id}"


@pytest.mark.usefixtures("pupils")
def test_a_view_is_opened_from_its_list_and_by_its_number(admin: PageClient, session: Session) -> None:
    save(admin, "Grade 7")
    kept = one_view(session, "Grade 7")

    page = admin.get(views_on(admin.get("/admin/student/"))["Grade 7"])
    by_number = admin.get(f"/admin/student/?view={kept.view_id}")

    assert page.path == by_number.path
    assert list(page.rows[0]) == ["Name", "Date of birth"]
    assert len(page.rows) == 2
    assert "Grade 7" not in views_on(admin.get("/admin/guardian/"))


@pytest.mark.usefixtures("pupils")
def test_a_file_has_the_rows_and_columns_of_the_view(admin: PageClient) -> None:
    page = save(admin, "Grade 7")
    export = next(a.get("href") or "" for a in page.find("a") if "/export/csv/" in (a.get("href") or ""))

    with admin.web.get(export) as answer:
        headings, *rows = csv.reader(io.StringIO(answer.get_data().decode("utf-8-sig")))

    assert headings == ["Name", "Date of birth"]
    assert len(rows) == 2


@pytest.mark.parametrize("name", ["", " ", "\u200b", "x" * 61, "\x00"])
@pytest.mark.usefixtures("pupils")
def test_a_view_needs_a_name_and_what_was_typed_stays(admin: PageClient, session: Session, name: str) -> None:
    page = save(admin, name)

    assert page.status == 200
    assert page.errors == {"view-name": "Give the view a name of up to 60 characters."}
    assert len(page.rows) == 2
    assert not session.scalars(select(SavedView)).all()


@pytest.mark.usefixtures("pupils")
def test_nobody_has_two_views_of_one_name(admin: PageClient) -> None:
    save(admin, "Grade 7")

    page = save(admin, "GRADE 7")

    assert page.errors == {
        "view-name": "You have a view of this name already. Choose another name, or change that view."
    }
    assert page.control("name").get("value") == "GRADE 7"


def test_views_do_not_pile_up_without_end(admin: PageClient, session: Session) -> None:
    session.add_all(SavedView(user_id=admin.user.user_id, page="student", name=f"{n}", address="") for n in range(50))
    session.commit()

    page = save(admin, "One more")

    assert page.errors == {"view-name": "You have 50 views of this list already. Delete one of them first."}


# ---- Changing ------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("pupils")
def test_a_view_is_changed_renamed_and_deleted(admin: PageClient, session: Session) -> None:
    save(admin, "Grade 7")
    view = one_view(session, "Grade 7")

    changed = admin.get(f"/admin/student/?flt0_level=8&view={view.view_id}")
    assert "(changed)" in changed.text
    admin.post(f"/admin/student/views/?flt0_level=8&view={view.view_id}", {"act": "replace", "id": view.view_id})
    session.expire_all()
    assert view.address == "flt0_level=8"

    admin.get(f"/admin/student/?view={view.view_id}")
    renamed = admin.submit("view-new-name-form", {"name": "Grade 8"})
    assert "(changed)" not in renamed.text
    assert "Grade 8" in views_on(renamed)

    gone = act(admin, "delete", view)
    assert gone.flashes == ["The view “Grade 8” is deleted."]
    assert "Grade 8" not in views_on(gone)
    assert len(gone.rows) == 3


@pytest.mark.usefixtures("pupils")
def test_a_list_opens_with_the_view_that_its_reader_likes(
    admin: PageClient, browser: Any, make: Make, session: Session
) -> None:
    save(admin, "Grade 7")
    view = one_view(session, "Grade 7")

    act(admin, "first", view)
    opened = admin.get("/admin/student/")
    everything = admin.get(views_on(opened)["All records"])

    assert len(opened.rows) == 2
    assert len(everything.rows) == 3
    cleared = next(a.get("href") or "" for a in opened.find("a", "quick-away"))
    assert len(admin.get(cleared).rows) == 3
    act(admin, "usual", view)
    assert len(admin.get("/admin/student/").rows) == 3


@pytest.mark.usefixtures("pupils")
def test_a_first_view_that_is_gone_leaves_the_list_as_usual(admin: PageClient, session: Session) -> None:
    save(admin, "Grade 7")
    view = one_view(session, "Grade 7")
    act(admin, "first", view)
    act(admin, "delete", view)

    assert len(admin.get("/admin/student/").rows) == 3


# ---- Rights --------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("pupils")
def test_a_shared_view_shows_each_reader_what_is_theirs(
    admin: PageClient, teacher: PageClient, make: Make, session: Session
) -> None:
    own = make.enrollment(course=make.course(teacher=teacher.user), student=make.student(class_="7")).student
    save(admin, "Grade 7", "flt0_level=7&flt1_scholarship=1&columns=full_name,religion", shared=True)
    save(admin, "For me")

    offered = views_on(teacher.get("/admin/student/"))
    page = teacher.get(offered["Grade 7"])

    assert "For me" not in offered
    assert page.column("Name") == [own.full_name]
    assert list(page.rows[0]) == ["Name"]
    assert page.flashes == ["A filter in this address is for administrators only. It was left out."]
    act(teacher, "first", one_view(session, "Grade 7"))
    assert "flt0_level=7" in teacher.get("/admin/student/").path


def test_a_teacher_shares_nothing_and_changes_no_office_view(
    admin: PageClient, teacher: PageClient, session: Session
) -> None:
    save(admin, "Office", shared=True)
    office = one_view(session, "Office")

    assert "for everybody" not in teacher.get("/admin/student/").text
    shared = teacher.post("/admin/student/views/", {"act": "save", "name": "Mine for all", "shared": "1"})
    assert shared.status == 403
    for forbidden in ("rename", "replace", "delete"):
        assert act(teacher, forbidden, office, name="Theirs").status == 403
    assert one_view(session, "Office").address == office.address
    assert "Delete this view" not in teacher.get(f"/admin/student/?view={office.view_id}").text


def test_nobody_finds_or_changes_anothers_own_view(
    admin: PageClient, teacher: PageClient, other_teacher: PageClient, session: Session
) -> None:
    save(teacher, "Private")
    view = one_view(session, "Private")

    for stranger in (admin, other_teacher):
        assert "Private" not in stranger.get(f"/admin/student/?view={view.view_id}").text
        for tried in ("rename", "replace", "delete", "first"):
            assert act(stranger, tried, view, name="Theirs").status == 404
    assert one_view(session, "Private")


def test_another_administrator_keeps_the_office_views(
    admin: PageClient, browser: Any, make: Make, session: Session
) -> None:
    save(admin, "Office", shared=True)
    make.user(username="secretary", role="admin")
    secretary = browser()
    secretary.sign_in("secretary", "correct horse 7", follow=False)

    act(secretary, "rename", one_view(session, "Office"), name="The office’s")

    assert "The office’s" in views_on(admin.get("/admin/student/"))


@pytest.mark.parametrize("key", ["", "0", "abc", "-1", "9" * 30, "1,2"])
def test_a_view_that_is_none_is_not_found(admin: PageClient, make: Make, key: str) -> None:
    make.student()

    assert admin.get("/admin/student/", query_string={"view": key}).status == 200
    assert admin.post("/admin/student/views/", {"act": "rename", "id": key, "name": "x"}).status == 404
    unheard = admin.post("/admin/student/views/", {"act": key, "id": key})
    assert unheard.flashes == ["There is no such act. Nothing was changed."]


def test_views_go_with_their_account(teacher: PageClient, session: Session, make: Make) -> None:
    other = make.user()
    session.add(SavedView(user_id=other.user_id, page="student", name="x", address=""))
    session.commit()

    session.delete(session.get_one(User, other.user_id))
    session.commit()

    assert not session.scalars(select(SavedView)).all()
