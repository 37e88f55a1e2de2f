"""Acts on many rows of a list: on the ticked ones, or on all that match. Asked about first, with count and names."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from flask import flash, redirect, request
from flask_admin import expose
from flask_admin.helpers import get_redirect_target
from flask_babel import gettext, ngettext
from flask_babel import lazy_gettext as _
from markupsafe import Markup

from fsms import policy, text
from fsms.admin_views.by_role import VERBS, reader
from fsms.admin_views.deleting import going, holding
from fsms.admin_views.lookups import record_id
from fsms.admin_views.saved_views import SavedViews
from fsms.database import db
from fsms.operations import bulk
from fsms.policy import Verb
from fsms.reports import deletions

TYPED_ABOVE = 50
"""For more rows than this the number must be typed."""
NAMES_SHOWN = 10
CELLS_IN_A_NAME = 3  # A name alone does not tell namesakes apart.


@dataclass(frozen=True)
class Act:
    """What can be done to many rows at once: its stable name, its word, and the change; none means to delete.

    The change is given the choice, one of `choices` where there are any, and the row.
    """

    name: str
    label: Any
    icon: str = "pencil"
    changes: Callable[[str, Any], object] | None = None
    choices: Callable[[], list[tuple[str, Any]]] | None = None

    @property
    def verb(self) -> Verb:
        """What the reader must be allowed to do to each row."""
        return Verb.DELETE if self.changes is None else Verb.EDIT


DELETE = Act("delete", _("Delete"), "trash")


class BulkActs(SavedViews):
    """A list whose rows can be acted on together."""

    # What can be done beside deleting.
    bulk_acts: ClassVar[tuple[Act, ...]] = ()
    bulk_template = "admin/bulk.html"

    def _carry_out(self, act: Act, keys: list[int], choice: str) -> bool:
        raise NotImplementedError

    def get_actions_list(self) -> tuple[list[Act], dict[str, str]]:
        """Offer what the reader may do to rows of this kind."""
        return [act for act in (*self.bulk_acts, DELETE) if policy.may(reader(), act.verb, self.model)], {}

    def _verb_of(self, name: str) -> Verb | None:
        """Say what is asked of the reader at this door: of a bulk act, what it does to each row."""
        if name != "action_view":
            return VERBS.get(name)
        asked = request.form.get("action")
        return next((act.verb for act in self.bulk_acts if act.name == asked), Verb.DELETE)

    @expose("/action/", methods=("POST",))
    def action_view(self) -> Any:
        """Ask about an act on many rows; do it once it is agreed to, if the rows are still the same."""
        back = get_redirect_target() or self.get_url(".index_view")
        act = next((act for act in self.get_actions_list()[0] if act.name == request.form.get("action")), None)
        keys = self._chosen_keys()
        if problem := _cannot_be_asked(act, keys):
            flash(problem, "error")
            return redirect(back)
        assert act, "an unknown act is a problem"
        problem = _not_agreed(act, keys) if "agreed" in request.form else ""
        if "agreed" in request.form and not problem:
            self._carry_out(act, keys, request.form.get("choice", ""))
            return redirect(back)
        return self.render(
            self.bulk_template,
            act=act,
            keys=keys,
            names=self._names_of(keys[:NAMES_SHOWN]),
            seal=bulk.seal(keys),
            must_type=len(keys) > TYPED_ABOVE,
            choices=act.choices() if act.choices else [],
            problem=problem,
            effects=self._effects(act, keys),
            back=back,
        )

    def _effects(self, act: Act, keys: list[int]) -> dict[str, str]:
        """Say what deleting the rows takes along, or what keeps them."""
        if act.verb is not Verb.DELETE:
            return {}
        preview = deletions.preview(db.session, self.model, keys)
        return {"going": going(preview)} if preview.is_possible else {"holding": holding(preview)}

    def _chosen_keys(self) -> list[int]:
        """Find the rows that are meant: all that match the address, or the ticked ones."""
        key = self.model.__mapper__.primary_key[0]
        if request.form.get("all") == "1":
            args = self._get_list_extra_args()
            matching, _joins = self.matching(args.search, args.filters)
            return [number for (number,) in matching.with_entities(key).order_by(key).limit(bulk.MOST + 1)]
        wanted = {record_id(typed) for typed in request.form.getlist("rowid")}
        matching, _joins = self.matching(None, ())
        found = [number for (number,) in matching.with_entities(key).filter(key.in_(wanted - {None})).order_by(key)]
        return found if len(found) == len(wanted) else []

    def _names_of(self, keys: list[int]) -> list[str]:
        """Call rows by the first cells that the list shows of them."""
        key = self.model.__mapper__.primary_key[0]
        matching, _joins = self.matching(None, ())
        rows = matching.options(*self._loaded_with_the_list).filter(key.in_(keys)).order_by(key)
        title = getattr(self, "title_column", "")
        columns = sorted((name for name, _label in self._list_columns), key=lambda name: name != title)
        return [" · ".join(filter(None, (self._said(row, name) for name in columns[:CELLS_IN_A_NAME]))) for row in rows]

    def _said(self, row: Any, name: str) -> str:
        value = self.get_list_value(None, row, name)
        return value.striptags() if isinstance(value, Markup) else str(value)


def _cannot_be_asked(act: Act | None, keys: list[int]) -> str:
    if act is None:
        return gettext("There is no such act. Nothing was changed.")
    if not keys:
        return gettext("Some of the selected records do not exist any more. Nothing was changed.")
    if len(keys) > bulk.MOST:
        return gettext("That is more than %(most)s records at once. Filter the list further.", most=bulk.MOST)
    return ""


def _not_agreed(act: Act, keys: list[int]) -> str:
    if request.form["agreed"] != bulk.seal(keys):
        return gettext("The list has changed since you were asked. Look at the records again.")
    if act.choices and request.form.get("choice") not in {value for value, _label in act.choices()}:
        return gettext("Choose one of the list.")
    if len(keys) > TYPED_ABOVE and text.digits(text.clean(request.form.get("typed", ""))) != str(len(keys)):
        return ngettext("Type %(num)d to go on.", "Type %(num)d to go on.", len(keys))
    return ""
