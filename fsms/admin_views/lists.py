"""A list: which rows match, in which order, in which columns; and the address that says so.

Every question about “the rows that match” is asked at `matching`: the page, its count, the chips, bulk acts and files.
"""

from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache, partial
from typing import Any, ClassVar, cast
from urllib.parse import urlencode

from flask import Response, flash, g, has_request_context, jsonify, request, url_for
from flask_admin import expose
from flask_admin.model.base import ViewArgs
from flask_babel import gettext
from sqlalchemy import Column, Table

from fsms import clock, policy, text
from fsms.admin_views import chips, counting, filters, paging
from fsms.admin_views.by_role import ByRole, Narrowed, columns_shown, reader
from fsms.admin_views.columns_read import in_dictionary_order, loaded_with, may_be_empty
from fsms.admin_views.lookups import record_id
from fsms.admin_views.paging import Term
from fsms.admin_views.screen import language
from fsms.database import db
from fsms.models import Base
from fsms.pooling import ONE_PLAN

LAST_PAGE = 10_000_000

ASKED = {"id", "url"}
"""Arguments that stand behind the address of any page: which record, and where to go back to."""
AS_UPSTREAM = "!$'()*,/:;?@"
"""What werkzeug leaves as it is in the arguments of an address."""

BESIDE = ("after", "before")
"""In the address of a page far down a long list: the row that it begins behind, or ends before."""


class Lists(ByRole):
    """A model view whose list is asked by a stable address: names and values, never positions."""

    page_size = 20
    can_set_page_size = True
    page_size_options = (20, 50, 100)
    named_filter_urls = True

    # Questions of every day, a click away.
    quick_filters: ClassVar[tuple[chips.Chips, ...]] = ()
    # Questions to other tables, beside the column filters.
    extra_filters: ClassVar[tuple[filters.SchoolFilter, ...]] = ()
    # Columns that can be chosen beside those of `column_list`.
    column_further_list: ClassVar[tuple[str, ...]] = ()

    _offered_columns: Any = Narrowed(columns_shown)

    # ---- Columns ---------------------------------------------------------------------------------------------------

    def get_list_columns(self) -> list[tuple[str, Any]]:
        """Name the columns on offer: those shown at first and those that can be added."""
        offered: list[tuple[str, Any]] = self.get_column_names((*self.column_list, *self.column_further_list), None)
        return offered

    @property
    def _list_columns(self) -> list[tuple[str, Any]]:
        """The columns that the address asks for; without a word of it, those of every day."""
        if not has_request_context():
            return self._columns_chosen(set())
        columns: list[tuple[str, Any]] | None = g.get("columns")
        if columns is None:
            role = getattr(reader(), "role", "")
            columns = g.columns = _columns_in_words(self, role, language(), frozenset(self._columns_asked()))
        return columns

    @_list_columns.setter
    def _list_columns(self, offered: list[tuple[str, Any]]) -> None:
        self._offered_columns = offered

    def _columns_chosen(self, wanted: set[str]) -> list[tuple[str, Any]]:
        offered: list[tuple[str, Any]] = self._offered_columns
        if not wanted & {name for name, _label in offered}:
            wanted = set(self.column_list)
        wanted = {*wanted, getattr(self, "title_column", "")}  # the row's name is its link
        return [(name, label) for name, label in offered if name in wanted]

    @property
    def _export_columns(self) -> list[tuple[str, Any]]:
        """A file has the columns of the list it is taken from."""
        return self._list_columns

    @_export_columns.setter
    def _export_columns(self, _columns: list[tuple[str, Any]]) -> None:
        """Upstream makes a list of its own."""

    def _columns_asked(self) -> set[str]:
        return {name for asked in request.args.getlist("columns") for name in asked.split(",")}

    def _columns_in_address(self) -> str | None:
        """Write the columns as the address keeps them; nothing where they are those of every day."""
        shown = [name for name, _label in self._list_columns]
        usual = [name for name, _label in self._offered_columns if name in self.column_list]
        return None if shown == usual else ",".join(shown)

    def _column_choices(self) -> list[tuple[str, Any, bool, bool]]:
        """Give name, label, whether it is shown, and whether it must be, of each column that the reader may choose."""
        shown = {name for name, _label in self._list_columns}
        fixed = getattr(self, "title_column", "")
        return [(name, label, name in shown, name == fixed) for name, label in self._offered_columns]

    def _reader_of_cells(self) -> Callable[[Any], dict[str, Any]]:
        """Make what reads a row's cells: each as `get_list_value` shows it, but how is found out once for all rows."""
        readers = {name: self._reader_of(name) for name, _label in self._list_columns}
        return lambda row: {name: read(row) for name, read in readers.items()}

    def _reader_of(self, name: str) -> Callable[[Any], Any]:
        by_type = cast(dict[type, Any], self.column_type_formatters)
        formatter = self.column_formatters.get(name)

        def read(row: Any) -> Any:
            value = formatter(self, None, row, name) if formatter else self._get_field_value(row, name)
            kind = type(value)
            if kind is str or kind is int:
                return value
            found = by_type.get(kind) or next((by_type[one] for one in by_type if isinstance(value, one)), None)
            return found(self, value, name) if found else value

        return read

    def get_list_row_actions(self) -> list[Any]:
        """Give what the view itself offers beside each row: looking, changing and deleting are drawn by the list."""
        return list(self.column_extra_row_actions or ())

    # ---- Which rows ------------------------------------------------------------------------------------------------

    def matching(self, search: str | None, wanted: Any) -> tuple[Any, dict[Any, Any]]:
        """Ask for the rows that fit search and filters, among those the reader sees; with the joins made for it."""
        joins: dict[Any, Any] = {}
        query = db.session.query(self.model).select_from(self.model)
        if search and self._search_supported:
            query, _, joins, _ = self._apply_search(query, None, joins, {}, search)
        query, _, joins, _ = self._apply_filters(query, None, joins, {}, wanted or ())
        return query, joins

    def get_list(
        self,
        page: int | None,
        sort_column: str | None,
        sort_desc: bool,
        search: str | None,
        filters: Any,
        execute: bool = True,
        page_size: int | None = None,
    ) -> tuple[int | None, Any]:
        """Read a page of the matching rows; or, where nothing is to be read yet, ask for them all in their order.

        The number of rows is handed on only where it is exact; `g.page_shown` tells the page what is known of it.
        """
        if not execute:
            matching, terms = self._sorted(*self.matching(search, filters), sort_column, sort_desc)
            rows = matching.options(*self._loaded_with_the_list)
            return None, rows.order_by(*(term.sql(backwards=False) for term in terms))
        place = paging.Place(page or 0, page_size or self.page_size, *map(record_id, map(request.args.get, BESIDE)))
        options = self._loaded_with_the_list
        narrowed, exactly = bool(search or filters), request.args.get("count") == "exact"
        asked = (self.model, reader(), search, *map(tuple, filters or ()))
        # What a filter asks may depend on the day and the reader.
        told = (*asked, clock.today()) if narrowed else (self.model, policy.sees_all(reader()))
        name = (*told, sort_column, sort_desc, *(column for column, _label in self._list_columns))
        parents = None if search else self._parents_in(filters or ())
        question = _question(name)
        if not question:
            query, terms = self._sorted(*self.matching(search, () if parents else filters), sort_column, sort_desc)
            query.session = None
            if not search and self._has_one_plan(filters or ()):
                query = query.execution_options(**ONE_PLAN)
            question.append((query, terms))
        matching, terms = question[0]
        matching = matching.with_session(db.session())
        shown = None
        if not parents and not exactly and not counting.were_many(asked):
            shown = paging.read_with_count(matching, terms, place, options, name)
        if shown is None:
            known = counting.count(matching, asked, parents, exactly=exactly)
            shown = paging.read(matching, terms, place, known, options, name, parents)
        g.page_shown, known = shown, shown.count
        return known.number if known.is_exact else None, g.page_shown.rows

    def _parents_in(self, filters: Any) -> counting.Parents | None:
        """Find out whether nothing is asked but a chip that means the rows of some parents.

        Where more is asked, all rows of the parents might have to be looked at, and the database knows a better way.
        """
        if len(filters) != 1:
            return None
        ((index, _name, value),) = filters
        group = self._filters[index]
        return group.parents_in(value) if isinstance(group, chips.Chips) else None

    def _has_one_plan(self, filters: Any) -> bool:
        """Say whether a chip narrows the list so much that whatever else is asked hardly matters."""
        groups = ((self._filters[index], value) for index, _name, value in filters)
        return any(isinstance(group, chips.Chips) and group.has_one_plan(value) for group, value in groups)

    @property
    def _loaded_with_the_list(self) -> tuple[Any, ...]:
        return loaded_with(cast(Any, self.model), tuple(str(name) for name, _label in self._list_columns))

    # ---- In which order --------------------------------------------------------------------------------------------

    def _sorted(self, query: Any, joins: Any, sort_column: str | None, sort_desc: bool) -> tuple[Any, list[Term]]:
        """Join what the list is sorted by, and say in which order; at last by key, so that no row is on two pages."""
        terms: list[Term] = []
        for path, attribute, is_desc in self._asked_order(sort_column, sort_desc):
            is_there = self._is_always_there(path)
            query, joins, alias = self._apply_path_joins(query, joins, path, inner_join=is_there)
            column = attribute if alias is None else getattr(alias, attribute.key)
            terms.append(
                Term(
                    in_dictionary_order(column),
                    is_desc,
                    may_be_empty(attribute) or not is_there,
                )
            )
        key = self.model.__mapper__.primary_key[0]
        if not any(term.column.compare(key) for term in terms):
            terms.append(Term(key, terms[-1].is_desc if terms else False))
        return query, terms

    def _asked_order(self, sort_column: str | None, sort_desc: bool) -> Iterator[tuple[list[Any], Any, bool]]:
        """Give the joins to each column that the list is sorted by, the column, and whether the highest comes first."""
        if sort_column is None:
            for attribute, path, is_desc in self._get_default_order():
                yield path or [], attribute, is_desc
        elif sort_column in self._sortable_columns:
            fields, paths = self._sortable_columns[sort_column], self._sortable_joins.get(sort_column)
            several = zip(fields, paths or [], strict=True) if isinstance(fields, list) else [(fields, paths)]
            for attribute, path in several:
                yield path or [], attribute, sort_desc

    def _is_always_there(self, path: list[Any]) -> bool:
        """Say whether every row has what stands at the end of the path: then an index of the other table may lead.

        Who sees some rows only may see a row without what it belongs to.
        """
        return not path or (
            policy.sees_all(reader()) and not any(c.nullable for step in path for c in step.property.local_columns)
        )

    def _get_column_by_idx(self, name: Any) -> tuple[str, Any] | None:
        """Find a column by its name; a number would mean another one as soon as somebody chooses columns."""
        return next((pair for pair in self._offered_columns if pair[0] == name), None)

    # ---- The address -----------------------------------------------------------------------------------------------

    def _get_list_extra_args(self) -> ViewArgs:
        """Read the address, once a request; arguments nobody declared are dropped."""
        asked: ViewArgs | None = g.get("asked")
        if asked is None:
            asked = g.asked = self._read_address()
        return asked

    def _read_address(self) -> ViewArgs:
        args = super()._get_list_extra_args()
        args.page = min(max(args.page or 0, -LAST_PAGE), LAST_PAGE)
        args.search = text.clean(args.search) if args.search else None
        sort = request.args.get("sort")
        args.sort = sort if sort in self._sortable_columns else None
        args.extra_args = {"columns": self._columns_in_address()}
        return args

    def _get_list_url(self, view_args: ViewArgs) -> str:
        """Write the address: what is as ever is left out, so that the same list has the same address."""
        return _with(self.get_url(".index_view"), self._arguments(view_args), ",")

    def get_url(self, endpoint: str, **values: Any) -> str:
        """Give the address of a page; a page of the view, of which a list names a dozen, is looked up once."""
        if values.keys() - ASKED or not endpoint.startswith(".") or not has_request_context():
            return str(super().get_url(endpoint, **values))
        address = _address_of_page(request.script_root, f"{self.endpoint}{endpoint}")
        return _with(address, {name: value for name, value in values.items() if value is not None}, AS_UPSTREAM)

    def _arguments(self, view_args: ViewArgs) -> dict[str, Any]:
        """List what the address says."""
        size = self.get_safe_page_size(view_args.page_size)
        said: dict[str, Any] = {
            "search": view_args.search,
            **self._get_filters(view_args.filters),
            "sort": view_args.sort,
            "desc": 1 if view_args.sort_desc else None,
            **view_args.extra_args,
            "page_size": None if size == self.page_size else size,
            "page": view_args.page or None,
        }
        return {name: value for name, value in said.items() if value is not None}

    def _address_of_nothing(self) -> str:
        """Give the address of the list as it is, without a question."""
        return self._get_list_url(ViewArgs(page=0, extra_args={}))

    def _beside(self, endpoint: str, **values: str) -> str:
        """Give the address of another question to the same rows, whatever page of them is shown."""
        _, _, query = self._get_list_url(self._get_list_extra_args().clone(page=0)).partition("?")
        there = self.get_url(endpoint, **values)
        return f"{there}?{query}" if query else there

    def _list_tools(self) -> dict[str, Any]:
        """Make what stands around a list, and the addresses it leads to. Another order begins at the first page."""
        args = self._get_list_extra_args()

        def sort_url(column: str, invert: bool = False) -> str:
            return self._get_list_url(args.clone(page=0, sort=column, sort_desc=invert and not args.sort_desc))

        def page_size_url(size: int) -> str:
            return self._get_list_url(args.clone(page=0, page_size=size))

        def without_filter(place: int) -> str:
            kept = [one for number, one in enumerate(args.filters or ()) if number != place]
            return self._get_list_url(args.clone(page=0, filters=kept))

        def page_link(to: paging.Link, **further: str) -> str:
            beside = {"after": to.after, "before": to.before, "count": request.args.get("count") == "exact" and "exact"}
            said = {name: value for name, value in (beside | further).items() if value}
            url = self._get_list_url(args.clone(page=to.page))
            return f"{url}{'&' if '?' in url else '?'}{urlencode(said)}" if said else url

        usual = args.extra_args | {"columns": None}
        return {
            "sort_url": sort_url,
            "page_size_url": page_size_url,
            "clear_search_url": self._get_list_url(args.clone(page=0, search=None, filters=None)),
            "counts_url": self._beside(".counts_view"),
            "action_url": self._beside(".action_view"),
            "export_url": lambda kind: self._beside(".export", export_type=kind),
            "without_filter": without_filter,
            "cells_of": self._reader_of_cells(),
            "filter_groups": self._filters_on_offer,
            "page_shown": g.page_shown,
            "page_link": page_link,
            "exact_url": page_link(paging.Link(args.page), count="exact"),
            "list_arguments": self._arguments(args.clone(page=0)),
            "column_choices": self._column_choices,
            "usual_columns_url": self._columns_in_address() and self._get_list_url(args.clone(extra_args=usual)),
            "tools_depend": (self.endpoint, self._address_of_nothing(), *self._arguments(args.clone(page=0)).items()),
            "chips_depend": chips.facts(offered := self._offered_chips()),
            "chip_groups": partial(self._shown_chips, offered),
            "menu_url": self._menu_url,
        }

    # ---- Filters ---------------------------------------------------------------------------------------------------

    def get_filters(self) -> list[filters.SchoolFilter]:
        """Make the chips, the filters of the declared columns, and those that ask other tables."""
        made: list[filters.SchoolFilter] = [*self.quick_filters, *self.extra_filters]
        made.append(chips.ChosenRows(self.model.__mapper__.primary_key[0]))
        for path in self.column_filters or ():
            made.extend(self.scaffold_filters(path))
        return made

    def scaffold_filters(self, name: str) -> list[filters.SchoolFilter]:
        """Make the filters of one column, named by its dotted path."""
        *steps, last = name.split(".")
        path = self._path(steps)
        entity = path[-1].property.mapper.class_ if path else self.model
        attribute = getattr(entity, last)
        made = filters.for_column(name, attribute.property.columns[0], self.get_column_name(name))
        for one in made:
            one.key_name = one.arg
            self._filter_joins[one.arg] = path
        return made

    def _path(self, steps: list[str]) -> list[Any]:
        entity: type[Base] = self.model
        path = []
        for step in steps:
            path.append(getattr(entity, step))
            entity = path[-1].property.mapper.class_
        return path

    def _column(self, dotted: str) -> Column[Any] | None:
        """Find the table's column behind a dotted path; None for relations and computed names."""
        *steps, last = dotted.split(".")
        path = self._path(steps)
        attribute = getattr(path[-1].property.mapper.class_ if path else self.model, last, None)
        return getattr(getattr(attribute, "property", None), "columns", [None])[0]

    def get_filter_arg(self, index: int, flt: filters.SchoolFilter) -> str:
        """Name a filter in the address by what it asks, not by its place in a list that may grow."""
        return flt.arg

    def _get_list_filter_args(self) -> Any:
        """Read the filters of the address; say so where some are not for this reader."""
        asked = {name.partition("_")[2] for name in request.args if name.startswith("flt")}
        if asked & (self._filter_args_of_all.keys() - self._filter_args.keys()):
            flash(gettext("A filter in this address is for administrators only. It was left out."), "warning")
        return super()._get_list_filter_args()

    def get_invalid_value_msg(self, value: str, filter: filters.SchoolFilter) -> str:  # noqa: A002 - upstream's name
        """Say that a filter was not understood, without the characters that no page can hold."""
        said: str = super().get_invalid_value_msg(text.clean(value), filter)
        return said

    def _get_filter_groups(self) -> None:
        """Upstream asks on every page; ours ask where they draw them."""

    def _filters_on_offer(self) -> dict[str, list[dict[str, Any]]]:
        """Offer the filters in the language of the reader, with the options of this moment; chips stand apart."""
        groups: dict[str, list[dict[str, Any]]] = {}
        for index, flt in (self._filter_args or {}).values():
            if isinstance(flt, chips.Chips):
                continue
            groups.setdefault(str(flt.name), []).append(
                {
                    "index": index,
                    "arg": flt.arg,
                    "operation": str(flt.operation()),
                    "options": flt.get_options(self),
                    "type": flt.data_type,
                }
            )
        return groups

    # ---- Chips -----------------------------------------------------------------------------------------------------

    @property
    def _chip_groups(self) -> list[chips.Chips]:
        """The groups that the reader is shown."""
        return [flt for _index, flt in (self._filter_args or {}).values() if flt in self.quick_filters]

    def _offered_chips(self) -> list[chips.Offer]:
        """Find what each group offers now, and what of it is chosen."""
        chosen, opened = self._chosen_values(), request.args.getlist("menu")
        found = [
            chips.offer(group, chosen.get(group.arg, ""), is_open=group.arg in opened) for group in self._chip_groups
        ]
        if "rows" in chosen:
            found.append(chips.OfferOfRows(self._filter_args["rows"][1], chips.split(chosen["rows"])))
        return found

    def _chosen_values(self) -> dict[str, str]:
        """Give what the address says of each filter, by the filter's name."""
        return {self._filters[index].arg: value for index, _name, value in self._get_list_extra_args().filters or ()}

    def _shown_chips(self, offered: list[chips.Offer]) -> list[chips.ShownGroup]:
        """Draw the groups, each chip with the address that turns it on or off."""
        args = self._get_list_extra_args()

        def url_with(arg: str, value: str) -> str:
            index, flt = self._filter_args[arg]
            kept = [one for one in args.filters or () if one[0] != index]
            chosen = [(index, str(flt.name), value)] if value else []
            return self._get_list_url(args.clone(page=0, filters=kept + chosen))

        return [one.shown(url_with) for one in offered]

    def _menu_url(self, group: str) -> str:
        """Give the address of the list with a menu of chips open."""
        here = self._beside(".index_view")
        return f"{here}{'&' if '?' in here else '?'}{urlencode({'menu': group})}"

    @expose("/counts/")
    def counts_view(self) -> Response:
        """Say how many rows each chip would leave beside the search and the filters of the other groups.

        The page asks for it when it is drawn, so that no list waits for the counts.
        """
        return jsonify(self._counts())

    def _counts(self) -> dict[str, dict[str, int]]:
        """Count the chips, those together that can be counted in one statement."""
        args = self._get_list_extra_args()
        counts: dict[str, dict[str, int]] = {}
        together: dict[tuple[str, Any], dict[chips.Named, chips.Chip]] = {}
        for group in self._chip_groups:
            counts[group.arg] = {}
            if not (offered := group.offered):
                continue
            is_on = any(self._filters[index] is group for index, _name, _value in args.filters or ())
            # A group with a chip on is counted without itself.
            kind = (group.arg if is_on else "", chips.only_column(offered, cast(Table, self.model.__table__)))
            together.setdefault(kind, {}).update({(group.arg, chip.value): chip for chip in offered})
        for (without, by), named in together.items():
            others = [one for one in args.filters or () if self._filters[one[0]].arg != without]
            matching, _joins = self.matching(args.search, others)
            for (group_arg, value), number in chips.counted(matching, named, by):
                counts[group_arg][value] = number
        return counts


@lru_cache(300)
def _address_of_page(_where_the_application_stands: str, endpoint: str) -> str:
    return url_for(endpoint)


def _with(address: str, arguments: Mapping[str, Any], safe: str) -> str:
    """Put arguments behind an address."""
    return f"{address}?{_query(safe, *arguments.items())}" if arguments else address


@lru_cache(1_000)
def _query(safe: str, *arguments: tuple[str, Any]) -> str:
    """Write arguments as they stand in an address, of which a list has a dozen nearly alike."""
    return urlencode(arguments, safe=safe)


@lru_cache(300)
def _question(_name: Any) -> list[tuple[Any, list[Term]]]:
    """Give the place of a question and its order, which is empty until they are put together."""
    return []


@lru_cache(1_000)
def _columns_in_words(view: Lists, _role: str, _language: str, wanted: frozenset[str]) -> list[tuple[str, str]]:
    """Name the columns of a view to a role in a language, each set of them once."""
    return [(name, str(label)) for name, label in view._columns_chosen(set(wanted))]  # noqa: SLF001 - its own
