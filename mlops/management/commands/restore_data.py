from typing import Any

from catalog.management.base import ServiceCommand
from mlops.registry.dvc_remote import restore_data


class Command(ServiceCommand):
    help = (
        "Brings back what was pushed to DVC's remote (DVC_REMOTE_URL): fetches the pointers from there and lets "
        "`dvc pull` put snapshots and models in their places. Files that are there and whole are left as they are."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        folders = restore_data()
        for folder in folders:
            self.stdout.write(f"{folder}")
        self.stdout.write(self.style.SUCCESS(f"{len(folders)} folders are as they were pushed."))
