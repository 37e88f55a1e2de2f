"""Pages written without any care for rights: the database, not the page, keeps a teacher to the own courses."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask_admin.contrib.sqla import ModelView
from sqlalchemy.orm import Session

from app import create_app
from fsms.config import Settings
from fsms.database import db
from fsms.models import ENTITIES
from fsms.vocabulary import Role
from tests.browser import PageClient
from tests.builders import PASSWORD, Make, contents
from tests.database import migrated_template, scratch_database

CANARY = "Canarybird"


@pytest.fixture(scope="module")
def naive_app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    """The application with a plain model view beside each of our pages."""
    with scratch_database("naive", migrated_template()) as url:
        app = create_app(
            Settings(database_url=url, secret_key="tests", data_dir=Path(tmp_path_factory.mktemp("d")), bcrypt_cost=4)
        )
        admin = app.extensions["admin"][0]
        for entity in ENTITIES:
            # Upstream's own page of details, search and all columns; nothing of ours.
            attributes = {"can_view_details": True, "column_searchable_list": _first_text(entity)}
            view = type(f"Naive{entity.__name__}", (ModelView,), attributes)
            admin.add_view(view(entity, db, endpoint=f"naive{entity.__name__.lower()}"))
        yield app
        with app.app_context():
            db.engine.dispose()


def _first_text(entity: type) -> list[str]:
    columns = entity.__mapper__.column_attrs  # type: ignore[attr-defined]
    return [prop.key for prop in columns if prop.columns[0].type.python_type is str][:1]


@pytest.fixture(scope="module")
def scene(naive_app: Flask) -> Iterator[tuple[PageClient, dict[str, int], Session]]:
    """A teacher before a school in which everything but one class is somebody else's."""
    with naive_app.app_context():
        engine = db.engine
    with Session(engine) as session:
        make = Make(session)
        teacher = make.user(username="teacher", role=Role.TEACHER.value)
        own = make.course(teacher=teacher)
        pupil = make.student(last_name=CANARY, first_name=CANARY)
        shared = make.student()
        make.enrollment(student=shared, course=own)
        foreign = make.course(course_name=CANARY, section=CANARY, teacher=make.user(username="colleague"))
        place = make.enrollment(student=pupil, course=foreign)
        # The trap: a pupil in both classes. A page that posts only the own enrolment would delete the other one.
        both = make.enrollment(student=shared, course=foreign, drop_reason=CANARY)
        rows = {
            "course": foreign.course_id,
            "student": pupil.student_id,
            "enrollment": place.enrollment_id,
            "guardian": make.guardian(student=pupil, last_name=CANARY).guardian_id,
            "familyinfo": make.family(student=pupil, living_with=CANARY).familyinfo_id,
            "scholarship": make.scholarship(student=pupil, sponsor=CANARY).scholarship_id,
            "grade": make.grade(enrollment=both, grade_comment=CANARY).grade_id,
            "attendance": make.attendance(enrollment=place, reason=CANARY).attendance_id,
            "shared student": shared.student_id,
        }
        session.commit()
        client = PageClient(naive_app)
        client.sign_in("teacher", PASSWORD)
        yield client, rows, session


@pytest.mark.parametrize("page", ["course", "student", "enrollment", "guardian", "familyinfo", "scholarship", "grade"])
def test_a_naive_page_shows_a_teacher_nothing_of_others(
    scene: tuple[PageClient, dict[str, int], Session], page: str
) -> None:
    teacher, rows, _ = scene

    for path in (
        f"/admin/naive{page}/",
        f"/admin/naive{page}/?search={CANARY[1:]}",
        f"/admin/naive{page}/details/?id={rows[page]}",
        f"/admin/naive{page}/edit/?id={rows[page]}",
        f"/admin/naive{page}/new/",
    ):
        answer = teacher.web.get(path)
        assert CANARY not in answer.get_data(as_text=True), path

    # Where no column is confidential the page works, for what is the teacher's own; elsewhere it is refused whole.
    works = page in {"course", "enrollment", "grade", "guardian"}
    assert teacher.web.get(f"/admin/naive{page}/").status_code == (200 if works else 403)


def test_naive_forms_change_and_delete_nothing_of_others(scene: tuple[PageClient, dict[str, int], Session]) -> None:
    teacher, rows, session = scene
    before = {table: held for table, held in contents(session).items() if table not in {"ActivityLog", "User"}}

    for page in ("course", "student", "enrollment", "guardian", "familyinfo", "scholarship", "grade", "attendance"):
        teacher.get("/account")
        sent = {"csrf_token": teacher.csrf_token, "id": rows[page], "last_name": "Forged", "section": "Forged"}
        teacher.web.post(f"/admin/naive{page}/edit/?id={rows[page]}", data=sent)
        teacher.web.post(f"/admin/naive{page}/delete/", data=sent)
        teacher.web.post(f"/admin/naive{page}/action/", data=sent | {"action": "delete", "rowid": rows[page]})

    after = {table: held for table, held in contents(session).items() if table not in {"ActivityLog", "User"}}
    assert after == before


def test_saving_a_shared_pupil_through_a_naive_form_keeps_the_enrolments_of_others(
    scene: tuple[PageClient, dict[str, int], Session],
) -> None:
    """The form offers and posts only what the teacher sees; the other class's enrolment must survive that."""
    teacher, rows, session = scene
    before = contents(session)["Enrollment"], contents(session)["Grade"]

    teacher.get("/account")
    teacher.web.post(
        f"/admin/naivestudent/edit/?id={rows['shared student']}",
        data={"csrf_token": teacher.csrf_token, "last_name": "Forged", "first_name": "Forged", "gender": "male",
              "dob": "2014-05-31", "class_": "5", "enrollments": "", "grades": ""},
    )  # fmt: skip

    assert (contents(session)["Enrollment"], contents(session)["Grade"]) == before
