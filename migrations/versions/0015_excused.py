"""A pupil can be excused from a mark: neither a number nor nothing, and so never taken for a 0 or for a gap."""

from alembic import op

revision = "0015_excused"
down_revision = "0014_school_days"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Let a row say that the pupil was excused instead of a number."""
    op.execute('ALTER TABLE "Grade" ADD COLUMN excused boolean NOT NULL DEFAULT false')
    op.execute('ALTER TABLE "Grade" ALTER COLUMN grade DROP NOT NULL')
    op.execute('ALTER TABLE "Grade" ADD CONSTRAINT "Grade_excused_check" CHECK (excused = (grade IS NULL))')
    op.execute('GRANT INSERT (excused), UPDATE (excused) ON "Grade" TO fsms_teacher')


def downgrade() -> None:
    """Take the word back. Without it such a row says nothing; the log keeps its story."""
    op.execute('DELETE FROM "Grade" WHERE excused')
    op.execute('ALTER TABLE "Grade" DROP CONSTRAINT "Grade_excused_check"')
    op.execute('ALTER TABLE "Grade" ALTER COLUMN grade SET NOT NULL')
    op.execute('ALTER TABLE "Grade" DROP COLUMN excused')
