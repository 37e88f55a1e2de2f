"""How the reader wants the screen: language, digits, light or dark. Chosen on any page and remembered.

The session carries the choices, so that no page asks the database for them; the account keeps them from one sign-in to
the next (`sign_in.enter` brings them back). Before the first choice the browser's languages decide.
"""

from collections.abc import Mapping
from typing import Any

from babel import Locale
from flask import Flask, g, jsonify, redirect, request, session, url_for
from flask_babel import Babel, Domain, get_locale
from flask_babel import lazy_gettext as _
from flask_login import current_user
from markupsafe import Markup
from wtforms.widgets import html_params

from fsms import text
from fsms.config import ROOT
from fsms.database import db
from fsms.operations import preferences
from fsms.sign_in import SCREEN, own_page

LANGUAGES = {"en": "English", "km": "ខ្មែរ"}
_OFFERED = [*LANGUAGES]
_LOCALES = {name: Locale(name) for name in LANGUAGES}
DIGITS = {"arabic": "0 1 2 3 4 5 6 7 8 9", "khmer": "០ ១ ២ ៣ ៤ ៥ ៦ ៧ ៨ ៩"}
THEMES = {"auto": _("As the device"), "light": _("Light"), "dark": _("Dark")}

CHOICES: Mapping[str, Mapping[str, Any]] = {"language": LANGUAGES, "digits": DIGITS, "theme": THEMES}
"""What can be chosen, and between what; anything else in a session or an account is as if it were not there."""

_wtforms = Domain(str(ROOT / "translations"), domain="wtforms")


class FormWords:
    """The words of WTForms, which knows no Khmer, from a catalogue of ours."""

    def gettext(self, sentence: str) -> str:
        """Translate a message of WTForms."""
        return str(_wtforms.gettext(sentence))

    def ngettext(self, singular: str, plural: str, number: int) -> str:
        """Translate a message of WTForms that counts; it fills in the number itself."""
        return str(_wtforms.get_translations().ungettext(singular, plural, number))


class _Words(Domain):
    """The catalogue of the page's language, found once a request: a list says a thousand words."""

    def get_translations(self) -> Any:
        """Answer what was found for the same language before."""
        here = _of_this_moment()
        if here is None:
            return super().get_translations()
        found = here.get("words")
        if found is None or found[0] is None or found[0] is not _chosen_locale(here):
            words = super().get_translations()
            found = here.words = get_locale(), words
        return found[1]


def _of_this_moment() -> Any:
    """Answer Flask's `g` behind its proxy, which would be passed at each step; None outside of a context."""
    try:
        return g._get_current_object()  # noqa: SLF001 - werkzeug's own advice
    except RuntimeError:
        return None


def _chosen_locale(here: Any) -> Locale | None:
    """Answer the language that Flask-Babel found or was told, None where nobody asked it yet."""
    return getattr(here.get("_flask_babel"), "babel_locale", None)


_words = _Words()


def word(sentence: str) -> str:
    """Translate a word that every row of a list says; `gettext` first looks for a catalogue to ask."""
    said: str = _words.gettext(sentence)
    return said


def _said(sentence: str, **facts: Any) -> Markup:
    """Translate a sentence of a template; facts are escaped where it has them."""
    said = Markup(word(sentence))  # noqa: S704 - our own sentence
    return said % facts if facts or "%" in said else said


def install(app: Flask) -> None:
    """Set up translation, and the routes by which a reader chooses."""
    babel = Babel(app, locale_selector=_language)
    babel.domain_instance = _words
    app.jinja_env.globals["_"] = _said
    app.add_url_rule("/language", "language", choose_language, methods=["POST"])
    app.add_url_rule("/appearance", "appearance", choose_theme, methods=["POST"])
    app.jinja_env.globals.update(screen_attributes=attributes, own_address=own_address)


def choose_language() -> Any:
    """Remember the language and show the same page again."""
    choose(language=request.form.get("language"))
    return redirect(own_page(request.form.get("url")) or url_for("admin.index"))


def own_address() -> str:
    """Say where a choice leads back to: this page, unless its address is none that a link may have."""
    return own_page(request.full_path) or url_for("start")


def choose_theme() -> Any:
    """Remember light or dark; the script that asks has painted the page already."""
    choose(theme=request.form.get("theme"))
    return jsonify(theme=choice("theme"))


def choose(**wanted: str | None) -> None:
    """Remember what is among the choices, with the account where somebody has signed in."""
    known = {name: value for name, value in wanted.items() if value in CHOICES[name]}
    if not known:
        return
    session[SCREEN] = {**_chosen(), **known}
    g.pop("screen", None)
    if current_user.is_authenticated:
        preferences.remember(db.session, SCREEN, session[SCREEN])
        db.session.commit()


def choice(name: str) -> str | None:
    """Say what the reader chose; None where nothing was, or where nobody reads."""
    return _chosen().get(name)


def _chosen() -> Mapping[str, str]:
    """Read the choices, once a request: each number of a page asks for the digits."""
    here = _of_this_moment()
    found: Mapping[str, str] | None = None if here is None else here.get("screen")
    if found is None:
        if not request:
            return {}
        held = session.get(SCREEN)
        kept = held if isinstance(held, dict) else {}
        found = here.screen = {name: kept[name] for name, offered in CHOICES.items() if kept.get(name) in offered}
    return found


def _language() -> Locale:
    return _LOCALES[choice("language") or request.accept_languages.best_match(_OFFERED) or "en"]


def language() -> str:
    """Name the language of the page."""
    here = _of_this_moment()
    if here is None:
        return str(get_locale() or "en")
    locale = _chosen_locale(here) or get_locale()
    found: tuple[Locale | None, str] | None = here.get("language")
    if found is None or found[0] is not locale:
        found = here.language = locale, str(locale or "en")
    return found[1]


def has_khmer_digits() -> bool:
    """Say whether the reader wants Khmer digits, in whatever language."""
    return choice("digits") == "khmer"


def in_digits(written: object) -> str:
    """Write numbers in the reader's digits. Not for ids, phone numbers and codes, which are copied and dialled."""
    return text.khmer_digits(str(written)) if has_khmer_digits() else str(written)


def attributes() -> Markup:
    """Tell the page, in the attributes of <html>, how it is to look and how its scripts write numbers."""
    theme = choice("theme")
    told = {"lang": language(), "data-digits": "khmer" if has_khmer_digits() else None, "data-remembered-theme": theme}
    told["data-theme"] = theme if theme != "auto" else None
    return Markup(html_params(**{name: value for name, value in told.items() if value}))
