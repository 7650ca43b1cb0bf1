from typing import Any

from django.core.management.base import CommandError, CommandParser

from catalog.management.base import ServiceCommand
from catalog.setup import is_open, link, new_code, present_code


class Command(ServiceCommand):
    help = (
        "Prints the link to the page that makes the first staff account, and makes earlier links invalid. "
        "A site with a superuser has no such page."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--if-open", action="store_true", help="print the present link, or nothing where there is a superuser"
        )
        parser.add_argument("--base", default="", help="address of the site, as http://127.0.0.1:8000")

    def handle(self, *args: Any, **options: Any) -> None:
        if is_open():
            code = present_code() if options["if_open"] else new_code()
            self.stdout.write(f"Set up this site, and make its first staff account: {link(code, base=options['base'])}")
        elif not options["if_open"]:
            raise CommandError("There is a superuser, so the page is closed. `createsuperuser` makes another one.")
