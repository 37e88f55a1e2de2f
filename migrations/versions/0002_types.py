"""Days become dates, moments know their zone, money and marks are exact.

The existing application writes UTC into columns without a zone, and a birthday as a moment: midnight in UTC or in
Phnom Penh, by the browser it was typed into. Read in Phnom Penh's time both give the day that was meant.
Floating point loses the hundredth that decides a rank. Each table is rewritten once.
"""

from alembic import op

revision = "0002_types"
down_revision = "0001_spec"
branch_labels = None
depends_on = None

MOMENTS = {
    "User": ("lastLogin", "accountLockedUntil", "lastFailedLogin", "createdAt", "updatedAt"),
    "Student": ("createdAt", "updatedAt"),
    "Guardian": ("createdAt", "updatedAt"),
    "FamilyInfo": ("createdAt", "updatedAt"),
    "Scholarship": ("createdAt", "updatedAt"),
    "Course": ("createdAt", "updatedAt"),
    "Subject": ("createdAt", "updatedAt"),
    "SchoolYear": ("createdAt", "updatedAt"),
    "Semester": ("createdAt", "updatedAt"),
    "Enrollment": ("createdAt", "updatedAt"),
    "Grade": ("lastEdit", "createdAt", "updatedAt"),
    "Attendance": ("createdAt", "updatedAt"),
    "ActivityLog": ("timestamp",),
}
SET_BY_THE_DATABASE = ("createdAt", "updatedAt", "timestamp")

DAYS = {
    "Student": ("dob", "registrationDate"),
    "Enrollment": ("dropDate",),
    "Attendance": ("attendanceDate",),
}

EXACT = {
    "Guardian": {"income": "numeric(12,2)"},
    "FamilyInfo": {"helpAmount": "numeric(12,2)"},
    "Scholarship": {"amount": "numeric(12,2)"},
    "Grade": {"grade": "numeric(6,2)"},
}


def _retype(column: str, kind: str, using: str) -> str:
    return f'ALTER COLUMN "{column}" TYPE {kind} USING {using}'


def upgrade() -> None:
    """Read the old values as what they meant."""
    for table, moments in MOMENTS.items():
        changes = [_retype(column, "timestamptz(3)", f"\"{column}\" AT TIME ZONE 'UTC'") for column in moments]
        changes += [
            _retype(column, "date", f"(\"{column}\" AT TIME ZONE 'UTC' AT TIME ZONE 'Asia/Phnom_Penh')::date")
            for column in DAYS.get(table, ())
        ]
        changes += [_retype(column, exact, f'"{column}"::{exact}') for column, exact in EXACT.get(table, {}).items()]
        changes += [
            f'ALTER COLUMN "{column}" SET DEFAULT CURRENT_TIMESTAMP'
            for column in moments
            if column in SET_BY_THE_DATABASE
        ]
        op.execute(f'ALTER TABLE "{table}" {", ".join(changes)}')
    op.execute("ALTER TABLE \"Student\" ALTER COLUMN status SET DEFAULT 'active'")


def downgrade() -> None:
    """Write days as midnight in UTC: the same day for whoever reads them in UTC or in Phnom Penh."""
    op.execute('ALTER TABLE "Student" ALTER COLUMN status DROP DEFAULT')
    for table, moments in MOMENTS.items():
        changes = [_retype(column, "timestamp(3)", f"\"{column}\" AT TIME ZONE 'UTC'") for column in moments]
        changes += [_retype(column, "timestamp(3)", f'"{column}"::timestamp') for column in DAYS.get(table, ())]
        changes += [
            _retype(column, "double precision", f'"{column}"::double precision') for column in EXACT.get(table, {})
        ]
        changes += [
            f'ALTER COLUMN "{column}" SET DEFAULT CURRENT_TIMESTAMP'
            for column in ("createdAt", "timestamp")
            if column in moments
        ]
        if "updatedAt" in moments and table != "Enrollment":
            changes.append('ALTER COLUMN "updatedAt" DROP DEFAULT')
        op.execute(f'ALTER TABLE "{table}" {", ".join(changes)}')
    op.execute('ALTER TABLE "Enrollment" ALTER COLUMN "updatedAt" SET DEFAULT CURRENT_TIMESTAMP')
