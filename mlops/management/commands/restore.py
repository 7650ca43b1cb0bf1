from typing import Any

from django.core.management.base import CommandParser

from catalog.management.base import ServiceCommand
from mlops.backup.restore import restore_backup, verify_backup


class Command(ServiceCommand):
    help = (
        "Restores a backup on an empty host: checks every byte, brings back files and database, migrates, and tests "
        "the champion. Stop the site first. Refuses a damaged backup, and a database that is not empty."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "source", metavar="SRC", help="A backup, or a folder or s3://bucket/prefix of which to take the newest."
        )
        parser.add_argument("--verify", action="store_true", help="Only read every byte, and name files that differ.")
        parser.add_argument("--force", action="store_true", help="DELETE what the database holds now.")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["verify"]:
            address, is_read = verify_backup(options["source"])
            self.stdout.write(self.style.SUCCESS(f"{address}: every file is as it was written."))
            if not is_read:
                self.stdout.write("It is encrypted; with its secret key in BACKUP_KEY its content is checked too.")
            return
        restored = restore_backup(options["source"], force=options["force"])
        for what in restored.description["left_out"]:
            self.stdout.write(f"Not in the backup: {what}.")
        for what in restored.description["missing"]:
            self.stdout.write(self.style.WARNING(f"Was missing when it was made: {what}"))
        for what in restored.description.get("damaged", []):  # missing in earlier backups
            self.stdout.write(self.style.WARNING(f"Was damaged when it was made: {what}"))
        champion = "there is no champion; lists show popular movies"
        if restored.champion is not None:
            champion = f"the champion, version {restored.champion}, passed its smoke test"
        self.stdout.write(self.style.SUCCESS(f"Restored {restored.address}; {champion}."))
