"""What a list reads for its columns: of other tables what is shown, and each in an order that people know."""

from functools import lru_cache
from typing import Any, cast

from sqlalchemy import Column, Text
from sqlalchemy.orm import Load

from fsms.exchange import labels
from fsms.models import Base

# The order of initial consonants in a Khmer dictionary is that of the code points, whatever the server was set up with.
DICTIONARY = "C"


@lru_cache(1_000)
def loaded_with(entity: type[Base], columns: tuple[str, ...]) -> tuple[Any, ...]:
    """Read in the same statement what the columns show of other tables, and no more of those than that."""
    found = []
    for path in dict.fromkeys(columns):
        *_steps, last = path.split(".")
        loading, mapper = None, entity.__mapper__
        for step in path.split("."):
            if step not in mapper.relationships:
                break
            relation = mapper.relationships[step]
            loading = (loading or Load(mapper.class_)).joinedload(relation.class_attribute)
            mapper = relation.mapper
        if loading is not None:
            shown = [mapper.column_attrs[last].class_attribute] if last in mapper.column_attrs else []
            found.append(loading.load_only(*labels.read_by(cast(Any, mapper.class_)), *shown))
    return tuple(found)


def in_dictionary_order(column: Any) -> Any:
    """Sort texts that people write as a dictionary does; words of a fixed set are alike everywhere."""
    held = getattr(getattr(column, "property", None), "columns", [None])[0]
    is_written = isinstance(column.type, Text) and (held is None or "choices" not in held.info)
    return column.collate(DICTIONARY) if is_written else column


def may_be_empty(attribute: Any) -> bool:
    """Say whether some rows may have nothing here; of what is worked out from columns nobody knows."""
    return any(column.nullable for column in getattr(getattr(attribute, "property", None), "columns", [Column()]))
