from typing import Any

from django.core.management.base import BaseCommand

from mlops.monitoring.dependencies import check_dependencies


class Command(BaseCommand):
    help = "Checks what the site depends on (libraries, TMDB) and raises an alert on a change, which is not an error."

    def handle(self, *args: Any, **options: Any) -> None:
        for check in check_dependencies():
            self.stdout.write(f"{check.title}: {check.sentence}")
