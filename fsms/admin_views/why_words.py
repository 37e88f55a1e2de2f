"""Putting the trace of a figure into words: its terms, what they were divided by, what was left out and why."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from typing import Any

from flask import current_app, url_for
from flask_babel import get_locale, gettext, ngettext

from fsms import grading
from fsms.admin_views import formatters
from fsms.admin_views.screen import in_digits
from fsms.grading import Cell, Figure, LeftOut, Rank, Rule, Term, What, Why
from fsms.reports.marks import Line, Sheet

LONGEST_SUM = 12
"""So many terms are written out one by one; a longer sum is told by its result."""

NEIGHBOURS = 2


@dataclass(frozen=True)
class Part:
    """A term or what was left out: what it is, what it counts, and where it is explained itself."""

    what: str
    value: str = ""
    note: str = ""
    url: str | None = None
    inner: bool = False  # belongs to the one before it


@dataclass(frozen=True)
class Neighbour:
    """A pupil near the place that is explained."""

    place: str
    name: str
    value: str
    apart: str
    is_it: bool
    url: str


@dataclass(frozen=True)
class Explanation:
    """What the page shows."""

    question: str
    about: str
    value: str
    out_of: str = ""
    letter: str = ""
    mention: str = ""
    sentences: tuple[str, ...] = ()
    reckoning: str = ""
    terms: tuple[Part, ...] = ()
    left_out: tuple[Part, ...] = ()
    missing: tuple[Part, ...] = ()
    neighbours: tuple[Neighbour, ...] = ()
    unranked: tuple[Part, ...] = ()
    see_also: tuple[Part, ...] = ()


def shown(value: Fraction | Decimal | None, places: int = 2) -> str:
    """Write a figure as the sheets show it; nothing is a dash and never 0."""
    return "—" if value is None else in_digits(grading.rounded(value, places))


def exactly(value: Fraction | Decimal) -> str:
    """Write a term so that a person can reckon with it: four places at most, and no idle zeros."""
    return in_digits(grading.written(grading.rounded(value, 4)))


def mention(letter: grading.Letter) -> str:
    """Give the mention of a letter in the reader's language."""
    return letter.khmer if str(get_locale()) == "km" else letter.english


class Words:
    """The words for one sheet."""

    def __init__(self, sheet: Sheet, semester_id: int | None) -> None:
        """Take the sheet, and the semester that the addresses of its figures name."""
        self.sheet, self.semester_id = sheet, semester_id
        self.subjects = {subject.subject_id: subject.name for subject in sheet.subjects}
        self.semesters = {semester.semester_id: semester.code for semester in sheet.semesters}
        self.names = {line.student_id: line.name for line in (*sheet.lines, *sheet.dropped)}

    # ---- Whole explanations ----------------------------------------------------------------------------------------

    def of_pupil(self, line: Line, subject: int | None) -> Explanation:
        """Explain an average, or a pupil's figure in a subject."""
        standing = line.standing
        figure = standing.average if subject is None else standing.subjects[subject]
        rank = self._ranks(subject).get(line.student_id)
        see_also = [self._mean_part(subject)]
        if rank:
            see_also.insert(
                0, Part(gettext("Rank"), self._place(rank), url=self._url(line.student_id, "rank", subject))
            )
        told = replace(self._told(figure), see_also=tuple(see_also))
        about = gettext("Average") if subject is None else self.subjects[subject]
        return replace(told, about=self._about(line.name, about))

    def of_mean(self, subject: int | None) -> Explanation:
        """Explain the mean of the class."""
        standings = self.sheet.standings
        told = self._told(standings.mean if subject is None else standings.subjects[subject])
        of = gettext("Mean of the class")
        return replace(told, about=self._about(of if subject is None else f"{of}, {self.subjects[subject]}"))

    def of_rank(self, line: Line, subject: int | None) -> Explanation:
        """Explain a rank: who is before, who shares it, who comes next, and who has none."""
        ranks = self._ranks(subject)
        rank = ranks.get(line.student_id)
        of = gettext("Rank") if subject is None else gettext("Rank in %(subject)s", subject=self.subjects[subject])
        own = self._figure(line, subject)
        return Explanation(
            question=gettext("Why rank %(place)s?", place=in_digits(rank.place)) if rank else gettext("Why no rank?"),
            about=self._about(line.name, of),
            value=self._place(rank) if rank else "—",
            sentences=tuple(self._why_place(line, rank, own)),
            neighbours=tuple(self._neighbours(line, ranks, subject)) if rank else (),
            missing=() if rank else self._missing(own),
            unranked=tuple(self._unranked(subject)),
            see_also=(
                Part(self._kind_of(subject), shown(own.value), url=self._url(line.student_id, *self._kind(subject))),
                self._mean_part(subject),
            ),
        )

    # ---- A figure --------------------------------------------------------------------------------------------------

    def _told(self, figure: Figure) -> Explanation:
        letter = grading.letter_of(figure)
        value = shown(figure.value)
        return Explanation(
            question=gettext("Why %(value)s?", value=value) if figure.value is not None else gettext("Why no figure?"),
            about="",
            value=value,
            out_of=in_digits(grading.written(figure.out_of)),
            letter=letter.letter if letter else "",
            mention=mention(letter) if letter else "",
            sentences=tuple(self._sentences(figure)),
            reckoning=self._reckoning(figure),
            terms=tuple(self._terms(figure)),
            left_out=tuple(self._left(figure, one) for one in figure.left_out),
            missing=self._missing(figure),
        )

    def _sentences(self, figure: Figure) -> Iterator[str]:
        if figure.value is None:
            yield gettext("There is nothing to reckon with yet. Nothing is not 0.")
            return
        yield _RULES[figure.rule](figure)
        if figure.rule is Rule.DIVISOR:
            yield from self._divisor(figure)
        if figure.factor.absences:
            yield gettext(
                "The result is multiplied by %(factor)s, because of absences in this month that count as %(absences)s: "
                "four or more take away a tenth.",
                factor=exactly(figure.factor.value),
                absences=exactly(figure.factor.absences),
            )
        if grading.rounded(figure.value, 4) != grading.rounded(figure.value):
            yield gettext("It is rounded for the eye only; ranks compare the exact figure.")

    def _divisor(self, figure: Figure) -> Iterator[str]:
        usual = self.sheet.scheme.level(self.sheet.course.level).divisor or figure.divisor
        if figure.divisor != usual:
            yield gettext(
                "This level divides by %(usual)s; what the pupil was excused from takes %(share)s of it away.",
                usual=exactly(usual),
                share=exactly(usual - figure.divisor),
            )

    def _reckoning(self, figure: Figure) -> str:
        """Write the sum out as one would on paper: (8 + 7 + 9) ÷ 3 = 8."""
        if figure.value is None or figure.rule is Rule.MARK:
            return ""
        values = [exactly(term.value * term.weight) for term in figure.terms]
        total = sum((term.value * term.weight for term in figure.terms), Fraction())
        added = f"({' + '.join(values)})" if 1 < len(values) <= LONGEST_SUM else exactly(total)
        over = f" ÷ {exactly(figure.divisor)}" if figure.divisor != 1 else ""
        times = f" × {exactly(figure.factor.value)}" if figure.factor.value != 1 else ""
        return f"{added}{over}{times} = {exactly(figure.value)}"

    def _terms(self, figure: Figure) -> Iterator[Part]:
        for term in figure.terms:
            yield self._term(figure, term)
            if term.figure and term.what == figure.what:  # a half has no page of its own
                yield from (replace(self._term(term.figure, one), inner=True) for one in term.figure.terms)

    def _term(self, figure: Figure, term: Term) -> Part:
        note = gettext("no mark, counts 0") if term.blank else ""
        if term.figure and term.figure.missing and not term.blank:
            note = gettext("marks are missing")
        return Part(self._label(figure.what, term.what), exactly(term.value), note, self._url_of(figure, term))

    def _left(self, figure: Figure, one: LeftOut) -> Part:
        return Part(self._label(figure.what, one.what), note=gettext(_WHYS[one.why]))

    def _missing(self, figure: Figure) -> tuple[Part, ...]:
        """Name the marks that are missing, each with the way to its cell."""
        return tuple(
            Part(
                f"{self.subjects.get(cell.subject, '')} · {formatters.period_in_text(cell.period)}",
                url=self._gradebook(cell),
            )
            for cell in sorted(figure.missing)
        )

    # ---- A rank ----------------------------------------------------------------------------------------------------

    def _why_place(self, line: Line, rank: Rank | None, own: Figure) -> Iterator[str]:
        if rank is None:
            yield self._why_none(line, own)
            return
        if rank.place == 1:
            yield gettext("Nobody has a higher average.")
        else:
            yield ngettext(
                "%(num)d pupil has a higher average, so this is place %(place)s of %(of)s.",
                "%(num)d pupils have a higher average, so this is place %(place)s of %(of)s.",
                rank.place - 1,
                place=in_digits(rank.place),
                of=in_digits(rank.of),
            )
        if rank.tied > 1:
            yield gettext(
                "%(tied)s pupils have exactly this average and share the place; the next one is %(next)s.",
                tied=in_digits(rank.tied),
                next=in_digits(rank.place + rank.tied),
            )
        yield gettext("Exact averages are compared, not the rounded ones that are shown.")

    def _why_none(self, line: Line, own: Figure) -> str:
        if line.standing.dropped:
            return gettext("The pupil was dropped from the class, and the class is ranked without dropped pupils.")
        if own.missing:
            return ngettext(
                "%(num)d mark is missing. Enter it, or note the excuse, and there is a rank.",
                "%(num)d marks are missing. Enter them, or note the excuses, and there is a rank.",
                len(own.missing),
            )
        return gettext("There is no average to be ranked.")

    def _neighbours(self, line: Line, ranks: Mapping[int, Rank], subject: int | None) -> Iterator[Neighbour]:
        """List who shares the place, and a few on either side."""
        in_order = sorted(
            (ranks[one.student_id].place, n) for n, one in enumerate(self.sheet.lines) if one.student_id in ranks
        )
        same = [n for n, (place, _) in enumerate(in_order) if place == ranks[line.student_id].place]
        own = self._figure(line, subject).value or Fraction()
        for place, n in in_order[max(0, same[0] - NEIGHBOURS) : same[-1] + NEIGHBOURS + 1]:
            other = self.sheet.lines[n]
            value = self._figure(other, subject).value or Fraction()
            yield Neighbour(
                in_digits(place),
                other.name,
                shown(value),
                _apart(value - own),
                other is line,
                self._url(other.student_id, *self._kind(subject)),
            )

    def _unranked(self, subject: int | None) -> Iterator[Part]:
        for line in self.sheet.lines:
            own = self._figure(line, subject)
            if not own.complete:
                lacking = ngettext("%(num)d mark is missing", "%(num)d marks are missing", len(own.missing))
                note = lacking if own.missing else gettext("no average")
                yield Part(line.name, note=note, url=self._url(line.student_id, *self._kind(subject)))
        for line in self.sheet.dropped:
            yield Part(line.name, note=gettext("dropped"))

    def _ranks(self, subject: int | None) -> Mapping[int, Rank]:
        if subject is not None:
            return self.sheet.standings.ranks_in(subject)
        return {one.pupil: one.rank for one in self.sheet.standings.pupils if one.rank}

    @staticmethod
    def _place(rank: Rank) -> str:
        return gettext("%(place)s of %(of)s", place=in_digits(rank.place), of=in_digits(rank.of))

    # ---- Names and addresses ---------------------------------------------------------------------------------------

    def _figure(self, line: Line, subject: int | None) -> Figure:
        return line.standing.average if subject is None else line.standing.subjects[subject]

    def _about(self, *parts: str) -> str:
        period = [formatters.period_in_text(self.sheet.month)] if self.sheet.month else []
        semester = self.semesters.get(self.semester_id or 0) or self.sheet.course.school_year
        return " · ".join([*parts, self.sheet.course.label, semester, *period])

    def _label(self, of: What, what: What) -> str:
        """Name a term by what sets it apart from the figure it belongs to."""
        parts = []
        if what.pupil != of.pupil and what.pupil is not None:
            parts.append(self.names.get(what.pupil, ""))
        if what.semester != of.semester and what.semester is not None and what.period is None:
            parts.append(self.semesters.get(what.semester, ""))
        if what.subject != of.subject and what.subject is not None:
            parts.append(self.subjects.get(what.subject, ""))
        if what.period != of.period and what.period is not None:
            parts.append(formatters.period_in_text(what.period))
        return " · ".join(parts) or (
            formatters.period_in_text(what.period) if what.period else gettext("Mean of the months before")
        )

    def _mean_part(self, subject: int | None) -> Part:
        standings = self.sheet.standings
        mean = standings.mean if subject is None else standings.subjects[subject]
        return Part(gettext("Mean of the class"), shown(mean.value), url=self._url(None, "mean", subject))

    @staticmethod
    def _kind(subject: int | None) -> tuple[str, int | None]:
        return ("average", None) if subject is None else ("subject", subject)

    def _kind_of(self, subject: int | None) -> str:
        return gettext("Average") if subject is None else self.subjects[subject]

    def _url(self, student: int | None, kind: str, subject: int | None = None, **changed: Any) -> str:
        asked: dict[str, Any] = {
            "course": self.sheet.course.course_id,
            "semester": self.semester_id,
            "month": self.sheet.month,
            "student": student,
            "figure": kind if subject is None else f"{kind}:{subject}",
        }
        return url_for("why.index", **{name: value for name, value in (asked | changed).items() if value is not None})

    def _url_of(self, figure: Figure, term: Term) -> str | None:
        """Say where a term is explained that is more than a mark."""
        inner, what = term.figure, term.what
        if inner is None or inner.rule is Rule.MARK or what == figure.what:
            return None
        month = what.period or self.sheet.month
        return self._url(
            what.pupil,
            *self._kind(what.subject or figure.what.subject),
            semester=what.semester or self.semester_id,
            month=month[:7] if month else None,
        )

    def _gradebook(self, cell: Cell) -> str | None:
        if "gradebook.index" not in current_app.view_functions:
            return None
        course_id = self.sheet.course.course_id
        return url_for("gradebook.index", course=course_id, semester=cell.semester, month=cell.month)


def _apart(difference: Fraction) -> str:
    """Write how much more or less another average is; what is too little to be written is not nothing."""
    if not difference:
        return "="
    least = max(abs(difference), Fraction(1, 10_000))
    return f"{'+' if difference > 0 else '–'}{exactly(least)}"


def _mean(figure: Figure) -> str:
    return ngettext(
        "There is one to count, so it is the figure itself.",
        "The mean of %(num)d: their sum over %(num)d, each counting the same.",
        len(figure.terms),
    )


def _divided(figure: Figure) -> str:
    return gettext("The total of the month over %(divisor)s.", divisor=exactly(figure.divisor))


def _halved(figure: Figure) -> str:
    if len(figure.terms) > 1:
        return gettext("Half the exam month, which is the last one with marks, and half the mean of the months before.")
    return gettext("Only one half is there, so it counts alone; the other one is not 0.")


_RULES = {
    Rule.MARK: lambda _figure: gettext("It is the mark as it was entered."),
    Rule.MEAN: _mean,
    Rule.DIVISOR: _divided,
    Rule.HALVES: _halved,
}


def _(sentence: str) -> str:
    """Mark a sentence for the translators; it is translated when it is shown."""
    return sentence


_WHYS = {
    Why.BLANK: _("no mark yet"),
    Why.EXCUSED: _("excused, so it counts neither for nor against"),
    Why.OUTSIDE: _("not in the class then"),
    Why.NO_MARKS: _("no marks in it"),
    Why.DROPPED: _("dropped from the class"),
    Why.INCOMPLETE: _("marks are missing"),
}
