"""What a role may do: the table that screens, routes and `fsms may` ask. Needs no database."""

import pytest

from fsms.models import ENTITIES, ActivityLog, Base, Grade, Guardian, Scholarship, Student, User
from fsms.policy import (
    CHANGE,
    MAY,
    REASONS,
    SEE,
    SYSTEM,
    Actor,
    Verb,
    confidential,
    hidden_columns,
    may,
    why,
)

ADMIN = Actor(1, "admin")
TEACHER = Actor(2, "teacher")
CONFIDENTIAL = {entity: found for entity in ENTITIES if (found := confidential(entity))}
STRANGERS = [None, Actor(3, "janitor"), Actor(3, "")]

TEACHERS_TABLE = {
    "User": "",
    "Student": "list view export",
    "Guardian": "list view export",
    "FamilyInfo": "",
    "Scholarship": "",
    "Course": "list view export",
    "Subject": "list view export",
    "Grade": "list view export create edit delete",
    "Enrollment": "list view export",
    "Attendance": "list view export create edit delete",
    "SchoolYear": "list view export",
    "Semester": "list view export",
    "ActivityLog": "list view",
}


@pytest.mark.parametrize("entity", ENTITIES)
def test_a_teacher_may_do_what_the_table_says_and_nothing_else(entity: type[Base]) -> None:
    allowed = {verb for verb in Verb if may(TEACHER, verb, entity)}

    assert allowed == {Verb(word) for word in TEACHERS_TABLE[entity.__name__].split()}


@pytest.mark.parametrize("actor", [ADMIN, SYSTEM])
@pytest.mark.parametrize("entity", ENTITIES)
def test_administrators_may_do_everything_but_change_the_log(actor: Actor, entity: type[Base]) -> None:
    allowed = {verb for verb in Verb if may(actor, verb, entity)}

    assert allowed == (SEE if entity is ActivityLog else SEE | CHANGE)


@pytest.mark.parametrize("actor", STRANGERS)
@pytest.mark.parametrize("verb", Verb)
def test_strangers_may_nothing(actor: Actor | None, verb: Verb) -> None:
    assert not any(may(actor, verb, entity) for entity in ENTITIES)
    assert why(actor, verb, Grade) == "Nobody has signed in, so nothing may be seen or changed."


@pytest.mark.parametrize("unknown", ["Report", "", "grades", Base, int])
def test_nobody_may_anything_with_what_the_school_does_not_keep(unknown: type[Base] | str) -> None:
    assert not may(ADMIN, Verb.LIST, unknown)
    assert why(ADMIN, Verb.LIST, unknown) == "The school keeps no such records."


@pytest.mark.parametrize("name", ["Grade", "grade", "GRADE"])
def test_an_entity_is_known_by_its_name_in_any_case_of_letters(name: str) -> None:
    assert may(TEACHER, Verb.EDIT, name)


@pytest.mark.parametrize("actor", [ADMIN, SYSTEM, TEACHER])
@pytest.mark.parametrize("entity", ENTITIES)
def test_every_answer_has_a_reason(actor: Actor, entity: type[Base]) -> None:
    for verb in Verb:
        assert why(actor, verb, entity).endswith(".")
    assert why(TEACHER, Verb.LIST, entity) == REASONS[entity]


def test_why_nobody_changes_the_log() -> None:
    assert why(ADMIN, Verb.DELETE, ActivityLog) == "Nobody changes the activity log: it tells what happened."
    assert why(ADMIN, Verb.LIST, ActivityLog).startswith("Administrators see")


def test_every_role_of_the_table_names_entities_only() -> None:
    assert all(set(table) <= set(ENTITIES) for table in MAY.values())
    assert set(REASONS) == set(ENTITIES)


def test_columns_are_hidden_by_role() -> None:
    assert {"income", "church", "believe_jesus"} < hidden_columns(TEACHER, Guardian)
    assert "password" in hidden_columns(TEACHER, User)
    assert hidden_columns(TEACHER, Student) == {"religion"}
    assert hidden_columns(TEACHER, Grade) == frozenset()
    assert hidden_columns(TEACHER, Scholarship) == set(Scholarship.__mapper__.column_attrs.keys())
    assert hidden_columns(ADMIN, Guardian) == hidden_columns(SYSTEM, User) == frozenset()


@pytest.mark.parametrize("actor", STRANGERS)
def test_strangers_read_no_column(actor: Actor | None) -> None:
    assert hidden_columns(actor, Grade) == set(Grade.__mapper__.column_attrs.keys())


@pytest.mark.parametrize("entity", CONFIDENTIAL)
def test_confidential_columns_are_left_out_of_what_an_entity_selects(entity: type[Base]) -> None:
    deferred = {column.key for column in entity.__mapper__.column_attrs if column.deferred}

    assert deferred == CONFIDENTIAL[entity]
