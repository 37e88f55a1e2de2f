"""The log of activities hears of every change and forgets none: triggers that tell, and one that keeps.

Whatever does not come through the application (psql, a script, a bulk statement) is recorded row by row, and so is
what the database does by itself behind the application: a link emptied, a key carried along. While a flush of the
application writes, `fsms.logged` is on and the triggers cost a comparison. docs/decisions/activity-log.md says more.
"""

from alembic import op
from sqlalchemy import text

revision = "0010_activity"
down_revision = "0009_row_security"
branch_labels = None
depends_on = None

# Each table's key, and after it the columns whose values the log must not hold.
TABLES = {
    "User": ("userId", "password"),
    "Student": ("studentId",),
    "Guardian": ("guardianId",),
    "FamilyInfo": ("familyinfoId",),
    "Scholarship": ("scholarshipId",),
    "Course": ("courseId",),
    "Subject": ("subjectId",),
    "Grade": ("gradeId",),
    "Enrollment": ("enrollmentId",),
    "Attendance": ("attendanceId",),
    "SchoolYear": ("schoolYearId",),
    "Semester": ("semesterId",),
}

# The words are those of fsms/activity.py: attributes instead of columns, exact numbers as text, no null, no secret.
# It writes as the owner, since a teacher who deletes a mark may have caused what no teacher may record.
TELL = """
CREATE FUNCTION fsms_tell_change() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, {schema}, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    inside boolean := coalesce(current_setting('fsms.logged', true), '') IN ('on', 'rows');
    told jsonb := CASE WHEN inside THEN coalesce(nullif(current_setting('fsms.activity', true), ''), '{{}}')::jsonb
        ELSE jsonb_build_object('details', jsonb_build_object(
            'outside', true, 'by', session_user, 'application', current_setting('application_name'))) END;
    before jsonb := CASE WHEN TG_OP IN ('UPDATE', 'DELETE') THEN to_jsonb(OLD) END;
    after jsonb := CASE WHEN TG_OP IN ('INSERT', 'UPDATE') THEN to_jsonb(NEW) END;
    verb text := CASE TG_OP WHEN 'INSERT' THEN 'create' ELSE lower(TG_OP) END;
    found jsonb;
BEGIN
    IF TG_OP = 'TRUNCATE' THEN
        EXECUTE format('SELECT jsonb_build_object(''rows'', count(*)) FROM %I.%I', TG_TABLE_SCHEMA, TG_TABLE_NAME)
            INTO found;
    ELSE
        SELECT jsonb_build_object('changes', jsonb_object_agg(
            CASE name WHEN 'class' THEN 'class_' WHEN 'firstname' THEN 'first_name' WHEN 'lastname' THEN 'last_name'
                ELSE lower(regexp_replace(name, '([a-z0-9])([A-Z])', '\\1_\\2', 'g')) END,
            (SELECT jsonb_agg(
                CASE WHEN coalesce(value, 'null') = 'null' THEN 'null'
                    WHEN name = ANY (TG_ARGV[1:]) THEN '"hidden"'
                    WHEN jsonb_typeof(value) = 'number' AND value::text LIKE '%.%' THEN to_jsonb(value::text)
                    ELSE value END ORDER BY place)
             FROM unnest(ARRAY[before -> name, after -> name]) WITH ORDINALITY AS pair (value, place))))
        INTO found
        FROM jsonb_object_keys(coalesce(after, before)) AS name
        WHERE coalesce(before -> name, 'null') <> coalesce(after -> name, 'null')
            AND name NOT IN ('updatedAt', 'version') AND (name <> 'createdAt' OR TG_OP <> 'INSERT');
        IF found -> 'changes' = 'null' THEN
            RETURN NULL;
        END IF;
    END IF;
    INSERT INTO {schema}."ActivityLog" ("userId", action, entity, "entityId", batch, details) VALUES (
        CASE WHEN inside THEN nullif(current_setting('fsms.user_id', true), '')::integer END,
        verb || '_' || lower(TG_TABLE_NAME), TG_TABLE_NAME,
        (coalesce(after, before) ->> TG_ARGV[0])::integer,
        coalesce(told ->> 'batch', md5(txid_current()::text || now()::text))::uuid,
        coalesce(told -> 'details', '{{}}') || found);
    RETURN NULL;
END
$$
"""

# What a foreign key does by itself no flush knows of; it is done inside a trigger, and the depth tells.
UNTOLD = "current_setting('fsms.logged', true) IS DISTINCT FROM 'on'"

# Retention sets `fsms.retention` for its own transaction (fsms/operations/archiving.py); nothing rewrites an entry.
KEEP = """
CREATE FUNCTION fsms_keep_log() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF TG_OP = 'UPDATE' OR coalesce(current_setting('fsms.retention', true), '') <> 'on' THEN
        RAISE EXCEPTION 'The activity log is only added to, whoever asks: % refused.', TG_OP
            USING ERRCODE = 'FS001', HINT = 'Old entries leave it by: fsms activity archive --before DATE';
    END IF;
    RETURN NULL;
END
$$
"""

# Each is a question of a screen; docs/decisions/activity-log.md says which.
INDEXES = {
    "idx_activitylog_entity": '(entity, "entityId")',
    "idx_activitylog_batch": "(batch)",
    "idx_activitylog_user": '("userId", "timestamp")',
    "idx_activitylog_timestamp": '("timestamp")',
    "idx_activitylog_action": '(action, "timestamp")',
    "idx_activitylog_outside": "(id) WHERE details @> '{\"outside\": true}'",
    "idx_activitylog_undone": "((details #>> '{facts,undoes}')) WHERE action = 'undo'",
}

# Undo brings a teacher's deleted mark back under its number.
NUMBERS = {"Grade": "gradeId", "Attendance": "attendanceId"}


def upgrade() -> None:
    """Protect the log, let the tables tell it, and index it."""
    schema = op.get_bind().scalar(text("SELECT quote_ident(current_schema())"))
    for function in (TELL.format(schema=schema), KEEP):
        op.execute(function)
    for name in ("fsms_tell_change", "fsms_keep_log"):
        op.execute(f"REVOKE ALL ON FUNCTION {name}() FROM PUBLIC")
    for table, columns in TABLES.items():
        arguments = ", ".join(f"'{column}'" for column in columns)
        op.execute(
            f'CREATE TRIGGER fsms_tell_change AFTER INSERT OR UPDATE OR DELETE ON "{table}" FOR EACH ROW '
            f"WHEN ({UNTOLD} OR pg_trigger_depth() > 0) EXECUTE FUNCTION fsms_tell_change({arguments})"
        )
        op.execute(
            f'CREATE TRIGGER fsms_tell_truncation BEFORE TRUNCATE ON "{table}" FOR EACH STATEMENT '
            f"WHEN ({UNTOLD}) EXECUTE FUNCTION fsms_tell_change({arguments})"
        )
    op.execute(
        'CREATE TRIGGER fsms_keep_log BEFORE UPDATE OR DELETE OR TRUNCATE ON "ActivityLog" '
        "FOR EACH STATEMENT EXECUTE FUNCTION fsms_keep_log()"
    )
    for name, columns in INDEXES.items():
        op.execute(f'CREATE INDEX {name} ON "ActivityLog" {columns}')
    for table, key in NUMBERS.items():
        op.execute(f'GRANT INSERT ("{key}") ON "{table}" TO fsms_teacher')


def downgrade() -> None:
    """Take triggers and indexes away; every entry stays."""
    for table, key in NUMBERS.items():
        op.execute(f'REVOKE INSERT ("{key}") ON "{table}" FROM fsms_teacher')
    for name in INDEXES:
        op.execute(f"DROP INDEX {name}")
    op.execute('DROP TRIGGER fsms_keep_log ON "ActivityLog"')
    for table in TABLES:
        for trigger in ("fsms_tell_change", "fsms_tell_truncation"):
            op.execute(f'DROP TRIGGER {trigger} ON "{table}"')
    for name in ("fsms_tell_change", "fsms_keep_log"):
        op.execute(f"DROP FUNCTION {name}()")
