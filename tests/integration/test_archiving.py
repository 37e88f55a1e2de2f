"""Old entries leave the log for a file: whole, checked, and not before the file is safe."""

import datetime as dt
import gzip
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, select, text
from sqlalchemy.orm import Session, sessionmaker

from fsms import activity, clock, policy
from fsms.models import ActivityLog
from fsms.operations import archiving
from fsms.operations.archiving import NotArchived, archive
from fsms.policy import SYSTEM, speak_for
from tests.database import engine_of, migrated_template, scratch_database

NEW_YEAR = dt.date(2025, 1, 1)

Sessions = sessionmaker(join_transaction_mode="create_savepoint")
policy.install(Sessions)
activity.install(Sessions)

# The second is from the last minute of the old year in Phnom Penh, the third from the first of the new one.
ENTRIES = """
INSERT INTO "ActivityLog" (id, action, details, timestamp) VALUES
    (1, 'login', '{"ip": "10.0.0.7"}', '2024-06-01'),
    (2, 'update_student', '{"changes": {"last_name": ["សុខ", "ជា\\n"]}}', '2024-12-31 23:59:59.999+07'),
    (3, 'logout', NULL, '2025-01-01 00:00+07'),
    (4, 'login', NULL, '2025-06-01');
SELECT setval('"ActivityLog_id_seq"', 4);
"""


@pytest.fixture(scope="module")
def school() -> Iterator[Engine]:
    """A log of four entries."""
    with scratch_database("archiving", migrated_template()) as url, engine_of(url) as engine:
        with engine.begin() as connection:
            connection.execute(text(ENTRIES.replace(":", "\\:")))
        yield engine


@pytest.fixture
def connection(school: Engine) -> Iterator[Connection]:
    """One connection, and nothing of the test is kept."""
    with school.connect() as connection, connection.begin() as transaction:
        yield connection
        transaction.rollback()


@pytest.fixture
def session(connection: Connection) -> Iterator[Session]:
    """A session as the command line has it."""
    with Sessions(bind=connection) as session:
        speak_for(session, SYSTEM)
        yield session


def numbers(session: Session) -> list[int]:
    return list(session.scalars(select(ActivityLog.id).order_by(ActivityLog.id)))


def lines_of(path: Path) -> list[dict[str, Any]]:
    with gzip.open(path, "rt", encoding="utf-8") as packed:
        return [json.loads(line) for line in packed]


def test_entries_from_before_a_day_of_the_school_move_into_a_file(session: Session, tmp_path: Path) -> None:
    done = archive(session, NEW_YEAR, tmp_path / "2024.jsonl.gz")

    assert done.rows == 2
    assert numbers(session)[:-1] == [3, 4]
    first, second = lines_of(done.path)
    assert first["details"] == {"ip": "10.0.0.7"}
    assert (second["id"], second["userId"], second["action"]) == (2, None, "update_student")
    assert second["details"]["changes"] == {"last_name": ["សុខ", "ជា\n"]}
    assert dt.datetime.fromisoformat(second["timestamp"]) == dt.datetime(2024, 12, 31, 16, 59, 59, 999000, dt.UTC)


def test_the_checksum_stands_beside_it_as_sha256sum_reads_it(session: Session, tmp_path: Path) -> None:
    done = archive(session, NEW_YEAR, tmp_path / "2024.jsonl.gz")

    assert done.sha256 == hashlib.sha256(done.path.read_bytes()).hexdigest()
    assert (tmp_path / "2024.jsonl.gz.sha256").read_text() == f"{done.sha256}  2024.jsonl.gz\n"


def test_nobody_else_may_read_the_file(session: Session, tmp_path: Path) -> None:
    archive(session, NEW_YEAR, tmp_path / "2024.jsonl.gz")

    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o600}


def test_archiving_leaves_its_own_sign_in_the_log(session: Session, tmp_path: Path) -> None:
    done = archive(session, NEW_YEAR, tmp_path / "2024.jsonl.gz")

    entry = session.scalars(select(ActivityLog).order_by(ActivityLog.id.desc())).first()
    assert entry
    assert entry.action == "archive_activity"
    assert entry.details == {
        "by": "system",
        "before": "2025-01-01",
        "rows": 2,
        "file": "2024.jsonl.gz",
        "sha256": done.sha256,
    }


def test_until_the_commit_nothing_has_left_the_log(session: Session, tmp_path: Path) -> None:
    archive(session, NEW_YEAR, tmp_path / "2024.jsonl.gz")

    session.rollback()

    assert numbers(session) == [1, 2, 3, 4]


def test_afterwards_the_log_is_protected_again(session: Session, tmp_path: Path) -> None:
    archive(session, NEW_YEAR, tmp_path / "2024.jsonl.gz")

    with pytest.raises(Exception, match="only added to"):
        session.execute(text('DELETE FROM "ActivityLog"'))


@pytest.mark.parametrize("taken", ["2024.jsonl.gz", "2024.jsonl.gz.sha256"])
def test_a_file_that_is_there_is_left_alone(session: Session, tmp_path: Path, taken: str) -> None:
    (tmp_path / taken).write_text("something else")

    with pytest.raises(NotArchived, match="Choose another name"):
        archive(session, NEW_YEAR, tmp_path / "2024.jsonl.gz")

    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [(taken, "something else")]
    assert numbers(session) == [1, 2, 3, 4]


@pytest.mark.parametrize(
    ("before", "sentence"),
    [
        (clock.today() + dt.timedelta(days=1), "The day lies in the future. Choose today or an earlier day."),
        (dt.date(2024, 6, 1), "The log has no entries from before that day."),
    ],
)
def test_a_day_that_makes_no_sense_is_refused(session: Session, tmp_path: Path, before: dt.date, sentence: str) -> None:
    with pytest.raises(NotArchived) as refused:
        archive(session, before, tmp_path / "log.jsonl.gz")

    assert str(refused.value) == sentence
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_cannot_be_read_back_keeps_the_rows(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = archiving._write_entries
    monkeypatch.setattr(archiving, "_write_entries", lambda target, lines: write(target, list(lines)[:-1]) + 1)

    with pytest.raises(NotArchived, match="could not be read back"):
        archive(session, NEW_YEAR, tmp_path / "2024.jsonl.gz")

    session.rollback()
    assert numbers(session) == [1, 2, 3, 4]
    assert list(tmp_path.iterdir()) == []


def test_of_two_at_once_the_second_gives_up_and_leaves_the_first_ones_file(school: Engine, tmp_path: Path) -> None:
    with Sessions(bind=school) as first, Sessions(bind=school) as second:
        for session in (first, second):
            speak_for(session, SYSTEM)
        archive(first, NEW_YEAR, tmp_path / "2024.jsonl.gz")

        with pytest.raises(NotArchived, match="Choose another name"):
            archive(second, NEW_YEAR, tmp_path / "2024.jsonl.gz")

        first.rollback()
        second.rollback()
    assert len(lines_of(tmp_path / "2024.jsonl.gz")) == 2
