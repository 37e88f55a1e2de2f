"""A place in a class has a first day, and nothing new is written outside it.

A pupil who came in February or moved over from the other class was not absent before; the roster and the percentages
must know. Empty means: since the school year began. What was written before a drop and lies after it stays, so the
rule is asked of new rows and of rows moved to another day or pupil, by triggers: a check cannot look at another table.
"""

from alembic import op
from sqlalchemy import text

revision = "0013_places"
down_revision = "0012_preferences"
branch_labels = None
depends_on = None

# What of a row lies outside the pupil's place in the class, and the columns that may move it there. On the day of a
# drop the morning may have been seen; a mark may be for the month in which the pupil left.
OUTSIDE = {
    "Attendance": (
        '"attendanceDate"',
        'NEW."attendanceDate" > place."dropDate" OR NEW."attendanceDate" < place."enrolledOn"',
    ),
    "Grade": (
        '"gradeDate"',
        """NEW."gradeDate" > left(to_char(place."dropDate", 'YYYY-MM-DD'), length(NEW."gradeDate")) COLLATE "C" """,
    ),
}

# It reads as the owner, whatever part of the enrolments the writer sees; row security has asked before.
FUNCTION = """
CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, {schema}, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT FROM {schema}."Enrollment" AS place
        WHERE place."studentId" = NEW."studentId" AND place."courseId" = NEW."courseId" AND ({outside}))
    THEN
        RAISE EXCEPTION 'The row lies outside the place of the pupil in the class.'
            USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME, SCHEMA = TG_TABLE_SCHEMA;
    END IF;
    RETURN NULL;
END
$$
"""


def upgrade() -> None:
    """Add the first day, and the triggers that hold marks and attendance within the place."""
    schema = op.get_bind().scalar(text("SELECT quote_ident(current_schema())"))
    op.execute(
        'ALTER TABLE "Enrollment" ADD COLUMN "enrolledOn" date, '
        'ADD CONSTRAINT "Enrollment_enrolledOn_check" CHECK ("enrolledOn" <= "dropDate")'
    )
    for table, (day, outside) in OUTSIDE.items():
        name = _function(table)
        op.execute(FUNCTION.format(name=name, schema=schema, outside=outside))
        op.execute(f"REVOKE ALL ON FUNCTION {name}() FROM PUBLIC")
        # A new number that a foreign key carries along moves nothing to another day.
        op.execute(
            f'CREATE CONSTRAINT TRIGGER "{table}_enrollment_check" '
            f'AFTER INSERT OR UPDATE OF {day}, "studentId", "courseId" ON "{table}" '
            f"FOR EACH ROW WHEN (pg_trigger_depth() = 0) EXECUTE FUNCTION {name}()"
        )


def downgrade() -> None:
    """Take the first day and the triggers away; marks and attendance stay."""
    for table in OUTSIDE:
        op.execute(f'DROP TRIGGER "{table}_enrollment_check" ON "{table}"')
        op.execute(f"DROP FUNCTION {_function(table)}()")
    op.execute('ALTER TABLE "Enrollment" DROP COLUMN "enrolledOn"')


def _function(table: str) -> str:
    return f"fsms_hold_{table.lower()}_within_place"
