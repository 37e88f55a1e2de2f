"""What is looked at on an open page: for readers of all kinds, fingers, keyboards and small screens."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
FINGER = 44
MOST_OPTIONS = 200
ROUNDS = 3  # a page that is still at work when the walk begins may add stops behind it


@cache
def _script(name: str) -> str:
    return (Path(__file__).parent / name).read_text()


def _ask(page: Page, question: str, *told: object) -> Any:
    """Ask looking.js, which a page knows as `looking` from the first question on."""
    if not page.evaluate("() => 'looking' in window"):
        page.evaluate(_script("looking.js"))
    return page.evaluate(f"(told) => looking.{question}(...told)", list(told))


def violations(page: Page, *rules: str) -> Iterator[str]:
    """Ask axe-core for what breaks WCAG 2.2 A and AA; with rules, for these alone."""
    if not page.evaluate("() => 'axe' in window"):
        page.evaluate(_script("vendor/axe.min.js"))
    only = {"type": "rule", "values": list(rules)} if rules else {"type": "tag", "values": WCAG}
    found = page.evaluate("(only) => axe.run(document, { runOnly: only, resultTypes: ['violations'] })", only)
    for rule in found["violations"]:
        for node in rule["nodes"][:5]:
            why = " ".join((node.get("failureSummary") or "").split())
            yield f"{rule['id']}: {' '.join(node['target'])}: {node['html'][:160]} – {why[:300]}"


def too_many_options(page: Page) -> Iterator[str]:
    """A list of hundreds to scroll through is no choice, and makes the page heavy."""
    count = page.locator("option").count()
    if count > MOST_OPTIONS:
        yield f"{count} options on one page"


def sideways(page: Page) -> Iterator[str]:
    """The page itself must not scroll sideways; a table within it may."""
    yield from _ask(page, "sideways")


def small_targets(page: Page) -> Iterator[str]:
    """Whatever is tapped is large enough for a finger; links within a sentence are exempt, as WCAG has it."""
    yield from _ask(page, "smallTargets", FINGER)


def out_of_keyboards_reach(page: Page) -> Iterator[str]:
    """Walk through the page with Tab: everything is reached, and one sees where one is."""
    stops: int = _ask(page, "listenToFocus")
    told: list[str] = []
    for _round in range(ROUNDS):
        for _ in range(stops + stops // 3 + 10):  # some controls get stops of their own while one is in them
            page.keyboard.press("Tab")
        told = _ask(page, "whatFocusTold")
        if not told:
            break
    yield from told
