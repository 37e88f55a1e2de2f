"""The front door: signing in and out, how long a session lasts, the own account, unlocking."""

import datetime as dt
from collections.abc import Callable, Iterator

import pytest
import time_machine
from sqlalchemy import select
from sqlalchemy.orm import Session

from fsms import sign_in
from fsms.models import ActivityLog, User
from fsms.vocabulary import AccountStatus, Role
from tests.browser import Page, PageClient
from tests.builders import PASSWORD, Make

# What is told of accounts beside the changes of their rows.
ACTS = ("login", "logout", "login_failed", "account_locked", "unlock_account", "change_password")
MORNING = dt.datetime(2025, 3, 14, 0, 30, tzinfo=dt.UTC)
NEW = "three quiet otters"
Browser = Callable[[], PageClient]


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    """A clock that stands still at half past seven in Phnom Penh."""
    with time_machine.travel(MORNING, tick=False) as clock:
        yield clock


@pytest.fixture
def dara(make: Make) -> User:
    """An administrator with an account, who has not signed in yet."""
    return make.user(username="dara", role=Role.ADMIN.value)


def is_signed_in(client: PageClient) -> bool:
    """Look whether the office opens; the look is like a click and keeps the session alive."""
    return client.get("/admin/", follow=False).status == 200


def sign_in_by_script(client: PageClient, **sent: str) -> Page:
    """Do what static/js/session.js does, while another page stays open."""
    token = Page(client.web.get("/session")).json["csrf_token"]
    headers = {"X-CSRFToken": token, "Accept": "application/json"}
    return Page(client.web.post("/login", json=sent, headers=headers))


def actions(session: Session) -> list[str]:
    """Read from the beginning what people did with accounts."""
    asked = select(ActivityLog.action).where(ActivityLog.action.in_(ACTS))
    return list(session.scalars(asked.order_by(ActivityLog.id)))


# ---- Signing in and out -------------------------------------------------------------------------------------------


def test_the_right_password_leads_to_the_page_that_was_wanted(visitor: PageClient, dara: User) -> None:
    visitor.get("/admin/subject/?search=math")

    page = visitor.submit("/login", username="dara", password=PASSWORD)

    assert page.path == "/admin/subject/?search=math"


def test_wrong_name_wrong_password_inactive_and_locked_read_the_same(browser: Browser, make: Make, dara: User) -> None:
    make.user(username="gone", status=AccountStatus.INACTIVE.value)
    make.user(username="locked", account_locked_until=dt.datetime.now(dt.UTC) + dt.timedelta(minutes=5))
    read = {
        browser().sign_in(name, password).text.replace(name, "")
        for name, password in [("dara", "wrong"), ("nobody", "wrong"), ("gone", PASSWORD), ("locked", PASSWORD)]
    }

    assert len(read) == 1
    assert "you must wait" in read.pop()


def test_the_name_stays_in_the_form_and_the_password_does_not(visitor: PageClient, dara: User) -> None:
    page = visitor.sign_in("dara", "wrong secret")

    assert page.control("username").get("value") == "dara"
    assert "wrong secret" not in page.source


@pytest.mark.parametrize(
    "target",
    [
        "//evil.example/",
        "/\\evil.example",
        "\\\\evil.example",
        "https://evil.example/",
        "https:evil.example",
        "http:///evil.example",
        "javascript:alert(1)",
        " /admin/",
        "/\t/evil.example",
        "/\n/evil.example",
        "/\x7f/",
        "evil.example",
        "",
    ],
)
def test_nobody_is_sent_to_another_site(browser: Browser, dara: User, target: str) -> None:
    assert sign_in.own_page(target) is None
    for place in ("query_string", "form"):
        client = browser()
        sent = {"username": "dara", "password": PASSWORD} | ({"next": target} if place == "form" else {})
        page = client.post("/login", sent, follow=False, query_string={"next": target} if place != "form" else None)
        assert page.headers["Location"] == "/admin/"


@pytest.mark.parametrize("target", ["/admin/student/?search=a%20b&page=2", "/account", "/"])
def test_pages_of_our_own_are_reached(target: str) -> None:
    assert sign_in.own_page(target) == target


def test_without_the_token_of_the_session_nothing_is_checked(visitor: PageClient, dara: User, session: Session) -> None:
    for token in ("", "forged"):
        page = visitor.post("/login", {"username": "dara", "password": PASSWORD, "csrf_token": token})
        assert page.status == 400

    assert not is_signed_in(visitor)
    assert actions(session) == []


def test_signing_out_needs_the_token_and_is_written_down(admin: PageClient, session: Session) -> None:
    admin.get("/admin/")
    assert admin.post("/logout", {"csrf_token": "forged"}).status == 400
    assert is_signed_in(admin)

    assert admin.submit("/logout").flashes == ["You are signed out."]

    assert not is_signed_in(admin)
    assert actions(session)[-2:] == ["login", "logout"]


def test_a_new_person_gets_a_new_session_in_the_same_language(admin: PageClient, dara: User) -> None:
    admin.post("/language", {"language": "km"})
    with admin.web.session_transaction() as kept:
        kept["something"] = "of the principal"

    admin.post("/login", {"username": "dara", "password": PASSWORD})

    with admin.web.session_transaction() as kept:
        assert kept["_user_id"] == str(dara.user_id)
        assert kept["screen"] == {"language": "km"}
        assert "something" not in kept


@pytest.mark.parametrize(
    "sent", ["", "null", "[]", '"text"', "{", '{"username": ["dara"], "password": {"a": 1}}', '{"username": "\\ud800"}']
)
def test_whatever_a_script_sends_is_at_worst_wrong(visitor: PageClient, dara: User, sent: str) -> None:
    headers = {"X-CSRFToken": visitor.get("/session").json["csrf_token"], "Accept": "application/json"}

    answer = visitor.web.post("/login", data=sent, content_type="application/json", headers=headers)

    assert answer.status_code == 401


# ---- The rate limit -----------------------------------------------------------------------------------------------


def test_wrong_tries_from_one_address_must_pause(
    visitor: PageClient, browser: Browser, dara: User, clock: time_machine.Traveller
) -> None:
    for number in range(20):
        assert visitor.sign_in(f"nobody{number}", "wrong").status == 200

    refused = visitor.sign_in("dara", PASSWORD)
    assert (refused.status, refused.title) == (429, "Too many tries")
    assert browser().sign_in("dara", PASSWORD).path == "/admin/"

    clock.shift(dt.timedelta(minutes=1))
    assert visitor.sign_in("dara", PASSWORD).path == "/admin/"


def test_a_school_behind_one_address_may_begin_its_day(
    visitor: PageClient, dara: User, clock: time_machine.Traveller
) -> None:
    for _ in range(30):
        assert visitor.sign_in("dara", PASSWORD).path == "/admin/"
        visitor.submit("/logout")


def test_only_a_proxy_that_is_trusted_is_believed_about_the_address(visitor: PageClient) -> None:
    for number in range(20):
        visitor.get("/login")
        visitor.post("/login", {"username": f"nobody{number}"}, headers={"X-Forwarded-For": f"192.0.2.{number}"})

    assert visitor.post("/login", headers={"X-Forwarded-For": "192.0.2.99"}).status == 429


def test_a_household_with_many_addresses_is_one(visitor: PageClient) -> None:
    for number in range(20):
        visitor.web.environ_base["REMOTE_ADDR"] = f"2001:db8:1:2::{number:x}"
        visitor.post("/login")

    assert visitor.post("/login").status == 429
    visitor.web.environ_base["REMOTE_ADDR"] = "unknown"
    assert visitor.post("/login").status == 200


# ---- How long a session lasts -------------------------------------------------------------------------------------


def test_a_session_ends_after_half_an_hour_of_nothing(
    visitor: PageClient, dara: User, clock: time_machine.Traveller
) -> None:
    visitor.sign_in("dara", PASSWORD)
    for _ in range(3):
        clock.shift(dt.timedelta(minutes=29))
        assert is_signed_in(visitor)

    clock.shift(dt.timedelta(minutes=30))
    assert not is_signed_in(visitor)


def test_no_session_lasts_longer_than_twelve_hours(
    visitor: PageClient, dara: User, clock: time_machine.Traveller
) -> None:
    visitor.sign_in("dara", PASSWORD)
    for _ in range(47):
        clock.shift(dt.timedelta(minutes=15))
        assert is_signed_in(visitor)

    assert visitor.get("/session").json["seconds_left"] == 15 * 60
    clock.shift(dt.timedelta(minutes=15))
    assert not is_signed_in(visitor)


def test_asking_how_long_it_lasts_does_not_lengthen_it(
    visitor: PageClient, dara: User, clock: time_machine.Traveller
) -> None:
    visitor.sign_in("dara", PASSWORD)
    clock.shift(dt.timedelta(minutes=20))

    state = visitor.get("/session")

    assert (state.json["seconds_left"], state.json["user_id"]) == (600, dara.user_id)
    assert "Set-Cookie" not in state.headers
    clock.shift(dt.timedelta(minutes=10))
    assert visitor.get("/session").json["seconds_left"] == 0
    assert not is_signed_in(visitor)


def test_staying_signed_in_is_an_act_with_a_token(
    visitor: PageClient, dara: User, clock: time_machine.Traveller
) -> None:
    visitor.sign_in("dara", PASSWORD)
    clock.shift(dt.timedelta(minutes=29))

    assert visitor.post("/session/extend", {"csrf_token": "forged"}).status == 400
    assert visitor.post("/session/extend").json["seconds_left"] == 1800


def test_one_signs_in_again_on_the_spot_and_sends_the_form(
    visitor: PageClient, dara: User, session: Session, clock: time_machine.Traveller
) -> None:
    visitor.sign_in("dara", PASSWORD)
    visitor.get("/admin/subject/new/")
    clock.shift(dt.timedelta(hours=1))

    refused = sign_in_by_script(visitor, username="dara", password="wrong")
    answer = sign_in_by_script(visitor, username="dara", password=PASSWORD)

    assert refused.status == 401
    assert "you must wait" in refused.json["error"]
    assert (answer.json["user_id"], answer.json["seconds_left"]) == (dara.user_id, 1800)
    page = visitor.submit(None, subject_name="Chemistry", csrf_token=answer.json["csrf_token"])
    assert page.path.startswith("/admin/subject/")
    assert "Chemistry" in page.text


def test_a_form_sent_after_the_end_says_so_and_writes_nothing(
    visitor: PageClient, dara: User, clock: time_machine.Traveller
) -> None:
    visitor.sign_in("dara", PASSWORD)
    visitor.get("/admin/subject/new/")
    clock.shift(dt.timedelta(hours=1))

    page = visitor.submit(None, subject_name="Chemistry")

    assert (page.status, page.title) == (401, "Please sign in")
    assert visitor.get("/admin/subject/", headers={"Sec-Fetch-Dest": "empty"}).status == 401


def test_switching_an_account_off_ends_its_sessions(
    visitor: PageClient, dara: User, session: Session, admin: PageClient
) -> None:
    visitor.sign_in("dara", PASSWORD)
    admin.get(f"/admin/user/edit/?id={dara.user_id}")

    admin.submit(None, status="inactive")

    assert not is_signed_in(visitor)
    assert visitor.sign_in("dara", PASSWORD).path == "/login"


# ---- The own account ----------------------------------------------------------------------------------------------


def test_a_change_of_password_ends_all_other_sessions(browser: Browser, dara: User, session: Session) -> None:
    desk, phone = browser(), browser()
    desk.sign_in("dara", PASSWORD)
    phone.sign_in("dara", PASSWORD)
    desk.get("/account")

    page = desk.submit("password-form", old_password=PASSWORD, new_password=NEW, repeated=NEW)

    assert page.flashes == ["Your password is changed. Other devices are signed out."]
    assert is_signed_in(desk)
    assert not is_signed_in(phone)
    assert phone.sign_in("dara", NEW).path == "/admin/"
    assert actions(session) == ["login", "login", "change_password", "login"]


@pytest.mark.parametrize(
    ("typed", "field", "says"),
    [
        ({"old_password": "wrong"}, "old_password", "is wrong"),
        ({"old_password": ""}, "old_password", "fill this in"),
        ({"repeated": "three quiet otter"}, "repeated", "do not agree"),
        ({"new_password": "short", "repeated": "short"}, "new_password", "at least 8"),
        ({"new_password": "ក" * 25, "repeated": "ក" * 25}, "new_password", "24 Khmer characters"),
        ({"new_password": "I am dara", "repeated": "I am dara"}, "new_password", "user name"),
        ({"new_password": "Password123", "repeated": "Password123"}, "new_password", "Many people"),
        ({"new_password": PASSWORD, "repeated": PASSWORD}, "new_password", "present password"),
    ],
)
def test_what_is_wrong_stands_at_its_field(
    visitor: PageClient, dara: User, typed: dict[str, str], field: str, says: str
) -> None:
    visitor.sign_in("dara", PASSWORD)
    visitor.get("/account")

    page = visitor.submit("password-form", {"old_password": PASSWORD, "new_password": NEW, "repeated": NEW} | typed)

    assert list(page.errors) == [field]
    assert says in page.errors[field]
    assert NEW not in page.source


def test_wrong_old_passwords_lock_the_account(visitor: PageClient, dara: User, session: Session) -> None:
    visitor.sign_in("dara", PASSWORD)
    for _ in range(5):
        visitor.get("/account")
        visitor.submit("password-form", old_password="wrong", new_password=NEW, repeated=NEW)

    visitor.get("/account")
    assert visitor.submit("password-form", old_password=PASSWORD, new_password=NEW, repeated=NEW).errors
    assert "account_locked" in actions(session)


def test_everybody_keeps_the_own_phone_numbers(teacher: PageClient, session: Session) -> None:
    teacher.get("/account")

    page = teacher.submit("contact-form", phonenumber1="012 345 678", phonenumber2="")

    assert page.flashes == ["Your details are saved."]
    assert page.control("phonenumber1").get("value") == "012 345 678"
    assert page.facts["User name"] == "teacher"
    assert teacher.submit("contact-form", phonenumber1="0" * 51).errors["phonenumber1"].startswith("This is too long")


def test_nothing_but_phones_and_password_is_changed_here(teacher: PageClient, session: Session) -> None:
    teacher.post("/account", {"phonenumber1": "012", "phonenumber2": "", "role": "admin", "user_id": "1"})

    session.refresh(teacher.user)
    assert (teacher.user.role, teacher.user.phonenumber1) == (Role.TEACHER, "012")


# ---- A password that somebody else chose --------------------------------------------------------------------------


def test_a_given_password_opens_only_the_page_for_choosing_an_own_one(
    visitor: PageClient, make: Make, session: Session
) -> None:
    sok = make.user(username="sok", role=Role.ADMIN.value, password_change_required=True)

    page = visitor.sign_in("sok", PASSWORD)
    assert (page.path, page.title) == ("/account", "Choose your password")
    assert visitor.get("/admin/student/", follow=False).headers["Location"] == "/account"
    assert visitor.post("/admin/subject/new/", {"subject_name": "X"}, follow=False).headers["Location"] == "/account"
    assert visitor.get("/admin/student/", headers={"Accept": "application/json"}).status == 403
    visitor.post("/account", {"phonenumber1": "012", "phonenumber2": ""})
    with visitor.web.get(f"{visitor.app.static_url_path}/favicon.svg") as served:
        assert served.status_code == 200
    assert visitor.get("/session").json["user_id"] == sok.user_id

    visitor.get("/account")
    again = visitor.submit("password-form", old_password=PASSWORD, new_password=PASSWORD, repeated=PASSWORD)
    assert "present password" in again.errors["new_password"]
    page = visitor.submit("password-form", old_password=PASSWORD, new_password=NEW, repeated=NEW)

    assert page.path == "/admin/"
    assert visitor.get("/admin/student/").status == 200
    session.refresh(sok)
    assert (sok.password_change_required, sok.phonenumber1) == (False, None)


def test_who_will_not_choose_may_sign_out(visitor: PageClient, make: Make) -> None:
    make.user(username="sok", password_change_required=True)
    visitor.sign_in("sok", PASSWORD)

    assert visitor.submit("/logout").path == "/login"


def test_an_account_made_or_reset_by_an_administrator_must_choose(
    admin: PageClient, browser: Browser, session: Session
) -> None:
    admin.get("/admin/user/new/")
    admin.submit(None, last_name="សុខ", first_name="ដារ៉ា", username="sok", new_password=NEW)
    sok = browser()
    assert sok.sign_in("sok", NEW).title == "Choose your password"
    sok.submit("password-form", old_password=NEW, new_password=PASSWORD, repeated=PASSWORD)

    user = session.scalars(select(User).where(User.username == "sok")).one()
    admin.get(f"/admin/user/edit/?id={user.user_id}")
    admin.submit(None, new_password=NEW)

    assert not is_signed_in(sok)
    assert sok.sign_in("sok", NEW).title == "Choose your password"


@pytest.mark.parametrize("weak", ["short", "sok is my name", "password123", "ក" * 25])
def test_an_administrator_cannot_give_a_weak_password(admin: PageClient, session: Session, weak: str) -> None:
    admin.get("/admin/user/new/")

    page = admin.submit(None, last_name="សុខ", first_name="ដារ៉ា", username="sok", new_password=weak)

    assert list(page.errors) == ["new_password"]
    assert session.scalars(select(User).where(User.username == "sok")).first() is None


def test_administrators_keep_their_own_rights_and_change_their_password_elsewhere(admin: PageClient) -> None:
    page = admin.get(f"/admin/user/edit/?id={admin.user.user_id}")
    assert "new_password" not in page.form().values

    assert list(admin.submit(None, role="teacher").errors) == ["role"]
    assert list(admin.submit(None, role="admin", status="inactive").errors) == ["status"]
    assert is_signed_in(admin)


# ---- Unlocking ----------------------------------------------------------------------------------------------------


def test_an_administrator_unlocks_from_the_list_and_from_the_record(
    admin: PageClient, visitor: PageClient, make: Make, session: Session
) -> None:
    sok = make.user(username="sok", last_name="សុខ", first_name="ដារ៉ា")
    for address in ("/admin/user/", f"/admin/user/details/?id={sok.user_id}"):
        for _ in range(5):
            visitor.sign_in("sok", "wrong")
        assert visitor.sign_in("sok", PASSWORD).path == "/login"

        admin.get(address)
        page = admin.submit("/admin/user/unlock/")

        assert page.path.startswith(address.partition("?")[0])
        assert page.flashes == ["សុខ ដារ៉ា may sign in again at once."]
        assert "/admin/user/unlock/" not in page.source
        assert visitor.sign_in("sok", PASSWORD).path == "/admin/"
        visitor.submit("/logout")
    assert actions(session).count("unlock_account") == 2


@pytest.mark.parametrize("key", ["", "0", "-1", "abc", "99999999999", "999999"])
def test_unlocking_nobody_is_not_found(admin: PageClient, key: str) -> None:
    assert admin.post("/admin/user/unlock/", {"id": key}).status == 404


def test_unlocking_needs_an_administrator_a_token_and_a_post(
    teacher: PageClient, admin: PageClient, make: Make, session: Session
) -> None:
    until = dt.datetime.now(dt.UTC) + dt.timedelta(minutes=5)
    sok = make.user(username="sok", account_locked_until=until)

    assert teacher.post("/admin/user/unlock/", {"id": sok.user_id}).status == 403
    assert admin.post("/admin/user/unlock/", {"id": sok.user_id, "csrf_token": "forged"}).status == 400
    assert admin.get(f"/admin/user/unlock/?id={sok.user_id}").status == 405

    session.refresh(sok)
    assert sok.account_locked_until is not None
