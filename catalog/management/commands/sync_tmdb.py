from argparse import ArgumentTypeError
from datetime import date
from typing import Any

from django.core.management.base import CommandError, CommandParser

from catalog.bounds import LARGEST_ID
from catalog.management.base import LongCommand
from catalog.models import SyncRun
from catalog.progress import progress_bar
from catalog.sync.work import sync
from catalog.sync.work_items import SyncRequest


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ArgumentTypeError(f"expected a day as 2026-01-31, got {text!r}") from None


def _tmdb_id(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 0 < int(text) <= LARGEST_ID:
        raise ArgumentTypeError(f"expected TMDB's number of a movie, got {text!r}")
    return int(text)


class Command(LongCommand):
    help = (
        "Syncs the catalogue with TMDB: movies never read or not recently, changes since the last sync, and new "
        "releases. After an interruption the next call continues from there. Concurrent calls share the work and the "
        "rate limit."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parts = parser.add_mutually_exclusive_group()
        parts.add_argument("--changes", action="store_true", help="only what changed since the last sync")
        parts.add_argument("--new-releases", action="store_true", help="only new releases")
        parts.add_argument("--ids", type=_tmdb_id, nargs="+", metavar="ID", help="only these movies of TMDB")
        parser.add_argument(
            "--since",
            type=_day,
            metavar="DAY",
            help="new releases from this day on (default: where the last sync ended)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        with progress_bar(total=0, description="TMDB", unit=" items", shown=self.show_progress) as bar:

            def show(run: SyncRun) -> None:
                bar.total, bar.n = run.n_items, run.n_done
                bar.refresh()

            run = sync(_request(options), on_progress=show)
        if run.status != SyncRun.Status.SUCCEEDED:
            raise CommandError(f"The sync stopped: {run.message.rstrip('.')}. The same command continues from there.")
        self.stdout.write(run.message)


def _request(options: dict[str, Any]) -> SyncRequest:
    since = options["since"]
    if since and (options["changes"] or options["ids"]):
        raise CommandError("--since is about new releases; leave it out, or --changes or --ids.")
    if options["ids"]:
        return SyncRequest(SyncRun.Scope.IDS, ids=tuple(options["ids"]))
    if options["changes"]:
        return SyncRequest(SyncRun.Scope.CHANGES)
    scope = SyncRun.Scope.NEW_RELEASES if options["new_releases"] else SyncRun.Scope.EVERYTHING
    return SyncRequest(scope, since=since)
