"""Which days a school year has, and which semester a day belongs to. Reads only."""

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import or_, select

from fsms.activity import AnySession
from fsms.errors import SchoolError
from fsms.models import SchoolYear, Semester


def _(sentence: str) -> str:
    """Mark a sentence for the translators; the screen translates it when it is shown."""
    return sentence


class NoSemester(SchoolError):
    """A day belongs to no semester, so nothing that needs one can be written for it."""


@dataclass(frozen=True)
class Span:
    """The first and the last day of something."""

    first: dt.date
    last: dt.date

    def __contains__(self, day: dt.date) -> bool:
        """Say whether the day is one of them."""
        return self.first <= day <= self.last

    def nearest(self, day: dt.date) -> dt.date:
        """Give the day itself or, outside, the end that is closer."""
        return min(max(day, self.first), self.last)


def days_of(session: AnySession, year: SchoolYear) -> Span:
    """Say which days a school year has: those of its semesters or, where these have no dates, September to August."""
    return days_of_all(session, [year])[year.school_year_id]


def days_of_all(session: AnySession, years: Collection[SchoolYear]) -> dict[int, Span]:
    """Say which days several school years have, by their numbers."""
    codes = [code for year in years for code in _codes(year)]
    linked = Semester.school_year_id.in_([year.school_year_id for year in years])
    asked = select(Semester).where(or_(linked, Semester.school_year_id.is_(None) & Semester.semester_code.in_(codes)))
    found = session.scalars(asked).all()
    return {year.school_year_id: _span(year, [half for half in found if _belongs(half, year)]) for year in years}


def _belongs(half: Semester, year: SchoolYear) -> bool:
    if half.school_year_id is not None:
        return half.school_year_id == year.school_year_id
    return half.semester_code in _codes(year)


def _span(year: SchoolYear, halves: Sequence[Semester]) -> Span:
    begins = _begins(year)
    firsts = [half.start_date for half in halves if half.start_date]
    lasts = [half.end_date for half in halves if half.end_date]
    first = min(firsts, default=dt.date(begins, 9, 1))
    return Span(first, max(lasts) if len(lasts) > 1 else dt.date(begins + 1, 8, 31))


def years_not_over(session: AnySession, today: dt.date) -> list[SchoolYear]:
    """Find the school years that are not over, of the two newest; in the holidays between two, the newest."""
    newest = list(session.scalars(select(SchoolYear).order_by(SchoolYear.school_year_code.desc()).limit(2)))
    return [year for year in newest if days_of(session, year).last >= today] or newest[:1]


def semesters_of(session: AnySession, year: SchoolYear) -> Sequence[Semester]:
    """List the semesters of a school year, by their link or, without one, by their code: S1-2024, S2-2024."""
    by_code = Semester.school_year_id.is_(None) & Semester.semester_code.in_(_codes(year))
    found = select(Semester).where(or_(Semester.school_year_id == year.school_year_id, by_code))
    return session.scalars(found.order_by(Semester.start_date, Semester.semester_code, Semester.semester_id)).all()


def semester_on(session: AnySession, day: dt.date, year: SchoolYear) -> Semester:
    """Find the semester of a day: the one whose dates hold it, whatever its year.

    Where none has dates there, September to December are the first of the school year, January to August the second.
    """
    dated = select(Semester).where(Semester.start_date <= day, Semester.end_date >= day)
    if found := session.scalars(dated).first():
        return found
    undated = [half for half in semesters_of(session, year) if half.start_date is None]
    code = _codes(year)[0 if day.month >= 9 else 1]
    for half in undated:
        if half.semester_code == code:
            return half
    raise NoSemester(
        _("No semester of %(year)s holds %(day)s. Enter the dates of the semesters first."),
        year=year.school_year_code,
        day=f"{day:%d/%m/%Y}",
    )


def _codes(year: SchoolYear) -> tuple[str, str]:
    return f"S1-{_begins(year)}", f"S2-{_begins(year)}"


def _begins(year: SchoolYear) -> int:
    return int(year.school_year_code[:4])
