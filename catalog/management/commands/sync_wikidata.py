from argparse import ArgumentTypeError
from typing import Any

from django.core.management.base import CommandError, CommandParser

from catalog.management.base import LongCommand
from catalog.models.wikidata import WikidataRun
from catalog.progress import progress_bar
from catalog.sync import wikidata


def _n_movies(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 0 < int(text) < 10**9:
        raise ArgumentTypeError(f"expected a number of movies such as 500, got {text!r}")
    return int(text)


class Command(LongCommand):
    help = (
        "Reads facts about the catalogue's movies from Wikidata, without an account: people, genres, countries, "
        "languages, dates and titles. The best known movies come first; after an interruption the next call continues "
        "from there. It asks for one thing at a time, so a large catalogue takes an hour."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--limit", type=_n_movies, metavar="N", help="only the N best known movies that are due")

    def handle(self, *args: Any, **options: Any) -> None:
        with progress_bar(total=0, description="Wikidata", unit=" movies", shown=self.show_progress) as bar:

            def show(run: WikidataRun) -> None:
                bar.total, bar.n = run.n_due, run.n_done
                bar.refresh()

            run = wikidata.sync(limit=options["limit"], on_progress=show)
        if run is None:
            raise CommandError("Another process syncs with Wikidata; one at a time is what Wikidata asks for.")
        if run.status != WikidataRun.Status.SUCCEEDED:
            raise CommandError(f"The sync stopped: {run.message.rstrip('.')}. The same command continues from there.")
        self.stdout.write(run.message)
