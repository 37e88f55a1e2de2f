"""Who may see and change which row and column: roles, grants and policies.

The roles belong to the server, so other databases of it may have made them already or may still need them. The owner
of the tables stays free of the policies, as their owner: it is who admins, migrations and backups work as, and
foreign keys are checked as. docs/decisions/row-security.md says why, docs/rules.md what holds for whom.
"""

from alembic import op
from alembic.util import CommandError
from sqlalchemy import text

revision = "0009_row_security"
down_revision = "0008_accounts"
branch_labels = None
depends_on = None

TEACHER, NOBODY = "fsms_teacher", "fsms_nobody"

TABLES = (
    "User", "Student", "Guardian", "FamilyInfo", "Scholarship", "Course", "Subject", "Grade", "Enrollment",
    "Attendance", "SchoolYear", "Semester", "ActivityLog",
)  # fmt: skip

GRANTS = {
    "Course": ("SELECT",),
    "Enrollment": ("SELECT",),
    "Subject": ("SELECT",),
    "SchoolYear": ("SELECT",),
    "Semester": ("SELECT",),
    # Not the religion. Health and emergency contact are there: whoever stands before the class needs them.
    "Student": (
        """SELECT ("studentId", "lastName", "firstName", gender, dob, class, photo, phone, "registrationDate", status,
            health, "emergencyContact", "classId", "needsClothes", "needsMaterials", "needsTransport",
            "previousSchool", "registerToStudy", "studentHouseNumber", "studentVillage", "studentCommune",
            "studentDistrict", "studentProvince", "studentBirthDistrict", "transferReason", vaccinated, "schoolYear",
            "createdAt", "updatedAt", version)""",
    ),
    # How to reach them, and nothing else.
    "Guardian": (
        """SELECT ("guardianId", "studentId", relation, "lastName", "firstName", phone, "houseNumber", village,
            commune, district, province, "createdAt", "updatedAt", version)""",
    ),
    # Grants cannot differ by row: phones of colleagues stay out, so the account page reads its one row as the system.
    "User": (
        'SELECT ("userId", lastname, firstname, position, photo, avatar, "createdAt", "updatedAt", version)',
        'UPDATE (phonenumber1, phonenumber2, photo, "updatedAt", version)',
    ),
    "Grade": (
        "SELECT",
        """INSERT ("courseId", "studentId", "subjectId", "semesterId", "gradeDate", grade, "gradeComment", "userId",
            "lastEdit", "createdAt", "updatedAt", version)""",
        """UPDATE ("courseId", "studentId", "subjectId", "semesterId", "gradeDate", grade, "gradeComment", "userId",
            "lastEdit", "updatedAt", version)""",
        "DELETE",
    ),
    "Attendance": (
        "SELECT",
        """INSERT ("studentId", "courseId", "semesterId", "schoolYearId", "attendanceDate", session, status, reason,
            "recordedBy", "createdAt", "updatedAt", version)""",
        """UPDATE ("studentId", "courseId", "semesterId", "schoolYearId", "attendanceDate", session, status, reason,
            "recordedBy", "updatedAt", version)""",
        "DELETE",
    ),
    "ActivityLog": (
        "SELECT",
        'INSERT ("userId", action, details, "timestamp", entity, "entityId", batch)',
    ),
}  # fmt: skip

SEQUENCES = ("Grade_gradeId_seq", "Attendance_attendanceId_seq", "ActivityLog_id_seq")

# The functions read past the policies, as the owner: a policy that asked another policy could go round in circles.
# Inside a sub-select they run once for a statement.
FUNCTIONS = {
    "fsms_user_id": """
        RETURNS integer LANGUAGE sql STABLE PARALLEL SAFE AS $$
            SELECT nullif(current_setting('fsms.user_id', true), '')::integer
        $$""",
    "fsms_own_courses": """
        RETURNS integer[] LANGUAGE sql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = {path} AS $$
            SELECT coalesce(array_agg("courseId"), '{{}}') FROM "Course"
            WHERE "teacherId1" = fsms_user_id() OR "teacherId2" = fsms_user_id() OR "teacherId3" = fsms_user_id()
        $$""",
    "fsms_own_students": """
        RETURNS integer[] LANGUAGE sql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = {path} AS $$
            SELECT coalesce(array_agg(DISTINCT "studentId"), '{{}}') FROM "Enrollment"
            WHERE "courseId" = ANY ((SELECT fsms_own_courses())::integer[])
        $$""",
}

# For the large tables: the array goes into the index.
OWN_COURSE = '"courseId" = ANY ((SELECT fsms_own_courses())::integer[])'
OWN_STUDENT = '"studentId" = ANY ((SELECT fsms_own_students())::integer[])'
# For the two that the others are joined with: a hash looks up each row, and the planner, which takes any array for ten
# values, does not begin a join here in the hope of ten rows.
AMONG_OWN_COURSES = '"courseId" IN (SELECT unnest(fsms_own_courses()))'
AMONG_OWN_STUDENTS = '"studentId" IN (SELECT unnest(fsms_own_students()))'
MYSELF = '"userId" = (SELECT fsms_user_id())'
# A pupil who never was in the class is left to the foreign key, which says so.
NOT_DROPPED = """NOT EXISTS (SELECT FROM "Enrollment" AS place WHERE place."drop"
    AND place."studentId" = "Grade"."studentId" AND place."courseId" = "Grade"."courseId")"""
OPEN_MARK = f"{OWN_COURSE} AND {NOT_DROPPED}"
MY_OPEN_MARK = f"{OPEN_MARK} AND {MYSELF}"

# Table, command, which rows it finds, what a row must be that it leaves. FamilyInfo and Scholarship have none.
POLICIES = (
    ("Course", "SELECT", AMONG_OWN_COURSES, None),
    ("Enrollment", "SELECT", OWN_COURSE, None),
    ("Student", "SELECT", AMONG_OWN_STUDENTS, None),
    ("Guardian", "SELECT", OWN_STUDENT, None),
    ("Subject", "SELECT", "true", None),
    ("SchoolYear", "SELECT", "true", None),
    ("Semester", "SELECT", "true", None),
    ("Grade", "SELECT", OWN_COURSE, None),
    ("Grade", "INSERT", None, MY_OPEN_MARK),
    ("Grade", "UPDATE", OPEN_MARK, MY_OPEN_MARK),
    ("Grade", "DELETE", OPEN_MARK, None),
    ("Attendance", "SELECT", OWN_COURSE, None),
    ("Attendance", "INSERT", None, OWN_COURSE),
    ("Attendance", "UPDATE", OWN_COURSE, OWN_COURSE),
    ("Attendance", "DELETE", OWN_COURSE, None),
    ("User", "SELECT", "true", None),
    ("User", "UPDATE", MYSELF, MYSELF),
    ("ActivityLog", "SELECT", MYSELF, None),
    ("ActivityLog", "INSERT", None, MYSELF),
)


def upgrade() -> None:
    """Find or make the roles, then say what they may."""
    _find_or_make_roles()
    path = op.get_bind().scalar(text("SELECT format('%I, pg_catalog, pg_temp', current_schema())"))
    for name, body in FUNCTIONS.items():
        op.execute(f"CREATE FUNCTION {name}() {body.format(path=path)}")
        op.execute(f"REVOKE ALL ON FUNCTION {name}() FROM PUBLIC")
        op.execute(f"GRANT EXECUTE ON FUNCTION {name}() TO {TEACHER}")
    for table, grants in GRANTS.items():
        op.execute(f'GRANT {", ".join(grants)} ON "{table}" TO {TEACHER}')
    for sequence in SEQUENCES:
        op.execute(f'GRANT USAGE ON SEQUENCE "{sequence}" TO {TEACHER}')
    for table in TABLES:
        op.execute(f'ALTER TABLE "{table}" ENABLE ROW LEVEL SECURITY')
    for table, command, found, left in POLICIES:
        rules = (f" USING ({found})" if found else "") + (f" WITH CHECK ({left})" if left else "")
        op.execute(f'CREATE POLICY teacher_{command.lower()} ON "{table}" FOR {command} TO {TEACHER}{rules}')


def downgrade() -> None:
    """Take back what was granted here; the roles go with the last database of the server that needs them."""
    for table, command, _, _ in POLICIES:
        op.execute(f'DROP POLICY teacher_{command.lower()} ON "{table}"')
    for table in TABLES:
        op.execute(f'ALTER TABLE "{table}" DISABLE ROW LEVEL SECURITY')
        op.execute(f'REVOKE ALL ON "{table}" FROM {TEACHER}')
    for sequence in SEQUENCES:
        op.execute(f'REVOKE ALL ON SEQUENCE "{sequence}" FROM {TEACHER}')
    for name in reversed(FUNCTIONS):
        op.execute(f"DROP FUNCTION {name}()")
    # Both or none: nothing in another database depends on the role without rights, and yet it is needed there.
    # Of two databases taken down at once, each holds what the other waits for: one leaves the roles to the other.
    _unless_refused(
        f"DROP ROLE {TEACHER}, {NOBODY}",
        "dependent_objects_still_exist",
        "insufficient_privilege",
        "deadlock_detected",
    )


def _find_or_make_roles() -> None:
    missing = []
    for role in (TEACHER, NOBODY):
        if not _may_become(role):
            # Another database's migration may be making it at this moment.
            _unless_refused(
                f"CREATE ROLE {role} NOLOGIN", "duplicate_object", "unique_violation", "insufficient_privilege"
            )
            _unless_refused(_membership(role), "undefined_object", "unique_violation", "insufficient_privilege")
        if not _may_become(role):
            missing.append(_for_the_dba(role))
    if missing:
        raise CommandError(
            "The database was left as it was: its account may not make the two roles that teachers and strangers "
            "work as. Let a database administrator run once, on this server:\n" + "\n".join(missing)
        )


def _membership(role: str) -> str:
    """Let the owner become the role at will, without having its rights by the way (PostgreSQL 16 tells them apart)."""
    return f"GRANT {role} TO CURRENT_USER" + (" WITH INHERIT FALSE, SET TRUE" if _version() >= 160000 else "")


def _may_become(role: str) -> bool:
    right = "SET" if _version() >= 160000 else "MEMBER"
    asked = text("SELECT pg_has_role(current_user, oid, :right) FROM pg_roles WHERE rolname = :role")
    return bool(op.get_bind().scalar(asked, {"right": right, "role": role}))


def _for_the_dba(role: str) -> str:
    statement: str = op.get_bind().scalar(
        text(
            "SELECT CASE WHEN EXISTS (SELECT FROM pg_roles WHERE rolname = :role) "
            "THEN format('GRANT %I TO %I;', cast(:role AS text), current_user) "
            "ELSE format('CREATE ROLE %I NOLOGIN ROLE %I;', cast(:role AS text), current_user) END"
        ),
        {"role": role},
    )
    return statement


def _version() -> int:
    version: int = op.get_bind().scalar(text("SELECT current_setting('server_version_num')::integer"))
    return version


def _unless_refused(statement: str, *errors: str) -> None:
    """Run a statement that may fail for these reasons, and go on."""
    op.execute(f"DO $$ BEGIN {statement}; EXCEPTION WHEN {' OR '.join(errors)} THEN NULL; END $$")
