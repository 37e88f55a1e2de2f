"""Indexes for the orders in which long lists are offered: each column with the key behind it, as the lists sort.

Without them every page of attendance by date reads and sorts two million rows (docs/decisions/long-lists.md).
"""

from alembic import op

revision = "0022_orders"
down_revision = "0021_first_day"
branch_labels = None
depends_on = None

ORDERS = {
    "idx_attendance_date_id": '"Attendance" ("attendanceDate", "attendanceId")',
    "idx_attendance_status_id": '"Attendance" (status, "attendanceId")',
    "idx_attendance_session_id": '"Attendance" (session, "attendanceId")',
    "idx_grade_date_id": """"Grade" (("gradeDate" COLLATE "C"), "gradeId")""",
    "idx_grade_grade_id": '"Grade" (grade, "gradeId")',
    "idx_student_name": """"Student" (("lastName" COLLATE "C"), ("firstName" COLLATE "C"), "studentId")""",
}


def upgrade() -> None:
    """Build them; the spec's indexes stay."""
    for name, columns in ORDERS.items():
        op.execute(f"CREATE INDEX {name} ON {columns}")


def downgrade() -> None:
    """Drop them again."""
    for name in ORDERS:
        op.execute(f"DROP INDEX {name}")
