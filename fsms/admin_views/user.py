"""The page of the accounts: staff, and who may sign in."""

from typing import Any, ClassVar

from flask import abort, current_app, flash, redirect, render_template, request, url_for
from flask_admin import expose
from flask_admin.model.template import BaseListRowAction
from flask_babel import gettext
from flask_babel import lazy_gettext as _
from flask_login import current_user
from markupsafe import Markup
from sqlalchemy import ColumnElement, bindparam, exists, or_
from wtforms import Form, PasswordField
from wtforms.validators import Optional

from fsms import activity, clock, sign_in
from fsms.admin_views import chips, everyday, formatters
from fsms.admin_views.base import EntityView
from fsms.admin_views.bulk import Act
from fsms.admin_views.forms import required
from fsms.admin_views.lookups import record_id
from fsms.admin_views.photographs import PhotoField, in_details
from fsms.database import db
from fsms.models import Course, User
from fsms.operations import accounts
from fsms.vocabulary import AccountStatus, Role

# Asked of the clock each time the statement is sent, which may be one that was put together before.
NOW = bindparam("now", callable_=lambda: clock.now(), type_=User.account_locked_until.type)


class Unlock(BaseListRowAction):
    """The button that ends the lock of an account; nothing where there is none."""

    def render(self, context: Any, row_id: str, row: User) -> Markup | str:
        """Draw it as an icon at the end of the row."""
        return _unlock_button(row, as_icon=True)


def _unlock_button(user: User, *, as_icon: bool) -> Markup | str:
    if not accounts.is_locked(user):
        return ""
    return Markup(render_template("_unlock.html", user=user, as_icon=as_icon))  # noqa: S704 - a template of ours


def _lock(_view: Any, _context: Any, user: User, _name: str) -> Markup | str:
    """Show until when an account is locked, with the button that ends it."""
    if not accounts.is_locked(user):
        return ""
    assert user.account_locked_until, "a lock has an end"
    return Markup("{} {}").format(formatters.at_school(user.account_locked_until), _unlock_button(user, as_icon=False))


def _teaches_this_year() -> ColumnElement[bool]:
    teachers = (Course.teacher_id1, Course.teacher_id2, Course.teacher_id3)
    return exists().where(everyday.is_this_year(), or_(*(teacher == User.user_id for teacher in teachers)))


def _switch(status: AccountStatus) -> Any:
    def switched(_choice: str, user: User) -> None:
        user.status = status.value
        if user.user_id == current_user.user_id:
            accounts.keep_own_rights(user)

    return switched


class UserView(EntityView):
    """Staff accounts. A password can be set, never seen."""

    title_column = "full_name"
    create_title = _("Add an account")
    column_list = ("full_name", "username", "role", "position", "phonenumber1", "status", "last_login")
    column_details_list = (
        "photo",
        "user_id",
        "last_name",
        "first_name",
        "username",
        "role",
        "status",
        "position",
        "phonenumber1",
        "phonenumber2",
        "last_login",
        "failed_login_attempts",
        "account_locked_until",
        "created_at",
        "updated_at",
    )
    column_searchable_list = ("last_name", "first_name", "username", "phonenumber1", "phonenumber2")
    column_sortable_list = (
        ("full_name", ("last_name", "first_name")),
        "username",
        "role",
        "position",
        "status",
        "last_login",
    )
    column_default_sort = [("last_name", False), ("first_name", False)]
    column_filters = ("role", "status", "position", "last_login", "created_at")
    quick_filters = (
        chips.of_choices("role", _("Role"), User.role, Role),
        chips.of_choices("status", _("Status"), User.status, AccountStatus),
        chips.toggle("locked", _("Locked"), lambda: User.account_locked_until > NOW),
        chips.toggle("unused", _("Never signed in"), lambda: User.last_login.is_(None)),
        chips.toggle("teaches", _("Teaches this year"), _teaches_this_year),
    )
    bulk_acts = (
        Act("activate", _("Activate"), "user-check", changes=_switch(AccountStatus.ACTIVE)),
        Act("deactivate", _("Deactivate"), "user-off", changes=_switch(AccountStatus.INACTIVE)),
    )
    column_further_list = (
        "user_id",
        "phonenumber2",
        "failed_login_attempts",
        "account_locked_until",
        "created_at",
        "updated_at",
    )
    column_labels: ClassVar[dict[str, Any]] = {
        "user_id": _("Account number"),
        "photo": _("Photograph"),
        "full_name": _("Name"),
        "last_name": _("Last name"),
        "first_name": _("First name"),
        "username": _("User name"),
        "role": _("Role"),
        "status": _("Status"),
        "position": _("Position"),
        "phonenumber1": _("Phone"),
        "phonenumber2": _("Second phone"),
        "last_login": _("Last sign-in"),
        "failed_login_attempts": _("Failed sign-ins"),
        "account_locked_until": _("Locked until"),
        "created_at": _("Created"),
        "updated_at": _("Last saved"),
    }
    column_formatters = {
        "phonenumber1": formatters.phone,
        "phonenumber2": formatters.phone,
        "account_locked_until": _lock,
        "photo": in_details,
    }
    column_extra_row_actions = [Unlock(_("Unlock"))]
    form_columns = (
        "last_name",
        "first_name",
        "username",
        "new_password",
        "role",
        "status",
        "position",
        "phonenumber1",
        "phonenumber2",
        "photo",
    )
    form_overrides = {"photo": PhotoField}
    form_extra_fields = {
        "new_password": PasswordField(
            _("New password"),
            description=_("At least 8 characters. Leave it empty to keep the present one."),
            render_kw={"autocomplete": "new-password"},
        )
    }

    def create_form(self, obj: Any = None) -> Form:
        """Ask for a first password."""
        form: Any = super().create_form(obj)
        form.new_password.validators = [required()]
        form.new_password.flags.required = True
        form.new_password.description = _("At least 8 characters.")
        return form

    def edit_form(self, obj: Any = None) -> Form:
        """Let the password be as it is. The own one is changed where the old one is asked."""
        form: Any = super().edit_form(obj)
        if obj is not None and obj.user_id == current_user.user_id:
            del form.new_password
        else:
            form.new_password.validators = [Optional()]
        return form

    def on_model_change(self, form: Any, model: User, is_created: bool) -> None:
        """Keep the hash of a password given to somebody; it opens the account once, for choosing an own one."""
        if model.user_id == current_user.user_id:
            accounts.keep_own_rights(model)
        if "new_password" not in form or not form.new_password.data:
            return
        accounts.give_password(model, form.new_password.data, cost=current_app.config["SETTINGS"].bcrypt_cost)
        if not is_created:
            facts = {"ip": request.remote_addr}
            activity.record(
                db.session(), "change_password", current_user.actor, facts, entity="User", entity_id=model.user_id
            )

    @expose("/unlock/", methods=["POST"])
    def unlock_view(self) -> Any:
        """End the lock of an account."""
        key = record_id(request.form.get("id"))
        with sign_in.as_system(current_user.user_id) as apart:
            user = key and accounts.unlock(apart, key, by=current_user.actor, ip=request.remote_addr)
            if not user:
                abort(404)
            name = user.full_name
        flash(gettext("%(name)s may sign in again at once.", name=name), "success")
        return redirect(sign_in.own_page(request.form.get("url")) or url_for(".index_view"))
