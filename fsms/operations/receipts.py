"""A request sent twice is done once: its first answer is kept under the key that came with it. Never commits.

A browser that loses the network does not know whether its request arrived, so it sends it again. The receipt is
written in the transaction of the act: either both are there or neither.
"""

import uuid
from collections.abc import Callable, Collection, Mapping
from datetime import timedelta
from typing import Any, cast

from sqlalchemy import ARRAY, Insert, Integer, Table, Text, Uuid, any_, bindparam, column, delete, func, insert, select
from sqlalchemy.dialects.postgresql import JSONB

from fsms import clock, policy
from fsms.activity import AnySession
from fsms.columns import Moment
from fsms.errors import Refused, SchoolError
from fsms.office import Receipt

KEPT = timedelta(days=30)
"""A telephone that was away for longer starts afresh. The policies let nobody forget an answer before a week."""

_TABLE = cast(Table, Receipt.__table__)


def _(sentence: str) -> str:
    """Mark a sentence for the translators; the screen translates it when it is shown."""
    return sentence


class KeyUsedBefore(SchoolError):
    """The key came with a request of another kind."""


def once(session: AnySession, what: str, key: uuid.UUID, act: Callable[[], Any]) -> Any:
    """Do the act and keep its answer, which must be fit for JSON; sent again, give the first answer and do nothing."""
    if key in (known := given(session, what, [key])):
        return known[key]
    answer = act()
    keep(session, what, {key: answer})
    return answer


def given(session: AnySession, what: str, keys: Collection[uuid.UUID]) -> dict[uuid.UUID, Any]:
    """Give the answers to those requests that were answered before.

    From here to the end of the transaction the person's requests of this kind wait for one another, so that of two
    that arrive at the same time the second finds the answer of the first.
    """
    person = _person(session)
    session.flush()
    connection = session.connection()
    connection.execute(_TAKE_TURNS, {"turn": f"{what} of {person}"})
    answers = {}
    for key, kept_for, answer in connection.execute(_GIVEN, {"person": person, "keys": list(keys)}):
        if kept_for != what:
            raise KeyUsedBefore(_("This request was numbered like another one, so nothing was saved. Send it again."))
        answers[key] = answer
    return answers


def keep(session: AnySession, what: str, answers: Mapping[uuid.UUID, Any]) -> None:
    """Keep what was answered, and forget what is too old to be asked for again; of no answer nothing is kept."""
    if not answers:
        return
    person = _person(session)
    rows = [{"key": str(key), "answer": answer} for key, answer in answers.items()]
    too_old = clock.now() - KEPT
    session.connection().execute(_KEEP, {"person": person, "what": what, "rows": rows, "too_old": too_old})
    policy.wrote(session)


def _insert_all() -> Insert:
    """Compose one statement for any number of receipts, which travel as one JSON value, and for those that go."""
    gone = delete(_TABLE).where(_TABLE.c.createdAt < bindparam("too_old", type_=Moment)).cte("gone")
    rows = (
        func.jsonb_to_recordset(bindparam("rows", type_=JSONB))
        .table_valued(column("key", Uuid), column("answer", JSONB))
        .render_derived(name="row", with_types=True)
    )
    values = select(bindparam("person", type_=Integer), bindparam("what", type_=Text), rows.c.key, rows.c.answer)
    return insert(_TABLE).from_select(["userId", "what", "key", "answer"], values).add_cte(gone)


_KEEP = _insert_all()
_TAKE_TURNS = select(func.pg_advisory_xact_lock(func.hashtextextended(bindparam("turn", type_=Text), 0)))
_GIVEN = select(_TABLE.c.key, _TABLE.c.what, _TABLE.c.answer).where(
    _TABLE.c.userId == bindparam("person", type_=Integer),
    _TABLE.c.key == any_(bindparam("keys", type_=ARRAY(Uuid))),
)


def _person(session: AnySession) -> int:
    actor = policy.actor_of(session)
    if actor is None or actor.user_id is None:
        raise Refused(_("Nobody has signed in, so nothing may be seen or changed."))
    return actor.user_id
