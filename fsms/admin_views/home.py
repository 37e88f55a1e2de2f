"""The first page after signing in."""

from flask_admin import AdminIndexView
from flask_login import current_user


class HomeView(AdminIndexView):
    """Where the day begins."""

    def is_accessible(self) -> bool:
        """Ask for an account; upstream lets strangers in."""
        return bool(current_user.is_authenticated)
