"""What the tables are made of: column types with a name, rules with a name, mix-ins. Knows no table of its own."""

import datetime as dt
from decimal import Decimal
from typing import Annotated, Any, ClassVar, cast

from sqlalchemy import (
    CheckConstraint,
    Column,
    Computed,
    Date,
    ForeignKey,
    Index,
    MetaData,
    Numeric,
    Table,
    Text,
    event,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import TIMESTAMP
from sqlalchemy.ext.hybrid import hybrid_property
from sqlalchemy.orm import (
    DeclarativeBase,
    InstrumentedAttribute,
    Mapped,
    MappedColumn,
    declared_attr,
    mapped_column,
)
from sqlalchemy.sql.elements import SQLColumnExpression

from fsms import clock
from fsms import text as written
from fsms.vocabulary import Choice, stored_values

Moment = TIMESTAMP(timezone=True, precision=3)
money = Annotated[Decimal | None, mapped_column(Numeric(12, 2))]
flag = Annotated[bool | None, mapped_column(server_default=text("false"))]

# What only administrators and the system read. The column is not selected unless asked for, so that a teacher's
# session is never refused for reading a row; `policy` and the grants of migration 0009 go by this mark.
CONFIDENTIAL: dict[str, Any] = {"deferred": True, "deferred_group": "confidential"}

# PostgreSQL's current_date is the server's day; a birthday is compared with the school's.
SCHOOL_TODAY = f"(now() AT TIME ZONE '{clock.SCHOOL_ZONE.key}')::date"


def chosen(name: str, choices: type[Choice], **options: Any) -> MappedColumn[Any]:
    """Make a text column whose values come from a fixed set; forms, lists and filters read the set from here."""
    return mapped_column(name, Text, info={"choices": choices}, **options)


def link(target: str, *, optional: bool = False) -> ForeignKey:
    """Point at another table as the existing database does: the parent stays while a required child needs it."""
    return ForeignKey(target, ondelete="SET NULL" if optional else "RESTRICT", onupdate="CASCADE")


def one_of(column: str, choices: type[Choice], name: str) -> CheckConstraint:
    """Hold a text column to a fixed set."""
    listed = ", ".join(f"'{value}'" for value in stored_values(choices))
    return CheckConstraint(f'"{column}" IN ({listed})', name=name)


def found_by(entity: type["Base"], **keys: str) -> None:
    """Give a table the keys by which its names and phones are found (`searching`).

    The database works them out and indexes them, whoever writes; no row of the entity carries them about.
    """
    table = cast(Table, entity.__table__)
    for name, made_of in keys.items():
        table.append_column(key := Column(name, Text, Computed(made_of, persisted=True)))
        index = f"idx_{table.name.lower()}_{name.removesuffix('Key')}_key"
        Index(index, key, postgresql_using="gin", postgresql_ops={name: "gin_trgm_ops"})


def not_negative(column: str, name: str) -> CheckConstraint:
    """Refuse less than nothing, and NaN, which PostgreSQL ranks above every number."""
    return CheckConstraint(f'"{column}" >= 0 AND "{column}" <> \'NaN\'', name=name)


class Base(DeclarativeBase):
    """The school's tables, and how a row names itself in a traceback."""

    metadata = MetaData(naming_convention={"pk": "%(table_name)s_pkey", "fk": "%(table_name)s_%(column_0_name)s_fkey"})
    type_annotation_map: ClassVar[dict[Any, Any]] = {str: Text, dt.datetime: Moment, dt.date: Date}

    def __repr__(self) -> str:
        """Show the entity and its key, nothing personal."""
        state = self._sa_instance_state  # type: ignore[attr-defined]  # every mapped instance carries it
        return f"<{type(self).__name__} {state.identity[0] if state.identity else 'new'}>"


class Timestamped:
    """When a row was made and last saved."""

    created_at: Mapped[dt.datetime] = mapped_column(
        "createdAt", default=clock.now, server_default=func.current_timestamp(), sort_order=90
    )
    updated_at: Mapped[dt.datetime] = mapped_column(
        "updatedAt",
        default=clock.now,
        onupdate=clock.now,
        server_default=func.current_timestamp(),
        sort_order=91,
    )


class Versioned(Timestamped):
    """A row that people edit: a form opened before somebody else's save is refused."""

    version: Mapped[int] = mapped_column(default=1, server_default=text("1"), sort_order=92)

    @declared_attr.directive
    def __mapper_args__(cls) -> dict[str, Any]:  # noqa: N805
        """Let SQLAlchemy count the versions; the column is not mapped yet, so the class is asked for it."""
        return {"version_id_col": cls.__table__.c.version if hasattr(cls, "__table__") else cls.version}


class Named:
    """A person: family name first, as the school writes it."""

    first_name: Mapped[Any]
    last_name: Mapped[Any]

    @hybrid_property
    def full_name(self) -> str:
        """Family name and first name; empty where neither is known."""
        return " ".join(part for part in (self.last_name, self.first_name) if part)

    @full_name.inplace.expression
    @classmethod
    def _full_name(cls) -> SQLColumnExpression[str]:
        return func.concat_ws(" ", cls.last_name, cls.first_name)


@event.listens_for(Base, "attribute_instrument", propagate=True)
def _clean_what_is_typed(_class: type[Base], _key: str, attribute: InstrumentedAttribute[Any]) -> None:
    """Bring every text to its one form the moment it is set, whoever sets it: form, import or command line."""
    column = getattr(attribute.property, "columns", [None])[0]
    if not isinstance(column, Column) or not isinstance(column.type, Text) or column.info.get("secret"):
        return

    @event.listens_for(attribute, "set", retval=True)
    def _cleaned(_row: Base, value: object, _old: object, _initiator: object) -> object:
        if not isinstance(value, str):
            return value
        return written.clean(value) or (None if column.nullable else "")
