"""Who was dropped and came back was away in between; those days are kept, and nothing new is written for them.

A pupil has one place in a class, and coming back opens it again. Without the days in between the pupil would seem to
have been there all along: on rosters of those days, and among the sessions that nobody took. Empty means: never away.
Places that were opened again before now stay without such days: the log tells of them, the rosters do not guess.
"""

from alembic import op
from sqlalchemy import text

revision = "0023_away"
down_revision = "0022_orders"
branch_labels = None
depends_on = None

# An array of ranges holds no order of itself, and a check has no subquery.
IN_ORDER = """
CREATE FUNCTION fsms_are_in_order(gaps daterange[], until date) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog AS $$
    SELECT count(*) > 0
        AND bool_and(gap IS NOT NULL AND lower(gap) IS NOT NULL AND upper(gap) IS NOT NULL)
        AND bool_and(coalesce(lower(gap) >= before, true))
        AND coalesce(max(upper(gap)) <= until, true)
    FROM (SELECT gap, lag(upper(gap)) OVER (ORDER BY place) AS before
        FROM unnest(gaps) WITH ORDINALITY AS one (gap, place)) AS listed
$$
"""

# What of a row lies outside the pupil's place in the class. On the day of a drop the morning may have been seen; a
# mark may be for the month in which the pupil left or came.
_ENDS = {
    "Attendance": (
        'NEW."attendanceDate" > place."dropDate" OR NEW."attendanceDate" < place."enrolledOn"',
        'NEW."attendanceDate" > lower(gap) AND NEW."attendanceDate" < upper(gap)',
    ),
    "Grade": (
        """NEW."gradeDate" > left(to_char(place."dropDate", 'YYYY-MM-DD'), length(NEW."gradeDate")) COLLATE "C"
            OR NEW."gradeDate" < left(to_char(place."enrolledOn", 'YYYY-MM-DD'), length(NEW."gradeDate"))
                COLLATE "C" """,
        """NEW."gradeDate" > left(to_char(lower(gap), 'YYYY-MM-DD'), length(NEW."gradeDate")) COLLATE "C"
            AND NEW."gradeDate" < left(to_char(upper(gap), 'YYYY-MM-DD'), length(NEW."gradeDate")) COLLATE "C" """,
    ),
}

# They read as the owner, whatever part of the enrolments the writer sees; row security has asked before.
FUNCTION = """
CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
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
    """Add the days away, and refuse what is written for them."""
    op.execute(IN_ORDER)
    op.execute(
        'ALTER TABLE "Enrollment" ADD COLUMN away daterange[], '
        'ADD CONSTRAINT "Enrollment_away_check" CHECK (fsms_are_in_order(away, "dropDate") OR away IS NULL)'
    )
    for table, (ends, between) in _ENDS.items():
        _hold(table, f"{ends} OR EXISTS (SELECT FROM unnest(place.away) AS gap WHERE {between})")


def downgrade() -> None:
    """Take the days away out again; marks and attendance stay, and so does the story in the log."""
    for table, (ends, _between) in _ENDS.items():
        _hold(table, ends)
    op.execute('ALTER TABLE "Enrollment" DROP COLUMN away')
    op.execute("DROP FUNCTION fsms_are_in_order(daterange[], date)")


def _hold(table: str, outside: str) -> None:
    schema = op.get_bind().scalar(text("SELECT quote_ident(current_schema())"))
    name = f"fsms_hold_{table.lower()}_within_place"
    op.execute(FUNCTION.format(name=name, schema=schema, outside=outside))
