"""The pages before the office: signing in and out, how long a session lasts, and the sign of life for monitors."""

from collections.abc import Mapping
from ipaddress import ip_address, ip_network
from typing import Any

from flask import Flask, flash, g, jsonify, redirect, render_template, request, url_for
from flask_babel import gettext
from flask_limiter import Limiter
from flask_login import current_user
from flask_wtf.csrf import generate_csrf
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from fsms import schema, sign_in
from fsms.admin_views import account
from fsms.database import db

# Wrong tries from one address. A school has one address for all its staff, so those who get in do not count.
WRONG_TRIES = "20 per minute; 100 per hour"


def install(app: Flask) -> None:
    """Put the pages into the application, under names without a prefix."""
    few_tries = _limiter(app).limit(WRONG_TRIES, methods=["POST"], deduct_when=lambda _: g.get("sign_in_failed", False))
    app.add_url_rule("/", "start", lambda: redirect(url_for("admin.index")))
    app.add_url_rule("/login", "login", few_tries(login), methods=["GET", "POST"])
    app.add_url_rule("/logout", "logout", logout, methods=["POST"])
    app.add_url_rule("/session", "session_state", session_state)
    app.add_url_rule("/session/extend", "session_extend", session_state, methods=["POST"])
    app.add_url_rule("/healthz", "healthz", healthz)
    account.install(app)


def login() -> Any:
    """Ask for name and password, and go on to the page that was wanted."""
    target = sign_in.own_page(request.values.get("next")) or url_for("admin.index")
    if request.method == "POST":
        return _sign_in_again() if request.is_json else _sign_in(target)
    if current_user.is_authenticated:
        return redirect(target)
    return render_template("login.html", username="", target=target)


def _sign_in(target: str) -> Any:
    username, password = _typed(request.form)
    if sign_in.enter(username, password):
        return redirect(target)
    flash(_refusal(), "error")
    return render_template("login.html", username=username, target=target)


def _sign_in_again() -> Any:
    """Answer a page whose session has ended: its script goes on with the new token, and no entry is lost."""
    signed_in = sign_in.enter(*_typed(request.get_json(silent=True)))
    if signed_in is None:
        return jsonify(error=_refusal()), 401
    if signed_in.must_change_password:
        return jsonify(go_to=url_for("account"))
    return session_state()


def _typed(sent: object) -> tuple[str, str]:
    """Take name and password out of what came, whatever came."""
    given = sent if isinstance(sent, Mapping) else {}
    username, password = (given.get(name) for name in ("username", "password"))
    return username if isinstance(username, str) else "", password if isinstance(password, str) else ""


def _refusal() -> str:
    """Say the same of a wrong name, a wrong password, a locked account and one that is switched off."""
    return gettext(
        "User name or password is wrong. Check both and try again. "
        "After several wrong tries you must wait: 5 minutes at first, then longer."
    )


def logout() -> Any:
    """End the session."""
    sign_in.leave()
    flash(gettext("You are signed out."), "success")
    return redirect(url_for("login"))


def session_state() -> Any:
    """Say whose session this is, how long it goes on, and the token that its forms must carry."""
    known = current_user.is_authenticated
    return jsonify(
        user_id=current_user.user_id if known else None,
        seconds_left=sign_in.seconds_left() if known else 0,
        csrf_token=generate_csrf(),
    )


def healthz() -> Any:
    """Say that the server lives; with `?ready`, also that the database answers and fits the program."""
    if "ready" not in request.args:
        return jsonify(status="ok")
    try:
        with db.engine.connect() as connection:
            connection.execute(text("select 1"))
            revision = schema.current(connection)
    except SQLAlchemyError:
        return jsonify(status="the database does not answer"), 503
    if revision != schema.head():
        return jsonify(status="the database is at another revision: run `fsms db upgrade`", revision=revision), 503
    return jsonify(status="ok", revision=revision)


class OnlyWhereDeclared(Limiter):
    """Looks at the views that have a limit, when they are called; upstream looks for one before every request too."""

    def _check_request_limit(self, callable_name: str | None = None, in_middleware: bool = True) -> None:
        if not in_middleware:
            super()._check_request_limit(callable_name, in_middleware)


def _limiter(app: Flask) -> Limiter:
    """Count in Redis where there is one, so that all server processes count together; otherwise each for itself."""
    redis_url = app.config["SETTINGS"].redis_url
    return OnlyWhereDeclared(
        _neighbourhood,
        app=app,
        storage_uri=redis_url or "memory://",
        in_memory_fallback_enabled=redis_url is not None,
        key_prefix="fsms",
    )


def _neighbourhood() -> str:
    """Name the address of the browser; one household has 2⁶⁴ addresses of the sixth version, so they count as one."""
    named = request.remote_addr or ""
    try:
        address = ip_address(named)
    except ValueError:  # a proxy may say “unknown”, or add a port
        return named
    return named if address.version == 4 else str(ip_network((address, 64), strict=False))
