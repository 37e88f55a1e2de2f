"""Teachers take attendance and correct it for some days; what is older only administrators change.

A register that can be touched up in March for October is not a register. How many days is the school's choice
(FSMS_ATTENDANCE_DAYS), so each transaction says it, as it says who acts; where nobody has said it, it is a week. The
policies hold it for every door: roster, lists, forms, undo.
"""

from alembic import op
from sqlalchemy import text

revision = "0019_attendance_window"
down_revision = "0018_locks"
branch_labels = None
depends_on = None

TEACHER = "fsms_teacher"

OPENS = """
CREATE FUNCTION fsms_attendance_opens() RETURNS date LANGUAGE sql STABLE PARALLEL SAFE SET search_path = {path} AS $$
    SELECT (now() AT TIME ZONE 'Asia/Phnom_Penh')::date
        - coalesce(nullif(current_setting('fsms.attendance_days', true), '')::integer, 7)
$$
"""

OWN_COURSE = '"courseId" = ANY ((SELECT fsms_own_courses())::integer[])'
OPEN_DAY = f'{OWN_COURSE} AND "attendanceDate" >= (SELECT fsms_attendance_opens())'


def upgrade() -> None:
    """Let the policies for writing ask for the day as well."""
    path = op.get_bind().scalar(text("SELECT format('%I, pg_catalog, pg_temp', current_schema())"))
    op.execute(OPENS.format(path=path))
    op.execute("REVOKE ALL ON FUNCTION fsms_attendance_opens() FROM PUBLIC")
    op.execute(f"GRANT EXECUTE ON FUNCTION fsms_attendance_opens() TO {TEACHER}")
    _alter(OPEN_DAY)


def downgrade() -> None:
    """Ask for the course only."""
    _alter(OWN_COURSE)
    op.execute("DROP FUNCTION fsms_attendance_opens()")


def _alter(rule: str) -> None:
    op.execute(f'ALTER POLICY teacher_insert ON "Attendance" WITH CHECK ({rule})')
    op.execute(f'ALTER POLICY teacher_update ON "Attendance" USING ({rule}) WITH CHECK ({rule})')
    op.execute(f'ALTER POLICY teacher_delete ON "Attendance" USING ({rule})')
