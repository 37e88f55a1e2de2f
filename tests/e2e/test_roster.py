"""Attendance in the yard: a few taps, with or without a network, on one tablet or two."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

import psycopg
import pytest
from playwright.sync_api import Browser, Page, expect

from fsms import embedded
from tests.e2e.conftest import PASSWORD, PHONE, Visitor
from tests.served import Served

pytestmark = pytest.mark.e2e

CLASS = 40


@dataclass
class Roster:
    """A class of forty, and what the database holds of it."""

    course: int
    teacher: str
    url: str

    def address(self, half: str = "AM") -> str:
        return f"/admin/roster/?course={self.course}&session={half}"

    def rows(self) -> list[tuple[int, str, str]]:
        """Today's attendance of the class."""
        with psycopg.connect(self.url) as connection:
            return connection.execute(
                'SELECT "studentId", session::text, status FROM "Attendance" '
                """WHERE "courseId" = %s AND "attendanceDate" = (now() AT TIME ZONE 'Asia/Phnom_Penh')::date """
                'ORDER BY "studentId", session',
                [self.course],
            ).fetchall()

    def comes_to(self, count: int, page: Page) -> list[tuple[int, str, str]]:
        """Today's attendance, once what was sent behind the page has arrived: `count` rows within ten seconds."""
        for _ in range(100):
            if len(self.rows()) >= count:
                break
            page.wait_for_timeout(100)
        found = self.rows()
        assert len(found) == count
        return found


MAKE_FORTY = """
    INSERT INTO "Enrollment" ("studentId", "courseId")
    SELECT "studentId", %(course)s FROM "Student" AS pupil
    WHERE NOT EXISTS (
        SELECT FROM "Enrollment" WHERE "studentId" = pupil."studentId" AND "courseId" = %(course)s)
    ORDER BY 1
    LIMIT %(class)s - (SELECT count(*) FROM "Enrollment" WHERE "courseId" = %(course)s AND NOT "drop")
"""
NEWEST_CLASS = """
    SELECT "courseId", username FROM "Course" JOIN "User" ON "userId" = "teacherId1"
    WHERE grade = '8' AND username ~ '^teacher' ORDER BY "courseId" DESC LIMIT 1
"""


@pytest.fixture
def roster(school: Served) -> Roster:
    """A class of forty that nobody has taken today."""
    url = embedded.share(school.data_dir).url
    with psycopg.connect(url) as connection:
        found = connection.execute(NEWEST_CLASS).fetchone()
        assert found
        course, teacher = found
        connection.execute(MAKE_FORTY, {"course": course, "class": CLASS})
        recent = 'DELETE FROM "Attendance" WHERE "courseId" = %s AND "attendanceDate" >= current_date - 1'
        connection.execute(recent, [course])
    return Roster(course, teacher, url)


@pytest.fixture
def tablet(chromium: Browser, school: Served) -> Iterator[Visitor]:
    """Another device in the yard."""
    context = chromium.new_context(locale="en-GB", viewport=PHONE, has_touch=True, is_mobile=True)  # type: ignore[arg-type]
    yield Visitor(context.new_page(), school.address)
    context.close()


class Taps:
    """A thumb whose taps are counted."""

    def __init__(self, page: Page) -> None:
        self.page, self.count = page, 0

    def on(self, found: object) -> None:
        found.tap()  # type: ignore[attr-defined]
        self.count += 1

    def button(self, name: str) -> None:
        self.on(self.page.get_by_role("button", name=name, exact=True))

    def status(self, pupil: int, status: str) -> None:
        self.on(self.page.locator(".pupil").nth(pupil).locator(f".seen[data-status={status}]"))


def _kept(page: Page) -> None:
    """Wait until the page is one that opens without a network."""
    page.evaluate(
        "async () => { while (!(await caches.match(location.href))) await new Promise((go) => setTimeout(go, 50)) }"
    )


def _saved(page: Page) -> None:
    expect(page.locator("#roster-said")).to_contain_text("saved")


def test_a_class_of_forty_with_three_absent_takes_six_taps(phone: Visitor, roster: Roster) -> None:
    page = phone.sign_in(roster.teacher).open(roster.address())
    expect(page.locator(".pupil")).to_have_count(CLASS)
    expect(page.locator(".taken.is-here")).to_contain_text("Not taken")
    taps = Taps(page)

    taps.button("All present")
    for pupil in (3, 17, 38):
        taps.status(pupil, "Absent")
    taps.button("Save")

    _saved(page)
    assert taps.count <= 6
    assert [row[2] for row in roster.rows()].count("Absent") == 3
    assert len(roster.rows()) == CLASS
    expect(page.locator(".taken.is-here")).to_contain_text("Taken")
    page.reload()
    expect(page.locator(".choice[data-saved=Absent]")).to_have_count(3)
    expect(page.locator(".choice[data-saved=Present] input:checked")).to_have_count(CLASS - 3)
    page.wait_for_load_state()
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    assert phone.complaints == []


def test_whatever_is_tapped_is_as_large_as_a_thumb(phone: Visitor, roster: Roster) -> None:
    page = phone.sign_in(roster.teacher).open(roster.address())

    found = page.locator(
        ".seen, .roster-bar button:visible, .roster-sessions a, .roster-views a, .day-steps a, .form-select"
    )
    sizes = found.evaluate_all(
        "all => all.map((one) => one.getBoundingClientRect()).map(({width, height}) => [width, height])"
    )

    assert len(sizes) > 4 * CLASS
    assert min(min(size) for size in sizes) >= 44


def test_what_is_chosen_is_hollow_until_it_is_saved(phone: Visitor, roster: Roster) -> None:
    page = phone.sign_in(roster.teacher).open(roster.address())
    first = page.locator(".pupil").first.locator(".choice")
    filled = "choice => getComputedStyle(choice.querySelector('.seen:has(:checked)')).borderTopStyle"

    Taps(page).button("All present")
    assert first.evaluate(filled) == "dashed"
    assert roster.rows() == []

    Taps(page).button("Save")
    _saved(page)
    assert first.evaluate(filled) == "solid"


# As a promise: a condition that Playwright asks again and again is text to be evaluated, which our policy forbids.
SERVICE_WORKER_IS_THERE = """() => new Promise((resolve) => {
  if (navigator.serviceWorker.controller) resolve();
  else navigator.serviceWorker.addEventListener("controllerchange", () => resolve(), { once: true });
})"""


def test_a_roster_taken_without_a_network_is_sent_once_when_it_is_back(phone: Visitor, roster: Roster) -> None:
    page = phone.sign_in(roster.teacher).open(roster.address())
    page.evaluate(SERVICE_WORKER_IS_THERE)
    _kept(page)
    taps = Taps(page)
    taps.button("All present")

    page.context.set_offline(True)
    taps.status(5, "Absent")
    taps.button("Save")

    expect(page.locator("#roster-said")).to_contain_text("No network")
    expect(page.locator("#waiting")).to_have_accessible_name("1 class waiting for the network")
    page.wait_for_load_state()
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    assert roster.rows() == []

    # The page opens again without a network, and knows what waits.
    page.reload()
    expect(page.locator(".choice[data-waiting]")).to_have_count(CLASS)
    expect(page.locator("#roster-said")).to_contain_text("No network")

    page.context.set_offline(False)
    page.evaluate("window.dispatchEvent(new Event('online'))")

    rows = roster.comes_to(CLASS, page)
    expect(page.locator("#waiting")).to_be_hidden()
    expect(page.locator(".choice[data-saved=Absent]")).to_have_count(1)
    assert len({row[0] for row in rows}) == CLASS
    assert [row[2] for row in rows].count("Absent") == 1


def test_what_waits_is_sent_from_any_page_that_is_opened_later(phone: Visitor, roster: Roster) -> None:
    page = phone.sign_in(roster.teacher).open(roster.address())
    page.route("**/admin/roster/", lambda route: route.abort() if route.request.method == "POST" else route.continue_())
    taps = Taps(page)
    taps.button("All present")
    taps.button("Save")
    expect(page.locator("#waiting")).to_be_visible()

    page.unroute("**/admin/roster/")
    phone.open("/admin/course/")

    roster.comes_to(CLASS, page)
    expect(page.locator("#waiting")).to_be_hidden()


def test_an_ended_session_is_begun_anew_on_the_spot_and_nothing_is_lost(phone: Visitor, roster: Roster) -> None:
    page = phone.sign_in(roster.teacher).open(roster.address())
    taps = Taps(page)
    taps.button("All present")

    page.context.clear_cookies()
    taps.button("Save")
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Password").fill(PASSWORD)
    dialog.get_by_role("button", name="Sign in").click()

    _saved(page)
    assert len(roster.rows()) == CLASS


def _sign_out(page: Page) -> None:
    page.locator(".user-button").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page).to_have_url(re.compile("/login"))


def test_who_signs_in_next_neither_sends_nor_sees_what_another_left_behind(phone: Visitor, roster: Roster) -> None:
    page = phone.sign_in(roster.teacher).open(roster.address())
    _kept(page)
    page.route("**/admin/roster/", lambda route: route.abort() if route.request.method == "POST" else route.continue_())
    taps = Taps(page)
    taps.button("All present")
    taps.button("Save")
    expect(page.locator("#waiting")).to_be_visible()
    _sign_out(page)

    assert page.evaluate("async () => (await caches.keys()).filter((name) => name.startsWith('roster-'))") == []
    assert page.evaluate("async () => (await navigator.serviceWorker.getRegistrations()).length") == 0
    page.unroute("**/admin/roster/")  # The network is back when somebody else is here.

    phone.sign_in("secretary").open("/admin/course/")
    expect(page.locator("h1")).to_be_visible()
    page.wait_for_load_state("networkidle")
    expect(page.locator("#waiting")).to_be_hidden()
    assert roster.rows() == []

    _sign_out(page)
    phone.sign_in(roster.teacher)
    roster.comes_to(CLASS, page)
    expect(page.locator("#waiting")).to_be_hidden()


def test_two_tablets_on_one_class_lose_no_row(phone: Visitor, tablet: Visitor, roster: Roster) -> None:
    first = phone.sign_in(roster.teacher).open(roster.address())
    second = tablet.sign_in("admin").open(roster.address())
    for page, absent in ((first, 2), (second, 7)):
        taps = Taps(page)
        taps.button("All present")
        taps.status(absent, "Absent")
        taps.button("Save")
        _saved(page) if page is first else None

    clash = second.locator(".clash")
    expect(clash.locator("li")).to_have_count(2)
    assert len(roster.rows()) == CLASS
    assert [row[2] for row in roster.rows()].count("Absent") == 1
    clash.locator("li").first.get_by_role("button", name="Take theirs").tap()
    clash.locator("li").first.get_by_role("button", name="Keep mine").tap()

    expect(clash).to_have_count(0)
    expect(second.locator(".choice[data-saved=Absent]")).to_have_count(2)
    assert len(roster.rows()) == CLASS
    assert [row[2] for row in roster.rows()].count("Absent") == 2
    first.reload()
    expect(first.locator(".choice[data-saved=Absent]")).to_have_count(2)
    assert phone.complaints == tablet.complaints == []


def test_a_class_not_taken_is_one_tap_from_its_roster(desk: Visitor, roster: Roster) -> None:
    page = desk.sign_in("admin").open("/admin/roster/")

    page.locator(".class-doors a", has_text="8").first.click()

    assert "course" in parse_qs(urlsplit(page.url).query)
    expect(page.locator(".pupil").first).to_be_visible()
    for view in ("Week", "Month"):
        page.get_by_role("link", name=view, exact=True).click()
        expect(page.locator(".register tbody tr").first).to_be_visible()
    desk.open("/admin/missing/")
    expect(page.locator("h1")).to_have_text("Who is missing")
    assert desk.complaints == []
