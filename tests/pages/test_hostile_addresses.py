"""Whatever stands in an address or a form: no page breaks, nobody is led off the site, and looking changes nothing."""

import io
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from flask_admin import Admin
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict
from werkzeug.test import TestResponse

from fsms.admin_views.base import EntityView
from tests.browser import PageClient
from tests.builders import PAGES, Make, contents, key_of
from tests.pages.addresses import every_address

HUGE = "9" * 20
HUGER = str(10**18)
WRONG_IDS = ("abc", "-1", "0", HUGE, "1,2", "\x00", "១", "1e3", " 1", "1;drop", "٣")
EVIL = (
    "//evil.example/",
    "https://evil.example/",
    "javascript:alert(1)",
    "\\\\evil.example",
    "/\\evil.example",
    "\x00",
)

Arguments = list[tuple[str, str]]

ODD_ARGUMENTS: list[Arguments] = [
    [],
    *([("id", wrong)] for wrong in WRONG_IDS),
    [("id[]", "1")],
    [("id", "1"), ("id", "2")],
    *([("page", value)] for value in ("-1", HUGER, "abc", "\x00", "1.5")),
    *([("page_size", value)] for value in (str(10**9), "-1", "0", "abc", HUGE)),
    *([("sort", value)] for value in ("-1", "999", "abc", HUGE, "0")),
    [("sort", "1"), ("desc", "x")],
    [("sort", "0"), ("desc", HUGE)],
    *(
        [("search", value)]
        for value in ("\x00", "%", "_", "\\", "'", '"', "' OR 1=1 --", "a" * 10_000, "ក " * 50, "{{7*7}}")
    ),
    *([(name, value)] for name in ("flt0_", "flt0_xxx", "flt_", "flt0", "fltx_0", "flt0_0") for value in ("", "1")),
    [("endpoint", "x")],
    [("_method", "POST")],
    [("_external", "1"), ("_anchor", "x"), ("_scheme", "javascript")],
    [("export_type", "csv")],
    [("modal", "1")],
    *([("url", evil)] for evil in EVIL),
    *([("next", evil)] for evil in EVIL),
    [("page", "1"), ("page", "abc"), ("search", "a"), ("search", "\x00")],
    [("name", "student"), ("query", "\x00"), ("limit", HUGE), ("offset", "-1")],
    [("name", "\x00")],
    [("\x00", "\x00")],
    [("self", "1"), ("cls", "1"), ("view", "1")],
]

WRONG_FILTER_VALUES = ("abc", "\x00", str(10**30), "", "សុខ", "NaN", "0001-01-01", "-1")


def _values(value: str, names: Iterator[str]) -> Arguments:
    return [(name, value) for name in names]


@pytest.fixture
def full_school(make: Make) -> dict[str, int]:
    """A row for each page, and its number."""
    return {page: key_of(make.one(page)) for page in PAGES}


def _is_wrong(answer: TestResponse) -> bool:
    """Say whether an answer is a fault, or leads off the site."""
    away = answer.headers.get("Location", "/")
    return answer.status_code >= 500 or not away.startswith("/") or away.startswith(("//", "/\\"))


def _asked(client: PageClient, address: str, arguments: Arguments) -> TestResponse:
    client.before_each()
    return client.web.get(address, query_string=MultiDict(arguments))


# All pages stand on one base: the pupils' page is asked everything, each other one a share of it.
SHARES = 6


@pytest.mark.parametrize("part", [*PAGES, "elsewhere"])
def test_no_address_breaks_a_page_or_leads_away(
    admin: PageClient, flask_app: Flask, session: Session, full_school: dict[str, int], part: str
) -> None:
    before = contents(session)
    wrong = []

    for address in _addresses(flask_app, part):
        for arguments in ODD_ARGUMENTS if part == "student" else ODD_ARGUMENTS[len(part) % SHARES :: SHARES]:
            answer = _asked(admin, address, arguments)
            if _is_wrong(answer):
                wrong.append(f"{answer.status_code} {answer.headers.get('Location')} {address} {str(arguments)[:80]}")

    assert not wrong, "\n".join(wrong)
    assert _without_log(contents(session)) == _without_log(before)


def _addresses(app: Flask, part: str) -> Iterator[str]:
    """The addresses of one entity's page, or those of no entity's."""
    for rule, address in every_address(app):
        blueprint = rule.endpoint.partition(".")[0]
        owner = blueprint if blueprint in PAGES else "elsewhere"
        if owner == part and "GET" in (rule.methods or set()) and not rule.endpoint.endswith("static"):
            yield address


def _without_log(held: dict[str, list[Any]]) -> dict[str, list[Any]]:
    return {table: rows for table, rows in held.items() if table != "ActivityLog"}


@pytest.mark.parametrize("page", PAGES)
def test_no_filter_breaks_on_any_value(admin: PageClient, flask_app: Flask, page: str) -> None:
    wrong = []

    for number, flt in enumerate(_view(flask_app, page).get_filters()):
        for value in WRONG_FILTER_VALUES[number % 3 :: 3]:
            answer = _asked(admin, f"/admin/{page}/", [(f"flt0_{flt.arg}", value)])
            if answer.status_code != 200:
                wrong.append(f"{answer.status_code} {flt.arg}={value}")

    assert not wrong


@pytest.mark.parametrize("page", PAGES)
def test_every_filter_works_on_a_good_value(
    admin: PageClient, flask_app: Flask, full_school: dict[str, int], page: str
) -> None:
    good = {"number": "5", "datepicker": "2024-05-31", "select2-tags": "1", None: "a"}
    good["daterangepicker"] = "2024-05-31 to 2024-06-30"

    for flt in _view(flask_app, page).get_filters():
        for value in _options(flask_app, flt) or [good[flt.data_type]]:
            answer = _asked(admin, f"/admin/{page}/", [(f"flt0_{flt.arg}", value)])
            assert answer.status_code == 200, flt.arg
            shown = answer.get_data(as_text=True)
            taken = 'class="chips"' in shown or "quick-chip is-on" in shown or "menu-item is-on" in shown
            assert taken, f"{flt.arg} did not take {value}"


def _options(app: Flask, flt: Any) -> list[str]:
    """The first and the last of the values that a filter offers."""
    if flt.options is None:
        return []
    with app.test_request_context():
        offered = [value for value, _ in flt.options()]
    return offered[:: max(len(offered) - 1, 1)]


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("address", ["details/", "edit/"])
def test_a_wrong_number_is_not_found(admin: PageClient, full_school: dict[str, int], page: str, address: str) -> None:
    if page == "activitylog" and address == "edit/":
        return

    answers = {wrong: _asked(admin, f"/admin/{page}/{address}", [("id", wrong)]) for wrong in WRONG_IDS}

    assert {wrong: answer.status_code for wrong, answer in answers.items() if answer.status_code != 404} == {}


# ---- Forms --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", PAGES)
def test_no_form_breaks_a_page(admin: PageClient, flask_app: Flask, full_school: dict[str, int], page: str) -> None:
    number = full_school[page]
    fields = _fields(flask_app, page)
    wrong = []

    for address, bodies in (
        ("new/", [*_acts(), *_fillings(fields)]),
        (f"edit/?id={number}", [{}, *_fillings(fields)]),
        ("delete/", _acts()),
        ("action/", _acts()),
        ("ajax/update/", _acts()),
        ("", [{}]),
        ("edit/?id=abc", [{}]),
    ):
        for body in bodies:
            admin.before_each()
            answer = admin.web.post(f"/admin/{page}/{address}", data=_token(admin) | body)
            if _is_wrong(answer):
                wrong.append(f"{answer.status_code} {address} {str(body)[:100]}")

    assert not wrong, "\n".join(wrong)


def _acts() -> Iterator[dict[str, Any]]:
    yield {}
    yield {"id": "\x00", "rowid": ["\x00", "abc", HUGE], "action": "delete"}
    yield {"rowid": ["1"] * 900, "action": "delete", "id": HUGE}
    yield {"action": "__init__", "rowid": "1"}
    yield {"action": "\x00", "url": "//evil.example"}


def _fillings(fields: list[str]) -> Iterator[dict[str, Any]]:
    for value in ("\x00", "abc", HUGE, "-1", "", "x" * 5000, "សុខ\u200b", ["1", "2"], "{{7*7}}"):
        yield dict.fromkeys(fields, value)
    yield {name: (io.BytesIO(b"\x89PNG"), "photo.png") for name in fields}


def _token(client: PageClient) -> dict[str, Any]:
    if not client.csrf_token:
        client.get("/admin/")
    return {"csrf_token": client.csrf_token}


def _fields(app: Flask, page: str) -> list[str]:
    names = [str(name) for name in _view(app, page).form_columns]
    rows = [f"{rows}-{n}-{name}" for rows, name in INLINE for n in (0, 1)] if page == "student" else []
    return [*names, *rows, "version"]


INLINE = (
    ("guardians", "relation"),
    ("guardians", "guardian_id"),
    ("guardians", "income"),
    ("family", "help_amount"),
    ("family", "familyinfo_id"),
    ("scholarships", "amount"),
    ("scholarships", "version"),
)


def test_ten_thousand_rows_in_a_form_are_too_many(
    admin: PageClient, full_school: dict[str, int], session: Session
) -> None:
    before = _without_log(contents(session))
    rows = {f"guardians-{n}-relation": "Uncle" for n in range(10_000)}

    admin.before_each()
    answer = admin.web.post(f"/admin/student/edit/?id={full_school['student']}", data=_token(admin) | rows)

    assert answer.status_code in {200, 302, 400, 413}
    assert len(_without_log(contents(session))["Guardian"]) <= len(before["Guardian"]) + 30


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("multipart/form-data; boundary=x", b"--x\r\nContent-Disposition: form-data; name=a\r\n\r\nhalf"),
        ("multipart/form-data", b"no boundary"),
        ("multipart/form-data; boundary=x", b"--x--"),
        ("application/x-www-form-urlencoded", b"%ff%00=%ff&a[=&&&=" * 100),
        ("application/json", b'{"id": 1}'),
        ("application/json", b"{"),
        ("text/xml; charset=utf-99", b"<x/>"),
        ("", b"\xff\xfe"),
    ],
)
def test_a_broken_body_is_refused(admin: PageClient, full_school: dict[str, int], kind: str, body: bytes) -> None:
    token = _token(admin)["csrf_token"]

    for address in ("/login", "/logout", "/admin/student/new/", "/admin/student/delete/", "/admin/student/action/"):
        admin.before_each()
        answer = admin.web.post(address, data=body, content_type=kind, headers={"X-CSRFToken": token})
        assert not _is_wrong(answer), address


def test_other_methods_are_refused(admin: PageClient, flask_app: Flask) -> None:
    token = _token(admin)["csrf_token"]
    wrong = []

    for _, address in every_address(flask_app):
        for method in ("PUT", "DELETE", "OPTIONS", "BREW"):
            admin.before_each()
            answer = admin.web.open(address, method=method, headers={"X-CSRFToken": token})
            if _is_wrong(answer):
                wrong.append(f"{answer.status_code} {method} {address}")
            answer.close()

    assert not wrong


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Accept": "*/*;q=nan, application/json;q=1e99"},
        {"Accept-Language": "km;q=x,,\xff" * 100},
        {"Cookie": "session=forged; remember_token=1|x"},
        {"Range": "bytes=99999999999999999999-"},
        {"If-Modified-Since": "never"},
        {"X-Forwarded-For": "' OR 1=1", "X-Forwarded-Proto": "javascript"},
        {"Content-Length": "-1"},
        {"User-Agent": "\xff" * 5000},
    ],
    ids=str,
)
def test_odd_headers_break_nothing(admin: PageClient, visitor: PageClient, headers: dict[str, str]) -> None:
    for client in (admin, visitor):
        for address in (
            "/",
            "/login",
            "/admin/",
            "/admin/student/",
            f"{admin.app.static_url_path}/js/nav.js",
            "/healthz",
        ):
            client.before_each()
            answer = client.web.get(address, headers=headers)
            assert not _is_wrong(answer), address
            answer.close()


def _view(app: Flask, page: str) -> EntityView:
    (admin,) = (extension for extension in app.extensions["admin"] if isinstance(extension, Admin))
    return next(view for view in admin._views if isinstance(view, EntityView) and view.endpoint == page)
