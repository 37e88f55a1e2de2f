"""What a person chose about the screen is kept: language, digits, theme, columns of lists.

It goes with the account, stands in no log and is seen by its owner alone, so the table has neither numbers nor the
triggers of the thirteen. The size is bounded because any signed-in browser can write here.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0012_preferences"
down_revision = "0011_receipts"
branch_labels = None
depends_on = None

TEACHER = "fsms_teacher"
MYSELF = '"userId" = (SELECT fsms_user_id())'

# Command, which rows it finds, what a row must be that it leaves.
POLICIES = (
    ("SELECT", MYSELF, None),
    ("INSERT", None, MYSELF),
    ("UPDATE", MYSELF, MYSELF),
    ("DELETE", MYSELF, None),
)


def upgrade() -> None:
    """Make the table and show each teacher the own rows of it."""
    op.create_table(
        "Preference",
        sa.Column("userId", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", JSONB(), nullable=False),
        sa.PrimaryKeyConstraint("userId", "name", name="Preference_pkey"),
        sa.ForeignKeyConstraint(
            ["userId"], ["User.userId"], name="Preference_userId_fkey", ondelete="CASCADE", onupdate="CASCADE"
        ),
        sa.CheckConstraint("char_length(name) BETWEEN 1 AND 100", name="Preference_name_check"),
        sa.CheckConstraint("octet_length(value::text) <= 20000", name="Preference_value_check"),
    )
    op.execute(f'GRANT SELECT, INSERT, UPDATE, DELETE ON "Preference" TO {TEACHER}')
    op.execute('ALTER TABLE "Preference" ENABLE ROW LEVEL SECURITY')
    for command, found, left in POLICIES:
        rules = (f" USING ({found})" if found else "") + (f" WITH CHECK ({left})" if left else "")
        op.execute(f'CREATE POLICY teacher_{command.lower()} ON "Preference" FOR {command} TO {TEACHER}{rules}')


def downgrade() -> None:
    """Forget all preferences; the policies and grants go with the table."""
    op.drop_table("Preference")
