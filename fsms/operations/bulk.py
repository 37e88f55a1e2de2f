"""One act on many rows: all of them or none, and one deed in the log. Flushes; never commits."""

import hashlib
import uuid
from collections.abc import Callable, Collection, Sequence
from typing import TypeVar

from sqlalchemy import select

from fsms import activity
from fsms.activity import AnySession
from fsms.errors import SchoolError
from fsms.models import Base, Grade
from fsms.operations import locks

MOST = 5_000
"""More rows than this in one act would hold the others up too long; the largest school has as many pupils."""

Row = TypeVar("Row", bound=Base)


def _(sentence: str) -> str:
    """Mark a sentence for the translators; the screen translates it when it is shown."""
    return sentence


def seal(keys: Collection[int]) -> str:
    """Name a set of rows by what is in it, so that an act agreed to is done to these rows or asked about again."""
    written = ",".join(map(str, sorted(keys)))
    return hashlib.sha256(written.encode()).hexdigest()[:32]


def delete(session: AnySession, entity: type[Row], keys: Collection[int]) -> uuid.UUID:
    """Delete the rows, and name the deed by which they come back."""
    with activity.deed(session, "bulk_delete", _("Deleted %(count)s records at once"), count=len(keys)) as batch:
        for row in _held(session, entity, keys):
            session.delete(row)
    return batch


def change(
    session: AnySession, entity: type[Row], keys: Collection[int], changed: Callable[[Row], object]
) -> uuid.UUID:
    """Change the rows, and name the deed by which they become what they were."""
    with activity.deed(session, "bulk_change", _("Changed %(count)s records at once"), count=len(keys)) as batch:
        for row in _held(session, entity, keys):
            changed(row)
    return batch


def _held(session: AnySession, entity: type[Row], keys: Collection[int]) -> Sequence[Row]:
    """Read the rows and keep others from changing them; those that the actor may not change are not found."""
    key = entity.__mapper__.primary_key[0]
    rows = session.scalars(select(entity).where(key.in_(keys)).order_by(key).with_for_update(of=entity)).all()
    if missing := len(keys) - len(rows):
        if issubclass(entity, Grade):
            locks.refuse_locked_marks(session, keys)
        raise SchoolError(
            "%(missing)s of these records are gone, or are not yours to change. Nothing was changed.", missing=missing
        )
    return rows
