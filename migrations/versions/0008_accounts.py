"""An account that somebody else gave its password must choose one of its own at the next sign-in."""

from alembic import op

revision = "0008_accounts"
down_revision = "0007_monitoring"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute('ALTER TABLE "User" ADD COLUMN "passwordChangeRequired" boolean NOT NULL DEFAULT false')


def downgrade() -> None:
    op.execute('ALTER TABLE "User" DROP COLUMN "passwordChangeRequired"')
