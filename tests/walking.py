"""Finding every page of the panel by following its links: a new page is taken in by itself."""

import re
from collections import deque
from collections.abc import Callable, Iterator
from urllib.parse import parse_qsl, urljoin, urlsplit

import html5lib
from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map

# Answers that are no pages.
NO_PAGES = frozenset(
    {"static", "admin.static", "start", "logout", "photo", "healthz", "session_state", "login", "gradebook.cells"}
    | {"export_progress"}
)
NO_PAGE = re.compile(r"\.(export|ajax_lookup|ajax_update|action_view|delete_view|counts_view)$")
# What differs by these differs in what it shows, not in what it is made of: one page of each is enough.
SHOWN_DIFFERENTLY = frozenset(
    {"id", "url", "page", "sort", "desc", "page_size", "search", "batch", "key", "ids", "view"}
)

Opening = Callable[[str], str | None]
"""Opens an address and gives the source of the page; None where there is none for this reader."""


def endpoint_of(routes: Map, address: str) -> str | None:
    """Name the route of an address; None where it leads away or nowhere."""
    try:
        endpoint, _ = routes.bind("").match(urlsplit(address).path)
    except HTTPException:
        return None
    return str(endpoint)


def pages_of(routes: Map) -> set[str]:
    """Name what can be opened by GET and is a page."""
    found = {str(rule.endpoint) for rule in routes.iter_rules() if "GET" in (rule.methods or ())}
    return {endpoint for endpoint in found - NO_PAGES if not NO_PAGE.search(endpoint)}


def walk(routes: Map, opened: Opening, home: str) -> dict[str, list[str]]:
    """Follow all links from the first page and give, for each route, addresses that differ in what is on them."""
    pages = pages_of(routes)
    found: dict[str, list[str]] = {}
    seen: set[tuple[str, frozenset[str]]] = set()
    waiting = deque([home])
    while waiting:
        address = waiting.popleft()
        endpoint = endpoint_of(routes, address)
        if endpoint not in pages or (kind := _kind(endpoint, address)) in seen:
            continue
        if source := opened(address):
            seen.add(kind)
            found.setdefault(endpoint, []).append(address)
            waiting.extend(_links(source, address))
    return found


def _kind(endpoint: str, address: str) -> tuple[str, frozenset[str]]:
    """Tell pages of a route apart by what is asked of them: with a filter, say, or the tab of the history."""
    asked = {
        "filter" if name.startswith("flt") else name
        for name, _ in parse_qsl(urlsplit(address).query)
        if name not in SHOWN_DIFFERENTLY
    }
    return endpoint, frozenset(asked)


def _links(source: str, here: str) -> Iterator[str]:
    document = html5lib.parse(source, namespaceHTMLElements=False)
    for link in document.iter("a"):
        address = urljoin(here, link.get("href") or "")
        if urlsplit(address).netloc == urlsplit(here).netloc:
            yield address.partition("#")[0]
