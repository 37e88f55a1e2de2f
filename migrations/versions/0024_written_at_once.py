"""Whether new rows lie within the pupils' places is asked once a statement, and no longer row by row.

A teacher saves forty marks or a roster in one statement, and a fifth of its time went into asking forty times. What is
asked stays the same, in the same words; rows that are moved to another day or pupil are few, and still asked one by
one: only of rows the database knows whether the columns that matter were among those written. So the words stand in two
functions a table, and whoever changes the rule changes both; each example of the tests is asked as a new row and as a
moved one.
"""

from alembic import op
from sqlalchemy import text

revision = "0024_written_at_once"
down_revision = "0023_away"
branch_labels = None
depends_on = None

# The column that says for when a row is, and what of a row lies outside the pupil's place in the class: the words of
# `0023_away`, for a row of whatever name.
OUTSIDE = {
    "Attendance": (
        '"attendanceDate"',
        """
        {row}."attendanceDate" > place."dropDate" OR {row}."attendanceDate" < place."enrolledOn"
        OR EXISTS (SELECT FROM unnest(place.away) AS gap
            WHERE {row}."attendanceDate" > lower(gap) AND {row}."attendanceDate" < upper(gap))
        """,
    ),
    "Grade": (
        '"gradeDate"',
        """
        {row}."gradeDate" > left(to_char(place."dropDate", 'YYYY-MM-DD'), length({row}."gradeDate")) COLLATE "C"
        OR {row}."gradeDate" < left(to_char(place."enrolledOn", 'YYYY-MM-DD'), length({row}."gradeDate")) COLLATE "C"
        OR EXISTS (SELECT FROM unnest(place.away) AS gap
            WHERE {row}."gradeDate" > left(to_char(lower(gap), 'YYYY-MM-DD'), length({row}."gradeDate")) COLLATE "C"
            AND {row}."gradeDate" < left(to_char(upper(gap), 'YYYY-MM-DD'), length({row}."gradeDate")) COLLATE "C")
        """,
    ),
}

# It reads as the owner, whatever part of the enrolments the writer sees; row security has asked before. Each place is
# looked for by its key (OFFSET 0): the plan is kept, and made for one new row it must be good for a year of them.
FUNCTION = """
CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, {schema}, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT FROM written CROSS JOIN LATERAL (
        SELECT "dropDate", "enrolledOn", away FROM {schema}."Enrollment" AS own
        WHERE own."studentId" = written."studentId" AND own."courseId" = written."courseId" OFFSET 0
    ) AS place WHERE {outside})
    THEN
        RAISE EXCEPTION 'The row lies outside the place of the pupil in the class.' USING
            ERRCODE = 'check_violation', CONSTRAINT = TG_TABLE_NAME || '_enrollment_check',
            TABLE = TG_TABLE_NAME, SCHEMA = TG_TABLE_SCHEMA;
    END IF;
    RETURN NULL;
END
$$
"""


def upgrade() -> None:
    """Ask of new rows once a statement, and row by row of those that are moved."""
    schema = op.get_bind().scalar(text("SELECT quote_ident(current_schema())"))
    for table, (day, outside) in OUTSIDE.items():
        name = _function(table)
        op.execute(FUNCTION.format(name=name, schema=schema, outside=outside.format(row="written")))
        op.execute(f"REVOKE ALL ON FUNCTION {name}() FROM PUBLIC")
        op.execute(
            f'CREATE TRIGGER fsms_hold_within_place AFTER INSERT ON "{table}" REFERENCING NEW TABLE AS written '
            f"FOR EACH STATEMENT WHEN (pg_trigger_depth() = 0) EXECUTE FUNCTION {name}()"
        )
        _ask_row_by_row(table, f'UPDATE OF {day}, "studentId", "courseId"')


def downgrade() -> None:
    """Ask row by row again."""
    for table, (day, _outside) in OUTSIDE.items():
        op.execute(f'DROP TRIGGER fsms_hold_within_place ON "{table}"')
        op.execute(f"DROP FUNCTION {_function(table)}()")
        _ask_row_by_row(table, f'INSERT OR UPDATE OF {day}, "studentId", "courseId"')


def _ask_row_by_row(table: str, when: str) -> None:
    op.execute(f'DROP TRIGGER "{table}_enrollment_check" ON "{table}"')
    op.execute(
        f'CREATE CONSTRAINT TRIGGER "{table}_enrollment_check" AFTER {when} ON "{table}" '
        f"FOR EACH ROW WHEN (pg_trigger_depth() = 0) EXECUTE FUNCTION fsms_hold_{table.lower()}_within_place()"
    )


def _function(table: str) -> str:
    return f"fsms_hold_new_{table.lower()}_within_place"
