"""The command `fsms`, as it is typed."""

import csv
import gzip
import hashlib
import io
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import text

import app
from fsms import clock, schema
from fsms.cli import command
from fsms.config import ROOT
from fsms.database import db
from tests.database import engine_of, migrated_template, scratch_database


class Shell:
    """Types `fsms …` against a database of its own."""

    def __init__(self, url: str) -> None:
        self.url = url

    def fsms(self, *words: str, typed: str | None = None) -> Result:
        try:
            return CliRunner().invoke(command, list(words), input=typed)
        finally:
            self.let_connections_go()

    def let_connections_go(self) -> None:
        """A real command ends with its process; here its connections must end by themselves."""
        for engines in db._app_engines.values():
            for engine in engines.values():
                engine.dispose()

    def count(self, table: str) -> int:
        with engine_of(self.url) as engine, engine.connect() as connection:
            return int(connection.scalar(text(f'select count(*) from "{table}"')) or 0)  # noqa: S608


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Shell]:
    with scratch_database("cli", migrated_template()) as url:
        _point_at(url, monkeypatch, tmp_path)
        yield Shell(url)


@pytest.fixture
def empty_shell(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Shell]:
    with scratch_database("cli_empty") as url:
        _point_at(url, monkeypatch, tmp_path)
        yield Shell(url)


@pytest.fixture(scope="module")
def demo_url() -> Iterator[str]:
    with scratch_database("cli_demo", migrated_template()) as url:
        with pytest.MonkeyPatch.context() as environment, tempfile.TemporaryDirectory() as data_dir:
            _point_at(url, environment, Path(data_dir))
            assert Shell(url).fsms("demo", "--students", "60", "--years", "1").exit_code == 0
        yield url


@pytest.fixture
def demo_shell(demo_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Shell:
    _point_at(demo_url, monkeypatch, tmp_path)
    return Shell(demo_url)


def _point_at(url: str, monkeypatch: pytest.MonkeyPatch, data_dir: Path) -> None:
    monkeypatch.setenv("DATABASE_URL", url)
    monkeypatch.setenv("SECRET_KEY", "for tests only")
    monkeypatch.setenv("FSMS_DATA_DIR", str(data_dir))
    monkeypatch.setenv("FSMS_BCRYPT_COST", "4")
    monkeypatch.delenv("FSMS_DEMO_PASSWORD", raising=False)


def test_a_database_at_the_wrong_revision_is_refused_with_the_command_that_mends_it(empty_shell: Shell) -> None:
    refused = empty_shell.fsms("serve")

    assert refused.exit_code == 1
    assert "Run `fsms db upgrade`" in str(refused.exception)


def test_other_servers_are_refused_the_application_just_so(empty_shell: Shell) -> None:
    with pytest.raises(schema.WrongRevision, match="fsms db upgrade"):
        _ = app.app

    empty_shell.let_connections_go()


def test_the_named_command_mends_it(empty_shell: Shell) -> None:
    assert empty_shell.fsms("db", "upgrade").exit_code == 0

    assert empty_shell.fsms("db", "check").output == "The database is what the models say.\n"


def test_drift_is_told_and_ends_in_failure(shell: Shell) -> None:
    with engine_of(shell.url) as engine, engine.begin() as connection:
        connection.execute(text("DROP INDEX idx_grade_date"))

    checked = shell.fsms("db", "check")

    assert checked.exit_code == 1
    assert "idx_grade_date" in checked.output


def test_the_first_administrator_is_made_by_command(shell: Shell) -> None:
    made = shell.fsms("create-admin", typed="meassophal\nMeas\nSophal\na long first password\na long first password\n")

    assert made.exit_code == 0, made.output
    assert shell.count("User") == 1
    assert "a long first password" not in made.output


def test_a_short_password_makes_no_administrator(shell: Shell) -> None:
    refused = shell.fsms("create-admin", typed="meassophal\nMeas\nSophal\nshort\nshort\n")

    assert refused.exit_code == 1
    assert "at least 8 characters" in str(refused.exception)
    assert shell.count("User") == 0


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        (("admin", "delete", "student"), "yes: Administrators see and change the records of the whole school."),
        (("teacher1", "edit", "grade"), "yes: Teachers see and enter marks in their own classes"),
        (("teacher1", "view", "scholarship"), "no: Scholarships are for administrators only."),
        (("admin", "edit", "activitylog"), "no: Nobody changes the activity log"),
        (("nobody", "list", "student"), "There is no account “nobody”."),
        (("teacher1", "view", "course", "999999"), "Record 999999 is not among them."),
    ],
)
def test_a_question_about_rights_is_answered_with_the_reason(
    demo_shell: Shell, question: tuple[str, ...], answer: str
) -> None:
    asked = demo_shell.fsms("may", *question)

    assert answer in asked.output + str(asked.exception)


def test_the_demo_school_fills_an_empty_database(shell: Shell) -> None:
    filled = shell.fsms("demo", "--students", "30", "--years", "1")

    assert filled.exit_code == 0, filled.output
    assert shell.count("Student") == 30
    assert "admin" in filled.output


def test_the_demo_school_does_not_touch_a_school_that_has_pupils(shell: Shell) -> None:
    shell.fsms("demo", "--students", "30", "--years", "1")

    refused = shell.fsms("demo", "--students", "20", "--years", "1")

    assert refused.exit_code == 1
    assert "30 Student" in str(refused.exception)
    assert "--force" in str(refused.exception)
    assert shell.count("Student") == 30


def test_with_force_the_demo_school_says_what_it_replaces(shell: Shell) -> None:
    shell.fsms("demo", "--students", "30", "--years", "1")

    replaced = shell.fsms("demo", "--students", "20", "--years", "1", "--force")

    assert replaced.exit_code == 0, replaced.output
    assert "Replacing" in replaced.output
    assert "30 Student" in replaced.output
    assert shell.count("Student") == 20


def test_the_demo_password_is_made_once_and_kept_private(shell: Shell, tmp_path: Path) -> None:
    first = shell.fsms("demo", "--students", "10", "--years", "1").output
    second = shell.fsms("demo", "--students", "10", "--years", "1", "--force").output

    kept = tmp_path / "demo-password"
    assert kept.stat().st_mode & 0o077 == 0
    assert f"Password: {kept.read_text()}" in first
    assert f"Password: {kept.read_text()}" in second


def test_the_revision_the_program_wants_is_the_newest_migration() -> None:
    newest = sorted(path.stem for path in schema.MIGRATIONS.joinpath("versions").glob("0*.py"))[-1]

    assert schema.head() == newest


def test_old_entries_of_the_log_go_into_a_file_with_its_checksum(demo_shell: Shell, tmp_path: Path) -> None:
    told = demo_shell.fsms(
        "activity", "archive", "--before", f"{clock.today():%Y-%m-%d}", "--to", str(tmp_path / "kept")
    )

    assert told.exit_code == 0, told.output
    (archive,) = (tmp_path / "kept").glob("*.jsonl.gz")
    checksum = hashlib.sha256(archive.read_bytes()).hexdigest()
    assert checksum in told.output
    assert checksum in archive.with_name(f"{archive.name}.sha256").read_text()
    with gzip.open(archive, "rt") as lines:
        assert {json.loads(line)["action"] for line in lines} == {"login"}


def test_nothing_is_archived_twice_over_the_same_file(demo_shell: Shell, tmp_path: Path) -> None:
    words = ("activity", "archive", "--before", "2000-01-01", "--to", str(tmp_path))

    refused = demo_shell.fsms(*words)

    assert refused.exit_code == 1
    assert "no entries from before that day" in str(refused.exception)


def test_a_list_goes_to_standard_output_as_its_page_would_give_it(demo_shell: Shell) -> None:
    pupils = demo_shell.fsms("export", "student", "--where", "gender-is=female", "--search", "1001")
    lines = demo_shell.fsms("export", "attendance", "--format", "jsonl", "--where", "status-is=Absent").stdout

    assert pupils.exit_code == 0, pupils.exception
    headings, *rows = csv.reader(io.StringIO(pupils.stdout.lstrip("\ufeff"), newline=""))
    assert {row[headings.index("Sex")] for row in rows} == {"Female"}
    assert {json.loads(line)["status"] for line in lines.splitlines()} == {"Absent"}


def test_a_question_that_no_list_knows_is_refused_with_those_it_knows(demo_shell: Shell) -> None:
    refused = demo_shell.fsms("export", "student", "--where", "colour-is=blue")

    assert refused.exit_code == 2
    assert "cannot be asked “colour-is”" in refused.stderr
    assert "gender-is" in refused.stderr


def test_columns_are_chosen_by_name_and_unknown_ones_refused(demo_shell: Shell) -> None:
    chosen = demo_shell.fsms("export", "student", "--columns", "student_id,full_name")
    refused = demo_shell.fsms("export", "student", "--columns", "student_id,colour")

    assert chosen.stdout.lstrip("\ufeff").splitlines()[0] == "Pupil number,Name"
    assert refused.exit_code == 2
    assert "no column “colour”" in refused.stderr
    assert "full_name" in refused.stderr


def test_an_unknown_list_is_refused_with_those_there_are(demo_shell: Shell) -> None:
    refused = demo_shell.fsms("export", "pupils")

    assert refused.exit_code == 2
    assert "'student'" in refused.stderr


def test_an_export_shows_no_progress_where_nobody_watches(demo_shell: Shell) -> None:
    assert demo_shell.fsms("export", "student").stderr == ""


def test_whoever_reads_only_the_head_of_an_export_sees_no_complaint(demo_shell: Shell) -> None:
    words = [sys.executable, "-m", "fsms.cli", "export", "attendance"]
    with subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as command_line:
        assert command_line.stdout
        assert command_line.stderr
        command_line.stdout.readline()
        command_line.stdout.close()
        complaints = command_line.stderr.read().decode()

    assert (command_line.returncode, complaints) == (0, "")
