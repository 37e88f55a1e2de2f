"""No mark and no attendance without a place in the course.

Taking a pupil out of a class deleted the enrolment in the existing application and left marks and attendance behind.
They get their enrolment back, as a dropped one: the pupil is not in that class today. A drop is whole (flag, semester
and day), so what a drop lacks is taken from the last that was seen of the pupil in the course. docs/rules.md, "Drops
in an existing database", says how. Nothing is deleted.
"""

from alembic import op

revision = "0005_enrolments"
down_revision = "0004_words"
branch_labels = None
depends_on = None

# Every enrolment that is missing, and every drop that lacks its semester or its day.
FIND = """
CREATE TEMPORARY TABLE half_drop AS
SELECT "studentId", "courseId", "dropDate" AS day, "dropSemesterId" AS semester
FROM "Enrollment"
WHERE "drop" AND ("dropDate" IS NULL OR "dropSemesterId" IS NULL)
UNION
SELECT "studentId", "courseId", NULL, NULL
FROM (SELECT "studentId", "courseId" FROM "Grade" UNION SELECT "studentId", "courseId" FROM "Attendance") AS seen
WHERE NOT EXISTS (
    SELECT FROM "Enrollment" AS place
    WHERE place."studentId" = seen."studentId" AND place."courseId" = seen."courseId"
);
"""

# What was seen, with its day. A month counts as its last day, but nothing is seen after today.
SIGHTINGS = """
CREATE FUNCTION pg_temp.last_day_of(period text) RETURNS date LANGUAGE sql STABLE AS $$
    SELECT least(
        CASE WHEN length(period) = 10 THEN month_start + substr(period, 9, 2)::int - 1 END,
        (month_start + interval '1 month')::date - 1,
        (now() AT TIME ZONE 'Asia/Phnom_Penh')::date
    )
    FROM make_date(substr(period, 1, 4)::int, substr(period, 6, 2)::int, 1) AS month_start
$$;
CREATE TEMPORARY VIEW sighting AS
SELECT "studentId", "courseId", "semesterId" AS semester, pg_temp.last_day_of("gradeDate") AS day
FROM "Grade"
WHERE "gradeDate" ~ '^[1-9][0-9]{3}-(0[1-9]|1[0-2])(-[0-3][0-9])?$'
UNION ALL
SELECT "studentId", "courseId", "semesterId", least("attendanceDate", (now() AT TIME ZONE 'Asia/Phnom_Penh')::date)
FROM "Attendance";
"""

FILL_DAY = """
UPDATE half_drop SET day = seen.day
FROM (
    SELECT "studentId", "courseId", max(sighting.day) AS day
    FROM sighting JOIN half_drop USING ("studentId", "courseId")
    GROUP BY "studentId", "courseId"
) AS seen
WHERE half_drop.day IS NULL
  AND half_drop."studentId" = seen."studentId" AND half_drop."courseId" = seen."courseId";

UPDATE half_drop SET day = (place."updatedAt" AT TIME ZONE 'Asia/Phnom_Penh')::date
FROM "Enrollment" AS place
WHERE half_drop.day IS NULL
  AND half_drop."studentId" = place."studentId" AND half_drop."courseId" = place."courseId";

-- Only marks whose date nobody can read are left; 0006_rules will name them and stop.
UPDATE half_drop SET day = (now() AT TIME ZONE 'Asia/Phnom_Penh')::date WHERE day IS NULL;
"""

# First the pupil's own rows, the last before the rest; then the semester in which others of the course were seen
# closest to that day; then the calendar: September to December are a first semester, the rest a second.
FILL_SEMESTER = """
UPDATE half_drop SET semester = seen.semester
FROM (
    SELECT DISTINCT ON ("studentId", "courseId") "studentId", "courseId", sighting.semester
    FROM sighting JOIN half_drop USING ("studentId", "courseId")
    WHERE sighting.semester IS NOT NULL
    ORDER BY "studentId", "courseId", sighting.day DESC, sighting.semester DESC
) AS seen
WHERE half_drop.semester IS NULL
  AND half_drop."studentId" = seen."studentId" AND half_drop."courseId" = seen."courseId";

UPDATE half_drop SET semester = (
    SELECT sighting.semester FROM sighting
    WHERE sighting."courseId" = half_drop."courseId" AND sighting.semester IS NOT NULL
    ORDER BY abs(sighting.day - half_drop.day), sighting.semester LIMIT 1
)
WHERE semester IS NULL;

CREATE TEMPORARY TABLE by_calendar AS
SELECT DISTINCT day, half, 'S' || half || '-' || first_year AS code
FROM half_drop
CROSS JOIN LATERAL (SELECT CASE WHEN extract(month FROM day) >= 9 THEN 1 ELSE 2 END AS half) AS _
CROSS JOIN LATERAL (SELECT extract(year FROM day)::int - (half - 1) AS first_year) AS __
WHERE semester IS NULL;

INSERT INTO "Semester" (semester, "semesterCode")
SELECT DISTINCT CASE half WHEN 1 THEN 'First Semester' ELSE 'Second Semester' END, code
FROM by_calendar
ON CONFLICT ("semesterCode") DO NOTHING;

UPDATE half_drop SET semester = "semesterId"
FROM by_calendar JOIN "Semester" ON "semesterCode" = code
WHERE half_drop.semester IS NULL AND half_drop.day = by_calendar.day;
"""

WRITE = """
UPDATE "Enrollment" AS place SET "dropDate" = half_drop.day, "dropSemesterId" = half_drop.semester
FROM half_drop
WHERE place."studentId" = half_drop."studentId" AND place."courseId" = half_drop."courseId";

WITH made AS (
    INSERT INTO "Enrollment" ("studentId", "courseId", "drop", "dropDate", "dropSemesterId")
    SELECT "studentId", "courseId", true, day, semester FROM half_drop
    ORDER BY "studentId", "courseId"
    ON CONFLICT ("studentId", "courseId") DO NOTHING
    RETURNING "enrollmentId"
)
INSERT INTO "ActivityLog" (action, entity, "entityId", details)
SELECT 'create_enrollment', 'Enrollment', "enrollmentId",
       jsonb_build_object('text', 'Marks or attendance had no enrolment.', 'migration', '0005_enrolments')
FROM made ORDER BY "enrollmentId";

DROP VIEW sighting;
DROP FUNCTION pg_temp.last_day_of(text);
DROP TABLE half_drop, by_calendar;
"""

# Undoing a drop left a day or a semester behind: the pupil is in the course, and the history keeps what stood there.
UNDONE = """
WITH undone AS (
    UPDATE "Enrollment" AS place SET "dropDate" = NULL, "dropSemesterId" = NULL
    FROM (SELECT "enrollmentId", "dropDate", "dropSemesterId" FROM "Enrollment") AS before
    WHERE place."enrollmentId" = before."enrollmentId" AND NOT place."drop"
      AND (before."dropDate" IS NOT NULL OR before."dropSemesterId" IS NOT NULL)
    RETURNING before.*
)
INSERT INTO "ActivityLog" (action, entity, "entityId", details)
SELECT 'update_enrollment', 'Enrollment', "enrollmentId", jsonb_build_object(
    'changes', jsonb_build_object('dropDate', jsonb_build_array("dropDate", NULL),
                                  'dropSemesterId', jsonb_build_array("dropSemesterId", NULL)),
    'migration', '0005_enrolments')
FROM undone ORDER BY "enrollmentId";
"""


def upgrade() -> None:
    """Make the drops whole, then tie marks and attendance to the enrolment."""
    for step in (FIND, SIGHTINGS, FILL_DAY, FILL_SEMESTER, WRITE, UNDONE):
        op.execute(step)
    for child in ("Grade", "Attendance"):
        op.create_foreign_key(
            f"{child}_studentId_courseId_fkey",
            child,
            "Enrollment",
            ["studentId", "courseId"],
            ["studentId", "courseId"],
            ondelete="RESTRICT",
            onupdate="CASCADE",
        )


def downgrade() -> None:
    """Untie them; the enrolments that were made stay, and the old schema holds them."""
    for child in ("Grade", "Attendance"):
        op.drop_constraint(f"{child}_studentId_courseId_fkey", child, type_="foreignkey")
