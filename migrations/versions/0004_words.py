"""Texts take the one form the rules ask for, where what was meant is beyond doubt.

'absent' is 'Absent', class '5A' is '5', relation 'father' is 'Father', the mark of '03/25' is that of '2025-03'.
Whatever cannot be read stays as it is; 0006_rules then names the rows. Where more than case and blanks changes on a
record, its history says what stood there.
"""

from alembic import op

revision = "0004_words"
down_revision = "0003_columns"
branch_labels = None
depends_on = None

LOWER = "lower(btrim({column}))"
TRIMMED = "btrim({column})"

# One number from 1 to 12 in the text, in Arabic or Khmer digits: '5A', 'Grade 5', 'ថ្នាក់ទី ៥'.
LEVEL = """substring(translate({column}, '០១២៣៤៥៦៧៨៩', '0123456789') from '^[^0-9]*0*([1-9]|1[0-2])[^0-9]*$')"""

GENDER = """CASE lower(btrim({column}))
    WHEN 'm' THEN 'male' WHEN 'f' THEN 'female' WHEN 'ប្រុស' THEN 'male' WHEN 'ស្រី' THEN 'female'
    ELSE lower(btrim({column})) END"""

RELATION = """CASE WHEN btrim({column}) = '' THEN 'Guardian'
    WHEN lower(btrim({column})) IN ('father', 'mother', 'guardian', 'grandfather', 'grandmother', 'uncle', 'aunt',
                                    'brother', 'sister', 'stepfather', 'stepmother') THEN initcap(btrim({column}))
    ELSE btrim({column}) END"""

# Two years with anything between them: '2024 - 2025' and '2024/2025' are '2024-2025'.
YEAR = "regexp_replace({column}, '^\\s*([0-9]{{4}})[^0-9]+([0-9]{{4}})\\s*$', '\\1-\\2')"

WORDS = (
    ("User", "userId", "username", TRIMMED),
    ("User", "userId", "role", LOWER),
    ("User", "userId", "status", LOWER),
    ("Student", "studentId", "gender", GENDER),
    ("Student", "studentId", "class", LEVEL),
    ("Student", "studentId", "status", LOWER),
    ("Student", "studentId", "religion", LOWER),
    ("Guardian", "guardianId", "relation", RELATION),
    ("FamilyInfo", "familyinfoId", "religion", LOWER),
    ("FamilyInfo", "familyinfoId", "livingCondition", LOWER),
    ("FamilyInfo", "familyinfoId", "helpFrequency", LOWER),
    ("FamilyInfo", "familyinfoId", "povertyCard", LOWER),
    ("SchoolYear", "schoolYearId", "schoolYearCode", YEAR),
    ("Subject", "subjectId", "subjectName", TRIMMED),
    ("Course", "courseId", "grade", LEVEL),
    ("Course", "courseId", "section", TRIMMED),
    ("Course", "courseId", "courseName", TRIMMED),
)

STATUSES = """
UPDATE "Attendance" SET status = CASE
        WHEN lower(btrim(status)) IN ('present', 'absent', 'late', 'excused') THEN initcap(btrim(status))
        WHEN lower(btrim(status)) = 'unexcused' THEN 'Absent'
        WHEN lower(btrim(status)) = 'permission' THEN 'Excused'
        ELSE status END
WHERE status NOT IN ('Present', 'Absent', 'Late', 'Excused')
"""

# The same reading as fsms.text.iso_period; a time of day behind the day is left out.
PERIODS = r"""
CREATE FUNCTION pg_temp.iso_period(written text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE
        WHEN typed ~ '^[0-9]{4}-[0-9]{1,2}$' THEN
            split_part(typed, '-', 1) || '-' || lpad(split_part(typed, '-', 2), 2, '0')
        WHEN typed ~ '^[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}$' THEN
            split_part(typed, '-', 1) || '-' || lpad(split_part(typed, '-', 2), 2, '0')
            || '-' || lpad(split_part(typed, '-', 3), 2, '0')
        WHEN typed ~ '^[0-9]{1,2}/[0-9]{2}$' THEN
            '20' || split_part(typed, '/', 2) || '-' || lpad(split_part(typed, '/', 1), 2, '0')
        WHEN typed ~ '^[0-9]{1,2}/[0-9]{4}$' THEN
            split_part(typed, '/', 2) || '-' || lpad(split_part(typed, '/', 1), 2, '0')
        WHEN typed ~ '^[0-9]{1,2}/[0-9]{1,2}/[0-9]{4}$' THEN
            split_part(typed, '/', 3) || '-' || lpad(split_part(typed, '/', 2), 2, '0')
            || '-' || lpad(split_part(typed, '/', 1), 2, '0')
        ELSE written END
    FROM (SELECT regexp_replace(
        regexp_replace(translate(written, '០១២៣៤៥៦៧៨៩', '0123456789'), '[T ][0-9]{2}\:[0-9]{2}.*$', ''), '\s', '', 'g'
    )) AS _ (typed)
$$;
UPDATE "Grade" SET "gradeDate" = pg_temp.iso_period("gradeDate")
    WHERE "gradeDate" IS DISTINCT FROM pg_temp.iso_period("gradeDate");
DROP FUNCTION pg_temp.iso_period(text);
"""

# The existing application finds, sorts and compares months as MM/YY.
MONTHS_AS_BEFORE = """
UPDATE "Grade" SET "gradeDate" = substr("gradeDate", 6, 2) || '/' || substr("gradeDate", 3, 2)
    WHERE "gradeDate" ~ '^20[0-9]{2}-[0-9]{2}$'
"""


def upgrade() -> None:
    """Bring the words to their form."""
    for table, key, column, wanted in WORDS:
        _reword(table, key, column, wanted.format(column=f'"{column}"'))
    op.execute('UPDATE "User" SET "failedLoginAttempts" = 0 WHERE "failedLoginAttempts" < 0')
    op.execute(STATUSES)
    op.execute(PERIODS)


def _reword(table: str, key: str, column: str, wanted: str) -> None:
    op.execute(
        f"""
        WITH reading AS (SELECT "{key}" AS id, "{column}" AS old, {wanted} AS new FROM "{table}"),
        changed AS (
            UPDATE "{table}" AS written SET "{column}" = reading.new
            FROM reading WHERE written."{key}" = reading.id AND reading.new <> reading.old
            RETURNING reading.id, reading.old, reading.new
        )
        INSERT INTO "ActivityLog" (action, entity, "entityId", details)
        SELECT 'update_{table.lower()}', '{table}', id, jsonb_build_object(
            'changes', jsonb_build_object('{column}', jsonb_build_array(old, new)), 'migration', '{revision}')
        FROM changed WHERE lower(btrim(old)) <> lower(new)
        ORDER BY id
        """
    )


def downgrade() -> None:
    """Write months as the existing application reads them; the other words are right in both schemas."""
    op.execute(MONTHS_AS_BEFORE)
