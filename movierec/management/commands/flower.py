import os
import shutil
import sys
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser


class Command(BaseCommand):
    help = "Show Celery in a browser: workers, queues and tasks. Needs REDIS_URL and FLOWER_BASIC_AUTH."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--address", default="127.0.0.1", help="address to listen on (default: %(default)s)")
        parser.add_argument("--port", type=int, default=5555)

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.REDIS_URL:
            raise CommandError(
                "Flower needs a broker that workers share: set REDIS_URL, as redis://127.0.0.1:6379/0, in .env. "
                "Without it, tasks are files; the admin shows runs."
            )
        user, _, password = settings.FLOWER_BASIC_AUTH.partition(":")
        if not user or not password:
            raise CommandError("Flower can stop workers, so it needs a sign-in: set FLOWER_BASIC_AUTH=user:password.")
        celery = shutil.which("celery", path=str(Path(sys.executable).parent))
        if celery is None:
            raise CommandError("celery is not installed in this environment: pip install -r requirements.txt")
        self.stdout.write(f"Flower is at http://{options['address']}:{options['port']}")
        self.stdout.flush()
        # Passed through the environment: every user of the machine can read arguments.
        environment = os.environ | {"FLOWER_BASIC_AUTH": settings.FLOWER_BASIC_AUTH}
        arguments = ["--app", "movierec", "flower", f"--address={options['address']}", f"--port={options['port']}"]
        os.execve(celery, [celery, *arguments], environment)
