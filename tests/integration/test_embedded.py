"""The embedded PostgreSQL as its processes see it: real servers, real kills, a data directory for each test."""

import os
import pwd
import shutil
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import psycopg
import pytest
from sqlalchemy import create_engine, text

from fsms import embedded

ROOT = Path(__file__).resolve().parents[2]
CAP_DAC_OVERRIDE = 1 << 1

APPLICATION = """
import os, pathlib, sys
from fsms import embedded

if user := int(sys.argv[3]):
    os.setgroups([])
    os.setgid(user)
    os.setuid(user)
print(embedded.share(pathlib.Path(sys.argv[1]), durable=sys.argv[2] == "durable").url, flush=True)
sys.stdin.read()
"""

only_as_root = pytest.mark.skipif(os.geteuid() != 0, reason="the tests do not run as root")


class Application:
    """A process of its own that uses the database until it is told to end."""

    def __init__(self, data_dir: Path, *, durable: bool = False, user: int = 0) -> None:
        # The account is changed inside: a plain user might not reach the interpreter below root's home.
        self.process = subprocess.Popen(
            [sys.executable, "-B", "-c", APPLICATION, data_dir, "durable" if durable else "forgetful", str(user)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    @property
    def url(self) -> str:
        """The address it got; waits for it."""
        assert self.process.stdout
        assert self.process.stderr
        return self.process.stdout.readline().strip() or pytest.fail(self.process.stderr.read())

    def end(self) -> None:
        """End as a program ends, and wait for it."""
        self.process.communicate(timeout=60)
        assert self.process.returncode == 0

    def kill(self) -> None:
        """End it with SIGKILL."""
        self.process.kill()
        self.process.communicate(timeout=60)


@pytest.fixture
def data_dir(tmp_path: Path) -> Iterator[Path]:
    """A directory for one test; whatever the test leaves running in it is killed."""
    yield tmp_path / "school"
    clear(tmp_path)


def clear(directory: Path) -> None:
    """Kill the servers below a directory, and remove the sockets they leave behind."""
    embedded.leave(directory / "school")
    for pid_file in directory.rglob("postmaster.pid"):
        kill_server(pid_file.parents[2])
        for line in pid_file.read_text().splitlines()[4:5]:
            shutil.rmtree(line)


@contextmanager
def application(data_dir: Path, *, durable: bool = False, user: int = 0) -> Iterator[str]:
    """An application process while the block runs; gives the address it got."""
    running = Application(data_dir, durable=durable, user=user)
    try:
        yield running.url
        running.end()
    finally:
        running.kill()


def server(data_dir: Path) -> psutil.Process | None:
    """The server process of that directory, if one is alive."""
    try:
        pid = int((data_dir / "postgres/cluster/postmaster.pid").read_text().split()[0])
        process = psutil.Process(pid)
        return None if process.status() == psutil.STATUS_ZOMBIE else process
    except (FileNotFoundError, psutil.NoSuchProcess):
        return None


def kill_server(data_dir: Path) -> None:
    """SIGKILL for the server and everything it started."""
    if postmaster := server(data_dir):
        family = [postmaster, *postmaster.children(recursive=True)]
        for process in family:
            with suppress(psutil.NoSuchProcess):  # what its postmaster left behind ends by itself
                process.kill()
        while any(process.is_running() and process.status() != psutil.STATUS_ZOMBIE for process in family):
            time.sleep(0.01)


def servers_below(directory: Path) -> int:
    """How many server processes, with their children, work on data below that directory."""
    postgres = [process for process in psutil.process_iter(["name"]) if process.info["name"] == "postgres"]
    return sum(1 for process in postgres if str(directory) in working_directory(process))


def working_directory(process: psutil.Process) -> str:
    """Where a process works; nowhere, if it has ended meanwhile."""
    try:
        return process.cwd()
    except psutil.Error:
        return ""


def anybody_reaches(directory: Path) -> bool:
    """Whether every account may pass through to that directory."""
    return all(part.stat().st_mode & stat.S_IXOTH for part in (directory, *directory.parents))


def ask(url: str, query: str) -> object:
    """The one value that a query gives."""
    with psycopg.connect(url, autocommit=True) as connection:
        row = connection.execute(query.encode()).fetchone()
    assert row
    return row[0]


def do(url: str, *statements: str) -> None:
    """Run statements, each committed by itself."""
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement.encode())


# --- Sharing ---------------------------------------------------------------------------------------------------------


def test_two_processes_share_one_server_and_the_last_one_stops_it(data_dir: Path) -> None:
    with application(data_dir) as first_url:
        first = server(data_dir)
        with application(data_dir) as second_url:
            assert second_url == first_url
            assert server(data_dir) == first
        assert server(data_dir) == first
        assert ask(first_url, "SELECT 1") == 1

    assert server(data_dir) is None
    assert servers_below(data_dir) == 0


def test_the_first_process_may_leave_first(data_dir: Path) -> None:
    first = Application(data_dir)
    assert first.url
    with application(data_dir) as url:
        first.end()

        assert ask(url, "SELECT 1") == 1
    assert server(data_dir) is None


def test_four_processes_starting_at_once_make_one_cluster_and_one_server(data_dir: Path) -> None:
    four = [Application(data_dir) for _ in range(4)]

    urls = {each.url for each in four}

    assert len(urls) == 1
    assert ask(urls.pop(), "SELECT count(*) FROM pg_roles WHERE rolname = 'fsms'") == 1
    postmaster = server(data_dir)
    assert postmaster
    assert servers_below(data_dir) == 1 + len(postmaster.children(recursive=True))
    for each in four:
        each.end()
    assert server(data_dir) is None


def test_threads_of_one_process_share_it_too(data_dir: Path) -> None:
    with ThreadPoolExecutor(8) as threads:
        shares = set(threads.map(lambda _: embedded.share(data_dir, durable=False), range(8)))

    assert len(shares) == 1
    embedded.leave(data_dir)
    assert server(data_dir) is None


FORKING = """
import os, pathlib, sys
from fsms import embedded

data_dir = pathlib.Path(sys.argv[1])
pid_file = data_dir / "postgres/cluster/postmaster.pid"
embedded.share(data_dir, durable=False)
if os.fork() == 0:
    sys.exit()
os.wait()
assert pid_file.exists(), "a child that ended stopped the server under its parent"

told, tell = os.pipe()
if os.fork() == 0:
    os.close(tell)
    os.read(told, 1)  # Until the parent has ended.
    import psycopg
    psycopg.connect(embedded.share(data_dir).url).close()
    print("the child outlived its parent")
"""


def test_forked_children_count_as_users_while_they_live(data_dir: Path) -> None:
    # A worker of the web server is such a child. It holds the pipe's end, so `run` returns when it has ended.
    done = subprocess.run(
        [sys.executable, "-B", "-c", FORKING, data_dir], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert (done.stdout, done.stderr) == ("the child outlived its parent\n", "")
    deadline = time.monotonic() + 10
    while server(data_dir) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert server(data_dir) is None


# --- Kills -----------------------------------------------------------------------------------------------------------


def test_no_committed_row_is_lost_when_application_and_server_are_killed(data_dir: Path) -> None:
    killed = Application(data_dir, durable=True)
    url = killed.url
    do(url, "CREATE TABLE mark (score int)", "INSERT INTO mark SELECT generate_series(1, 1000)")
    # A kill alone loses nothing even without these; a power cut would.
    written_through = {setting: ask(url, f"SHOW {setting}") for setting in ("fsync", "synchronous_commit")}
    killed.kill()
    kill_server(data_dir)

    with application(data_dir, durable=True) as url:
        assert ask(url, "SELECT sum(score) FROM mark") == 500_500
    assert written_through == {"fsync": "on", "synchronous_commit": "on"}
    assert server(data_dir) is None


def test_a_server_whose_application_was_killed_serves_the_next_and_stops_with_it(data_dir: Path) -> None:
    killed = Application(data_dir)
    assert killed.url
    killed.kill()
    left_alone = server(data_dir)
    assert left_alone

    with application(data_dir):
        assert server(data_dir) == left_alone
    assert server(data_dir) is None


def test_a_killed_server_comes_back_under_the_same_address(data_dir: Path) -> None:
    before = embedded.share(data_dir, durable=False)
    kill_server(data_dir)

    with application(data_dir) as url:
        assert url == before.url
        assert embedded.share(data_dir) == before
        assert ask(before.url, "SELECT 1") == 1


def test_whatever_a_killed_server_left_in_its_pid_file_is_no_obstacle(data_dir: Path) -> None:
    embedded.share(data_dir, durable=False)
    pid_file = data_dir / "postgres/cluster/postmaster.pid"

    left: tuple[tuple[str, str], ...] = (
        ("a number that now belongs to another program", f"{os.getpid()}\n"),
        ("a number that makes no sense", "?\n"),
        ("nothing, as after a power cut", ""),
    )
    for _meaning, first_line in left:
        kill_server(data_dir)
        _, *others = pid_file.read_text().splitlines(keepends=True)
        pid_file.write_text(first_line and "".join([first_line, *others]))

        assert ask(embedded.share(data_dir, durable=False).url, "SELECT 1") == 1


def test_a_cluster_that_was_interrupted_while_it_was_made_is_made_again(data_dir: Path) -> None:
    interrupted = Application(data_dir)
    deadline = time.monotonic() + 60
    while not list(data_dir.glob("postgres/cluster.unfinished-*/cluster/base")) and time.monotonic() < deadline:
        time.sleep(0.005)
    interrupted.kill()
    assert not (data_dir / "postgres/cluster").exists()

    with application(data_dir) as url:
        assert ask(url, "SELECT current_user::text") == "fsms"
    with application(data_dir):  # Where the killed program's last child wrote on, the next start clears it away.
        assert not list(data_dir.glob("postgres/cluster.unfinished-*"))


# --- Places and accounts ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("a place " + "សាលាមិត្តភាព " * 5, id="spaces and Khmer letters"),
        pytest.param("x" * 180, id="long"),
        pytest.param("""it's a "$HOME" `pwd` \\ 100%s,;#""", id="what a shell would mind"),
    ],
)
def test_the_data_directory_may_have_any_name(data_dir: Path, name: str) -> None:
    place = data_dir / name / ("y" * 100)

    with application(place) as url:
        assert ask(url, "SELECT 1") == 1
    with application(place) as url:
        assert ask(url, "SELECT 1") == 1
    assert server(place) is None


@pytest.fixture
def open_dir() -> Iterator[Path]:
    """A directory that every account may pass through, as pytest's own are not."""
    path = Path(tempfile.mkdtemp(prefix="fsms-test-", dir="/tmp"))
    path.chmod(0o755)
    yield path
    clear(path)
    shutil.rmtree(path)


@only_as_root
def test_a_plain_user_can_use_it(open_dir: Path) -> None:
    nobody = pwd.getpwnam("nobody").pw_uid
    os.chown(open_dir, nobody, -1)
    if not anybody_reaches(embedded.bin_dir()):
        pytest.skip("a plain user cannot reach PostgreSQL's programs")

    with application(open_dir / "school", user=nobody) as url:
        assert url
        postmaster = server(open_dir / "school")
        assert postmaster
        assert postmaster.uids().real == nobody
    assert server(open_dir / "school") is None


@only_as_root
def test_root_may_start_what_belongs_to_a_plain_user_and_leaves_it_to_its_owner(open_dir: Path) -> None:
    nobody = pwd.getpwnam("nobody").pw_uid
    os.chown(open_dir, nobody, -1)
    if not anybody_reaches(embedded.bin_dir()):
        pytest.skip("a plain user cannot reach PostgreSQL's programs")
    with application(open_dir / "school", user=nobody) as url:
        do(url, "CREATE TABLE kept ()")

    assert ask(embedded.share(open_dir / "school").url, "SELECT count(*) FROM kept") == 0
    embedded.leave(open_dir / "school")

    assert {path.lstat().st_uid for path in open_dir.rglob("*")} == {nobody}
    with application(open_dir / "school", user=nobody) as url:
        assert ask(url, "SELECT count(*) FROM kept") == 0


@only_as_root
def test_what_belongs_to_root_is_refused_to_a_plain_user_in_a_sentence(open_dir: Path) -> None:
    nobody = pwd.getpwnam("nobody").pw_uid
    embedded.share(open_dir / "school", durable=False)

    refused = Application(open_dir / "school", user=nobody)

    _, errors = refused.process.communicate(timeout=60)
    assert "set FSMS_DATA_DIR to a directory of your own" in errors


@only_as_root
@pytest.mark.parametrize(("mode", "powers"), [(0o755, 0), (0o700, CAP_DAC_OVERRIDE)])
def test_roots_server_runs_without_roots_powers_but_for_a_closed_directory(
    open_dir: Path, mode: int, powers: int
) -> None:
    open_dir.chmod(mode)

    url = embedded.share(open_dir / "school", durable=False).url

    assert ask(url, "SELECT 1") == 1
    postmaster = server(open_dir / "school")
    assert postmaster
    assert postmaster.uids().effective != 0
    status = Path(f"/proc/{postmaster.pid}/status").read_text()
    capabilities = int(status.split("CapEff:")[1].split()[0], 16)
    assert capabilities == (powers if anybody_reaches(embedded.bin_dir()) else CAP_DAC_OVERRIDE)


@only_as_root
def test_root_may_keep_the_programs_below_a_closed_directory_too(
    data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wheel = embedded.bin_dir().parents[1]
    for part in wheel.parent.glob(f"{wheel.name}*"):
        shutil.copytree(part, tmp_path / "closed" / part.name)
    (tmp_path / "closed").chmod(0o700)
    monkeypatch.syspath_prepend(tmp_path / "closed")
    assert embedded.bin_dir().is_relative_to(tmp_path)

    assert ask(embedded.share(data_dir, durable=False).url, "SELECT 1") == 1


def test_a_root_that_is_alone_in_its_namespace_can_use_it(data_dir: Path) -> None:
    # So it is in some build sandboxes: root is the only account there is.
    alone = ["unshare", "--user", "--map-root-user", sys.executable, "-B", "-c", APPLICATION]
    if subprocess.run([*alone[:3], "true"], capture_output=True, check=False).returncode != 0:
        pytest.skip("the kernel makes no user namespace here")

    done = subprocess.run(
        [*alone, data_dir, "forgetful", "0"], cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, check=False
    )

    assert done.stderr == b""
    assert done.stdout.startswith(b"postgresql://")
    assert server(data_dir) is None


@only_as_root
def test_a_backup_that_root_copied_back_is_handed_to_the_server(open_dir: Path) -> None:
    do(embedded.share(open_dir / "school", durable=False).url, "CREATE TABLE kept ()")
    embedded.leave(open_dir / "school")
    for path in (open_dir / "school").rglob("*"):
        os.chown(path, 0, 0)

    url = embedded.share(open_dir / "school", durable=False).url

    assert ask(url, "SELECT count(*) FROM kept") == 0


# --- Refusals --------------------------------------------------------------------------------------------------------


def test_data_of_another_major_version_is_left_alone_and_the_way_out_is_told(data_dir: Path) -> None:
    embedded.share(data_dir, durable=False)
    embedded.leave(data_dir)
    version = data_dir / "postgres/cluster/PG_VERSION"
    version.write_text("14\n")
    before = {path: path.lstat().st_mtime_ns for path in version.parent.rglob("*")}

    with pytest.raises(embedded.EmbeddedDatabaseError) as refusal:
        embedded.share(data_dir)

    said = str(refusal.value)
    assert "written by PostgreSQL 14; this release carries PostgreSQL 18" in said
    for step in ("pg_dump ", "move ", "psql "):
        assert step in said
    assert {path: path.lstat().st_mtime_ns for path in version.parent.rglob("*")} == before


def test_a_server_that_cannot_start_says_why_and_where_its_log_is(data_dir: Path) -> None:
    socket_dir = embedded.share(data_dir, durable=False).socket_dir
    embedded.leave(data_dir)
    with (data_dir / "postgres/cluster/postgresql.conf").open("a") as conf:
        conf.write("work_mem = 'plenty'\n")

    with pytest.raises(embedded.EmbeddedDatabaseError) as refusal:
        embedded.share(data_dir)

    assert 'invalid value for parameter "work_mem": "plenty"' in str(refusal.value)
    assert str(data_dir / "postgres/server.log") in str(refusal.value)
    socket_dir.rmdir()


def test_a_socket_directory_of_somebody_else_is_refused(data_dir: Path, tmp_path: Path) -> None:
    socket_dir = embedded.share(data_dir, durable=False).socket_dir
    embedded.leave(data_dir)
    (tmp_path / "elsewhere").mkdir()
    socket_dir.symlink_to(tmp_path / "elsewhere")

    try:
        with pytest.raises(embedded.EmbeddedDatabaseError, match=f"{socket_dir} is in the way"):
            embedded.share(data_dir)
    finally:
        socket_dir.unlink()


# --- What one gets ---------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def standing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """One running server for the tests that only look at it."""
    path = tmp_path_factory.mktemp("standing")
    embedded.share(path / "school", durable=False)
    yield path / "school"
    clear(path)


def test_the_address_works_for_psycopg_sqlalchemy_and_psql(standing: Path) -> None:
    share = embedded.share(standing)
    do(share.url, 'CREATE DATABASE "scratch 1%"')
    scratch = share.url_for("scratch 1%")

    by_psycopg = ask(scratch, "SELECT current_database()::text")
    engine = create_engine(scratch)
    with engine.connect() as connection:
        by_sqlalchemy = connection.scalar(text("SELECT current_database()::text"))
    engine.dispose()
    psql = [str(embedded.bin_dir() / "psql"), "-XAtc", "SELECT current_database()", scratch]
    by_psql = subprocess.run(psql, capture_output=True, text=True, check=True).stdout.strip()

    assert {by_psycopg, by_sqlalchemy, by_psql} == {"scratch 1%"}
    assert (standing / "postgres/url").read_text().strip() == share.url


def test_every_new_database_has_the_statistics_and_knows_khmer(standing: Path) -> None:
    share = embedded.share(standing)
    do(share.url, "CREATE DATABASE scratch")

    for url in (share.url, share.url_for("scratch")):
        do(url, "CREATE EXTENSION pg_trgm", "CREATE EXTENSION btree_gist")
        assert ask(url, "SELECT count(*) > 0 FROM pg_stat_statements")
        assert ask(url, "SELECT similarity('សុខ ដារ៉ា', 'សុខ ដារា') BETWEEN 0.4 AND 0.99")
        assert ask(url, "SELECT upper('É') || lower('É')") == "Éé"
        assert ask(url, "SHOW timezone") == "UTC"


def test_the_application_is_no_superuser_and_its_password_is_needed_and_private(standing: Path) -> None:
    share = embedded.share(standing)

    assert ask(share.url, "SELECT NOT rolsuper AND rolcreatedb AND rolcreaterole FROM pg_roles WHERE rolname = 'fsms'")
    for wrong in (share.url.replace(share.password, "guess"), share.url.replace("fsms:", "postgres:", 1)):
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            psycopg.connect(wrong)
    files = [path for path in (standing / "postgres").iterdir() if path.is_file()]
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}
    assert share.password not in repr(share)


def test_the_server_stands_apart_from_network_terminal_and_locks(standing: Path) -> None:
    postmaster = server(standing)
    assert postmaster
    assert postmaster.net_connections("inet") == []
    # Ctrl-C goes to every process of the terminal's session.
    assert os.getsid(postmaster.pid) != os.getsid(0)
    opened = [fd.readlink() for fd in Path(f"/proc/{postmaster.pid}/fd").iterdir()]
    assert not [path for path in opened if path.suffix == ".lock" and path.is_relative_to(standing)]
