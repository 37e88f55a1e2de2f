"""Showing a person's photograph to those who may see the person, and taking a new one from a form."""

from pathlib import Path
from typing import Any

from flask import Flask, abort, current_app, send_file, url_for
from flask_babel import gettext
from flask_babel import lazy_gettext as _
from flask_login import current_user
from itsdangerous import BadSignature, URLSafeSerializer
from markupsafe import Markup
from werkzeug.datastructures import FileStorage
from wtforms import FileField, ValidationError
from wtforms.form import BaseForm

from fsms import photos
from fsms.admin_views import theme
from fsms.database import db
from fsms.errors import InvalidValue
from fsms.models import Base, Student, User

PEOPLE: dict[str, Any] = {"student": Student, "user": User}
REMOVE = "-remove"
KEPT = "-kept"  # A picture that was sent with a form which could not be saved yet; browsers do not send it twice.


def install(app: Flask) -> None:
    """Put the one way to a photograph into the application."""
    app.add_url_rule("/photo/<person>/<int:key>", "photo", show)


def show(person: str, key: int) -> Any:
    """Send the photograph; the row security that hides a pupil hides the picture."""
    entity = PEOPLE.get(person)
    row = db.session.get(entity, key) if entity and key < 2**31 else None
    path = photos.path_of(row.photo, _folder()) if row else None
    if path is None:
        abort(404)
    answer = send_file(path, mimetype="image/jpeg", conditional=True)
    answer.headers["Cache-Control"] = "private, no-cache"
    return answer


def picture(row: Base) -> Markup:
    """Draw a person's photograph; nothing where there is none."""
    if not isinstance(row, (Student, User)) or not row.photo:
        return Markup("")
    address = url_for("photo", person=type(row).__name__.lower(), key=row.__mapper__.primary_key_from_instance(row)[0])
    return Markup('<img class="photo" src="{}" alt="{}">').format(address, gettext("Photograph of %(name)s", name=row))


def in_details(_view: Any, _context: Any, row: Base, _name: str) -> Markup:
    """Format the column of the photograph."""
    return picture(row)


WHAT_MAY_BE_SENT = _("JPEG, PNG or WebP, at most 8 MB.")


class PhotoWidget:
    """A file input that shows the present picture and offers to take it away."""

    input_type = "file"

    def __call__(self, field: "PhotoField", **attributes: Any) -> Markup:
        """Draw it."""
        attributes.setdefault("id", field.id)
        attributes |= {"name": field.name, "accept": "image/jpeg,image/png,image/webp"}
        chooser = theme.file_chooser(**attributes)
        if field.kept:
            return chooser + _kept_until_saved(field)
        if not field.present:
            return chooser
        remove = Markup(
            '<label class="form-check"><input class="form-check-input" type="checkbox" name="{}"> {}</label>'
        ).format(field.name + REMOVE, gettext("Remove the present picture"))
        return field.shown + remove + chooser


def _kept_until_saved(field: "PhotoField") -> Markup:
    return Markup('<input type="hidden" name="{}" value="{}"><p class="form-hint">{}</p>').format(
        field.name + KEPT, _seal().dumps(field.kept), gettext("The picture you sent is kept until you save.")
    )


def _seal() -> URLSafeSerializer:
    """Make and read what a form carries of a picture; another account's is none."""
    return URLSafeSerializer(str(current_app.secret_key), salt=f"photograph of {current_user.get_id()}")


class PhotoField(FileField):
    """A photograph in the form of a person. Nothing sent: the present one stays."""

    widget = PhotoWidget()

    def __init__(self, **kwargs: Any) -> None:
        """Say what may be sent."""
        kwargs["description"] = kwargs.get("description") or WHAT_MAY_BE_SENT
        super().__init__(**kwargs)
        self.present: str | None = None
        self.shown = Markup("")
        self.removed = False
        self.kept: str | None = None

    def process(self, formdata: Any, data: Any = None, extra_filters: Any = None) -> None:
        """Remember the present picture beside what was sent."""
        self.present = data if isinstance(data, str) else None
        super().process(formdata, data, extra_filters)
        self.removed = bool(formdata and formdata.get(self.name + REMOVE))
        self.kept = _kept_before(formdata, self.name)

    def pre_validate(self, form: BaseForm) -> None:
        """Read what was sent as a picture, or say why it is none."""
        if isinstance(self.data, FileStorage) and self.data.filename:
            try:
                self.kept = photos.keep(self.data.stream, _folder())  # type: ignore[arg-type]
            except InvalidValue as error:
                raise ValidationError(gettext(error.sentence, **error.facts)) from None

    def populate_obj(self, obj: Any, name: str) -> None:
        """Put the new name in place of the old; the old file stays, so that the change can be undone."""
        if self.kept:
            setattr(obj, name, self.kept)
        elif self.removed:
            setattr(obj, name, None)


def _kept_before(formdata: Any, name: str) -> str | None:
    try:
        kept: str | None = _seal().loads(formdata[name + KEPT]) if formdata and name + KEPT in formdata else None
    except BadSignature:
        return None
    return kept


def _folder() -> Path:
    folder: Path = current_app.config["SETTINGS"].data_dir / "photos"
    return folder
