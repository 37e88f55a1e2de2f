"""Parts of pages that are drawn once: nobody is shown what was drawn for somebody else, nor what is over."""

from tests.browser import Page, PageClient
from tests.builders import Make


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


def test_another_language_is_shown_at_once(admin: PageClient) -> None:
    english = menu(admin.get("/admin/course/"))

    admin.post("/language", {"language": "km", "url": "/admin/course/"})

    assert not set(menu(admin.get("/admin/course/"))) & set(english)


def test_a_class_made_now_is_among_the_quick_filters_of_the_next_page(admin: PageClient, make: Make) -> None:
    year = make.school_year(school_year_code="2024-2025")
    make.course(school_year=year, grade="7", section="A")
    assert chips(admin.get("/admin/attendance/")) == ["7A"]

    make.course(school_year=year, grade="7", section="B")

    assert chips(admin.get("/admin/attendance/")) == ["7A", "7B"]


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
