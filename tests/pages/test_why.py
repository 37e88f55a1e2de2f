"""“Why 7.85? Why rank 4?”: a figure opened by somebody who wants to know."""

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask

from fsms.models import Enrollment
from tests.browser import Page, PageClient
from tests.builders import Make


class Class7A:
    """A class of four with marks in two subjects and two months."""

    def __init__(self, make: Make, teacher: Any) -> None:
        year = make.school_year()
        self.make = make
        self.course = make.course(level=5, section="A", teacher=teacher, school_year=year)
        self.semester = make.semester(
            semester_code="S1-7", school_year=year, start_date=dt.date(2025, 1, 1), end_date=dt.date(2025, 3, 31)
        )
        self.maths, self.khmer = make.subject(subject_name="Maths 7"), make.subject(subject_name="Khmer 7")
        self.pupils = [self.place(name) for name in ("Sok", "Chan", "Kim", "Ly")]
        for place, marks in zip(self.pupils, (("8", "7"), ("9", "6"), ("7", "8"), ("5", "6")), strict=True):
            for subject, mark in zip((self.maths, self.khmer), marks, strict=True):
                self.mark(place, subject, mark)

    def place(self, name: str) -> Enrollment:
        student = self.make.student(last_name=name, first_name="Dara")
        return self.make.enrollment(course=self.course, student=student)

    def mark(self, place: Enrollment, subject: Any, mark: str | None, month: str = "2025-01") -> None:
        self.make.grade(
            enrollment=place,
            subject=subject,
            semester=self.semester,
            grade_date=month,
            grade=None if mark is None else Decimal(mark),
            excused=mark is None,
        )

    def why(self, client: PageClient, figure: str, pupil: int | None = 0, **more: Any) -> Page:
        asked = {"course": self.course.course_id, "semester": self.semester.semester_id, "figure": figure} | more
        if pupil is not None:
            asked["student"] = self.pupils[pupil].student_id
        query = "&".join(f"{name}={value}" for name, value in asked.items())
        return client.get(f"/admin/gradebook/why/?{query}")


@pytest.fixture
def class_(make: Make, teacher: PageClient) -> Class7A:
    return Class7A(make, teacher.user)


def test_an_average_shows_its_terms_and_how_they_were_reckoned(teacher: PageClient, class_: Class7A) -> None:
    page = class_.why(teacher, "average")

    assert page.title == "Why 7.50?"
    assert "Sok Dara · Average · 5A · S1-7" in page.text
    assert "The mean of 2: their sum over 2, each counting the same." in page.text
    assert "(8 + 7) ÷ 2 = 7.5" in page.text
    assert "of 10" in page.text
    assert "C · Good" in page.text


def test_a_rank_names_who_is_around_it(teacher: PageClient, class_: Class7A) -> None:
    class_.mark(class_.place("Prak"), class_.maths, "9.9")
    page = class_.why(teacher, "rank", pupil=3)

    assert page.title == "Why rank 4?"
    assert "3 pupils have a higher average, so this is place 4 of 4." in page.text
    assert "Exact averages are compared, not the rounded ones that are shown." in page.text
    for name in ("Kim Dara", "Sok Dara"):
        assert name in page.text
    assert "Not ranked Prak Dara 1 mark is missing" in page.text


def test_a_shared_place_is_told(teacher: PageClient, class_: Class7A) -> None:
    page = class_.why(teacher, "rank", pupil=1)

    assert page.title == "Why rank 1?"
    assert "Nobody has a higher average." in page.text
    assert "3 pupils have exactly this average and share the place; the next one is 4." in page.text


def test_what_is_missing_and_what_was_excused_is_told(teacher: PageClient, class_: Class7A) -> None:
    class_.mark(class_.pupils[1], class_.maths, "6", "2025-02")
    class_.mark(class_.pupils[2], class_.maths, None, "2025-02")

    subject = f"subject:{class_.maths.subject_id}"
    missing, excused = class_.why(teacher, subject), class_.why(teacher, subject, pupil=2)

    assert "Left out, and why February 2025 no mark yet" in missing.text
    assert "Missing marks Maths 7 · February 2025" in missing.text
    assert "February 2025 excused, so it counts neither for nor against" in excused.text
    assert "Missing marks" not in excused.text
    unranked = class_.why(teacher, "rank")
    assert unranked.title == "Why no rank?"
    assert "1 mark is missing. Enter it, or note the excuse, and there is a rank." in unranked.text


def test_the_mean_of_the_class_says_who_is_left_out(teacher: PageClient, class_: Class7A) -> None:
    last = class_.pupils[3]
    last.drop, last.drop_date, last.drop_semester = True, dt.date(2025, 2, 1), class_.semester
    class_.make.session.commit()

    page = class_.why(teacher, "mean", pupil=None)

    assert page.title == "Why 7.50?"
    assert "Mean of the class" in page.text
    assert "Ly Dara dropped from the class" in page.text


def test_a_month_and_a_year_are_explained_too(teacher: PageClient, class_: Class7A) -> None:
    month = class_.why(teacher, "month:2025-01")
    year = teacher.get(
        f"/admin/gradebook/why/?course={class_.course.course_id}&student={class_.pupils[0].student_id}&figure=average"
    )

    assert "January 2025" in month.text
    assert (month.title, year.title) == ("Why 7.50?", "Why 7.50?")
    assert "S1-7" in year.text


def test_every_link_of_an_explanation_leads_to_another_one(teacher: PageClient, class_: Class7A) -> None:
    class_.mark(class_.pupils[1], class_.maths, "6", "2025-02")
    to_see = {class_.why(teacher, figure).path for figure in ("average", "rank", "mean")}
    seen: set[str] = set()

    while to_see:
        page = teacher.get(to_see.pop())
        seen.add(page.path)
        assert page.status == 200
        to_see |= {link.get("href") or "" for link in page.find("a") if "/why/?" in (link.get("href") or "")} - seen

    assert len(seen) > 20


def test_the_schools_own_scheme_is_explained_in_its_own_words(
    flask_app: Flask, teacher: PageClient, class_: Class7A, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = flask_app.config["SETTINGS"]
    monkeypatch.setitem(flask_app.config, "SETTINGS", type(settings)(**vars(settings) | {"grading_scheme": "school"}))
    for mark in ("6", "9"):
        class_.mark(class_.pupils[0], class_.maths, mark, f"2025-0{2 + (mark == '9')}")
    class_.make.attendance(enrollment=class_.pupils[0], attendance_date=dt.date(2025, 3, 3), status="Absent")

    semester, month = class_.why(teacher, "average"), class_.why(teacher, "month:2025-03")

    assert "Half the exam month" in semester.text
    assert "Mean of the months before" in semester.text
    assert "The result is multiplied by 0.975" in month.text
    assert "× 0.975 = 8.775" in month.text


def test_in_khmer_it_is_told_in_khmer(teacher: PageClient, class_: Class7A) -> None:
    teacher.post("/language", {"language": "km"})

    page = class_.why(teacher, "average")

    assert page.title == "ហេតុអ្វី 7.50?"
    assert "ល្អ" in page.text


@pytest.mark.parametrize(
    "figure", ["", "grade", "subject", "subject:0", "subject:99999", "average:3", "month:2025-13", "rank:x", "%00"]
)
def test_what_is_no_figure_is_not_there(teacher: PageClient, class_: Class7A, figure: str) -> None:
    assert class_.why(teacher, figure).status == 404


def test_of_another_teachers_class_nothing_is_explained(
    other_teacher: PageClient, admin: PageClient, class_: Class7A
) -> None:
    for figure in ("average", "rank", "mean", f"subject:{class_.maths.subject_id}", "month:2025-01"):
        refused = class_.why(other_teacher, figure)
        assert refused.status == 404
        assert "Sok" not in refused.source
        assert class_.why(admin, figure).status == 200


@pytest.mark.parametrize("asked", [{"student": "0"}, {"student": "x"}, {"semester": "99999"}, {"course": "x"}])
def test_what_does_not_exist_is_not_there(teacher: PageClient, class_: Class7A, asked: dict[str, str]) -> None:
    assert class_.why(teacher, "average", pupil=None, **asked).status == 404


@pytest.mark.parametrize("view", ["month=2025-01", "subject"])
def test_every_figure_of_the_gradebook_leads_to_its_explanation(
    teacher: PageClient, class_: Class7A, view: str
) -> None:
    here = f"course={class_.course.course_id}&semester={class_.semester.semester_id}"
    across = f"subject={class_.maths.subject_id}" if view == "subject" else view
    sheet = teacher.get(f"/admin/gradebook/?{here}&{across}")

    links = [link for link in sheet.find("a") if link.get("data-why") is not None]

    assert len(links) == 2 * len(class_.pupils) + 1, "average and rank of each, and the mean of the class"
    for link in links:
        page = teacher.get(link.get("href") or "")
        assert page.title in {f"Why {link.text}?", f"Why rank {link.text}?"}
