"""Where Alembic meets the database: under `flask db …`, or on the connection that `fsms.schema` hands over.

All pending revisions run in one transaction under one lock: the database is brought up wholly or stays as it was,
and of several processes that start at once one migrates while the others wait and then find nothing to do.
"""

from logging.config import fileConfig

from alembic import context
from alembic.util import CommandError
from sqlalchemy import Connection, text

from fsms import schema
from fsms.office import Base

LOCK = 0x46534D53  # "FSMS": any number will do that nobody else in this database uses.


def _migrate(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        compare_type=True,
        compare_server_default=True,
        include_object=schema.compared,
    )
    with context.begin_transaction():
        # Old moments are read as UTC whatever the session says; a lost setting must not shift them by hours.
        connection.execute(text("SET LOCAL TimeZone = 'UTC'"))
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
        context.run_migrations()


def _migrate_the_application() -> None:
    from flask import current_app  # Only `flask db` comes here; `fsms.schema` does without Flask.

    if context.config.config_file_name:
        fileConfig(context.config.config_file_name, disable_existing_loggers=False)
    with current_app.extensions["migrate"].db.engine.connect() as connection:
        _migrate(connection)


if context.is_offline_mode():
    raise CommandError("These migrations look at the rows they change: run them on the database, without --sql.")
if connection := context.config.attributes.get("connection"):
    _migrate(connection)
else:
    _migrate_the_application()
