from typing import Any

from django.core.management.base import BaseCommand

from mlops.findings import Outcome
from mlops.monitoring.drift.report import check_drift


class Command(BaseCommand):
    help = "Compares the latest weeks with the weeks before and saves a report; drift is not an error."

    def handle(self, *args: Any, **options: Any) -> None:
        report = check_drift()
        for check in report.findings:
            counts = f"{check.params.get('n_before')} -> {check.params.get('n_recent')}"
            self.stdout.write(f"{check.title}: {Outcome(check.outcome).label} ({counts}). {check.sentence}")
        self.stdout.write(
            f"{report.window_start:%Y-%m-%d} to {report.window_end:%Y-%m-%d}: {report.get_status_display()}"
        )
