"""From the marks of a class to the averages, ranks and means of a month, a semester or a year.

What a pupil owes is what the class has: a month's subject in which anybody still in the class has a mark. Who has
neither mark nor excuse there is incomplete, gets an average but no rank, and stays out of the mean. What was marked
while a pupil was not in the class is not owed, and left out. A dropped pupil keeps the own averages and counts for
nobody else's.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from fractions import Fraction
from functools import cache, cached_property, partial

from fsms.grading.marks import BLANK, Cell, Mark
from fsms.grading.ranks import Rank, ranks
from fsms.grading.schemes import Level, Scheme, Subject, attendance_factor
from fsms.grading.traces import NO_FACTOR, Factor, Figure, LeftOut, Rule, Term, What, Why, figure


@dataclass(frozen=True)
class Pupil:
    """A pupil of the class with marks and, where the scheme asks for them, the absences of each month.

    `outside` are the months and days, of those with marks, at which the pupil was not in the class.
    """

    id: int
    marks: Mapping[Cell, Mark]
    dropped: bool = False
    absences: Mapping[str, Fraction] = field(default_factory=dict)
    outside: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Standing:
    """Where one pupil stands."""

    pupil: int
    subjects: Mapping[int, Figure]
    average: Figure
    dropped: bool = False
    rank: Rank | None = None

    @property
    def incomplete(self) -> bool:
        """Whether marks are missing, so that there is no rank."""
        return not self.dropped and not self.average.complete and not self.average.outside


@dataclass(frozen=True)
class Standings:
    """Where a class stands, in the order in which its pupils were given."""

    pupils: tuple[Standing, ...]
    subjects: Mapping[int, Figure]  # the means of the class
    mean: Figure

    def of(self, pupil: int) -> Standing:
        """Find one pupil."""
        return self._by_pupil[pupil]

    @cached_property
    def _by_pupil(self) -> dict[int, Standing]:
        return {standing.pupil: standing for standing in self.pupils}

    @property
    def incomplete(self) -> tuple[int, ...]:
        """The pupils without a rank because marks are missing."""
        return tuple(standing.pupil for standing in self.pupils if standing.incomplete)

    @property
    def dropped(self) -> tuple[int, ...]:
        """The pupils who left the class."""
        return tuple(standing.pupil for standing in self.pupils if standing.dropped)

    @property
    def in_order_of_rank(self) -> tuple[Standing, ...]:
        """The ranked pupils, the best first; those who share a place in the order of the class."""
        ranked = [(standing.rank.place, n) for n, standing in enumerate(self.pupils) if standing.rank]
        return tuple(self.pupils[n] for _, n in sorted(ranked))

    def ranks_in(self, subject: int) -> dict[int, Rank]:
        """Rank the class in one subject."""
        found = {s.pupil: s.subjects[subject] for s in self.pupils if not s.dropped and subject in s.subjects}
        return ranks(found)


def month(
    scheme: Scheme, level: int, subjects: Sequence[Subject], pupils: Sequence[Pupil], semester: int, month: str
) -> Standings:
    """Reckon a month of a semester."""
    gradebook = _Gradebook(scheme.level(level), scheme, subjects, pupils)
    return gradebook.standings(
        lambda pupil, subject: gradebook.month_of_subject(pupil, subject, semester, month),
        lambda pupil: gradebook.month(pupil, semester, month),
    )


def semester(
    scheme: Scheme, level: int, subjects: Sequence[Subject], pupils: Sequence[Pupil], semester: int
) -> Standings:
    """Reckon a semester."""
    return _Gradebook(scheme.level(level), scheme, subjects, pupils).in_semester(semester)


def year(
    scheme: Scheme, level: int, subjects: Sequence[Subject], pupils: Sequence[Pupil], semesters: Sequence[int]
) -> Standings:
    """Reckon a year of these semesters."""
    return _Gradebook(scheme.level(level), scheme, subjects, pupils).in_year(semesters)


def year_and_semesters(
    scheme: Scheme, level: int, subjects: Sequence[Subject], pupils: Sequence[Pupil], semesters: Sequence[int]
) -> tuple[Standings, list[Standings]]:
    """Reckon a year and each of its semesters; what they share is reckoned once."""
    gradebook = _Gradebook(scheme.level(level), scheme, subjects, pupils)
    return gradebook.in_year(semesters), [gradebook.in_semester(semester) for semester in semesters]


class _Reckoned(Mapping[int, Figure]):
    """The figures of subjects by their numbers, each reckoned when it is asked for.

    The page of a pupil shows the subjects of one, and needs of the others in the class their averages only.
    """

    def __init__(self, subjects: Mapping[int, Subject], reckon: Callable[[Subject], Figure]) -> None:
        self._subjects, self._reckon = subjects, reckon
        self._made: dict[int, Figure] = {}

    def __getitem__(self, number: int) -> Figure:
        if number not in self._made:
            self._made[number] = self._reckon(self._subjects[number])
        return self._made[number]

    def __iter__(self) -> Iterator[int]:
        return iter(self._subjects)

    def __len__(self) -> int:
        return len(self._subjects)


class _Gradebook:
    """The marks of a class and the rules of its level. Each figure is a method that names its terms."""

    def __init__(self, level: Level, scheme: Scheme, subjects: Sequence[Subject], pupils: Sequence[Pupil]) -> None:
        self.level, self.scheme, self.subjects, self.pupils = level, scheme, subjects, pupils
        used = {
            cell for pupil in pupils if not pupil.dropped for cell, mark in pupil.marks.items() if not mark.is_blank
        }
        self.columns = sorted(used)
        self.maximum = {subject.id: level.maximum_of(subject.name) for subject in subjects}
        self._made: dict[tuple[What, bool], Figure] = {}
        self._months_of_class: dict[int, list[str]] = {}
        self._of_subject: dict[tuple[int, int], list[Cell]] = {}
        for cell in self.columns:
            self._of_subject.setdefault((cell.semester, cell.subject), []).append(cell)

    def in_semester(self, semester: int) -> Standings:
        """Put the pupils beside one another as they stand in a semester."""
        return self.standings(
            lambda pupil, subject: self.semester_of_subject(pupil, subject, semester),
            lambda pupil: self.semester(pupil, semester),
        )

    def in_year(self, semesters: Sequence[int]) -> Standings:
        """Put them beside one another as they stand in a year."""
        return self.standings(
            lambda pupil, subject: self.year_of_subject(pupil, subject, semesters),
            lambda pupil: self.year(pupil, semesters),
        )

    def standings(
        self, of_subject: Callable[[Pupil, Subject], Figure], overall: Callable[[Pupil], Figure]
    ) -> Standings:
        """Put the figures of all pupils beside one another: ranks and means."""
        found = [
            Standing(pupil.id, self._each(partial(of_subject, pupil)), overall(pupil), pupil.dropped)
            for pupil in self.pupils
        ]
        places = ranks({standing.pupil: standing.average for standing in found if not standing.dropped})
        ranked = tuple(replace(standing, rank=places.get(standing.pupil)) for standing in found)
        means = self._each(partial(self._mean_of_class, ranked))
        return Standings(ranked, means, self._mean_of_class(ranked, None))

    def _each(self, reckon: Callable[[Subject], Figure]) -> Mapping[int, Figure]:
        return _Reckoned({subject.id: subject for subject in self.subjects}, reckon)

    def _mean_of_class(self, standings: Sequence[Standing], subject: Subject | None) -> Figure:
        terms, left_out = [], []
        for standing in standings:
            own = standing.subjects[subject.id] if subject else standing.average
            what = What(pupil=standing.pupil)
            if standing.dropped:
                left_out.append(LeftOut(what, Why.DROPPED))
            elif own.missing:
                left_out.append(LeftOut(what, Why.INCOMPLETE))
            elif own.value is None:
                left_out.append(LeftOut(what, _why_without_value(own)))
            else:
                terms.append(Term(what, own.value, figure=own))
        of = What(subject=subject.id if subject else None)
        return figure(of, Rule.MEAN, self._out_of(subject), terms, left_out=tuple(left_out))

    def _out_of(self, subject: Subject | None) -> Decimal:
        return self.maximum[subject.id] if subject else self.level.out_of

    # ---- A month ---------------------------------------------------------------------------------------------------

    def month_of_subject(
        self, pupil: Pupil, subject: Subject, semester: int, month: str, *, adjusted: bool = True
    ) -> Figure:
        """The mark of a subject in a month; several of one month, on different days, are averaged."""
        columns = [cell for cell in self._columns_of(pupil, semester, subject.id) if cell.month == month]
        factor = self._factor(pupil, month) if adjusted else NO_FACTOR
        return self._mean_of_marks(pupil, What(pupil.id, semester, subject.id, month), columns, factor)

    def month(self, pupil: Pupil, semester: int, month: str) -> Figure:
        """The average of a month over all subjects."""
        parts = [
            (subject, self.month_of_subject(pupil, subject, semester, month, adjusted=False))
            for subject in self.subjects
        ]
        what = What(pupil.id, semester, None, month)
        factor = self._factor(pupil, month)
        if self.level.divisor is None:
            return self._mean(what, self.level.out_of, [part for _, part in parts], factor=factor)
        return self._over_divisor(what, parts, self.level.divisor, factor)

    def _over_divisor(
        self, what: What, parts: Sequence[tuple[Subject, Figure]], divisor: Fraction, factor: Factor
    ) -> Figure:
        """Divide the month's total by what the level's subjects make together, less those that are not owed."""
        terms, left_out = [], []
        for subject, part in parts:
            if part.value is not None:
                terms.append(Term(part.what, part.value, figure=part))
            elif part.missing and self.level.blank_is_zero:
                terms.append(Term(part.what, Fraction(0), blank=True))
            else:
                why = _why_without_value(part)
                left_out.append(LeftOut(part.what, why))
                divisor -= self.level.share_of(subject.name) if why in _NOT_OWED else 0
        return figure(
            what, Rule.DIVISOR, self.level.out_of, terms, divisor=divisor, factor=factor, left_out=tuple(left_out),
            missing=_missing_in(part for _, part in parts),
        )  # fmt: skip

    # ---- A semester ------------------------------------------------------------------------------------------------

    def semester_of_subject(self, pupil: Pupil, subject: Subject, semester: int) -> Figure:
        """A subject's average over a semester: of all its marks or, with an exam month, of its two halves."""
        what = What(pupil.id, semester, subject.id)
        if not self.scheme.exam_month:
            return self._mean_of_marks(pupil, what, self._columns_of(pupil, semester, subject.id), NO_FACTOR)
        return self._halves(
            what,
            self.maximum[subject.id],
            [self.month_of_subject(pupil, subject, semester, month) for month in self._months(pupil, semester)],
        )

    def semester(self, pupil: Pupil, semester: int) -> Figure:
        """The average of a semester: of its subjects, each counting the same or, with an exam month, of its halves."""
        what = What(pupil.id, semester)
        if not self.scheme.exam_month:
            return self._mean(
                what, self.level.out_of, [self.semester_of_subject(pupil, s, semester) for s in self.subjects]
            )
        return self._halves(
            what, self.level.out_of, [self.month(pupil, semester, month) for month in self._months(pupil, semester)]
        )

    def _halves(self, what: What, out_of: Decimal, months: list[Figure]) -> Figure:
        """Put the last month of the class beside the mean of those before it; a half that is not there is no 0."""
        terms, left_out = [], []
        *earlier, exam = months or [figure(what, Rule.MEAN, out_of, [])]
        before = self._mean(What(what.pupil, what.semester, what.subject), out_of, earlier)
        for half in (exam, before):
            if half.value is not None:
                terms.append(Term(half.what, half.value, figure=half))
            elif half.left_out:
                left_out.append(LeftOut(half.what, _why_without_value(half)))
        return figure(what, Rule.HALVES, out_of, terms, left_out=tuple(left_out), missing=exam.missing | before.missing)

    # ---- A year ----------------------------------------------------------------------------------------------------

    def year_of_subject(self, pupil: Pupil, subject: Subject, semesters: Sequence[int]) -> Figure:
        """A subject's average over a year: the mean of its semesters."""
        parts = [self.semester_of_subject(pupil, subject, semester) for semester in semesters]
        return self._mean(What(pupil.id, None, subject.id), self.maximum[subject.id], parts)

    def year(self, pupil: Pupil, semesters: Sequence[int]) -> Figure:
        """The average of a year: the mean of its semesters."""
        parts = [self.semester(pupil, semester) for semester in semesters]
        return self._mean(What(pupil.id), self.level.out_of, parts)

    # ---- What they are made of -------------------------------------------------------------------------------------

    def _mean_of_marks(self, pupil: Pupil, what: What, columns: Sequence[Cell], factor: Factor) -> Figure:
        """Average a pupil's marks of one subject in these columns."""
        # A month of a pupil has one factor, so it is enough to know whether it was applied.
        key = (what, factor is NO_FACTOR)
        if made := self._made.get(key):
            return made
        assert what.subject is not None
        terms, left_out, missing = [], [], set()
        for cell in columns:
            of = What(pupil.id, cell.semester, cell.subject, cell.period)
            mark = pupil.marks.get(cell, BLANK)
            if mark.value is not None:
                terms.append(Term(of, _exact(mark.value)))
            else:
                why = Why.EXCUSED if mark.excused else Why.OUTSIDE if cell.period in pupil.outside else Why.BLANK
                left_out.append(LeftOut(of, why))
                missing |= {cell} if why is Why.BLANK else set()
        rule = Rule.MARK if what.period and len(terms) == 1 else Rule.MEAN
        made = self._made[key] = figure(
            what, rule, self.maximum[what.subject], terms, factor=factor, left_out=tuple(left_out),
            missing=frozenset(missing),
        )  # fmt: skip
        return made

    def _mean(self, what: What, out_of: Decimal, parts: Sequence[Figure], *, factor: Factor = NO_FACTOR) -> Figure:
        """Average the parts that have a value; none counts as 0."""
        terms = [Term(part.what, part.value, figure=part) for part in parts if part.value is not None]
        left_out = tuple(LeftOut(part.what, _why_without_value(part)) for part in parts if part.value is None)
        return figure(what, Rule.MEAN, out_of, terms, factor=factor, left_out=left_out, missing=_missing_in(parts))

    def _columns_of(self, pupil: Pupil, semester: int, subject: int) -> list[Cell]:
        """List the columns that the pupil owes: those of the class; of somebody dropped, those with a mark."""
        if not pupil.dropped:
            return self._of_subject.get((semester, subject), [])
        own = (cell for cell, mark in pupil.marks.items() if not mark.is_blank)
        return sorted(cell for cell in own if (cell.semester, cell.subject) == (semester, subject))

    def _months(self, pupil: Pupil, semester: int) -> list[str]:
        """List the months of a semester in which the class has marks; the last one is the exam month."""
        if semester not in self._months_of_class:
            found = {cell.month for cell in self.columns if cell.semester == semester}
            self._months_of_class[semester] = sorted(found)
        own = {cell.month for cell in pupil.marks if cell.semester == semester} if pupil.dropped else set()
        return sorted({*self._months_of_class[semester], *own})

    def _factor(self, pupil: Pupil, month: str) -> Factor:
        return attendance_factor(pupil.absences.get(month, Fraction())) if self.scheme.by_attendance else NO_FACTOR


_exact = cache(Fraction)  # a class has thousands of marks, and few different ones


def _missing_in(parts: Iterable[Figure]) -> frozenset[Cell]:
    return frozenset().union(*(part.missing for part in parts))


def _why_without_value(part: Figure) -> Why:
    """Say why a figure has no value: a mark is still to come, none is owed, or there is nothing at all."""
    if part.missing:
        return Why.BLANK
    found = {one.why for one in part.left_out}
    return next((why for why in _NOT_OWED if why in found), Why.NO_MARKS)


_NOT_OWED = (Why.EXCUSED, Why.OUTSIDE)
