"""A school of six pupils, written as SQL, for tests that ask the database itself."""

from sqlalchemy import Connection, text

from fsms.models import ENTITIES

HASH = "$2b$12$abcdefghijklmnopqrstuuABCDEFGHIJKLMNOPQRSTUVWXYZ01234"

# A small school. Pupil 1 is in class 1 with marks and attendance; pupil 2 dropped it; pupils 3 to 5 have only what
# their rows say; pupil 6 has nothing. Class 2 and user 9 are empty-handed.
ROWS = f"""
INSERT INTO "User" ("userId", username, password, lastname, firstname, role) VALUES
    (1, 'principal', '{HASH}', 'Chan', 'Sophea', 'admin'),
    (2, 'teacher', '{HASH}', 'Kim', 'Dara', 'teacher'),
    (9, 'newcomer', '{HASH}', 'Prak', 'Rith', 'teacher');
INSERT INTO "ActivityLog" ("userId", action) VALUES (1, 'login');
INSERT INTO "Student" ("studentId", "lastName", "firstName", gender, dob, class) VALUES
    (1, 'Sok', 'Dara', 'male', '2014-01-01', '5'),
    (2, 'Sok', 'Bopha', 'female', '2014-01-01', '5'),
    (3, 'Keo', 'Vanna', 'male', '2014-01-01', '5'),
    (4, 'Keo', 'Srey', 'female', '2014-01-01', '5'),
    (5, 'Keo', 'Pich', 'female', '2014-01-01', '5'),
    (6, 'Keo', 'Nary', 'female', '2014-01-01', '5');
INSERT INTO "Guardian" ("studentId", relation) VALUES (3, 'Father');
INSERT INTO "FamilyInfo" ("studentId") VALUES (4);
INSERT INTO "Scholarship" ("studentId", amount) VALUES (5, 40000);
INSERT INTO "SchoolYear" ("schoolYearId", "schoolYearCode") VALUES (1, '2024-2025'), (2, '2025-2026');
INSERT INTO "Semester" ("semesterId", semester, "semesterCode", "startDate", "endDate") VALUES
    (1, 'First Semester', 'S1-2024', '2024-11-01', '2025-03-31'),
    (2, 'Second Semester', 'S2-2024', '2025-04-01', '2025-08-31'),
    (3, 'First Semester', 'S1-2025', NULL, NULL);
INSERT INTO "Subject" ("subjectId", "subjectName") VALUES (1, 'Mathematics'), (2, 'Khmer');
INSERT INTO "Course" ("courseId", "schoolYearId", grade, section, "courseName", "teacherId1") VALUES
    (1, 1, '5', 'A', 'Grade 5', 2), (2, 1, '5', 'B', 'Grade 5', NULL);
INSERT INTO "Enrollment"
    ("enrollmentId", "studentId", "courseId", "enrolledOn", "drop", "dropSemesterId", "dropDate") VALUES
    (1, 1, 1, NULL, false, NULL, NULL), (2, 2, 1, NULL, true, 2, '2025-05-02'),
    (3, 4, 1, '2024-11-04', false, NULL, NULL);
INSERT INTO "Grade" ("studentId", "courseId", "subjectId", "semesterId", "gradeDate", grade, "userId") VALUES
    (1, 1, 1, 1, '2024-12', 7.5, 2);
INSERT INTO "Attendance" ("studentId", "courseId", "attendanceDate", session, status) VALUES
    (1, 1, '2024-11-04', 'AM', 'Present'), (1, 1, '2024-11-05', 'PM', 'Late'), (1, 1, '2024-11-06', 'FULL', 'Absent'),
    (4, 1, '2024-11-04', 'AM', 'Present');
"""  # noqa: S608


def fill(connection: Connection) -> None:
    """Write the rows; numbers given out from now on begin at 1001."""
    connection.execute(text("SET LOCAL fsms.logged = 'on'"))  # Its log is what stands above, and nothing else.
    connection.execute(text(ROWS))
    for entity in ENTITIES:
        (key,) = entity.__mapper__.primary_key
        sequence = f'"{entity.__tablename__}_{key.name}_seq"'
        connection.execute(text("SELECT setval(:sequence, 1000)"), {"sequence": sequence})
