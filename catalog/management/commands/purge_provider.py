from typing import Any

from django.core.management.base import CommandParser

from catalog.ingest.removal import purge_provider
from catalog.management.base import LongCommand
from catalog.models import PROVIDERS, Source
from catalog.site_settings import tmdb_read_token


class Command(LongCommand):
    help = (
        "Removes everything that came from a metadata provider, as its terms require when its use ends. "
        "Ratings, watchlists and hand-entered data stay."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "provider", choices=[provider.value for provider in PROVIDERS], help="provider of the content"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        provider = Source(options["provider"])
        report = purge_provider(provider, show_progress=self.show_progress)
        self.stdout.write(
            f"Deleted {report.removed:,} movies that only {provider.label} described; took its content out of "
            f"{report.stripped:,} others, {report.renamed:,} of which have no title any more but a number, since "
            "people rated them."
        )
        if provider == Source.TMDB and tmdb_read_token():
            self.stderr.write(self.style.WARNING("TMDB_READ_TOKEN is still set: the next sync brings it all back."))
        if provider == Source.WIKIDATA:
            said = "The schedule sync-wikidata brings it all back, unless config.yaml turns it off."
            self.stderr.write(self.style.WARNING(said))
