"""On which days there was school, and where the absences are, found without reading the whole of attendance.

There is no calendar of holidays: a day was a school day if any class was taken on it. A teacher has to know that of
classes that are not theirs, so a function that reads past row security answers with days and nothing else. It hops
from day to day through the new index: a year is two hundred look-ups, whatever the number of rows.

Absences are few among the rows; those who look for them (three in a row, thirty in a year) get an index of just these.
"""

from alembic import op
from sqlalchemy import text

revision = "0014_school_days"
down_revision = "0013_places"
branch_labels = None
depends_on = None

TEACHER = "fsms_teacher"

SCHOOL_DAYS = """
CREATE FUNCTION fsms_school_days(first date, last date) RETURNS TABLE (day date)
LANGUAGE sql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = {path} AS $$
    WITH RECURSIVE found (one) AS (
        SELECT min("attendanceDate") FROM "Attendance" WHERE "attendanceDate" BETWEEN first AND last
        UNION ALL
        SELECT (SELECT min("attendanceDate") FROM "Attendance"
            WHERE "attendanceDate" > one AND "attendanceDate" <= last)
        FROM found WHERE one IS NOT NULL
    )
    SELECT one FROM found WHERE one IS NOT NULL
$$
"""


def upgrade() -> None:
    """Make the indexes, then the function that hops through the first."""
    op.create_index("idx_attendance_date", "Attendance", ["attendanceDate", "courseId"])
    op.create_index(
        "idx_attendance_absences",
        "Attendance",
        ["courseId", "attendanceDate"],
        postgresql_include=["studentId", "session", "status"],
        postgresql_where=text("status IN ('Absent', 'Excused')"),
    )
    path = op.get_bind().scalar(text("SELECT format('%I, pg_catalog, pg_temp', current_schema())"))
    op.execute(SCHOOL_DAYS.format(path=path))
    op.execute("REVOKE ALL ON FUNCTION fsms_school_days(date, date) FROM PUBLIC")
    op.execute(f"GRANT EXECUTE ON FUNCTION fsms_school_days(date, date) TO {TEACHER}")


def downgrade() -> None:
    """Take them away again."""
    op.execute("DROP FUNCTION fsms_school_days(date, date)")
    op.drop_index("idx_attendance_absences", "Attendance")
    op.drop_index("idx_attendance_date", "Attendance")
