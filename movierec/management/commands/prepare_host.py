import logging
from typing import Any

from django.core.management import BaseCommand, call_command

from mlops.delivery.fetch import fetch_versions
from mlops.errors import MLOpsError
from mlops.schedules import ensure_schedules

logger = logging.getLogger(__name__)


class Command(BaseCommand):
    help = (
        "Makes a host ready whose disk does not outlive a restart, in one process: migrates the database, brings its "
        "schedules in step with the policy, and fetches the champion's files from MODEL_STORE. Without them the site "
        "serves popular movies, so a store that fails is logged and ends nothing."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        call_command("migrate", interactive=False, verbosity=options["verbosity"])
        ensure_schedules()
        try:
            fetched = fetch_versions()
        except MLOpsError as error:
            logger.error("the model was not fetched: %s", error)
        else:
            self.stdout.write(f"Fetched models: {len(fetched)}.")
        call_command("setup_link", "--if-open", stdout=self.stdout)
