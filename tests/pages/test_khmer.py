"""The interface in Khmer: whatever page is opened, no English word is left but names and codes.

Every page is walked to by its links, and every form sent empty, wrong and right, so that a new page is read as soon as
another one links to it.
"""

import re
from collections.abc import Iterator
from xml.etree.ElementTree import Element

import pytest
from flask import Flask

from fsms.vocabulary import Role
from tests.browser import Page, PageClient
from tests.builders import Make
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
    make.dropped(student=make.student(last_name="ជា", first_name="មុនី"), course=course, semester=semester)
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
