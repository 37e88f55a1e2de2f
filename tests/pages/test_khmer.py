"""The interface in Khmer: whatever page is opened, no English word is left but names and codes.

Every page is walked to by its links, and every form sent empty, wrong and right, so that a new page is read as soon as
another one links to it.
"""

import datetime as dt
import re
from collections.abc import Callable, Iterator
from xml.etree.ElementTree import Element

import pytest
from flask import Flask, abort
from sqlalchemy.orm.exc import StaleDataError

from fsms import clock
from fsms.admin_views import counting, paging
from fsms.admin_views.base import EntityView
from fsms.admin_views.lists import Lists
from fsms.vocabulary import Role
from tests.browser import Page, PageClient
from tests.builders import PAGES, Make
from tests.pages.typed import GOOD
from tests.walking import walk

SPOKEN = ("aria-label", "placeholder", "title", "alt", "aria-description")
# What scripts say, they find in the page.
SAID_BY_SCRIPTS = re.compile(r"data-(?!url|theme|remembered|name|.*-url)[a-z-]+$")
SILENT = {"script", "style", "code", "kbd"}

# Names, codes and formats, which are the same in every language.
NAMES = re.compile(
    r"\b(?:English|CSV|Excel|JSON Lines|JSON|JPEG|PNG|WebP|MB|ID|IP|Ctrl|Esc|Enter|Tab|Shift|F2)\b"
    r"|\b(?:S[12]|principal|teacher|thida)\b"
    r"|\{\w+\}"  # filled in by a script
    r"|\b[0-9a-f-]{36}\b"  # numbers of acts
)
WORD = re.compile(r"[A-Za-z]{2,}")


def english_in(page: Page) -> Iterator[str]:
    """Find words in Latin letters that are read, heard or about to be said."""
    for words in _all_words(page.document):
        if WORD.search(NAMES.sub("", words)):
            yield " ".join(words.split())[:100]


def _all_words(document: Element) -> Iterator[str]:
    for element in document.iter():
        if not isinstance(element.tag, str):
            continue
        yield from (element.get(name) or "" for name in SPOKEN)
        yield from (text for name, text in element.attrib.items() if SAID_BY_SCRIPTS.match(name) and " " in text)
        if element.tag not in SILENT:
            yield element.text or ""
        yield from (child.tail or "" for child in element)


@pytest.fixture
def khmer_school(make: Make) -> None:
    """A row of everything, with names in Khmer."""
    year = make.school_year(school_year_code="2024-2025")
    semester = make.semester(semester="ឆមាសទី ១", semester_code="S1-2024")
    teacher = make.user(username="គ្រូ", last_name="កែវ", first_name="ធីតា", role=Role.TEACHER.value, position="គ្រូ")
    course = make.course(school_year=year, course_name="ថ្នាក់ទី ៧", section="ក", grade="7", teacher=teacher)
    pupil = make.student(last_name="សុខ", first_name="ដារ៉ា", health="ល្អ", phone="012 345 678")
    place = make.enrollment(student=pupil, course=course)
    gone = make.student(last_name="ជា", first_name="មុនី")
    make.dropped(student=gone, course=course, semester=semester, drop_reason="Moved house")
    make.guardian(student=pupil, last_name="សុខ", first_name="ចាន់")
    make.family(student=pupil)
    make.scholarship(student=pupil, type="តម្រូវការ", sponsor="អង្គការ")
    make.subject(subject_name="គណិតវិទ្យា")
    make.grade(enrollment=place, semester=semester)
    make.attendance(enrollment=place, reason="ឈឺ")


@pytest.fixture(params=["admin", "teacher"])
def reader(request: pytest.FixtureRequest, khmer_school: None) -> PageClient:
    """Somebody who reads Khmer."""
    client: PageClient = request.getfixturevalue(request.param)
    client.post("/language", {"language": "km"})
    return client


def test_no_page_has_an_english_word_in_it(reader: PageClient, app: Flask) -> None:
    faults: list[str] = []

    def opened(address: str) -> str | None:
        page = reader.get(address)
        if not page.is_html or page.status != 200:
            return None
        faults.extend(f"{address}: {words}" for words in english_in(page))
        return page.source

    found = walk(app.url_map, opened, "/admin/")

    assert len(found) > 15
    assert not faults, "\n".join(sorted(set(faults)))


@pytest.mark.parametrize("entity", sorted(GOOD))
def test_no_form_answers_in_english(admin: PageClient, make: Make, khmer_school: None, entity: str) -> None:
    admin.post("/language", {"language": "km"})
    good = GOOD[entity](make)
    wrong = {name: "\u17d4" * 300 if isinstance(value, str) else value for name, value in good.items()}
    faults: list[str] = []

    for way, typed in {"empty": {}, "wrong": wrong, "good": good, "there already": good}.items():
        admin.get(f"/admin/{entity}/new/")
        faults.extend(f"{way}: {words}" for words in english_in(admin.submit(typed=typed)))

    assert not faults, "\n".join(sorted(set(faults)))


# ---- Pages that no link leads to -----------------------------------------------------------------------------------


def _stale() -> None:
    raise StaleDataError


def _bug() -> None:
    raise KeyError


@pytest.mark.parametrize(
    ("fault", "status"),
    [(lambda code=code: abort(code), code) for code in (400, 401, 403, 404, 405, 409, 413, 418, 429, 500, 503)]
    + [(_stale, 409), (_bug, 500)],
)
def test_no_page_about_a_fault_is_in_english(
    admin: PageClient, monkeypatch: pytest.MonkeyPatch, fault: Callable[[], None], status: int
) -> None:
    admin.post("/language", {"language": "km"})
    monkeypatch.setattr(EntityView, "get_list", lambda *_args, **_facts: fault())

    page = admin.get("/admin/subject/")

    assert page.status == status
    assert not list(english_in(page))


def test_no_refusal_of_an_address_or_a_form_is_in_english(
    admin: PageClient, teacher: PageClient, visitor: PageClient, khmer_school: None
) -> None:
    for client in (admin, teacher, visitor):
        client.post("/language", {"language": "km"})
    refused = [
        admin.get("/nothing"),
        admin.get("/admin/student/edit/?id=999999"),
        admin.get("/admin/student/delete/"),
        admin.get("/admin/student/?page=x&sort=nothing&flt0_nothing=1&page_size=7"),
        admin.get("/admin/student/?flt0_level=គ្មាន"),
        admin.post("/admin/subject/new/", {"csrf_token": "forged"}),
        admin.post("/admin/student/action/", {"action": "nothing", "rowid": "x"}),
        teacher.get("/admin/user/"),
        teacher.get("/admin/student/new/"),
        visitor.post("/admin/student/new/", {}),
        visitor.post("/login", {"csrf_token": "forged"}),
        visitor.post("/login", {"username": "nobody", "password": "x"}),
    ]

    faults = [f"{page.path} ({page.status}): {words}" for page in refused for words in english_in(page)]

    assert not faults, "\n".join(faults)


def test_no_reason_of_a_drop_is_told_in_english(admin: PageClient, make: Make, khmer_school: None) -> None:
    today = clock.today()
    begins = today.year if today.month >= 9 else today.year - 1
    days = {"start_date": dt.date(begins, 9, 1), "end_date": dt.date(begins + 1, 8, 31)}
    year = make.school_year(school_year_code=f"{begins}-{begins + 1}")
    make.semester(semester_code=f"S1-{begins}", school_year=year, semester="ឆមាសទី ១", **days)
    course = make.course(school_year=year, grade="7", section="ខ", course_name="ថ្នាក់ទី ៧")
    pupil = make.student(last_name="ចាន់", first_name="បុប្ផា")
    place = make.enrollment(student=pupil, course=course)
    admin.post("/language", {"language": "km"})
    admin.get(f"/admin/drops/drop/?enrollment={place.enrollment_id}")

    told = [admin.submit("act", reason="Illness", own_words="គ្រុនឈាម", on=today)]
    (undo,) = (link.get("href") or "" for link in told[0].find("a", "btn-sm"))
    entries = admin.get("/admin/activitylog/")
    told += [admin.get(undo), entries, *(admin.get(a.get("href") or "") for a in entries.find("a", "row-link"))]
    told += [
        admin.get(f"/admin/student/details/?id={pupil.student_id}"),
        admin.get(f"/admin/enrollment/details/?id={place.enrollment_id}"),
        admin.get("/admin/enrollment/"),
    ]

    assert all("មានជំងឺ" in page.text for page in told[:2])
    faults = [f"{page.path}: {words}" for page in told for words in english_in(page)]
    assert not faults, "\n".join(faults)


@pytest.mark.parametrize("entity", PAGES)
@pytest.mark.parametrize("who", ["admin", "teacher"])
def test_no_empty_list_is_in_english(request: pytest.FixtureRequest, who: str, entity: str) -> None:
    client: PageClient = request.getfixturevalue(who)
    client.post("/language", {"language": "km"})
    faults: list[str] = []

    here = f"/admin/{entity}/"
    chips = {
        match[0]: address
        for link in client.get(here).find("a")
        if (match := re.search(r"flt\d+_\w+", address := link.get("href") or ""))
    }
    for address in (here, f"{here}?search=គ្មាន", f"{here}?page=3", *chips.values()):
        page = client.get(address)
        if page.is_html:
            faults.extend(f"{page.path}: {words}" for words in english_in(page))

    assert not faults, "\n".join(faults)


def test_the_foot_of_a_long_list_is_not_in_english(
    admin: PageClient, make: Make, khmer_school: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counting, "EXACT_UP_TO", 3)
    monkeypatch.setattr(paging, "WALKED", 2)
    monkeypatch.setattr(counting, "_guesses", {})
    monkeypatch.setattr(Lists, "page_size_options", (2, 20, 50))
    for _ in range(9):
        make.student(last_name="សុខ", first_name="ដារ៉ា")
    admin.post("/language", {"language": "km"})
    faults: list[str] = []

    for asked in ("page_size=2", "page_size=2&page=1", "page_size=2&page=-1", "page_size=2&count=exact", "page=99"):
        faults.extend(f"{asked}: {words}" for words in english_in(admin.get(f"/admin/student/?{asked}")))

    assert "count=exact" in admin.get("/admin/student/?page_size=2").source
    assert not faults, "\n".join(faults)
