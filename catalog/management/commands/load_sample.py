from typing import Any

from django.core.management.base import CommandParser

from catalog.ingest.removal import remove_sample
from catalog.management.base import LongCommand
from catalog.management.commands.import_movielens import print_report
from catalog.sample.load import load_sample


class Command(LongCommand):
    help = (
        "Loads sample movies and ratings: MovieLens from MOVIELENS_PATH if that is set, otherwise downloaded from "
        "GroupLens, or without network a generated catalogue. An existing sample stays as it is."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--remove",
            action="store_true",
            help="remove the sample's users, ratings and movies; movies that users of the site rated or put on "
            "their watchlists stay, and so does everything from elsewhere",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["remove"]:
            self.remove()
        elif report := load_sample(say=self.stdout.write, show_progress=self.show_progress):
            print_report(self, report)

    def remove(self) -> None:
        removed = remove_sample(show_progress=self.show_progress)
        self.stdout.write(
            f"Removed {removed.users:,} users, {removed.ratings:,} ratings and {removed.movies:,} movies of the sample."
        )
        if removed.movies_kept:
            self.stdout.write(f"{removed.movies_kept:,} of its movies stay: the site's own users or editors use them.")
