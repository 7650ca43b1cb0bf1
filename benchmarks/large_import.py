"""Benchmarks a large MovieLens import into Postgres: `python -m benchmarks.large_import [--ratings N] [--postgres
URL]`.

Writes generated ratings in the layout of ml-25m and runs `import_movielens` twice. The second import changes nothing.
Uses a new database on that server, which is dropped at the end. Memory is that of the command.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

import pandas as pd
from pyarrow import Table, csv

from benchmarks.measure import in_a_process_of_its_own
from benchmarks.pipeline import manage, new_site
from benchmarks.postgres import new_database
from benchmarks.scale_data import Size, generate
from benchmarks.tables import render

DIGITS = {"seconds": 1, "CPU seconds": 1, "ratings/s": 0}


def main(arguments: list[str] | None = None) -> None:
    options = _read(arguments)
    size = Size.of(options.ratings)
    with tempfile.TemporaryDirectory(prefix="movierec-benchmark-") as name, new_database(options.postgres) as database:
        folder = Path(name)
        print(f"Generating {size.ratings:,} ratings of {size.users:,} users", file=sys.stderr)
        in_a_process_of_its_own(write_movielens, size, folder / "data-set")
        environment = new_site(folder, database=database)
        if manage("migrate", "--verbosity", "0", environment=environment)["exit code"]:
            raise SystemExit("The database could not be migrated.")
        rows = [manage("import_movielens", str(folder / "data-set"), environment=environment) for _ in range(2)]
    speeds = [{"ratings/s": size.ratings / row["seconds"]} for row in rows]
    title = f"import_movielens of {size.ratings:,} ratings into Postgres, the first time and again"
    print(render(title, [row | speed for row, speed in zip(rows, speeds, strict=True)], DIGITS))
    sys.exit(max(row["exit code"] for row in rows))


def _read(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.large_import", description="Time a large import.")
    parser.add_argument("--ratings", type=int, default=25_000_000, help="default 25,000,000")
    parser.add_argument("--postgres", default="postgres://postgres@127.0.0.1:5432/postgres", help="server and its user")
    return parser.parse_args(arguments)


def write_movielens(size: Size, folder: Path) -> None:
    """Sorts rows by user, like MovieLens."""
    folder.mkdir()
    ratings, movies = generate(size)
    ratings = ratings.sort_values(["user_id", "movie_id"], ignore_index=True)
    seconds = ratings["rated_at"].dt.tz_localize(None).to_numpy().astype("datetime64[s]").astype("int64")
    columns = {"userId": ratings["user_id"], "movieId": ratings["movie_id"], "rating": ratings["rating"]}
    csv.write_csv(Table.from_pydict(columns | {"timestamp": seconds}), folder / "ratings.csv")
    years = movies["release_date"].dt.year.astype(str)
    genres = movies["genres"].map(lambda names: "|".join(names) or "(no genres listed)")
    titles = movies["title"] + " (" + years + ")"
    frame = pd.DataFrame({"movieId": movies["movie_id"], "title": titles, "genres": genres})
    frame.to_csv(folder / "movies.csv", index=False)


if __name__ == "__main__":
    main()
