"""What families write on the registration form: pupils, guardians, family background, and scholarships."""

from collections.abc import Iterator
from datetime import date, timedelta

from fsms.demo import words
from fsms.demo.calendar import Year
from fsms.demo.copying import Table, school_time, table_of
from fsms.demo.journeys import School
from fsms.demo.people import Pupil
from fsms.demo.plan import stream
from fsms.models import FamilyInfo, Guardian, Scholarship, Student
from fsms.vocabulary import Gender, LivingCondition, PovertyCard

_Rows = Iterator[dict[str, object]]
_HAS_SCHOLARSHIP = {LivingCondition.GOOD: 0.01, LivingCondition.MEDIUM: 0.05, LivingCondition.POOR: 0.24}


def registrations(school: School) -> Iterator[Table]:
    """Lay out the tables of what is known about the pupils."""
    yield table_of(Student, "pupils", _students(school), len(school.pupils))
    yield table_of(Guardian, "guardians", _guardians(school), len(school.pupils))
    yield table_of(FamilyInfo, "families", _families(school), len(school.pupils))
    yield table_of(Scholarship, "scholarships", _scholarships(school), len(school.pupils))


def _students(school: School) -> _Rows:
    chance = stream(school.plan, "registrations")
    for pupil in school.pupils:
        home = pupil.home
        poor = home.living is LivingCondition.POOR
        registered = date(pupil.entered.begins, 9, 1) + timedelta(days=chance.randrange(55))
        phones = [adult.phone for adult in home.adults if adult.phone]
        came_from_elsewhere = _is_transfer(pupil, chance.random(), school.years[0])
        yield {
            "studentId": pupil.number,
            "lastName": pupil.last_name,
            "firstName": pupil.first_name,
            "gender": Gender.FEMALE if pupil.female else Gender.MALE,
            "dob": pupil.born,
            "class": pupil.level,
            "phone": phones[0] if phones and chance.random() < 0.85 else None,
            "registrationDate": registered,
            "status": pupil.status,
            "religion": home.religion,
            "health": chance.choice(words.HEALTH) if chance.random() < 0.04 else None,
            "emergencyContact": phones[-1] if phones else None,
            "needsClothes": chance.random() < (0.35 if poor else 0.05),
            "needsMaterials": chance.random() < (0.4 if poor else 0.08),
            "needsTransport": chance.random() < 0.12,
            "previousSchool": chance.choice(words.OTHER_SCHOOLS) if came_from_elsewhere else None,
            "registerToStudy": chance.random() < 0.99,
            "studentBirthDistrict": home.district if chance.random() < 0.7 else chance.choice(words.BIRTH_DISTRICTS),
            "studentHouseNumber": home.house_number,
            "studentVillage": home.village,
            "studentCommune": home.commune,
            "studentDistrict": home.district,
            "studentProvince": words.PROVINCE,
            "transferReason": chance.choice(words.TRANSFER_REASONS) if came_from_elsewhere else None,
            "vaccinated": chance.random() < 0.93,
            "schoolYear": pupil.year.code,
            "createdAt": school_time(registered, "09:30:00"),
            "updatedAt": school_time(max(registered, pupil.year.start), "09:30:00"),
        }


def _is_transfer(pupil: Pupil, drawn: float, opening: Year) -> bool:
    """Say whether the pupil came from another school: many of those who enter above grade 1 after the opening."""
    if pupil.entered is opening:
        return drawn < 0.04
    return pupil.level - (pupil.year.number - pupil.entered.number) > 1 and drawn < 0.6


def _guardians(school: School) -> _Rows:
    number = 0
    for pupil in school.pupils:
        home = pupil.home
        for adult in home.adults:
            number += 1
            yield {
                "guardianId": number,
                "studentId": pupil.number,
                "relation": adult.relation,
                "phone": adult.phone,
                "believeJesus": adult.believes,
                "birthDistrict": adult.birth_district,
                "childrenCount": school.children[home.number] + home.years_here % 3,
                "church": home.church if adult.believes else None,
                "firstName": adult.first_name,
                "lastName": adult.last_name,
                "income": adult.income,
                "occupation": adult.occupation,
                "houseNumber": home.house_number,
                "village": home.village,
                "commune": home.commune,
                "district": home.district,
                "province": words.PROVINCE,
                **_written(pupil),
            }


def _families(school: School) -> _Rows:
    with_form = (pupil for pupil in school.pupils if pupil.home.wrote_family_form)
    for number, pupil in enumerate(with_form, start=1):
        home = pupil.home
        yield {
            "familyinfoId": number,
            "studentId": pupil.number,
            "canHelpSchool": home.help is not None,
            "churchName": home.church,
            "durationInKPC": f"{home.years_here} ឆ្នាំ",
            "helpAmount": home.help and home.help.amount,
            "helpFrequency": home.help and home.help.frequency,
            "knowSchool": home.known_through,
            "livingCondition": home.living,
            "livingWith": home.lives_with,
            "organizationHelp": home.organisation,
            "ownHouse": home.owns_house,
            "religion": home.religion,
            "povertyCard": PovertyCard.YES if home.poverty_card else PovertyCard.NO,
            **_written(pupil),
        }


def _scholarships(school: School) -> _Rows:
    chance = stream(school.plan, "scholarships")
    holders = (pupil for pupil in school.pupils if chance.random() < _HAS_SCHOLARSHIP[pupil.home.living])
    for number, pupil in enumerate(holders, start=1):
        kind, usual = chance.choice(words.SCHOLARSHIPS)
        yield {
            "scholarshipId": number,
            "studentId": pupil.number,
            "type": kind,
            "amount": round(usual * chance.uniform(0.6, 1.6), -4) if chance.random() < 0.95 else None,
            "sponsor": chance.choice(words.SPONSORS),
            **_written(pupil),
        }


def _written(pupil: Pupil) -> dict[str, object]:
    moment = school_time(pupil.entered.start - timedelta(days=20), "09:00:00")
    return {"createdAt": moment, "updatedAt": moment}
