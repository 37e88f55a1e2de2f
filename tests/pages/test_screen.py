"""Language, digits, light or dark: each reader's own choice, remembered with the account."""

import datetime as dt
from decimal import Decimal
from urllib.parse import unquote

import pytest
from flask import Flask
from flask_babel import force_locale
from sqlalchemy.orm import Session

from fsms.admin_views import screen
from fsms.models import User
from fsms.office import Preference
from tests.browser import Browser, PageClient
from tests.builders import PASSWORD, Make


def remembered(session: Session, user: User) -> dict[str, str] | None:
    kept = session.get(Preference, (user.user_id, "screen"), populate_existing=True)
    return kept.value if kept else None


def choose(client: PageClient, **wanted: str) -> None:
    client.get("/account")
    client.submit("screen-form", wanted)


@pytest.mark.parametrize("who", ["admin", "teacher"])
def test_a_language_chosen_at_the_top_of_a_page_is_remembered(
    request: pytest.FixtureRequest, session: Session, who: str
) -> None:
    client: PageClient = request.getfixturevalue(who)

    page = client.post("/language", {"language": "km", "url": "/admin/"})

    assert page.path == "/admin/"
    assert page.document.get("lang") == "km"
    assert remembered(session, client.user) == {"language": "km"}


def test_the_choice_of_a_language_leads_back_to_the_page_that_it_stands_on(admin: PageClient) -> None:
    for asked in ("/admin/course/?search=%22%3E%3Cb%3E", "/admin/course/?sort=grade&desc=1", "/admin/course/?"):
        assert unquote(admin.get(asked).form("/language").values["url"]) == unquote(asked)


def test_it_is_there_again_on_another_device(admin: PageClient, browser: Browser) -> None:
    choose(admin, language="km", digits="khmer", theme="dark")
    other = browser()
    other.get("/login", headers={"Accept-Language": "en"})

    other.post("/login", {"username": admin.user.username, "password": PASSWORD})
    page = other.get("/admin/subject/", headers={"Accept-Language": "en"})

    told = ("lang", "data-digits", "data-theme")
    assert [page.document.get(name) for name in told] == ["km", "khmer", "dark"]


def test_the_account_counts_for_more_than_what_stood_at_the_door(admin: PageClient, browser: Browser) -> None:
    choose(admin, language="en")
    other = browser()
    other.post("/language", {"language": "km"})

    page = other.post("/login", {"username": admin.user.username, "password": PASSWORD})

    assert page.document.get("lang") == "en"


def test_a_theme_chosen_by_the_switch_is_remembered(admin: PageClient, session: Session) -> None:
    assert admin.post("/appearance", {"theme": "dark"}).json == {"theme": "dark"}

    assert remembered(session, admin.user) == {"theme": "dark"}


@pytest.mark.parametrize(
    ("path", "sent"),
    [
        ("/language", {"language": "fr"}),
        ("/language", {"language": "km\x00"}),
        ("/language", {}),
        ("/appearance", {"theme": "pink"}),
        ("/appearance", {"language": "km"}),
    ],
)
def test_what_is_not_offered_is_not_kept(admin: PageClient, session: Session, path: str, sent: dict[str, str]) -> None:
    admin.post(path, sent)

    assert remembered(session, admin.user) is None


def test_the_account_page_says_what_is_wrong_with_a_choice_it_does_not_offer(admin: PageClient) -> None:
    admin.get("/account")

    page = admin.post("/account", {"language": "km", "digits": "roman", "theme": "auto"})

    assert page.status == 200
    assert page.document.get("lang") == "en"


@pytest.mark.parametrize("language", ["en", "km"])
def test_numbers_and_days_are_written_in_the_readers_digits(admin: PageClient, make: Make, language: str) -> None:
    pupil = make.student(dob=dt.date(2014, 5, 31), phone="012 345 678")
    make.scholarship(student=pupil, amount=Decimal("440000.00"))
    choose(admin, language=language, digits="khmer")

    pupils, amounts = admin.get("/admin/student/"), admin.get("/admin/scholarship/")

    assert "៣១/០៥/២០១៤" in pupils.text
    assert "៤៤០,០០០" in amounts.text
    assert "012 345 678" in pupils.text  # a phone number is dialled
    assert str(pupil.student_id) in pupils.text  # an id is looked up


def test_a_form_shows_the_readers_digits_and_takes_either(admin: PageClient, make: Make) -> None:
    pupil = make.student(dob=dt.date(2014, 5, 31))
    award = make.scholarship(student=pupil, amount=Decimal("440000"))
    choose(admin, digits="khmer")
    page = admin.get(f"/admin/scholarship/edit/?id={award.scholarship_id}")
    assert page.control("amount").get("value") == "៤៤០០០០"

    admin.submit(amount="450000")
    admin.get(f"/admin/student/edit/?id={pupil.student_id}")
    admin.submit(dob="១/៦/២០១៤")

    assert award.amount == Decimal(450000)
    assert pupil.dob == dt.date(2014, 6, 1)


def test_files_keep_the_digits_of_the_record(admin: PageClient, make: Make) -> None:
    make.student(dob=dt.date(2014, 5, 31))
    make.grade(grade_date="2025-03")
    choose(admin, language="km", digits="khmer")

    assert "2014-05-31" in admin.get("/admin/student/export/csv/").source
    assert "2025-03" in admin.get("/admin/grade/export/csv/").source


def test_a_month_has_its_khmer_name(admin: PageClient, make: Make) -> None:
    make.grade(grade_date="2025-03")

    assert "March 2025" in admin.get("/admin/grade/").text
    choose(admin, language="km")
    assert "មីនា 2025" in admin.get("/admin/grade/").text
    choose(admin, digits="khmer")
    assert "មីនា ២០២៥" in admin.get("/admin/grade/").text


@pytest.mark.parametrize("typed", ["2014-05-31", "31/05/2014", "៣១/០៥/២០១៤", " 31.5.2014 "])
def test_a_filter_by_day_takes_a_day_however_it_is_written(admin: PageClient, make: Make, typed: str) -> None:
    make.student(last_name="Older", dob=dt.date(2014, 5, 30))
    make.student(last_name="Younger", dob=dt.date(2014, 5, 31))

    page = admin.get("/admin/student/", query_string={"flt0_dob-from": typed})

    assert "Younger" in page.text
    assert "Older" not in page.text


def test_the_language_of_a_moment_is_asked_again_when_another_is_spoken_meanwhile(app: Flask) -> None:
    with app.test_request_context("/", headers={"Accept-Language": "en"}):
        spoken = [screen.language()]
        with force_locale("km"):
            spoken.append(screen.language())
        spoken.append(screen.language())

    assert spoken == ["en", "km", "en"]
    assert screen.language() == "en"
