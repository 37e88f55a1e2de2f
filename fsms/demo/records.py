"""What the office keeps: staff, the calendar, subjects, classes and places, and the log of sign-ins.

Moments follow from the plan's day, never from the clock, so that the same plan gives the same rows.
"""

import json
from collections.abc import Iterator
from datetime import date, timedelta
from random import Random

from fsms.demo.calendar import Year, is_school_day
from fsms.demo.copying import Table, school_time, table_of
from fsms.demo.journeys import School
from fsms.demo.people import position_of
from fsms.demo.plan import stream
from fsms.demo.subjects import SUBJECTS
from fsms.models import ActivityLog, Course, Enrollment, SchoolYear, Semester, Subject, User
from fsms.vocabulary import AccountStatus

_Rows = Iterator[dict[str, object]]
_DAYS_OF_SIGN_INS = 14


def frame(school: School) -> Iterator[Table]:
    """Lay out the tables that point to nobody's registration: accounts, years, semesters, subjects, courses."""
    yield table_of(User, "staff", _users(school), len(school.staff))
    yield table_of(SchoolYear, "school years", _school_years(school), len(school.years))
    yield table_of(Semester, "semesters", _semesters(school), 2 * len(school.years))
    yield table_of(Subject, "subjects", _subjects(school), len(SUBJECTS))
    yield table_of(Course, "courses", _courses(school), len(school.courses))


def places(school: School) -> Table:
    """Lay out who sits in which course."""
    return table_of(Enrollment, "enrolments", _enrollments(school), sum(map(len, school.places)))


def sign_ins(school: School) -> Table:
    """Lay out the log. Its rows take the next numbers, since the log may hold entries older than the demo."""
    return table_of(ActivityLog, "sign-ins", _log(school), len(school.staff) * _DAYS_OF_SIGN_INS)


def _users(school: School) -> _Rows:
    last_year = [course for course in school.courses if course.year is school.years[-1]]
    homerooms = {course.teachers[0].number: course.level for course in reversed(last_year)}
    last_seen = {number: moment for moment, number, _ in _sign_ins(school)}
    for person in school.staff:
        yield {
            "userId": person.number,
            "username": person.username,
            "password": school.plan.password_hash,
            "lastname": person.last_name,
            "firstname": person.first_name,
            "phonenumber1": person.phones[0],
            "phonenumber2": person.phones[1],
            "role": person.role,
            "position": position_of(person, homerooms.get(person.number)),
            "status": AccountStatus.ACTIVE if person.active else AccountStatus.INACTIVE,
            "lastLogin": last_seen.get(person.number),
            **_made_before(school.years[0], days=60),
        }


def _school_years(school: School) -> _Rows:
    for year in school.years:
        yield {"schoolYearId": year.number, "schoolYearCode": year.code, **_made_before(year, days=60)}


def _semesters(school: School) -> _Rows:
    for year in school.years:
        for half in year.semesters:
            yield {
                "semesterId": half.number,
                "semester": half.name,
                "semesterCode": half.code,
                "schoolYearId": year.number,
                "startDate": half.start,
                "endDate": half.end,
                **_made_before(year, days=60),
            }


def _subjects(school: School) -> _Rows:
    for number, (name, _) in enumerate(SUBJECTS, start=1):
        yield {"subjectId": number, "subjectName": name, **_made_before(school.years[0], days=60)}


def _courses(school: School) -> _Rows:
    for course in school.courses:
        teachers = [*(teacher.number for teacher in course.teachers), None, None]
        yield {
            "courseId": course.number,
            "schoolYearId": course.year.number,
            "teacherId1": teachers[0],
            "teacherId2": teachers[1],
            "teacherId3": teachers[2],
            "grade": course.level,
            "section": course.section,
            "courseName": f"ថ្នាក់ទី {course.level}{course.section}",
            **_made_before(course.year, days=30),
        }


def _enrollments(school: School) -> _Rows:
    for year, seated in zip(school.years, school.places, strict=True):
        made = _made_before(year, days=10)
        for place in seated:
            dropped = place.dropped_on
            yield {
                "enrollmentId": place.number,
                "courseId": place.course.number,
                "studentId": place.pupil.number,
                "drop": dropped is not None,
                "dropSemesterId": dropped and year.semester_of(dropped).number,
                "dropDate": dropped,
                "dropReason": place.reason,
                "createdAt": made["createdAt"],
                "updatedAt": school_time(dropped, "16:00:00") if dropped else made["updatedAt"],
            }


def _log(school: School) -> _Rows:
    for moment, number, computer in _sign_ins(school):
        yield {
            "userId": number,
            "action": "login",
            "details": json.dumps({"ip": f"192.168.1.{computer}"}),
            "timestamp": moment,
            "entity": "User",
            "entityId": number,
        }


def _sign_ins(school: School) -> Iterator[tuple[str, int, int]]:
    """Draw who signed in when and from which computer, up to yesterday: today's hours may still lie ahead."""
    chance = stream(school.plan, "sign-ins")
    for ago in range(_DAYS_OF_SIGN_INS, 0, -1):
        day = school.plan.today - timedelta(days=ago)
        if is_school_day(day):
            present = [person.number for person in school.staff if person.active and chance.random() < 0.55]
            yield from sorted((_moment(day, chance), number, chance.randint(20, 60)) for number in present)


def _moment(day: date, chance: Random) -> str:
    return school_time(day, f"{chance.randint(6, 16):02}:{chance.randrange(60):02}:{chance.randrange(60):02}")


def _made_before(year: Year, *, days: int) -> dict[str, object]:
    moment = school_time(year.start - timedelta(days=days), "09:00:00")
    return {"createdAt": moment, "updatedAt": moment}
