"""No page makes its reader look through more than two hundred options, however large the school is."""

import datetime as dt

from flask import Flask
from sqlalchemy import select

from fsms import clock
from fsms.models import Course, Enrollment, Guardian, Scholarship, Student
from tests.browser import PageClient
from tests.builders import Make
from tests.walking import walk

MOST = 200
CLASSES_OF_A_YEAR = 90


def a_large_school(make: Make) -> None:
    """Make four years of classes, thrice as many pupils as may be offered, and a row of everything else."""
    this_year = clock.today().year
    for first in range(this_year - 3, this_year + 1):
        year = make.school_year(school_year_code=f"{first}-{first + 1}")
        semesters = [make.semester(semester_code=f"S{half}-{first}", school_year=year) for half in (1, 2)]
        courses = [
            Course(
                grade=str(number % 12 + 1),
                section=f"S{number:02}",
                course_name=f"Class {number}",
                school_year_id=year.school_year_id,
            )
            for number in range(CLASSES_OF_A_YEAR)
        ]
        pupils = [
            Student(
                last_name="Sok", first_name=f"D {first} {number}", class_="5", gender="male", dob=dt.date(2014, 1, 1)
            )
            for number in range(MOST * 3 // 4)
        ]
        make.session.add_all([*courses, *pupils])
        make.session.flush()
        places = [
            Enrollment(student_id=pupil.student_id, course_id=courses[nth % CLASSES_OF_A_YEAR].course_id)
            for nth, pupil in enumerate(pupils)
        ]
        guardians = [Guardian(student_id=pupil.student_id, relation="Mother", last_name="Keo") for pupil in pupils]
        promised = [Scholarship(student_id=pupil.student_id, type="Need") for pupil in pupils[:50]]
        make.session.add_all([*places, *guardians, *promised])
        make.session.flush()
        make.grade(enrollment=places[0], semester=semesters[0], grade_date=f"{first}-12")
        make.attendance(enrollment=places[0])
    for number in range(40):
        make.subject(subject_name=f"Subject {number}")
        make.user(username=f"colleague{number}")
    make.dropped(student=make.student(), course=make.course(school_year=year), semester=semesters[0])
    make.family(student=make.student())
    make.session.commit()


def test_no_page_of_a_large_school_holds_more_options_than_can_be_looked_through(
    admin: PageClient, make: Make, app: Flask
) -> None:
    a_large_school(make)
    numbers = list(make.session.scalars(select(Course.course_id).order_by(Course.course_id)))
    make.session.commit()
    held: dict[str, int] = {}

    def opened(address: str) -> str | None:
        page = admin.get(address)
        if not page.is_html or page.status != 200:
            return None
        held[address] = page.source.count("<option")
        return page.source

    found = walk(app.url_map, opened, "/admin/")
    for course in (numbers[0], numbers[-1]):
        opened(f"/admin/gradebook/?course={course}")

    assert len(found) > 40
    assert {address: options for address, options in held.items() if options > MOST} == {}


def test_a_form_holds_what_there_is_a_handful_of_and_looks_up_the_rest(admin: PageClient, make: Make) -> None:
    subjects = [make.subject(subject_name=name) for name in ("History", "Maths")]
    grade = make.grade(subject=subjects[1])

    new = admin.get("/admin/grade/new/").control("subject")
    opened = admin.get(f"/admin/grade/edit/?id={grade.grade_id}")

    assert [option.text for option in new.iter("option")] == [None, "History", "Maths"]
    chosen = [(option.text, "selected" in option.attrib) for option in opened.control("subject").iter("option")]
    assert sorted(chosen[1:]) == [("History", False), ("Maths", True)]
    assert len(list(opened.control("student").iter("option"))) == 2, "nothing and the pupil of the mark"
