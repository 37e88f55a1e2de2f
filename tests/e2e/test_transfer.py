"""How much travels: the budget of a list page, in bytes as they come over the wire."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page

from tests.e2e.conftest import Visitor

pytestmark = pytest.mark.e2e

FIRST_VISIT = 250_000
LATER = 40_000


def _wire(page: Page) -> Callable[[], int]:
    """Count what arrives from now on, with its headers."""
    arrived: list[int] = []
    devtools = page.context.new_cdp_session(page)
    devtools.send("Network.enable")
    devtools.send("Network.clearBrowserCache")
    devtools.on("Network.loadingFinished", lambda told: arrived.append(int(told["encodedDataLength"])))

    def so_far() -> int:
        page.wait_for_load_state("networkidle")
        counted = sum(arrived)
        arrived.clear()
        return counted

    return so_far


@pytest.mark.parametrize("language", ["en", "km"])
def test_the_list_of_pupils_is_light(request: pytest.FixtureRequest, desk: Visitor, language: str) -> None:
    desk.sign_in("secretary").speak(language)
    request.addfinalizer(lambda: desk.speak("en"))  # the account remembers, and the next test speaks English
    arrived = _wire(desk.page)

    desk.open("/admin/student/")
    first = arrived()
    desk.open("/admin/student/")
    second = arrived()
    desk.open("/admin/guardian/")
    another = arrived()

    told = f"pupils: {first:,} bytes, then {second:,}; guardians after that: {another:,}"
    assert 10_000 < first < FIRST_VISIT, told
    assert second < LATER, told
    assert another < LATER, told
