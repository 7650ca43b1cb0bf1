import json
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from catalog.management.base import ServiceCommand
from mlops.data.validation import validate_snapshot
from mlops.findings import title


class Command(ServiceCommand):
    help = (
        "Checks a snapshot's data: bad rows go to quarantine, all failures are listed. "
        "Ends with code 1 when no model should learn from it."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("snapshot", metavar="SNAPSHOT", help="The beginning of its hash, or a folder with one.")
        parser.add_argument("--out", type=Path, metavar="FILE", help="Write the result as JSON.")

    def handle(self, *args: Any, **options: Any) -> None:
        snapshot, report = validate_snapshot(snapshot=options["snapshot"])
        if options["out"]:
            found = {name: value for name, value in snapshot.check_report.items() if name != "checked_at"}
            options["out"].parent.mkdir(parents=True, exist_ok=True)
            options["out"].write_text(json.dumps(found, indent=1, sort_keys=True) + "\n", encoding="utf-8")
        for code, n_rows in sorted(report.reasons.items()):
            self.stdout.write(f"in quarantine: {n_rows} rows: {title(code)}")
        self.stdout.write(self.style.SUCCESS(f"Snapshot {snapshot}: {report.n_rows:,} rows, {report.n_bad} bad."))
