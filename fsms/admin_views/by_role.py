"""What a page shows and lets do, by the role of its reader. The rules are `fsms.policy`'s; here they are asked.

Flask-Admin works out a page once, at the start; the attributes below are narrowed each time they are read. What is
hidden here is also refused by the database, so that a gap in this file shows an error and no secret.
"""

from collections.abc import Callable
from functools import cache, lru_cache
from typing import Any, NoReturn, cast

from flask import abort, g, has_request_context, request
from flask_admin.contrib.sqla import ModelView
from flask_login import current_user
from sqlalchemy.orm import Session
from sqlalchemy.orm.util import identity_key

from fsms import activity, policy, sign_in
from fsms.admin_views.lines import QuestionOfOne
from fsms.admin_views.lookups import record_id
from fsms.database import db
from fsms.errors import Refused
from fsms.models import Base
from fsms.policy import Actor, Verb

VERBS = {
    "index_view": Verb.LIST,
    "details_view": Verb.VIEW,
    "create_view": Verb.CREATE,
    "edit_view": Verb.EDIT,
    "delete_view": Verb.DELETE,
    "counts_view": Verb.LIST,
    "views_view": Verb.LIST,
    "deletion_view": Verb.DELETE,
    "names_view": Verb.VIEW,
    "export": Verb.EXPORT,
    "undo_view": Verb.VIEW,  # who may undo what, the operation asks
}


def reader() -> Actor | None:
    """Say who reads the page; nobody, while the pages are being made."""
    if not has_request_context():
        return None
    # A list asks twenty times: behind the proxies there is what Flask-Login has found.
    here = cast(Any, g)._get_current_object()  # noqa: SLF001 - werkzeug's own advice
    user = here.get("_login_user") or current_user._get_current_object()  # noqa: SLF001
    return user.actor if user.is_authenticated else None


def _found(entity: type[Base], key: int, beside: tuple[Any, ...]) -> Base | None:
    """Find a record by its number; one that the session knows is not asked for again."""
    session = db.session()
    if identity_key(entity, key) in session.identity_map:
        return session.get(entity, key)
    return _question(entity, beside, policy.sees_all(policy.actor_of(session))).ask(session, key)


@lru_cache(300)
def _question(entity: type[Base], beside: tuple[Any, ...], _sees_all: bool) -> QuestionOfOne:
    """Put a question together once for those who see all of a record, and once for the others; asks the page's session.

    `_sees_all` is what that session's actor may, which the question looks up by itself.
    """
    return QuestionOfOne(db.session(), entity, beside)


def refuse(verb: Verb, entity: type[Base], key: int | None = None) -> NoReturn:
    """Note in the log that somebody tried what is not theirs to do, and answer 403 with the reason."""
    actor = reader()
    db.session.rollback()  # nothing of the refused act stays
    with sign_in.as_system() as apart:
        _note(apart, actor, verb, entity, key)
    raise Refused(policy.why(actor, verb, entity))


def unseen(verb: Verb | None, entity: type[Base], key: int | None) -> NoReturn:
    """Answer 404, as for a row that never was; if it is one of somebody else's, note who asked for it."""
    db.session.rollback()
    if key is not None:
        with sign_in.as_system() as apart:
            if apart.get(entity, key) is not None:
                _note(apart, reader(), verb or Verb.VIEW, entity, key)
    abort(404)


def _note(session: Session, actor: Actor | None, verb: Verb, entity: type[Base], key: int | None) -> None:
    facts = {"verb": verb.value, "ip": request.remote_addr}
    activity.record(session, "refused", actor or policy.SYSTEM, facts, entity=entity.__tablename__, entity_id=key)


@cache
def is_shown(role: str, entity: type[Base], path: str) -> bool:
    """Say whether a role may read what a dotted path leads to."""
    actor = Actor(None, role)
    for step in path.split("."):
        if step in policy.hidden_columns(actor, entity):
            return False
        relation = entity.__mapper__.relationships.get(step)
        if relation is not None:
            entity = relation.mapper.class_
            if policy.hidden_columns(actor, entity) >= set(entity.__mapper__.column_attrs.keys()):
                return False
    return True


class Narrowed:
    """An attribute that upstream works out once; each reader gets the part that the role may see."""

    def __init__(self, narrow: Callable[[Any, Callable[[str], bool]], Any]) -> None:
        """Take the function that leaves out what is hidden, given a test of dotted paths."""
        self.narrow = narrow

    def __set_name__(self, owner: type, name: str) -> None:
        """Keep the whole under a name beside."""
        self.whole = f"{name}_of_all"

    def __set__(self, view: Any, value: Any) -> None:
        """Keep the whole."""
        setattr(view, self.whole, value)

    def __get__(self, view: Any, owner: type) -> Any:
        """Give the part; worked out once a request."""
        value = getattr(view, self.whole, None)
        actor = reader()
        if actor is None or value is None:
            return value
        narrowed = g.setdefault("narrowed", {})
        asked = (view, self.whole, actor.role)
        if asked not in narrowed:
            narrowed[asked] = self.narrow(value, lambda path: is_shown(actor.role, view.model, path))
        return narrowed[asked]


def columns_shown(columns: list[tuple[str, Any]], shown: Callable[[str], bool]) -> list[tuple[str, Any]]:
    return [(path, label) for path, label in columns if shown(str(path))]


def _by_path(held: dict[str, Any], shown: Callable[[str], bool]) -> dict[str, Any]:
    return {path: value for path, value in held.items() if shown(path)}


def _filters_by_argument(held: dict[str, Any], shown: Callable[[str], bool]) -> dict[str, Any]:
    return {argument: pair for argument, pair in held.items() if shown(pair[1].path)}


class ByRole(ModelView):
    """A model view that asks, at each of its doors, whether its reader may pass."""

    model: type[Base]

    _details_columns: Any = Narrowed(columns_shown)
    _sortable_columns: Any = Narrowed(_by_path)
    _filter_args: Any = Narrowed(_filters_by_argument)

    can_create = property(lambda self: policy.may(reader(), Verb.CREATE, self.model))
    can_edit = property(lambda self: policy.may(reader(), Verb.EDIT, self.model))
    can_delete = property(lambda self: policy.may(reader(), Verb.DELETE, self.model))

    def is_accessible(self) -> bool:
        """Show the page in the menu to those who may open its list."""
        return policy.may(reader(), Verb.LIST, self.model)

    def _handle_view(self, name: str, **kwargs: Any) -> None:
        """Let pass who may; refuse others before anything is read."""
        verb = self._verb_of(name)
        g.verb = verb or Verb.EDIT
        enough = {verb} if verb else {Verb.EDIT, Verb.CREATE}  # a form's look-ups serve both
        if not any(policy.may(reader(), verb, self.model) for verb in enough):
            refuse(g.verb, self.model, record_id(request.values.get("id")))

    def _verb_of(self, name: str) -> Verb | None:
        """Say what is asked of the reader at a door of the view."""
        return VERBS.get(name)

    def is_shown(self, path: str) -> bool:
        """Say whether the reader may see what a dotted path leads to."""
        actor = reader()
        return actor is None or is_shown(actor.role, self.model, path)

    def _read_with_the_row(self) -> tuple[Any, ...]:
        """Say what is needed beside the row that an address names, so that it is read in the same statement."""
        return ()

    def get_one(self, id: Any) -> Base:
        """Find the row of an address or a form: one that the reader sees and, to change it, may change."""
        key = record_id(id)
        row = None
        if key is not None:
            row = _found(self.model, key, self._read_with_the_row())
        if row is None or key is None:
            unseen(g.verb, self.model, key)
        # Who sees every row may change every row: only of the others the database is asked, which locks the row.
        must_ask = g.verb in policy.CHANGE and not policy.sees_all(reader())
        if must_ask and not policy.reaches(db.session(), g.verb, self.model, key):
            refuse(g.verb, self.model, key)
        return row
