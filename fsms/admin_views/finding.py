"""The box on every page that finds people, classes and screens: a page of answers, and the same answers for the dialog.

`fsms.reports.finding` finds the records; the screens are the menu's, and what one does on them.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from flask import abort, current_app, jsonify, request, url_for
from flask_admin import BaseView, expose
from flask_babel import force_locale, gettext
from flask_babel import lazy_gettext as _

from fsms import policy, searching, text
from fsms.admin_views import screen
from fsms.admin_views.by_role import reader
from fsms.admin_views.lookups import record_id
from fsms.database import db
from fsms.models import Attendance, Base, Course, Enrollment, Grade, Guardian, Student, Subject, User
from fsms.operations import preferences
from fsms.policy import Verb
from fsms.reports import finding
from fsms.reports.finding import Found
from fsms.vocabulary import Relation, label_of

RECENT = "recently opened"
MOST_RECENT = 6
MOST_SCREENS = 6

GROUPS: dict[type[Base], tuple[Any, str]] = {
    Student: (_("Pupils"), "users"),
    Guardian: (_("Guardians"), "heart-handshake"),
    Course: (_("Classes"), "school"),
    User: (_("Staff"), "id-badge-2"),
    Subject: (_("Subjects"), "books"),
}
BY_TABLE = {entity.__tablename__: entity for entity in GROUPS}

# What people do, where it is done, and who may: the first of the addresses that there is.
ACTS: tuple[tuple[Any, tuple[str, ...], Verb, type[Base], str], ...] = (
    (_("Take attendance"), ("roster.index", "attendance.create_view"), Verb.CREATE, Attendance, "clipboard-check"),
    (_("Enter marks"), ("gradebook.index", "grade.create_view"), Verb.CREATE, Grade, "certificate"),
    (_("Add a pupil"), ("student.create_view",), Verb.CREATE, Student, "user-plus"),
    (_("Drops and enrolments"), ("drops.index", "enrollment.index_view"), Verb.EDIT, Enrollment, "user-off"),
    (_("Add a class"), ("course.create_view",), Verb.CREATE, Course, "plus"),
    (_("My account"), ("account",), Verb.LIST, Student, "user"),
)


@dataclass(frozen=True)
class Option:
    """One answer: where it leads, and what tells it from others of its name."""

    title: str
    url: str
    notes: tuple[str, ...] = ()
    icon: str | None = None
    photo: str | None = None
    record: str | None = None
    """How a record is named when it is remembered as opened: "Student 12"."""


@dataclass(frozen=True)
class Group:
    """Answers of one kind, and the list that has all of them."""

    title: str
    options: tuple[Option, ...]
    all_url: str | None = None


class FindView(BaseView):
    """The page of answers."""

    def is_visible(self) -> bool:
        """Stay out of the menu: the box is on every page."""
        return False

    @expose("/")
    def index(self) -> Any:
        """Show what fits; without words, what was opened last and what one mostly does."""
        typed = text.clean(request.args.get("q", ""))[: searching.LONGEST]
        template = "admin/_found.html" if "part" in request.args else "admin/find.html"
        return self.render(template, typed=typed, groups=_groups(typed))

    @expose("/opened/", methods=["POST"])
    def opened(self) -> Any:
        """Remember that a record was opened from the box."""
        table, _space, number = request.form.get("record", "").partition(" ")
        key = record_id(number)
        if table not in BY_TABLE or key is None:
            abort(400)
        recent = [[table, key], *(one for one in _recent() if one != [table, key])]
        preferences.remember(db.session, RECENT, recent[:MOST_RECENT])
        db.session.commit()
        return jsonify(remembered=True)


def _groups(typed: str) -> list[Group]:
    if not typed:
        last = finding.find_again(db.session(), [(BY_TABLE[table], key) for table, key in _recent()])
        groups = [Group(gettext("Opened last"), tuple(map(_option, last))), Group(gettext("Do"), tuple(_acts()))]
    else:
        found = finding.find(db.session(), typed)
        groups = [_of_kind(entity, found, typed) for entity in GROUPS]
        groups.append(Group(gettext("Pages"), tuple(_screens(searching.words(typed)))))
    return [group for group in groups if group.options]


def _recent() -> list[list[Any]]:
    kept = preferences.read(db.session, RECENT, [])
    return [one for one in kept if isinstance(one, list) and len(one) == 2 and one[0] in BY_TABLE]


# ---- Records --------------------------------------------------------------------------------------------------------


def _of_kind(entity: type[Base], found: Iterable[Found], typed: str) -> Group:
    title = GROUPS[entity][0]
    options = tuple(_option(one) for one in found if one.entity is entity)
    more = len(options) >= finding.MOST[entity]
    page = url_for(f"{entity.__name__.lower()}.index_view", search=typed)
    return Group(str(title), options, page if more else None)


def _option(found: Found) -> Option:
    page = found.entity.__name__.lower()
    return Option(
        title=_title(found),
        url=url_for(f"{page}.details_view", id=found.key),
        notes=tuple(_notes(found)),
        icon=None if found.entity in {Student, User} else GROUPS[found.entity][1],
        photo=url_for("photo", person=page, key=found.key) if found.has_photo else None,
        record=f"{found.entity.__tablename__} {found.key}",
    )


def _title(found: Found) -> str:
    if found.entity is Guardian and not found.name:
        return gettext(label_of(Relation, found.about or ""))
    return found.name


def _notes(found: Found) -> Iterator[str]:
    """Say what tells namesakes apart: the class and the number of a pupil, whose guardian it is, the phone."""
    if found.entity is Student:
        yield found.place or gettext("no class")
        yield f"#{found.key}"
    elif found.entity is Guardian:
        relation = gettext(label_of(Relation, found.about or ""))
        yield gettext("%(relation)s of %(pupil)s", relation=relation, pupil=found.pupil)
        yield from (note for note in (found.place, found.phone) if note)
    else:
        yield from (note for note in (found.about, found.place) if note)


# ---- Screens --------------------------------------------------------------------------------------------------------


def _screens(sought: list[str]) -> Iterator[Option]:
    """Find what one may do and the pages of the menu by a part of their name, in any of the languages."""
    fitting = (option for option, names in _all_screens() if all(_stands_in(word, names) for word in sought))
    once = {option.url: option for option in fitting}
    yield from list(once.values())[:MOST_SCREENS]


def _stands_in(word: str, names: tuple[str, ...]) -> bool:
    key = text.name_key(word)
    return bool(key) and any(key in name for name in names)


def _all_screens() -> Iterator[tuple[Option, tuple[str, ...]]]:
    for label, *_rest in ACTS:
        yield from ((option, _names(label)) for option in _acts(label))
    for group in current_app.extensions["admin"][0].menu():
        for item in group.get_children() if group.is_category() else [group]:
            if item.is_accessible() and item.is_visible():
                yield Option(str(item.name), item.get_url(), icon=item.get_icon_value()), _names(item.name)


def _acts(only: Any = None) -> Iterator[Option]:
    for label, endpoints, verb, entity, icon in ACTS:
        endpoint = next(one for one in endpoints if one in current_app.view_functions)
        if policy.may(reader(), verb, entity) and (only is None or only is label):
            yield Option(str(label), url_for(endpoint), icon=icon)


def _names(label: Any) -> tuple[str, ...]:
    names = []
    for code in screen.LANGUAGES:
        with force_locale(code):
            names.append(text.name_key(str(label)))
    return tuple(names)
