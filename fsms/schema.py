"""Which revision the database is at, and whether it is what the models say. Knows Alembic, not Flask."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, text

from fsms.errors import SchoolError
from fsms.office import Base


class WrongRevision(SchoolError):
    """The database is not at the revision that this program works with."""


MIGRATIONS = Path(__file__).resolve().parent.parent / "migrations"


def head() -> str:
    """Name the revision that this version of the application works with."""
    revision = ScriptDirectory.from_config(_config()).get_current_head()
    assert revision, "there are no migrations"
    return revision


def current(connection: Connection) -> str | None:
    """Name the revision the database is at; None where no migration ever ran."""
    return MigrationContext.configure(connection).get_current_revision()


def refuse_another(connection: Connection) -> None:
    """Raise WrongRevision, with the command that mends it, unless the database is at the newest revision."""
    if (found := current(connection)) != head():
        raise WrongRevision(
            "The database is at revision %(found)s, this program needs %(head)s. Run `fsms db upgrade` first.",
            found=found or "“none”",
            head=head(),
        )


def upgrade(database: Connection | Engine, revision: str = "head") -> None:
    """Bring the database up to a revision; a connection inside a transaction leaves the commit to its owner."""
    _run(command.upgrade, database, revision)


def downgrade(database: Connection | Engine, revision: str) -> None:
    """Take the database back to an earlier revision, or to nothing with "base"."""
    _run(command.downgrade, database, revision)


def stamp(database: Connection | Engine, revision: str) -> None:
    """Say which revision the database already is, as for one the existing application made."""
    _run(command.stamp, database, revision)


def _config(connection: Connection | None = None) -> Config:
    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    return config


def _run(act: Callable[[Config, str], None], database: Connection | Engine, revision: str) -> None:
    if isinstance(database, Engine):
        with database.begin() as connection:
            act(_config(connection), revision)
    else:
        act(_config(database), revision)


# ---- Drift ---------------------------------------------------------------------------------------------------------
#
# Alembic's comparison sees tables and columns, but neither CHECK nor EXCLUDE, and partial indexes by name only. So the
# models are built beside the database, in a schema that is rolled back, and PostgreSQL describes both in its own words.

COLUMNS = """
SELECT format('column %I.%I', relname, attname),
       concat_ws(' ', format_type(atttypid, atttypmod), CASE WHEN attnotnull THEN 'NOT NULL' END,
                 'DEFAULT ' || pg_get_expr(adbin, adrelid))
FROM pg_attribute
JOIN pg_class ON pg_class.oid = attrelid
LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p') AND attnum > 0 AND NOT attisdropped
"""

TABLES = """
SELECT format('table %I', relname), ''
FROM pg_class
WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p')
"""

# NOT NULL is told with the column; only PostgreSQL 18 keeps it as a constraint too, under a name of its own making.
CONSTRAINTS = """
SELECT format('constraint %I of %I', conname, relname), pg_get_constraintdef(pg_constraint.oid)
FROM pg_constraint
JOIN pg_class ON pg_class.oid = conrelid
WHERE connamespace = current_schema()::regnamespace AND contype IN ('c', 'f', 'p', 'u', 'x')
"""

INDEXES = """
SELECT format('index %I of %I', indexname, tablename), replace(indexdef, format(' ON %I.', schemaname), ' ON ')
FROM pg_indexes
WHERE schemaname = current_schema()
"""

ENUMS = """
SELECT format('type %I', typname), string_agg(enumlabel, ', ' ORDER BY enumsortorder)
FROM pg_type
JOIN pg_enum ON enumtypid = pg_type.oid
WHERE typnamespace = current_schema()::regnamespace
GROUP BY typname
"""


def compared(_thing: object, name: str | None, kind: str, _is_reflected: bool, _other: object) -> bool:
    """Leave out of Alembic's comparison what SQLAlchemy cannot read back: indexes sorted as a dictionary.

    `drift`, which asks PostgreSQL for its own words, compares them all.
    """
    sorted_so = {
        index.name
        for table in Base.metadata.tables.values()
        for index in table.indexes
        if any("COLLATE" in str(part) for part in index.expressions)
    }
    return kind != "index" or name not in sorted_so


def drift(connection: Connection) -> list[str]:
    """List, in sentences, where the database is not what the models say; empty where they agree.

    Builds the models in a scratch schema of the connection's transaction and takes it back.
    """
    with _left_untouched(connection):
        found = _described(connection)
        connection.execute(text("CREATE SCHEMA fsms_scratch"))
        # Behind it the school's own: the models speak of functions that only migrations make.
        connection.execute(
            text("SELECT set_config('search_path', 'fsms_scratch, ' || current_setting('search_path'), true)")
        )
        Base.metadata.create_all(connection, checkfirst=False)
        wanted = _described(connection)
    return sorted(
        [f"The models have {thing}, the database has not." for thing in wanted.keys() - found.keys()]
        + [f"The database has {thing}, the models have not." for thing in found.keys() - wanted.keys()]
        + [
            f"In the database, {thing} is “{found[thing]}”; in the models it is “{wanted[thing]}”."
            for thing in wanted.keys() & found.keys()
            if wanted[thing] != found[thing]
        ]
    )


def _described(connection: Connection) -> dict[str, str]:
    described: dict[str, str] = {}
    for question in (TABLES, COLUMNS, CONSTRAINTS, INDEXES, ENUMS):
        described.update((row[0], row[1]) for row in connection.execute(text(question)))
    return {thing: definition for thing, definition in described.items() if "alembic_version" not in thing}


@contextmanager
def _left_untouched(connection: Connection) -> Iterator[None]:
    """Roll back whatever happens inside, and leave a transaction that was open before as it was."""
    transaction = connection.begin_nested() if connection.in_transaction() else connection.begin()
    try:
        yield
    finally:
        transaction.rollback()
