"""What answers without an account: the sign-in page, files, and the sign of life. Nothing else."""

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.orm import Session

from fsms import schema
from fsms.database import db
from tests.browser import PageClient
from tests.builders import PAGES
from tests.pages.addresses import every_address

# The endpoints that answer strangers. The choice of a language and the state of a session tell nobody anything.
OPEN = {"login", "static", "healthz", "language", "appearance", "session_state"}


def test_a_stranger_is_led_to_the_sign_in_page(visitor: PageClient) -> None:
    page = visitor.get("/admin/student/?search=sok")

    assert page.title == "Sign in"
    assert "next=/admin/student/" in page.path


def test_nothing_else_opens_to_a_stranger(visitor: PageClient, flask_app: Flask) -> None:
    opened = []
    for rule, address in every_address(flask_app):
        if rule.endpoint.rpartition(".")[2] in OPEN:
            continue
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            answer = visitor.web.open(address, method=method)
            led_away = answer.status_code == 302 and answer.headers["Location"].startswith("/login")
            if not led_away and answer.status_code not in {400, 401, 403, 404, 405}:
                opened.append(f"{method} {address}: {answer.status_code}")

    assert not opened


@pytest.mark.parametrize("page", PAGES)
def test_a_stranger_who_asks_for_json_is_refused_in_json(visitor: PageClient, page: str) -> None:
    answer = visitor.get(f"/admin/{page}/", headers={"Accept": "application/json"})

    assert answer.status == 401
    assert set(answer.json) == {"error", "request_id"}


def test_a_stranger_cannot_delete(visitor: PageClient) -> None:
    answer = visitor.post("/admin/student/delete/", {"id": "1"})

    assert answer.status == 401


@pytest.mark.parametrize("file", ["css/school.css", "js/nav.js", "favicon.svg"])
def test_files_are_open(visitor: PageClient, file: str) -> None:
    answer = visitor.web.get(f"{visitor.app.static_url_path}/{file}")

    assert answer.status_code == 200
    answer.close()


@pytest.mark.parametrize("path", ["../app.py", "..%2fapp.py", "/etc/passwd", "%2e%2e/pyproject.toml", "\x00"])
def test_no_other_file_is(visitor: PageClient, path: str) -> None:
    assert visitor.web.get(f"{visitor.app.static_url_path}/{path}").status_code in {302, 400, 404}


# ---- The sign of life ---------------------------------------------------------------------------------------------


def test_the_server_says_that_it_lives(visitor: PageClient) -> None:
    answer = visitor.get("/healthz")

    assert (answer.status, answer.json) == (200, {"status": "ok"})


def test_it_lives_without_a_database(visitor: PageClient, session: Session) -> None:
    session.execute(text('ALTER TABLE "User" RENAME TO "Gone"'))
    session.commit()

    assert visitor.get("/healthz").status == 200


def test_it_is_ready_when_the_database_is_at_the_right_revision(school: Flask) -> None:
    answer = school.test_client().get("/healthz?ready")

    assert answer.status_code == 200
    assert answer.get_json() == {"status": "ok", "revision": schema.head()}


def test_it_is_not_ready_at_another_revision(school: Flask) -> None:
    with school.app_context(), db.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0001'"))

    answer = school.test_client().get("/healthz?ready")

    assert answer.status_code == 503
    assert "fsms db upgrade" in answer.get_json()["status"]


def test_it_is_not_ready_when_the_database_is_gone(school: Flask) -> None:
    with school.app_context():
        away = db.engine.url.set(database="fsms_no_such_database")
        db._app_engines[school] = {None: db._make_engine(None, {"url": away}, school)}

    answer = school.test_client().get("/healthz?ready")

    assert answer.status_code == 503
    assert answer.get_json() == {"status": "the database does not answer"}


def test_the_sign_of_life_tells_nothing_of_the_school(school: Flask) -> None:
    assert set(school.test_client().get("/healthz?ready=1&verbose=1").get_json()) <= {"status", "revision"}
