"""Saved views of a list: chosen above it, kept under a name, one of them opening first."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

from flask import abort, flash, g, redirect, request
from flask_admin import expose
from flask_babel import gettext
from flask_login import current_user
from sqlalchemy.exc import DBAPIError

from fsms import text
from fsms.admin_views.by_role import reader
from fsms.admin_views.deleting import Deleting
from fsms.admin_views.lists import Lists
from fsms.admin_views.lookups import record_id
from fsms.database import db
from fsms.errors import Refused, SchoolError, sentence_for
from fsms.office import SavedView
from fsms.operations import saved_views

UNKNOWN: Any = object()
"""In place of a view that nobody has looked for in this request."""

EVERYTHING = "0"
"""In the address in place of a view's number: the list as it is, though another view opens first."""


@dataclass(frozen=True)
class ShownView:
    """A view as the page offers it."""

    key: int
    name: str
    url: str
    is_shared: bool
    is_first: bool
    may_change: bool


class SavedViews(Deleting, Lists):
    """A list that people keep as they like it.

    Upstream gives every class its own copy of the routes it inherits, so those that change one stand in a row.
    """

    def _read_address(self) -> Any:
        """Remember in the address which view it began with."""
        args = super()._read_address()
        key = record_id(request.args.get("view"))
        args.extra_args["view"] = str(key) if key else None
        return args

    def _get_list_url(self, view_args: Any) -> str:
        """Write the address so that it means this list, though another view would open first."""
        path, _, query = super()._get_list_url(view_args).partition("?")
        is_bare = query == f"view={view_args.extra_args.get('view')}" if query else self._first_view() is not None
        return f"{path}?view={EVERYTHING}" if is_bare else f"{path}?{query}" if query else path

    def _first_view(self) -> SavedView | None:
        """Find the view that the reader wants to see first, once a request."""
        found: SavedView | None = g.get("first_view", UNKNOWN)
        if found is UNKNOWN:
            found = g.first_view = saved_views.first_of(db.session, self.endpoint) if self._views() else None
        return found

    def _views(self) -> Sequence[Any]:
        """List the views of the page that the reader sees, once a request."""
        found: Sequence[Any] | None = g.get("views")
        if found is None:
            found = g.views = saved_views.of_page(db.session, self.endpoint) if current_user.has_views else ()
        return found

    @expose("/")
    def index_view(self) -> Any:
        """Show the list; without a word in the address, as the reader wants to see it first."""
        if not request.args.keys() - {"view"}:
            asked = request.args.get("view")
            first = self._first_view() if asked is None else self._view(asked)
            if first and first.address:
                return redirect(self._url_of(first))
        return super().index_view()

    @expose("/views/", methods=["POST"])
    def views_view(self) -> Any:
        """Keep, change or forget a view, and show the list with it."""
        acts: dict[str, Callable[[], SavedView | None]] = {
            "save": self._save,
            "replace": self._replace,
            "rename": self._rename,
            "delete": self._delete,
            "first": self._put_first,
            "usual": self._put_nothing_first,
        }
        act = acts.get(request.form.get("act", ""))
        if act is None:
            flash(gettext("There is no such act. Nothing was changed."), "error")
            return redirect(self._beside(".index_view"))
        try:
            view = act()
            db.session.commit()
        except Refused:
            raise
        except (SchoolError, DBAPIError) as error:
            db.session.rollback()
            g.view_typed = text.clean(request.form.get("name", ""))
            g.view_problem = (
                gettext(error.sentence, **error.facts)
                if isinstance(error, SchoolError)
                else gettext(sentence_for(error))
            )
            return super().index_view()
        return redirect(self._url_of(view) if view else f"{self.get_url('.index_view')}?view={EVERYTHING}")

    # ---- Acts ------------------------------------------------------------------------------------------------------

    def _save(self) -> SavedView:
        shared = bool(request.form.get("shared"))
        view = saved_views.save(
            db.session, self.endpoint, request.form.get("name", ""), self._address_to_keep(), shared=shared
        )
        flash(gettext("The view “%(name)s” is saved.", name=view.name), "success")
        return view

    def _replace(self) -> SavedView:
        view = self._named_view()
        saved_views.replace(db.session, view, self._address_to_keep())
        flash(gettext("The view “%(name)s” is saved.", name=view.name), "success")
        return view

    def _rename(self) -> SavedView:
        view = self._named_view()
        saved_views.rename(db.session, view, request.form.get("name", ""))
        flash(gettext("The view is called “%(name)s” now.", name=view.name), "success")
        return view

    def _delete(self) -> None:
        view = self._named_view()
        name = view.name
        saved_views.delete(db.session, view)
        flash(gettext("The view “%(name)s” is deleted.", name=name), "success")

    def _put_first(self) -> SavedView:
        view = self._named_view()
        saved_views.put_first(db.session, self.endpoint, view)
        flash(gettext("This list opens with “%(name)s” from now on.", name=view.name), "success")
        return view

    def _put_nothing_first(self) -> None:
        saved_views.put_first(db.session, self.endpoint, None)
        flash(gettext("This list opens as usual from now on."), "success")

    def _named_view(self) -> SavedView:
        return self._view(request.form.get("id")) or abort(404)

    def _view(self, written: str | None) -> SavedView | None:
        return saved_views.find(db.session, self.endpoint, record_id(written))

    # ---- Addresses -------------------------------------------------------------------------------------------------

    def _address_to_keep(self) -> str:
        """Write what the list shows now, without its page and without the view it began with."""
        args = self._get_list_extra_args()
        url: str = super()._get_list_url(args.clone(page=0, extra_args=args.extra_args | {"view": None}))
        return url.partition("?")[2]

    def _url_of(self, view: SavedView) -> str:
        told = f"{view.address}&view={view.view_id}" if view.address else f"view={view.view_id}"
        return f"{self.get_url('.index_view')}?{told}"

    def _list_tools(self) -> dict[str, Any]:
        """Offer the views with the list."""
        views, first = self._views(), self._first_view()
        shown = [
            ShownView(
                key=view.view_id,
                name=view.name,
                url=self._url_of(view),
                is_shared=view.shared,
                is_first=first is not None and view.view_id == first.view_id,
                may_change=saved_views.may_change(reader(), view),
            )
            for view in views
        ]
        key = record_id(self._get_list_extra_args().extra_args["view"])
        now = next((view for view in views if view.view_id == key), None)
        return super()._list_tools() | {
            "saved_views": shown,
            "view_now": next((view for view in shown if view.key == key), None),
            "view_is_changed": now is not None and parse_qs(now.address) != parse_qs(self._address_to_keep()),
            "everything_url": f"{self.get_url('.index_view')}?view={EVERYTHING}",
            "views_url": self._beside(".views_view"),
            "may_share": getattr(reader(), "role", "") == "admin",
            "view_typed": g.get("view_typed", ""),
            "view_problem": g.get("view_problem", ""),
        }
