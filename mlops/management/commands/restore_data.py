from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser

from catalog.management.base import ServiceCommand
from mlops.data.snapshot_files import last_rated_at
from mlops.registry.dvc_remote import restore_data


class Command(ServiceCommand):
    help = (
        "Brings back what was pushed to DVC's remote (DVC_REMOTE_URL): fetches the pointers from there and lets "
        "`dvc pull` put snapshots and models in their places. Files that are there and whole are left as they are."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--latest", action="store_true", help="Print nothing but the folder of the latest ratings.")

    def handle(self, *args: Any, **options: Any) -> None:
        folders = restore_data()
        if options["latest"]:
            snapshots = [folder for folder in folders if folder.parent == Path(settings.SNAPSHOT_DIR)]
            latest = max(snapshots, key=last_rated_at, default=None)
            if latest is None:
                raise CommandError("The remote has no snapshot.")
            self.stdout.write(str(latest))
            return
        for folder in folders:
            self.stdout.write(f"{folder}")
        self.stdout.write(self.style.SUCCESS(f"{len(folders)} folders are as they were pushed."))
