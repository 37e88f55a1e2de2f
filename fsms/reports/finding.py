"""One box for everything: which of the school's records fit what somebody typed. Reads only; one question in all.

"7A dara" is a class and a name, "012 345" a phone, "412" a pupil's number. Row security leaves out what the session's
actor does not see, `policy.may` the kinds that have no page for the actor.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Integer,
    Select,
    Subquery,
    Text,
    and_,
    cast,
    func,
    literal,
    null,
    or_,
    select,
    true,
    union_all,
)
from sqlalchemy.orm import Session

from fsms import clock, policy, searching, text
from fsms.models import Base, Course, Enrollment, Guardian, SchoolYear, Student, Subject, User
from fsms.policy import Verb
from fsms.reports import school_year


@dataclass(frozen=True)
class Found:
    """A record that fits: what it is called, and what tells it from its namesakes."""

    entity: type[Base]
    key: int
    name: str
    place: str | None
    """The class: that of today, or the last one with its year."""
    about: str | None
    """Of a guardian the relation, of staff the position."""
    phone: str | None
    pupil: str | None
    """Of a guardian, whose."""
    has_photo: bool


MOST: dict[type[Base], int] = {Student: 8, Guardian: 5, Course: 5, User: 4, Subject: 3}

# Said before a class, and no part of what it is called.
_CLASS = re.compile(r"ថ្នាក់(?:ទី)?|\b(?:grade|class)\b", re.IGNORECASE)


def find(session: Session, typed: str) -> list[Found]:
    """Find what fits, kind by kind in the order of `MOST`, the best of each first."""
    spoken = text.clean(typed)
    sought = searching.words(_CLASS.sub(" ", spoken))
    if not sought and not _CLASS.search(spoken):
        return []
    kinds = [entity for entity in _FITTING if sought or entity is Course]
    called = next((word for word in sought if not any(map(str.isdigit, word))), "")
    return _asked(session, {entity: _FITTING[entity](sought) for entity in kinds}, called)


def find_again(session: Session, keys: Iterable[tuple[type[Base], int]]) -> list[Found]:
    """Find records by their numbers, in the order given; what is gone or out of sight is left out."""
    wanted = list(keys)
    conditions = {
        entity: entity.__mapper__.primary_key[0].in_([key for kind, key in wanted if kind is entity])
        for entity in dict.fromkeys(kind for kind, _key in wanted)
    }
    found = {(one.entity, one.key): one for one in _asked(session, conditions)}
    return [found[one] for one in wanted if one in found]


def _asked(session: Session, conditions: Mapping[type[Base], ColumnElement[bool]], called: str = "") -> list[Found]:
    """Ask for each kind in one statement; people whose name begins as called come first."""
    actor = policy.actor_of(session)
    asked = [
        _LINES[entity](condition, called).limit(MOST[entity]).subquery()
        for entity, condition in conditions.items()
        if policy.may(actor, Verb.VIEW, entity)
    ]
    if not asked:
        return []
    of_name = {entity.__tablename__: entity for entity in MOST}
    return [
        Found(of_name[row.kind], row.key, row.name, row.place, row.about, row.phone, row.pupil, bool(row.photo))
        for row in session.execute(union_all(*(select(*one.c) for one in asked)))
    ]


def _line(entity: type[Base], key: Any, name: Any, **given: Any) -> Select[Any]:
    """Lay out one kind in the columns that all have."""
    columns = [given.get(column, null()) for column in ("place", "about", "phone", "pupil", "photo")]
    labels = ("place", "about", "phone", "pupil", "photo")
    return select(
        literal(entity.__tablename__).label("kind"),
        key.label("key"),
        name.label("name"),
        *(cast(column, Text).label(label) for column, label in zip(columns, labels, strict=True)),
    )


def _later(entity: type[Base], called: str) -> ColumnElement[int]:
    """Give 0 where the name begins as called, 1 elsewhere."""
    return cast(~searching.is_named(entity, called, first=True), Integer)


# ---- Pupils ---------------------------------------------------------------------------------------------------------

_CALLED = Course.grade + Course.section


def _places_now() -> Subquery:
    """The class of today of each pupil who has one."""
    places = select(Enrollment.student_id, func.min(_CALLED).label("called")).join(Course)
    here = places.where(Course.school_year_id == school_year.present(clock.today()), school_year.keeps_the_place())
    return here.group_by(Enrollment.student_id).subquery()


def _last_place(student_id: Any) -> ColumnElement[Any]:
    places = select(_CALLED + " · " + SchoolYear.school_year_code).select_from(Enrollment)
    last = places.join(Course).join(SchoolYear).where(Enrollment.student_id == student_id)
    newest = SchoolYear.school_year_code.desc(), Enrollment.enrollment_id.desc()
    return last.order_by(*newest).limit(1).correlate_except(Enrollment, Course, SchoolYear).scalar_subquery()


def _is_in_class(word: str) -> ColumnElement[bool]:
    places = select(Enrollment.student_id).join(Course)
    here = places.where(Course.school_year_id == school_year.present(clock.today()), school_year.keeps_the_place())
    plain = text.digits(word).lower()
    return Student.student_id.in_(here.where(or_(func.lower(_CALLED) == plain, Course.grade == plain)))


def _is_pupil(sought: list[str]) -> ColumnElement[bool]:
    return and_(
        *(
            or_(
                searching.is_named(Student, word),
                searching.has_phone(Student, word),
                searching.is_number(word, Student.student_id),
                *([_is_in_class(word)] if any(map(str.isdigit, word)) and len(word) <= 8 else ()),
            )
            for word in sought
        )
    )


def _pupils(fits: ColumnElement[bool], called: str) -> Select[Any]:
    now, later = _places_now(), _later(Student, called)
    best = (
        select(Student.student_id, Student.full_name.label("name"), Student.photo, now.c.called, later.label("later"))
        .outerjoin(now, now.c.student_id == Student.student_id)
        .where(fits)
        .order_by(now.c.called.is_(None), later, Student.last_name, Student.first_name, Student.student_id)
        .limit(MOST[Student])
        .subquery()
    )
    place = func.coalesce(best.c.called, _last_place(best.c.student_id))
    order = best.c.called.is_(None), best.c.later, best.c.name, best.c.student_id
    return _line(Student, best.c.student_id, best.c.name, place=place, photo=best.c.photo).order_by(*order)


# ---- The others -----------------------------------------------------------------------------------------------------


def _is_guardian(sought: list[str]) -> ColumnElement[bool]:
    return searching.every_word_in(" ".join(sought), (Guardian.last_name, Guardian.phone))


def _guardians(fits: ColumnElement[bool], called: str) -> Select[Any]:
    now, later = _places_now(), _later(Guardian, called)
    found = _line(
        Guardian,
        Guardian.guardian_id,
        Guardian.full_name,
        place=now.c.called,
        about=Guardian.relation,
        phone=Guardian.phone,
        pupil=Student.full_name,
    )
    joined = found.join(Student, Guardian.student).outerjoin(now, now.c.student_id == Guardian.student_id)
    order = now.c.called.is_(None), later, Guardian.last_name, Guardian.first_name, Guardian.guardian_id
    return joined.where(fits).order_by(*order)


def _is_staff(sought: list[str]) -> ColumnElement[bool]:
    return searching.every_word_in(" ".join(sought), (User.last_name, User.phonenumber1, User.username))


def _staff(fits: ColumnElement[bool], _called: str) -> Select[Any]:
    found = _line(User, User.user_id, User.full_name, about=User.position, photo=User.photo)
    return found.where(fits).order_by(User.status != "active", User.last_name, User.first_name, User.user_id)


def _is_class(sought: list[str]) -> ColumnElement[bool]:
    return searching.every_word_in(" ".join(sought), (_CALLED, Course.course_name, SchoolYear.school_year_code))


def _classes(fits: ColumnElement[bool], _called: str) -> Select[Any]:
    found = _line(Course, Course.course_id, _CALLED, about=Course.course_name, place=SchoolYear.school_year_code)
    order = SchoolYear.school_year_code.desc(), func.length(Course.section), Course.level, Course.section
    return found.join(SchoolYear).where(fits).order_by(*order, Course.course_id)


def _is_subject(sought: list[str]) -> ColumnElement[bool]:
    key = func.fsms_name_key(Subject.subject_name)
    return and_(true(), *(key.contains(text.name_key(word) or word, autoescape=True) for word in sought))


def _subjects(fits: ColumnElement[bool], _called: str) -> Select[Any]:
    found = _line(Subject, Subject.subject_id, Subject.subject_name)
    return found.where(fits).order_by(Subject.subject_name, Subject.subject_id)


_FITTING: dict[type[Base], Callable[[list[str]], ColumnElement[bool]]] = {
    Student: _is_pupil,
    Guardian: _is_guardian,
    Course: _is_class,
    User: _is_staff,
    Subject: _is_subject,
}
_LINES: dict[type[Base], Callable[[ColumnElement[bool], str], Select[Any]]] = {
    Student: _pupils,
    Guardian: _guardians,
    Course: _classes,
    User: _staff,
    Subject: _subjects,
}
