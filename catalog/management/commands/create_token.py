import re
from argparse import ArgumentTypeError
from datetime import timedelta
from typing import Any

from django.core.management.base import CommandError, CommandParser

from catalog.keys import create_key
from catalog.management.base import ServiceCommand
from catalog.models import User
from catalog.models.api_key import ON_REQUEST

UNITS = {"h": "hours", "d": "days", "w": "weeks"}


def _period(text: str) -> timedelta:
    found = re.fullmatch(r"([1-9][0-9]{0,3})([hdw])", text)
    if found is None:
        raise ArgumentTypeError(f"expected a number of hours, days or weeks such as 12h, 30d or 8w; got {text!r}")
    return timedelta(**{UNITS[found[2]]: int(found[1])})


class Command(ServiceCommand):
    help = "Makes an API key and prints it, once and alone: nothing keeps the key, only its hash."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--user", required=True, metavar="U", help="name of the account that the key belongs to")
        parser.add_argument(
            "--scope",
            required=True,
            action="append",
            dest="scopes",
            choices=[scope.value for scope in ON_REQUEST],
            help="what the key may do, as far as the account may; can be repeated",
        )
        parser.add_argument("--name", default="create_token", metavar="N", help="what the key is for")
        parser.add_argument(
            "--expires-in", type=_period, metavar="30d", help="hours, days or weeks; without it, until it is revoked"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        user = User.objects.filter(username=User.normalize_username(options["user"])).first()
        if user is None:
            raise CommandError(f"User {options['user']!r} does not exist.")
        values = {name: options[name] for name in ("name", "scopes", "expires_in")}
        self.stdout.write(create_key(user=user, **values).key)
