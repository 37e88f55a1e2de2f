"""The page of the accounts: staff, and who may sign in."""

from typing import Any, ClassVar

from flask import current_app
from flask_babel import lazy_gettext as _
from wtforms import Form, PasswordField
from wtforms.validators import Optional

from fsms import sign_in
from fsms.admin_views import formatters
from fsms.admin_views.base import EntityView
from fsms.admin_views.forms import required
from fsms.models import User


class UserView(EntityView):
    """Staff accounts. A password can be set, never seen."""

    column_list = ("full_name", "username", "role", "position", "phonenumber1", "status", "last_login")
    column_details_list = (
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
    column_labels: ClassVar[dict[str, Any]] = {
        "user_id": _("Account number"),
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
    column_formatters = {"phonenumber1": formatters.phone, "phonenumber2": formatters.phone}
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
    )
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
        """Let the password be as it is."""
        form: Any = super().edit_form(obj)
        form.new_password.validators = [Optional()]
        return form

    def on_model_change(self, form: Any, model: User, is_created: bool) -> None:
        """Keep the hash of a new password."""
        if form.new_password.data:
            cost = current_app.config["SETTINGS"].bcrypt_cost
            model.password = sign_in.hash_password(form.new_password.data, cost=cost)
