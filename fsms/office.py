"""What the panel keeps for itself, as plain SQLAlchemy: preferences, saved views, receipts, locks.

The thirteen entities are in `models`. A table here has no generated screen and is not part of the school's record,
so it may change freely; constraints, row security and sentences it needs like any other. What its rows go through
stands in the log of activities unless the table says `UNRECORDED`.
"""

import datetime as dt
import uuid
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, Uuid, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from fsms import clock
from fsms.columns import link
from fsms.models import Base

__all__ = ["UNRECORDED", "Base"]

# For what is nobody's business but its owner's, and is lost without harm.
UNRECORDED: dict[str, Any] = {"info": {"unrecorded": True}}


class Preference(Base):
    """What one person chose about the screen: a language, the columns of a list. Unknown to all others."""

    __tablename__ = "Preference"
    __table_args__ = (
        CheckConstraint("char_length(name) BETWEEN 1 AND 100", name="Preference_name_check"),
        CheckConstraint("octet_length(value::text) <= 20000", name="Preference_value_check"),
        UNRECORDED,
    )

    user_id: Mapped[int] = mapped_column(
        "userId", ForeignKey("User.userId", ondelete="CASCADE", onupdate="CASCADE"), primary_key=True
    )
    name: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[Any] = mapped_column(JSONB)


class Receipt(Base):
    """The answer that a request was given, so that the same request sent again gets it again, and does nothing."""

    __tablename__ = "Receipt"
    __table_args__ = (
        UniqueConstraint("userId", "key", name="Receipt_userId_key_key"),
        Index("idx_receipt_created_at", "createdAt"),
        CheckConstraint("what <> ''", name="Receipt_what_check"),
        UNRECORDED,
    )

    receipt_id: Mapped[int] = mapped_column("receiptId", primary_key=True)
    # Given by the browser; two people's keys are nothing to each other.
    key: Mapped[uuid.UUID] = mapped_column(Uuid)
    user_id: Mapped[int] = mapped_column("userId", ForeignKey("User.userId", ondelete="CASCADE", onupdate="CASCADE"))
    what: Mapped[str]
    answer: Mapped[Any] = mapped_column(JSONB)
    created_at: Mapped[dt.datetime] = mapped_column("createdAt", server_default=func.current_timestamp())


_SAME_NAME = text("lower(name)")


class SavedView(Base):
    """A list as somebody likes it, by the address that asks for it. A shared one is everybody's; admins keep those."""

    __tablename__ = "SavedView"
    __table_args__ = (
        Index(
            "SavedView_own_key", "userId", "page", text("lower(name)"), unique=True, postgresql_where=text("NOT shared")
        ),
        Index("SavedView_shared_key", "page", text("lower(name)"), unique=True, postgresql_where=text("shared")),
        CheckConstraint("page <> ''", name="SavedView_page_check"),
        CheckConstraint("char_length(name) BETWEEN 1 AND 60", name="SavedView_name_check"),
        CheckConstraint("char_length(address) <= 4000", name="SavedView_address_check"),
        UNRECORDED,
    )

    view_id: Mapped[int] = mapped_column("viewId", primary_key=True)
    user_id: Mapped[int] = mapped_column("userId", ForeignKey("User.userId", ondelete="CASCADE", onupdate="CASCADE"))
    page: Mapped[str]
    name: Mapped[str]
    address: Mapped[str]
    shared: Mapped[bool] = mapped_column(default=False, server_default=text("false"))


class TermLock(Base):
    """The marks of a semester, closed for teachers: of one class, or of all where no class is named.

    Opened until a moment, it holds again after it by itself. The log tells of it in sentences, not row by row.
    """

    __tablename__ = "TermLock"
    __table_args__ = (
        Index("TermLock_all_key", "semesterId", unique=True, postgresql_where=text('"courseId" IS NULL')),
        Index("TermLock_course_key", "semesterId", "courseId", unique=True),
        CheckConstraint("btrim(reason) <> ''", name="TermLock_reason_check"),
        CheckConstraint(
            '("openUntil" IS NULL) = ("openReason" IS NULL) AND coalesce(btrim("openReason"), \'-\') <> \'\'',
            name="TermLock_open_check",
        ),
        UNRECORDED,
    )

    term_lock_id: Mapped[int] = mapped_column("termLockId", primary_key=True)
    semester_id: Mapped[int] = mapped_column(
        "semesterId", ForeignKey("Semester.semesterId", ondelete="CASCADE", onupdate="CASCADE")
    )
    course_id: Mapped[int | None] = mapped_column(
        "courseId", ForeignKey("Course.courseId", ondelete="CASCADE", onupdate="CASCADE")
    )
    reason: Mapped[str]
    locked_by: Mapped[int | None] = mapped_column("lockedBy", link("User.userId", optional=True))
    locked_at: Mapped[dt.datetime] = mapped_column(
        "lockedAt", default=clock.now, server_default=func.current_timestamp()
    )
    open_until: Mapped[dt.datetime | None] = mapped_column("openUntil")
    open_reason: Mapped[str | None] = mapped_column("openReason")
    opened_by: Mapped[int | None] = mapped_column("openedBy", link("User.userId", optional=True))
