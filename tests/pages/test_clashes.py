"""Two people at one record: both versions side by side, a choice for each field, and nothing lost."""

import datetime as dt
from decimal import Decimal

import pytest
from sqlalchemy.orm import Session

from fsms.models import Student
from tests.browser import Browser, Page, PageClient
from tests.builders import EDITED_PAGES, PASSWORD, Make, contents, key_of
from tests.pages.typed import CHANGED, kept

STALE = "Somebody else saved this record after you opened it. Nothing of yours is lost: choose what to keep."


@pytest.fixture
def second(admin: PageClient, browser: Browser, make: Make) -> PageClient:
    """The secretary at another computer."""
    client = browser()
    client.user = make.user(username="secretary", role="admin", last_name="ចាន់", first_name="សុភា")
    client.sign_in("secretary", PASSWORD, follow=False)
    return client


def both_open(first: PageClient, second: PageClient, student: Student) -> None:
    """Let both open the form of a pupil."""
    for client in (first, second):
        client.get(f"/admin/student/edit/?id={student.student_id}")


def compared(page: Page) -> dict[str, tuple[str, str, str | None]]:
    """What stands on either side of each line, and which side is chosen."""
    lines = {}
    for table in page.find("table", "clash-table"):
        for row in list(table.iter("tr"))[1:]:
            (name,) = (e.get("value") or "" for e in row.iter("input") if e.get("name") == "asked")
            theirs, mine = (" ".join(" ".join(cell.itertext()).split()) for cell in row.iter("td"))
            chosen = [e.get("value") for e in row.iter("input") if e.get("checked") is not None]
            lines[name] = (theirs, mine, chosen[0] if chosen else None)
    return lines


@pytest.mark.parametrize("page", EDITED_PAGES)
def test_a_form_opened_before_somebody_elses_save_changes_nothing_and_keeps_what_was_typed(
    admin: PageClient, second: PageClient, make: Make, session: Session, page: str
) -> None:
    number = key_of(make.one(page))
    typed, _ = CHANGED[page]
    second.get(f"/admin/{page}/edit/?id={number}")
    admin.get(f"/admin/{page}/edit/?id={number}")
    admin.submit(typed=typed)
    before = contents(session)

    asked = second.submit(typed=typed)

    assert STALE in asked.text
    assert contents(session) == before
    assert kept(asked, typed)


def test_each_line_says_what_stands_on_either_side_and_who_saved_it(
    admin: PageClient, second: PageClient, make: Make
) -> None:
    student = make.student(health="ហឺត", phone="012 000 000")
    both_open(admin, second, student)
    second.submit(typed={"health": "ជាសះស្បើយ", "dob": "2013-01-02"})

    asked = admin.submit(typed={"health": "ឈឺបេះដូង", "phone": "012 111 111"})

    lines = compared(asked)
    assert set(lines) == {"health", "dob", "phone"}
    theirs, mine, keep = lines["health"]
    assert theirs.startswith("ជាសះស្បើយ ចាន់ សុភា,")
    assert (mine, keep) == ("ឈឺបេះដូង", None)
    # Only they have changed the one, only I the other: what goes without saying is chosen already.
    assert lines["dob"][0].startswith("02/01/2013 ចាន់ សុភា,")
    assert lines["dob"][1:] == ("31/05/2014", "theirs")
    assert lines["phone"] == ("012 000 000", "012 111 111", "mine")


@pytest.mark.parametrize(("choice", "health"), [("mine", "ឈឺបេះដូង"), ("theirs", "ជាសះស្បើយ")])
def test_the_choice_is_saved_field_by_field(
    admin: PageClient, second: PageClient, make: Make, session: Session, choice: str, health: str
) -> None:
    student = make.student(health="ហឺត", phone="012 000 000")
    both_open(admin, second, student)
    second.submit(typed={"health": "ជាសះស្បើយ", "dob": "2013-01-02"})
    admin.submit(typed={"health": "ឈឺបេះដូង", "phone": "012 111 111"})

    saved = admin.submit(typed={"keep-health": choice, "keep-dob": "theirs", "keep-phone": "mine"})

    assert "Record was successfully saved." in saved.flashes, saved.text
    session.refresh(student)
    assert (student.health, student.phone, student.dob) == (health, "012 111 111", dt.date(2013, 1, 2))


def test_without_an_answer_nothing_is_saved_and_the_question_stays(
    admin: PageClient, second: PageClient, make: Make, session: Session
) -> None:
    student = make.student(health="ហឺត")
    both_open(admin, second, student)
    second.submit(typed={"health": "ជាសះស្បើយ"})
    admin.submit(typed={"health": "ឈឺបេះដូង"})
    before = contents(session)

    asked = admin.submit()

    assert STALE in asked.text
    assert compared(asked)["health"][2] is None
    assert asked.field("health") == "ឈឺបេះដូង"
    assert contents(session) == before


def test_who_saves_while_somebody_chooses_is_asked_about_too(
    admin: PageClient, second: PageClient, make: Make, session: Session
) -> None:
    student = make.student(health="ហឺត", phone="012 000 000")
    both_open(admin, second, student)
    second.submit(typed={"health": "ជាសះស្បើយ"})
    admin.submit(typed={"health": "ឈឺបេះដូង"})
    second.get(f"/admin/student/edit/?id={student.student_id}")
    second.submit(typed={"phone": "012 999 999"})

    asked = admin.submit(typed={"keep-health": "mine"})

    assert compared(asked) == {
        "health": (*compared(asked)["health"][:2], "mine"),
        "phone": (compared(asked)["phone"][0], "012 000 000", "theirs"),
    }
    assert compared(asked)["phone"][0].startswith("012 999 999")
    admin.submit(typed={"keep-health": "mine", "keep-phone": "theirs"})
    session.refresh(student)
    assert (student.health, student.phone) == ("ឈឺបេះដូង", "012 999 999")


def test_what_two_people_wrote_alike_is_no_question(
    admin: PageClient, second: PageClient, make: Make, session: Session
) -> None:
    subject = make.subject(subject_name="គណិត")
    for client in (admin, second):
        client.get(f"/admin/subject/edit/?id={subject.subject_id}")
    second.submit(typed={"subject_name": "គណិតវិទ្យា"})

    asked = admin.submit(typed={"subject_name": "គណិតវិទ្យា"})
    assert compared(asked) == {}
    saved = admin.submit()

    assert "Record was successfully saved." in saved.flashes


def test_a_record_deleted_while_the_form_was_open_is_said_to_be_gone(
    admin: PageClient, second: PageClient, make: Make, session: Session
) -> None:
    student = make.student()
    both_open(admin, second, student)
    second.get(f"/admin/student/deletion/?id={student.student_id}")
    second.submit("delete")

    assert admin.submit(typed={"health": "ហឺត"}).status == 404


# ---- Choosing another record, and numbers -------------------------------------------------------------------------


def test_a_chosen_record_is_shown_by_its_name_on_both_sides(
    admin: PageClient, second: PageClient, make: Make, session: Session
) -> None:
    course = make.course()
    here, there = make.user(last_name="លី", first_name="ដារ៉ា"), make.user(last_name="ហេង", first_name="ធីតា")
    for client in (admin, second):
        client.get(f"/admin/course/edit/?id={course.course_id}")
    second.submit(typed={"teacher1": there.user_id})

    asked = admin.submit(typed={"teacher1": here.user_id})

    theirs, mine, _keep = compared(asked)["teacher1"]
    assert theirs.startswith("ហេង ធីតា")
    assert mine == "លី ដារ៉ា"
    admin.submit(typed={"keep-teacher1": "theirs"})
    session.refresh(course)
    assert course.teacher1 == there


def test_a_number_is_compared_by_its_value(admin: PageClient, second: PageClient, make: Make, session: Session) -> None:
    mark = make.grade(grade=Decimal(7))
    for client in (admin, second):
        client.get(f"/admin/grade/edit/?id={mark.grade_id}")
    second.submit(typed={"grade_comment": "ល្អ"})

    asked = admin.submit(typed={"grade": "៧,០០"})

    assert set(compared(asked)) == {"grade_comment"}


# ---- Rows inside the form -----------------------------------------------------------------------------------------


def test_a_row_changed_meanwhile_is_asked_about_field_by_field(
    admin: PageClient, second: PageClient, make: Make, session: Session
) -> None:
    student = make.student()
    guardian = make.guardian(student=student, phone="012 000 000", village="ក")
    both_open(admin, second, student)
    second.submit(typed={"guardians-0-phone": "012 111 111"})

    asked = admin.submit(typed={"guardians-0-phone": "012 222 222", "guardians-0-village": "ខ"})

    lines = compared(asked)
    assert set(lines) == {"guardians-0-phone", "guardians-0-village"}
    assert lines["guardians-0-phone"][1:] == ("012 222 222", None)
    assert lines["guardians-0-village"][2] == "mine"
    admin.submit(typed={"keep-guardians-0-phone": "theirs", "keep-guardians-0-village": "mine"})
    session.refresh(guardian)
    assert (guardian.phone, guardian.village) == ("012 111 111", "ខ")


@pytest.mark.parametrize(("choice", "left"), [("mine", 1), ("theirs", 0)])
def test_a_row_removed_meanwhile_stays_away_or_comes_back_as_typed(
    admin: PageClient, second: PageClient, make: Make, session: Session, choice: str, left: int
) -> None:
    student = make.student()
    make.guardian(student=student)
    both_open(admin, second, student)
    second.submit(typed={"del-guardians-0": True})

    asked = admin.submit(typed={"guardians-0-phone": "012 222 222"})
    assert compared(asked)["guardians-0"][0] == "Removed"
    saved = admin.submit(typed={"keep-guardians-0": choice})

    assert "Record was successfully saved." in saved.flashes, saved.text
    session.expire_all()
    assert [one.phone for one in student.guardians] == ["012 222 222"] * left


@pytest.mark.parametrize(("choice", "left"), [("mine", 0), ("theirs", 1)])
def test_a_row_to_be_removed_that_somebody_changed_goes_only_if_it_is_meant(
    admin: PageClient, second: PageClient, make: Make, session: Session, choice: str, left: int
) -> None:
    student = make.student()
    make.guardian(student=student)
    both_open(admin, second, student)
    second.submit(typed={"guardians-0-phone": "012 222 222"})

    asked = admin.submit(typed={"del-guardians-0": True})
    assert compared(asked)["guardians-0"][1:] == ("Remove", None)
    assert len(student.guardians) == 1
    admin.submit(typed={"keep-guardians-0": choice})

    session.expire_all()
    assert [one.phone for one in student.guardians] == ["012 222 222"] * left


def test_a_tick_to_remove_a_row_outlives_an_error(admin: PageClient, make: Make) -> None:
    student = make.student()
    make.guardian(student=student)
    admin.get(f"/admin/student/edit/?id={student.student_id}")

    refused = admin.submit(typed={"dob": "2999-01-01", "del-guardians-0": True})

    assert refused.field("del-guardians-0") == "on"


@pytest.mark.parametrize("version", ["", "0", "-1", "abc", "9" * 30, "1:abc", ":", "0:99"])
def test_a_forged_version_saves_nothing(admin: PageClient, make: Make, session: Session, version: str) -> None:
    subject = make.subject()
    before = contents(session)

    answer = admin.post(f"/admin/subject/edit/?id={subject.subject_id}", {"subject_name": "គីមីវិទ្យា", "version": version})

    assert answer.status == 200
    assert contents(session) == before
