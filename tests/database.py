"""Databases for the tests: made beside the one that DATABASE_URL names, or in the embedded server; dropped after.

Every database of a run carries the run's name, so that workers share the migrated template and nothing stays behind:
the run drops its own at the end, and the next run on this machine those of a run that was killed.
"""

import atexit
import fcntl
import os
import re
import socket
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from itertools import count
from pathlib import Path

import psutil
from sqlalchemy import Connection, Engine, create_engine, make_url, text
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.pool import NullPool

from fsms import embedded, schema
from fsms.config import ROOT

WORKER = os.environ.get("PYTEST_XDIST_WORKER", "")
RUN = os.getppid() if WORKER else os.getpid()  # A worker is a child of the process that was called.
MACHINE = f"fsms_test_{zlib.crc32(socket.gethostname().encode()):08x}"
TEMPLATE = f"{MACHINE}_{RUN}_template"
USED = Path(tempfile.gettempdir()) / f"{MACHINE}_{RUN}.used"  # Says that this run asked for a database at all.

_numbers = count(1)


@cache
def server_url() -> str:
    """Address of the server's maintenance database, in SQLAlchemy's form."""
    given = os.environ.get("DATABASE_URL", "").strip()
    USED.touch()
    url = make_url(given or embedded.share(ROOT / "instance" / "test", durable=False).url)
    return url.set(drivername="postgresql+psycopg").render_as_string(hide_password=False)


def url_of(database: str) -> str:
    """Address of another database of the server."""
    return make_url(server_url()).set(database=database).render_as_string(hide_password=False)


@contextmanager
def engine_of(url: str) -> Iterator[Engine]:
    """Give an engine that keeps no connection, so that its database can be copied and dropped at once."""
    engine = create_engine(url, poolclass=NullPool)
    try:
        yield engine
    finally:
        engine.dispose()


@contextmanager
def scratch_database(name: str, template: str | None = None) -> Iterator[str]:
    """Make a database, empty or as a copy, and drop it afterwards; gives its address."""
    database = f"{MACHINE}_{RUN}_{WORKER or 'w'}_{next(_numbers)}_{name}"[:63]
    with _maintenance() as server:
        server.execute(text(f'CREATE DATABASE "{database}"' + (f' TEMPLATE "{template}"' if template else "")))
    try:
        yield url_of(database)
    finally:
        with _maintenance() as server:
            _drop(server, database)


def _drop(server: Connection, database: str) -> None:
    try:
        server.execute(text(f'DROP DATABASE IF EXISTS "{database}" WITH (FORCE)'))
    except ProgrammingError:
        # The server's own vacuum was at work there, which only a superuser may end; for a plain drop it makes way.
        server.rollback()
        server.execute(text(f'DROP DATABASE IF EXISTS "{database}"'))


@cache
def migrated_template() -> str:
    """Name the one migrated, empty database of this run; the first worker to ask makes it."""
    with (Path(tempfile.gettempdir()) / f"{MACHINE}.lock").open("w") as gate:
        fcntl.flock(gate, fcntl.LOCK_EX)
        with _maintenance() as server:
            _drop_leftovers(server)
            if TEMPLATE not in _ours(server):
                draft = f"{TEMPLATE}_draft"
                _drop(server, draft)
                server.execute(text(f'CREATE DATABASE "{draft}"'))
                with engine_of(url_of(draft)) as engine:
                    schema.upgrade(engine)
                server.execute(text(f'ALTER DATABASE "{draft}" RENAME TO "{TEMPLATE}"'))
    return TEMPLATE


def drop_all_of_this_run() -> None:
    """Drop what the run made; called when the process ends that started it."""
    if not USED.exists():
        return
    USED.unlink()
    with _maintenance() as server:
        for database in _ours(server):
            if database.startswith(f"{MACHINE}_{RUN}_"):
                _drop(server, database)


if not WORKER:
    atexit.register(drop_all_of_this_run)


@contextmanager
def _maintenance() -> Iterator[Connection]:
    with engine_of(server_url()) as engine, engine.connect() as connection:
        yield connection.execution_options(isolation_level="AUTOCOMMIT")


def _ours(server: Connection) -> list[str]:
    return list(
        server.scalars(
            text(
                "SELECT datname FROM pg_database WHERE starts_with(datname, :machine) "
                "AND datdba = cast(current_user AS regrole) ORDER BY datname"
            ),
            {"machine": f"{MACHINE}_"},
        )
    )


def _drop_leftovers(server: Connection) -> None:
    for database in _ours(server):
        if not _runs(database):
            _drop(server, database)
    for used in USED.parent.glob(f"{MACHINE}_*.used"):
        if not _runs(used.name):
            used.unlink(missing_ok=True)


def _runs(name: str) -> bool:
    """Say whether the run that this name belongs to is still going on."""
    run = re.match(rf"{MACHINE}_(\d+)[_.]", name)
    return run is None or psutil.pid_exists(int(run[1]))
