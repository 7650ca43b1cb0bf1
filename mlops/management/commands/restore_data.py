from typing import Any

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
        parser.add_argument(
            "--latest", action="store_true", help="Bring the snapshot of the latest ratings alone; print its folder."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        folders = restore_data(latest=options["latest"])
        if options["latest"]:
            latest = max(folders, key=last_rated_at, default=None)
            if latest is None:
                raise CommandError("The remote has no snapshot.")
            self.stdout.write(str(latest))
            return
        for folder in folders:
            self.stdout.write(f"{folder}")
        self.stdout.write(self.style.SUCCESS(f"{len(folders)} folders are as they were pushed."))
