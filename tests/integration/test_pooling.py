"""Connections kept between requests: one that has ended is replaced before anybody asks it anything."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.exc import OperationalError

from fsms import pooling
from fsms.pooling import LookedAtPool
from tests.database import engine_of, server_url

PID = text("select pg_backend_pid()")


@pytest.fixture
def engine() -> Iterator[Engine]:
    engine = create_engine(server_url(), poolclass=LookedAtPool, pool_use_lifo=True)
    yield engine
    engine.dispose()


def _asked(engine: Engine) -> int:
    with engine.connect() as connection:
        return int(connection.scalar(PID) or 0)


def _end(process: int) -> None:
    """End a connection of the server, as a restart does, and wait until it is gone."""
    with engine_of(server_url()) as another, another.connect() as connection:
        assert connection.scalar(text("select pg_terminate_backend(:process, 5000)"), {"process": process})


def test_a_connection_is_used_again(engine: Engine) -> None:
    assert _asked(engine) == _asked(engine)


def test_a_connection_that_the_server_ended_is_replaced(engine: Engine) -> None:
    first = _asked(engine)

    _end(first)

    assert _asked(engine) != first


def test_all_that_ended_together_are_replaced(engine: Engine) -> None:
    with engine.connect() as one, engine.connect() as other:
        processes = {int(connection.scalar(PID) or 0) for connection in (one, other)}
    for process in processes:
        _end(process)

    with engine.connect() as one, engine.connect() as other:
        assert not processes & {int(connection.scalar(PID) or 0) for connection in (one, other)}


def test_after_a_rest_the_server_is_asked_since_an_end_may_have_come_without_a_word(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pooling, "_has_word", lambda _driver: False)
    first = _asked(engine)
    _end(first)
    with pytest.raises(OperationalError):
        _asked(engine)
    second = _asked(engine)
    _end(second)

    monkeypatch.setattr(pooling, "RESTED_SECONDS", -1)

    assert _asked(engine) not in {first, second}
