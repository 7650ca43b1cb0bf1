from typing import Any

from django.core.management.base import BaseCommand

from mlops.findings import Outcome
from mlops.monitoring.retraining import check_retraining


class Command(BaseCommand):
    help = "Evaluates the retraining criteria and starts a training if any is met."

    def handle(self, *args: Any, **options: Any) -> None:
        check = check_retraining()
        for criterion in check.findings:
            met = "met" if criterion.outcome == Outcome.ALERT else "not met"
            self.stdout.write(f"{criterion.title}: {met}. {criterion.sentence}")
        self.stdout.write(check.sentence)
