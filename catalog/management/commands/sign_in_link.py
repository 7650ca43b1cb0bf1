from typing import Any
from urllib.parse import urljoin

from django.core.management.base import CommandError, CommandParser

from catalog.management.base import ServiceCommand
from catalog.models import User
from catalog.setup import site_address
from catalog.sign_in.links import can_sign_in, path_for


class Command(ServiceCommand):
    help = "Prints a link that signs a user in once, within a day: for people who have lost every other way in."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--user", required=True, metavar="U", help="name of the account")
        parser.add_argument("--base", default="", metavar="URL", help="address of the site, if not as in the settings")

    def handle(self, *args: Any, **options: Any) -> None:
        user = User.objects.filter(username=User.normalize_username(options["user"])).first()
        if user is None or not can_sign_in(user):
            raise CommandError(f"User {options['user']!r} does not exist or cannot sign in.")
        self.stdout.write(urljoin(options["base"] or site_address(), path_for(user)))
