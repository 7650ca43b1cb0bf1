from typing import Any

from django.core.management.base import CommandParser

from catalog.ingest.removal import purge_tmdb
from catalog.management.base import LongCommand
from catalog.models import Source
from catalog.site_settings import tmdb_read_token


class Command(LongCommand):
    help = (
        "Removes everything that came from a metadata provider, as its terms require when its use ends. "
        "Ratings, watchlists and hand-entered data stay."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("provider", choices=[Source.TMDB.value], help="provider of the content")

    def handle(self, *args: Any, **options: Any) -> None:
        report = purge_tmdb(show_progress=self.show_progress)
        self.stdout.write(
            f"Deleted {report.removed:,} movies that only TMDB described; took its content out of {report.stripped:,} "
            f"others, {report.renamed:,} of which have no title any more but a number, since people rated them."
        )
        if tmdb_read_token():
            self.stderr.write(self.style.WARNING("TMDB_READ_TOKEN is still set: the next sync brings it all back."))
