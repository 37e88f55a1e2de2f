"""What the panel bears: requests a second from eight browsers at once, beside the same SQL from eight connections.

Two processes answer, as by default; whoever asks works on the same machine, so the figures are for comparing.
"""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, closing, contextmanager
from statistics import median, quantiles

import psycopg

from benchmarks import pages
from benchmarks.served import School, served

CONNECTIONS, WORKERS = 8, 2
LONGEST_SECONDS = 10
PAGES = {
    "attendance, first page": "/admin/attendance/",
    "pupils": "/admin/student/",
}


def report(url: str, runs: int) -> Iterator[str]:
    """Yield the lines of a Markdown table; a run of the other tables is worth a second here, up to ten."""
    seconds = min(runs, LONGEST_SECONDS)
    with pages.opened(url) as (browser, _database):
        statements = {name: pages.asked(browser, path) for name, path in PAGES.items()}
    yield f"{CONNECTIONS} connections for {seconds} s, {WORKERS} processes."
    yield ""
    yield "| page | requests a second | median, ms | 99 of 100 within, ms | errors | the same SQL a second | ratio |"
    yield "|---|---|---|---|---|---|---|"
    with served(url, workers=WORKERS) as school:
        for name, path in PAGES.items():
            took, errors = _borne(lambda path=path: _browser(school, path), seconds)  # type: ignore[misc]
            by_hand, _ = _borne(lambda name=name: _driver(url, statements[name]), seconds)  # type: ignore[misc]
            worst = quantiles(took, n=100)[-1] if len(took) > 1 else took[0]
            yield (
                f"| {name} | {len(took) / seconds:.0f} | {median(took) * 1000:.0f} | {worst * 1000:.0f} | {errors} "
                f"| {len(by_hand) / seconds:.0f} | {len(by_hand) / len(took):.1f} |"
            )


Asking = AbstractContextManager[Callable[[], bool]]
"""A connection, and what asks once on it; says whether all went well."""


def _borne(begin: Callable[[], Asking], seconds: float) -> tuple[list[float], int]:
    """Let everybody ask again and again; answers how long each took, and how many went wrong."""

    def ask_on() -> tuple[list[float], int]:
        took, errors = [], 0
        with begin() as ask:
            ask()
            until = time.perf_counter() + seconds
            while (began := time.perf_counter()) < until:
                errors += not ask()
                took.append(time.perf_counter() - began)
        return took, errors

    with ThreadPoolExecutor(CONNECTIONS) as pool:
        found = [one.result() for one in [pool.submit(ask_on) for _ in range(CONNECTIONS)]]
    return [each for took, _ in found for each in took], sum(errors for _, errors in found)


@contextmanager
def _browser(school: School, path: str) -> Iterator[Callable[[], bool]]:
    with closing(school.connection()) as connection:
        yield lambda: school.get(connection, path) == 200


@contextmanager
def _driver(url: str, statements: pages.Asked) -> Iterator[Callable[[], bool]]:
    with psycopg.connect(url, autocommit=True) as database:

        def ask() -> bool:
            with database.transaction(force_rollback=True):
                for statement, given in statements:
                    database.execute(statement, given).fetchall()
            return True

        yield ask
