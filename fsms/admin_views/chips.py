"""Questions of every day above a list: chips with ready answers, each with the number of rows it would leave.

Chips of one group are joined by OR, groups by AND. In the address a group stands like any other filter, by its own
name and the values chosen, `flt0_level=7,8`; so a bookmark, a saved view and an export keep them.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from flask_babel import gettext, ngettext
from flask_babel import lazy_gettext as _
from sqlalchemy import ARRAY, Column, ColumnElement, Integer, Select, Table, Text, any_, bindparam, func, or_, select
from sqlalchemy.sql import visitors
from sqlalchemy.sql.util import ClauseAdapter

from fsms import text
from fsms.admin_views import filters
from fsms.admin_views.counting import Parents
from fsms.admin_views.lookups import record_id
from fsms.database import db
from fsms.pooling import ONE_PLAN
from fsms.vocabulary import Choice

IN_A_ROW = 5
"""A group of more chips than this is a menu."""


@dataclass(frozen=True)
class Chip:
    """One answer: its stable value in the address, its word, and the condition, made anew for each request."""

    value: str
    label: Any
    asks: Callable[[], ColumnElement[bool]]
    parents: Callable[[], Parents] | None = None
    """Where it asks for the rows of some parents: those, made anew for each request too."""


class Chips(filters.SchoolFilter):
    """A question with ready answers; a row fits if it fits any of the chosen ones."""

    words = _("is any of")
    data_type = "select2-tags"  # what filters.js takes for several values with commas between

    def __init__(self, arg: str, label: Any, *chips: Chip, reads: str = "", as_menu: bool = False) -> None:
        """Take the stable name, the label and the answers; `reads` is the dotted path that a reader must be shown."""
        super().__init__(arg, Column(arg, Text), label, options=lambda: [(c.value, str(c.label)) for c in self.offered])
        self.arg = arg
        self.path = reads or arg
        self.is_menu = as_menu or len(chips) > IN_A_ROW
        self._chips = chips

    @property
    def offered(self) -> Sequence[Chip]:
        """The chips of this moment."""
        return self._chips

    def get_options(self, view: Any) -> list[Any]:
        """Offer nothing to the menu of filters: chips stand beside it."""
        return []

    def clean(self, value: str) -> list[Chip]:
        """Find the chips that an address names."""
        known = {chip.value: chip for chip in self._chips}
        try:
            return [known[one] for one in split(value)]
        except KeyError:
            raise ValueError(value) from None

    def parents_in(self, value: str) -> Parents | None:
        """Give the parents whose rows are meant, where a single chip is chosen and asks for some."""
        (chip, *more) = self.clean(value)
        return chip.parents() if chip.parents and not more else None

    def has_one_plan(self, _value: str) -> bool:
        """Say whether rows that fit are found in the same way whatever is chosen, and narrow the list by much."""
        return False

    def apply(self, query: Any, value: list[Chip], alias: Any = None) -> Any:
        """Keep the rows that fit any of the chosen chips."""
        return query.filter(or_(*(chip.asks() for chip in value)))


CHOSEN: Any = any_(bindparam("chosen", type_=ARRAY(Integer)))
"""In the query of such answers: any of the numbers chosen."""


Record = tuple[int, str]
"""The number of a record on offer, and its word."""


class ChipsOfRows(Chips):
    """Answers that are records of their own: the classes of the year, the subjects."""

    def __init__(
        self,
        arg: str,
        label: Any,
        offered: Callable[[], Select[Any, Any]],
        asks: Callable[[int], ColumnElement[bool]],
        parents: Callable[[list[int]], Parents] | None = None,
    ) -> None:
        """Take the query for numbers and labels, and the condition for the number of a chosen record.

        The query finds at `CHOSEN` the numbers chosen already, whose words are shown too. Where the rows of the list
        belong to the records, and to each about as many, `parents` says so for the numbers of some.
        """
        super().__init__(arg, label, as_menu=True)
        self.options = None  # they are read for each reader
        self._statement, self._asks, self._parents = offered, asks, parents

    def parents_in(self, value: str) -> Parents | None:
        """Give the records whose rows are meant, where several are chosen; the rows of one are mostly few."""
        numbers = [int(chip.value) for chip in self.clean(value)]
        return self._parents(numbers) if self._parents and len(numbers) > 1 else None

    def has_one_plan(self, value: str) -> bool:
        """Say whether one record is chosen to which about as many rows belong as to any other."""
        return self._parents is not None and len(split(value)) == 1

    @property
    def offered(self) -> Sequence[Chip]:
        """The records of this moment that the reader sees."""
        return self.chips_of(self.including(()))

    def including(self, chosen: Iterable[str]) -> tuple[Record, ...]:
        """The records on offer and those chosen already; one that the reader does not see is shown by its number."""
        numbers = [int(value) for value in chosen]
        found = _lines(self._statement(), numbers)
        unseen = set(numbers) - {key for key, _label in found} if numbers else ()
        return found + tuple((key, str(key)) for key in sorted(unseen))

    def called(self, chosen: Iterable[str]) -> tuple[Record, ...]:
        """The records chosen already, in the order of the address, which is that of the menu they were chosen in."""
        numbers = [int(value) for value in chosen]
        labels = dict(_lines(self._by_numbers, numbers))
        return tuple((key, labels.get(key, str(key))) for key in dict.fromkeys(numbers))

    @cached_property
    def _by_numbers(self) -> Select[Any, Any]:
        key, label = self._statement().selected_columns
        return select(key, label).where(key == CHOSEN).execution_options(**ONE_PLAN)

    def chips_of(self, records: Iterable[Record]) -> Sequence[Chip]:
        """Make chips of records."""
        return [self._chip(key, label) for key, label in records]

    def clean(self, value: str) -> list[Chip]:
        """Take any numbers of records; what the reader does not see, finds nothing."""
        keys = [record_id(one) for one in split(value)]
        if None in keys:
            raise ValueError(value)
        return [self._chip(key) for key in keys if key is not None]

    def _chip(self, key: int, label: str = "") -> Chip:
        return Chip(str(key), label, lambda: self._asks(key))


def _lines(statement: Select[Any, Any], chosen: list[int]) -> tuple[Record, ...]:
    """Read numbers and words: lines and no records, which the session's connection answers without its bookkeeping."""
    asked = db.session.connection().execute(statement, {"chosen": chosen})
    return tuple((key, label) for key, label in asked.all())


class ChosenRows(Chips):
    """The ticked rows themselves, by their numbers; for taking them away or acting on them."""

    def __init__(self, key: Any) -> None:
        """Take the entity's key."""
        super().__init__("rows", _("Chosen records"))
        self._key = key

    def clean(self, value: str) -> list[Chip]:
        """Make one condition of all numbers."""
        keys = {record_id(one) for one in split(value)}
        if None in keys:
            raise ValueError(value)
        return [Chip(value, "", lambda: self._key.in_(keys))]


def toggle(arg: str, label: Any, asks: Callable[[], ColumnElement[bool]], *, reads: str = "") -> Chips:
    """Make a group of one chip, on or off."""
    return Chips(arg, label, Chip("1", label, asks), reads=reads)


def toggle_of_parents(arg: str, label: Any, parents: Callable[[], Parents]) -> Chips:
    """Make a group of one chip that asks for the rows of some parents."""

    def asks() -> ColumnElement[bool]:
        meant = parents()
        asked: ColumnElement[bool] = meant.column.in_(meant.keys)
        return asked

    return Chips(arg, label, Chip("1", label, asks, parents))


def of_choices(arg: str, label: Any, column: Any, choices: type[Choice], *, as_menu: bool = False) -> Chips:
    """Make a group of a fixed set."""
    return Chips(arg, label, *(_of_choice(column, choice) for choice in choices), as_menu=as_menu)


def _of_choice(column: Any, choice: Choice) -> Chip:
    return Chip(str(choice.value), Translated(choice.label), lambda: column == choice.value)


class Translated:
    """A word marked for the translators elsewhere; said in the language of whoever reads it."""

    def __init__(self, word: str) -> None:
        """Keep the English word."""
        self._word = word

    def __str__(self) -> str:
        """Say it."""
        return gettext(self._word)


def split(value: str) -> list[str]:
    """Read the values of a group in an address, each once; none at all is no answer."""
    found = [one for one in dict.fromkeys(text.clean(value).split(",")) if one]
    if not found:
        raise ValueError(value)
    return found


# ---- On the page ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class ShownChip:
    """A chip as the page draws it: the address leads to the list with it, or without it where it is on."""

    value: str
    label: str
    url: str
    is_on: bool


@dataclass(frozen=True)
class ShownGroup:
    """A group as the page draws it."""

    arg: str
    label: str
    chips: tuple[ShownChip, ...]
    is_menu: bool
    without: str
    is_read: bool = True
    """Whether all its chips are known; otherwise they are read when somebody opens the menu."""
    is_open: bool = False

    @property
    def chosen(self) -> str:
        """The chips that are on, in words."""
        return ", ".join(chip.label for chip in self.chips if chip.is_on)


@dataclass(frozen=True)
class Offer:
    """What a group offers now, and which of it is chosen."""

    group: Chips
    on: Sequence[str]
    records: tuple[Record, ...] = ()
    """What was read of records; the chips are made of them only if they are to be drawn."""
    is_read: bool = True
    """Whether that is all that is on offer; otherwise the rest is read when somebody opens the menu."""
    is_open: bool = False

    @property
    def chips(self) -> Sequence[Chip]:
        """What can be chosen."""
        return self.group.chips_of(self.records) if isinstance(self.group, ChipsOfRows) else self.group.offered

    def shown(self, url_with: Callable[[str, str], str]) -> ShownGroup:
        """Draw the group, with the address of each next step."""
        group, chips, made = self.group, self.chips, []
        order = [chip.value for chip in chips]
        for chip in chips:
            wanted = set(self.on) ^ {chip.value}
            url = url_with(group.arg, ",".join(one for one in order if one in wanted))
            made.append(ShownChip(chip.value, str(chip.label), url, chip.value in self.on))
        return ShownGroup(
            group.arg,
            str(group.name),
            tuple(made),
            group.is_menu,
            url_with(group.arg, ""),
            is_read=self.is_read,
            is_open=self.is_open,
        )


class OfferOfRows(Offer):
    """The one chip that keeps a list to ticked rows."""

    def shown(self, url_with: Callable[[str, str], str]) -> ShownGroup:
        """Say how many there are; a step further is without them."""
        number, away = len(self.on), url_with("rows", "")
        label = ngettext("%(num)d chosen record", "%(num)d chosen records", number)
        chip = ShownChip(",".join(self.on), label, away, is_on=True)
        return ShownGroup("rows", label, (chip,), is_menu=False, without=away)


def offer(group: Chips, value: str, *, is_open: bool = False) -> Offer:
    """Find what a group offers, whose value in the address is given, "" for none.

    The records of a menu are read where it is open, since most people open none; in another one those that are chosen
    are called by their words.
    """
    on = split(value) if value else []
    if not isinstance(group, ChipsOfRows):
        return Offer(group, on)
    if is_open:
        return Offer(group, on, group.including(on), is_open=True)
    return Offer(group, on, group.called(on) if on else (), is_read=False)


def facts(offered: Iterable[Offer]) -> tuple[tuple[tuple[Record, ...], bool], ...]:
    """Tell the records that were read: what else is drawn of the groups stands in the code or in the address."""
    return tuple((one.records, one.is_open) for one in offered)


# ---- Counts --------------------------------------------------------------------------------------------------------

Named = tuple[str, str]
"""A chip by the stable names of its group and its own."""


def only_column(chips: Iterable[Chip], table: Table) -> Any:
    """Find the one column of the list's own table that the chips ask about; None where there are more, or its key."""
    asked = {
        element
        for chip in chips
        for element in visitors.iterate(chip.asks())
        if isinstance(element, Column) and element.table is table
    }
    (column,) = asked if len(asked) == 1 else (None,)
    return None if column is None or column.primary_key else column


def counted(matching: Any, chips: Mapping[Named, Chip], by: Any) -> Iterator[tuple[Named, int]]:
    """Count in one statement how many of the matching rows fit each chip.

    Where the chips ask about one column only, the rows are first counted for each of its values: of two million rows
    of attendance a few hundred courses are left to be asked whether they are of this year, of grade 7, mine. Otherwise
    rows that fit no chip are left out first, so that an index can find the others.
    """
    conditions = [chip.asks() for chip in chips.values()]
    if by is None:
        numbers = (func.count().filter(condition) for condition in conditions)
        asked = matching.filter(or_(*conditions)).with_entities(*numbers)
    else:
        rows = matching.with_entities(by, func.count().label("rows")).group_by(by).subquery()
        adapted = (ClauseAdapter(rows).traverse(condition) for condition in conditions)
        asked = matching.session.query(
            *(func.coalesce(func.sum(rows.c.rows).filter(condition), 0) for condition in adapted)
        )
    for name, number in zip(chips, asked.one(), strict=True):
        yield name, int(number)
