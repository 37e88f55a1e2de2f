"""Enrolling, dropping, moving and leaving: for administrators. Each act shows its effect first, and offers Undo after.

The addresses are answered here; `drops_requests` reads what is typed. Every page works without a script.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NoReturn
from urllib.parse import urlencode

from flask import Response, abort, flash, redirect, request, url_for
from flask_admin import BaseView, expose
from flask_babel import gettext, ngettext
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm.exc import StaleDataError

from fsms import activity, clock, policy, sign_in
from fsms.admin_views import drops_requests, formatters, scheme
from fsms.admin_views.base import words
from fsms.admin_views.by_role import reader, refuse
from fsms.admin_views.drops_requests import Typed
from fsms.admin_views.lookups import record_id
from fsms.database import db
from fsms.errors import SchoolError
from fsms.models import Course, Enrollment, Student
from fsms.operations import enrolling
from fsms.operations import places as places_of
from fsms.operations.enrolling import SecondClass
from fsms.policy import Verb
from fsms.reports import drops, effects
from fsms.reports.effects import Preview
from fsms.vocabulary import DropReason, Gender, GradeLevel, StudentStatus, label_of

PAGE = 50


def _(sentence: str) -> str:
    """Mark a sentence for the translators; the screen translates it when it is shown."""
    return sentence


MOST_AT_ONCE = 100
_NO_ERRORS: Mapping[str, str] = {}


class DropsView(BaseView):
    """Who left which class, and everything that changes it."""

    def is_accessible(self) -> bool:
        """Show it to those who may enrol and drop."""
        return policy.may(reader(), Verb.EDIT, Enrollment)

    def inaccessible_callback(self, name: str, **_kwargs: Any) -> NoReturn:
        """Say why not."""
        refuse(Verb.EDIT, Enrollment)

    # ---- The list --------------------------------------------------------------------------------------------------

    @expose("/")
    def index(self) -> Any:
        """List the drops; an address that names pupils or places leads to dropping them."""
        if "student" in request.args or "enrollment" in request.args:
            return redirect(f"{url_for('.drop_view')}?{request.query_string.decode()}")
        asked = drops_requests.asked()
        page = drops_requests.page()
        found = drops.listed(db.session, asked, first=page * PAGE, most=PAGE)
        return self._page(
            "index",
            asked=asked,
            arguments=drops_requests.arguments_of(asked),
            drops=found,
            choices=drops.choices(db.session, asked),
            page=page,
            pages=-(-found.total // PAGE),
            page_address=_page_address,
        )

    @expose("/export/csv/")
    def export(self) -> Response:
        """Give the whole list as a file, and tell the log."""
        asked = drops_requests.asked()
        found = drops.listed(db.session, asked)
        facts = {"rows": found.total, "filters": drops_requests.arguments_of(asked)}
        with sign_in.as_system() as apart:
            activity.record(apart, "export_drops", reader() or policy.SYSTEM, facts, entity=Enrollment.__tablename__)
        name = f"friendship-school-drops-{clock.today():%Y-%m-%d}.csv"
        return drops_requests.csv_answer(name, _headings(), _cells(found.lines))

    # ---- Dropping --------------------------------------------------------------------------------------------------

    @expose("/find/")
    def find_view(self) -> str:
        """Find pupils in their classes, and choose those who are to be dropped."""
        course = _course(request.args.get("course"))
        typed = request.args.get("q", "")
        found = []
        if typed.strip() or course:
            found = drops.candidates(db.session, typed, course.course_id if course else None, today=clock.today())
        return self._page("find", found=found, typed=typed, course=course, classes=_classes())

    @expose("/drop/", methods=["GET", "POST"])
    def drop_view(self) -> Any:
        """Show what dropping these pupils would do; do it when it is confirmed."""
        places = _places_asked_for()
        if not places:
            return redirect(url_for(".find_view"))
        numbers = [place.enrollment_id for place in places]
        form = Typed.of_request()

        def preview() -> Preview:
            return effects.of_drop(db.session, numbers, form.looking(), today=clock.today(), scheme=scheme.in_use())

        def act() -> str:
            done = enrolling.drop(db.session, numbers, form.leaving(), today=clock.today())
            if len(done) == 1:
                return gettext("%(pupil)s is dropped.", pupil=done[0].student)
            return gettext("%(num)d pupils are dropped.", num=len(done))

        return self._shown_or_done("drop", form, preview, act, lambda: {"places": _places_of(numbers)})

    @expose("/move/", methods=["GET", "POST"])
    def move_view(self) -> Any:
        """Show what moving a pupil to another class would do; do it when it is confirmed."""
        place = next(iter(_places_asked_for()), None) or abort(404)
        number, old = place.enrollment_id, place.course
        form = Typed.of_request(reason=DropReason.OTHER_CLASS.value)
        to = _course(request.values.get("course"))

        def preview() -> Preview | None:
            return (
                None
                if to is None
                else effects.of_move(
                    db.session,
                    number,
                    to.course_id,
                    form.looking(),
                    today=clock.today(),
                    scheme=scheme.in_use(),
                )
            )

        def act() -> str:
            if to is None:
                raise SchoolError(_("Choose the class to move to."), about="course")
            new = enrolling.move(db.session, number, to.course_id, form.leaving(), today=clock.today())[1]
            return gettext("%(pupil)s is in %(course)s now.", pupil=new.student, course=new.course)

        def shown() -> dict[str, Any]:
            classes = [course for course in _classes(old.school_year_id) if course is not old]
            fit = effects.fit(db.session, old, to) if to else None
            return {
                "places": _places_of([number]),
                "classes": classes,
                "to": to,
                "mapping": fit,
                "reasons": [*DropReason],
            }

        return self._shown_or_done("move", form, preview, act, shown)

    @expose("/leave/", methods=["GET", "POST"])
    def leave_view(self) -> Any:
        """Show what a pupil's leaving the school would do; do it when it is confirmed."""
        pupil = db.session.get(Student, record_id(request.values.get("student")) or 0) or abort(404)
        number = pupil.student_id
        form = Typed.of_request()

        def preview() -> Preview:
            return effects.of_leaving(
                db.session,
                number,
                form.looking(),
                status=form.status,
                today=clock.today(),
                scheme=scheme.in_use(),
            )

        def act() -> str:
            enrolling.leave_school(db.session, number, form.leaving(), status=form.status, today=clock.today())
            return gettext("%(pupil)s has left the school.", pupil=pupil)

        def shown() -> dict[str, Any]:
            places = places_of.open_on(db.session, [number], on=clock.today())
            return {"pupil": pupil, "places": places, "statuses": drops_requests.LEAVING_AS}

        return self._shown_or_done("leave", form, preview, act, shown)

    @expose("/back/", methods=["GET", "POST"])
    def back_view(self) -> Any:
        """Re-enrol a pupil: in one click from today on, or on a day that is chosen; a second class is asked about."""
        number = record_id(request.values.get("enrollment")) or abort(404)
        if request.method == "GET":
            return self._asked_back(number)
        try:
            return _done(_back(number))
        except SecondClass as error:
            return self._asked_back(number, sentence=words(error))
        except (SchoolError, StaleDataError, DBAPIError) as error:
            db.session.rollback()
            if isinstance(error, SchoolError) and error.about == "on" and "on" in request.form:
                return self._asked_back(number, errors=_at_its_field(error))
            flash(words(error), "error")
            return redirect(url_for(".index"))

    def _asked_back(self, number: int, *, sentence: str | None = None, errors: Mapping[str, str] = _NO_ERRORS) -> Any:
        db.session.rollback()
        place = db.session.get(Enrollment, number)
        if place is None or not place.drop:
            abort(404)
        form = Typed.of_request()
        values = {
            "place": place,
            "form": form,
            "errors": errors,
            "sentence": sentence,
            "back": drops_requests.way_back(),
        }
        return self._page("confirm_back", **values)

    # ---- Enrolling -------------------------------------------------------------------------------------------------

    @expose("/enrol/", methods=["GET", "POST"])
    def enrol_view(self) -> Any:
        """Choose pupils for a class, and enrol them all at once."""
        course = _course(request.values.get("course"))
        if course is None:
            return self._page("enrol_where", classes=_classes())
        chosen, form = drops_requests.numbers("student"), Typed.of_request()
        errors: dict[str, str] = {}
        if request.method == "POST":
            try:
                return _enrolled(course, chosen, form)
            except (SchoolError, StaleDataError, DBAPIError) as error:
                db.session.rollback()
                errors = _at_its_field(error)
        return self._page("enrol", course=course, form=form, errors=errors, chosen=chosen, **_pick_list(course, chosen))

    # ---- What the acts share ---------------------------------------------------------------------------------------

    def _shown_or_done(
        self,
        name: str,
        form: Typed,
        preview: Callable[[], Preview | None],
        act: Callable[[], str],
        shown: Callable[[], dict[str, Any]],
    ) -> Any:
        """Show the effect; at a confirmation do the act, unless the effect is another one than was shown."""
        errors: dict[str, str] = {}
        seen: Preview | None = None
        try:
            seen = preview()
            if form.is_confirmed and (seen is None or seen.seal == form.seal):
                return _done(act())
        except (SchoolError, StaleDataError, DBAPIError) as error:
            db.session.rollback()
            errors = _at_its_field(error)
        changed = form.is_confirmed and not errors
        return self._page(name, form=form, errors=errors, preview=seen, changed=changed, **shown())

    def _page(self, name: str, **values: Any) -> str:
        always = {"reasons": _REASONS, "words_of": _words_of, "status_words": _status_words}
        page: str = self.render(f"admin/drops/{name}.html", **(always | values))
        return page


_REASONS = [reason for reason in DropReason if reason is not DropReason.OTHER_CLASS]


def _done(said: str, back: str | None = None) -> Any:
    """Commit an act, say so, and offer to take it back."""
    db.session.flush()
    batch = activity.batch_told(db.session)
    db.session.commit()
    flash(said, "success")
    if batch:
        flash(str(batch), "undo")
    return redirect(back or drops_requests.way_back() or url_for("drops.index"), 303)


def _back(number: int) -> str:
    typed = request.form.get("on", "").strip()
    place = enrolling.re_enrol(
        db.session,
        number,
        today=clock.today(),
        on=drops_requests.day_of(typed) if typed else None,
        second_class=request.form.get("second_class") == "yes",
    )
    return gettext("%(pupil)s is back in %(course)s.", pupil=place.student, course=place.course)


def _enrolled(course: Course, chosen: set[int], form: Typed) -> Any:
    if not chosen:
        raise SchoolError(_("Choose at least one pupil."), about="student")
    second_class = request.form.get("second_class") == "yes"
    done = enrolling.enrol(db.session, chosen, course.course_id, on=form.day(), second_class=second_class)
    said = ngettext(
        "%(num)d pupil is enrolled in %(course)s.",
        "%(num)d pupils are enrolled in %(course)s.",
        len(done),
        course=course,
    )
    return _done(said, back=url_for("course.details_view", id=course.course_id))


def _pick_list(course: Course, chosen: set[int]) -> dict[str, Any]:
    """Find whom one may choose for a class, and those of the chosen who are in another class of the year."""
    source, typed = _course(request.values.get("from")), request.values.get("q", "")
    found: Sequence[tuple[Student, str | None]] = ()
    if source or typed.strip():
        found = drops.not_in(db.session, course, typed, source.course_id if source else None)
    return {
        "found": found,
        "others": places_of.elsewhere(db.session, chosen, course) if chosen else [],
        "typed": typed,
        "source": source,
        "classes": [one for one in _classes() if one is not course],
    }


def _at_its_field(error: Exception) -> dict[str, str]:
    about = (error.about if isinstance(error, SchoolError) else None) or ""
    return {about: words(error)}


def _places_asked_for() -> Sequence[Enrollment]:
    """Find the places of the address or the form, or the open ones of its pupils; those that are no more, left out."""
    numbers = drops_requests.numbers("enrollment")
    pupils = drops_requests.numbers("student")
    if pupils and not numbers:
        numbers = {place.enrollment_id for place in places_of.open_on(db.session, pupils, on=clock.today())}
    return _places_of(sorted(numbers)[:MOST_AT_ONCE])


def _places_of(numbers: Sequence[int]) -> Sequence[Enrollment]:
    asked = places_of.with_names().where(Enrollment.enrollment_id.in_(numbers))
    return db.session.scalars(asked.order_by(*places_of.BY_NAME, Enrollment.enrollment_id)).all()


def _course(typed: str | None) -> Course | None:
    key = record_id(typed) if typed else None
    return db.session.get(Course, key) if key else None


def _classes(year: int | None = None) -> list[Course]:
    """List the classes of a school year or, without one, of the two newest."""
    return drops.classes(db.session, year)


def _page_address(number: int) -> str:
    return f"{url_for('drops.index')}?{urlencode(request.args.to_dict() | {'page': number})}"


def _words_of(facet: str, value: str) -> str:
    """Put a value of a filter into words."""
    match facet:
        case "level":
            return gettext(label_of(GradeLevel, value))
        case "reason":
            return formatters.reason_in_words(value)
        case "month":
            return formatters.period_in_text(value)
    return value


def _status_words(status: str) -> str:
    return gettext(label_of(StudentStatus, status))


def _headings() -> list[str]:
    return [
        gettext("Pupil number"),
        gettext("Pupil"),
        gettext("Sex"),
        gettext("Course"),
        gettext("Dropped on"),
        gettext("Dropped in semester"),
        gettext("Reason"),
    ]


def _cells(lines: Sequence[drops.Line]) -> Iterator[list[str]]:
    for line in lines:
        yield [
            str(line.student_id),
            line.pupil,
            gettext(label_of(Gender, line.gender)),
            line.course,
            line.day.isoformat(),
            line.semester,
            formatters.reason_in_words(line.reason),
        ]
