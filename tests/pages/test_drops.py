"""Dropping, coming back, moving, leaving and enrolling, as an administrator does it: the effect first, then the act."""

import datetime as dt
import re
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy.orm import Session

from fsms import clock
from fsms.models import Attendance, Course, Enrollment, SchoolYear
from fsms.reports import classes
from tests.browser import PageClient, Queries, SameQueries
from tests.builders import Make, contents

TODAY = clock.today()
DAY = TODAY - dt.timedelta(days=10)


@dataclass
class School:
    """A school year around today, with two classes of grade 7 and one of the year before."""

    make: Make
    year: SchoolYear
    a: Course
    b: Course
    last_year: Course

    def pupil(self, name: str, *, course: Course | None = None, **of_place: Any) -> Enrollment:
        """A pupil of that first name, with three marks, and attendance for three days before and after the day."""
        student = self.make.student(last_name="Sok", first_name=name)
        place = self.make.enrollment(student=student, course=course or self.a, **of_place)
        for away in (1, 2, 3):
            self.make.attendance(enrollment=place, attendance_date=DAY - dt.timedelta(away))
            self.make.attendance(enrollment=place, attendance_date=DAY + dt.timedelta(away))
            self.make.grade(enrollment=place, grade_date=f"2020-0{away}")
        return place


@pytest.fixture
def school(make: Make) -> School:
    begins = TODAY.year if TODAY.month >= 9 else TODAY.year - 1
    year = make.school_year(school_year_code=f"{begins}-{begins + 1}")
    for number, first, last in (
        (1, dt.date(begins, 9, 1), dt.date(begins, 12, 31)),
        (2, dt.date(begins + 1, 1, 1), dt.date(begins + 1, 8, 31)),
    ):
        make.semester(semester_code=f"S{number}-{begins}", school_year=year, start_date=first, end_date=last)
    before = make.school_year(school_year_code=f"{begins - 1}-{begins}")
    return School(
        make=make,
        year=year,
        a=make.course(level=7, section="A", school_year=year),
        b=make.course(level=7, section="B", school_year=year),
        last_year=make.course(level=6, section="A", school_year=before),
    )


def everything_but_the_log(make: Make) -> dict[str, list[Any]]:
    return {table: rows for table, rows in contents(make.session).items() if table != "ActivityLog"}


def counts(make: Make) -> dict[str, int]:
    return {table: len(rows) for table, rows in everything_but_the_log(make).items()}


# ---- Dropping ------------------------------------------------------------------------------------------------------


def test_the_effect_is_shown_first_and_nothing_has_happened(admin: PageClient, school: School, make: Make) -> None:
    place = school.pupil("Dara")
    make.scholarship(student=place.student, type="Meals", sponsor="Lotus")
    make.enrollment(student=place.student, course=school.b)
    before = everything_but_the_log(make)

    page = admin.get(f"/admin/drops/?student={place.student_id}&enrollment={place.enrollment_id}")
    page = admin.submit("act", on=DAY, look="1")

    assert page.title == "Drop Sok Dara?"
    assert "3 marks kept, read-only" in page.text
    assert "6 attendance rows kept, 3 of them after that day" in page.text
    assert "Other open places: 7B" in page.text
    assert "Meals" in page.text
    assert everything_but_the_log(make) == before


def test_a_pupil_is_dropped_undone_and_everything_is_as_it_was(
    admin: PageClient, school: School, make: Make, session: Session
) -> None:
    place = school.pupil("Dara")
    before = counts(make)
    admin.get(f"/admin/drops/drop/?enrollment={place.enrollment_id}")
    admin.submit("act", on=DAY, later="keep", look="1")

    page = admin.submit("act", reason="Illness", own_words="dengue", later="remove", look="1")
    assert "3 attendance rows kept; 3 removed" in page.text
    page = admin.submit("act")

    session.refresh(place)
    assert page.flashes == [f"Sok Dara · {place.student_id} is dropped."]
    assert (place.drop, place.drop_date, place.drop_reason) == (True, DAY, "Illness: dengue")
    assert counts(make) == before | {"Attendance": before["Attendance"] - 3}
    (undo,) = (link.get("href") or "" for link in page.find("a", "btn-sm"))
    admin.get(undo)
    page = admin.submit("undo")
    session.refresh(place)
    assert "as they were before" in page.text
    assert not place.drop
    assert counts(make) == before


def test_the_act_waits_for_whoever_has_not_seen_its_effect(admin: PageClient, school: School, session: Session) -> None:
    place = school.pupil("Dara")
    admin.get(f"/admin/drops/drop/?enrollment={place.enrollment_id}")

    page = admin.submit("act", on=DAY, reason="Illness")

    assert "This is not what was shown before" in page.text
    assert "3 of them after that day" in page.text
    assert page.control("own_words").get("value") == ""
    assert page.chosen("reason") == "Illness"
    session.refresh(place)
    assert not place.drop
    page = admin.submit("act")
    session.refresh(place)
    assert place.drop


def test_what_somebody_else_changed_meanwhile_is_shown_before_the_act(
    admin: PageClient, school: School, session: Session
) -> None:
    place = school.pupil("Dara")
    admin.get(f"/admin/drops/drop/?enrollment={place.enrollment_id}")
    admin.submit("act", on=DAY, reason="Illness", look="1")
    school.make.attendance(enrollment=place, attendance_date=DAY + dt.timedelta(5))

    page = admin.submit("act")

    assert "This is not what was shown before" in page.text
    assert "7 attendance rows kept, 4 of them after that day" in page.text
    session.refresh(place)
    assert not place.drop


def test_who_was_dropped_meanwhile_is_told_kindly(admin: PageClient, school: School, session: Session) -> None:
    place = school.pupil("Dara")
    admin.get(f"/admin/drops/drop/?enrollment={place.enrollment_id}")
    semester = school.make.semester()
    place.drop, place.drop_date, place.drop_reason, place.drop_semester = True, DAY, "Moved house", semester
    session.commit()

    page = admin.submit("act", reason="Illness")

    assert f"was dropped from 7A · {school.year.school_year_code} on {DAY:%d/%m/%Y} already" in page.text
    session.refresh(place)
    assert place.drop_reason == "Moved house"


@pytest.mark.parametrize(
    ("typed", "field", "sentence"),
    [
        ({"on": TODAY + dt.timedelta(1)}, "on", "The day lies in the future."),
        ({"on": "1999-01-01"}, "on", "came to 7A"),
        ({"on": ""}, "on", "Enter the day as 14/03/2025."),
        ({"on": "\0"}, "on", "Enter the day as 14/03/2025."),
        ({"on": "99999999999999999999-01-01"}, "on", "Enter the day as 14/03/2025."),
        ({}, "reason", "Say why: choose a reason"),
        ({"own_words": "x" * 400}, "own_words", "The reason is too long."),
    ],
)
def test_what_is_wrong_is_said_at_its_field_and_what_was_typed_stays(
    admin: PageClient, school: School, make: Make, typed: dict[str, Any], field: str, sentence: str
) -> None:
    place = school.pupil("Dara")
    before = everything_but_the_log(make)
    admin.get(f"/admin/drops/drop/?enrollment={place.enrollment_id}")

    page = admin.submit("act", typed)

    assert page.status == 200
    assert sentence in page.errors[field]
    for name, value in typed.items():
        # A day is shown day first, as everywhere.
        shown = re.sub(r"^(\d{4})-(\d\d)-(\d\d)$", r"\3/\2/\1", str(value).replace("\0", ""))
        assert page.control(name).get("value") == shown
    assert everything_but_the_log(make) == before


def test_several_are_found_chosen_and_dropped_with_the_effect_of_each(
    admin: PageClient, school: School, session: Session
) -> None:
    places = [school.pupil(name) for name in ("Dara", "Bopha", "Rith")]
    other = school.pupil("Vanna", course=school.b)

    page = admin.get("/admin/drops/find/?q=7A sok")
    assert "Vanna" not in page.text
    chosen = {"enrollment": [places[0].enrollment_id, places[1].enrollment_id]}
    page = admin.get(f"/admin/drops/drop/?enrollment={chosen['enrollment'][0]}&enrollment={chosen['enrollment'][1]}")
    assert [row["Marks kept"] for row in page.rows] == ["3", "3"]
    assert {row["Pupil"].split(" · ")[0] for row in page.rows} == {"Sok Dara", "Sok Bopha"}
    page = admin.submit("act", reason="Moved house")

    assert page.flashes == ["2 pupils are dropped."]
    for place, dropped in zip((*places, other), (True, True, False, False), strict=True):
        session.refresh(place)
        assert place.drop is dropped


# ---- The list ------------------------------------------------------------------------------------------------------


@pytest.fixture
def drops(school: School, make: Make) -> list[Enrollment]:
    """Three drops of this year, one of them in grade 7, and one of last year."""
    semester = make.semester(semester_code="S9-1999")
    whole = {"drop": True, "drop_semester": semester}
    nine = make.course(level=9, section="A", school_year=school.year)
    return [
        make.enrollment(
            student=make.student(last_name="Sok", first_name=name, gender=gender),
            course=course,
            drop_date=day,
            drop_reason=reason,
            **whole,
        )
        for name, gender, course, day, reason in (
            ("Dara", "male", school.a, dt.date(2020, 1, 15), "Illness: dengue"),
            ("Bopha", "female", nine, dt.date(2020, 1, 16), "Illness"),
            ("Rith", "male", nine, dt.date(2020, 2, 1), "ផ្លាស់ទីលំនៅ"),
            ("Vanna", "female", school.last_year, dt.date(2019, 2, 1), "Moved house"),
        )
    ]


@pytest.mark.parametrize(
    ("asked", "names"),
    [
        ("", ["Rith", "Bopha", "Dara", "Vanna"]),
        ("level=9", ["Rith", "Bopha"]),
        ("reason=Illness", ["Bopha", "Dara"]),
        ("reason=Illness&level=7", ["Dara"]),
        ("month=2020-01", ["Bopha", "Dara"]),
        ("semester=S9-1999&q=sok vanna", ["Vanna"]),
        ("q=9A", ["Rith", "Bopha"]),
        ("reason=%25", []),
        ("level=13&year=x&page=99999999999999999999&q=%00&nonsense=1", []),
    ],
)
def test_the_list_of_drops_is_filtered(
    admin: PageClient, drops: list[Enrollment], asked: str, names: list[str]
) -> None:
    page = admin.get(f"/admin/drops/?{asked}")

    assert [row["Pupil"].split()[-1] for row in page.rows] == names
    exported = admin.get(f"/admin/drops/export/csv/?{asked}").source.splitlines()
    assert [line.split(",")[1].split()[-1] for line in exported[1:]] == names


def test_a_filter_says_how_many_there_are_of_each(admin: PageClient, drops: list[Enrollment]) -> None:
    page = admin.get("/admin/drops/?level=9")

    assert page.options("reason") == ["Reason", "Illness (1)", "ផ្លាស់ទីលំនៅ (1)"]
    assert page.options("level") == ["Grade level", "Grade 6 (1)", "Grade 7 (1)", "Grade 9 (2)"]
    assert page.options("month") == ["Month", "February 2020 (1)", "January 2020 (1)"]
    assert "1 girl" in page.text


def test_the_list_takes_as_many_queries_for_twice_as_many_drops(
    admin: PageClient, drops: list[Enrollment], make: Make, same_queries: SameQueries
) -> None:
    def more() -> None:
        for _ in range(4):
            make.dropped(course=drops[0].course)

    same_queries(lambda: admin.get("/admin/drops/"), more)


def test_the_effect_on_many_reads_as_often_for_twice_as_many(
    admin: PageClient, school: School, queries: Queries
) -> None:
    """Rows are written one by one, since each has its version; what is read is read for all."""
    places = [f"enrollment={school.pupil(f'Pupil{n}').enrollment_id}" for n in range(4)]
    asked = {}

    for several in (2, 4):
        admin.get(f"/admin/drops/drop/?{'&'.join(places[:several])}")
        with queries() as said:
            admin.get(f"/admin/drops/drop/?{'&'.join(places[:several])}")
        asked[several] = len([statement for statement in said if statement.startswith("SELECT")])

    assert asked[2] == asked[4]


# ---- Back, move, leave ---------------------------------------------------------------------------------------------


def test_a_dropped_pupil_is_back_by_one_click(
    admin: PageClient, drops: list[Enrollment], make: Make, session: Session
) -> None:
    before = counts(make)
    admin.get("/admin/drops/?q=Dara")

    page = admin.submit("/admin/drops/back/", enrollment=drops[0].enrollment_id)

    session.refresh(drops[0])
    assert not drops[0].drop
    assert "is back in 7A" in page.flashes[0]
    assert counts(make) == before
    assert not page.rows  # the list is the one that was asked for


def test_a_pupil_came_back_on_another_day(admin: PageClient, drops: list[Enrollment], session: Session) -> None:
    back = clock.today() - dt.timedelta(days=1)
    page = admin.get(f"/admin/drops/back/?enrollment={drops[0].enrollment_id}")
    assert page.title.startswith("Re-enrol")

    wrong = admin.submit("back", on=clock.today() + dt.timedelta(days=1))
    assert "The day lies in the future" in wrong.text
    admin.submit("back", on=back)

    session.refresh(drops[0])
    assert not drops[0].drop
    assert [gap.upper for gap in drops[0].away or ()] == [back]
    record = admin.get(f"/admin/enrollment/details/?id={drops[0].enrollment_id}")
    assert f"– {back - dt.timedelta(days=1):%d/%m/%Y}" in record.text
    assert admin.get(f"/admin/drops/back/?enrollment={drops[0].enrollment_id}").status == 404


def test_coming_back_beside_another_class_is_asked_about(
    admin: PageClient, drops: list[Enrollment], school: School, make: Make, session: Session
) -> None:
    make.enrollment(student=drops[0].student, course=school.b)
    admin.get("/admin/drops/?q=Dara")

    page = admin.submit("/admin/drops/back/", enrollment=drops[0].enrollment_id)
    assert "is in 7B" in page.text
    session.refresh(drops[0])
    assert drops[0].drop
    admin.submit("back")

    session.refresh(drops[0])
    assert not drops[0].drop


def test_a_move_says_what_fits_and_what_does_not(
    admin: PageClient, school: School, make: Make, session: Session
) -> None:
    place = school.pupil("Dara")
    algebra = make.subject(subject_name="Algebra")
    make.grade(enrollment=school.pupil("Rith", course=school.b), subject=algebra)
    before = counts(make)
    admin.get(f"/admin/drops/move/?enrollment={place.enrollment_id}")
    page = admin.submit("act", course=school.b.course_id, on=DAY, look="1")
    assert "Only the new class has marks in:" in page.text
    assert "Algebra" in page.text

    page = admin.submit("act", later="carry", look="1")
    assert "3 attendance rows kept; 3 go along" in page.text
    page = admin.submit("act")

    session.refresh(place)
    new = session.query(Enrollment).filter_by(student_id=place.student_id, course_id=school.b.course_id).one()
    assert (place.drop_date, new.enrolled_on, new.drop) == (DAY, DAY, False)
    assert counts(make) == before | {"Enrollment": before["Enrollment"] + 1}
    assert session.query(Attendance).filter_by(course_id=school.b.course_id, student_id=place.student_id).count() == 3


def test_a_move_without_a_class_is_told_so(admin: PageClient, school: School) -> None:
    place = school.pupil("Dara")
    admin.get(f"/admin/drops/move/?enrollment={place.enrollment_id}")

    page = admin.submit("act")

    assert page.errors == {"course": "Choose the class to move to."}


def test_leaving_the_school_closes_every_open_place(
    admin: PageClient, school: School, make: Make, session: Session
) -> None:
    place = school.pupil("Dara")
    second = make.enrollment(student=place.student, course=school.b)
    old = make.enrollment(student=place.student, course=school.last_year)
    before = counts(make)
    admin.get(f"/admin/drops/leave/?student={place.student_id}")
    page = admin.submit("act", on=DAY, status="transferred", reason="Changed school", look="1")
    assert len(page.rows) == 2

    page = admin.submit("act")

    for row in (place, second, old, place.student):
        session.refresh(row)
    assert (place.drop_date, second.drop_date, old.drop) == (DAY, DAY, False)
    assert place.student.status == "transferred"
    assert counts(make) == before


def test_who_has_no_open_place_cannot_leave(admin: PageClient, make: Make, school: School) -> None:
    page = admin.get(f"/admin/drops/leave/?student={make.student().student_id}")

    assert "has no open place in a class" in page.text


def test_the_pupils_page_tells_the_line_of_events_and_who_it_was(admin: PageClient, school: School) -> None:
    place = school.pupil("Dara")
    admin.get(f"/admin/drops/?student={place.student_id}")
    admin.submit("act", on=DAY, reason="Illness", look="1")
    admin.submit("act")
    admin.submit("/admin/drops/back/", enrollment=place.enrollment_id)

    page = admin.get(f"/admin/student/details/?id={place.student_id}")

    told = [" ".join("".join(line.itertext()).split()) for one in page.find("ol", "story") for line in one]
    assert ["Came back to 7A" in told[0], "Dropped from 7A" in told[1], "Enrolled in 7A" in told[2]] == [True] * 3
    assert "Illness" in told[1]
    assert f"{DAY:%d/%m/%Y}" in told[1]
    assert all(admin.user.full_name in line for line in told[:2])


# ---- Enrolling -----------------------------------------------------------------------------------------------------


def test_last_years_class_is_enrolled_from_a_pick_list(
    admin: PageClient, school: School, make: Make, session: Session
) -> None:
    came = [make.enrollment(course=school.last_year).student for _ in range(3)]
    there = make.enrollment(student=came[2], course=school.a)
    page = admin.get(f"/admin/drops/enrol/?course={school.a.course_id}&from={school.last_year.course_id}")
    offered = {box.get("value") for box in page.find("input") if box.get("name") == "student"}
    assert offered == {str(came[0].student_id), str(came[1].student_id)}

    page = admin.submit("act", student=sorted(offered))

    assert page.flashes == [f"2 pupils are enrolled in 7A · {school.year.school_year_code}."]
    assert session.query(Enrollment).filter_by(course_id=school.a.course_id).count() == 3
    session.refresh(came[0])
    assert (came[0].class_id, came[0].class_) == (school.a.course_id, "7")
    assert there


def test_a_second_class_in_the_year_is_confirmed(admin: PageClient, school: School, session: Session) -> None:
    place = school.pupil("Dara")
    admin.get(f"/admin/drops/enrol/?course={school.b.course_id}&q=Dara")
    page = admin.submit("act", student=place.student_id)
    assert "in the same school year" in page.text
    assert session.query(Enrollment).filter_by(course_id=school.b.course_id).count() == 0

    admin.submit("act", second_class="yes")

    assert session.query(Enrollment).filter_by(course_id=school.b.course_id).count() == 1


def test_nobody_chosen_is_said_so(admin: PageClient, school: School, make: Make) -> None:
    make.student(first_name="Zebra")
    admin.get(f"/admin/drops/enrol/?course={school.b.course_id}&q=Zebra")

    page = admin.submit("act")

    assert "Choose at least one pupil." in page.text


def test_an_enrolment_typed_into_its_form_moves_the_pupils_record_too(
    admin: PageClient, school: School, make: Make, session: Session
) -> None:
    pupil = make.student(class_="5")
    session.commit()
    admin.get("/admin/enrollment/new/")

    admin.submit(None, student=pupil.student_id, course=school.b.course_id)

    session.refresh(pupil)
    assert (pupil.class_, pupil.class_id) == ("7", school.b.course_id)
    assert pupil.school_year == school.year.school_year_code


# ---- Who may, and what is nonsense ---------------------------------------------------------------------------------

DOORS = ("", "find/", "drop/", "move/", "leave/", "back/", "enrol/", "export/csv/")


@pytest.mark.parametrize("door", DOORS)
def test_a_teacher_finds_every_door_closed(
    teacher: PageClient, school: School, make: Make, session: Session, door: str
) -> None:
    school.a.teacher1 = teacher.user
    place = school.pupil("Dara")
    session.commit()
    before = everything_but_the_log(make)
    named = f"enrollment={place.enrollment_id}&student={place.student_id}&course={school.a.course_id}&q=Dara"

    assert teacher.get(f"/admin/drops/{door}?{named}").status == 403
    everything = {
        "enrollment": place.enrollment_id,
        "student": place.student_id,
        "course": school.b.course_id,
        "on": DAY,
        "reason": "Illness",
        "second_class": "yes",
        "seal": "0" * 16,
    }
    for act in ("drop/", "move/", "leave/", "enrol/", "back/"):
        assert teacher.post(f"/admin/drops/{act}", everything).status == 403
    assert everything_but_the_log(make) == before


NONSENSE = ("-1", "99999999999999999999", "x%00", "១")


@pytest.mark.parametrize("door", DOORS)
def test_nonsense_in_an_address_is_no_fault(admin: PageClient, school: School, door: str) -> None:
    place = school.pupil("Dara")
    known = f"enrollment={place.enrollment_id}&student={place.student_id}&course={school.a.course_id}"

    for name in ("enrollment", "student", "course", "from", "on", "later", "status", "page", "url"):
        for address in (f"{name}={value}" for value in NONSENSE):
            assert admin.get(f"/admin/drops/{door}?{address}").status in {200, 302, 404}, address
        assert admin.get(f"/admin/drops/{door}?{known}&{name}=x").status in {200, 302, 404, 400}, name


def test_the_menu_shows_drops_to_administrators_only(admin: PageClient, teacher: PageClient) -> None:
    assert 'href="/admin/drops/"' in admin.get("/admin/").source
    assert 'href="/admin/drops/"' not in teacher.get("/admin/").source


# ---- The page of a class -------------------------------------------------------------------------------------------


def test_a_class_shows_who_is_in_it_and_apart_who_was(
    admin: PageClient, school: School, make: Make, session: Session
) -> None:
    school.a.teacher1 = make.user(last_name="Chan", first_name="Sophea")
    session.commit()
    school.pupil("Dara")
    gone = school.pupil("Bopha")
    admin.get(f"/admin/drops/drop/?enrollment={gone.enrollment_id}")
    admin.submit("act", reason="Illness")

    page = admin.get(f"/admin/course/details/?id={school.a.course_id}")

    assert [row.get("No.") is not None for row in page.rows] == [True, False]
    assert page.rows[0]["Pupil"] == "Sok Dara"
    assert (page.rows[1]["Pupil"], page.rows[1]["Reason"]) == ("Sok Bopha", "Illness")
    assert "Chan Sophea" in page.text
    assert "1 pupil" in page.text
    admin.submit("/admin/drops/back/", enrollment=gone.enrollment_id)
    assert "is back in 7A" in admin.page.text
    assert admin.page.path.startswith("/admin/course/details/")
    assert len(admin.page.rows) == 2


def test_the_name_list_is_numbered_in_khmer_and_leaves_out_the_dropped(
    admin: PageClient, school: School, make: Make
) -> None:
    school.pupil("Dara")
    make.dropped(student=make.student(first_name="Bopha"), course=school.a)

    page = admin.get(f"/admin/course/names/?id={school.a.course_id}")

    assert "បញ្ជីឈ្មោះសិស្សថ្នាក់ទី 7A" in page.text
    assert "Sok Dara" in page.text
    assert "Bopha" not in page.text
    assert "សិស្សសរុប 1 នាក់" in page.text
    assert "Sok Dara" in admin.get(f"/admin/course/names/?id={school.a.course_id}&photos=1").text


def test_a_teacher_sees_the_own_class_without_what_is_confidential_and_without_acts(
    teacher: PageClient, other_teacher: PageClient, school: School, session: Session
) -> None:
    school.a.teacher2 = teacher.user
    place = school.pupil("Dara")
    place.student.religion = "hinduism"
    school.make.scholarship(student=place.student, sponsor="Secret sponsor")
    session.commit()

    for address in ("details/", "names/"):
        page = teacher.get(f"/admin/course/{address}?id={school.a.course_id}")
        assert page.status == 200
        assert "Sok Dara" in page.text
        assert "/admin/drops/" not in page.source
        assert "Hindu" not in page.source
        assert "Secret sponsor" not in page.source
        assert other_teacher.get(f"/admin/course/{address}?id={school.a.course_id}").status == 404


def test_a_class_takes_as_many_queries_for_twice_as_many_pupils(
    admin: PageClient, school: School, same_queries: SameQueries
) -> None:
    school.pupil("Dara")

    def more() -> None:
        for number in range(3):
            school.pupil(f"Pupil{number}")
            school.make.dropped(course=school.a)

    same_queries(lambda: admin.get(f"/admin/course/details/?id={school.a.course_id}"), more)


@pytest.mark.parametrize(
    ("born", "day", "age"),
    [
        (dt.date(2014, 5, 31), dt.date(2025, 5, 31), (11, 0, 0)),
        (dt.date(2014, 5, 31), dt.date(2025, 5, 30), (10, 11, 30)),
        (dt.date(2014, 5, 31), dt.date(2025, 3, 1), (10, 9, 1)),
        (dt.date(2016, 2, 29), dt.date(2025, 2, 28), (8, 11, 30)),
        (dt.date(2016, 2, 29), dt.date(2025, 3, 1), (9, 0, 1)),
        (dt.date(2014, 12, 15), dt.date(2025, 1, 14), (10, 0, 30)),
        (dt.date(2014, 1, 1), dt.date(2014, 1, 1), (0, 0, 0)),
    ],
)
def test_an_age_is_told_in_years_months_and_days(born: dt.date, day: dt.date, age: tuple[int, int, int]) -> None:
    pupil = classes.Pupil(1, 1, "Sok Dara", "male", born, None, None, None, None, None, None)

    assert pupil.age_on(day) == age
