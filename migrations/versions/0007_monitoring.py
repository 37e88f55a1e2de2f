"""A schema in which the specification's monitoring statements run as they are printed.

They use names of PostgreSQL 12 and older, or names that never were (docs/decisions/monitoring-schema.md). With
`SET search_path = monitoring, public, pg_catalog` the same names mean these views over the real ones.
"""

from alembic import op

revision = "0007_monitoring"
down_revision = "0006_rules"
branch_labels = None
depends_on = None

# Whether the server counts statements is asked at each reading: the extension comes and goes without a migration,
# may live in any schema, and without its library in shared_preload_libraries it can only refuse.
STATEMENTS = """
CREATE FUNCTION monitoring.counted_statements()
RETURNS TABLE (query text, calls bigint, total_time double precision, mean_time double precision, rows bigint)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    home text := (SELECT nspname FROM pg_extension JOIN pg_namespace ON pg_namespace.oid = extnamespace
                  WHERE extname = 'pg_stat_statements');
BEGIN
    IF home IS NOT NULL THEN
        RETURN QUERY EXECUTE format(
            'SELECT query, calls, total_exec_time, mean_exec_time, rows FROM %I.pg_stat_statements', home);
    END IF;
EXCEPTION WHEN object_not_in_prerequisite_state THEN
    RETURN;
END
$$;
CREATE VIEW monitoring.pg_stat_statements AS
SELECT query, calls, total_time, mean_time, rows FROM monitoring.counted_statements();
"""

INDEX_USE = """
CREATE VIEW monitoring.pg_stat_user_indexes AS
SELECT relid, indexrelid, schemaname, relname AS tablename, indexrelname AS indexname,
       idx_scan, idx_tup_read, idx_tup_fetch
FROM pg_catalog.pg_stat_user_indexes;
"""

# 'public.User' is read as public.user, which is no table of ours; '"User"' is.
TABLES = """
CREATE VIEW monitoring.pg_tables AS
SELECT quote_ident(schemaname) AS schemaname, quote_ident(tablename) AS tablename, tableowner, tablespace,
       hasindexes, hasrules, hastriggers, rowsecurity
FROM pg_catalog.pg_tables;
"""


def upgrade() -> None:
    """Create the schema and its three views."""
    op.execute("CREATE SCHEMA monitoring")
    for view in (STATEMENTS, INDEX_USE, TABLES):
        op.execute(view)


def downgrade() -> None:
    """Drop what was made, and nothing that somebody else put there."""
    for view in ("pg_tables", "pg_stat_user_indexes", "pg_stat_statements"):
        op.execute(f"DROP VIEW monitoring.{view}")
    op.execute("DROP FUNCTION monitoring.counted_statements()")
    op.execute("DROP SCHEMA monitoring")
