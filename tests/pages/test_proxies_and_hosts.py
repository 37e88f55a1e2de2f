"""What a proxy or a browser claims about itself is believed only as far as the settings say."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, request

from app import create_app
from fsms.config import Settings
from tests.database import migrated_template, scratch_database

CLAIMED = {"X-Forwarded-For": "203.0.113.7", "X-Forwarded-Proto": "https", "X-Forwarded-Host": "evil.example"}


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with scratch_database("proxies", migrated_template()) as url:
        yield url


@contextmanager
def _application(url: str, data_dir: Path, **settings: Any) -> Iterator[Flask]:
    app = create_app(Settings(database_url=url, secret_key="tests", data_dir=data_dir, bcrypt_cost=4, **settings))
    # A page of the test's own, open to everybody, that says what the application believes.
    app.view_functions["healthz"] = lambda: {"address": request.remote_addr, "host": request.host}
    yield app


def test_without_a_trusted_proxy_its_headers_are_only_words(url: str, tmp_path: Path) -> None:
    with _application(url, tmp_path) as app:
        seen = app.test_client().get("/healthz", headers=CLAIMED).json

    assert seen == {"address": "127.0.0.1", "host": "localhost"}


def test_one_trusted_proxy_is_believed_once(url: str, tmp_path: Path) -> None:
    forged = CLAIMED | {"X-Forwarded-For": "198.51.100.1, 203.0.113.7"}
    with _application(url, tmp_path, trusted_proxies=1) as app:
        seen = app.test_client().get("/healthz", headers=forged).json

    assert seen is not None
    assert seen["address"] == "203.0.113.7"


def test_a_host_nobody_named_is_refused(url: str, tmp_path: Path) -> None:
    with _application(url, tmp_path, trusted_hosts=("school.example",)) as app:
        client = app.test_client()

        assert client.get("/login", base_url="http://school.example").status_code == 200
        assert client.get("/login", base_url="http://evil.example").status_code == 400
