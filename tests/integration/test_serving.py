"""The server as `make run` starts it: a process of its own, on its own data."""

import json
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.served import Served


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    served = Served(tmp_path_factory.mktemp("served"))
    try:
        served.wait_until_it_answers()
        yield served
    finally:
        if served.process.poll() is None:
            served.stop()


def test_a_first_start_prints_address_accounts_and_password(served: Served) -> None:
    printed = served.printed.read_text()

    assert f"http://127.0.0.1:{served.port}" in printed
    assert "admin" in printed
    assert "Password: " in printed


def test_the_sign_of_life_needs_no_account_and_readiness_asks_the_database(served: Served) -> None:
    assert served.get("/healthz") == (200, '{"status":"ok"}\n')

    status, answer = served.get("/healthz?ready")
    assert (status, json.loads(answer)["status"]) == (200, "ok")


def test_a_page_sends_strangers_to_the_sign_in(served: Served) -> None:
    status, _ = served.get("/admin/student/")

    assert status == 302


def test_a_stop_is_graceful_and_takes_the_embedded_database_along(tmp_path: Path) -> None:
    served = Served(tmp_path)
    served.wait_until_it_answers()
    family = psutil.Process(served.process.pid).children(recursive=True)
    databases = [one for one in psutil.process_iter(["name", "cwd"]) if _is_database_of(one, served)]
    assert databases

    assert served.stop() == 0

    assert not [one for one in [*family, *databases] if one.is_running() and one.status() != psutil.STATUS_ZOMBIE]


def _is_database_of(process: psutil.Process, served: Served) -> bool:
    return process.info["name"] == "postgres" and str(served.printed.parent) in (process.info["cwd"] or "")
