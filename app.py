"""The application: settings, database, who is acting, pages, error pages. `app` is there for WSGI servers."""

import os
import secrets
from collections.abc import Callable, MutableMapping
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

from flask import Flask
from flask.templating import Environment
from flask_migrate import Migrate

from fsms import admin_views, embedded, pooling, schema, sign_in, web_delivery, web_security
from fsms.config import ROOT, Settings
from fsms.database import db
from fsms.pooling import LookedAtPool


class Templates(Environment):
    """Flask's templates, whose globals are all there before the first of them is loaded."""

    def make_globals(self, d: MutableMapping[str, Any] | None) -> MutableMapping[str, Any]:
        """Give them as one dictionary: upstream looks into two of them for each of fifty names, for every page."""
        return {**self.globals, **(d or {})}


class Application(Flask):
    """Flask, whose functions here all answer at once: it asks twenty of them a page whether they are coroutines."""

    jinja_environment = Templates

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """Take the function as it is."""
        return func


def create_app(settings: Settings | None = None) -> Flask:
    """Build the application. Starts the embedded database where no other is named; touches no table yet."""
    settings = settings or Settings.from_environment(os.environ)
    app = Application(
        __name__,
        template_folder=ROOT / "templates",
        static_folder=ROOT / "static",
        static_url_path=f"/static/{web_delivery.version_of(ROOT / 'static')}",
    )
    app.config.update(
        SETTINGS=settings,
        SECRET_KEY=settings.secret_key or _kept_secret(settings.data_dir),
        SQLALCHEMY_DATABASE_URI=database_url(settings),
        SQLALCHEMY_ENGINE_OPTIONS=engine_options(settings),
        MAX_CONTENT_LENGTH=32 * 1024 * 1024,
        PERMANENT_SESSION_LIFETIME=timedelta(minutes=settings.idle_minutes),
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        WTF_CSRF_TIME_LIMIT=None,  # the token lives as long as the session: a teacher may type for an hour
        BABEL_TRANSLATION_DIRECTORIES=str(ROOT / "translations"),
    )
    db.init_app(app)
    with app.app_context():
        pooling.install(db.engine)
    Migrate(app, db, directory=str(ROOT / "migrations"))
    web_delivery.install(app)
    web_security.install(app, settings)
    sign_in.install(app)
    web_security.guard_forms(app)
    admin_views.install(app)
    return app


def database_url(settings: Settings) -> str:
    """Name the database: the one given, or the embedded one, started now if it is not running."""
    url = settings.database_url or embedded.share(settings.data_dir).url
    scheme, _, rest = url.partition("://")
    return f"postgresql+psycopg://{rest}" if scheme in {"postgres", "postgresql"} else url


def engine_options(settings: Settings) -> dict[str, object]:
    """Say how the engine keeps its connections."""
    # A pooling proxy may stand before somebody's own server, and prepared statements do not survive every one.
    may_stand_before = settings.database_url is not None and not settings.prepared_statements
    arguments: dict[str, object] = {"prepare_threshold": None} if may_stand_before else {}
    return {
        "pool_size": settings.threads + 1,
        "max_overflow": 5,
        "poolclass": LookedAtPool,
        "pool_use_lifo": True,  # the one used last knows the statements of most pages
        "hide_parameters": True,  # an error text must not show a password or an income
        "connect_args": arguments | {"application_name": "fsms"},
    }


def _kept_secret(data_dir: Path) -> str:
    """Return the key that signs the sessions, made at the first start and kept beside the embedded database."""
    path = data_dir / "secret-key"
    data_dir.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        draft = path.with_name(f"secret-key.{os.getpid()}")
        draft.touch(mode=0o600)
        draft.write_text(secrets.token_hex(32))
        # Linking is atomic and never replaces: of two servers starting at once, the first one's key stays.
        with suppress(FileExistsError):
            path.hardlink_to(draft)
        draft.unlink()
    return path.read_text()


def __getattr__(name: str) -> Flask:
    """Make `app` when a WSGI server asks for it, so that importing this module starts no database."""
    if name != "app":
        raise AttributeError(name)
    app = create_app()
    with app.app_context(), db.engine.connect() as connection:
        schema.refuse_another(connection)
    globals()["app"] = app
    return app


if __name__ == "__main__":
    from fsms.cli import main

    main(["serve"])
