from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from movierec.programs import become


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
        self.stdout.write(f"Flower is at http://{options['address']}:{options['port']}")
        arguments = ["--app", "movierec", "flower", f"--address={options['address']}", f"--port={options['port']}"]
        # Otherwise Flower's metrics would always show killed workers, and those of replaced containers, as online.
        arguments.append("--purge-offline-workers=300")
        # passed in the environment, because all users of the machine can read arguments
        become("celery", *arguments, FLOWER_BASIC_AUTH=settings.FLOWER_BASIC_AUTH)
