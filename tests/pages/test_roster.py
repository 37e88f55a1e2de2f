"""The roster as a person uses it: hollow until it is saved, saved once, refused to whom it is not open."""

import datetime as dt
import uuid
from typing import Any

import pytest
import time_machine
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from fsms import clock
from fsms.config import AttendanceRules
from fsms.models import ActivityLog, Attendance, Course, Enrollment
from tests.browser import Page, PageClient, SameQueries
from tests.builders import Make, contents

TODAY = clock.today()


@pytest.fixture
def places(make: Make, teacher: PageClient) -> list[Enrollment]:
    """Four pupils of the teacher's class, which has school these days."""
    first = TODAY - dt.timedelta(days=60)
    year = make.school_year(school_year_code=f"{first.year}-{first.year + 1}")
    make.semester(start_date=first, end_date=TODAY + dt.timedelta(days=60), school_year=year)
    course = make.course(teacher=teacher.user, level=5, section="A", school_year=year)
    names = ("Aok", "Bun", "Chan", "Dara")
    return [make.enrollment(course=course, student=make.student(last_name=name)) for name in names]


def address(places: list[Enrollment], *, day: dt.date = TODAY, session: str = "AM") -> str:
    return f"/admin/roster/?course={places[0].course_id}&day={day}&session={session}"


def rows(session: Session) -> list[tuple[int, str, str]]:
    session.commit()
    found = session.execute(
        select(Attendance.student_id, Attendance.session, Attendance.status).order_by(
            Attendance.student_id, Attendance.session
        )
    )
    return [(row[0], row[1].value, row[2]) for row in found]


def sent(places: list[Enrollment], statuses: str, **more: Any) -> dict[str, Any]:
    """A roster as the script sends it: P, A, L, E for each pupil, - where nothing is chosen."""
    words = {"P": "Present", "A": "Absent", "L": "Late", "E": "Excused"}
    marks = [
        {"student": place.student_id, "half": "AM", "status": words[letter], "reason": None, "before": None}
        for place, letter in zip(places, statuses, strict=False)
        if letter in words
    ]
    whole = {"key": str(uuid.uuid4()), "course": places[0].course_id, "day": f"{TODAY}", "marks": marks}
    return whole | more


def post(client: PageClient, roster: object) -> Page:
    if not client.csrf_token:
        client.get("/account")
    headers = {"X-CSRFToken": client.csrf_token, "Accept": "application/json"}
    client.before_each()
    return Page(client.web.post("/admin/roster/", json=roster, headers=headers))


# ---- The plain form ------------------------------------------------------------------------------------------------


def test_opening_writes_nothing_and_shows_nobody_as_present(
    teacher: PageClient, places: list[Enrollment], session: Session
) -> None:
    before = contents(session)

    page = teacher.get(address(places))
    teacher.get(f"/admin/roster/week/?course={places[0].course_id}")
    teacher.get(f"/admin/roster/month/?course={places[0].course_id}")
    teacher.get("/admin/missing/")

    assert contents(session) == before
    assert "Morning Not taken" in page.text
    assert not [box for box in page.find("input") if box.get("checked") is not None]


def test_all_present_and_one_exception_are_one_save(
    teacher: PageClient, places: list[Enrollment], session: Session
) -> None:
    teacher.get(address(places))
    absent = places[1].student_id

    saved = teacher.submit(
        "roster", {f"seen-{absent}-AM": "Absent", f"reason-{absent}-AM": "ឈឺ", "everybody": "Present"}
    )

    assert saved.flashes == ["4 pupils saved."]
    assert [row[2] for row in rows(session)] == ["Present", "Absent", "Present", "Present"]
    assert "Morning Taken" in saved.text
    assert teacher.user.full_name in saved.text
    assert "Afternoon Not taken" in saved.text
    form = saved.form("roster").values
    assert form[f"seen-{absent}-AM"] == "Absent"
    assert form[f"reason-{absent}-AM"] == "ឈឺ"
    deeds = select(func.count()).select_from(ActivityLog).where(ActivityLog.action == "take_attendance")
    assert session.scalar(deeds) == 1


def test_a_save_can_be_taken_back(teacher: PageClient, places: list[Enrollment], session: Session) -> None:
    teacher.get(address(places))
    saved = teacher.submit("roster", everybody="Present")
    link = next(a.get("href") or "" for a in saved.find("a", "btn") if "undo" in (a.get("href") or ""))

    teacher.post(link)

    assert rows(session) == []


def test_a_pupil_for_whom_nothing_is_chosen_is_not_taken(
    teacher: PageClient, places: list[Enrollment], session: Session
) -> None:
    teacher.get(address(places))

    saved = teacher.submit("roster", {f"seen-{places[0].student_id}-AM": "Late"})

    assert [row[0] for row in rows(session)] == [places[0].student_id]
    assert "3 pupils not taken" in saved.text


def test_a_full_day_is_chosen_once_and_two_halves_where_they_differ(
    teacher: PageClient, places: list[Enrollment], session: Session
) -> None:
    teacher.get(address(places, session="FULL"))
    teacher.submit("roster", everybody="Present")
    teacher.get(address(places, session="PM"))
    teacher.submit("roster", {f"seen-{places[2].student_id}-PM": "Absent"})

    whole = teacher.get(address(places, session="FULL")).form("roster").values

    assert whole[f"seen-{places[0].student_id}-FULL"] == "Present"
    assert whole[f"seen-{places[2].student_id}-AM"] == "Present"
    assert whole[f"seen-{places[2].student_id}-PM"] == "Absent"
    assert [row[1] for row in rows(session)] == ["FULL", "FULL", "AM", "PM", "FULL"]


def test_what_somebody_else_saw_stands_beside_what_was_chosen(
    teacher: PageClient, admin: PageClient, places: list[Enrollment], session: Session
) -> None:
    pupil = places[0].student_id
    teacher.get(address(places))
    admin.get(address(places))
    admin.submit("roster", {f"seen-{pupil}-AM": "Absent"})

    met = teacher.submit("roster", {f"seen-{pupil}-AM": "Present", f"seen-{places[1].student_id}-AM": "Late"})

    assert f"Morning: {admin.user.full_name} saw “Absent” at" in met.text
    assert met.form("roster").values[f"seen-{pupil}-AM"] == "Present"
    assert [row[2] for row in rows(session)] == ["Absent", "Late"]
    teacher.submit("roster")
    assert [row[2] for row in rows(session)] == ["Present", "Late"]


# ---- The script ----------------------------------------------------------------------------------------------------


def test_a_roster_that_arrives_twice_is_taken_once(
    teacher: PageClient, places: list[Enrollment], session: Session
) -> None:
    roster = sent(places, "PPAE", person=teacher.user.user_id)

    first, again = post(teacher, roster), post(teacher, roster)

    assert (first.status, again.status) == (200, 200)
    assert first.json == again.json
    assert first.json["said"] == "4 pupils saved."
    assert first.json["seen"][str(places[2].student_id)]["AM"] == {"status": "Absent", "reason": None}
    assert len(rows(session)) == 4
    deeds = select(func.count()).select_from(ActivityLog).where(ActivityLog.action == "take_attendance")
    assert session.scalar(deeds) == 1


def test_an_old_roster_that_arrives_again_overwrites_nothing_newer(
    teacher: PageClient, places: list[Enrollment], session: Session
) -> None:
    person = teacher.user.user_id
    old = sent(places, "P", person=person)
    post(teacher, old)
    newer = sent(places, "A", person=person)
    newer["marks"][0]["before"] = {"status": "Present", "reason": None}
    post(teacher, newer)

    post(teacher, old)

    assert [row[2] for row in rows(session)] == ["Absent"]


def test_both_are_told_where_two_saw_different_things(
    teacher: PageClient, admin: PageClient, places: list[Enrollment], session: Session
) -> None:
    post(admin, sent(places, "AP", person=admin.user.user_id))

    answer = post(teacher, sent(places, "PPL", person=teacher.user.user_id)).json

    (clash,) = answer["clashes"]
    assert (clash["student"], clash["half"]) == (places[0].student_id, "AM")
    assert (clash["mine"]["status"], clash["theirs"]["status"]) == ("Present", "Absent")
    assert admin.user.full_name in clash["said"]
    assert [row[2] for row in rows(session)] == ["Absent", "Present", "Late"]


def test_one_persons_roster_is_not_taken_in_the_name_of_another(
    teacher: PageClient, admin: PageClient, places: list[Enrollment], session: Session
) -> None:
    refused = post(admin, sent(places, "PPPP", person=teacher.user.user_id))

    assert refused.status == 409
    assert "Somebody else is signed in" in refused.json["error"]
    assert rows(session) == []


NONSENSE: tuple[tuple[str, Any], ...] = (
    ("key", "not a key"),
    ("day", "yesterday"),
    ("day", f"{TODAY + dt.timedelta(days=1)}"),
    ("day", "2025-13-41\x00"),
    ("marks", "Present"),
    ("marks", [1, 2]),
    ("marks", [{"student": 10**30, "half": "AM", "status": "Present"}]),
    ("marks", [{"student": 1, "half": "NIGHT", "status": "Present"}]),
    ("marks", [{"student": 1, "half": ["AM"], "status": "Present"}]),
    ("marks", [{"student": 1, "half": "AM", "status": "Here"}]),
    ("marks", [{"student": 1, "half": "AM", "status": "Late", "reason": "x" * 201}]),
    ("marks", [{"student": 1, "half": "AM", "status": "Late", "before": "Present"}]),
)


@pytest.mark.parametrize(("name", "value"), NONSENSE)
def test_nonsense_is_refused_in_a_sentence_and_changes_nothing(
    teacher: PageClient, places: list[Enrollment], session: Session, name: str, value: Any
) -> None:
    refused = post(teacher, sent(places, "PPPP", person=teacher.user.user_id) | {name: value})

    assert refused.status == 400
    assert refused.json["error"].endswith(".")
    assert rows(session) == []


@pytest.mark.parametrize("roster", [[], "roster", {}, {"marks": []}])
def test_what_is_no_roster_is_refused(teacher: PageClient, places: list[Enrollment], roster: Any) -> None:
    assert post(teacher, roster).status in {400, 409}


# ---- Who may, and when ---------------------------------------------------------------------------------------------


def test_a_class_of_somebody_else_is_not_there(
    other_teacher: PageClient, places: list[Enrollment], session: Session
) -> None:
    course = places[0].course_id

    for page in (
        other_teacher.get(address(places)),
        other_teacher.get(f"/admin/roster/week/?course={course}"),
        other_teacher.get(f"/admin/roster/month/?course={course}"),
        post(other_teacher, sent(places, "PPPP", person=other_teacher.user.user_id)),
        other_teacher.post(
            "/admin/roster/",
            {"course": course, "day": TODAY, f"was-{places[0].student_id}-AM": "null", "everybody": "Present"},
        ),
    ):
        assert page.status == 404
    assert rows(session) == []


def test_a_foreign_pupil_is_not_smuggled_into_the_own_class(
    teacher: PageClient, places: list[Enrollment], make: Make, session: Session
) -> None:
    stranger = make.enrollment()

    answer = post(teacher, sent([places[0], stranger], "PP", person=teacher.user.user_id))

    assert answer.status == 200
    assert answer.json["outside"]
    assert [row[0] for row in rows(session)] == [places[0].student_id]


def test_an_old_day_is_shown_to_teachers_and_corrected_by_administrators(
    teacher: PageClient, admin: PageClient, places: list[Enrollment], session: Session
) -> None:
    day = TODAY - dt.timedelta(days=AttendanceRules().open_days + 1)

    closed = teacher.get(address(places, day=day))
    assert "Ask the office to change an earlier day." in closed.text
    assert not [*closed.find("div", "roster-bar")]
    refused = post(teacher, sent(places, "P", person=teacher.user.user_id, day=f"{day}"))
    assert (refused.status, rows(session)) == (403, [])

    admin.get(address(places, day=day))
    admin.submit("roster", everybody="Present")
    assert len(rows(session)) == 4


def test_an_old_record_is_closed_to_teachers_on_its_own_page_too(
    teacher: PageClient, places: list[Enrollment], make: Make, session: Session
) -> None:
    day = TODAY - dt.timedelta(days=AttendanceRules().open_days + 1)
    old = make.attendance(enrollment=places[0], attendance_date=day).attendance_id
    before = rows(session)

    for page in (
        teacher.get(f"/admin/attendance/edit/?id={old}"),
        teacher.post("/admin/attendance/delete/", {"id": old}),
    ):
        assert page.status == 403
        assert "correct it for some days" in page.text
    assert rows(session) == before


@pytest.mark.parametrize(
    "query",
    ["day=yesterday", "day=2025-02-30", "day=99999999999-01-01"],
)
def test_a_day_that_is_none_is_refused_in_a_sentence(teacher: PageClient, query: str) -> None:
    for path in ("roster/", "missing/"):
        page = teacher.get(f"/admin/{path}?{query}")
        assert page.status == 400
        assert "A date cannot be read." in page.text


@pytest.mark.parametrize("course", ["abc", "0", "-1", "99999999999999999999", "%00"])
def test_a_class_that_is_none_is_not_there(admin: PageClient, course: str) -> None:
    for path in ("", "week/", "month/"):
        assert admin.get(f"/admin/roster/{path}?course={course}").status == 404


def test_unknown_arguments_are_left_alone(teacher: PageClient, places: list[Enrollment]) -> None:
    assert teacher.get(address(places) + "&session=NIGHT&_external=1&endpoint=x&sort=9").status == 200


def test_a_class_without_pupils_and_a_teacher_without_classes_are_told_so(
    teacher: PageClient, other_teacher: PageClient, places: list[Enrollment], make: Make
) -> None:
    empty: Course = make.course(teacher=teacher.user, school_year=places[0].course.school_year)

    assert "Nobody is in this class" in teacher.get(f"/admin/roster/?course={empty.course_id}").text
    assert "You have no class in this school year" in other_teacher.get("/admin/roster/").text


# ---- Registers and who is missing ----------------------------------------------------------------------------------


def test_a_register_shows_each_half_and_the_fraction(teacher: PageClient, places: list[Enrollment], make: Make) -> None:
    make.attendance(enrollment=places[0], attendance_date=TODAY, session="FULL", status="Present")
    make.attendance(enrollment=places[1], attendance_date=TODAY, session="AM", status="Absent", reason="ឈឺ")

    for view in ("week", "month"):
        page = teacher.get(f"/admin/roster/{view}/?course={places[0].course_id}&day={TODAY}")
        first, second, *_ = (" ".join(row.itertext()).split() for row in page.find("tr") if row.find("td") is not None)
        assert " ".join(first).endswith("2 / 2 100.0")
        assert "Morning: Absent" in " ".join(second)
        assert "0 / 1 0.0 1" in " ".join(second)


def test_classes_not_taken_lead_to_their_roster(teacher: PageClient, places: list[Enrollment], make: Make) -> None:
    yesterday = next(day for day in (TODAY - dt.timedelta(days=n) for n in range(1, 4)) if day.isoweekday() <= 5)

    page = teacher.get(f"/admin/missing/?day={yesterday}")

    links = [a.get("href") or "" for a in page.find("a") if "session=" in (a.get("href") or "")]
    assert links == [address(places, day=yesterday, session=half) for half in ("AM", "PM")]
    assert teacher.get(links[0]).title.endswith("5A")


def test_those_to_call_stand_with_a_number_that_can_be_tapped(
    teacher: PageClient, other_teacher: PageClient, admin: PageClient, places: list[Enrollment], make: Make
) -> None:
    make.guardian(student=places[0].student, relation="Mother", phone="012 345 678")
    for number in range(3):
        make.attendance(
            enrollment=places[0],
            attendance_date=TODAY - dt.timedelta(days=number),
            session="FULL",
            status="Absent",
        )

    for reader in (teacher, admin):
        page = reader.get("/admin/missing/")
        assert "6 sessions since" in page.text
        assert "6 / 6 = 100.0 %" in page.text
        assert 'href="tel:012345678"' in page.source
    assert "012345678" not in other_teacher.get("/admin/missing/").source


def test_more_pupils_need_no_more_queries(
    teacher: PageClient, places: list[Enrollment], make: Make, same_queries: SameQueries
) -> None:
    course = places[0].course

    def more() -> None:
        for _ in range(4):
            place = make.enrollment(course=course)
            make.guardian(student=place.student, phone="012 345 678")
            for number in range(4):
                make.attendance(
                    enrollment=place,
                    attendance_date=TODAY - dt.timedelta(days=number),
                    session="FULL",
                    status="Absent",
                )

    more()
    for path in (
        address(places),
        f"/admin/roster/week/?course={course.course_id}",
        f"/admin/roster/month/?course={course.course_id}",
        "/admin/missing/",
    ):
        same_queries(lambda path=path: teacher.get(path), more)  # type: ignore[misc]


def test_the_worker_is_a_script_for_the_rosters_only(teacher: PageClient) -> None:
    script = teacher.get("/admin/roster/worker.js?person=1")

    assert script.status == 200
    assert script.headers["Content-Type"].startswith("text/javascript")
    assert "no-cache" in script.headers["Cache-Control"]


def test_what_the_worker_asks_for_by_itself_keeps_no_session_alive(
    teacher: PageClient, places: list[Enrollment]
) -> None:
    teacher.get(address(places))

    for headers, lengthened in (({"X-Background": "1"}, False), ({}, True)):
        with time_machine.travel(clock.now() + dt.timedelta(minutes=1)):
            page = teacher.get(address(places), headers=headers)
        assert page.status == 200
        assert ("Set-Cookie" in page.headers) is lengthened
