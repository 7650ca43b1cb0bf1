from typing import Any

from django_celery_beat.models import PeriodicTask

from catalog.management.base import ServiceCommand
from mlops.schedules import ensure_schedules


class Command(ServiceCommand):
    help = "Makes schedules follow config.yaml; those that were edited in the admin stay, and are named."

    def handle(self, *args: Any, **options: Any) -> None:
        known = set(PeriodicTask.objects.values_list("name", flat=True))
        written = ensure_schedules()
        for verb, is_known in (("Created", False), ("Changed", True)):
            if names := [name for name in written if (name in known) == is_known]:
                self.stdout.write(f"{verb}: {', '.join(names)}.")
        if not written:
            self.stdout.write("All schedules are there already.")
