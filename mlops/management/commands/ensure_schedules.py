from typing import Any

from django.core.management.base import BaseCommand, CommandError

from mlops.errors import MLOpsError
from mlops.services import ensure_schedules


class Command(BaseCommand):
    help = "Creates missing schedules from config.yaml; existing ones stay as they are."

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            created = ensure_schedules()
        except MLOpsError as error:
            raise CommandError(str(error)) from None
        self.stdout.write(f"Created: {', '.join(created)}." if created else "All schedules are there already.")
