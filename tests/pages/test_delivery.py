"""How pages and files travel: files once, under an address of their contents; text compressed."""

import gzip
import re
from pathlib import Path

import pytest
from flask import Flask

from fsms.config import ROOT
from fsms.web_delivery import version_of
from tests.browser import PageClient

PACKED = {"Accept-Encoding": "gzip, deflate, br"}
FILES = sorted(path for path in (ROOT / "static").rglob("*") if path.is_file())


def address_of(client: PageClient, name: str) -> str:
    """Find a file's address in a page."""
    found = re.search(rf'"(/static/[^"]*{re.escape(name)})', client.get("/login").source)
    assert found
    return found[1]


def test_a_file_is_kept_for_a_year_by_browsers_and_proxies(visitor: PageClient) -> None:
    answer = visitor.web.get(address_of(visitor, "css/school.css"))

    kept = answer.headers["Cache-Control"]
    assert set(kept.split(", ")) == {"public", "max-age=31536000", "immutable"}
    assert "Set-Cookie" not in answer.headers
    assert "Cookie" not in answer.headers.get("Vary", "")


def test_its_address_changes_with_the_contents_of_any_file(tmp_path: Path) -> None:
    script, picture = tmp_path / "a.js", tmp_path / "deep" / "b.svg"
    picture.parent.mkdir()
    script.write_text("let a")
    picture.write_text("<svg/>")
    before = version_of(tmp_path)
    assert version_of(tmp_path) == before

    picture.write_text("<svg></svg>")
    after = version_of(tmp_path)
    picture.rename(tmp_path / "b.svg")

    assert len({before, after, version_of(tmp_path)}) == 3


def test_every_file_lies_under_the_one_version(app: Flask, visitor: PageClient) -> None:
    version = version_of(ROOT / "static")

    for path in FILES:
        address = f"/static/{version}/{path.relative_to(ROOT / 'static')}"
        assert visitor.web.get(address, headers=PACKED).status_code == 200, address
    assert visitor.web.get("/static/css/school.css").status_code != 200
    assert visitor.web.get("/static/0123456789abcdef/css/school.css").status_code != 200


@pytest.mark.parametrize("name", ["css/school.css", "js/nav.js", "favicon.svg"])
def test_a_file_of_text_travels_packed(visitor: PageClient, name: str) -> None:
    address = address_of(visitor, name)

    plain, packed = visitor.web.get(address), visitor.web.get(address, headers=PACKED)

    assert "Content-Encoding" not in plain.headers
    assert plain.data == (ROOT / "static" / name).read_bytes()
    assert "Accept-Encoding" in packed.headers["Vary"]
    if len(plain.data) >= 500:
        assert packed.headers["Content-Encoding"] == "gzip"
        assert gzip.decompress(packed.data) == plain.data
        assert int(packed.headers["Content-Length"]) == len(packed.data) < len(plain.data)


def test_a_font_is_packed_already(visitor: PageClient) -> None:
    font = next(path for path in FILES if path.suffix == ".woff2").relative_to(ROOT / "static")
    base = address_of(visitor, "css/school.css").removesuffix("css/school.css")

    assert "Content-Encoding" not in visitor.web.get(f"{base}{font}", headers=PACKED).headers


def test_a_page_travels_packed_and_is_kept_by_nobody(admin: PageClient) -> None:
    answer = admin.web.get("/admin/student/", headers=PACKED)

    assert answer.headers["Content-Encoding"] == "gzip"
    assert answer.headers["Cache-Control"] == "no-store"
    assert b"</html>" in gzip.decompress(answer.data)


def test_the_length_of_a_packed_page_gives_nothing_away(visitor: PageClient) -> None:
    lengths = {len(visitor.web.get("/healthz?" + "x" * 10, headers=PACKED).data) for _ in range(3)}
    assert len(lengths) == 1  # short answers are not packed

    lengths = {len(visitor.web.get("/login", headers=PACKED).data) for _ in range(20)}
    assert max(lengths) - min(lengths) > 10


@pytest.mark.parametrize("accepted", ["", "br", "identity", "gzip;q=0"])
def test_who_cannot_unpack_gets_it_plain(admin: PageClient, accepted: str) -> None:
    answer = admin.web.get("/admin/student/", headers={"Accept-Encoding": accepted})

    assert "Content-Encoding" not in answer.headers
    assert b"</html>" in answer.data


def test_a_part_of_a_file_is_a_part_of_the_plain_one(visitor: PageClient) -> None:
    address = address_of(visitor, "css/school.css")

    answer = visitor.web.get(address, headers=PACKED | {"Range": "bytes=0-9"})

    assert answer.status_code == 206
    assert answer.data == (ROOT / "static/css/school.css").read_bytes()[:10]


def test_a_file_that_has_not_changed_is_not_sent_again(visitor: PageClient) -> None:
    address = address_of(visitor, "css/school.css")
    etag = visitor.web.get(address, headers=PACKED).headers["ETag"]

    answer = visitor.web.get(address, headers=PACKED | {"If-None-Match": etag})

    assert answer.status_code == 304
    assert "immutable" in answer.headers["Cache-Control"]
