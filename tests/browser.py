"""A browser without a window: it opens pages, fills in forms, and refuses a page that is badly made."""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cached_property
from itertools import chain, count
from typing import Any
from xml.etree.ElementTree import Element

import html5lib
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.datastructures import Headers, MultiDict
from werkzeug.test import TestResponse

SPOKEN_TO = {"input", "select", "textarea"}
UNLABELLED = {"hidden", "submit", "button", "image", "reset"}
UNSEEN = {"script", "style", "template", "title", "head", "dialog"}

_addresses = count(1)


@dataclass(frozen=True)
class Page:
    """What came back: its status and, where it is HTML, what a person reads and can fill in."""

    response: TestResponse

    def __post_init__(self) -> None:
        """Hold a page of HTML to the rules of every page."""
        if self.is_html:
            faults = [*faults_of(self.document, self.response.headers.get("Content-Security-Policy", ""))]
            assert not faults, f"{self.path} is badly made:\n" + "\n".join(faults)

    @property
    def is_html(self) -> bool:
        """Say whether it is a page to read."""
        return self.response.mimetype == "text/html" and not 300 <= self.status < 400

    @property
    def status(self) -> int:
        """The status code."""
        return self.response.status_code

    @property
    def path(self) -> str:
        """The path of the page, with its arguments."""
        request = self.response.request
        query = request.query_string.decode()
        return f"{request.path}?{query}" if query else request.path

    @property
    def headers(self) -> Headers:
        """The headers of the answer."""
        return self.response.headers

    @property
    def json(self) -> Any:
        """The answer, read as JSON."""
        return self.response.get_json()

    @cached_property
    def source(self) -> str:
        """The answer as it was sent."""
        return self.response.get_data(as_text=True)

    @cached_property
    def document(self) -> Element:
        """The page as a browser understands it."""
        parser = html5lib.HTMLParser(html5lib.getTreeBuilder("etree"), namespaceHTMLElements=False)
        document: Element = parser.parse(self.source)
        errors = [f"{code} at {position} {facts}" for position, code, facts in parser.errors]
        assert not errors, f"{self.path} is not HTML:\n" + "\n".join(errors)
        return document

    # ---- What a person reads ---------------------------------------------------------------------------------------

    @cached_property
    def text(self) -> str:
        """Everything that can be read, its spaces single."""
        return _text(self.document)

    @property
    def title(self) -> str:
        """The heading of the page."""
        return _text(one(self.document.iter("h1")))

    @property
    def flashes(self) -> list[str]:
        """The messages above the page, without what can be done about them."""
        boxes = (
            box
            for box in self.find("div", "alert")
            if "error-summary" not in _classes(box) and box.get("hidden") is None
        )
        return [_text(one(box.iter("span"))) for box in boxes]

    @property
    def errors(self) -> dict[str, str]:
        """What is wrong, by the name of the field it stands at."""
        return {
            (box.get("id") or "").removesuffix("-error"): _text(box) for box in self.find("div", "invalid-feedback")
        }

    @property
    def rows(self) -> list[dict[str, str]]:
        """The rows of the list, each cell by the heading of its column."""
        rows = []
        for table in self.find("table", "list"):
            headings = [_text(cell) for cell in one(table.iter("thead")).iter("th")]
            for row in one(table.iter("tbody")):
                cells = [_text(cell) for cell in row if not {"pick", "row-actions"} & set(_classes(cell))]
                rows.append(dict(zip(headings, cells, strict=True)))
        return rows

    def column(self, heading: str) -> list[str]:
        """One column of the list, from the top."""
        return [row[heading] for row in self.rows]

    @property
    def facts(self) -> dict[str, str]:
        """The details of a record: what each label says."""
        return {
            _text(one(pair.iter("dt"))): _text(one(pair.iter("dd")))
            for facts in self.find("dl", "facts")
            for pair in facts
        }

    def find(self, tag: str, css_class: str | None = None) -> Iterator[Element]:
        """Find the elements of a kind, templates left out."""
        for element in seen(self.document):
            if element.tag == tag and (css_class is None or css_class in _classes(element)):
                yield element

    # ---- What a person fills in ------------------------------------------------------------------------------------

    def form(self, named: str | None = None) -> "FormOnPage":
        """Find a form by its id or the path it is sent to; without a name, the form of the record on the page."""
        forms = [form for form in self.find("form") if self._is_called(form, named)]
        assert len(forms) == 1, f"{self.path} has {len(forms)} forms called {named or 'admin-form'}"
        return FormOnPage(self, forms[0])

    def _is_called(self, form: Element, named: str | None) -> bool:
        if named is None:
            return "admin-form" in _classes(form)
        return named in {form.get("id"), (form.get("action") or self.path).partition("?")[0]}

    def field(self, name: str) -> str | None:
        """What stands in a field of the record's form as it would be sent; None for a box that is not ticked."""
        return self.form().values.get(name)

    def control(self, name: str) -> Element:
        """Find the input, select or text area of that name."""
        return one(e for e in seen(self.document) if e.tag in SPOKEN_TO and e.get("name") == name)

    def options(self, name: str) -> list[str]:
        """What may be chosen in a select, as it is shown."""
        return [_text(option) for option in self.control(name).iter("option")]

    def chosen(self, name: str) -> str:
        """What is shown as chosen in a select."""
        return next((_text(o) for o in self.control(name).iter("option") if o.get("selected") is not None), "")


@dataclass(frozen=True)
class FormOnPage:
    """A form, and what a browser would send of it."""

    page: Page
    element: Element

    @property
    def action(self) -> str:
        """Where it is sent."""
        return self.element.get("action") or self.page.path

    @cached_property
    def values(self) -> MultiDict[str, str]:
        """What would be sent as the form stands, without a button."""
        sent: MultiDict[str, str] = MultiDict()
        for control in self._controls():
            for value in _sent(control):
                sent.add(control.get("name") or "", value)
        return sent

    def filled(self, typed: Mapping[str, Any]) -> MultiDict[str, Any]:
        """What would be sent after typing; None leaves a field out, True and False tick a box, a list sends several."""
        unknown = [name for name in typed if not self._has(name)]
        assert not unknown, f"{self.page.path} has no field {unknown}; it has {sorted(self._names)}"
        sent: MultiDict[str, Any] = self.values.copy()
        for name, value in typed.items():
            sent.poplist(name)
            for item in value if isinstance(value, list) else [value]:
                if item is not None and item is not False:
                    sent.add(name, "on" if item is True else item if isinstance(item, tuple) else str(item))
        return sent

    def _controls(self) -> Iterator[Element]:
        inside = set(self.element.iter()) & set(seen(self.page.document))
        for element in seen(self.page.document):
            if element.tag not in SPOKEN_TO or not element.get("name") or element.get("disabled") is not None:
                continue
            owner = element.get("form")
            if element in inside if owner is None else owner == self.element.get("id"):
                yield element

    @cached_property
    def _names(self) -> set[str]:
        buttons = {e.get("name") or "" for e in seen(self.page.document) if e.tag == "button"}
        return {control.get("name") or "" for control in self._controls()} | buttons

    def _has(self, name: str) -> bool:
        """Say whether there is such a field, or a row can be added that has it."""
        if name in self._names:
            return True
        rows, _, wanted = re.sub(r"-\d+-", "/", name).partition("/")
        templates = (box.iter("template") for box in self.element.iter("div") if box.get("id") == rows)
        return any(e.get("name") == wanted for template in chain.from_iterable(templates) for e in template.iter())


class _WholeAnswers(FlaskClient):
    """A client that reads every answer to its end and lets it go, as browsers do."""

    def open(self, *args: Any, buffered: bool = True, **options: Any) -> TestResponse:
        return super().open(*args, buffered=buffered, **options)


@dataclass
class PageClient:
    """One person's browser. `user` is the account it is signed in with."""

    app: Flask
    before_each: Callable[[], None] = lambda: None
    user: Any = None
    csrf_token: str = ""

    def __post_init__(self) -> None:
        """Give each browser its cookies and an address of its own."""
        self._page: Page | None = None
        number = next(_addresses)
        self.web = _WholeAnswers(self.app, self.app.response_class)
        self.web.environ_base["REMOTE_ADDR"] = f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"

    @property
    def page(self) -> Page:
        """The page that is open."""
        assert self._page, "no page is open"
        return self._page

    def get(self, path: str, *, follow: bool = True, **options: Any) -> Page:
        """Open an address."""
        return self._arrived(lambda: self.web.get(path, follow_redirects=follow, **options))

    def post(self, path: str, form: Mapping[str, Any] | None = None, *, follow: bool = True, **options: Any) -> Page:
        """Send a form that no page offered; only the token of the session is added."""
        if not self.csrf_token:
            self.get("/login")
        sent = {"csrf_token": self.csrf_token, **(form or {})}
        return self._arrived(lambda: self.web.post(path, data=sent, follow_redirects=follow, **options))

    def submit(
        self, form: str | None = None, typed: Mapping[str, Any] | None = None, *, follow: bool = True, **more: Any
    ) -> Page:
        """Fill in a form of the open page and send it, as a person would."""
        on_page = self.page.form(form)
        sent = on_page.filled({**(typed or {}), **more})
        kind = on_page.element.get("enctype")
        return self._arrived(
            lambda: self.web.post(on_page.action, data=sent, follow_redirects=follow, content_type=kind)
        )

    def sign_in(self, username: str, password: str, *, follow: bool = True) -> Page:
        """Go through the front door."""
        self.get("/login")
        entered = self.submit("/login", username=username, password=password, follow=follow)
        if not follow:
            self.csrf_token = ""  # that of the visitor's session; the next page brings a new one
        return entered

    def _arrived(self, send: Callable[[], TestResponse]) -> Page:
        self.before_each()
        answer = send()
        answer.request.environ["wsgi.input"].close()  # a large upload has been a file on the disk
        self._page = page = Page(answer)
        if page.is_html:
            head = next(e for e in page.find("meta") if e.get("name") == "csrf-token")
            self.csrf_token = head.get("content") or ""
        return page


Browser = Callable[[], PageClient]
"""The fixture `browser`: opens another browser."""
Queries = Callable[[], AbstractContextManager[list[str]]]
"""The fixture `queries`: collects SQL."""
SameQueries = Callable[[Callable[[], object], Callable[[], object]], None]
"""The fixture `same_queries`: a call, and what doubles the rows."""


def faults_of(document: Element, policy: str) -> Iterator[str]:
    """Say what is wrong with a page: for a screen reader, for the content security policy, for forged requests."""
    if not document.get("lang"):
        yield "html has no lang"
    headings = [_text(e) for e in document.iter("h1")]
    title = _text(one(document.iter("title")))
    if len(headings) != 1:
        yield f"{len(headings)} h1: {headings}"
    elif not headings[0] or not title.startswith(headings[0]):
        yield f"the title “{title}” does not begin with the h1 “{headings[0]}”"
    ids = Counter(e.get("id") for e in seen(document) if e.get("id"))
    yield from (f"id {name} stands {times} times" for name, times in ids.items() if times > 1)
    yield from _inline_code(document, policy)
    yield from _unguarded_forms(document)
    yield from _unlabelled(document)


def _inline_code(document: Element, policy: str) -> Iterator[str]:
    for element in _elements(document):
        for name, value in element.attrib.items():
            if name.startswith("on") or name == "style":
                yield f"{element.tag} has {name}={value}"
            if value.strip().lower().startswith(("javascript:", "vbscript:")):
                yield f"{element.tag} has {name}={value}"
        # Facts for a script are not carried out, so no policy asks them for a nonce.
        is_code = element.tag in {"script", "style"} and element.get("type") != "application/json"
        if is_code and f"'nonce-{element.get('nonce')}'" not in policy:
            yield f"{element.tag} {element.get('src') or element.get('id')} has not the page’s nonce"


def _unguarded_forms(document: Element) -> Iterator[str]:
    for form in document.iter("form"):
        names = {e.get("name") for e in form.iter("input")}
        if (form.get("method") or "get").lower() == "post" and "csrf_token" not in names:
            yield f"form {form.get('action')} has no csrf_token"


def _unlabelled(document: Element) -> Iterator[str]:
    pointed_at = {e.get("for") for e in document.iter("label")}
    wrapped = {e for label in document.iter("label") for e in label.iter()}
    for element in _elements(document):
        if element.tag not in SPOKEN_TO or element.get("type") in UNLABELLED:
            continue
        named = element.get("aria-label") or element.get("aria-labelledby")
        if not named and element not in wrapped and element.get("id") not in pointed_at:
            yield f"{element.tag} {element.get('name') or element.get('id')} has no label"


def one(found: Iterator[Element]) -> Element:
    """Take the only one."""
    elements = list(found)
    assert len(elements) == 1, f"{len(elements)} elements instead of one"
    return elements[0]


def seen(element: Element) -> Iterator[Element]:
    """Walk through what is on the page; a template is not, until a script copies it."""
    if element.tag == "template" or not isinstance(element.tag, str):
        return
    yield element
    for child in element:
        yield from seen(child)


def _elements(document: Element) -> Iterator[Element]:
    return (element for element in document.iter() if isinstance(element.tag, str))


def _classes(element: Element) -> list[str]:
    return (element.get("class") or "").split()


def _text(element: Element) -> str:
    return " ".join("".join(_pieces(element)).split())


def _pieces(element: Element) -> Iterator[str]:
    yield element.text or ""
    for child in element:
        if isinstance(child.tag, str) and child.tag not in UNSEEN:
            # Two cells or two paragraphs are not one word.
            between = "" if child.tag in {"span", "a", "b", "small", "use", "svg", "code"} else " "
            yield between
            yield from _pieces(child)
            yield between
        yield child.tail or ""


def _sent(control: Element) -> Iterator[str]:
    kind = (control.get("type") or "text").lower()
    if control.tag == "textarea":
        yield (control.text or "").removeprefix("\n")
    elif control.tag == "select":
        options = list(control.iter("option"))
        several = control.get("multiple") is not None
        chosen = [o for o in options if o.get("selected") is not None] or ([] if several else options[:1])
        for option in chosen:
            value = option.get("value")
            yield _text(option) if value is None else value
    elif kind in {"checkbox", "radio"}:
        if control.get("checked") is not None:
            yield control.get("value") or "on"
    elif kind not in {"submit", "button", "image", "reset", "file"}:
        yield control.get("value") or ""
