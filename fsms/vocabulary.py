"""The fixed value sets of the school's records, as they are stored, each with its word for the screen."""

from enum import Enum, StrEnum
from typing import Self


def _(word: str) -> str:
    """Mark a word for the translators; the screen translates it when it is shown."""
    return word


class Choice(StrEnum):
    """One of a fixed set: the stored text and, as `label`, the English word that is translated and shown."""

    label: str

    def __new__(cls, stored: str, label: str) -> Self:
        """Make the member from its stored text; the label rides along."""
        member = str.__new__(cls, stored)
        member._value_ = stored
        member.label = label
        return member


def label_of(choices: type[Choice], stored: str) -> str:
    """Return the word for a stored text; an unknown one, from an older database, speaks for itself."""
    try:
        return choices(stored).label  # type: ignore[call-arg]  # a member is looked up here, none is made
    except ValueError:
        return stored


class Role(Choice):
    """What an account may do."""

    ADMIN = "admin", _("Administrator")
    TEACHER = "teacher", _("Teacher")


class AccountStatus(Choice):
    """Whether an account may sign in."""

    ACTIVE = "active", _("Active")
    INACTIVE = "inactive", _("Inactive")


class Gender(Choice):
    """As registered."""

    MALE = "male", _("Male")
    FEMALE = "female", _("Female")


class StudentStatus(Choice):
    """Where a pupil stands with the school."""

    ACTIVE = "active", _("Studying")
    INACTIVE = "inactive", _("Dropped out")
    GRADUATED = "graduated", _("Graduated")
    TRANSFERRED = "transferred", _("Transferred")


class GradeLevel(Choice):
    """The twelve years of school."""

    G1 = "1", _("Grade 1")
    G2 = "2", _("Grade 2")
    G3 = "3", _("Grade 3")
    G4 = "4", _("Grade 4")
    G5 = "5", _("Grade 5")
    G6 = "6", _("Grade 6")
    G7 = "7", _("Grade 7")
    G8 = "8", _("Grade 8")
    G9 = "9", _("Grade 9")
    G10 = "10", _("Grade 10")
    G11 = "11", _("Grade 11")
    G12 = "12", _("Grade 12")


class DropReason(Choice):
    """Why pupils leave a class, as the school hears it most; own words may follow, or stand alone."""

    MOVED_HOUSE = "Moved house", _("Moved house")
    OTHER_SCHOOL = "Changed school", _("Changed school")
    FAMILY = "Helps the family", _("Helps the family")
    WORK = "Went to work", _("Went to work")
    PARENTS_AWAY = "Parents work elsewhere", _("Parents work elsewhere")
    POVERTY = "Family cannot afford it", _("Family cannot afford it")
    DISTANCE = "Lives too far away", _("Lives too far away")
    ILLNESS = "Illness", _("Illness")
    ABSENT = "Absent too often", _("Absent too often")
    OTHER_CLASS = "Moved to another class", _("Moved to another class")


class AttendanceSession(Choice):
    """The half of a school day, or both."""

    AM = "AM", _("Morning")
    PM = "PM", _("Afternoon")
    FULL = "FULL", _("Full day")


class AttendanceStatus(Choice):
    """What was seen when attendance was taken."""

    PRESENT = "Present", _("Present")
    ABSENT = "Absent", _("Absent")
    LATE = "Late", _("Late")
    EXCUSED = "Excused", _("Excused")


class Relation(Choice):
    """What a guardian is to the pupil."""

    FATHER = "Father", _("Father")
    MOTHER = "Mother", _("Mother")
    GUARDIAN = "Guardian", _("Guardian")
    GRANDFATHER = "Grandfather", _("Grandfather")
    GRANDMOTHER = "Grandmother", _("Grandmother")
    UNCLE = "Uncle", _("Uncle")
    AUNT = "Aunt", _("Aunt")
    BROTHER = "Brother", _("Brother")
    SISTER = "Sister", _("Sister")
    STEPFATHER = "Stepfather", _("Stepfather")
    STEPMOTHER = "Stepmother", _("Stepmother")


class Religion(Choice):
    """As the family states it."""

    BUDDHISM = "buddhism", _("Buddhism")
    CHRISTIANITY = "christianity", _("Christianity")
    ISLAM = "islam", _("Islam")
    HINDUISM = "hinduism", _("Hinduism")
    OTHER = "other", _("Other")
    NONE = "none", _("None")


class LivingCondition(Choice):
    """How well off the family is."""

    GOOD = "good", _("Well-off")
    MEDIUM = "medium", _("Medium")
    POOR = "poor", _("Poor")


class PovertyCard(Choice):
    """Whether the government gave the family a poverty (IDPoor) card."""

    YES = "yes", _("Has a card")
    NO = "no", _("No card")


class HelpFrequency(Choice):
    """How often the family contributes."""

    MONTH = "month", _("Per month")
    YEAR = "year", _("Per year")


def stored_values(choices: type[Enum]) -> list[str]:
    """List the texts as stored, in their order of reading."""
    return [str(choice.value) for choice in choices]
