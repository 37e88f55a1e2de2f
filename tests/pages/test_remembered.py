"""Parts of pages that are drawn once: nobody is shown what was drawn for somebody else, nor what is over."""

import gc
from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask, g
from markupsafe import Markup
from sqlalchemy import event, select
from sqlalchemy.orm import Session

from fsms.admin_views import remembered
from fsms.admin_views.contexts import LetGo
from fsms.admin_views.inlines import InlineRows
from fsms.admin_views.lines import Lines
from fsms.models import Attendance, Base, Course
from fsms.vocabulary import Role
from tests.browser import Browser, Page, PageClient
from tests.builders import PASSWORD, Make


def menu(page: Page) -> list[str]:
    """The names of the pages in the menu at the side."""
    links = (link for group in page.find("ul", "nav-group") for link in group.iter("a"))
    return [" ".join("".join(link.itertext()).split()) for link in links]


def chips(page: Page) -> list[str]:
    """The quick filters of a list."""
    return ["".join(a.itertext()).strip() for a in page.find("a") if "flt0_class=" in (a.get("href") or "")]


def test_each_reader_has_an_own_menu(admin: PageClient, teacher: PageClient) -> None:
    first = menu(admin.get("/admin/course/"))

    assert "Scholarships" in first
    assert "Scholarships" not in menu(teacher.get("/admin/course/"))
    assert menu(admin.get("/admin/course/")) == first


def test_the_menu_marks_the_page_that_is_open(admin: PageClient) -> None:
    for page, name in (("course", "Courses"), ("subject", "Subjects"), ("course", "Courses")):
        here = [a for a in admin.get(f"/admin/{page}/").find("a", "nav-item") if a.get("aria-current") == "page"]
        assert {" ".join("".join(link.itertext()).split()) for link in here} == {name}


def test_a_page_that_is_in_no_menu_marks_no_other_there(admin: PageClient) -> None:
    def marked(path: str) -> set[str | None]:
        return {a.get("href") for a in admin.get(path).find("a", "nav-item") if a.get("aria-current") == "page"}

    for path, here in (("/account", set()), ("/admin/", {"/admin/"}), ("/account", set())):
        assert marked(path) == here


def test_whose_name_has_changed_signs_in_again_under_the_new_one(admin: PageClient, session: Session) -> None:
    admin.get("/admin/subject/")
    admin.user.username = "sokhanew"
    session.commit()

    (shown,) = (e for e in admin.get("/admin/subject/").find("input") if e.get("id") == "session-username")
    assert shown.get("value") == "sokhanew"


def test_another_language_is_shown_at_once(admin: PageClient) -> None:
    english = menu(admin.get("/admin/course/"))

    admin.post("/language", {"language": "km", "url": "/admin/course/"})

    assert not set(menu(admin.get("/admin/course/"))) & set(english)


def test_a_class_made_now_is_among_the_quick_filters_of_the_next_page(admin: PageClient, make: Make) -> None:
    year = make.school_year(school_year_code="2024-2025")
    make.course(school_year=year, grade="7", section="A")
    assert chips(admin.get("/admin/attendance/?menu=class")) == ["7A"]

    make.course(school_year=year, grade="7", section="B")

    assert chips(admin.get("/admin/attendance/?menu=class")) == ["7A", "7B"]


def test_quick_filters_keep_what_else_the_address_asks(admin: PageClient, make: Make) -> None:
    make.course(grade="7", section="A")

    for search in ("ក", "ខ"):
        page = admin.get(f"/admin/attendance/?search={search}")
        links = [a.get("href") or "" for a in page.find("a", "quick-chip")]
        assert links
        assert all(f"search={'%E1%9E%80' if search == 'ក' else '%E1%9E%81'}" in link for link in links)


# ---- Fields of forms -----------------------------------------------------------------------------------------------


def values(page: Page) -> dict[str, str | None]:
    """What stands in the lines of a form."""
    return {field.get("name") or "": field.get("value") for field in page.find("input") if field.get("type") == "text"}


def test_each_record_stands_in_its_own_form(admin: PageClient, make: Make) -> None:
    pupils = [make.student(last_name="សុខ", first_name=name, phone="012 345 678") for name in ("ដារ៉ា", "ចាន់ធី")]
    for pupil in pupils:
        for phone in ("010 111 111", f"010 222 {pupil.student_id:03d}"):
            make.guardian(student=pupil, phone=phone)

    for pupil in [*pupils, *pupils]:
        shown = values(admin.get(f"/admin/student/edit/?id={pupil.student_id}"))
        assert (shown["last_name"], shown["first_name"], shown["phone"]) == ("សុខ", pupil.first_name, "012 345 678")
        assert shown["guardians-0-phone"] == "010 111 111"
        assert shown["guardians-1-phone"] == f"010 222 {pupil.student_id:03d}"


def test_rows_of_children_show_what_was_changed_though_they_were_drawn_before(admin: PageClient, make: Make) -> None:
    pupil = make.student()
    guardian = make.guardian(student=pupil, phone="010 111 111")
    path = f"/admin/student/edit/?id={pupil.student_id}"
    before = admin.get(path)
    assert values(before)["guardians-0-phone"] == "010 111 111"

    guardian.phone = "010 222 222"
    make.session.commit()

    after = admin.get(path)
    assert values(after)["guardians-0-phone"] == "010 222 222"
    assert versions(after, "guardians-0") != versions(before, "guardians-0")
    make.session.delete(guardian)
    make.session.commit()
    assert "guardians-0-phone" not in values(admin.get(path))


def test_rows_of_children_are_made_only_where_they_are_drawn_or_sent(
    admin: PageClient, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    pupil = make.student()
    make.guardian(student=pupil, phone="010 111 111")
    path, made, make_rows = f"/admin/student/edit/?id={pupil.student_id}", [], InlineRows._make_rows

    def noted(rows: InlineRows, sent: object, children: object) -> None:
        made.append(rows.name)
        make_rows(rows, sent, children)

    admin.get(path)
    monkeypatch.setattr(InlineRows, "_make_rows", noted)

    assert values(admin.get(path))["guardians-0-phone"] == "010 111 111"
    assert not made
    admin.submit(None, {"guardians-0-phone": "010 333 333"})
    assert "guardians" in made
    assert values(admin.get(path))["guardians-0-phone"] == "010 333 333"


def versions(page: Page, row: str) -> list[str | None]:
    """The version that a row of a form was opened with."""
    return [field.get("value") for field in page.find("input") if field.get("name") == f"{row}-version"]


def test_rows_of_children_that_were_refused_keep_what_was_typed(admin: PageClient, make: Make) -> None:
    pupil = make.student()
    make.guardian(student=pupil, phone="010 111 111")
    path = f"/admin/student/edit/?id={pupil.student_id}"

    admin.get(path)
    refused = admin.submit(None, {"guardians-0-phone": "not a number", "last_name": ""})

    assert values(refused)["guardians-0-phone"] == "not a number"
    assert values(admin.get(path))["guardians-0-phone"] == "010 111 111"


def test_a_photograph_is_shown_in_the_form_of_its_own_person_only(admin: PageClient, make: Make) -> None:
    with_one, without = make.student(photo="a" * 32 + ".jpg"), make.student()

    for pupil, there in ((with_one, True), (without, False), (with_one, True)):
        page = admin.get(f"/admin/student/edit/?id={pupil.student_id}")
        assert [f"/photo/student/{pupil.student_id}" == image.get("src") for image in page.find("img", "photo")] == (
            [True] if there else []
        )


def test_a_look_up_shows_what_is_chosen_and_what_can_be_chosen_now(admin: PageClient, make: Make) -> None:
    first, second = make.grade(), make.grade()

    def shown(path: str) -> tuple[str, list[str]]:
        page = admin.get(path)
        return page.chosen("student"), page.options("subject")

    for mark in (first, second, first):
        pupil, subjects = shown(f"/admin/grade/edit/?id={mark.grade_id}")
        assert pupil == str(mark.student)
        assert first.subject.subject_name in subjects
    first.subject.subject_name = "Astronomy"
    make.subject(subject_name="Geology")
    make.session.commit()

    pupil, subjects = shown("/admin/grade/new/")
    assert pupil == ""
    assert {"Astronomy", "Geology"} <= set(subjects)


def test_a_field_tells_what_is_wrong_with_it_and_not_what_was_wrong_before(admin: PageClient, make: Make) -> None:
    subject = make.subject()
    path = f"/admin/subject/edit/?id={subject.subject_id}"
    admin.get(path)

    refused = admin.post(path, {"subject_name": "", "version": str(subject.version)})

    assert [field.get("aria-invalid") for field in refused.find("input") if field.get("name") == "subject_name"] == [
        "true"
    ]
    assert "aria-invalid" not in admin.get(path).text


def test_a_field_is_drawn_in_the_language_and_the_digits_of_its_reader(admin: PageClient, make: Make) -> None:
    path = f"/admin/student/edit/?id={make.student(previous_school='Wat Phnom').student_id}"
    admin.get(path)

    admin.post("/language", {"language": "km", "url": path})

    words = [" ".join("".join(label.itertext()).split()) for label in admin.get(path).find("label")]
    assert words
    assert not [word for word in words if word.isascii() and word]


# ---- Tokens and nonces ---------------------------------------------------------------------------------------------


def seals(page: Page) -> tuple[set[str], set[str]]:
    """The tokens of a page's forms, and the nonces of its scripts and styles."""
    tokens = {field.get("value") or "" for field in page.find("input") if field.get("name") == "csrf_token"}
    nonces = {tag.get("nonce") or "" for kind in ("script", "link") for tag in page.find(kind) if tag.get("nonce")}
    return tokens, nonces


LISTS = ("/admin/course/", "/admin/student/", "/admin/user/", "/admin/activitylog/")


@pytest.mark.parametrize("path", LISTS)
def test_each_session_of_a_person_has_its_own_token_and_each_page_its_own_nonce(
    browser: Browser, make: Make, path: str
) -> None:
    user = make.user(role=Role.ADMIN.value)
    make.student()
    desk, phone = browser(), browser()
    for one in (desk, phone):
        one.sign_in(user.username, PASSWORD)
    seen = []

    for one in (desk, phone, desk, phone):
        page = one.get(path)
        tokens, nonces = seals(page)
        policy = page.response.headers["Content-Security-Policy"]
        assert tokens == {one.csrf_token}
        assert len(nonces) == 1
        assert f"'nonce-{next(iter(nonces))}'" in policy
        assert not [mark for mark in remembered._MARKS.values() if mark in page.text]
        seen.append((next(iter(tokens)), *nonces))

    # A token is signed anew with each second.
    assert len({token.partition(".")[0] for token, _nonce in seen}) == 2
    assert len({nonce for _token, nonce in seen}) == 4


def test_a_form_that_is_drawn_once_is_taken_from_every_session(browser: Browser, make: Make) -> None:
    user = make.user(role=Role.ADMIN.value)
    for one in (browser(), browser(), browser()):
        one.sign_in(user.username, PASSWORD)
        one.get("/admin/course/")
        assert one.submit("/logout").path == "/login"


def test_a_part_into_which_a_token_came_by_another_way_is_not_kept(app: Flask) -> None:
    with app.test_request_context("/admin/"):
        g.csrf_token = "a-token-of-this-request"
        drawn = [Markup("a-token-of-this-request"), Markup("nothing of the kind")]
        assert remembered.remembered(_Macro("part of a test", drawn.pop, 0), "once") == "a-token-of-this-request"
        assert remembered.remembered(_Macro("part of a test", drawn.pop, 0), "once") == "nothing of the kind"
        assert remembered.remembered(_Macro("part of a test", drawn.pop, 0), "once") == "nothing of the kind"


class _Macro:
    def __init__(self, name: str, draw: Callable[[int], Markup], given: int) -> None:
        self.name, self._draw, self._given = name, draw, given

    def __call__(self) -> Markup:
        return self._draw(self._given)


# ---- Rows of lists -------------------------------------------------------------------------------------------------


def rows(page: Page) -> list[list[str]]:
    """What the rows of a list say."""
    return [
        [" ".join("".join(cell.itertext()).split()) for cell in row if cell.get("class") != "row-actions"]
        for row in page.find("tr")
        if row.find("td") is not None and row.find("th[@scope='row']") is not None
    ]


def test_a_row_shows_what_was_changed_though_it_was_drawn_before(admin: PageClient, make: Make) -> None:
    subject = make.subject(subject_name="Art")
    assert "Art" in str(rows(admin.get("/admin/subject/")))

    admin.get(f"/admin/subject/edit/?id={subject.subject_id}")
    admin.submit(subject_name="Music")

    assert "Music" in str(rows(admin.get("/admin/subject/")))
    assert "Art" not in str(rows(admin.get("/admin/subject/")))


def test_a_row_shows_what_was_changed_in_the_records_it_names(admin: PageClient, make: Make) -> None:
    mark = make.grade()
    admin.get("/admin/grade/")
    path = f"/admin/student/edit/?id={mark.student.student_id}"

    admin.get(path)
    admin.submit(last_name="Renamed")

    assert "Renamed" in str(rows(admin.get("/admin/grade/")))


def test_a_row_is_drawn_in_the_language_and_the_digits_of_its_reader(admin: PageClient, make: Make) -> None:
    make.attendance()
    english = rows(admin.get("/admin/attendance/"))

    admin.post("/language", {"language": "km", "url": "/admin/attendance/"})
    khmer = rows(admin.get("/admin/attendance/"))

    assert english != khmer
    assert "វត្តមាន" in str(khmer)


def test_rows_offer_each_reader_what_is_open_to_them(admin: PageClient, teacher: PageClient, make: Make) -> None:
    make.enrollment(course=make.course(teacher1=teacher.user))

    for _ in range(2):
        assert [a for a in admin.get("/admin/student/").find("a", "btn-icon") if "/edit/" in (a.get("href") or "")]
        page = teacher.get("/admin/student/")
        assert rows(page)
        assert not [a for a in page.find("a") if "/edit/" in (a.get("href") or "")]


def test_the_links_of_a_row_lead_back_to_the_list_they_stand_in(admin: PageClient, make: Make) -> None:
    make.student(last_name="Sok")

    for address in ("/admin/student/", "/admin/student/?search=Sok", "/admin/student/?sort=full_name&desc=1"):
        page = admin.get(address)
        links = [a.get("href") or "" for a in page.find("a", "row-link")]
        assert links
        for link in links:
            assert parse_qs(urlsplit(link).query)["url"] == [address]
        assert remembered.WAY_BACK not in page.text
        assert remembered.ROW_END not in page.text


@pytest.mark.parametrize(
    ("shown", "times"), [("course_name", 1), ("teacher1", 2)], ids=["of the row", "read while the row is drawn"]
)
def test_a_row_is_drawn_once_unless_more_is_read_for_it(app: Flask, make: Make, shown: str, times: int) -> None:
    key = make.course().course_id
    make.session.commit()
    drawn = []

    def draw(records: list[Base]) -> Markup:
        drawn.extend(records)
        return Markup(remembered.ROW_END).join(str(getattr(record, shown)) for record in records)  # noqa: S704

    with app.test_request_context("/admin/"):
        for _ in range(2):
            make.session.expunge_all()
            lines = Lines([(key,)], lambda: [make.session.get_one(Course, key)])
            remembered.remembered_rows(draw, lines, "a test", shown)

    assert len(drawn) == times


def test_of_a_list_seen_again_no_record_is_made_but_of_what_is_new(admin: PageClient, make: Make) -> None:
    for _ in range(3):
        make.attendance()
    made: list[object] = []
    event.listen(Attendance, "load", lambda record, _context: made.append(record))

    for address in ("/admin/attendance/", "/admin/attendance/?search=", "/admin/attendance/?flt0_seen=present"):
        assert len(rows(admin.get(address))) == 3
        made.clear()
        make.session.expunge_all()
        assert len(rows(admin.get(address))) == 3
        assert made == []

    make.session.expunge_all()
    changed = make.session.scalars(select(Attendance)).first()
    assert changed
    changed.reason = "Was at the dentist"
    make.session.commit()
    assert "Was at the dentist" in str(rows(admin.get("/admin/attendance/")))


# ---- After a request -----------------------------------------------------------------------------------------------


def test_what_a_page_was_made_of_goes_with_its_request(admin: PageClient, make: Make) -> None:
    make.attendance()
    admin.get("/admin/attendance/")
    gc.collect()
    gc.disable()
    try:
        admin.get("/admin/attendance/")
        left = [one for one in gc.get_objects() if isinstance(one, LetGo) and "page_shown" in one.parent]
    finally:
        gc.enable()

    assert not left
