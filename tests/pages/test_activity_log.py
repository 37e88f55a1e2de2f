"""The log as people read it: sentences, the history of a record, and taking acts back."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.orm import Session

from fsms.models import Scholarship, Student, Subject
from tests.browser import PageClient, SameQueries
from tests.builders import Make, contents

UNDO = re.compile(r'href="(/admin/activitylog/undo/\?batch=[^"]+)"')


def _offered(page: Any) -> str:
    """The address behind the undo that stands beside the message."""
    found = UNDO.search(page.source)
    assert found, page.flashes
    return found[1].replace("&amp;", "&")


def _undo(client: PageClient, address: str) -> Any:
    client.get(address)
    return client.submit("undo")


def test_a_change_stands_in_the_history_of_its_record_in_words(admin: PageClient, make: Make) -> None:
    pupil = make.student(last_name="សុខ", first_name="ដារ៉ា", gender="female", class_="5")
    admin.get(f"/admin/student/edit/?id={pupil.student_id}")
    admin.submit(None, gender="male", dob="2013-01-31")

    history = admin.get(f"/admin/student/details/?id={pupil.student_id}&tab=history").text

    assert f"Changed pupil “សុខ ដារ៉ា · {pupil.student_id}”" in history
    assert "Sex Female Male" in history
    assert "Date of birth 31/05/2014 31/01/2013" in history


def test_a_change_of_what_a_record_belongs_to_tells_names_and_no_numbers(admin: PageClient, make: Make) -> None:
    first, second = (make.semester(semester_code=f"2024-2025-{half}") for half in ("S1", "S2"))
    mark = make.grade(semester=first)
    admin.get(f"/admin/grade/edit/?id={mark.grade_id}")
    saved = admin.submit(None, semester=str(second.semester_id))

    history = admin.get(f"/admin/grade/details/?id={mark.grade_id}&tab=history").text
    before_undo = admin.get(_offered(saved)).text

    assert "Semester 2024-2025-S1 2024-2025-S2" in history
    assert "2024-2025-S2" in before_undo


def test_names_of_records_are_found_with_one_question_to_each_kind(
    admin: PageClient, make: Make, same_queries: SameQueries
) -> None:
    mark = make.grade()
    subjects = [make.subject() for _ in range(6)]

    def moved(subject: Subject) -> None:
        admin.get(f"/admin/grade/edit/?id={mark.grade_id}")
        admin.submit(None, subject=str(subject.subject_id))

    moved(subjects[0])

    def more() -> None:
        for subject in subjects[1:]:
            moved(subject)

    same_queries(lambda: admin.get(f"/admin/grade/details/?id={mark.grade_id}&tab=history"), more)


def test_a_record_that_is_gone_keeps_its_number_in_the_history(admin: PageClient, make: Make, session: Session) -> None:
    old = make.subject()
    mark, number = make.grade(subject=old), old.subject_id
    admin.get(f"/admin/grade/edit/?id={mark.grade_id}")
    admin.submit(None, subject=str(make.subject(subject_name="Music").subject_id))
    session.execute(text('DELETE FROM "Subject" WHERE "subjectId" = :key'), {"key": number})

    history = admin.get(f"/admin/grade/details/?id={mark.grade_id}&tab=history").text

    assert f"Subject {number} Music" in history


def test_a_save_without_a_change_offers_no_undo(admin: PageClient, make: Make) -> None:
    subject = make.subject()
    admin.get(f"/admin/subject/edit/?id={subject.subject_id}")

    assert not UNDO.search(admin.submit(None).source)


def test_what_was_saved_by_mistake_is_taken_back_by_two_clicks_and_the_undo_by_two_more(
    admin: PageClient, make: Make, session: Session
) -> None:
    subject = make.subject(subject_name="Physics")
    admin.get(f"/admin/subject/edit/?id={subject.subject_id}")
    saved = admin.submit(None, subject_name="Fysics")

    undone = _undo(admin, _offered(saved))
    session.refresh(subject)
    assert subject.subject_name == "Physics"

    _undo(admin, _offered(undone))
    session.refresh(subject)
    assert subject.subject_name == "Fysics"


def test_a_deleted_pupil_comes_back_with_number_and_family(admin: PageClient, make: Make, session: Session) -> None:
    pupil = make.student()
    make.guardian(student=pupil)
    make.family(student=pupil)
    before = _records(session)
    deleted = admin.post("/admin/student/delete/", {"id": pupil.student_id})

    _undo(admin, _offered(deleted))

    assert _records(session) == before


def test_what_somebody_changed_since_is_named_and_left(admin: PageClient, make: Make, session: Session) -> None:
    subject = make.subject(subject_name="Physics")
    admin.get(f"/admin/subject/edit/?id={subject.subject_id}")
    address = _offered(admin.submit(None, subject_name="Fysics"))
    admin.get(f"/admin/subject/edit/?id={subject.subject_id}")
    admin.submit(None, subject_name="Natural science")

    preview = admin.get(address)

    assert "0 records return" in preview.text
    assert "Changed since, and left as it is" in preview.text
    assert "Natural science" in preview.text
    session.refresh(subject)
    assert subject.subject_name == "Natural science"


def test_an_undo_is_told_in_words_too(admin: PageClient, make: Make) -> None:
    subject = make.subject(subject_name="Physics")
    admin.get(f"/admin/subject/edit/?id={subject.subject_id}")
    _undo(admin, _offered(admin.submit(None, subject_name="Fysics")))

    assert "Undone: Changed subject “Fysics”" in admin.get("/admin/activitylog/").column("What happened")


def test_a_second_undo_says_that_it_is_done_already(admin: PageClient, make: Make) -> None:
    make.subject(subject_name="Physics")
    subject = make.subject()
    admin.get(f"/admin/subject/edit/?id={subject.subject_id}")
    address = _offered(admin.submit(None, subject_name="Other"))
    _undo(admin, address)

    assert admin.get(address).flashes == ["This has been undone already."]


def test_a_teacher_takes_back_the_own_mark_and_nobody_elses(
    teacher: PageClient, admin: PageClient, make: Make, session: Session
) -> None:
    mark = make.grade(enrollment=make.enrollment(course=make.course(teacher=teacher.user)), user=teacher.user)
    teacher.get(f"/admin/grade/edit/?id={mark.grade_id}")
    own = _offered(teacher.submit(None, grade="3"))
    subject = make.subject()
    admin.get(f"/admin/subject/edit/?id={subject.subject_id}")
    foreign = _offered(admin.submit(None, subject_name="Other"))

    assert teacher.get(foreign).flashes == ["The log has nothing here that could be undone."]
    _undo(teacher, own)

    session.refresh(mark)
    assert str(mark.grade) == "7.50"


def test_a_change_by_sql_is_shown_as_from_outside_with_before_and_after(
    admin: PageClient, make: Make, session: Session
) -> None:
    subject = make.subject(subject_name="Physics")
    session.execute(text("select set_config('fsms.logged', '', true)"))  # as psql would
    session.execute(
        text('UPDATE "Subject" SET "subjectName" = :new WHERE "subjectId" = :id'),
        {"new": "Hacked", "id": subject.subject_id},
    )
    session.commit()

    listed = admin.get("/admin/activitylog/?flt0_outside=1")
    history = admin.get(f"/admin/subject/details/?id={subject.subject_id}&tab=history").text

    assert "Outside the application" in listed.text
    assert "Outside the application" in history
    assert "Subject Physics Hacked" in history


def test_teachers_see_their_own_entries_and_no_others(teacher: PageClient, admin: PageClient) -> None:
    admin.get("/admin/")

    listed = teacher.get("/admin/activitylog/?page_size=100")

    assert {row["Who"] for row in listed.rows} == {teacher.user.full_name}


@pytest.mark.parametrize(
    "target", ["batch=x", "entry=0", "entry=abc", "entry=999999", "", "entry=99999999999999999999"]
)
def test_an_undo_of_nothing_is_no_fault(admin: PageClient, target: str) -> None:
    assert admin.get(f"/admin/activitylog/undo/?{target}").status in {200, 404}


def test_signing_in_and_out_wrong_passwords_and_refusals_are_told(
    visitor: PageClient, teacher: PageClient, admin: PageClient
) -> None:
    visitor.sign_in("somebody", "a wrong password")
    teacher.get("/admin/scholarship/")
    teacher.post("/logout")

    told = admin.get("/admin/activitylog/?page_size=100").column("What happened")

    for sentence in ("Signed in", "Signed out", "Could not sign in", "Was refused: scholarship"):
        assert sentence in told


# ---- Any acts through forms, undone in reverse ----------------------------------------------------------------------


def _records(session: Session) -> dict[str, list[Any]]:
    """Every table but the log, without what every save moves: when it was, and how often."""
    session.commit()
    moving = {"updatedAt", "version"}
    held: dict[str, list[Any]] = {}
    for table, rows in contents(session).items():
        if table in {"ActivityLog", "User"}:
            continue
        names = [column.name for column in _TABLES[table].columns]
        held[table] = [tuple(v for n, v in zip(names, row, strict=True) if n not in moving) for row in rows]
    return held


_TABLES = Subject.metadata.tables


def _rename_a_subject(client: PageClient, session: Session, number: int) -> Any:
    key = session.query(Subject.subject_id).order_by(Subject.subject_id).first()
    client.get(f"/admin/subject/edit/?id={key[0] if key else 0}")
    return client.submit(None, subject_name=f"Subject {number}")


def _add_a_pupil_with_a_guardian(client: PageClient, _session: Session, number: int) -> Any:
    client.get("/admin/student/new/")
    return client.submit(
        None,
        {"guardians-0-relation": "Mother", "guardians-0-phone": f"012 {number}"},
        last_name=f"Family {number}",
        first_name="Child",
        gender="female",
        dob="2014-05-31",
        class_="5",
    )


def _edit_a_pupil(client: PageClient, session: Session, number: int) -> Any:
    key = session.query(Student.student_id).order_by(Student.student_id).first()
    client.get(f"/admin/student/edit/?id={key[0] if key else 0}")
    return client.submit(None, phone=f"011 {number}", needs_clothes="y" if number % 2 else None)


def _delete_a_pupil(client: PageClient, session: Session, _number: int) -> Any:
    key = session.query(Student.student_id).order_by(Student.student_id.desc()).first()
    return client.post("/admin/student/delete/", {"id": key[0] if key else 0})


def _delete_scholarships_together(client: PageClient, session: Session, number: int) -> Any:
    keys = [key for (key,) in session.query(Scholarship.scholarship_id).limit(1 + number % 3)]
    client.get("/admin/scholarship/")
    if not keys:
        return client.page
    client.post("/admin/scholarship/action/", {"action": "delete", "rowid": keys})
    return client.submit("bulk")


ACTS: list[Callable[[PageClient, Session, int], Any]] = [
    _rename_a_subject,
    _add_a_pupil_with_a_guardian,
    _edit_a_pupil,
    _delete_a_pupil,
    _delete_scholarships_together,
]


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(acts=st.lists(st.tuples(st.sampled_from(ACTS), st.integers(0, 999)), min_size=1, max_size=6))
def test_any_acts_through_forms_undone_in_reverse_leave_everything_as_it_was(
    acts: list[tuple[Any, int]], admin: PageClient, make: Make, session: Session
) -> None:
    pupil = make.student()
    make.subject()
    for _ in range(3):
        make.scholarship(student=pupil)
    before = _records(session)

    batches = []
    for act, number in acts:
        found = UNDO.search(act(admin, session, number).source)
        session.commit()
        if found:
            batches.append(found[1].replace("&amp;", "&"))
    for address in reversed(batches):
        _undo(admin, address)

    assert _records(session) == before
