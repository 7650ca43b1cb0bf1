"""Tokens of REST framework become keys. They still work, and the database no longer stores them."""

from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path

import pytest
from django.apps import apps
from django.contrib.auth.models import Group, Permission
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder

from catalog.models import APIKey
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db(transaction=True)

TABLE = "authtoken_token"
CREATED = datetime(2025, 5, 4, 3, 2, 1, tzinfo=UTC)
move_tokens = import_module("catalog.migrations.0021_api_keys").move_tokens


@pytest.fixture
def people() -> dict:
    permission = Permission.objects.get(codename="recommend_for_others")
    group = Group.objects.create(name="services")
    group.permissions.add(permission)
    made = {
        "person": UserFactory(),
        "staff": UserFactory(is_staff=True),
        "service": UserFactory(),
        "member": UserFactory(),
        "boss": UserFactory(is_staff=True, is_superuser=True),
    }
    made["service"].user_permissions.add(permission)
    made["member"].groups.add(group)
    return made


def migrate(tokens: dict) -> None:
    """The data step, on the table that Django's migrations of REST framework make."""
    moment = "timestamptz" if connection.vendor == "postgresql" else "datetime"
    adapted = connection.ops.adapt_datetimefield_value(CREATED)
    with connection.cursor() as cursor:
        cursor.execute(
            f"CREATE TABLE {TABLE} (key varchar(40) PRIMARY KEY, created {moment} NOT NULL, user_id bigint NOT NULL)"
        )
        for key, user in tokens.items():
            cursor.execute(f"INSERT INTO {TABLE} (key, created, user_id) VALUES (%s, %s, %s)", [key, adapted, user.pk])
    MigrationRecorder(connection).record_applied("authtoken", "0001_initial")
    with connection.schema_editor() as editor:
        move_tokens(apps, editor)


def test_an_old_token_goes_on_with_what_it_could_do(api, people):
    tokens = {f"{number:040x}": user for number, user in enumerate(people.values())}
    migrate(tokens)
    found = {name: user.api_keys.get() for name, user in people.items()}

    assert {name: row.scopes for name, row in found.items()} == {
        "person": "read rate",
        "staff": "read rate bulk models",
        "service": "read rate service",
        "member": "read rate service",
        "boss": "read rate service bulk models",
    }
    assert {row.created_at for row in found.values()} == {CREATED}
    for key in tokens:
        api.credentials(HTTP_AUTHORIZATION=f"Token {key}")
        assert api.get("/api/v1/ratings/").status_code == 200


def test_the_clear_text_and_its_table_are_gone(nora):
    key = "0123456789abcdef" * 2 + "01234567"
    migrate({key: nora})

    assert TABLE not in connection.introspection.table_names()
    assert key not in str(list(APIKey.objects.values()))
    assert not MigrationRecorder(connection).migration_qs.filter(app="authtoken").exists()
    if connection.vendor == "sqlite":  # whose free pages keep what was deleted, unless told
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        assert key.encode() not in Path(connection.settings_dict["NAME"]).read_bytes()


def test_a_site_without_such_a_table_has_nothing_to_move(db):
    with connection.schema_editor() as editor:
        move_tokens(apps, editor)

    assert not APIKey.objects.exists()
