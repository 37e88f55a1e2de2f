"""Saving cells of a sheet: only those that differ, each with the state that its typist saw. Flushes, never commits.

Two people at once neither lose nor double a mark. A mark that is there is held by its row's lock until the end of the
transaction, and its state is compared with what was seen; one that is not there yet can be added once only, by the
unique constraint. Whoever comes second waits for the first, writes nothing there, and looks again. Nobody who saves
marks stops another who does: all hold what is there before they add, both in one order, and then wait for nothing.
"""

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import lru_cache
from typing import Any, cast

from sqlalchemy import (
    ARRAY,
    Boolean,
    ColumnClause,
    Connection,
    Integer,
    Numeric,
    Select,
    Table,
    TableValuedAlias,
    Text,
    Update,
    any_,
    bindparam,
    column,
    delete,
    func,
    literal_column,
    select,
    true,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.sql.dml import ReturningInsert

from fsms import activity, clock, policy, text
from fsms.activity import AnySession
from fsms.columns import Moment
from fsms.grading import Mark, Scheme, written
from fsms.models import Course, Grade, Semester, User
from fsms.operations import receipts
from fsms.operations.gradebook.cells import EMPTY, Kept, Place, kept, state_of
from fsms.operations.gradebook.reading import Entry, Outcome, State, Wanted, understood
from fsms.pooling import ONE_PLAN

WHAT = "marks"
"""What receipts call these requests."""

_UNIQUE = "Grade_studentId_courseId_subjectId_semesterId_gradeDate_key"


def _(sentence: str) -> str:
    """Mark a sentence for the translators; the screen translates it when it is shown."""
    return sentence


@dataclass(frozen=True)
class Saved:
    """The outcomes in the order of the entries. `batch` is the act by which it can be undone; None: nothing changed."""

    outcomes: tuple[Outcome, ...]
    batch: uuid.UUID | None


def save(session: AnySession, course: Course, semester: Semester, entries: Sequence[Entry], scheme: Scheme) -> Saved:
    """Save what differs in one deed; an entry whose key was answered before gets that answer, and does nothing."""
    keys = [entry.key for entry in entries if entry.key]
    known = receipts.given(session, WHAT, keys) if keys else {}
    fresh = [entry for entry in entries if entry.key not in known]
    wanted, refused = understood(session, course, semester, fresh, scheme)
    done, batch = _write(session, course, semester, wanted)
    by_place = {outcome.entry.place: outcome for outcome in (*refused, *done)}
    outcomes = [
        _as_answered(entry, known[entry.key]) if entry.key and entry.key in known else _of(entry, by_place[entry.place])
        for entry in entries
    ]
    kept_answers = {o.entry.key: _answer(o) for o in outcomes if o.entry.key and o.entry.key not in known}
    receipts.keep(session, WHAT, {key: answer for key, answer in kept_answers.items() if answer})
    return Saved(tuple(outcomes), batch)


def _of(entry: Entry, outcome: Outcome) -> Outcome:
    """Answer what became of an entry; of two for one cell the earlier shares the outcome of the later."""
    return outcome if outcome.entry is entry else replace(outcome, entry=entry)


def give_way(session: AnySession, course: Course, semester: Semester, entry: Entry) -> None:
    """Note in the history of a mark what somebody else had typed there, who lets it stand."""
    row = _held(session, course, semester, [entry.place]).get(entry.place)
    facts = {"typed": text.clean(entry.typed)[:40], "stays": _in_words(kept(row).mark) if row else ""}
    told = {"sentence": _("Typed “%(typed)s” at the same time as somebody else, and let “%(stays)s” stand")}
    activity.record(
        session,
        "give_way",
        policy.actor_of(session),
        told | {"facts": facts},
        entity="Grade",
        entity_id=row.grade_id if row else None,
    )
    session.flush()


# ---- Writing -------------------------------------------------------------------------------------------------------


Held = Any
"""The columns of a mark that is there, which nobody else changes until the end of the transaction."""


def _write(
    session: AnySession, course: Course, semester: Semester, wanted: Sequence[Wanted]
) -> tuple[list[Outcome], uuid.UUID | None]:
    """Write what differs as one deed; name its batch where something did."""
    rows = _held(session, course, semester, [one.entry.place for one in wanted])
    outcomes: list[Outcome] = []
    new: list[Wanted] = []
    changed: list[tuple[Wanted, Held]] = []
    # All write in the same order, so that no two wait for one another.
    for one in sorted(wanted, key=lambda one: one.entry.place):
        row = rows.get(one.entry.place)
        left = _left_alone(one, row)
        if left.state is State.SAME or left.now.state != one.entry.seen:
            outcomes.append(left)
        elif row is None:
            new.append(one)
        else:
            changed.append((one, row))
    batch, too_late = None, []
    if new or changed:
        facts = {"course": str(course), "semester": str(semester)}
        with activity.telling(session, "save_marks", _("Marks of %(course)s, %(semester)s"), **facts) as teller:
            scribe = _Scribe(session.connection(), course.course_id, semester.semester_id, _actor_id(session), teller)
            # What may have to wait for somebody comes first: by then nothing is done that others wait for.
            added = scribe.add(new)
            outcomes += added
            outcomes += scribe.change([(one, row) for one, row in changed if not one.mark.is_blank])
            outcomes += scribe.remove([(one, row) for one, row in changed if one.mark.is_blank])
        batch = teller.batch if teller.entries else None
        there = {outcome.entry.place for outcome in added}
        too_late = [one for one in new if one.entry.place not in there]
    if too_late:
        rows |= _held(session, course, semester, [one.entry.place for one in too_late], only_look=True)
        outcomes += [_left_alone(one, rows.get(one.entry.place)) for one in too_late]
    return _with_names(session, outcomes, rows), batch


def _left_alone(one: Wanted, row: Held | None) -> Outcome:
    """Leave a cell as it is: what was typed stands there already, or else somebody has written there since."""
    now = kept(row) if row else EMPTY
    agreed = (now.mark, now.comment) == (one.mark, one.comment) or (one.entry.only_if_empty and row is not None)
    return Outcome(one.entry, State.SAME if agreed else State.CLASH, now)


@dataclass(frozen=True)
class _Scribe:
    """Writes marks of a class in a semester, any number in one statement, and tells of each."""

    connection: Connection
    course_id: int
    semester_id: int
    user_id: int | None
    teller: activity.Teller
    now: dt.datetime = field(default_factory=clock.now)

    def change(self, changed: Sequence[tuple[Wanted, Held]]) -> list[Outcome]:
        """Put other marks where there are some: they are held and were compared, so no version is asked."""
        if not changed:
            return []
        rows = [{"number": row.grade_id, **_values(one)} for one, row in changed]
        done = self.connection.execute(_CHANGE, {"rows": rows, "by": self.user_id, "now": self.now}).rowcount
        assert done == len(changed), "a row that is held can be written"
        for one, row in changed:
            old = row._asdict()
            self.teller.tell(Grade, row.grade_id, old, old | self._as_it_is(one), _label(one))
        return [self._saved(one, row.grade_id, row.version + 1) for one, row in changed]

    def remove(self, changed: Sequence[tuple[Wanted, Held]]) -> list[Outcome]:
        """Leave nothing where there was a mark."""
        if not changed:
            return []
        numbers = [row.grade_id for _, row in changed]
        done = self.connection.execute(_REMOVE, {"numbers": numbers}).rowcount
        assert done == len(changed), "a row that is held can be deleted"
        for _, row in changed:
            self.teller.tell(Grade, row.grade_id, row._asdict(), {}, _named(row.grade, row.excused, row.grade_date))
        return [Outcome(one.entry, State.SAVED, EMPTY) for one, _ in changed]

    def add(self, new: Sequence[Wanted]) -> list[Outcome]:
        """Put marks where there are none; where somebody was faster, leave it alone and say nothing."""
        if not new:
            return []
        rows = [{**one.entry.place._asdict(), **_values(one)} for one in new]
        here = {"course": self.course_id, "semester": self.semester_id, "by": self.user_id, "now": self.now}
        added = self.connection.execute(_ADD, {"rows": rows} | here).all()
        wanted = {one.entry.place: one for one in new}
        outcomes = []
        for number, version, *place in added:
            one = wanted[Place(*place)]
            values = self._as_it_is(one) | {"course_id": self.course_id, "semester_id": self.semester_id}
            self.teller.tell(Grade, number, {}, {"grade_id": number, **values}, _label(one))
            outcomes.append(self._saved(one, number, version))
        return outcomes

    def _as_it_is(self, one: Wanted) -> dict[str, Any]:
        """Give the attributes of a mark as they are written."""
        return {
            "student_id": one.entry.place.student_id,
            "subject_id": one.entry.place.subject_id,
            "grade_date": one.entry.place.period,
            "grade": one.mark.value,
            "excused": one.mark.excused,
            "grade_comment": one.comment or None,
            "user_id": self.user_id,
            "last_edit": self.now,
        }

    def _saved(self, one: Wanted, number: int, version: int) -> Outcome:
        now = Kept(one.mark, one.comment, state_of(number, version, self.now), when=self.now)
        return Outcome(one.entry, State.SAVED, now)


def _values(one: Wanted) -> dict[str, Any]:
    """Give what is typed as it travels in JSON."""
    value = one.mark.value
    return {
        "grade": None if value is None else str(value),
        "excused": one.mark.excused,
        "comment": one.comment or None,
    }


def _label(one: Wanted) -> str:
    return _named(one.mark.value, one.mark.excused, one.entry.place.period)


def _named(grade: Decimal | None, excused: bool, period: str) -> str:
    """Call a mark as its row would call itself."""
    return _name_of(None if grade is None else str(grade), excused, period)


@lru_cache(1_000)
def _name_of(grade: str | None, excused: bool, period: str) -> str:
    """Make the row for its name once: a class of forty has a dozen different marks."""
    return str(Grade(grade=None if grade is None else Decimal(grade), excused=excused, grade_date=period))


_GRADE = cast(Table, Grade.__table__)


def _held(
    session: AnySession, course: Course, semester: Semester, places: Sequence[Place], *, only_look: bool = False
) -> dict[Place, Held]:
    """Read the marks as they are now, and hold them."""
    if not places:
        return {}
    named = [{"student": place.student_id, "subject": place.subject_id, "period": place.period} for place in places]
    here = {"places": named, "course": course.course_id, "semester": semester.semester_id}
    held = session.connection().execute(_LOOK if only_look else _HOLD, here)
    return {Place(row.student_id, row.subject_id, row.grade_date): row for row in held}


def _look() -> Select[Any]:
    """Find the marks by what a reader may see; only those found are then asked whether they may be changed.

    Each place is looked up by itself in the index that lets no two marks stand there: that is quick for any class, and
    whoever may ask. Class and semester stand in a row, since PostgreSQL might prefer another index where a value must
    be brought to the column's type first.
    """
    given = select(*(bindparam(name, type_=Integer).label(name) for name in ("course", "semester")))
    here = given.cte("here").prefix_with("MATERIALIZED")
    columns = column("student", Integer), column("subject", Integer), column("period", Text)
    places = func.jsonb_to_recordset(bindparam("places", type_=JSONB)).table_valued(*columns)
    places = places.render_derived(name="place", with_types=True)
    there = (
        select(_GRADE.c.gradeId)
        .where(
            _GRADE.c.courseId == here.c.course,
            _GRADE.c.semesterId == here.c.semester,
            _GRADE.c.studentId == places.c.student,
            _GRADE.c.subjectId == places.c.subject,
            _GRADE.c.gradeDate == places.c.period,
        )
        .limit(literal_column("1", Integer))
        .lateral()
    )
    found = select(there.c.gradeId).select_from(here.join(places, true()).join(there, true()))
    numbers = func.array(found.scalar_subquery(), type_=ARRAY(Integer))
    each = [attribute.columns[0].label(attribute.key) for attribute in Grade.__mapper__.column_attrs]
    asked = select(*each).where(_GRADE.c.gradeId == any_(numbers)).order_by(_GRADE.c.gradeId)
    return asked.execution_options(**ONE_PLAN)


def _rows(*keys: ColumnClause[Any]) -> TableValuedAlias:
    """Read the marks that travel as one JSON value, in their order."""
    values = (column("grade", Numeric(6, 2)), column("excused", Boolean), column("comment", Text))
    rows = func.jsonb_to_recordset(bindparam("rows", type_=JSONB)).table_valued(*keys, *values)
    return rows.render_derived(name="typed", with_types=True)


def _change() -> Update:
    typed = _rows(column("number", Integer))
    return (
        update(_GRADE)
        .where(_GRADE.c.gradeId == typed.c.number)
        .values(
            {
                _GRADE.c.grade: typed.c.grade,
                _GRADE.c.excused: typed.c.excused,
                _GRADE.c.gradeComment: typed.c.comment,
                _GRADE.c.userId: bindparam("by", type_=Integer),
                _GRADE.c.lastEdit: bindparam("now", type_=Moment),
                _GRADE.c.updatedAt: bindparam("now", type_=Moment),
                _GRADE.c.version: _GRADE.c.version + 1,
            }
        )
    )


def _add() -> ReturningInsert[Any]:
    typed = _rows(column("student_id", Integer), column("subject_id", Integer), column("period", Text))
    values = {
        "studentId": typed.c.student_id,
        "subjectId": typed.c.subject_id,
        "gradeDate": typed.c.period,
        "courseId": bindparam("course", type_=Integer),
        "semesterId": bindparam("semester", type_=Integer),
        "grade": typed.c.grade,
        "excused": typed.c.excused,
        "gradeComment": typed.c.comment,
        "userId": bindparam("by", type_=Integer),
        "lastEdit": bindparam("now", type_=Moment),
        "createdAt": bindparam("now", type_=Moment),
        "updatedAt": bindparam("now", type_=Moment),
    }
    new = insert(_GRADE).from_select([*values], select(*values.values())).on_conflict_do_nothing(constraint=_UNIQUE)
    told = new.returning(*(_GRADE.c[name] for name in ("gradeId", "version", "studentId", "subjectId", "gradeDate")))
    return told.execution_options(**ONE_PLAN)


_LOOK, _CHANGE, _ADD = _look(), _change(), _add()
_HOLD = _LOOK.with_for_update(of=_GRADE)
_REMOVE = delete(_GRADE).where(_GRADE.c.gradeId == any_(bindparam("numbers", type_=ARRAY(Integer))))


def _actor_id(session: AnySession) -> int | None:
    actor = policy.actor_of(session)
    return actor.user_id if actor else None


def _with_names(session: AnySession, outcomes: list[Outcome], rows: Mapping[Place, Held]) -> list[Outcome]:
    """Say in whose name stands what was not overwritten."""
    clashes = {o.entry.place: rows[o.entry.place].user_id for o in outcomes if o.state is State.CLASH and o.now.state}
    if not clashes:
        return outcomes
    named = select(User.user_id, User.full_name).where(User.user_id.in_({*clashes.values()}))
    names = {row.user_id: row.full_name for row in session.execute(named)}
    return [
        replace(o, now=replace(o.now, who=names.get(clashes[o.entry.place]))) if o.entry.place in clashes else o
        for o in outcomes
    ]


# ---- Answers that are kept -----------------------------------------------------------------------------------------


def _answer(outcome: Outcome) -> dict[str, Any] | None:
    """Put the answer into a receipt. What was refused may well fare better next time.

    A clash is kept too: a request that was given up and sent again may still be on its way, and must not write into a
    cell that was emptied meanwhile, when its typist has been told that nothing was written.
    """
    now = outcome.now
    if outcome.state is State.REFUSED:
        return None
    return {
        "state": outcome.state.value,
        "mark": None if now.mark.value is None else str(now.mark.value),
        "excused": now.mark.excused,
        "comment": now.comment,
        "seen": now.state,
        "who": now.who,
        "when": now.when.isoformat() if now.when else None,
    }


def _as_answered(entry: Entry, answer: Mapping[str, Any]) -> Outcome:
    value, when = answer["mark"], answer["when"]
    now = Kept(
        mark=Mark(None if value is None else Decimal(value), answer["excused"]),
        comment=answer["comment"],
        state=answer["seen"],
        who=answer.get("who"),
        when=dt.datetime.fromisoformat(when) if when else None,
    )
    return Outcome(entry, State(answer["state"]), now)


def _in_words(mark: Mark) -> str:
    return "excused" if mark.excused else "" if mark.value is None else written(mark.value)
