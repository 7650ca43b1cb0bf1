from typing import Any

from django.core.management.base import BaseCommand, CommandError

from mlops.errors import MLOpsError
from mlops.services import restore_data


class Command(BaseCommand):
    help = (
        "Brings back what was pushed to DVC's remote (DVC_REMOTE_URL): fetches the pointers from there and lets "
        "`dvc pull` put snapshots and models in their places. Files that are there and whole are left as they are."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            folders = restore_data()
        except MLOpsError as error:
            raise CommandError(str(error)) from None
        for folder in folders:
            self.stdout.write(f"{folder}")
        self.stdout.write(self.style.SUCCESS(f"{len(folders)} folders are as they were pushed."))
