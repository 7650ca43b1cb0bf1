"""Gives the rules of earlier gate decisions their codes, and renames keys of versions' figures."""

from typing import Any

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from mlops.migrations._old_rules import SOURCES, with_code


def give_codes(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    decisions = apps.get_model("mlops", "GateDecision").objects
    for pk, rules in decisions.values_list("pk", "rules").iterator():
        decisions.filter(pk=pk).update(rules=[with_code(rule) for rule in rules])
    versions = apps.get_model("mlops", "ModelVersion").objects
    for pk, figures in versions.values_list("pk", "figures").iterator():
        versions.filter(pk=pk).update(figures=_renamed(figures))
    permissions = apps.get_model("auth", "Permission").objects.filter(content_type__app_label="mlops")
    for action in ("add", "change", "delete", "view"):
        permissions.filter(codename=f"{action}_gateverdict").update(
            codename=f"{action}_gatedecision", name=f"Can {action} gate decision"
        )


def _renamed(figures: dict[str, Any]) -> dict[str, Any]:
    if "fresh_process" in figures:
        figures["smoke_test"] = figures.pop("fresh_process")
    if "shadow" in figures:
        replay = figures["replay"] = figures.pop("shadow")
        found = replay.get("figures") if replay else None
        if found:
            asked = found.pop("asked", "")
            found |= {"source": SOURCES.get(asked, asked), "n_excluded": found.pop("n_hidden", 0)}
    return figures


class Migration(migrations.Migration):
    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
        ("mlops", "0008_gate_decision"),
    ]

    operations = [migrations.RunPython(give_codes, migrations.RunPython.noop, elidable=True)]
