"""The database itself protects the audit trail from changes by any program."""

import json
from io import StringIO
from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction
from django.db.models import Model, ProtectedError
from django.test import RequestFactory
from django.utils import timezone

from catalog.models import User
from mlops.migrations._append_only import PERSON
from mlops.models import GateDecision, ModelVersion, Promotion
from mlops.models.versions import AppendOnly
from mlops.services import promote, refuse
from tests.audit_trail import trail
from tests.factories import UserFactory
from tests.mlops.site import make_version

TRAILS: list[tuple[type[Model], str]] = [(Promotion, "promoted_by"), (GateDecision, "decided_by")]
OTHERS: dict[str, Any] = {"JSONField": '["changed"]', "DateTimeField": timezone.now()}


@pytest.fixture
def record(alice, quick, sam) -> dict[type[Model], Any]:
    """A row of each trail that names a person."""
    live, refused = make_version(), make_version()
    promotion = promote(version=live.pk, by=sam, reason="it was better")
    decision = refuse(version=refused.pk, by=sam, reason="odd lists")
    connection.check_constraints()  # Postgres truncates no table that has checks to come
    return {Promotion: promotion, GateDecision: decision}


def execute(statement: str, *parameters: Any) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement, parameters)


@pytest.mark.parametrize(("model", "person"), TRAILS)
def test_no_column_can_be_changed(record, model, person):
    table, row, other = model._meta.db_table, record[model], make_version()

    for field in model._meta.concrete_fields:
        if field.name in (person, "id"):
            continue
        value = other.pk if field.is_relation else OTHERS.get(field.get_internal_type(), "changed")
        with pytest.raises(IntegrityError, match=f"{table} is append-only: its rows are never changed"):
            execute(f"UPDATE {table} SET {field.column} = %s WHERE id = %s", value, row.pk)


@pytest.mark.parametrize(("model", "person"), TRAILS)
def test_the_person_can_only_be_forgotten(record, model, person):
    table, row, other = model._meta.db_table, record[model], UserFactory()

    with pytest.raises(IntegrityError, match=f"Expected at most that {person}_id becomes NULL"):
        execute(f"UPDATE {table} SET {person}_id = %s WHERE id = %s", other.pk, row.pk)
    with pytest.raises(IntegrityError, match="append-only"):
        execute(f"UPDATE {table} SET {person}_id = NULL, reason = '' WHERE id = %s", row.pk)
    execute(f"UPDATE {table} SET {person}_id = NULL WHERE id = %s", row.pk)
    with pytest.raises(IntegrityError, match="append-only"):
        execute(f"UPDATE {table} SET {person}_id = %s WHERE id = %s", other.pk, row.pk)

    row.refresh_from_db()
    assert getattr(row, person) is None
    assert row.reason in ("it was better", "odd lists")


@pytest.mark.parametrize(("model", "person"), TRAILS)
def test_rows_cannot_be_removed_or_replaced(record, model, person):
    table, row = model._meta.db_table, record[model]
    values = ", ".join("''" if field.column == "reason" else field.column for field in model._meta.concrete_fields)
    attempts = [f"DELETE FROM {table}"]
    if connection.vendor == "postgresql":
        attempts += [f"TRUNCATE {table}", f"TRUNCATE {table} CASCADE"]
    else:
        attempts += [f"INSERT OR REPLACE INTO {table} SELECT {values} FROM {table}"]

    for statement in attempts:
        with pytest.raises(IntegrityError, match="append-only"):
            execute(statement)

    assert type(row).objects.get(pk=row.pk).reason == row.reason


def test_erasing_an_account_leaves_the_rows_without_the_person(record, sam):
    sam.delete()

    assert not User.objects.filter(username="sam").exists()
    assert (Promotion.objects.get().promoted_by, Promotion.objects.get().reason) == (None, "it was better")
    decision = GateDecision.objects.first()
    assert (decision.decided_by, decision.reason) == (None, "odd lists")


def test_a_version_with_a_decision_cannot_be_removed(record):
    for version in ModelVersion.objects.all():
        with pytest.raises(ProtectedError):
            version.delete()


@pytest.mark.django_db(transaction=True)
def test_flush_is_refused_while_there_is_a_record(record, monkeypatch):
    monkeypatch.setattr(type(connection.ops), "sql_flush", type(connection.ops).sql_flush.__wrapped__)

    with pytest.raises(CommandError, match="couldn't be flushed"):
        call_command("flush", interactive=False, verbosity=0)

    assert Promotion.objects.exists()


def test_fixtures_load_and_change_nothing_that_is_there(record, tmp_path):
    file = tmp_path / "trail.json"
    call_command("dumpdata", "mlops.Promotion", "mlops.GateDecision", output=str(file))
    for model, _ in TRAILS:
        trail(model).delete()

    for _ in range(2):
        call_command("loaddata", str(file), stdout=StringIO())

    assert (Promotion.objects.count(), Promotion.objects.get().reason) == (1, "it was better")
    rows = json.loads(file.read_text(encoding="utf-8"))
    rows[0]["fields"]["reason"] = "something else"
    file.write_text(json.dumps(rows), encoding="utf-8")
    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
        call_command("loaddata", str(file), stdout=StringIO())


@pytest.mark.django_db(transaction=True)
def test_migrating_back_and_forth_keeps_the_rows(record):
    """Without the migration rows can be changed; with it the existing ones are kept as they are."""
    call_command("migrate", "mlops", "0021", verbosity=0)
    try:
        execute("UPDATE mlops_promotion SET reason = 'written before'")
    finally:
        call_command("migrate", "mlops", verbosity=0)

    assert Promotion.objects.get().reason == "written before"
    with pytest.raises(IntegrityError, match="append-only"):
        execute("UPDATE mlops_promotion SET reason = 'written after'")


@pytest.mark.parametrize(("model", "person"), TRAILS)
def test_the_admin_only_shows_them(client, record, sam, model, person):
    request = RequestFactory().get("/")
    request.user = sam
    page = admin.site.get_model_admin(model)

    assert page.has_view_permission(request)
    assert not any((page.has_add_permission(request), page.has_change_permission(request)))
    assert not page.has_delete_permission(request)
    client.force_login(sam)
    for action in ("change", "delete"):
        address = f"/admin/mlops/{model._meta.model_name}/{record[model].pk}/{action}/"
        client.post(address, {"reason": "x", "post": "yes"})
    assert model.objects.get(pk=record[model].pk).reason == record[model].reason


def test_every_append_only_model_has_its_triggers():
    assert {model.__name__ for model in apps.get_models() if issubclass(model, AppendOnly)} == set(PERSON)
