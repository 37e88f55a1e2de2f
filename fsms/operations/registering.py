"""Registering a pupil: with the family and the first class in one act, and not twice by mistake. Never commits."""

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import cast

from sqlalchemy import Table, func, inspect, or_, select

from fsms import text
from fsms.activity import AnySession, deed, record
from fsms.errors import SchoolError
from fsms.models import Course, Enrollment, FamilyInfo, Guardian, Student
from fsms.operations import enrolling, siblings
from fsms.policy import actor_of


def _(sentence: str) -> str:
    """Mark a sentence for the translators; the screen translates it when it is shown."""
    return sentence


class Likeness(StrEnum):
    """Why two records may be one pupil."""

    NAME_AND_BIRTHDAY = "the same name and date of birth"
    PHONE = "the same phone"


@dataclass(frozen=True)
class Alike:
    """A pupil who is there already, and why this may be the same one."""

    student_id: int
    name: str
    why: Likeness


class PerhapsTwice(SchoolError):
    """The pupil may be on record already; whoever knows better says so, with the reason."""

    def __init__(self, alike: Sequence[Alike]) -> None:
        """Keep who was found."""
        super().__init__(_("This pupil may be on record already. Look at the other one first."))
        self.alike = tuple(alike)


# ---- The act -------------------------------------------------------------------------------------------------------


def register(
    session: AnySession, pupil: Student, course_id: int | None, *, on: dt.date, although: str = ""
) -> uuid.UUID:
    """Take a new pupil in, with guardians and family as they hang on the record, and enrol in the first class.

    Return the batch by which it can be undone. Raises PerhapsTwice unless somebody has said why the pupil is another
    one than those who look alike.
    """
    others = _others(session, pupil, although)
    facts = _facts(others, although)
    with deed(session, "register_student", _SENTENCES[bool(others)], pupil=pupil.full_name, **facts) as batch:
        session.add(pupil)
        session.flush()
        if course_id is not None:
            enrolling.enrol(session, [pupil.student_id], course_id, on=on)
    return batch


_SENTENCES = {
    False: _("Registered %(pupil)s"),
    True: _("Registered %(pupil)s, who is not %(others)s: %(reason)s"),
}


def refuse_a_second(session: AnySession, pupil: Student, *, although: str = "") -> None:
    """Ask, where the name, birthday or phone of a pupil is changed, whether this is somebody else who is on record.

    Raises PerhapsTwice unless somebody has said why it is not; the reason is kept in the log.
    """
    if not any(
        inspect(pupil).attrs[name].history.has_changes() for name in ("last_name", "first_name", "dob", "phone")
    ):
        return
    if others := _others(session, pupil, although):
        facts = {"pupil": str(pupil)} | _facts(others, although)
        told = {"sentence": _("%(pupil)s is not %(others)s: %(reason)s"), "facts": facts}
        record(session, "keep_alike", actor_of(session), told, entity="Student", entity_id=pupil.student_id)


def _others(session: AnySession, pupil: Student, although: str) -> list[Alike]:
    others = alike(session, pupil)
    if others and not although:
        raise PerhapsTwice(others)
    return others


def _facts(others: Sequence[Alike], although: str) -> dict[str, str]:
    return {"others": ", ".join(other.name for other in others), "reason": although} if others else {}


# ---- Pupils who may be the same ------------------------------------------------------------------------------------


def alike(session: AnySession, pupil: Student) -> list[Alike]:
    """Find the pupils whose name reads the same and who were born on the same day, or who have the same phone."""
    table = cast(Table, Student.__table__).c
    name = text.name_key(f"{pupil.last_name or ''}{pupil.first_name or ''}")
    turned = text.name_key(f"{pupil.first_name or ''}{pupil.last_name or ''}")
    numbers = siblings.numbers_in([pupil.phone])
    same_name = (Student.dob == pupil.dob) & or_(table.nameKey.contains(name), table.nameKey.contains(turned))
    asked = select(Student).where(or_(same_name, *(table.phoneKey.contains(number) for number in sorted(numbers))))
    if pupil.student_id is not None:
        asked = asked.where(Student.student_id != pupil.student_id)
    return [
        Alike(other.student_id, str(other), why)
        for other in session.scalars(asked.order_by(Student.student_id))
        if (why := _likeness(pupil, other))
    ]


def _likeness(pupil: Student, other: Student) -> Likeness | None:
    """Compare exactly: an index also finds a name inside a longer one."""
    if pupil.dob == other.dob and _names(pupil) & _names(other):
        return Likeness.NAME_AND_BIRTHDAY
    if siblings.numbers_in([pupil.phone]) & siblings.numbers_in([other.phone]):
        return Likeness.PHONE
    return None


def _names(pupil: Student) -> set[str]:
    """A name in both orders: which of the two is the family's is often taken for the other."""
    last, first = text.name_key(pupil.last_name or ""), text.name_key(pupil.first_name or "")
    return {last + first, first + last}


# ---- Another child of a family -------------------------------------------------------------------------------------


OF_THE_FAMILY = (
    "student_house_number",
    "student_village",
    "student_commune",
    "student_district",
    "student_province",
)
_NOT_COPIED = frozenset({"guardian_id", "familyinfo_id", "student_id", "created_at", "updated_at", "version"})


def sibling_of(known: Student) -> Student:
    """Make the beginning of a record for another child: family name, address, guardians and family are taken over."""
    child = Student(last_name=known.last_name, **{name: getattr(known, name) for name in OF_THE_FAMILY})
    child.guardians = [Guardian(**_copied(guardian)) for guardian in known.guardians]
    child.family = FamilyInfo(**_copied(known.family)) if known.family else None
    return child


def _copied(row: Guardian | FamilyInfo) -> dict[str, object]:
    keys = (attribute.key for attribute in row.__mapper__.column_attrs)
    return {key: getattr(row, key) for key in keys if key not in _NOT_COPIED}


# ---- Classes to choose from ----------------------------------------------------------------------------------------


def courses_of(session: AnySession, year_id: int) -> list[tuple[Course, int]]:
    """List the classes of a school year, grade 2 before grade 10, each with the number of its pupils."""
    pupils = (
        select(func.count())
        .where(Enrollment.course_id == Course.course_id, ~Enrollment.drop)
        .correlate(Course)
        .scalar_subquery()
    )
    asked = select(Course, pupils).where(Course.school_year_id == year_id)
    found = session.execute(asked.order_by(Course.level, Course.section, Course.course_id))
    return [(course, number) for course, number in found]
