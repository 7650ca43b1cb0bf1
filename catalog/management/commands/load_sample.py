from typing import Any

from django.core.management.base import CommandParser

from catalog.management.base import LongCommand
from catalog.management.commands.import_movielens import print_report
from catalog.sample.load import load_sample, remove_sample


class Command(LongCommand):
    help = (
        "Loads movies and ratings to begin with: MovieLens from MOVIELENS_PATH if that is set, else downloaded from "
        "GroupLens, else (no network) a generated catalogue. A sample that is there is left as it is."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--remove",
            action="store_true",
            help="take the sample's users, ratings and movies out again; movies that somebody of the site has rated "
            "or wants to see stay, and so does all that did not come with the sample",
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
