"""Taking a list away as a file: what the list shows to this reader, with its filters, search and order."""

import io
import tempfile
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from flask import Response, send_file
from flask_admin.contrib.sqla import ModelView
from markupsafe import Markup

from fsms import activity, clock, policy, sign_in
from fsms.admin_views import formatters
from fsms.admin_views.by_role import reader
from fsms.database import db
from fsms.exchange import csv_export
from fsms.policy import Verb

ROWS_AT_ONCE = 1_000
IN_MEMORY = 4 * 1024 * 1024


class Exports(ModelView):
    """A model view whose list can be taken away as CSV."""

    can_export = property(lambda self: policy.may(reader(), Verb.EXPORT, self.model))
    column_type_formatters_export = formatters.FOR_FILES

    def _export_csv(self, return_url: Any) -> Response:
        """Write the file while the session still speaks for its reader, note it in the log, and send it."""
        args = self._get_list_extra_args()
        column = self._get_column_by_idx(args.sort)
        _count, query = self.get_list(
            0, column and column[0], args.sort_desc, args.search, args.filters, execute=False, page_size=0
        )
        headings = [str(label) for _name, label in self._export_columns]
        # Large lists go to the disk; the stream belongs to the response, which closes it.
        file = tempfile.SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115
        text = io.TextIOWrapper(file, encoding="utf-8", newline="")  # type: ignore[type-var]
        rows = csv_export.write(text, headings, self._cells(query.statement))
        text.detach()
        db.session.rollback()  # the reading is done; what is noted has a transaction of its own
        self._note_export(args, rows)
        file.seek(0)
        name = f"friendship-school-{self.endpoint}-{clock.today():%Y-%m-%d}.csv"
        return send_file(file, mimetype="text/csv", as_attachment=True, download_name=name)  # type: ignore[arg-type]

    def _cells(self, statement: Any) -> Iterator[list[str]]:
        for row in db.session.scalars(statement.execution_options(yield_per=ROWS_AT_ONCE)):
            yield [_plain(self.get_export_value(row, name)) for name, _label in self._export_columns]

    def _note_export(self, args: Any, rows: int) -> None:
        asked = {self._filters[index].arg: value for index, _name, value in args.filters or ()}
        facts = {"rows": rows, "filters": asked, "search": args.search}
        actor = reader() or policy.SYSTEM
        with sign_in.as_system() as apart:
            activity.record(apart, f"export_{self.endpoint}", actor, facts, entity=self.model.__tablename__)


def _plain(value: Any) -> str:
    if isinstance(value, Markup):
        return value.striptags()
    if isinstance(value, datetime):
        return formatters.at_school(value)
    return "" if value is None else str(value)
