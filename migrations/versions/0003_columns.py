"""Columns the reports and the history of a record need, and pupil numbers from 1000.

`version` lets a stale form be refused. Semesters learn their year and days. The log may name nobody (the command
line, an unknown user name), says which record it is about, binds the lines of one act together and keeps its details
as JSON; what was plain text before becomes {"text": "…"}. Sequences that a restore left behind catch up.
"""

from alembic import op

revision = "0003_columns"
down_revision = "0002_types"
branch_labels = None
depends_on = None

KEYS = {
    "User": "userId",
    "Student": "studentId",
    "Guardian": "guardianId",
    "FamilyInfo": "familyinfoId",
    "Scholarship": "scholarshipId",
    "Course": "courseId",
    "Subject": "subjectId",
    "SchoolYear": "schoolYearId",
    "Semester": "semesterId",
    "Enrollment": "enrollmentId",
    "Grade": "gradeId",
    "Attendance": "attendanceId",
    "ActivityLog": "id",
}
EDITED = [table for table in KEYS if table != "ActivityLog"]

# PostgreSQL 13 cannot ask whether a text is JSON; it can only try.
READ_DETAILS = """
CREATE FUNCTION pg_temp.read_details(written text) RETURNS jsonb LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    IF jsonb_typeof(written::jsonb) = 'object' THEN
        RETURN written::jsonb;
    END IF;
    RETURN jsonb_build_object('text', written);
EXCEPTION WHEN OTHERS THEN
    RETURN jsonb_build_object('text', written);
END
$$;
ALTER TABLE "ActivityLog"
    ALTER COLUMN details TYPE jsonb USING CASE WHEN details IS NOT NULL THEN pg_temp.read_details(details) END,
    ALTER COLUMN "userId" DROP NOT NULL,
    ADD COLUMN entity text,
    ADD COLUMN "entityId" integer,
    ADD COLUMN batch uuid;
DROP FUNCTION pg_temp.read_details(text);
"""

WRITE_DETAILS = """
DELETE FROM "ActivityLog" WHERE "userId" IS NULL;
ALTER TABLE "ActivityLog"
    ALTER COLUMN details TYPE text USING
        CASE WHEN details = jsonb_build_object('text', details -> 'text') THEN details ->> 'text'
             ELSE details::text END,
    ALTER COLUMN "userId" SET NOT NULL,
    DROP COLUMN entity,
    DROP COLUMN "entityId",
    DROP COLUMN batch;
"""


def upgrade() -> None:
    """Add the columns; none of this rewrites a large table."""
    for table in EDITED:
        op.execute(f'ALTER TABLE "{table}" ADD COLUMN version integer NOT NULL DEFAULT 1')
    op.execute(
        """
        ALTER TABLE "Semester"
            ADD COLUMN "schoolYearId" integer,
            ADD COLUMN "startDate" date,
            ADD COLUMN "endDate" date,
            ADD CONSTRAINT "Semester_schoolYearId_fkey" FOREIGN KEY ("schoolYearId")
                REFERENCES "SchoolYear"("schoolYearId") ON DELETE SET NULL ON UPDATE CASCADE;
        CREATE INDEX idx_semester_school_year ON "Semester"("schoolYearId");
        """
    )
    op.execute(READ_DETAILS)
    for table, key in KEYS.items():
        _catch_up(table, key)
    op.execute('ALTER SEQUENCE "Student_studentId_seq" START WITH 1000')
    op.execute('SELECT setval(\'"Student_studentId_seq"\', 1000, false) WHERE NOT EXISTS (SELECT FROM "Student")')


def _catch_up(table: str, key: str) -> None:
    sequence = f"'\"{table}_{key}_seq\"'"
    op.execute(
        f'SELECT setval({sequence}, highest) FROM (SELECT max("{key}") AS highest FROM "{table}") AS rows '
        f'WHERE highest >= (SELECT last_value + is_called::int FROM "{table}_{key}_seq")'
    )


def downgrade() -> None:
    """Keep every row the old log can hold: one without a user it cannot."""
    op.execute('ALTER SEQUENCE "Student_studentId_seq" START WITH 1')
    op.execute('SELECT setval(\'"Student_studentId_seq"\', 1, false) WHERE NOT EXISTS (SELECT FROM "Student")')
    op.execute(WRITE_DETAILS)
    op.execute(
        """
        ALTER TABLE "Semester"
            DROP COLUMN "schoolYearId",
            DROP COLUMN "startDate",
            DROP COLUMN "endDate";
        """
    )
    for table in EDITED:
        op.execute(f'ALTER TABLE "{table}" DROP COLUMN version')
