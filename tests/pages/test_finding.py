"""The box on every page: what it finds for whom, and in which words it tells namesakes apart."""

import datetime as dt
from xml.etree.ElementTree import Element

import pytest

from fsms import clock
from tests.browser import Page, PageClient, SameQueries
from tests.builders import Make


def answers(page: Page) -> list[str]:
    """What is offered, each line as it reads."""
    return [" ".join("".join(f"{text} " for text in option.itertext()).split()) for option in _options(page)]


def _options(page: Page) -> list[Element]:
    return list(page.find("a", "command-option"))


def links(page: Page) -> list[str]:
    return [a.get("href") or "" for a in _options(page)]


def find(client: PageClient, typed: str) -> Page:
    return client.get("/admin/find/", query_string={"q": typed})


@pytest.fixture(autouse=True)
def _in_the_last_of_the_years(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "today", lambda: dt.date(2025, 1, 15))


@pytest.fixture
def classes(make: Make) -> None:
    """Two namesakes of this year, one who left, and a guardian."""
    last, this = make.school_year(school_year_code="2023-2024"), make.school_year(school_year_code="2024-2025")
    for level, section, year in ((7, "A", this), (8, "B", this), (6, "C", last)):
        course = make.course(level=level, section=section, school_year=year, course_name=f"ថ្នាក់ទី {level}")
        pupil = make.student(last_name="សុខ", first_name="ដារ៉ា")
        make.enrollment(student=pupil, course=course)
        make.guardian(student=pupil, last_name="ហេង", first_name="ធីតា", phone=f"012 345 {level}00")


def test_namesakes_are_told_apart_by_their_class_and_number(admin: PageClient, classes: None) -> None:
    found = answers(find(admin, "Sok Dara"))

    assert [line.rpartition(" · ")[0] for line in found[:3]] == [
        "ស សុខ ដារ៉ា 7A",
        "ស សុខ ដារ៉ា 8B",
        "ស សុខ ដារ៉ា 6C · 2023-2024",
    ]


def test_whose_name_begins_so_comes_first(admin: PageClient, make: Make) -> None:
    course = make.course(school_year=make.school_year(school_year_code="2024-2025"))
    for last, first in (("KEO", "Sokha"), ("SOK", "Ravuth"), ("ទេព", "សុខជា"), ("សុខ", "ផល្លា")):
        make.enrollment(student=make.student(last_name=last, first_name=first), course=course)

    names = [" ".join(line.split()[1:3]) for line in answers(find(admin, "sok")) if "#" in line]

    assert names == ["SOK Ravuth", "សុខ ផល្លា", "KEO Sokha", "ទេព សុខជា"]


@pytest.mark.parametrize("typed", ["7A dara", "dara 7a", "ថ្នាក់ទី 7A ដារ៉ា", "៧A ដារ៉ា", "grade 7 dara"])
def test_a_class_and_a_name_find_the_pupil_of_that_class(admin: PageClient, classes: None, typed: str) -> None:
    pupils = [line for line in answers(find(admin, typed)) if "#" in line]

    assert len(pupils) == 1
    assert "7A" in pupils[0]


@pytest.mark.parametrize("typed", ["012 345 800", "+855 12 345 800", "012345800", "០១២៣៤៥៨០០"])
def test_a_guardian_is_found_by_the_phone(admin: PageClient, classes: None, typed: str) -> None:
    (line,) = answers(find(admin, typed))

    assert line.endswith("ហេង ធីតា Mother of សុខ ដារ៉ា · 8B · 012 345 800")


@pytest.mark.parametrize("typed", ["7A", "ថ្នាក់ទី 7A", "ថ្នាក់ទី៧A", "class 7a"])
def test_a_class_is_found_as_people_say_it(admin: PageClient, classes: None, typed: str) -> None:
    assert any(line.endswith("7A ថ្នាក់ទី 7 · 2024-2025") for line in answers(find(admin, typed)))


def test_staff_subjects_and_pages_are_found_too(admin: PageClient, make: Make) -> None:
    make.user(last_name="ទេព", first_name="វិចិត្រ", position="គ្រូ")
    make.subject(subject_name="គណិតវិទ្យា")

    assert any("ទេព វិចិត្រ គ្រូ" in line for line in answers(find(admin, "vichet")))
    assert any("គណិតវិទ្យា" in line for line in answers(find(admin, "គណិត\u200bវិទ្យា")))
    assert "/admin/student/new/" in links(find(admin, "add pupil"))
    assert "/admin/semester/" in links(find(admin, "semesters"))
    assert "/admin/semester/" in links(find(admin, "ឆមាស"))


def test_a_teacher_finds_the_own_school_only(teacher: PageClient, make: Make, classes: None) -> None:
    own = make.student(last_name="សុខ", first_name="ដារ៉ា", phone="099 888 777")
    make.enrollment(student=own, course=make.course(teacher=teacher.user))
    number = own.student_id

    assert [link for link in links(find(teacher, "Sok Dara")) if "student/" in link] == [
        f"/admin/student/details/?id={number}"
    ]
    assert links(find(teacher, "012 345 800")) == []
    assert not [link for link in links(find(teacher, "teacher")) if "/user/" in link]
    assert "/admin/student/new/" not in links(find(teacher, "add pupil"))
    assert [link for link in links(find(teacher, "take attendance")) if "roster" in link or "attendance" in link]


def test_nothing_found_is_said_with_a_way_on(admin: PageClient) -> None:
    assert "Nothing fits “qqqqqq”" in find(admin, "qqqqqq").text


def test_without_words_the_box_offers_what_was_opened_last(
    admin: PageClient, other_teacher: PageClient, make: Make
) -> None:
    first, second = make.student(last_name="ចាន់"), make.student(last_name="ហេង")
    numbers = first.student_id, second.student_id

    for number in (*numbers, numbers[0]):
        assert admin.post("/admin/find/opened/", {"record": f"Student {number}"}).status == 200
    gone = admin.post("/admin/find/opened/", {"record": "Student 999999"})

    assert gone.status == 200
    opened = [link for link in links(admin.get("/admin/find/")) if "details" in link]
    assert opened == [f"/admin/student/details/?id={number}" for number in numbers]
    assert not [link for link in links(other_teacher.get("/admin/find/")) if "details" in link]


@pytest.mark.parametrize("record", ["", "Student", "Student x", "Course 99999999999", "FamilyInfo 1", "Nothing 1"])
def test_only_records_that_can_be_found_are_remembered(admin: PageClient, record: str) -> None:
    assert admin.post("/admin/find/opened/", {"record": record}).status == 400


@pytest.mark.parametrize("typed", ["\x00", "%", "_", "'", "(", "[a-", "\\", "a" * 3000, "១២" * 90, "#", "7A " * 60])
def test_whatever_is_typed_is_answered(admin: PageClient, typed: str) -> None:
    assert find(admin, typed).status == 200


def test_the_dialog_gets_options_and_nothing_around_them(admin: PageClient, classes: None) -> None:
    part = admin.web.get("/admin/find/", query_string={"q": "sok", "part": "1"})

    assert part.status_code == 200
    assert 'role="option"' in part.text
    assert "<html" not in part.text


def test_more_pupils_take_no_more_queries(admin: PageClient, make: Make, same_queries: SameQueries) -> None:
    def more() -> None:
        for _ in range(8):
            pupil = make.student(last_name="សុខ")
            make.guardian(student=pupil, last_name="សុខ")
            make.enrollment(student=pupil)

    more()
    same_queries(lambda: find(admin, "sok"), more)
