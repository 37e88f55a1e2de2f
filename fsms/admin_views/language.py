"""The reader's language: chosen on any page, remembered, and guessed from the browser before that."""

from typing import Any

from flask import Flask, redirect, request, session, url_for
from flask_babel import Babel

from fsms.sign_in import own_page

LANGUAGES = {"en": "English", "km": "ខ្មែរ"}


def install(app: Flask) -> None:
    """Set up translation, and the route by which a reader chooses."""
    Babel(app, locale_selector=_language)
    app.add_url_rule("/language", "language", choose, methods=["POST"])


def choose() -> Any:
    """Remember the language and show the same page again."""
    chosen = request.form.get("language", "")
    if chosen in LANGUAGES:
        session["language"] = chosen
    return redirect(own_page(request.form.get("url")) or url_for("admin.index"))


def _language() -> str:
    chosen = session.get("language")
    return chosen if chosen in LANGUAGES else request.accept_languages.best_match(list(LANGUAGES)) or "en"
