"""How answers travel: files under an address that changes with what is in them, and text compressed.

The school's network is slow and its telephones are small, so a file is sent once and kept for a year
(docs/decisions/static-files.md).
"""

import gzip
import hashlib
import io
import secrets
from datetime import timedelta
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from flask import Flask, Response, request, url_for

YEAR = timedelta(days=365)
COMPRESSED = frozenset(
    {"application/javascript", "application/json", "application/manifest+json", "image/svg+xml", "text/css"}
    | {"text/html", "text/javascript", "text/plain"}
)
SMALLEST = 500  # bytes: less fits into one packet anyway


def version_of(folder: Path) -> str:
    """Name the contents of a folder: another byte in any file, another name."""
    told = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        told.update(f"{path.relative_to(folder)}\0{path.stat().st_size}\0".encode())
        told.update(path.read_bytes())
    return told.hexdigest()[:16]


def install(app: Flask) -> None:
    """Let browsers keep the files of `static`, and compress what is text."""
    app.config["SEND_FILE_MAX_AGE_DEFAULT"] = YEAR
    app.jinja_env.globals["url_for"] = _address_of
    app.after_request(_compress)
    app.after_request(_let_files_be_kept)


def _address_of(endpoint: str, **values: Any) -> str:
    """Give an address to a template; that of a file, of which every page names a dozen, is worked out once."""
    if endpoint == "static" and values.keys() == {"filename"}:
        return _address_of_file(request.root_path, values["filename"])
    return url_for(endpoint, **values)


@cache
def _address_of_file(_where_the_application_stands: str, filename: str) -> str:
    return url_for("static", filename=filename)


def _let_files_be_kept(response: Response) -> Response:
    if request.endpoint == "static" and response.status_code in {200, 304}:
        response.cache_control.public = True
        response.cache_control.max_age = int(YEAR.total_seconds())
        response.cache_control.immutable = True
    return response


def _compress(response: Response) -> Response:
    if response.status_code != 200 or response.mimetype not in COMPRESSED or "Content-Encoding" in response.headers:
        return response
    is_file = request.endpoint == "static"
    if response.is_streamed and not is_file:
        return response  # an export of any size, which must not be held in memory
    if "Vary" in response.headers:
        response.vary.add("Accept-Encoding")
    else:
        response.headers["Vary"] = "Accept-Encoding"
    if not request.accept_encodings.quality("gzip") or request.headers.get("Range"):
        return response
    response.direct_passthrough = False
    plain = response.get_data()
    if len(plain) >= SMALLEST:
        response.set_data(_packed_once(plain) if is_file else _packed(plain))
        response.headers["Content-Encoding"] = "gzip"
        if is_file:
            del response.headers["Accept-Ranges"]
    return response


@lru_cache(maxsize=256)
def _packed_once(plain: bytes) -> bytes:
    return gzip.compress(plain, 9, mtime=0)


def _packed(plain: bytes) -> bytes:
    """Compress a page, with a name of random length in the header of the format.

    Whoever could make somebody else's browser open pages with chosen words in them, and saw their length on the wire,
    would learn from it what else the page holds.
    """
    sent = io.BytesIO()
    with gzip.GzipFile("x" * secrets.randbelow(64), "wb", 5, sent, mtime=0) as packing:
        packing.write(plain)
    return sent.getvalue()
