"""What the panel keeps for itself, as plain SQLAlchemy: preferences, saved views, receipts, locks.

The thirteen entities are in `models`. A table here has no generated screen and is not part of the school's record,
so it may change freely; constraints, row security and sentences it needs like any other.
"""

import datetime as dt
import uuid
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, Uuid, func
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from fsms.models import Base

__all__ = ["Base"]


class Receipt(Base):
    """The answer that a request was given, so that the same request sent again gets it again, and does nothing."""

    __tablename__ = "Receipt"
    __table_args__ = (
        UniqueConstraint("userId", "key", name="Receipt_userId_key_key"),
        Index("idx_receipt_created_at", "createdAt"),
        CheckConstraint("what <> ''", name="Receipt_what_check"),
    )

    receipt_id: Mapped[int] = mapped_column("receiptId", primary_key=True)
    # Given by the browser; two people's keys are nothing to each other.
    key: Mapped[uuid.UUID] = mapped_column(Uuid)
    user_id: Mapped[int] = mapped_column("userId", ForeignKey("User.userId", ondelete="CASCADE", onupdate="CASCADE"))
    what: Mapped[str]
    answer: Mapped[Any] = mapped_column(JSONB)
    created_at: Mapped[dt.datetime] = mapped_column("createdAt", server_default=func.current_timestamp())
