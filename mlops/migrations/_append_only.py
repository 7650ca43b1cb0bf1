"""Triggers that keep the rows of an audit trail: only the column of the person who acted may change, to NULL.

A migration that has SQLite remake one of these tables, which drops its triggers, ends with `create`; one that changes rows
begins with `drop`. The way around them for everybody else is the same pair, in one transaction.
"""

from typing import Any

PERSON = {"Promotion": "promoted_by", "GateDecision": "decided_by"}
FUNCTION = "mlops_append_only"

POSTGRES_FUNCTION = f"""
CREATE OR REPLACE FUNCTION {FUNCTION}() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF to_jsonb(NEW) - TG_ARGV[0] = to_jsonb(OLD) - TG_ARGV[0]
            AND to_jsonb(NEW) -> TG_ARGV[0] IN ('null', to_jsonb(OLD) -> TG_ARGV[0]) THEN
            RETURN NEW;
        END IF;
    END IF;
    RAISE EXCEPTION USING MESSAGE = TG_ARGV[1], ERRCODE = 'integrity_constraint_violation';
END $$
"""
POSTGRES = {
    "row": "BEFORE UPDATE OR DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION {function}('{person}', '{message}')",
    "truncate": "BEFORE TRUNCATE ON {table} FOR EACH STATEMENT EXECUTE FUNCTION {function}('{person}', '{message}')",
}
SQLITE = {
    "update": "BEFORE UPDATE ON {table} WHEN NOT ({same} AND (NEW.{person} IS NULL OR NEW.{person} IS OLD.{person})) "
    "BEGIN SELECT RAISE(ABORT, '{message}'); END",
    "delete": "BEFORE DELETE ON {table} BEGIN SELECT RAISE(ABORT, '{message}'); END",
    # INSERT OR REPLACE removes the former row without a trigger for deletions.
    "replace": "BEFORE INSERT ON {table} WHEN EXISTS (SELECT 1 FROM {table} WHERE {key} = NEW.{key}) "
    "BEGIN SELECT RAISE(ABORT, '{message}'); END",
}


def creations(apps: Any, vendor: str) -> list[str]:
    """The statements that create the triggers of that database vendor."""
    statements = [POSTGRES_FUNCTION] if vendor == "postgresql" else []
    for name, person in PERSON.items():
        options = apps.get_model("mlops", name)._meta
        column = options.get_field(person).column
        kept = [field.column for field in options.concrete_fields if field.column != column]
        fields = {
            "table": options.db_table,
            "function": FUNCTION,
            "person": column,
            "key": options.pk.column,
            "same": " AND ".join(f"NEW.{other} IS OLD.{other}" for other in kept),
            "message": f"{options.db_table} is append-only: its rows are never changed or removed. Expected at most "
            f"that {column} becomes NULL.",
        }
        statements += [
            f"CREATE TRIGGER {options.db_table}_{kind} {rest.format(**fields)}" for kind, rest in _kinds(vendor).items()
        ]
    return statements


def drops(apps: Any, vendor: str) -> list[str]:
    tables = [apps.get_model("mlops", name)._meta.db_table for name in PERSON]
    place = " ON {}" if vendor == "postgresql" else ""
    return [f"DROP TRIGGER IF EXISTS {table}_{kind}{place.format(table)}" for table in tables for kind in _kinds(vendor)]


def create(apps: Any, schema_editor: Any) -> None:
    for statement in creations(apps, schema_editor.connection.vendor):
        schema_editor.execute(statement, None)


def drop(apps: Any, schema_editor: Any) -> None:
    for statement in drops(apps, schema_editor.connection.vendor):
        schema_editor.execute(statement, None)


def _kinds(vendor: str) -> dict[str, str]:
    return POSTGRES if vendor == "postgresql" else SQLITE
