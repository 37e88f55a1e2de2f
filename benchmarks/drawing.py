"""How long a browser takes to draw a sheet of 45 pupils and 20 subjects. Starts a school and Chromium of its own.

    python -m benchmarks.drawing --runs 10 [--slower 3]

The sheet alone, put into the open page: from its HTML to its picture. Then the whole page, from its last byte to the
last change of the picture. Both by the browser's own clock, which stands still for nobody: other programs make them
longer. Beside them, the work of the page's main thread, which they do not touch; but a machine that is three times as
fast one day needs a third of both, so Chromium may be asked to slow the page down.
"""

import argparse
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

import psycopg
from playwright.sync_api import Page, sync_playwright

from fsms import embedded
from tests.e2e.conftest import DESK, PASSWORD, QUIET, Visitor
from tests.e2e.sheets import MONTH, Sheet, sheet_of_a_new_class
from tests.served import Served

PUPILS, SUBJECTS = 45, 20
PARTS = {"ScriptDuration", "RecalcStyleDuration", "LayoutDuration"}
FILL = """
    INSERT INTO "Grade" ("courseId", "studentId", "subjectId", "semesterId", "gradeDate", grade)
    SELECT %s, pupil, subject, %s, %s, (pupil * 7 + subject * 3) %% 101 / 10.0
    FROM unnest(%s::int[]) AS pupil, unnest(%s::int[]) AS subject
"""
# The page measures itself when its script has made the sheet and the next frame is drawn; whatever is painted later, a
# font, a figure, ends the drawing instead.
WATCH = """
    window.painted = [];
    for (const type of ["paint", "largest-contentful-paint", "layout-shift"])
        new PerformanceObserver((list) => {
            for (const entry of list.getEntries()) window.painted.push(entry.startTime);
        }).observe({ type, buffered: true });
"""
AGAIN = """
    async () => {
        const sheet = document.querySelector(".sheet"), box = sheet.parentNode, html = sheet.outerHTML;
        sheet.remove();
        await new Promise((next) => requestAnimationFrame(() => setTimeout(next, 50)));
        const began = performance.now();
        box.insertAdjacentHTML("afterbegin", html);
        // A message that is sent in a frame arrives when the frame is painted.
        await new Promise((painted) => requestAnimationFrame(() => {
            const { port1, port2 } = new MessageChannel();
            port1.onmessage = painted;
            port2.postMessage(0);
        }));
        return performance.now() - began;
    }
"""
DRAWN = "performance.getEntriesByName('gradebook:drawn')[0]?.duration"
TOOK = f"Math.max({DRAWN}, ...window.painted) - performance.getEntriesByType('navigation')[0].responseEnd"


def main() -> None:
    """Measure, and print a line for docs/performance.md."""
    asked = argparse.ArgumentParser(prog="python -m benchmarks.drawing")
    asked.add_argument("--runs", type=int, default=10)
    asked.add_argument("--slower", type=float, default=1, help="slow the main thread of the page down so many times")
    arguments = asked.parse_args()
    with _page() as (page, path):
        drawn = [_draw(page, path, arguments.slower) for _ in range(arguments.runs + 1)][1:]
    for what, column in zip(
        (
            "the sheet, from its HTML to its picture",
            "response end to last paint",
            "scripts, styles and layout, in thread time",
        ),
        zip(*drawn, strict=True),
        strict=True,
    ):
        sys.stdout.write(f"{what}: median {median(column):.0f} ms, {min(column):.0f} to {max(column):.0f}\n")
    sys.stdout.write(f"load of the machine, over a minute: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores\n")


def _draw(page: Page, path: str, slower: float) -> tuple[float, float, float]:
    devtools = page.context.new_cdp_session(page)
    devtools.send("Emulation.setCPUThrottlingRate", {"rate": slower})
    devtools.send("Performance.setTimeDomain", {"timeDomain": "threadTicks"})
    devtools.send("Performance.enable")
    before = _worked(devtools.send("Performance.getMetrics"))
    page.goto(path)
    while not page.evaluate(DRAWN):  # The page's own rules forbid to wait for an expression.
        page.wait_for_timeout(100)
    page.wait_for_timeout(500)  # A later paint, of a font or a figure, would still count.
    took: float = page.evaluate(TOOK)
    worked = _worked(devtools.send("Performance.getMetrics"))
    devtools.detach()
    sheet: float = page.evaluate(AGAIN)
    return sheet, took, (worked - before if worked > before else worked) * 1000


def _worked(metrics: dict[str, list[dict[str, float]]]) -> float:
    """Add up what the page itself costs: scripts, styles and layout."""
    return sum(metric["value"] for metric in metrics["metrics"] if str(metric["name"]) in PARTS)


@contextmanager
def _page() -> Iterator[tuple[Page, str]]:
    """Open a page of somebody who teaches a full class, in a school that goes when it is measured."""
    with tempfile.TemporaryDirectory() as place:
        served = Served(Path(place), FSMS_DEMO_PASSWORD=PASSWORD)
        try:
            served.wait_until_it_answers()
            share = embedded.share(served.data_dir)
            with psycopg.connect(share.url, autocommit=True) as database, sync_playwright() as playwright:
                sheet = sheet_of_a_new_class(database, pupils=PUPILS, subjects=SUBJECTS)
                _fill(sheet)
                browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=QUIET)
                page = browser.new_context(viewport=DESK).new_page()  # type: ignore[arg-type]
                page.add_init_script(WATCH)
                Visitor(page, served.address).sign_in("teacher1")
                yield page, served.address + sheet.path
                browser.close()
        finally:
            served.stop()


def _fill(sheet: Sheet) -> None:
    sheet.database.execute(FILL, [sheet.course, sheet.semester, MONTH, sheet.pupils, sheet.subjects])


if __name__ == "__main__":
    main()
