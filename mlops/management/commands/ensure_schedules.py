from typing import Any

from catalog.management.base import ServiceCommand
from mlops.schedules import ensure_schedules


class Command(ServiceCommand):
    help = "Creates missing schedules from config.yaml; existing ones stay as they are."

    def handle(self, *args: Any, **options: Any) -> None:
        created = ensure_schedules()
        self.stdout.write(f"Created: {', '.join(created)}." if created else "All schedules are there already.")
