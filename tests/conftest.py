"""What every test may ask for: the application on a real database, browsers signed in by role, a count of queries."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Connection, Engine, event, func, select, text, true
from sqlalchemy.orm import Session, SessionTransaction

from app import create_app
from fsms.config import Settings
from fsms.database import db
from fsms.vocabulary import Role
from tests.browser import Browser, PageClient, Queries, SameQueries
from tests.builders import PASSWORD, Make
from tests.database import migrated_template, scratch_database

# In whose name a transaction asks, and whether the log is written by the application: see fsms.policy, fsms.activity.
TOLD = ("role", "fsms.user_id", "fsms.attendance_days", "fsms.logged", "fsms.activity")
SECRETS_IN_THE_LOG = r"""
    select count(*) from "ActivityLog"
    where details::text ~ '\$2[abxy]\$' or position(:password in details::text) > 0
"""
SAVEPOINTS = ("SAVEPOINT", "RELEASE SAVEPOINT", "ROLLBACK TO SAVEPOINT")


# ---- The application ----------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def flask_app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    """The application, made once for a worker, since thirteen forms take their time, on a database of this worker."""
    with scratch_database("pages", migrated_template()) as url:
        app = _application(url, tmp_path_factory.mktemp("data"))
        yield app
        _let_go(app)


@pytest.fixture
def app(flask_app: Flask) -> Iterator[Flask]:
    """The application in a transaction that is rolled back after the test, whatever was committed in it."""
    with flask_app.app_context():
        engine = db.engine
    with engine.connect() as connection:
        transaction = connection.begin()
        # A session inside a savepoint makes its own commits savepoints too.
        connection.begin_nested()
        with _everything_on(flask_app, connection):
            yield flask_app
        # Whatever the test did, the log of it holds no secret.
        leaked = connection.scalar(text(SECRETS_IN_THE_LOG), {"password": PASSWORD})
        transaction.rollback()
        assert not leaked


@pytest.fixture
def school(tmp_path: Path) -> Iterator[Flask]:
    """An application with a database to itself and real commits: for what needs connections of its own."""
    with scratch_database("school", migrated_template()) as url:
        app = _application(url, tmp_path)
        yield app
        _let_go(app)


def _application(url: str, data_dir: Path) -> Flask:
    settings = Settings(database_url=url, secret_key="for tests only", data_dir=data_dir, bcrypt_cost=4)
    app = create_app(settings)
    app.testing = False  # a fault shows the visitor's page, as it would at the school
    return app


@contextmanager
def _everything_on(app: Flask, connection: Connection) -> Iterator[None]:
    """Let every session of the application work on one connection."""
    engines = db._app_engines[app]
    db._app_engines[app] = {None: connection}  # type: ignore[dict-item]
    try:
        with _each_for_itself(connection):
            yield
    finally:
        db._app_engines[app] = engines


@contextmanager
def _each_for_itself(connection: Connection) -> Iterator[None]:
    """Take back, after each session, what it told the database of itself: a savepoint's settings outlast it."""
    told = select(*(func.current_setting(name, true()) for name in TOLD))
    before: dict[Session, Sequence[str | None]] = {}

    # At its creation nobody has spoken in the transaction yet; at its beginning the session's own listener may have.
    def _remember(session: Session, transaction: SessionTransaction) -> None:
        if transaction.parent is None and connection.in_transaction():
            before[session] = tuple(connection.execute(told).one())

    def _take_back(session: Session, transaction: SessionTransaction) -> None:
        if transaction.parent is None and session in before and connection.in_transaction():
            values = zip(TOLD, before.pop(session), strict=True)
            connection.execute(select(*(func.set_config(name, value or "", true()) for name, value in values)))

    event.listen(Session, "after_transaction_create", _remember)
    event.listen(Session, "after_transaction_end", _take_back)
    try:
        yield
    finally:
        event.remove(Session, "after_transaction_create", _remember)
        event.remove(Session, "after_transaction_end", _take_back)


def _let_go(app: Flask) -> None:
    with app.app_context():
        for engine in db.engines.values():
            engine.dispose()


# ---- Rows and browsers --------------------------------------------------------------------------------------------


@pytest.fixture
def session(app: Flask) -> Iterator[Session]:
    """A session beside those of the pages, with every right and unlogged; it sees at once what pages changed."""
    with app.app_context():
        connection = db.engine
    with Session(connection) as session:
        event.listen(session, "after_begin", _unlogged)
        yield session


def _unlogged(_session: Session, _transaction: SessionTransaction, connection: Connection) -> None:
    connection.execute(select(func.set_config("fsms.logged", "on", true())))


@pytest.fixture
def make(session: Session) -> Make:
    """The builders: `make.student()`, `make.course(level=3, teacher=…)`."""
    return Make(session)


@pytest.fixture
def browser(app: Flask, session: Session) -> Browser:
    """Open another browser, that of a stranger."""
    # A transaction left open by a look at a row would be an outer savepoint of the page's.
    return lambda: PageClient(app, before_each=session.commit)


@pytest.fixture
def visitor(browser: Browser) -> PageClient:
    """Somebody who has not signed in."""
    return browser()


@pytest.fixture
def admin(browser: Browser, make: Make) -> PageClient:
    """The principal, signed in."""
    return _signed_in(browser(), make, username="principal", role=Role.ADMIN.value)


@pytest.fixture
def teacher(browser: Browser, make: Make) -> PageClient:
    """A teacher, signed in; give `teacher.user` a course."""
    return _signed_in(browser(), make, username="teacher", role=Role.TEACHER.value)


@pytest.fixture
def other_teacher(browser: Browser, make: Make) -> PageClient:
    """Another teacher, signed in."""
    return _signed_in(browser(), make, username="colleague", role=Role.TEACHER.value)


def _signed_in(client: PageClient, make: Make, **account: Any) -> PageClient:
    client.user = make.user(**account)
    page = client.sign_in(account["username"], PASSWORD, follow=False)
    assert page.status == 302, f"{account['username']} could not sign in: {page.text}"
    return client


# ---- Queries ------------------------------------------------------------------------------------------------------


@pytest.fixture
def queries() -> Queries:
    """Collect the SQL of what happens inside, while a block runs."""
    return _queries


@contextmanager
def _queries() -> Iterator[list[str]]:
    asked: list[str] = []

    def _note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if not statement.startswith(SAVEPOINTS):
            asked.append(statement)

    event.listen(Engine, "before_cursor_execute", _note)
    try:
        yield asked
    finally:
        event.remove(Engine, "before_cursor_execute", _note)


@pytest.fixture
def same_queries() -> SameQueries:
    """Hold a page to as many queries for twice as many rows."""

    def _same(call: Callable[[], object], twice_as_many_rows: Callable[[], object]) -> None:
        call()
        with _queries() as before:
            call()
        twice_as_many_rows()
        with _queries() as after:
            call()
        assert len(after) == len(before), "more rows, more queries:\n" + "\n\n".join(after)

    return _same
