"""When a page cannot be shown: words, a number to give when asking for help, and nothing of the inside."""

import re
from collections.abc import Callable

import pytest
from flask import Flask, abort
from sqlalchemy import text
from sqlalchemy.orm import Session
from sqlalchemy.orm.exc import StaleDataError

from fsms.admin_views.base import EntityView
from fsms.database import db
from fsms.errors import InvalidValue
from fsms.models import Student
from tests.browser import PageClient
from tests.builders import Make, contents

JSON = {"Accept": "application/json"}
INSIDE = ("Traceback", "SELECT", "sqlalchemy", "psycopg", "/fsms/", "secret word")


def _bug() -> None:
    raise KeyError("secret word")


def _broken_sql() -> None:
    db.session.execute(text("SELECT 'secret word' FROM nowhere"))


def _broken_row() -> None:
    db.session.add(Student(last_name="secret word", first_name="Dara"))
    db.session.flush()


def _race() -> None:
    db.session.execute(text("DO $$ BEGIN RAISE EXCEPTION 'secret word' USING ERRCODE = '40P01'; END $$"))


def _stale() -> None:
    raise StaleDataError("secret word")


def _school_rule() -> None:
    raise InvalidValue("Nobody was chosen.")


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], None]], None]:
    """Let the list of subjects fail in a way of your choice."""

    def _fail(how: Callable[[], None]) -> None:
        def _failing(_view: EntityView, *_args: object, **_facts: object) -> None:
            how()

        monkeypatch.setattr(EntityView, "get_list", _failing)

    return _fail


@pytest.mark.parametrize(
    ("fault", "status", "title"),
    [
        (_bug, 500, "Something went wrong"),
        (_broken_sql, 500, "Something went wrong"),
        (_broken_row, 500, "Something went wrong"),
        (_race, 503, "Somebody was faster"),
        (_stale, 409, "Somebody was faster"),
        (_school_rule, 400, "This cannot be read"),
        (lambda: abort(400), 400, "This cannot be read"),
        (lambda: abort(403), 403, "This is not open to you"),
        (lambda: abort(404), 404, "Nothing is here"),
        (lambda: abort(405), 405, "This cannot be done here"),
        (lambda: abort(409), 409, "Somebody was faster"),
        (lambda: abort(413), 413, "This is too large"),
        (lambda: abort(418), 418, "This cannot be read"),
        (lambda: abort(503), 503, "Something went wrong"),
    ],
)
def test_a_fault_is_a_page_with_words_and_a_number(
    admin: PageClient,
    failing: Callable[[Callable[[], None]], None],
    fault: Callable[[], None],
    status: int,
    title: str,
) -> None:
    failing(fault)

    page = admin.get("/admin/subject/")
    said = admin.get("/admin/subject/", headers=JSON)

    assert (page.status, page.title) == (status, title)
    number = page.headers["X-Request-ID"]
    assert re.fullmatch(r"[0-9a-f]{12}", number)
    assert number in page.text
    assert not [word for word in INSIDE if word in page.source]
    assert said.status == status
    assert said.json["request_id"] == said.headers["X-Request-ID"] != number
    assert said.json["error"]
    assert not [word for word in INSIDE if word in said.source]


def test_after_a_fault_the_next_page_works(
    admin: PageClient, make: Make, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    make.subject(subject_name="គណិតវិទ្យា")
    before = contents(session)
    with monkeypatch.context() as broken:
        broken.setattr(EntityView, "get_list", lambda *_args, **_facts: _broken_row())
        assert admin.get("/admin/subject/").status == 500

    assert admin.get("/admin/subject/").column("Subject") == ["គណិតវិទ្យា"]
    assert contents(session) == before


def test_a_fault_is_noted_with_its_number_and_without_what_was_typed(
    admin: PageClient, failing: Callable[[Callable[[], None]], None], caplog: pytest.LogCaptureFixture
) -> None:
    failing(_broken_row)

    page = admin.get("/admin/subject/")

    assert page.headers["X-Request-ID"] in caplog.text
    assert "secret word" not in caplog.text


@pytest.mark.parametrize("address", ["/nothing", "/admin/nothing/", "/admin/student/nothing/", "/admin/student/edit/x"])
def test_an_unknown_address_is_a_page(admin: PageClient, address: str) -> None:
    page = admin.get(address)

    assert (page.status, page.title) == (404, "Nothing is here")


def test_a_wrong_kind_of_request_is_a_page(admin: PageClient) -> None:
    page = admin.get("/admin/student/delete/")

    assert (page.status, page.title) == (405, "This cannot be done here")


@pytest.mark.parametrize("form", [{}, {"csrf_token": ""}, {"csrf_token": "forged"}, {"csrf_token": "\x00"}])
def test_a_form_without_the_token_of_the_session_is_refused(
    admin: PageClient, make: Make, session: Session, form: dict[str, str]
) -> None:
    subject = make.subject()
    number = subject.subject_id
    session.commit()

    answer = admin.web.post("/admin/subject/delete/", data={"id": number, **form})

    assert answer.status_code == 400
    assert "The form was open too long" in answer.get_data(as_text=True)
    assert subject.subject_id == number


def test_every_answer_has_a_number(admin: PageClient) -> None:
    numbers = {admin.get("/admin/subject/").headers["X-Request-ID"] for _ in range(3)}

    assert len(numbers) == 3


def test_an_error_page_of_a_stranger_shows_no_menu(visitor: PageClient, app: Flask) -> None:
    page = visitor.post("/admin/student/new/", {})

    assert page.status == 401
    assert "Pupils" not in page.text
