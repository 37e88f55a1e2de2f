"""What a person types into the forms: a good new row for each entity, and a good change."""

from collections.abc import Callable
from typing import Any

from fsms import text
from fsms.admin_views.formatters import day_in_text
from tests.browser import Page
from tests.builders import PASSWORD, Make

Typed = dict[str, Any]


def _enrolled(make: Make) -> Typed:
    place = make.enrollment()
    return {"student": place.student_id, "course": place.course_id}


GOOD: dict[str, Callable[[Make], Typed]] = {
    "user": lambda _: {"last_name": "កែវ", "first_name": "ធីតា", "username": "thida", "new_password": PASSWORD},
    "student": lambda _: {
        "last_name": "សុខ",
        "first_name": "ដារ៉ា",
        "gender": "male",
        "dob": "2014-05-31",
        "class_": "5",
        "status": "active",
    },
    "guardian": lambda make: {"student": make.student().student_id, "relation": "Mother", "last_name": "កែវ"},
    "familyinfo": lambda make: {"student": make.student().student_id, "living_condition": "poor"},
    "scholarship": lambda make: {"student": make.student().student_id, "type": "តម្រូវការ", "amount": "40000"},
    "course": lambda make: {
        "school_year": make.school_year().school_year_id,
        "grade": "7",
        "section": "A",
        "course_name": "ថ្នាក់ទី ៧ក",
    },
    "subject": lambda _: {"subject_name": "គណិតវិទ្យា"},
    "grade": lambda make: (
        _enrolled(make)
        | {
            "subject": make.subject().subject_id,
            "semester": make.semester().semester_id,
            "grade_date": "2025-03",
            "grade": "7.5",
        }
    ),
    "enrollment": lambda make: {"student": make.student().student_id, "course": make.course().course_id},
    "attendance": lambda make: (
        _enrolled(make) | {"attendance_date": "2025-03-14", "session": "AM", "status": "Present"}
    ),
    "schoolyear": lambda _: {"school_year_code": "2024-2025"},
    "semester": lambda _: {"semester": "First Semester", "semester_code": "S1-2024"},
}
"""What a person types to add a row."""

CHANGED: dict[str, tuple[Typed, dict[str, str]]] = {
    "user": (
        {"position": "គ្រូភាសាខ្មែរ", "phonenumber1": "012 345 678"},
        {"Position": "គ្រូភាសាខ្មែរ", "Phone": "012 345 678"},
    ),
    "student": (
        {"dob": "31/05/2013", "class_": "12", "vaccinated": True},
        {"Date of birth": "31/05/2013", "Grade level": "Grade 12", "Vaccinated": "Yes"},
    ),
    "guardian": (
        {"relation": "Uncle", "income": "1 200 000", "children_count": "៣"},
        {"Relation": "Uncle", "Monthly income (riel)": "1,200,000", "Children in care": "3"},
    ),
    "familyinfo": (
        {"poverty_card": "yes", "own_house": True},
        {"Poverty card": "Has a card", "Owns the house": "Yes"},
    ),
    "scholarship": ({"sponsor": "World Vision", "amount": ""}, {"Sponsor": "World Vision", "Amount (riel)": "–"}),
    "course": ({"grade": "12", "section": "ខ"}, {"Grade level": "Grade 12", "Section": "ខ"}),
    "subject": ({"subject_name": "រូបវិទ្យា"}, {"Subject": "រូបវិទ្យា"}),
    "grade": ({"grade": "៩,២៥", "grade_date": "03/25"}, {"Mark": "9.25", "Month": "March 2025"}),
    "enrollment": ({"drop_reason": "ផ្លាស់ទីលំនៅ"}, {"Reason": "ផ្លាស់ទីលំនៅ"}),
    "attendance": ({"session": "FULL", "status": "Late"}, {"Session": "Full day", "Status": "Late"}),
    "schoolyear": ({"school_year_code": "2031-2032"}, {"School year": "2031-2032"}),
    "semester": (
        {"start_date": "2024-11-01", "end_date": "2025-03-31"},
        {"First day": "01/11/2024", "Last day": "31/03/2025"},
    ),
}
"""What a person changes in an existing row, and what its details say then."""


def kept(page: Page, typed: Typed) -> bool:
    """Say whether a form shows again what was typed into it; a password is never sent back."""
    shown = {name: page.field(name) or "" for name in typed}
    # A day is shown as the school writes it, however it was typed.
    wanted = {name: "on" if value is True else day_in_text(str(value)) for name, value in typed.items()}
    return {name: text.clean(shown[name]) for name in typed} == {
        name: "" if name == "new_password" else text.clean(wanted[name]) for name in typed
    }
