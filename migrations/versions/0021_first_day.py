"""A mark for the time before the pupil's first day in the class is refused, as one for the time after a drop is.

The month in which the pupil came is the first that can have a mark; a mark of one day must not lie before the first.
The triggers stay as they are: they ask of new rows and of rows moved to another month, pupil or class, so that marks
of an earlier time, which a school has already, stay and can be corrected.
"""

from alembic import op
from sqlalchemy import text

revision = "0021_first_day"
down_revision = "0020_absences"
branch_labels = None
depends_on = None

AFTER = """NEW."gradeDate" > left(to_char(place."dropDate", 'YYYY-MM-DD'), length(NEW."gradeDate")) COLLATE "C" """
BEFORE = """NEW."gradeDate" < left(to_char(place."enrolledOn", 'YYYY-MM-DD'), length(NEW."gradeDate")) COLLATE "C" """

# It reads as the owner, whatever part of the enrolments the writer sees; row security has asked before.
FUNCTION = """
CREATE OR REPLACE FUNCTION fsms_hold_grade_within_place() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
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
    """Refuse marks before the first day as well."""
    _hold(f"{AFTER} OR {BEFORE}")


def downgrade() -> None:
    """Refuse only marks after a drop."""
    _hold(AFTER)


def _hold(outside: str) -> None:
    schema = op.get_bind().scalar(text("SELECT quote_ident(current_schema())"))
    op.execute(FUNCTION.format(schema=schema, outside=outside))
