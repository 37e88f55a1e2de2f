"""Registering a pupil: with the first class in one save, not twice by mistake, and with the family of a sibling."""

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy.orm import Session

from fsms import clock
from fsms.models import ActivityLog, Enrollment, Student
from tests.browser import Page, PageClient, SameQueries
from tests.builders import Make, contents
from tests.pages.typed import Typed

DARA: Typed = {"last_name": "សុខ", "first_name": "ដារ៉ា", "gender": "male", "dob": "2014-05-31", "class_": "5"}
_BEGAN = clock.today().year - (clock.today().month < 9)
YEAR, LAST = f"{_BEGAN}-{_BEGAN + 1}", f"{_BEGAN - 1}-{_BEGAN}"
BORN = dt.date(2014, 5, 31)


def register(client: PageClient, typed: Typed, **arguments: Any) -> Page:
    """Fill in the form of a new pupil."""
    client.get("/admin/student/new/?" + "&".join(f"{name}={value}" for name, value in arguments.items()))
    return client.submit(typed=typed)


def alike(page: Page) -> list[str]:
    """The pupils that the page says to look at first."""
    return [" ".join("".join(li.itertext()).split()) for ul in page.find("ul", "alike-list") for li in ul]


def registered(session: Session) -> list[str]:
    """The pupils on record."""
    session.expire_all()
    return [student.full_name for student in session.query(Student).order_by(Student.student_id)]


@pytest.fixture
def present(make: Make) -> Any:
    """The present school year."""
    return make.school_year(school_year_code=YEAR)


# ---- The first class ----------------------------------------------------------------------------------------------


def test_a_pupil_is_registered_and_enrolled_in_one_act(
    admin: PageClient, make: Make, session: Session, present: Any
) -> None:
    course = make.course(level=7, section="A", school_year=present)

    saved = register(admin, DARA | {"course": course.course_id, "guardians-0-relation": "Mother"})

    assert "Record was successfully created." in saved.flashes, saved.errors
    assert saved.path.startswith("/admin/student/details/"), "the new pupil's page is next"
    (place,) = session.query(Enrollment)
    assert (place.student.full_name, place.course) == ("សុខ ដារ៉ា", course)
    # The class says the level, whatever was typed.
    assert (place.student.class_, place.student.school_year) == ("7", YEAR)
    entries = session.query(ActivityLog).filter(ActivityLog.entity.in_(["Student", "Guardian", "Enrollment"])).all()
    assert len({entry.batch for entry in entries}) == 1, "one act, undone at once"


def test_undo_takes_pupil_family_and_place_back(admin: PageClient, make: Make, session: Session, present: Any) -> None:
    course = make.course(school_year=present)
    saved = register(admin, DARA | {"course": course.course_id, "guardians-0-relation": "Mother"})

    undo = next(a.get("href") or "" for a in saved.find("a") if "/undo/?batch" in (a.get("href") or ""))
    admin.get(undo)
    back = admin.submit("undo")

    assert back.status == 200, "the pupil's page is gone; the list is there"
    assert registered(session) == []
    assert session.query(Enrollment).count() == 0


def test_the_level_need_not_be_said_where_the_class_is(
    admin: PageClient, make: Make, session: Session, present: Any
) -> None:
    course = make.course(level=9, school_year=present)

    register(admin, DARA | {"class_": "", "course": course.course_id})

    assert session.query(Student).one().class_ == "9"


def test_classes_of_the_present_year_are_offered_in_order_with_their_pupils(
    admin: PageClient, make: Make, present: Any
) -> None:
    for level in (10, 2):
        make.course(level=level, section="A", school_year=present)
    make.enrollment(course=make.course(level=7, section="B", school_year=present))
    make.course(level=1, school_year=make.school_year(school_year_code=LAST))

    page = admin.get("/admin/student/new/")

    assert page.options("course") == [
        "—",
        f"2A · {YEAR} (0 pupils)",
        f"7B · {YEAR} (1 pupil)",
        f"10A · {YEAR} (0 pupils)",
    ]


@pytest.mark.parametrize("number", ["999999", "abc", "-1", "9" * 30, "\x00"])
def test_a_class_that_is_not_offered_is_refused_at_its_field(
    admin: PageClient, make: Make, session: Session, present: Any, number: str
) -> None:
    make.course(school_year=present)

    refused = register(admin, DARA | {"course": number})

    assert list(refused.errors) == ["course"]
    assert registered(session) == []


def test_a_class_of_another_year_is_not_taken(admin: PageClient, make: Make, session: Session, present: Any) -> None:
    old = make.course(school_year=make.school_year(school_year_code=LAST))

    assert list(register(admin, DARA | {"course": old.course_id}).errors) == ["course"]
    assert session.query(Enrollment).count() == 0


def test_a_new_form_begins_with_what_is_usual(admin: PageClient, present: Any) -> None:
    page = admin.get("/admin/student/new/")

    assert page.field("registration_date") == f"{clock.today():%d/%m/%Y}"
    assert page.field("school_year") == YEAR
    assert page.chosen("status") == "Studying"


def test_the_form_of_a_known_pupil_asks_no_class(admin: PageClient, make: Make) -> None:
    page = admin.get(f"/admin/student/edit/?id={make.student().student_id}")

    assert "course" not in page.form().values


def test_the_form_asks_as_often_for_twice_the_classes(
    admin: PageClient, make: Make, same_queries: SameQueries, present: Any
) -> None:
    def more() -> None:
        for _ in range(3):
            make.enrollment(course=make.course(school_year=present))

    more()

    same_queries(lambda: admin.get("/admin/student/new/"), more)


# ---- Not twice ----------------------------------------------------------------------------------------------------


ALIKE: list[tuple[str, Typed, Typed]] = [
    ("the same", {"last_name": "សុខ", "first_name": "ដារ៉ា"}, DARA),
    ("zero-width space", {"last_name": "សុខ", "first_name": "ដា\u200bរ៉ា"}, DARA),
    ("spaces", {"last_name": "SOK", "first_name": "Da Ra"}, DARA | {"last_name": "Sok", "first_name": "dara"}),
    ("swapped", {"last_name": "ដារ៉ា", "first_name": "សុខ"}, DARA),
    ("phone", {"dob": dt.date(2011, 1, 1), "phone": "012 345 678"}, DARA | {"phone": "០១២៣៤៥៦៧៨"}),
    ("phone abroad", {"dob": dt.date(2011, 1, 1), "phone": "+855 12 345 678"}, DARA | {"phone": "012-345-678"}),
]  # fmt: skip


@pytest.mark.parametrize(("there", "typed"), [case[1:] for case in ALIKE], ids=[case[0] for case in ALIKE])
def test_a_pupil_who_may_be_there_already_is_shown_first(
    admin: PageClient, make: Make, session: Session, there: Typed, typed: Typed
) -> None:
    other = make.student(**({"dob": BORN} | there))
    before = contents(session)

    asked = register(admin, typed)

    assert len(alike(asked)) == 1
    assert f"{other.full_name} · {other.student_id}" in alike(asked)[0]
    assert contents(session) == before
    assert asked.field("last_name") == typed["last_name"]


DIFFERENT: list[tuple[str, Typed]] = [
    ("another day", {"last_name": "សុខ", "first_name": "ដារ៉ា", "dob": dt.date(2014, 6, 1)}),
    ("a longer name", {"last_name": "សុខ", "first_name": "ដារ៉ារិទ្ធ", "dob": BORN}),
    ("a part of a number", {"phone": "012 345 6789", "dob": dt.date(2011, 1, 1)}),
    ("no number", {"phone": "12", "dob": dt.date(2011, 1, 1)}),
]


@pytest.mark.parametrize("there", [case[1] for case in DIFFERENT], ids=[case[0] for case in DIFFERENT])
def test_who_is_plainly_another_pupil_is_no_question(
    admin: PageClient, make: Make, session: Session, there: Typed
) -> None:
    make.student(**there)

    saved = register(admin, DARA | {"phone": "012 345 678" if "part" in str(there) else "12"})

    assert alike(saved) == []
    assert len(registered(session)) == 2


def test_the_other_pupil_is_told_by_class_guardian_and_number(admin: PageClient, make: Make, present: Any) -> None:
    other = make.student(last_name="សុខ", first_name="ដារ៉ា", dob=BORN)
    make.guardian(student=other, last_name="កែវ", first_name="ធីតា", phone="012 345 678")
    make.enrollment(student=other, course=make.course(level=7, section="A", school_year=present))

    (told,) = alike(register(admin, DARA))

    assert f"7A · {YEAR}" in told
    assert "the same name and date of birth · born on 31/05/2014 · កែវ ធីតា 012 345 678" in told


def test_saving_all_the_same_takes_a_reason_and_keeps_it_in_the_log(
    admin: PageClient, make: Make, session: Session
) -> None:
    other = make.student(last_name="សុខ", first_name="ដារ៉ា", dob=BORN)
    register(admin, DARA)
    assert len(alike(admin.submit())) == 1, "without a reason the question stays"

    saved = admin.submit(typed={"although": "កូនភ្លោះ"})

    assert "Record was successfully created." in saved.flashes
    assert registered(session) == ["សុខ ដារ៉ា"] * 2
    log = admin.get("/admin/activitylog/").text
    assert f"Registered សុខ ដារ៉ា, who is not សុខ ដារ៉ា · {other.student_id}: កូនភ្លោះ" in log


def test_a_change_that_makes_two_pupils_look_alike_asks_too(admin: PageClient, make: Make, session: Session) -> None:
    other = make.student(last_name="សុខ", first_name="ដារ៉ា", dob=BORN)
    student = make.student(last_name="លី", first_name="ដារ៉ា", dob=BORN)
    admin.get(f"/admin/student/edit/?id={student.student_id}")

    asked = admin.submit(typed={"last_name": "សុខ"})
    assert len(alike(asked)) == 1
    admin.submit(typed={"although": "កូនភ្លោះ"})

    session.refresh(student)
    assert student.last_name == "សុខ"
    assert f"is not សុខ ដារ៉ា · {other.student_id}: កូនភ្លោះ" in admin.get("/admin/activitylog/").text


def test_a_change_of_something_else_asks_nothing(admin: PageClient, make: Make) -> None:
    make.student(last_name="សុខ", first_name="ដារ៉ា", dob=BORN)
    twin = make.student(last_name="សុខ", first_name="ដារ៉ា", dob=BORN)
    admin.get(f"/admin/student/edit/?id={twin.student_id}")

    assert "Record was successfully saved." in admin.submit(typed={"health": "ហឺត"}).flashes


# ---- The family of a sibling --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("there", "asked"),
    [
        ("012 345 678", "012345678"),
        ("០១២ ៣៤៥ ៦៧៨", "012-345-678"),
        ("+855 12 345 678", "012 345 678"),
        ("096 111 222 / 012 345 678", "012345678"),
    ],
)
def test_a_known_guardian_is_told_with_the_children(admin: PageClient, make: Make, there: str, asked: str) -> None:
    student = make.student(last_name="សុខ", first_name="ដារ៉ា", student_village="ភូមិទី១")
    make.guardian(student=student, last_name="កែវ", first_name="ធីតា", phone=there, relation="Mother")
    make.family(student=student, living_condition="poor", own_house=True)

    told = admin.get(f"/admin/student/family/?phone={asked.replace(' ', '%20')}").json

    assert told["sentence"] == f"កែវ ធីតា has 1 child here: សុខ ដារ៉ា · {student.student_id}."
    assert told["values"]["student_village"] == "ភូមិទី១"
    assert (told["guardians"][0]["relation"], told["guardians"][0]["last_name"]) == ("Mother", "កែវ")
    assert (told["family"]["living_condition"], told["family"]["own_house"]) == ("poor", True)


@pytest.mark.parametrize("asked", ["", "12", "abc", "012 345 679", "1234567", "%00", "9" * 3000])
def test_an_unknown_number_is_nobodys(admin: PageClient, make: Make, asked: str) -> None:
    make.guardian(phone="012 345 678")

    assert admin.get(f"/admin/student/family/?phone={asked}").json == {"found": False}


def test_a_pupils_own_family_is_no_news(admin: PageClient, make: Make) -> None:
    guardian = make.guardian(phone="012 345 678")

    told = admin.get(f"/admin/student/family/?phone=012345678&id={guardian.student_id}").json

    assert told == {"found": False}


def test_another_child_begins_with_the_family(admin: PageClient, make: Make, session: Session) -> None:
    student = make.student(last_name="សុខ", student_village="ភូមិទី១", health="ហឺត")
    make.guardian(student=student, phone="012 345 678", relation="Father", income=440000)
    make.family(student=student, poverty_card="yes")

    page = admin.get(f"/admin/student/new/?family={student.student_id}")
    assert page.field("last_name") == "សុខ"
    assert page.field("health") == ""
    saved = admin.submit(typed={"first_name": "បុប្ផា", "gender": "female", "dob": "2016-02-01", "class_": "3"})

    assert "Record was successfully created." in saved.flashes, saved.errors
    child = session.query(Student).order_by(Student.student_id.desc()).first()
    assert child
    assert (child.full_name, child.student_village) == ("សុខ បុប្ផា", "ភូមិទី១")
    assert [(one.relation, one.phone, one.income) for one in child.guardians] == [
        ("Father", "012 345 678", Decimal(440000))
    ]
    assert child.family
    assert child.family.poverty_card == "yes"
    assert len(student.guardians) == 1
    assert f"{student.full_name} · {student.student_id}" in saved.text, "brothers and sisters are on the page"


@pytest.mark.parametrize("key", ["999999", "abc", "-1", "9" * 30, "%00"])
def test_a_family_that_is_not_there_is_an_empty_form(admin: PageClient, key: str) -> None:
    assert admin.get(f"/admin/student/new/?family={key}").status == 200


def test_brothers_and_sisters_are_found_by_a_guardians_number(admin: PageClient, make: Make, present: Any) -> None:
    here, there, stranger = make.student(), make.student(), make.student()
    make.guardian(student=here, phone="012 345 678")
    make.guardian(student=there, phone="+855 (0)12-345-678", last_name="កែវ", first_name="ធីតា")
    make.guardian(student=stranger, phone="012 345 679")
    make.enrollment(student=there, course=make.course(level=3, section="B", school_year=present))

    page = admin.get(f"/admin/student/details/?id={here.student_id}")

    told = page.text.split("Brothers and sisters")[1]
    assert f"{there.full_name} · {there.student_id} 3B · {YEAR}" in told
    assert f"· {stranger.student_id}" not in told


def test_a_teacher_sees_only_own_pupils_among_brothers_and_sisters(teacher: PageClient, make: Make) -> None:
    here, there = make.student(), make.student(last_name="Canary")
    for student in (here, there):
        make.guardian(student=student, phone="012 345 678")
    make.enrollment(student=here, course=make.course(teacher=teacher.user))
    make.enrollment(student=there)

    assert "Canary" not in teacher.get(f"/admin/student/details/?id={here.student_id}").source
    assert teacher.get("/admin/student/family/?phone=012345678").status == 403
