"""No change by GET, and none by a request that did not come from a page of ours."""

import pytest
from flask import Flask, session
from flask_wtf.csrf import generate_csrf, validate_csrf

from fsms import web_security
from tests.browser import PageClient
from tests.builders import Make, contents

UNSAFE = {"POST", "PUT", "PATCH", "DELETE"}


def _unsafe_paths(app: Flask) -> list[tuple[str, str]]:
    with app.test_request_context():
        found: list[tuple[str, str]] = []
        for rule in app.url_map.iter_rules():
            values = {"filename": "none.css", "person": "student", "key": 1, "export_type": "csv"}
            built = rule.build({name: values.get(name, 1) for name in rule.arguments})
            found.extend((method, built[1]) for method in sorted((rule.methods or set()) & UNSAFE) if built)
        return found


def test_every_unsafe_request_without_a_token_is_refused(flask_app: Flask, admin: PageClient, make: Make) -> None:
    before = contents(make.session)
    paths = _unsafe_paths(flask_app)

    for method, path in paths:
        answer = admin.web.open(path, method=method, data={"id": "1", "action": "delete", "rowid": "1"})
        assert answer.status_code == 400, (method, path)

    assert len(paths) > 13 * 4
    assert contents(make.session) == before


def test_a_token_of_another_session_is_no_token(admin: PageClient, teacher: PageClient) -> None:
    teacher.get("/admin/")

    answer = admin.web.post("/logout", data={"csrf_token": teacher.csrf_token})

    assert answer.status_code == 400


@pytest.mark.parametrize(
    "path", ["/logout", "/admin/student/delete/?id=1", "/admin/student/action/?action=delete&rowid=1"]
)
def test_nothing_is_changed_by_a_link(admin: PageClient, path: str) -> None:
    assert admin.web.get(path).status_code == 405


def test_every_page_carries_the_headers_that_protect_it(admin: PageClient) -> None:
    for path in ("/admin/", "/admin/student/", "/login", "/nowhere"):
        headers = admin.web.get(path, follow_redirects=True).headers
        policy = headers["Content-Security-Policy"]
        assert "script-src 'self' 'nonce-" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["X-Frame-Options"] == "DENY"
        assert headers["Referrer-Policy"] == "same-origin"
        assert "camera=()" in headers["Permissions-Policy"]
        assert "no-store" in headers["Cache-Control"]


def test_under_https_the_cookie_is_secure_and_the_browser_is_told_to_stay_there(admin: PageClient) -> None:
    answer = admin.web.get("/login", base_url="https://localhost")

    assert "max-age=" in answer.headers["Strict-Transport-Security"]
    cookies = answer.headers.getlist("Set-Cookie")
    assert all("HttpOnly" in cookie and "SameSite=Lax" in cookie for cookie in cookies)
    assert all("Secure" in cookie for cookie in cookies)


def test_the_token_of_a_session_is_signed_once_and_never_kept_for_another_session(app: Flask) -> None:
    def token_of(raw: str, *, after: str = "") -> str:
        with app.test_request_context():
            if after:  # the session changed hands within this request
                session["csrf_token"] = after
                generate_csrf()
            session["csrf_token"] = raw
            return web_security._token()

    first = token_of("one")
    token_of("two", after="one")
    second = token_of("two")

    assert token_of("one") == first != second
    with app.test_request_context():
        session["csrf_token"] = "two"
        validate_csrf(second)
