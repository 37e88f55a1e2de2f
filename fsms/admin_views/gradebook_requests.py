"""Reading what the gradebook's page or its script sends: text into entries, and nothing else let through."""

import json
import uuid
from collections.abc import Mapping
from typing import Any

from flask import abort, request
from werkzeug.datastructures import MultiDict

from fsms import text
from fsms.admin_views.lookups import record_id
from fsms.operations.gradebook import Block, Entry, Filling, Place, Target

MOST_CELLS = 5_000
LONGEST_TEXT = 10_000  # The operation says what is too long for a mark or a comment; this is for nobody's hand.


class BadRequest(Exception):
    """Something that no page of ours sends."""


# ---- Cells ---------------------------------------------------------------------------------------------------------


def name_of(place: Place) -> str:
    """Call a cell as the form and the script call it."""
    return f"m.{place.student_id}.{place.subject_id}.{place.period}"


def place_of(name: str) -> Place | None:
    """Find the cell that a field of the form stands for; None for other fields."""
    parts = name.split(".")
    if len(parts) != 4 or parts[0] != "m":
        return None
    student_id, subject_id = record_id(parts[1]), record_id(parts[2])
    return Place(student_id, subject_id, parts[3]) if student_id and subject_id else None


def entries_of_form(form: MultiDict[str, str]) -> list[Entry]:
    """Read the cells of the form that differ from what it showed."""
    shown = _shown(form.get("shown", ""))
    entries = []
    for name, typed in form.items():
        place = place_of(name)
        was = shown.get(name, ["", "", ""])
        if place and text.clean(typed) != was[0]:
            entries.append(Entry(place, typed[:LONGEST_TEXT], comment=was[2], seen=was[1]))
    return entries


def _shown(written: str) -> dict[str, list[str]]:
    """Read what each filled cell held when the page was made: its text, its state and its comment."""
    try:
        shown = json.loads(written or "{}")
    except ValueError:
        abort(400)
    if not isinstance(shown, dict):
        abort(400)
    cells = {name: [part for part in parts[:3] if isinstance(part, str)] for name, parts in shown.items()}
    return {name: parts for name, parts in cells.items() if len(parts) == 3}


# ---- JSON ----------------------------------------------------------------------------------------------------------


def sent() -> dict[str, Any]:
    """Read the JSON of the request."""
    found = request.get_json(silent=True)
    return found if isinstance(found, dict) else abort(400)


def read_cells(found: Mapping[str, Any]) -> list[Entry]:
    """Read the cells that the script sends to be saved."""
    return [
        Entry(
            place=_place([cell.get("student"), cell.get("subject"), cell.get("period")]),
            typed=_text(cell.get("typed")),
            comment=_text(cell.get("comment", "")),
            seen=_text(cell.get("seen", "")),
            key=_key(cell.get("key")),
            only_if_empty=cell.get("only_if_empty") is True,
        )
        for cell in _list(found.get("cells"), dict)
    ]


def read_paste(found: Mapping[str, Any]) -> Block | Filling:
    """Read a copied block with the part of the sheet it falls on, or a value and the cells it is for."""
    if "value" in found:
        return Filling(_text(found["value"]), tuple(_place(parts) for parts in _list(found.get("places"), list)))
    return Block(
        copied=_text(found.get("copied"), longest=1_000_000),
        pupils=tuple(_number(one) for one in _list(found.get("pupils"), int)),
        columns=tuple(Target(*_column(parts)) for parts in _list(found.get("columns"), list)),
    )


def _list(found: Any, kind: type) -> list[Any]:
    if not isinstance(found, list) or len(found) > MOST_CELLS or not all(isinstance(one, kind) for one in found):
        raise BadRequest
    return found


def _place(parts: list[Any]) -> Place:
    if len(parts) != 3:
        raise BadRequest
    return Place(_number(parts[0]), *_column(parts[1:]))


def _column(parts: list[Any]) -> tuple[int, str]:
    if len(parts) != 2:
        raise BadRequest
    return _number(parts[0]), _text(parts[1])


def _number(found: Any) -> int:
    return record_id(found) or _bad()


def _text(found: Any, *, longest: int = LONGEST_TEXT) -> str:
    return found if isinstance(found, str) and len(found) <= longest else _bad()


def _key(found: Any) -> uuid.UUID | None:
    try:
        return None if found is None else uuid.UUID(_text(found))
    except ValueError:
        return _bad()


def _bad() -> Any:
    raise BadRequest
