import django.db.models.deletion
from django.conf import settings
from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from catalog.migrations._permissions import rename_permissions

RENAMED = (("historyimport", "userimport", "user import"), ("historyentry", "importrow", "import row"))


def rename(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    for before, after, words in RENAMED:
        rename_permissions(apps, "catalog", before, after, words)


def rename_back(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    for before, after, _ in RENAMED:
        rename_permissions(apps, "catalog", after, before, before)


class Migration(migrations.Migration):
    dependencies = [("auth", "0012_alter_user_first_name_max_length"), ("catalog", "0006_bulk")]

    operations = [
        migrations.RemoveIndex("HistoryEntry", "catalog_historyentry_by_movie"),
        migrations.RemoveConstraint("HistoryImport", "catalog_historyimport_one_open"),
        migrations.RenameModel("HistoryImport", "UserImport"),
        migrations.RenameModel("HistoryEntry", "ImportRow"),
        migrations.RenameField("UserImport", "n_entries", "n_rows"),
        migrations.RenameField("ImportRow", "history_import", "user_import"),
        migrations.RenameField("ImportRow", "noted_at", "recorded_at"),
        migrations.RenameField("Viewing", "noted_at", "recorded_at"),
        migrations.AlterField(
            "UserImport",
            "user",
            models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="imports", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AlterField(
            "ImportRow",
            "user_import",
            models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="rows", to="catalog.userimport"
            ),
        ),
        migrations.AlterModelOptions("ImportRow", {"ordering": ["id"]}),
        migrations.AlterModelOptions(
            "Viewing", {"ordering": [models.F("watched_on").desc(nulls_last=True), "-recorded_at", "-id"]}
        ),
        migrations.RenameIndex(
            "UserImport", new_name="catalog_userimport_status", old_name="catalog_historyimport_status"
        ),
        migrations.AddIndex(
            "ImportRow", models.Index(fields=["user_import", "movie", "id"], name="catalog_importrow_by_movie")
        ),
        migrations.AddConstraint(
            "UserImport",
            models.UniqueConstraint(
                fields=["user"],
                condition=models.Q(status__in=("waiting", "reading", "ready")),
                name="catalog_userimport_one_open",
            ),
        ),
        migrations.RunPython(rename, rename_back, elidable=True),
    ]
