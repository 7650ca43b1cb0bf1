"""RenameModel leaves the code names of permissions as they are; whoever holds one keeps it under the new name."""

from django.apps.registry import Apps


def rename_permissions(apps: Apps, app_label: str, before: str, after: str, words: str) -> None:
    """`before` and `after` are the model's names in lower case, `words` its new verbose name."""
    permissions = apps.get_model("auth", "Permission").objects.filter(content_type__app_label=app_label)
    for action in ("add", "change", "delete", "view"):
        permissions.filter(codename=f"{action}_{before}").update(
            codename=f"{action}_{after}", name=f"Can {action} {words}"
        )
