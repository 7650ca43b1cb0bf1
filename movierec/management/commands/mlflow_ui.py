from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from movierec.programs import become


class Command(BaseCommand):
    help = "Show the experiments of the embedded site in MLflow's own pages, on 127.0.0.1."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--port", type=int, default=5000)

    def handle(self, *args: Any, **options: Any) -> None:
        uri = settings.MLFLOW_TRACKING_URI
        if uri.startswith(("http://", "https://")):
            raise CommandError(f"MLFLOW_TRACKING_URI already names a server; open {uri}")
        if uri.startswith("sqlite:///"):
            Path(uri.removeprefix("sqlite:///")).parent.mkdir(parents=True, exist_ok=True)
        self.stdout.write(f"MLflow is at http://127.0.0.1:{options['port']}")
        arguments = ["server", "--host=127.0.0.1", f"--port={options['port']}", "--workers=1"]
        arguments += [f"--backend-store-uri={uri}", f"--default-artifact-root={settings.MLFLOW_ARTIFACT_DIR}"]
        become("mlflow", *arguments, MLFLOW_SERVER_ENABLE_JOB_EXECUTION="false")  # 406 MB instead of 1,660
