"""Keys as hashes, with scopes; the tokens of REST framework's own table become such keys and go on working."""

from datetime import UTC, datetime
from hashlib import sha256

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models
from django.db.migrations.recorder import MigrationRecorder
from django.utils.dateparse import parse_datetime

TABLE = "authtoken_token"
NAME = "Token from before API keys"
BATCH = 1000


def move_tokens(apps, schema_editor):
    """The clear text leaves the database with its table, on SQLite also its free pages."""
    connection = schema_editor.connection
    with connection.cursor() as cursor:
        if TABLE not in connection.introspection.table_names(cursor):
            return
        cursor.execute(f"SELECT key, user_id, created FROM {TABLE}")
        rows = cursor.fetchall()
    for start in range(0, len(rows), BATCH):
        _make_keys(apps, rows[start : start + BATCH])
    if connection.vendor == "sqlite":
        schema_editor.execute("PRAGMA secure_delete = ON")
    schema_editor.execute(f"DROP TABLE {TABLE}")
    apps.get_model("auth", "Permission").objects.filter(content_type__app_label="authtoken").delete()
    MigrationRecorder(connection).migration_qs.filter(app="authtoken").delete()


def _make_keys(apps, rows):
    user_model, permission = apps.get_model("catalog", "User"), apps.get_model("auth", "Permission").objects.filter(
        content_type__app_label="recommender", codename="recommend_for_others"
    )
    users = user_model.objects.filter(pk__in=[user for _key, user, _created in rows])
    staff = set(users.filter(is_staff=True).values_list("pk", flat=True))
    services = set(users.filter(models.Q(is_superuser=True) | models.Q(user_permissions__in=permission) | models.Q(
        groups__permissions__in=permission
    )).values_list("pk", flat=True))
    key_model = apps.get_model("catalog", "APIKey")
    key_model.objects.bulk_create(
        key_model(
            user_id=user,
            name=NAME,
            hash=sha256(key.encode()).hexdigest(),
            prefix=key[:10],
            scopes=" ".join(
                ["read", "rate", *(["service"] if user in services else []), *(["bulk", "models"] if user in staff else [])]
            ),
            created_at=_moment(created),
        )
        for key, user, created in rows
    )


def _moment(value):
    """SQLite gives a text."""
    moment = value if isinstance(value, datetime) else parse_datetime(str(value))
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


class Migration(migrations.Migration):

    dependencies = [
        ('catalog', '0020_skeletons_and_sessions'),
    ]

    operations = [
        migrations.CreateModel(
            name='APIKey',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(help_text='What the key is for.', max_length=60)),
                ('hash', models.CharField(editable=False, max_length=64, unique=True)),
                ('prefix', models.CharField(editable=False, max_length=10)),
                ('scopes', models.CharField(help_text='Separated by spaces.', max_length=60)),
                ('is_from_sign_in', models.BooleanField(default=False, help_text='Made by POST token/ for a name and password.')),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('expires_at', models.DateTimeField(blank=True, null=True)),
                ('last_used_at', models.DateTimeField(blank=True, help_text='To the minute.', null=True)),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='api_keys', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'API key',
                'ordering': ['-created_at', '-id'],
            },
        ),
        migrations.RunPython(move_tokens, migrations.RunPython.noop),
    ]
