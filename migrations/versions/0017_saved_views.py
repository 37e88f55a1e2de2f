"""Lists as people like them are kept: filters, search, order and columns, under a name.

A view is an address, so it shows each reader what that reader may see. Shared ones are kept by administrators, who
work as the owner of the tables; teachers see those and keep their own.
"""

import sqlalchemy as sa
from alembic import op

revision = "0017_saved_views"
down_revision = "0016_search"
branch_labels = None
depends_on = None

TEACHER = "fsms_teacher"
MINE = '"userId" = (SELECT fsms_user_id()) AND NOT shared'

# Command, which rows it finds, what a row must be that it leaves.
POLICIES = (
    ("SELECT", f"shared OR {MINE}", None),
    ("INSERT", None, MINE),
    ("UPDATE", MINE, MINE),
    ("DELETE", MINE, None),
)


def upgrade() -> None:
    """Make the table and show each teacher the shared rows and the own ones."""
    op.create_table(
        "SavedView",
        sa.Column("viewId", sa.Integer(), nullable=False),
        sa.Column("userId", sa.Integer(), nullable=False),
        sa.Column("page", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("shared", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.PrimaryKeyConstraint("viewId", name="SavedView_pkey"),
        sa.ForeignKeyConstraint(
            ["userId"], ["User.userId"], name="SavedView_userId_fkey", ondelete="CASCADE", onupdate="CASCADE"
        ),
        sa.CheckConstraint("page <> ''", name="SavedView_page_check"),
        sa.CheckConstraint("char_length(name) BETWEEN 1 AND 60", name="SavedView_name_check"),
        sa.CheckConstraint("char_length(address) <= 4000", name="SavedView_address_check"),
    )
    name = sa.text("lower(name)")
    own, shared = sa.text("NOT shared"), sa.text("shared")
    op.create_index("SavedView_own_key", "SavedView", ["userId", "page", name], unique=True, postgresql_where=own)
    op.create_index("SavedView_shared_key", "SavedView", ["page", name], unique=True, postgresql_where=shared)
    op.execute(f'GRANT SELECT, INSERT, UPDATE, DELETE ON "SavedView" TO {TEACHER}')
    op.execute(f'GRANT USAGE ON SEQUENCE "SavedView_viewId_seq" TO {TEACHER}')
    op.execute('ALTER TABLE "SavedView" ENABLE ROW LEVEL SECURITY')
    for command, found, left in POLICIES:
        rules = (f" USING ({found})" if found else "") + (f" WITH CHECK ({left})" if left else "")
        op.execute(f'CREATE POLICY teacher_{command.lower()} ON "SavedView" FOR {command} TO {TEACHER}{rules}')


def downgrade() -> None:
    """Forget all views; the policies and grants go with the table."""
    op.drop_table("SavedView")
