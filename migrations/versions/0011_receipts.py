"""Answers are kept under the key of their request, so that a request sent twice is done once.

A browser on a bad network sends again what it got no answer to. Receipts are no part of the school's record: the log
does not tell of them, and they go after a month.
"""

from alembic import op

revision = "0011_receipts"
down_revision = "0010_activity"
branch_labels = None
depends_on = None

TEACHER = "fsms_teacher"

TABLE = """
CREATE TABLE "Receipt" (
    "receiptId" serial CONSTRAINT "Receipt_pkey" PRIMARY KEY,
    key uuid NOT NULL,
    "userId" integer NOT NULL,
    what text NOT NULL,
    answer jsonb NOT NULL,
    "createdAt" timestamptz(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    CONSTRAINT "Receipt_userId_key_key" UNIQUE ("userId", key),
    CONSTRAINT "Receipt_what_check" CHECK (what <> ''),
    CONSTRAINT "Receipt_userId_fkey" FOREIGN KEY ("userId") REFERENCES "User" ("userId")
        ON DELETE CASCADE ON UPDATE CASCADE
)
"""

MYSELF = '"userId" = (SELECT fsms_user_id())'
# What was answered lately may still be asked for by a request on its way, so it is not forgotten, whoever wants it.
OLD = "\"createdAt\" < CURRENT_TIMESTAMP - interval '7 days'"


def upgrade() -> None:
    op.execute(TABLE)
    op.execute('CREATE INDEX idx_receipt_created_at ON "Receipt" ("createdAt")')
    op.execute('ALTER TABLE "Receipt" ENABLE ROW LEVEL SECURITY')
    op.execute(f'GRANT SELECT, INSERT (key, "userId", what, answer), DELETE ON "Receipt" TO {TEACHER}')
    op.execute(f'GRANT USAGE ON SEQUENCE "Receipt_receiptId_seq" TO {TEACHER}')
    op.execute(f'CREATE POLICY teacher_select ON "Receipt" FOR SELECT TO {TEACHER} USING ({MYSELF})')
    op.execute(f'CREATE POLICY teacher_insert ON "Receipt" FOR INSERT TO {TEACHER} WITH CHECK ({MYSELF})')
    op.execute(f'CREATE POLICY teacher_delete ON "Receipt" FOR DELETE TO {TEACHER} USING ({MYSELF} AND {OLD})')


def downgrade() -> None:
    op.execute('DROP TABLE "Receipt"')
