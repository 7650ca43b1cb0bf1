from typing import Any

from django.core.management.base import BaseCommand

from mlops.services import check_drift


class Command(BaseCommand):
    help = "Compares the latest window of ratings with the one before and keeps a report; what it finds is no error."

    def handle(self, *args: Any, **options: Any) -> None:
        report = check_drift()
        for check in report.checks:
            counts = f"{check['n_before']} -> {check['n_recent']} ratings"
            self.stdout.write(f"{check['name']}: {check['status']} ({check['sentence']}; {counts})")
        self.stdout.write(
            f"{report.window_start:%Y-%m-%d} to {report.window_end:%Y-%m-%d}: {report.get_status_display()}"
        )
