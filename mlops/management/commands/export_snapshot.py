from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from mlops.errors import MLOpsError
from mlops.services import export_snapshot


class Command(BaseCommand):
    help = "Writes the ratings and movies a model may learn from as Parquet, named by their content."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--out", type=Path, metavar="FOLDER", help="Leave a copy of the snapshot here, too.")

    def handle(self, *args: Any, **options: Any) -> None:
        with tqdm(unit=" ratings", leave=False) as bar:
            try:
                snapshot = export_snapshot(out=options["out"], on_rows=lambda rows: bar.update(rows - bar.n))
            except MLOpsError as error:
                raise CommandError(str(error)) from None
        self.stdout.write(
            f"{snapshot.content_hash}: {snapshot.n_ratings:,} ratings of {snapshot.n_users:,} users, "
            f"{snapshot.n_movies:,} movies, {snapshot.size_bytes / 1e6:.1f} MB"
        )
