"""What each person chose about the screen, kept from one sign-in to the next. Flushes; never commits.

A preference belongs to the session's actor; the database shows it to nobody else. A value is whatever JSON can hold,
and the reader decides what an unknown one means: an older panel may have written it.
"""

from collections.abc import Iterable
from typing import Any, cast

from sqlalchemy import Table, delete, select
from sqlalchemy.dialects.postgresql import insert

from fsms.activity import AnySession
from fsms.office import Preference
from fsms.policy import actor_of

_PREFERENCES = cast(Table, Preference.__table__)


def read(session: AnySession, name: str, default: Any = None) -> Any:
    """Return what the session's actor chose, or the default where nothing is remembered."""
    return read_all(session, [name]).get(name, default)


def read_all(session: AnySession, names: Iterable[str]) -> dict[str, Any]:
    """Return what the session's actor chose of these, with one question to the database."""
    if (owner := _owner(session)) is None:
        return {}
    chosen = select(_PREFERENCES.c.name, _PREFERENCES.c.value).where(
        _PREFERENCES.c.userId == owner, _PREFERENCES.c.name.in_(list(names))
    )
    return {row.name: row.value for row in session.execute(chosen)}


def remember(session: AnySession, name: str, value: Any) -> None:
    """Keep a choice of the session's actor in place of the one before; None forgets it."""
    owner = _owner(session)
    assert owner is not None, "a preference belongs to somebody"
    if value is None:
        session.execute(delete(_PREFERENCES).where(_PREFERENCES.c.userId == owner, _PREFERENCES.c.name == name))
        return
    chosen = insert(_PREFERENCES).values(userId=owner, name=name, value=value)
    replaced = chosen.on_conflict_do_update(index_elements=["userId", "name"], set_={"value": chosen.excluded.value})
    session.execute(replaced)


def _owner(session: AnySession) -> int | None:
    actor = actor_of(session)
    return actor.user_id if actor else None
