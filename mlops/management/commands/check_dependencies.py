from typing import Any

from django.core.management.base import BaseCommand

from mlops.services import check_dependencies


class Command(BaseCommand):
    help = "Looks at what the site relies on (libraries, TMDB) and alerts of what changed; a change is no error."

    def handle(self, *args: Any, **options: Any) -> None:
        for check in check_dependencies():
            self.stdout.write(f"{check.name}: {check.change or ('as it was' if check.is_reachable else 'no answer')}")
