"""What the panel keeps for itself, as plain SQLAlchemy: preferences, saved views, receipts, locks.

The thirteen entities are in `models`. A table here has no generated screen and is not part of the school's record,
so it may change freely; constraints, row security and sentences it needs like any other.
"""

from fsms.models import Base

__all__ = ["Base"]
