"""The pupil's form, with guardians, the family record and scholarships as rows inside it."""

from decimal import Decimal

import pytest
from sqlalchemy.orm import Session

from fsms.models import FamilyInfo, Guardian, Scholarship, Student
from tests.browser import Browser, Page, PageClient
from tests.builders import PASSWORD, Make, contents
from tests.pages.typed import GOOD

MOTHER = {"guardians-0-relation": "Mother", "guardians-0-last_name": "កែវ", "guardians-0-first_name": "ធីតា"}
UNCLE = {"guardians-1-relation": "Uncle", "guardians-1-last_name": "កែវ", "guardians-1-phone": "012 345 678"}


def open_form(client: PageClient, student: Student) -> Page:
    """Open the form of a pupil."""
    return client.get(f"/admin/student/edit/?id={student.student_id}")


def row_of(page: Page, rows: str, number: int) -> str:
    """The number under which a saved row stands in the form."""
    found = (name for name, value in page.form().values.items() if name.startswith(rows) and value == str(number))
    return next(found).split("-")[1]


# ---- Rows ---------------------------------------------------------------------------------------------------------


def test_a_pupil_is_registered_with_the_whole_family(admin: PageClient, make: Make, session: Session) -> None:
    family = {"family-0-living_condition": "poor", "family-0-own_house": True}
    money = {"scholarships-0-type": "តម្រូវការ", "scholarships-0-amount": "40,000"}

    admin.get("/admin/student/new/")
    saved = admin.submit(typed=GOOD["student"](make) | MOTHER | UNCLE | family | money)

    assert "Record was successfully created." in saved.flashes, saved.errors
    student = session.query(Student).one()
    assert [(g.relation, g.full_name, g.phone) for g in student.guardians] == [
        ("Mother", "កែវ ធីតា", None),
        ("Uncle", "កែវ", "012 345 678"),
    ]
    assert student.family
    assert (student.family.living_condition, student.family.own_house) == ("poor", True)
    assert [(s.type, s.amount) for s in student.scholarships] == [("តម្រូវការ", Decimal(40000))]


def test_one_guardian_is_changed_one_removed_and_one_added(admin: PageClient, make: Make, session: Session) -> None:
    student = make.student()
    mother = make.guardian(student=student, relation="Mother", occupation="កសិករ")
    father = make.guardian(student=student, relation="Father")
    page = open_form(admin, student)
    hers, his = (row_of(page, "guardians", g.guardian_id) for g in (mother, father))

    saved = admin.submit(
        typed={
            f"guardians-{hers}-occupation": "គ្រូ",
            f"del-guardians-{his}": True,
            "guardians-2-relation": "Aunt",
            "guardians-2-last_name": "លី",
        }
    )

    assert "Record was successfully saved." in saved.flashes, saved.errors
    assert [(g.relation, g.occupation) for g in student.guardians] == [("Mother", "គ្រូ"), ("Aunt", None)]
    assert student.guardians[0].guardian_id == mother.guardian_id


def test_saving_a_pupil_as_it_stands_leaves_the_rows_alone(admin: PageClient, make: Make, session: Session) -> None:
    student = make.student()
    make.guardian(student=student)
    make.family(student=student, poverty_card="yes")
    make.scholarship(student=student)
    before = contents(session)

    open_form(admin, student)
    admin.submit()

    after = contents(session)
    for table in ("Guardian", "FamilyInfo", "Scholarship"):
        assert after[table] == before[table]


def test_a_new_row_in_which_nothing_is_written_is_not_kept(admin: PageClient, make: Make, session: Session) -> None:
    student = make.student()
    blank = {
        "guardians-0-last_name": "",
        "guardians-0-phone": "  ",
        "family-0-living_with": "",
        "scholarships-0-type": "",
    }

    open_form(admin, student)
    saved = admin.submit(typed=blank)

    assert "Record was successfully saved." in saved.flashes, saved.errors
    assert (student.guardians, student.family, student.scholarships) == ([], None, [])


def test_the_family_record_comes_and_goes(admin: PageClient, make: Make, session: Session) -> None:
    student = make.student()

    open_form(admin, student)
    admin.submit(typed={"family-0-poverty_card": "yes"})
    assert student.family
    assert student.family.poverty_card == "yes"

    page = open_form(admin, student)
    assert "family-1-poverty_card" not in page.form().values
    admin.submit(typed={"family-0-poverty_card": "no"})
    assert student.family.poverty_card == "no"

    open_form(admin, student)
    admin.submit(typed={"del-family-0": True})
    assert student.family is None
    assert session.query(FamilyInfo).count() == 0


def test_deleting_a_pupil_takes_guardians_family_and_scholarships_along(
    admin: PageClient, make: Make, session: Session
) -> None:
    student = make.student()
    make.guardian(student=student)
    make.family(student=student)
    make.scholarship(student=student)
    make.guardian()

    admin.get(f"/admin/student/deletion/?id={student.student_id}")
    after = admin.submit("delete")

    assert "Record was successfully deleted." in after.flashes
    assert session.query(Guardian).count() == 1
    assert (session.query(FamilyInfo).count(), session.query(Scholarship).count()) == (0, 0)


# ---- What is wrong in a row ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("field", "typed", "sentence"),
    [
        ("guardians-1-relation", "", "Please fill this in."),
        ("guardians-1-income", "much", "“much” is not a number."),
        (
            "guardians-1-children_count",
            "31",
            "Write a number from 0 to 30.",
        ),
        ("scholarships-0-amount", "-1", "Write a number from 0 to 9999999999.99."),
        ("family-0-help_amount", "NaN", "“NaN” is not a number."),
        ("guardians-1-church", "ក" * 201, "This is too long: at most 200 characters."),
    ],
)
def test_what_is_wrong_in_a_row_is_said_there_and_all_rows_stay(
    admin: PageClient, make: Make, session: Session, field: str, typed: str, sentence: str
) -> None:
    student = make.student()
    others = {"family-0-living_with": "យាយ", "scholarships-0-sponsor": "World Vision"}
    everything = MOTHER | UNCLE | others | {field: typed}
    before = contents(session)

    open_form(admin, student)
    refused = admin.submit(typed=everything)

    assert sentence in refused.text
    assert refused.errors == {field: sentence}
    assert contents(session) == before
    assert {name: refused.field(name) for name in everything} == everything

    admin.submit(typed={field: {"guardians-1-relation": "Uncle"}.get(field, "")})
    assert len(student.guardians) == 2
    assert student.family


def test_what_is_wrong_with_the_pupil_keeps_the_rows(admin: PageClient, make: Make, session: Session) -> None:
    student = make.student()
    guardian = make.guardian(student=student)
    page = open_form(admin, student)
    row = row_of(page, "guardians", guardian.guardian_id)

    refused = admin.submit(typed={"dob": "2999-01-01", f"guardians-{row}-phone": "012", f"del-guardians-{row}": True})

    assert list(refused.errors) == ["dob"]
    assert refused.field(f"guardians-{row}-phone") == "012"
    assert student.guardians == [guardian]


# ---- Whose rows they are ------------------------------------------------------------------------------------------


def test_another_pupils_guardian_cannot_be_taken(admin: PageClient, make: Make, session: Session) -> None:
    student, guardian = make.student(), make.guardian(relation="Mother", phone="012 111 111")
    owner = guardian.student
    page = open_form(admin, student)
    forged = {
        "guardians-0-guardian_id": str(guardian.guardian_id),
        "guardians-0-version": "1",
        "guardians-0-relation": "Uncle",
        "guardians-0-phone": "012 999 999",
    }

    admin.post(f"/admin/student/edit/?id={student.student_id}", {**page.form().values, **forged})
    page = open_form(admin, student)
    admin.post(
        f"/admin/student/edit/?id={student.student_id}", {**page.form().values, **forged, "del-guardians-0": "on"}
    )

    assert guardian.student == owner
    assert (guardian.relation, guardian.phone) == ("Mother", "012 111 111")


@pytest.mark.parametrize("number", ["abc", "-1", "0", "9" * 30, "1,2"])
def test_a_row_number_that_is_none_is_a_new_row_or_refused(
    admin: PageClient, make: Make, session: Session, number: str
) -> None:
    student = make.student()
    guardian = make.guardian(student=student)
    page = open_form(admin, student)
    forged = {"guardians-7-guardian_id": number, "guardians-7-relation": "Uncle", "guardians-7-last_name": "លី"}

    answer = admin.post(f"/admin/student/edit/?id={student.student_id}", {**page.form().values, **forged})

    assert answer.status < 500
    assert guardian in student.guardians


def test_a_second_family_row_is_refused_or_ignored(admin: PageClient, make: Make, session: Session) -> None:
    student = make.student()
    page = open_form(admin, student)
    forged = {"family-0-living_with": "យាយ", "family-1-living_with": "មីង"}

    answer = admin.post(f"/admin/student/edit/?id={student.student_id}", {**page.form().values, **forged})

    assert answer.status < 500
    assert session.query(FamilyInfo).count() <= 1


# ---- Two people at one pupil --------------------------------------------------------------------------------------


@pytest.fixture
def second(admin: PageClient, browser: Browser) -> PageClient:
    """The principal at another computer."""
    client = browser()
    client.sign_in(admin.user.username, PASSWORD, follow=False)
    return client


STALE = "Somebody else saved this record after you opened it."


def test_a_row_changed_meanwhile_is_not_overwritten(
    admin: PageClient, second: PageClient, make: Make, session: Session
) -> None:
    student = make.student()
    guardian = make.guardian(student=student, phone="012 000 000")
    open_form(second, student)
    open_form(admin, student)
    admin.submit(typed={"guardians-0-phone": "012 111 111"})
    before = contents(session)

    refused = second.submit(typed={"guardians-0-phone": "012 222 222", "health": "ល្អ"})

    assert STALE in refused.text
    assert contents(session) == before
    assert guardian.phone == "012 111 111"
    assert refused.field("guardians-0-phone") == "012 222 222"
    assert refused.field("health") == "ល្អ"


def test_a_row_removed_meanwhile_is_not_brought_back(
    admin: PageClient, second: PageClient, make: Make, session: Session
) -> None:
    student = make.student()
    make.guardian(student=student)
    open_form(second, student)
    open_form(admin, student)
    admin.submit(typed={"del-guardians-0": True})

    second.submit(typed={"guardians-0-phone": "012 222 222"})

    assert student.guardians == []


def test_a_row_added_meanwhile_stays(admin: PageClient, second: PageClient, make: Make, session: Session) -> None:
    student = make.student()
    open_form(second, student)
    open_form(admin, student)
    admin.submit(typed=MOTHER)

    second.submit(typed={key.replace("-1-", "-0-"): value for key, value in UNCLE.items()})

    assert {"Mother", "Uncle"} == {guardian.relation for guardian in student.guardians}


def test_a_row_is_not_removed_over_somebody_elses_change(
    admin: PageClient, second: PageClient, make: Make, session: Session
) -> None:
    student = make.student()
    guardian = make.guardian(student=student, phone="012 000 000")
    open_form(second, student)
    open_form(admin, student)
    admin.submit(typed={"guardians-0-phone": "012 111 111"})

    refused = second.submit(typed={"del-guardians-0": True})

    assert STALE in refused.text
    assert student.guardians == [guardian]
