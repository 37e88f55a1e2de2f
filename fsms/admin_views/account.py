"""The page of the own account: who one is, the own phones and photograph, the own password."""

from copy import copy
from typing import Any

from flask import Flask, current_app, flash, redirect, request, url_for
from flask_admin import BaseView
from flask_babel import gettext, refresh
from flask_babel import lazy_gettext as _
from flask_login import current_user
from werkzeug.datastructures import CombinedMultiDict
from wtforms import Field, Form, PasswordField, RadioField, StringField
from wtforms.validators import EqualTo, Length

from fsms import sign_in
from fsms.admin_views import screen, theme
from fsms.admin_views.base import words
from fsms.admin_views.forms import required
from fsms.admin_views.photographs import PhotoField, picture
from fsms.errors import SchoolError
from fsms.models import User
from fsms.operations import accounts
from fsms.vocabulary import Role, label_of

LONGEST_PHONE = 50


def _phone(label: Any) -> Field:
    too_long = _("This is too long: at most %(max)d characters.")
    typing = {"type": "tel", "inputmode": "tel"}
    return StringField(label, [Length(max=LONGEST_PHONE, message=too_long)], default="", render_kw=typing)


class ContactForm(theme.Form):
    """Where the school reaches its staff, and how to know them."""

    photo = PhotoField(label=_("Photograph"))
    phonenumber1 = _phone(_("Phone"))
    phonenumber2 = _phone(_("Second phone"))


class PasswordForm(theme.Form):
    """The present password, and the new one twice since nobody sees what is typed."""

    old_password = PasswordField(_("Present password"), [required()], render_kw={"autocomplete": "current-password"})
    new_password = PasswordField(
        _("New password"),
        [required()],
        description=_("At least 8 characters. Three words that do not belong together are easy to keep in mind."),
        render_kw={"autocomplete": "new-password"},
    )
    repeated = PasswordField(
        _("New password again"),
        [required(), EqualTo("new_password", _("The two do not agree. Type the new password twice."))],
        render_kw={"autocomplete": "new-password"},
    )


class ScreenForm(theme.Form):
    """How the screen is to look, on whatever device."""

    language = RadioField(_("Language"), choices=list(screen.LANGUAGES.items()))
    digits = RadioField(_("Digits"), choices=list(screen.DIGITS.items()))
    theme = RadioField(_("Light or dark"), choices=list(screen.THEMES.items()))


def install(app: Flask) -> None:
    """Put the page into the application."""
    app.add_url_rule("/account", "account", account, methods=["GET", "POST"])


def account() -> Any:
    """Show the own account, and change what may be changed of it."""
    passwords, contact = PasswordForm(), ContactForm()
    if "new_password" in request.form:
        passwords = PasswordForm(request.form)
        if _password_changed(passwords):
            return redirect(url_for("admin.index" if current_user.must_change_password else "account"))
    elif "digits" in request.form:
        if _screen_chosen(ScreenForm(request.form)):
            return redirect(url_for("account"))
    elif request.method == "POST" and not current_user.must_change_password:
        contact = ContactForm(CombinedMultiDict((request.files, request.form)))
        if _contact_changed(contact):
            return redirect(url_for("account"))
    return _page(passwords, contact)


def _page(passwords: Form, contact: Any) -> Any:
    with sign_in.as_system(current_user.user_id) as apart:
        own = apart.get_one(User, current_user.user_id)
        facts = {
            gettext("Name"): own.full_name,
            gettext("User name"): own.username,
            gettext("Role"): gettext(label_of(Role, own.role)),
            gettext("Position"): own.position,
        }
        if not contact.errors:
            contact.process(obj=own)
        contact.photo.present, contact.photo.shown = own.photo, picture(own)
    return _frame().render("account.html", passwords=passwords, contact=contact, facts=facts, screen=_screen())


def _frame() -> BaseView:
    """Give what draws menu and bar around a page without a place in the menu: the first page's, under no name."""
    frame = copy(current_app.extensions["admin"][0].index_view)
    frame.menu = None
    return frame


def _screen() -> ScreenForm:
    now = {"language": screen.language(), "digits": screen.choice("digits"), "theme": screen.choice("theme")}
    return ScreenForm(data={"digits": "arabic", "theme": "auto"} | {name: one for name, one in now.items() if one})


def _screen_chosen(form: Any) -> bool:
    if not form.validate():
        return False
    screen.choose(**{field.name: field.data for field in form})
    refresh()
    flash(gettext("The screen is as you like it, on every device where you sign in."), "success")
    return True


def _password_changed(form: Any) -> bool:
    if not form.validate():
        return False
    try:
        changed = sign_in.choose_password(old=form.old_password.data, new=form.new_password.data)
    except SchoolError as error:
        form.new_password.errors = [words(error)]
        return False
    if not changed:
        form.old_password.errors = [
            gettext("The present password is wrong. After several wrong tries you must wait before the next one.")
        ]
        return False
    flash(gettext("Your password is changed. Other devices are signed out."), "success")
    return True


def _contact_changed(form: Any) -> bool:
    if not form.validate():
        return False
    numbers = {name: form[name].data or "" for name in ("phonenumber1", "phonenumber2")}
    with sign_in.as_system(current_user.user_id) as apart:
        accounts.change_phones(apart, current_user.user_id, **numbers)
        form.photo.populate_obj(apart.get_one(User, current_user.user_id), "photo")
    flash(gettext("Your details are saved."), "success")
    return True
