"""Moving old entries of the log into a file: first the file, whole and read back, then the rows. Never commits."""

import datetime as dt
import gzip
import hashlib
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

from sqlalchemy import ColumnElement, Table, Text, delete, func, select, true
from sqlalchemy import cast as as_type

from fsms import activity, clock
from fsms.activity import AnySession
from fsms.errors import SchoolError
from fsms.models import ActivityLog
from fsms.policy import actor_of

_LOG = cast(Table, ActivityLog.__table__)
_ROWS_AT_ONCE = 2_000


def _(sentence: str) -> str:
    """Mark a sentence for the translators; the screen translates it when it is shown."""
    return sentence


class NotArchived(SchoolError):
    """The log was left as it was."""


@dataclass(frozen=True)
class Archive:
    """What left the log: one JSON object a line, compressed; `path` with .sha256 added holds the checksum."""

    path: Path
    rows: int
    sha256: str


def archive(session: AnySession, before: dt.date, target: Path) -> Archive:
    """Move the entries from before a day of the school into a new file, and note that in the log.

    The caller commits; until then nothing has left the log, and the file is only a copy.
    """
    if before > clock.today():
        raise NotArchived(_("The day lies in the future. Choose today or an earlier day."), about="before")
    checksums = target.with_name(f"{target.name}.sha256")
    session.flush()
    midnight = dt.datetime.combine(before, dt.time(), clock.SCHOOL_ZONE)
    last = session.scalar(select(func.max(_LOG.c.id)).where(_LOG.c.timestamp < midnight))
    if last is None:
        raise NotArchived(_("The log has no entries from before that day."), about="before")
    # Whatever is written while this runs has a higher number.
    old = (_LOG.c.timestamp < midnight) & (_LOG.c.id <= last)
    with _new_files(target, checksums):
        rows = _write_entries(target, _lines(session, old))
        checksum = _read_back(target, rows)
        _write_checksum(checksums, f"{checksum}  {target.name}\n")
        _remove(session, old, rows)
    told = {"before": before.isoformat(), "rows": rows, "file": target.name, "sha256": checksum}
    activity.record(session, "archive_activity", actor_of(session), told)
    session.flush()
    return Archive(target, rows, checksum)


# ---- The file ------------------------------------------------------------------------------------------------------


@contextmanager
def _new_files(*paths: Path) -> Iterator[None]:
    """Make files that were not there and that nobody else may read; after an error they are gone again."""
    made: list[Path] = []
    try:
        for path in paths:
            _make(path)
            made.append(path)
        yield
    except BaseException:
        for path in made:
            path.unlink()
        raise


def _make(path: Path) -> None:
    try:
        path.touch(mode=0o600, exist_ok=False)
    except FileExistsError:
        sentence = _("There already is a file %(path)s. Choose another name.")
        raise NotArchived(sentence, about="target", path=path) from None


def _write_entries(target: Path, lines: Iterable[str]) -> int:
    rows = 0
    with _kept_on_disk(target) as file, gzip.GzipFile(fileobj=file, mode="wb", mtime=0) as packed:
        for rows, line in enumerate(lines, start=1):  # noqa: B007
            packed.write(f"{line}\n".encode())
    return rows


def _write_checksum(target: Path, line: str) -> None:
    with _kept_on_disk(target) as file:
        file.write(line.encode())


@contextmanager
def _kept_on_disk(target: Path) -> Iterator[BinaryIO]:
    """Open a file for writing; afterwards neither it nor its name is lost when the power is."""
    with target.open("wb") as file:
        yield file
        file.flush()
        os.fsync(file.fileno())
    directory = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def _read_back(target: Path, rows: int) -> str:
    """Give the checksum of the file, once it has proved readable to the last of its lines."""
    with gzip.open(target) as packed:
        found = sum(1 for line in packed if line.endswith(b"}\n"))
    if found != rows:
        raise NotArchived(_("The file could not be read back. Nothing has left the log."))
    with target.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


# ---- The rows ------------------------------------------------------------------------------------------------------


def _lines(session: AnySession, old: ColumnElement[bool]) -> Iterator[str]:
    entry = as_type(func.to_jsonb(_LOG.table_valued()), Text)
    found = select(entry).where(old).order_by(_LOG.c.id).execution_options(yield_per=_ROWS_AT_ONCE)
    yield from session.connection().scalars(found)


def _remove(session: AnySession, old: ColumnElement[bool], rows: int) -> None:
    """Delete what is in the file; the trigger that keeps the log lets go for this one statement."""
    connection = session.connection()
    connection.execute(select(func.set_config("fsms.retention", "on", true())))
    removed = connection.execute(delete(_LOG).where(old)).rowcount
    connection.execute(select(func.set_config("fsms.retention", "", true())))
    if removed != rows:
        raise NotArchived(_("The log changed in between. Nothing has left it; please try again."))
