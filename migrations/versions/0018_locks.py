"""When a semester is closed its marks stay as they are: a lock for all classes or for one, that teachers cannot pass.

The lock of the class itself counts before the one for all. A lock can be opened until a moment; after it, it holds
again without anybody doing anything. Administrators write as the owner of the tables and are held by no policy.
"""

from alembic import op
from sqlalchemy import text

revision = "0018_locks"
down_revision = "0017_saved_views"
branch_labels = None
depends_on = None

TEACHER = "fsms_teacher"

TABLE = """
CREATE TABLE "TermLock" (
    "termLockId" serial CONSTRAINT "TermLock_pkey" PRIMARY KEY,
    "semesterId" integer NOT NULL,
    "courseId" integer,
    reason text NOT NULL,
    "lockedBy" integer,
    "lockedAt" timestamptz(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "openUntil" timestamptz(3),
    "openReason" text,
    "openedBy" integer,
    CONSTRAINT "TermLock_reason_check" CHECK (btrim(reason) <> ''),
    CONSTRAINT "TermLock_open_check" CHECK (
        ("openUntil" IS NULL) = ("openReason" IS NULL) AND coalesce(btrim("openReason"), '-') <> ''
    ),
    CONSTRAINT "TermLock_semesterId_fkey" FOREIGN KEY ("semesterId") REFERENCES "Semester" ("semesterId")
        ON DELETE CASCADE ON UPDATE CASCADE,
    CONSTRAINT "TermLock_courseId_fkey" FOREIGN KEY ("courseId") REFERENCES "Course" ("courseId")
        ON DELETE CASCADE ON UPDATE CASCADE,
    CONSTRAINT "TermLock_lockedBy_fkey" FOREIGN KEY ("lockedBy") REFERENCES "User" ("userId")
        ON DELETE SET NULL ON UPDATE CASCADE,
    CONSTRAINT "TermLock_openedBy_fkey" FOREIGN KEY ("openedBy") REFERENCES "User" ("userId")
        ON DELETE SET NULL ON UPDATE CASCADE
)
"""

INDEXES = {
    "TermLock_all_key": '("semesterId") WHERE "courseId" IS NULL',
    "TermLock_course_key": '("semesterId", "courseId")',
}

LOCKED = """
CREATE FUNCTION fsms_locked(course integer, semester integer) RETURNS boolean
LANGUAGE sql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = {path} AS $$
    SELECT coalesce((
        SELECT "openUntil" IS NULL OR "openUntil" <= CURRENT_TIMESTAMP FROM "TermLock"
        WHERE "semesterId" = semester AND ("courseId" = course OR "courseId" IS NULL)
        ORDER BY "courseId" NULLS LAST LIMIT 1
    ), false)
$$
"""

# Restrictive: they narrow what the policies of 0009 allow, and say nothing else.
OPEN = 'NOT fsms_locked("courseId", "semesterId")'
RULES = {"INSERT": f"WITH CHECK ({OPEN})", "UPDATE": f"USING ({OPEN}) WITH CHECK ({OPEN})", "DELETE": f"USING ({OPEN})"}


def upgrade() -> None:
    """Make the table, and let the marks ask it."""
    op.execute(TABLE)
    for name, columns in INDEXES.items():
        op.execute(f'CREATE UNIQUE INDEX "{name}" ON "TermLock" {columns}')
    op.execute('ALTER TABLE "TermLock" ENABLE ROW LEVEL SECURITY')
    op.execute(f'GRANT SELECT ON "TermLock" TO {TEACHER}')
    op.execute(f'CREATE POLICY teacher_select ON "TermLock" FOR SELECT TO {TEACHER} USING (true)')
    path = op.get_bind().scalar(text("SELECT format('%I, pg_catalog, pg_temp', current_schema())"))
    op.execute(LOCKED.format(path=path))
    op.execute("REVOKE ALL ON FUNCTION fsms_locked(integer, integer) FROM PUBLIC")
    op.execute(f"GRANT EXECUTE ON FUNCTION fsms_locked(integer, integer) TO {TEACHER}")
    for command, rule in RULES.items():
        op.execute(f'CREATE POLICY lock_{command.lower()} ON "Grade" AS RESTRICTIVE FOR {command} TO {TEACHER} {rule}')


def downgrade() -> None:
    """Open everything."""
    for command in RULES:
        op.execute(f'DROP POLICY lock_{command.lower()} ON "Grade"')
    op.execute("DROP FUNCTION fsms_locked(integer, integer)")
    op.execute('DROP TABLE "TermLock"')
