from typing import Any

from django.core.management.base import BaseCommand

from mlops.services import check_retraining


class Command(BaseCommand):
    help = "Evaluates the criteria for a training, and starts one if any is met; what it finds is no error."

    def handle(self, *args: Any, **options: Any) -> None:
        check = check_retraining()
        for criterion in check.criteria:
            met = "met" if criterion["is_met"] else "not met"
            self.stdout.write(f"{criterion['name']}: {met} ({criterion['sentence']})")
        self.stdout.write(check.outcome)
