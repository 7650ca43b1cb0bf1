"""Renames Evidence to TestEvidence; its checks get codes, and its details become findings."""

import re
from typing import Any

from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

CODES = {
    "the champion's verdict": "evidence.gate_decision",
    "code and parameters checked in": "evidence.checked_in",
    "hyper-parameters against the last search": "evidence.tuned",
    "data checks of the last training": "evidence.data_checks",
    "backtest.features": "evidence.backtest:features",
    "backtest.staleness": "evidence.backtest:staleness",
    "cost of the champion against versions before": "evidence.costs",
    "ages": "evidence.staleness",
    "live quality": "evidence.online_metrics",
    "offline against live nDCG": "evidence.correlation",
    "dependencies": "dependency.all",
}
TESTS = re.compile(r"tests, (.+)")


def give_codes(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    rows = apps.get_model("mlops", "TestEvidence").objects
    for pk, name, passed, detail in rows.order_by("-ran_at").values_list("pk", "code", "passed", "detail"):
        code = key_of(name)
        rows.filter(pk=pk).update(code=code, findings=[finding(code, passed, detail)])
    permissions = apps.get_model("auth", "Permission").objects.filter(content_type__app_label="mlops")
    for action in ("add", "change", "delete", "view"):
        permissions.filter(codename=f"{action}_evidence").update(
            codename=f"{action}_testevidence", name=f"Can {action} test evidence"
        )


def key_of(name: str) -> str:
    if found := TESTS.fullmatch(name):
        return f"evidence.tests:{found[1]}"
    return CODES.get(name, name)


def finding(key: str, passed: bool, detail: str) -> dict[str, Any]:
    """The detail is kept as it was written."""
    code, _, subject = key.partition(":")
    common = {"code": code, "subject": subject, "outcome": "passed" if passed else "failed"}
    figures = {"figure": None, "threshold": None, "interval": None}
    text = {"params": {"name": key, "text": detail}, "message": "legacy"} if detail else {"params": {}, "message": ""}
    return common | figures | text


class Migration(migrations.Migration):
    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
        ("mlops", "0014_monitoring_codes_only"),
    ]

    operations = [
        migrations.RemoveConstraint(model_name="evidence", name="mlops_evidence_unique"),
        migrations.RenameModel(old_name="Evidence", new_name="TestEvidence"),
        migrations.RenameField(model_name="testevidence", old_name="check_name", new_name="code"),
        migrations.AlterField(
            model_name="testevidence",
            name="code",
            field=models.CharField(help_text="The check, with its subject.", max_length=200),
        ),
        migrations.AddField(
            model_name="testevidence",
            name="findings",
            field=models.JSONField(
                default=list, help_text="The finding of the check, then the findings behind it."
            ),
        ),
        migrations.AlterField(
            model_name="testevidence",
            name="revision",
            field=models.CharField(blank=True, help_text="Revision of the checked code.", max_length=64),
        ),
        migrations.AlterField(
            model_name="testevidence",
            name="passed_at",
            field=models.DateTimeField(blank=True, help_text="When it last passed.", null=True),
        ),
        migrations.AlterModelOptions(
            name="testevidence",
            options={
                "ordering": ["test", "source", "code"],
                "verbose_name": "test evidence",
                "verbose_name_plural": "test evidence",
            },
        ),
        migrations.RunPython(give_codes, migrations.RunPython.noop, elidable=True),
        migrations.RemoveField(model_name="testevidence", name="detail"),
        migrations.AddConstraint(
            model_name="testevidence",
            constraint=models.UniqueConstraint(
                fields=("test", "source", "code"), name="mlops_testevidence_unique"
            ),
        ),
    ]
