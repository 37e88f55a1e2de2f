"""Before a record is deleted, the page says what goes along and what keeps it; nothing happens by itself."""

import pytest
from sqlalchemy.orm import Session

from fsms.models import Base, Guardian, Student
from tests.browser import Page, PageClient, SameQueries
from tests.builders import EDITED_PAGES, Make, contents, key_of


def preview(client: PageClient, row: Base) -> Page:
    """Open the page that comes before a deletion."""
    return client.get(f"/admin/{type(row).__name__.lower()}/deletion/?id={key_of(row)}")


def links(page: Page) -> list[str]:
    """Where the names on the page lead."""
    return [a.get("href") or "" for ul in page.find("ul", "tie-names") for a in ul.iter("a")]


def test_what_goes_along_is_counted_and_named(admin: PageClient, make: Make) -> None:
    student = make.student()
    guardians = [make.guardian(student=student, last_name="កែវ", first_name=name) for name in ("ធីតា", "សុភា")]
    make.family(student=student)

    page = preview(admin, student)

    assert "This deletes 1 pupil, 2 guardians, and 1 family record." in page.text
    assert "កែវ ធីតា" in page.text
    assert {f"/admin/guardian/details/?id={guardian.guardian_id}" for guardian in guardians} <= {
        link.partition("&")[0] for link in links(page)
    }


def test_what_keeps_a_pupil_is_counted_named_and_says_what_to_do(
    admin: PageClient, make: Make, session: Session
) -> None:
    place = make.enrollment()
    for month in range(1, 8):
        make.grade(enrollment=place, grade_date=f"2025-0{month}")
    make.attendance(enrollment=place)

    page = preview(admin, place.student)

    assert "This cannot be deleted: 7 marks, 1 enrolment, and 1 attendance record still need it." in page.text, (
        page.text
    )
    assert "Drop the pupil from the class instead." in page.text
    assert "and 2 more" in page.text
    assert any("/admin/drops/drop/" in (a.get("href") or "") for a in page.find("a")), "the way out is offered"
    assert "· March 2025" in page.text, "months are written in words"
    assert "delete" not in {form.get("id") for form in page.find("form")}
    assert len(links(page)) == 5 + 1 + 1


def test_what_only_points_here_is_said_to_stay(admin: PageClient, make: Make) -> None:
    course = make.course(teacher=make.user())

    page = preview(admin, course.teacher1 or make.user())

    assert "This deletes 1 account." in page.text
    assert "Stays, but no longer points here" in page.text
    assert "1 course" in page.text


@pytest.mark.parametrize("page", EDITED_PAGES)
def test_looking_deletes_nothing(admin: PageClient, make: Make, session: Session, page: str) -> None:
    row = make.one(page)
    before = contents(session)

    assert preview(admin, row).status == 200

    assert contents(session) == before


def test_lists_pages_and_forms_lead_there_without_a_script(admin: PageClient, make: Make) -> None:
    subject = make.subject()
    wanted = f"/admin/subject/deletion/?id={subject.subject_id}"

    for address in ("", f"details/?id={subject.subject_id}", f"edit/?id={subject.subject_id}"):
        page = admin.get(f"/admin/subject/{address}")
        found = [a.get("href") or "" for a in page.find("a") if "/deletion/" in (a.get("href") or "")]
        assert [f"{path}?id={subject.subject_id}" for path in (h.partition("?")[0] for h in found)] == [wanted]
        assert all(f"id={subject.subject_id}" in href for href in found)


def test_many_rows_go_only_when_the_word_is_typed(admin: PageClient, make: Make, session: Session) -> None:
    student = make.student()
    for _ in range(20):
        make.guardian(student=student)
    before = contents(session)

    page = preview(admin, student)
    assert "These are 21 rows." in page.text
    refused = admin.submit("delete", typed={"typed": "yes"})

    assert refused.flashes == ["Nothing was deleted: the word was not typed."]
    assert contents(session) == before
    assert session.query(Guardian).count() == 20

    gone = admin.submit("delete", typed={"typed": " Delete "})

    assert "Record was successfully deleted." in gone.flashes
    assert (session.query(Student).count(), session.query(Guardian).count()) == (0, 0)


def test_what_was_deleted_with_a_family_comes_back_by_undo(admin: PageClient, make: Make, session: Session) -> None:
    student = make.student()
    make.guardian(student=student)
    make.family(student=student)
    key = student.student_id

    preview(admin, student)
    after = admin.submit("delete")
    undo = next(a.get("href") or "" for a in after.find("a") if "/undo/" in (a.get("href") or ""))
    admin.get(undo)
    admin.submit("undo")

    back = session.get(Student, key)
    assert back
    assert len(back.guardians) == 1
    assert back.family


@pytest.mark.parametrize("key", ["", "abc", "-1", "0", "999999", "9" * 30, "%00", "1,2"])
def test_what_is_not_there_has_no_preview(admin: PageClient, key: str) -> None:
    assert admin.get(f"/admin/student/deletion/?id={key}").status == 404


def test_a_preview_asks_as_often_for_twice_as_much(admin: PageClient, make: Make, same_queries: SameQueries) -> None:
    place = make.enrollment()

    def more() -> None:
        for _ in range(4):
            make.grade(enrollment=place, subject=make.subject())
            make.attendance(enrollment=make.enrollment(student=place.student))
            make.guardian(student=place.student)

    more()

    same_queries(lambda: preview(admin, place.student), more)
