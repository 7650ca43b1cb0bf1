from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from catalog.management.base import ServiceCommand
from catalog.progress import progress_bar
from mlops.data.snapshots import export_snapshot


class Command(ServiceCommand):
    help = "Writes the ratings and movies a model may learn from as Parquet, named by their content."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--out", type=Path, metavar="FOLDER", help="Leave a copy of the snapshot here, too.")

    def handle(self, *args: Any, **options: Any) -> None:
        with progress_bar(unit=" ratings", shown=self.show_progress) as bar:
            snapshot = export_snapshot(out=options["out"], on_rows=lambda rows: bar.update(rows - bar.n))
        self.stdout.write(
            f"{snapshot.content_hash}: {snapshot.n_ratings:,} ratings of {snapshot.n_users:,} users, "
            f"{snapshot.n_movies:,} movies, {snapshot.size_bytes / 1e6:.1f} MB"
        )
