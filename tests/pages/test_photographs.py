"""Photographs of pupils and staff: taken in by a form, shown to those who may see the person."""

import io

import pytest
from flask import Flask
from PIL import Image

from tests.browser import PageClient
from tests.builders import Make


def _picture(form: str = "PNG") -> tuple[io.BytesIO, str]:
    file = io.BytesIO()
    Image.new("RGB", (90, 120), "teal").save(file, form)
    file.seek(0)
    return file, "../../etc/My Holiday.png"


def _status(client: PageClient, path: str) -> int:
    with client.web.get(path) as answer:
        return answer.status_code


def test_a_pupils_photograph_is_sent_by_the_form_and_shown_on_the_page(admin: PageClient, make: Make) -> None:
    pupil = make.student()
    admin.get(f"/admin/student/edit/?id={pupil.student_id}")

    saved = admin.submit(None, photo=_picture())

    assert saved.flashes == ["Record was successfully saved."]
    make.session.refresh(pupil)
    assert pupil.photo
    assert "Holiday" not in pupil.photo
    details = admin.get(f"/admin/student/details/?id={pupil.student_id}")
    assert f'src="/photo/student/{pupil.student_id}"' in details.source
    with admin.web.get(f"/photo/student/{pupil.student_id}") as shown:
        assert shown.mimetype == "image/jpeg"
        assert "private" in shown.headers["Cache-Control"]


def test_a_form_sent_without_a_file_keeps_the_photograph_and_a_tick_removes_it(admin: PageClient, make: Make) -> None:
    pupil = make.student()
    address = f"/admin/student/edit/?id={pupil.student_id}"
    admin.get(address)
    admin.submit(None, photo=_picture())

    admin.get(address)
    admin.submit(None, first_name="ផ្សេង")
    make.session.refresh(pupil)
    assert pupil.photo

    admin.get(address)
    admin.submit(None, {"photo-remove": "on"})
    make.session.refresh(pupil)
    assert pupil.photo is None


def test_a_file_that_is_no_photograph_is_refused_at_the_field(admin: PageClient, make: Make) -> None:
    pupil = make.student()
    admin.get(f"/admin/student/edit/?id={pupil.student_id}")

    refused = admin.submit(None, photo=(io.BytesIO(b"<script>alert(1)</script>"), "photo.jpg"))

    assert "cannot be read as a picture" in refused.errors["photo"]
    make.session.refresh(pupil)
    assert pupil.photo is None


def test_a_teacher_sees_the_photographs_of_own_pupils_only(
    admin: PageClient, teacher: PageClient, visitor: PageClient, make: Make
) -> None:
    own, other = make.student(), make.student()
    make.enrollment(student=own, course=make.course(teacher=teacher.user))
    for pupil in (own, other):
        admin.get(f"/admin/student/edit/?id={pupil.student_id}")
        admin.submit(None, photo=_picture())

    assert _status(teacher, f"/photo/student/{own.student_id}") == 200
    assert _status(teacher, f"/photo/student/{other.student_id}") == 404
    assert _status(visitor, f"/photo/student/{own.student_id}") == 302


def test_everybody_who_works_here_sees_a_colleagues_photograph(teacher: PageClient, other_teacher: PageClient) -> None:
    teacher.get("/account")

    saved = teacher.submit("contact-form", photo=_picture("JPEG"))

    assert saved.flashes == ["Your details are saved."]
    assert _status(other_teacher, f"/photo/user/{teacher.user.user_id}") == 200


@pytest.mark.parametrize("path", ["/photo/student/999999", "/photo/nobody/1", "/photo/student/99999999999999999999"])
def test_no_photograph_is_not_found(admin: PageClient, path: str) -> None:
    assert _status(admin, path) == 404


def test_files_of_photographs_are_nobodys_but_the_applications(flask_app: Flask, admin: PageClient, make: Make) -> None:
    pupil = make.student()
    admin.get(f"/admin/student/edit/?id={pupil.student_id}")
    admin.submit(None, photo=_picture())

    assert (flask_app.config["SETTINGS"].data_dir / "photos").stat().st_mode & 0o077 == 0
    make.session.refresh(pupil)
    assert _status(admin, f"/static/photos/{pupil.photo}") == 404


def test_a_picture_outlives_an_error_elsewhere_in_the_form(admin: PageClient, make: Make) -> None:
    pupil = make.student()
    admin.get(f"/admin/student/edit/?id={pupil.student_id}")

    refused = admin.submit(None, photo=_picture(), last_name="")
    assert "The picture you sent is kept until you save." in refused.text
    admin.submit(None, last_name="សុខ")

    make.session.refresh(pupil)
    assert pupil.photo
    assert _status(admin, f"/photo/student/{pupil.student_id}") == 200


@pytest.mark.parametrize("forged", ["", "x", "0" * 32 + ".jpg", '"abc.jpg".bad-signature', "\x00"])
def test_a_picture_that_nobody_sent_is_not_taken(admin: PageClient, make: Make, forged: str) -> None:
    pupil = make.student()
    page = admin.get(f"/admin/student/edit/?id={pupil.student_id}")

    admin.post(page.form().action, {**page.form().values, "photo-kept": forged})

    make.session.refresh(pupil)
    assert pupil.photo is None
