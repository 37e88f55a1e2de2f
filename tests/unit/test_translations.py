"""The Khmer catalogues: complete, well formed, and compiled."""

import io
import os
import re
import unicodedata
from pathlib import Path

import pytest
import wtforms
from babel.messages import Catalog, Message
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.frontend import parse_keywords, parse_mapping_cfg
from babel.messages.mofile import read_mo, write_mo
from babel.messages.pofile import read_po

from fsms.config import ROOT

KHMER = ROOT / "translations" / "km" / "LC_MESSAGES"
DOMAINS = ("messages", "admin", "wtforms")
PLACEHOLDER = re.compile(r"%(?:\(\w+\))?[a-z]|\{\w*\}")
UNSEEN = re.compile("[\u00ad\u200b-\u200f\u2060\ufeff]")

Words = str | list[str] | tuple[str, ...]


def _read(domain: str) -> Catalog:
    with (KHMER / f"{domain}.po").open("rb") as file:
        return read_po(file, locale="km", domain=domain, abort_invalid=True)


def _entries(domain: str) -> list[Message]:
    return [message for message in _read(domain) if message.id]


def _forms(words: Words | None) -> list[str]:
    return [words] if isinstance(words, str) else list(words or ())


def _meanings(compiled: bytes) -> dict[str | tuple[str, ...], list[str]]:
    return {
        message.id if isinstance(message.id, str) else tuple(message.id): _forms(message.string)
        for message in read_mo(io.BytesIO(compiled))
        if message.id
    }


def _is_ours(folder: str | os.PathLike[str]) -> bool:
    return Path(folder).relative_to(ROOT).parts[0] in {"fsms", "templates"}


def _gathered() -> set[str]:
    """What `make translate` gathers; of a sentence with a plural, the singular."""
    with (ROOT / "babel.cfg").open() as file:
        methods, options = parse_mapping_cfg(file, "babel.cfg")  # type: ignore[no-untyped-call]
    marks = re.search(r"^KEYWORDS = (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert marks
    keywords = {**DEFAULT_KEYWORDS, **parse_keywords(marks[1].split())}
    found = extract_from_dir(ROOT, methods, options, keywords, directory_filter=_is_ours)
    return {_forms(words)[0] for _file, _line, words, _comments, _context in found}


def test_every_sentence_of_the_screens_speaks_khmer() -> None:
    gathered = _gathered()
    said = {_forms(entry.id)[0] for entry in _entries("messages") if not entry.fuzzy and all(_forms(entry.string))}

    assert len(gathered) > 400
    assert sorted(gathered - said) == [], "run `make translate` and write what is missing"


def test_all_that_wtforms_can_say_it_says_in_khmer() -> None:
    (package,) = wtforms.__path__
    found = extract_from_dir(package, keywords=DEFAULT_KEYWORDS)
    said = {_forms(words)[0] for _file, _line, words, _comments, _context in found}

    assert {_forms(entry.id)[0] for entry in _entries("wtforms")} == said


@pytest.mark.parametrize("domain", DOMAINS)
def test_no_entry_is_empty_or_guessed(domain: str) -> None:
    entries = _entries(domain)

    assert entries
    assert [entry.id for entry in entries if entry.fuzzy or not entry.string or not all(_forms(entry.string))] == []


@pytest.mark.parametrize("domain", DOMAINS)
def test_what_is_filled_in_is_the_same_in_both_languages(domain: str) -> None:
    different = [
        entry.id
        for entry in _entries(domain)
        for form in _forms(entry.string)
        if set(PLACEHOLDER.findall(form)) != set(PLACEHOLDER.findall(_forms(entry.id)[-1]))
    ]

    assert different == []


@pytest.mark.parametrize("domain", DOMAINS)
def test_khmer_is_written_the_way_the_school_keeps_it(domain: str) -> None:
    forms = [form for entry in _entries(domain) for form in _forms(entry.string)]

    assert [form for form in forms if UNSEEN.search(form)] == []
    assert [form for form in forms if unicodedata.normalize("NFC", form) != form or form.strip() != form] == []


@pytest.mark.parametrize("domain", DOMAINS)
def test_khmer_has_one_form_for_every_number(domain: str) -> None:
    assert _read(domain).plural_forms == "nplurals=1; plural=0;"


@pytest.mark.parametrize("domain", DOMAINS)
def test_what_is_compiled_is_what_is_written(domain: str) -> None:
    compiled = io.BytesIO()
    write_mo(compiled, _read(domain))

    assert _meanings((KHMER / f"{domain}.mo").read_bytes()) == _meanings(compiled.getvalue())
