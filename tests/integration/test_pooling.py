"""Connections kept between requests: one that has ended is replaced before anybody asks it anything."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, Integer, bindparam, column, create_engine, func, select, table, text
from sqlalchemy.exc import OperationalError, ProgrammingError

from fsms import pooling
from fsms.pooling import ONE_PLAN, LookedAtPool
from tests.database import engine_of, server_url

PID = select(func.pg_backend_pid())


@pytest.fixture
def engine() -> Iterator[Engine]:
    engine = create_engine(
        server_url(), poolclass=LookedAtPool, pool_use_lifo=True, connect_args={"prepare_threshold": 2}
    )
    pooling.install(engine)
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
    monkeypatch.setattr(pooling, "_has_ended", lambda _driver: False)
    first = _asked(engine)
    _end(first)
    with pytest.raises(OperationalError):
        _asked(engine)
    second = _asked(engine)
    _end(second)

    monkeypatch.setattr(pooling, "RESTED_SECONDS", -1)

    assert _asked(engine) not in {first, second}


# ---- Going on at once ----------------------------------------------------------------------------------------------

PREPARED = text("select count(*) from pg_prepared_statements")
CLASSES = table("pg_class", column("oid", Integer), column("relpages", Integer))
PLANS = text("select statement, generic_plans > 0 and custom_plans = 0 from pg_prepared_statements")
OF_ANOTHER = text("select state from pg_stat_activity where pid = :process")


def test_what_was_prepared_is_known_to_the_transactions_after_it(engine: Engine) -> None:
    for _ in range(4):
        process = _asked(engine)

    with engine.connect() as connection:
        assert connection.scalar(PID) == process
        assert int(connection.scalar(PREPARED) or 0) >= 1


def test_what_has_no_values_is_planned_once_and_what_has_some_for_them(engine: Engine) -> None:
    for number in range(8):
        with engine.connect() as connection:
            connection.scalar(select(func.count()).select_from(CLASSES).where(CLASSES.c.relpages > number))
            connection.scalar(select(func.count()).select_from(CLASSES))

    with engine.connect() as connection:
        plans = connection.execute(PLANS).all()
    assert not [statement for statement, _once in plans if "relpages" in statement]
    assert [once for statement, once in plans if statement.endswith("pg_class")] == [True]


def test_what_has_one_plan_for_all_its_values_is_prepared(engine: Engine) -> None:
    asked = select(CLASSES.c.relpages).where(CLASSES.c.oid == bindparam("key", type_=Integer))
    for key in range(3):
        with engine.connect() as connection:
            connection.execute(asked.execution_options(**ONE_PLAN), {"key": key})

    with engine.connect() as connection:
        assert [statement for statement, _once in connection.execute(PLANS) if "oid = $1" in statement]


def test_several_statements_at_once_and_a_cursor_of_the_server_are_left_as_they_are(engine: Engine) -> None:
    for _ in range(3):
        with engine.connect() as connection:
            connection.execute(text("select 1; select 2"))
            connection.exec_driver_sql("select 1; select 2")
            rows = connection.execution_options(yield_per=2).execute(select(func.generate_series(1, 5)))
            assert rows.scalars().all() == [1, 2, 3, 4, 5]


def test_nothing_is_prepared_where_a_pooler_may_stand_before_the_server() -> None:
    engine = create_engine(server_url(), poolclass=LookedAtPool, connect_args={"prepare_threshold": None})
    pooling.install(engine)
    for _ in range(4):
        _asked(engine)

    with engine.connect() as connection:
        assert connection.scalar(PREPARED) == 0
    engine.dispose()


def test_a_transaction_is_taken_back_though_nobody_waits_for_it(engine: Engine) -> None:
    with engine.connect() as connection:
        connection.execute(text("create temporary table kept (number int)"))
        connection.commit()
        process = connection.scalar(PID)
        connection.execute(text("insert into kept values (1)"))
        connection.rollback()
        assert connection.scalar(text("select count(*) from kept")) == 0

    # Nothing is asked of the connection any more, and its transaction ends all the same.
    with engine_of(server_url()) as another, another.connect() as looking:
        while looking.scalar(OF_ANOTHER, {"process": process}) != "idle":
            looking.rollback()


def test_after_an_error_the_same_connection_goes_on(engine: Engine) -> None:
    process = _asked(engine)
    with engine.connect() as connection, pytest.raises(ProgrammingError):
        connection.execute(text("select nothing from nowhere"))

    assert _asked(engine) == process


def test_a_connection_that_ended_while_it_took_back_is_replaced(engine: Engine) -> None:
    with engine.connect() as connection:
        process = int(connection.scalar(PID) or 0)
        connection.rollback()
        _end(process)

    assert _asked(engine) != process


# ---- What an answer is made of -------------------------------------------------------------------------------------


def test_the_columns_of_an_answer_are_told_to_whoever_asks(engine: Engine) -> None:
    with engine.connect() as connection:
        cursor = connection.connection.cursor()
        cursor.execute("select 1 as one, 'two' as two")
        assert cursor.description is not None
        assert [(column[0], column[1]) for column in cursor.description] == [("one", 23), ("two", 25)]
        assert [len(cursor.description), len(cursor.description[:1])] == [2, 1]
        cursor.execute("set local work_mem = '4MB'")
        assert cursor.description is None


def test_what_is_asked_again_has_its_columns_under_their_names(engine: Engine) -> None:
    asked = select(CLASSES.c.oid, CLASSES.c.relpages.label("pages")).limit(1)

    for _ in range(3):
        with engine.connect() as connection:
            assert list(connection.execute(asked).mappings().one()) == ["oid", "pages"]
            assert list(connection.execute(text("select 3 as three")).keys()) == ["three"]
