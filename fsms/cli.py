"""The command `fsms`: serve, fill, migrate and ask the school's back office from a shell."""

import contextlib
import os
import secrets
import sys
import uuid
from collections.abc import Generator, Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

import click
import psycopg
from flask import Flask, current_app
from flask.cli import FlaskGroup, with_appcontext
from flask_migrate.cli import db as migrations
from sqlalchemy import func, select

from fsms import clock, demo, passwords, policy, schema, serving, sign_in
from fsms.admin_views import exports
from fsms.admin_views.screen import LANGUAGES
from fsms.config import BadSetting, Settings
from fsms.database import db
from fsms.demo import Plan
from fsms.errors import SchoolError
from fsms.exchange.sheet import Sheet
from fsms.models import ENTITIES, ActivityLog, User
from fsms.operations import accounts, archiving
from fsms.policy import SYSTEM, Actor, Verb


def _make_app() -> Flask:
    from app import create_app

    return create_app()


@click.group(cls=FlaskGroup, create_app=_make_app, add_default_commands=True)
def command() -> None:
    """The back office of Friendship School."""


def main(arguments: list[str] | None = None) -> None:
    """Run the command; a broken rule of the school is a sentence and exit status 1, not a traceback."""
    # `fsms` is started from anywhere, the application stands at the project's root.
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
    try:
        command.main(args=arguments)
    except (SchoolError, BadSetting) as error:
        click.secho(str(error), fg="red", err=True)
        sys.exit(1)


@command.command()
@click.option("--prepare", is_flag=True, help="Migrate first, and put the demo school into an empty database.")
@with_appcontext
def serve(*, prepare: bool) -> None:
    """Serve the panel to browsers."""
    settings: Settings = current_app.config["SETTINGS"]
    if prepare:
        schema.upgrade(db.engine)
        if _is_empty():
            with _driver() as connection:
                _fill(connection, Plan(today=clock.today(), password_hash=_demo_hash(settings)))
    _refuse_wrong_revision()
    _say_where(settings)
    serving.serve(current_app._get_current_object(), settings)  # type: ignore[attr-defined]  # noqa: SLF001


@command.command("demo")
@click.option("--students", default=Plan.students, show_default=True, type=click.IntRange(1, 50_000))
@click.option("--years", default=Plan.years, show_default=True, type=click.IntRange(1, 20))
@click.option("--seed", default=Plan.seed, show_default=True, help="The same seed makes the same school.")
@click.option("--force", is_flag=True, help="Replace what the database holds.")
@with_appcontext
def demo_school(*, students: int, years: int, seed: int, force: bool) -> None:
    """Fill the database with an invented school."""
    _refuse_wrong_revision()
    settings: Settings = current_app.config["SETTINGS"]
    plan = Plan(students=students, years=years, seed=seed, today=clock.today(), password_hash=_demo_hash(settings))
    # One transaction: if the new school cannot be made, the old rows are still there.
    with _driver() as connection, connection.transaction():
        there = ", ".join(
            f"{count:,} {table}"
            for table, count in demo.what_is_there(connection).items()
            if count and table != ActivityLog.__tablename__
        )
        if there and not force:
            raise SchoolError(
                "The database is in use, it has %(there)s. Nothing was done. "
                "To replace all of it by the demo school, add --force.",
                there=there,
            )
        if there:
            click.echo(f"Replacing {there}.")
            demo.clear(connection)
        _fill(connection, plan)
    click.echo(f"Accounts: admin, teacher1, teacher2 …  Password: {demo_password(settings)}")


@command.command("create-admin")
@click.option("--username", prompt="User name")
@click.option("--last-name", prompt="Last name")
@click.option("--first-name", prompt="First name")
@click.password_option()
@with_appcontext
def create_admin(username: str, last_name: str, first_name: str, password: str) -> None:
    """Make an administrator's account."""
    _refuse_wrong_revision()
    with sign_in.as_system() as session:
        accounts.create_admin(
            session,
            username=username,
            last_name=last_name,
            first_name=first_name,
            password=password,
            cost=current_app.config["SETTINGS"].bcrypt_cost,
        )
    click.echo(f"{username} may sign in as administrator.")


@command.command()
@click.argument("username")
@click.argument("verb", type=click.Choice([verb.value for verb in Verb]))
@click.argument("entity", type=click.Choice([entity.__name__.lower() for entity in ENTITIES], case_sensitive=False))
@click.argument("key", required=False, type=click.IntRange(1))
@with_appcontext
def may(username: str, verb: str, entity: str, key: int | None) -> None:
    """Say whether an account may do something, to a certain record if its number is given, and why."""
    kind = next(kind for kind in ENTITIES if kind.__name__.lower() == entity)
    with sign_in.as_system() as session:
        account = session.scalar(select(User).where(func.lower(User.username) == username.lower()))
        if account is None:
            raise SchoolError("There is no account “%(username)s”.", username=username)
        actor = Actor(account.user_id, account.role)
    allowed = policy.may(actor, Verb(verb), kind)
    reason = policy.why(actor, Verb(verb), kind)
    if allowed and key is not None:
        policy.speak_for(db.session(), actor)
        allowed = policy.reaches(db.session(), Verb(verb), kind, key)
        reason = reason if allowed else f"{reason} Record {key} is not among them."
    click.echo(f"{'yes' if allowed else 'no'}: {reason}")


@command.command("export")
@click.argument("entity", type=click.Choice([entity.__name__.lower() for entity in ENTITIES], case_sensitive=False))
@click.option(
    "--where", "questions", multiple=True, help="As a list's address asks: status-is=active. May be repeated."
)
@click.option("--search", help="As typed above the list.")
@click.option("--columns", help="As a list's address has them: student_id,full_name. Default: those of every day.")
@click.option("--format", "form", type=click.Choice(list(exports.MEDIA_TYPES)), default="csv", show_default=True)
@click.option("--language", type=click.Choice(list(LANGUAGES)), default="en", show_default=True)
@with_appcontext
def export(
    entity: str, questions: tuple[str, ...], search: str | None, columns: str | None, form: str, language: str
) -> None:
    """Write a list to standard output, as its page would give it to an administrator."""
    _refuse_wrong_revision()
    app: Any = current_app._get_current_object()  # type: ignore[attr-defined]  # noqa: SLF001 - Flask's own advice
    view: Any = next(view for view in app.extensions["admin"][0]._views if view.endpoint == entity)  # noqa: SLF001
    policy.speak_for(db.session(), SYSTEM)
    try:
        address = view.address_of(questions, search, columns)
    except SchoolError as error:
        raise click.UsageError(str(error)) from error
    with app.test_request_context(address, headers={"Accept-Language": language}):
        sheet = view.sheet()
        total = db.session.scalar(select(func.count()).select_from(sheet.rows.order_by(None).subquery()))
    db.session.rollback()
    told = exports.Told(app, SYSTEM, view.model.__tablename__, entity, uuid.uuid4())
    told.begun({"filters": list(questions), "search": search, "format": form})
    unseen = not sys.stderr.isatty()
    progress: Any = click.progressbar(length=total, label=entity, show_pos=True, file=sys.stderr, hidden=unseen)
    with progress as bar, contextlib.closing(_pieces(form, sheet, told, bar)) as pieces:
        _written_out(pieces)


def _pieces(form: str, sheet: Sheet, told: exports.Told, bar: Any) -> Generator[bytes, None, None]:
    yield from exports.stream(form, sheet, told, watch=lambda rows: bar.update(rows - bar.pos))


def _written_out(pieces: Iterable[bytes]) -> None:
    """Write to standard output; whoever reads only the head of it (`| head`) has enough, and that is no fault."""
    try:
        for piece in pieces:
            sys.stdout.buffer.write(piece)
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        # What is left in the buffer would be written at the end, and complained of.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


@command.group("activity")
def activity_log() -> None:
    """Look after the activity log."""


@activity_log.command("archive")
@click.option("--before", required=True, type=click.DateTime(["%Y-%m-%d"]), help="The first day that stays.")
@click.option(
    "--to", "folder", type=click.Path(path_type=Path, file_okay=False), help="Default: FSMS_DATA_DIR/archive."
)
@with_appcontext
def archive(before: datetime, folder: Path | None) -> None:
    """Move old entries of the log into a compressed file with a checksum beside it."""
    _refuse_wrong_revision()
    folder = folder or current_app.config["SETTINGS"].data_dir / "archive"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    target = folder / f"activity-before-{before:%Y-%m-%d}.jsonl.gz"
    with sign_in.as_system() as session:
        moved = archiving.archive(session, before.date(), target)
    click.echo(f"{moved.rows:,} entries are in {moved.path}\nsha256 {moved.sha256}")


@migrations.command("check")
@with_appcontext
def check() -> None:
    """Say whether the database is what the models say."""
    with db.engine.connect() as connection:
        found = schema.drift(connection)
    for line in found:
        click.echo(line)
    if found:
        raise SchoolError("The database differs from the models in %(count)s places.", count=len(found))
    click.echo("The database is what the models say.")


command.add_command(migrations)


def demo_password(settings: Settings) -> str:
    """Return the demo accounts' password: the one given, or one made at the first start and kept."""
    if settings.demo_password:
        return settings.demo_password
    kept = settings.data_dir / "demo-password"
    if not kept.exists():
        settings.data_dir.mkdir(parents=True, exist_ok=True)
        kept.touch(mode=0o600)
        kept.write_text(secrets.token_urlsafe(9))
    return kept.read_text()


def _demo_hash(settings: Settings) -> str:
    return passwords.hashed(demo_password(settings), cost=settings.bcrypt_cost)


def _driver() -> contextlib.AbstractContextManager[psycopg.Connection[Any]]:
    """Open the driver's own connection, for COPY."""
    url = db.engine.url.set(drivername="postgresql")
    return psycopg.connect(url.render_as_string(hide_password=False))


def _fill(connection: psycopg.Connection[Any], plan: Plan) -> None:
    bars: dict[str, Any] = {}

    def progress(stage: str, done: int, total: int) -> None:
        if stage not in bars:
            for bar in bars.values():
                bar.render_finish()
            bars[stage] = click.progressbar(length=total, label=f"{stage:<12}", show_pos=True, file=sys.stderr)
        bars[stage].update(done - bars[stage].pos)

    counts = demo.build(connection, plan, progress=progress)
    for bar in bars.values():
        bar.render_finish()
    click.echo(", ".join(f"{count:,} {table}" for table, count in counts.items() if count))


def _is_empty() -> bool:
    # A connection of its own: an open transaction of the session would keep the demo school waiting for its tables.
    with db.engine.connect() as connection:
        return connection.scalar(select(User.user_id).limit(1)) is None


def _refuse_wrong_revision() -> None:
    with db.engine.connect() as connection:
        schema.refuse_another(connection)


def _say_where(settings: Settings) -> None:
    lines = [f"Friendship School is open at http://{settings.host}:{settings.port}"]
    if (settings.data_dir / "demo-password").exists() or os.environ.get("FSMS_DEMO_PASSWORD"):
        lines.append(f"Demo accounts: admin, secretary, teacher1, teacher2 …   Password: {demo_password(settings)}")
    click.echo("\n".join(lines))


if __name__ == "__main__":
    main()
