"""Saving cells of a sheet: only those that differ, each with the state that its typist saw. Flushes, never commits.

Two people at once neither lose nor double a mark. A mark that is there is held by its row's lock until the end of the
transaction, and its state is compared with what was seen; one that is not there yet can be added once only, by the
unique constraint. Whoever comes second looks again, this time with the class to oneself, so that nobody can be second
for ever.
"""

import datetime as dt
import uuid
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum
from typing import Any, cast

from sqlalchemy import Table, bindparam, delete, func, select, tuple_, update
from sqlalchemy.exc import DBAPIError

from fsms import activity, clock, errors, policy, text
from fsms.activity import AnySession
from fsms.errors import InvalidValue, Refused, SchoolError
from fsms.grading import BLANK, Mark, Scheme, parse_mark, written
from fsms.models import Course, Enrollment, Grade, Semester, Student, Subject, User
from fsms.operations import locks, receipts
from fsms.operations.gradebook.cells import EMPTY, SHOWN, Kept, Place, kept, state_of
from fsms.stays import Stay

WHAT = "marks"
"""What receipts call these requests."""

LONGEST_COMMENT = 500
TRIES = 4

_NO_SUBJECT = errors.SENTENCES["Grade_subjectId_fkey"]
_NO_PERIOD = errors.SENTENCES["Grade_gradeDate_check"]
_NO_PLACE = errors.SENTENCES["Grade_studentId_courseId_fkey"]
_UNIQUE = "Grade_studentId_courseId_subjectId_semesterId_gradeDate_key"
_RACES = {"40001", "40P01"}  # Two transactions in one another's way; one was stopped, and may try again.


def _(sentence: str) -> str:
    """Mark a sentence for the translators; the screen translates it when it is shown."""
    return sentence


class State(StrEnum):
    """What became of a cell."""

    SAVED = "saved"
    SAME = "same"  # it stood there already
    CLASH = "clash"  # somebody else has written there since; theirs stands
    REFUSED = "refused"


@dataclass(frozen=True)
class Entry:
    """What somebody typed into a cell, and the state that was seen there before."""

    place: Place
    typed: str
    comment: str = ""
    seen: str = ""
    key: uuid.UUID | None = None  # by which a request sent again is known
    only_if_empty: bool = False


@dataclass(frozen=True)
class Outcome:
    """What became of an entry, what the cell holds now and, where it was refused, why."""

    entry: Entry
    state: State
    now: Kept
    reason: SchoolError | None = None


@dataclass(frozen=True)
class Saved:
    """The outcomes in the order of the entries. `batch` is the act by which it can be undone; None: nothing changed."""

    outcomes: tuple[Outcome, ...]
    batch: uuid.UUID | None


@dataclass(frozen=True)
class Wanted:
    """An entry that could be read."""

    entry: Entry
    mark: Mark
    comment: str


@dataclass(frozen=True)
class _Placed:
    """A pupil of the class, and for how long."""

    name: str
    stay: Stay

    def refuse_if_dropped(self) -> None:
        """Refuse whatever would change the marks of somebody who left."""
        if self.stay.dropped_on:
            raise Refused(
                _("%(pupil)s was dropped from this class on %(day)s, so the marks stay as they are."),
                pupil=self.name,
                day=f"{self.stay.dropped_on:%d/%m/%Y}",
            )

    def refuse_new_mark(self, period: str) -> None:
        """Refuse a mark for a time in which the pupil was not here; those that are there can be corrected."""
        if refused := self.stay.refusal_of_mark(period, self.name):
            raise refused


def save(session: AnySession, course: Course, semester: Semester, entries: Sequence[Entry], scheme: Scheme) -> Saved:
    """Save what differs in one deed; an entry whose key was answered before gets that answer, and does nothing."""
    keys = [entry.key for entry in entries if entry.key]
    known = receipts.given(session, WHAT, keys) if keys else {}
    fresh = [entry for entry in entries if entry.key not in known]
    wanted, refused = understood(session, course, semester, fresh, scheme)
    facts = {"course": str(course), "semester": str(semester)}
    with activity.deed(session, "save_marks", _("Marks of %(course)s, %(semester)s"), **facts) as batch:
        done = _written(session, course, semester, wanted)
    by_place = {outcome.entry.place: outcome for outcome in (*refused, *done)}
    outcomes = [
        _as_answered(entry, known[entry.key])
        if entry.key and entry.key in known
        else replace(by_place[entry.place], entry=entry)
        for entry in entries
    ]
    kept_answers = {o.entry.key: _answer(o) for o in outcomes if o.entry.key and o.entry.key not in known}
    receipts.keep(session, WHAT, {key: answer for key, answer in kept_answers.items() if answer})
    changed = any(outcome.state is State.SAVED for outcome in done)
    return Saved(tuple(outcomes), batch if changed else None)


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


# ---- Reading what was typed ----------------------------------------------------------------------------------------


def understood(
    session: AnySession, course: Course, semester: Semester, entries: Iterable[Entry], scheme: Scheme
) -> tuple[list[Wanted], list[Outcome]]:
    """Tell the entries that can be saved from those that cannot. Of two for one cell the later counts."""
    last = {entry.place: entry for entry in entries}
    if locked := locks.refusal(session, course.course_id, semester.semester_id):
        return [], [Outcome(entry, State.REFUSED, EMPTY, locked) for entry in last.values()]
    maxima = _maxima(session, course, scheme, {place.subject_id for place in last})
    places = _places(session, course, {place.student_id for place in last})
    wanted, refused = [], []
    for entry in last.values():
        try:
            wanted.append(_understood(entry, maxima, places))
        except SchoolError as reason:
            refused.append(Outcome(entry, State.REFUSED, EMPTY, reason))
    return wanted, refused


def _understood(entry: Entry, maxima: Mapping[int, Decimal], places: Mapping[int, _Placed]) -> Wanted:
    student_id, subject_id, period = entry.place
    if student_id not in places:
        raise InvalidValue(_NO_PLACE)
    places[student_id].refuse_if_dropped()
    if subject_id not in maxima:
        raise InvalidValue(_NO_SUBJECT)
    if not _is_period(period):
        raise InvalidValue(_NO_PERIOD)
    mark, comment = parse_mark(entry.typed, maxima[subject_id]), text.clean(entry.comment)
    if len(comment) > LONGEST_COMMENT:
        raise InvalidValue(_("The comment is too long: at most %(most)s characters."), most=LONGEST_COMMENT)
    if mark == BLANK and comment and not entry.seen:
        raise InvalidValue(_("A comment stands beside a mark. Enter the mark too, or “excused”."))
    if mark != BLANK and not entry.seen:
        places[student_id].refuse_new_mark(period)
    return Wanted(entry, mark, "" if mark == BLANK else comment)


def _is_period(period: str) -> bool:
    try:
        return text.iso_period(period) == period
    except ValueError:
        return False


def _maxima(session: AnySession, course: Course, scheme: Scheme, subjects: Collection[int]) -> dict[int, Decimal]:
    named = select(Subject.subject_id, Subject.subject_name).where(Subject.subject_id.in_(subjects))
    return {number: scheme.maximum(course.level, name) for number, name in session.execute(named)}


def _places(session: AnySession, course: Course, students: Collection[int]) -> dict[int, _Placed]:
    """Read who of these is or was in the class, and when."""
    listed = select(Enrollment.student_id, Student.full_name, Enrollment.enrolled_on, Enrollment.drop_date)
    listed = listed.join(Enrollment.student).where(
        Enrollment.course_id == course.course_id, Enrollment.student_id.in_(students)
    )
    return {row.student_id: _Placed(row.full_name, Stay.of(row)) for row in session.execute(listed)}


# ---- Writing -------------------------------------------------------------------------------------------------------


Held = Any
"""The columns of a mark that is there, which nobody else changes until the end of the transaction."""


def _written(session: AnySession, course: Course, semester: Semester, wanted: Sequence[Wanted]) -> list[Outcome]:
    """Write inside a savepoint; where somebody was faster, look again when all who are at work have finished."""
    turn = func.hashtextextended(f"marks of course {course.course_id}", 0)
    for tries_left in reversed(range(TRIES)):
        alone = tries_left < TRIES - 1
        try:
            with session.begin_nested():
                # Inside the savepoint: what is taken back gives up its place in the queue as well.
                wait = func.pg_advisory_xact_lock if alone else func.pg_advisory_xact_lock_shared
                session.execute(select(wait(turn)))
                return _write(session, course, semester, wanted)
        except DBAPIError as refused:
            if not tries_left or not _was_a_race(refused):
                raise
    raise AssertionError("the last try returns or raises")


def _was_a_race(refused: DBAPIError) -> bool:
    return errors.constraint_of(refused) == _UNIQUE or getattr(refused.orig, "sqlstate", None) in _RACES


def _write(session: AnySession, course: Course, semester: Semester, wanted: Sequence[Wanted]) -> list[Outcome]:
    rows = _held(session, course, semester, [one.entry.place for one in wanted])
    outcomes: list[Outcome] = []
    new: list[Wanted] = []
    changed: list[tuple[Wanted, Held]] = []
    # All write in the same order, so that no two wait for one another.
    for one in sorted(wanted, key=lambda one: one.entry.place):
        row = rows.get(one.entry.place)
        now = kept(row) if row else EMPTY
        if (now.mark, now.comment) == (one.mark, one.comment) or (one.entry.only_if_empty and row):
            outcomes.append(Outcome(one.entry, State.SAME, now))
        elif now.state != one.entry.seen:
            outcomes.append(Outcome(one.entry, State.CLASH, now))
        elif row is None:
            new.append(one)
        else:
            changed.append((one, row))
    outcomes += _changed(session, changed)
    outcomes += _added(session, course, semester, new)
    return _with_names(session, outcomes, rows)


def _added(session: AnySession, course: Course, semester: Semester, new: Sequence[Wanted]) -> list[Outcome]:
    actor, added = policy.actor_of(session), []
    for one in new:
        student_id, subject_id, period = one.entry.place
        row = Grade(
            course_id=course.course_id,
            student_id=student_id,
            subject_id=subject_id,
            semester_id=semester.semester_id,
            grade_date=period,
            grade=one.mark.value,
            excused=one.mark.excused,
            grade_comment=one.comment or None,
            user_id=actor.user_id if actor else None,
            last_edit=clock.now(),
        )
        session.add(row)
        added.append((one.entry, row))
    session.flush()
    return [Outcome(entry, State.SAVED, kept(row)) for entry, row in added]


def _changed(session: AnySession, changed: Sequence[tuple[Wanted, Held]]) -> list[Outcome]:
    """Change or remove the marks, all at once: they are held and compared, so no version is asked row by row."""
    actor, now = policy.actor_of(session), clock.now()
    by = actor.user_id if actor else None
    gone = [row.grade_id for one, row in changed if one.mark == BLANK]
    kept_on = [
        {
            "number": row.grade_id,
            "mark": one.mark.value,
            "is_excused": one.mark.excused,
            "comment": one.comment or None,
            "by": by,
            "now": now,
        }
        for one, row in changed
        if one.mark != BLANK
    ]
    if not changed:
        return []
    with activity.told_by_the_database(session):
        connection = session.connection()
        done = connection.execute(_CHANGE, kept_on).rowcount if kept_on else 0
        done += connection.execute(delete(_GRADE).where(_GRADE.c.gradeId.in_(gone))).rowcount if gone else 0
    assert done == len(changed), "a row that is held can be written"
    return [
        Outcome(
            one.entry,
            State.SAVED,
            EMPTY
            if one.mark == BLANK
            else Kept(one.mark, one.comment, state_of(row.grade_id, row.version + 1, now), when=now),
        )
        for one, row in changed
    ]


_GRADE = cast(Table, Grade.__table__)
_CHANGE = (
    update(_GRADE)
    .where(_GRADE.c.gradeId == bindparam("number"))
    .values(
        {
            _GRADE.c.grade: bindparam("mark"),
            _GRADE.c.excused: bindparam("is_excused"),
            _GRADE.c.gradeComment: bindparam("comment"),
            _GRADE.c.userId: bindparam("by"),
            _GRADE.c.lastEdit: bindparam("now"),
            _GRADE.c.updatedAt: bindparam("now"),
            _GRADE.c.version: _GRADE.c.version + 1,
        }
    )
)


def _held(session: AnySession, course: Course, semester: Semester, places: Sequence[Place]) -> dict[Place, Held]:
    """Read the marks as they are now, and hold them."""
    where = tuple_(Grade.student_id, Grade.subject_id, Grade.grade_date).in_(places)
    found = select(Grade.student_id, Grade.subject_id, Grade.grade_date, Grade.user_id, *SHOWN).where(
        Grade.course_id == course.course_id, Grade.semester_id == semester.semester_id, where
    )
    held = session.execute(found.order_by(Grade.grade_id).with_for_update())
    return {Place(row.student_id, row.subject_id, row.grade_date): row for row in held}


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
    """Put what was saved into a receipt. Where nothing was saved, the same request may well fare better next time."""
    now = outcome.now
    if outcome.state not in (State.SAVED, State.SAME):
        return None
    return {
        "state": outcome.state.value,
        "mark": None if now.mark.value is None else str(now.mark.value),
        "excused": now.mark.excused,
        "comment": now.comment,
        "seen": now.state,
        "when": now.when.isoformat() if now.when else None,
    }


def _as_answered(entry: Entry, answer: Mapping[str, Any]) -> Outcome:
    value, when = answer["mark"], answer["when"]
    now = Kept(
        mark=Mark(None if value is None else Decimal(value), answer["excused"]),
        comment=answer["comment"],
        state=answer["seen"],
        when=dt.datetime.fromisoformat(when) if when else None,
    )
    return Outcome(entry, State(answer["state"]), now)


def _in_words(mark: Mark) -> str:
    return "excused" if mark.excused else "" if mark.value is None else written(mark.value)
