"""A pupil's absences lower a month's result in whatever class they were noted; who teaches only one counts all too.

Row security hides the attendance of another teacher's class, and the same pupil would have another average, and the
class other ranks, for each reader. The function gives numbers by month, of the pupils of an own class, and no more.
"""

from alembic import op
from sqlalchemy import text

revision = "0020_absences"
down_revision = "0019_attendance_window"
branch_labels = None
depends_on = None

TEACHER = "fsms_teacher"

ABSENCES = """
CREATE FUNCTION fsms_absences(course integer)
RETURNS TABLE (student integer, month text, session text, status text, times bigint)
LANGUAGE sql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = {path} AS $$
    SELECT seen."studentId", to_char(seen."attendanceDate", 'YYYY-MM'), seen.session::text, seen.status, count(*)
    FROM "Attendance" AS seen
    WHERE seen.status IN ('Absent', 'Excused')
        AND seen."studentId" IN (SELECT place."studentId" FROM "Enrollment" AS place WHERE place."courseId" = course)
        AND (current_setting('role') <> '{teacher}' OR course = ANY ((SELECT fsms_own_courses())::integer[]))
    GROUP BY 1, 2, 3, 4
$$
"""


def upgrade() -> None:
    """Make the function, for teachers and nobody else."""
    path = op.get_bind().scalar(text("SELECT format('%I, pg_catalog, pg_temp', current_schema())"))
    op.execute(ABSENCES.format(path=path, teacher=TEACHER))
    op.execute("REVOKE ALL ON FUNCTION fsms_absences(integer) FROM PUBLIC")
    op.execute(f"GRANT EXECUTE ON FUNCTION fsms_absences(integer) TO {TEACHER}")


def downgrade() -> None:
    """Take it away; nothing else depends on it."""
    op.execute("DROP FUNCTION fsms_absences(integer)")
