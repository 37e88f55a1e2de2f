"""Lists as people like them: saving, sharing, renaming, and which one opens first. Flushes; never commits.

A view is the address of a list. Everybody has own views; shared ones are seen by all and kept by administrators. The
database holds a teacher to that; among administrators, who are its owner, it is held here.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, bindparam, func, or_, select

from fsms import text
from fsms.activity import AnySession
from fsms.errors import Refused, SchoolError
from fsms.office import SavedView
from fsms.operations import preferences
from fsms.policy import Actor, actor_of

MOST = 50
"""Of own views of one list."""


def _is_seen_by(user_id: Any) -> ColumnElement[bool]:
    return or_(SavedView.shared, SavedView.user_id == user_id)


# Read with every list, so it is put together once, and as lines rather than records.
_OF_PAGE = (
    select(
        SavedView.view_id.label("view_id"),
        SavedView.user_id.label("user_id"),
        SavedView.name,
        SavedView.address,
        SavedView.shared,
    )
    .where(SavedView.page == bindparam("page"), _is_seen_by(bindparam("reader")))
    .order_by(SavedView.shared.desc(), func.lower(SavedView.name), SavedView.view_id)
)


def of_page(session: AnySession, page: str) -> Sequence[Any]:
    """List the views of a page that the session's actor sees: shared ones first, by name."""
    asked = {"page": page, "reader": _actor(session).user_id}
    return session.connection().execute(_OF_PAGE, asked).all()


def find(session: AnySession, page: str, key: int | None) -> SavedView | None:
    """Find a view of a page that the actor sees."""
    if key is None:
        return None
    seen = SavedView.page == page, SavedView.view_id == key, _is_seen_by(_actor(session).user_id)
    return session.scalars(select(SavedView).where(*seen)).one_or_none()


def may_change(actor: Actor | None, view: Any) -> bool:
    """Say whether somebody keeps a view: an own one, or a shared one as an administrator."""
    if actor is None:
        return False
    return actor.role == "admin" if view.shared else view.user_id == actor.user_id


def save(session: AnySession, page: str, name: str, address: str, *, shared: bool = False) -> SavedView:
    """Keep an address under a name."""
    actor = _actor(session)
    if shared and actor.role != "admin":
        raise Refused("Only administrators share views with everybody.")
    if len([view for view in of_page(session, page) if not view.shared]) >= MOST and not shared:
        raise SchoolError("You have %(most)s views of this list already. Delete one of them first.", most=MOST)
    view = SavedView(user_id=actor.user_id, page=page, name=text.clean(name), address=address, shared=shared)
    session.add(view)
    session.flush()
    return view


def rename(session: AnySession, view: SavedView, name: str) -> None:
    """Call a view by another name."""
    _mind(session, view)
    view.name = text.clean(name)
    session.flush()


def replace(session: AnySession, view: SavedView, address: str) -> None:
    """Let a view show something else."""
    _mind(session, view)
    view.address = address
    session.flush()


def delete(session: AnySession, view: SavedView) -> None:
    """Forget a view; whoever began with it begins as usual again."""
    _mind(session, view)
    session.delete(view)
    session.flush()


def first_of(session: AnySession, page: str) -> SavedView | None:
    """Find the view that the actor wants to see first on a page."""
    key = preferences.read(session, _first(page))
    return find(session, page, key) if isinstance(key, int) else None


def put_first(session: AnySession, page: str, view: SavedView | None) -> None:
    """Open a page with a view from now on, or as usual."""
    preferences.remember(session, _first(page), view.view_id if view else None)


def _first(page: str) -> str:
    return f"first_view_of_{page}"


def _actor(session: AnySession) -> Actor:
    actor = actor_of(session)
    assert actor, "a view belongs to somebody"
    return actor


def _mind(session: AnySession, view: SavedView) -> None:
    if not may_change(actor_of(session), view):
        raise Refused("Only administrators change the views of the office.")
