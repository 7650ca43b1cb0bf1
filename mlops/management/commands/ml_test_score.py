from typing import Any

from django.core.management.base import BaseCommand

from mlops.test_score.collect import collect_evidence
from mlops.test_score.score import ml_test_score


class Command(BaseCommand):
    help = "Shows the ML Test Score: 28 tests from the evidence of automatic checks, and what is missing for each."

    def handle(self, *args: Any, **options: Any) -> None:
        collect_evidence()
        score = ml_test_score()
        for section in score.sections:
            self.stdout.write(f"{section.name}: {section.points:g} of 7")
            for found in section.tests:
                missing = f"  ({'; '.join(map(str, found.missing))})" if found.missing else ""
                release = "  [release CI]" if found.by_release else ""
                self.stdout.write(f"  {found.test.id:<4} {found.points:<4g} {found.test.title}{release}{missing}")
        self.stdout.write(f"Score: {score.points:g} (the lowest section)")
