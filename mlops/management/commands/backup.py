from typing import Any

from django.core.management.base import CommandParser

from catalog.management.base import ServiceCommand
from mlops.backup.create import create_backup


class Command(ServiceCommand):
    help = (
        "Writes a backup to DEST while the site runs: database, models, snapshots and MLflow's local store, with a "
        "checksum of every file, encrypted if BACKUP_KEY or BACKUP_KEY_FILE is set. Secrets are left out. Removes the "
        "oldest backups in DEST beyond backup.keep."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        text = "A folder, or s3://bucket/prefix; default: backup.folder."
        parser.add_argument("dest", metavar="DEST", nargs="?", help=text)

    def handle(self, *args: Any, **options: Any) -> None:
        made = create_backup(options["dest"])
        for what in made.left_out:
            self.stdout.write(f"Left out: {what}.")
        for what in made.missing:
            self.stdout.write(self.style.WARNING(f"Missing on this site, so not in the backup: {what}"))
        for what in made.damaged:
            self.stdout.write(self.style.WARNING(f"Damaged on this site, and in the backup: {what}"))
        for address in made.removed:
            self.stdout.write(f"Removed, beyond backup.keep: {address}")
        how = "encrypted" if made.is_encrypted else "not encrypted"
        self.stdout.write(self.style.SUCCESS(f"{made.address}: {made.size_bytes / 1e6:.1f} MB, {how}"))
