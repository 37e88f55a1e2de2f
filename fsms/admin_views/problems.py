"""When a page cannot be shown: what happened and what to do, with a number to give when asking for help."""

import logging
import secrets
from typing import Any

from flask import Flask, Response, g, jsonify, render_template, request, url_for
from flask_babel import gettext
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import StatementError
from sqlalchemy.orm.exc import StaleDataError
from werkzeug.exceptions import HTTPException

from fsms.admin_views.base import words
from fsms.database import db
from fsms.errors import Refused, SchoolError, constraint_of, is_refusal, was_a_race

log = logging.getLogger(__name__)


def _said(code: int) -> tuple[str, str]:
    known = {
        400: (gettext("This cannot be read"), gettext("Something in the address or the form was not understood.")),
        401: (gettext("Please sign in"), gettext("Your session has ended. Sign in and try again.")),
        403: (
            gettext("This is not open to you"),
            gettext("Your account may not do this. Ask the office if it should."),
        ),
        404: (
            gettext("Nothing is here"),
            gettext("There is no such page or record. It may have been deleted, or the address is mistyped."),
        ),
        405: (gettext("This cannot be done here"), gettext("The page does not take this kind of request.")),
        409: (
            gettext("Somebody was faster"),
            gettext("The record was changed meanwhile. Nothing was saved. Open it again and repeat your change."),
        ),
        413: (gettext("This is too large"), gettext("Send a smaller file or a shorter form.")),
        429: (gettext("Too many tries"), gettext("Wait a minute and try again.")),
        500: (
            gettext("Something went wrong"),
            gettext(
                "The fault is ours and has been noted. Nothing was saved. Try again; if it stays, tell the office."
            ),
        ),
    }
    return known.get(code, known[500 if code >= 500 else 400])


def install(app: Flask) -> None:
    """Give every request a number and every failure a page."""

    @app.after_request
    def _show_the_number(response: Response) -> Response:
        response.headers["X-Request-ID"] = _request_id()
        return response

    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(CSRFError, _form_expired)
    app.register_error_handler(SchoolError, _school)
    app.register_error_handler(StaleDataError, _stale)
    app.register_error_handler(Exception, _bug)


def _http(error: HTTPException) -> Any:
    if error.code is not None and error.code < 400:
        return error
    return _page(error.code or 500)


def _form_expired(_error: CSRFError) -> Any:
    return _page(400, gettext("The form was open too long, or in another session. Open the page again and send it."))


def _school(error: SchoolError) -> Any:
    db.session.rollback()
    return _page(403 if isinstance(error, Refused) else 400, words(error))


def _stale(_error: StaleDataError) -> Any:
    db.session.rollback()
    return _page(409)


def _bug(error: Exception) -> Any:
    db.session.rollback()
    if is_refusal(error):
        log.warning("request %s was refused by the database", _request_id())
        return _page(403)
    if was_a_race(error):
        log.warning("request %s was in the way of another one", _request_id())
        return _page(503, words(error), title=_said(409)[0])
    if isinstance(error, StatementError):
        error = _without_values(error)
    log.error("request %s failed", _request_id(), exc_info=error)
    return _page(500)


def _without_values(error: StatementError) -> Exception:
    """Keep of a refusal of the database what leads to the fault: its own words repeat what somebody typed."""
    state = getattr(error.orig, "sqlstate", None)
    told = RuntimeError(f"{type(error.orig).__name__} {state} {constraint_of(error) or ''}\n{error.statement}")
    return told.with_traceback(error.__traceback__)


def _request_id() -> str:
    return str(g.setdefault("request_id", secrets.token_hex(6)))


def _page(code: int, message: str | None = None, title: str | None = None) -> Any:
    usual_title, usual = _said(code)
    if request.accept_mimetypes.best == "application/json":
        return jsonify(error=message or usual, request_id=_request_id()), code
    page = render_template(
        "error.html",
        code=code,
        title=title or usual_title,
        message=message or usual,
        request_id=_request_id(),
        home_url=url_for("admin.index"),
    )
    return page, code
