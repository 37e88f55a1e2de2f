r"""Names and phones are found however they are typed: the database keeps a key of each, and an index to it.

The keys are generated columns, so they are right whoever writes a row. The functions say in SQL what `name_key` and
`phone_key` say in fsms/text.py; whoever changes one changes the other, in a new migration that makes the columns anew
(tests/integration/test_searching.py). Teachers may read the keys of what they may read: never the phones of staff.
"""

from alembic import op
from alembic.util import CommandError
from sqlalchemy import text

revision = "0016_search"
down_revision = "0015_excused"
branch_labels = None
depends_on = None

# Escapes are PostgreSQL's own, of its regular expressions and of E'' strings.
NAME_KEY = r"""
CREATE FUNCTION fsms_name_key(written text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT lower(translate(
        replace(replace(replace(
        regexp_replace(
        replace(
        regexp_replace(
        replace(replace(
        regexp_replace(
            normalize(written, NFKD),
            '[\s\u200b-\u200d\u2060\ufeff\u00ad\u0300-\u036f!-/:-@\[-`{-~\u00b7\u2018\u2019'
            '\u17b4\u17b5\u17c9-\u17d1\u17d3-\u17da\u17dd]', '', 'g'),
        'េី', 'ើ'), 'េា', 'ោ'),
        'ំ([ាុ])', '\1ំ', 'g'),
        '្ដ', '្ត'),
        '្រ(្[ក-អ])', '\1្រ', 'g'),
        'ឫ', 'រិ'), 'ឬ', 'រឺ'), 'ឲ', 'ឱ'),
        '០១២៣៤៥៦៧៨៩', '0123456789') COLLATE "C")
$$
"""

PHONE_KEY = r"""
CREATE FUNCTION fsms_phone_key(written text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT btrim(regexp_replace(regexp_replace(regexp_replace(
            translate(normalize(written, NFKD), '០១២៣៤៥៦៧៨៩', '0123456789'),
        '[\s\u200b-\u200d\u2060\ufeff\u00ad.()\u2010-\u2015-]', '', 'g'),
        '(^|[^0-9+])(?:(?:\+|00)855|855(?=[0-9]{8}))?0?(?=[0-9])', '\1', 'g'),
        '[^0-9]+', ' ', 'g'), ' ')
$$
"""

# Family name, first name, family name again: both orders stand in it, with nothing between them.
NAMES = "fsms_name_key(coalesce({last}, '') || coalesce({first}, '') || coalesce({last}, ''))"
PHONES = "fsms_phone_key(coalesce({}, '') || '/' || coalesce({}, ''))"

KEYS = {
    "User": {
        "nameKey": NAMES.format(last="lastname", first="firstname"),
        "phoneKey": PHONES.format("phonenumber1", "phonenumber2"),
    },
    "Student": {
        "nameKey": NAMES.format(last='"lastName"', first='"firstName"'),
        "phoneKey": PHONES.format("phone", '"emergencyContact"'),
    },
    "Guardian": {
        "nameKey": NAMES.format(last='"lastName"', first='"firstName"'),
        "phoneKey": "fsms_phone_key(coalesce(phone, ''))",
    },
}
READ_BY_TEACHERS = {"User": '"nameKey"', "Student": '"nameKey", "phoneKey"', "Guardian": '"nameKey", "phoneKey"'}

# The log tells what people wrote; the keys follow from it.
UNTOLD = "name NOT IN ('updatedAt', 'version')"
UNTOLD_NOW = "name NOT IN ('updatedAt', 'version', 'nameKey', 'phoneKey')"


def upgrade() -> None:
    """Make the functions, the columns and the indexes."""
    _find_or_make_the_extension()
    op.execute(NAME_KEY)
    op.execute(PHONE_KEY)
    _tell_without(UNTOLD, UNTOLD_NOW)
    for table, keys in KEYS.items():
        columns = ", ".join(
            f'ADD COLUMN "{name}" text GENERATED ALWAYS AS ({made_of}) STORED' for name, made_of in keys.items()
        )
        op.execute(f'ALTER TABLE "{table}" {columns}')
        op.execute(f'GRANT SELECT ({READ_BY_TEACHERS[table]}) ON "{table}" TO fsms_teacher')
        for name in keys:
            index = f"idx_{table.lower()}_{name.removesuffix('Key')}_key"
            op.execute(f'CREATE INDEX {index} ON "{table}" USING gin ("{name}" gin_trgm_ops)')


def downgrade() -> None:
    """Take columns and functions away; the extension may serve others and stays."""
    for table, keys in KEYS.items():
        op.execute(f'ALTER TABLE "{table}" ' + ", ".join(f'DROP COLUMN "{name}"' for name in keys))
    _tell_without(UNTOLD_NOW, UNTOLD)
    for name in ("fsms_name_key", "fsms_phone_key"):
        op.execute(f"DROP FUNCTION {name}(text)")


def _find_or_make_the_extension() -> None:
    """Trigrams come with PostgreSQL, and the owner of a database may usually switch them on."""
    op.execute(
        "DO $$ BEGIN CREATE EXTENSION IF NOT EXISTS pg_trgm; "
        "EXCEPTION WHEN insufficient_privilege OR undefined_file OR feature_not_supported THEN NULL; END $$"
    )
    if op.get_bind().scalar(text("SELECT to_regtype('gtrgm') IS NULL")):
        raise CommandError(
            "The database was left as it was: searching names needs the extension pg_trgm, and its account may not "
            "create it. It comes with PostgreSQL (Debian: the package postgresql, Red Hat: postgresql-contrib). Let a "
            "database administrator run once, in this database:\nCREATE EXTENSION pg_trgm;"
        )


def _tell_without(before: str, after: str) -> None:
    """Let the trigger of the log leave out other columns than until now."""
    told: str = op.get_bind().scalar(text("SELECT pg_get_functiondef('fsms_tell_change'::regproc)"))
    assert before in told, "the trigger of the log is not what it was"
    op.execute(told.replace(before, after))
