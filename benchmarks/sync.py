"""A full sync of a catalogue by several workers that are killed at random: `python -m benchmarks.sync --data DIR`.

Serves the documents of DIR/tmdb_movies.jsonl.gz as TMDB does, lets `--workers` processes of `manage.py sync_tmdb` bring
them into a new, empty site, ends one of them with SIGKILL at `--kills` random moments and starts it again, and compares
every movie with its document, field by field. The site is embedded, or on `--postgres` (a database of its own on that
server, dropped at the end) and `--redis`.
"""

from __future__ import annotations

import argparse
import os
import random
import secrets
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import ExitStack
from datetime import date
from pathlib import Path
from typing import Any

import django
from tqdm import tqdm

from benchmarks.data import TMDB
from benchmarks.postgres import new_database
from benchmarks.tables import render
from tests.tmdb_stand_in import TOKEN, TMDBStandIn, read_documents

ROOT = Path(__file__).resolve().parent.parent
COMMAND = [sys.executable, "manage.py", "sync_tmdb", "--new-releases"]
FIRST_YEAR = 1890


def main(arguments: list[str] | None = None) -> None:
    options = _options(arguments)
    documents = read_documents(options.data / TMDB)[: options.movies]
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        tmdb = stack.enter_context(TMDBStandIn(documents, latency=options.latency))
        os.environ |= _environment(folder, tmdb.url, options)
        if options.postgres:
            os.environ["DATABASE_URL"] = stack.enter_context(new_database(options.postgres))
        django.setup()
        _empty_site()
        row = _measure(tmdb, documents, options, folder)
        wrong = _differences(documents)
        print(render("Full sync", [row | wrong], {"minutes": 1}))


def _measure(tmdb: TMDBStandIn, documents: list[dict[str, Any]], options: Any, folder: Path) -> dict[str, Any]:
    started = time.monotonic()
    n_killed = _run_workers(tmdb, len(documents), options, folder)
    undated = [str(movie["id"]) for movie in documents if not movie.get("release_date")]
    if undated:  # no list of releases names them
        subprocess.run([*COMMAND[:3], "--ids", *undated], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    return {
        "movies": len(documents),
        "workers": options.workers,
        "kills": n_killed,
        "minutes": (time.monotonic() - started) / 60,
        "requests": len(tmdb.arrivals),
        "busiest second": tmdb.busiest_second(),
    }


def _run_workers(tmdb: TMDBStandIn, n_movies: int, options: Any, folder: Path) -> int:
    """Until the run has ended; returns how many were killed in the middle of their work."""
    kills = sorted(random.randrange(n_movies) for _ in range(options.kills))  # requests before each
    n_killed = 0
    log = (folder / "workers.log").open("wb")
    workers = [_start(log) for _ in range(options.workers)]
    try:
        with tqdm(total=n_movies, unit="request", disable=None) as bar:
            while not _has_succeeded():
                bar.update(len(tmdb.arrivals) - bar.n)
                alive = [number for number, worker in enumerate(workers) if worker.poll() is None]
                if kills and alive and len(tmdb.arrivals) > kills[0]:
                    kills.pop(0)
                    victim = random.choice(alive)
                    n_killed += 1
                    workers[victim].kill()
                    workers[victim].wait()
                    workers[victim] = _start(log)
                if all(worker.poll() is not None for worker in workers):
                    break
                time.sleep(0.2)
    finally:
        for worker in workers:
            worker.terminate()
            worker.wait()
        log.close()
    if not _has_succeeded():
        raise SystemExit(f"The sync did not end well:\n{(folder / 'workers.log').read_text()[-3000:]}")
    return n_killed


def _start(log: Any) -> subprocess.Popen[bytes]:
    return subprocess.Popen(COMMAND, cwd=ROOT, stdout=log, stderr=log)


def _has_succeeded() -> bool:
    from catalog.models import SyncRun

    return SyncRun.objects.filter(status=SyncRun.Status.SUCCEEDED, scope=SyncRun.Scope.NEW_RELEASES).exists()


def _empty_site() -> None:
    """With one old movie: the first sync of new releases goes on from its year."""
    from django.core.management import call_command

    from catalog.models import Movie

    call_command("migrate", verbosity=0)
    Movie.objects.create(title="From before the cinema", year=FIRST_YEAR)


def _differences(documents: list[dict[str, Any]]) -> dict[str, int]:
    from catalog.models import Movie, Source

    movies = Movie.objects.filter(source=Source.TMDB).prefetch_related("genres", "keywords", "credits__person")
    stored: dict[int, list[Any]] = {}
    for movie in movies.iterator(chunk_size=200):
        stored.setdefault(movie.tmdb_id, []).append(movie)
    fields: Counter[str] = Counter()
    for document in documents:
        for movie in stored.get(document["id"], []):
            expected, found = _expected(document), _found(movie)
            fields.update(name for name in expected if expected[name] != found[name])
    if fields:
        print(f"Fields that differ: {dict(fields)}")
    n_rows = sum(len(rows) for rows in stored.values())
    return {
        "lost": sum(document["id"] not in stored for document in documents),
        "doubled": n_rows - len(stored),
        "strangers": len(stored.keys() - {document["id"] for document in documents}),
        "wrong fields": sum(fields.values()),
    }


def _expected(document: dict[str, Any]) -> dict[str, Any]:
    """Read independently of the site's own reading."""
    day = document.get("release_date")
    cast = sorted(document["credits"]["cast"], key=lambda member: member["order"])
    return {
        "title": document["title"],
        "original_title": document.get("original_title") or "",
        "release_date": date.fromisoformat(day) if day else None,
        "year": int(day[:4]) if day else None,
        "overview": (document.get("overview") or "").strip(),
        "language": document["original_language"],
        "runtime": document.get("runtime") or None,
        "poster": document.get("poster_path") or "",
        "imdb_id": document.get("imdb_id") or None,
        "genres": {genre["name"].replace("Science Fiction", "Sci-Fi") for genre in document.get("genres", [])},
        "keywords": {keyword["name"].strip() for keyword in document["keywords"]["keywords"]} - {""},
        "cast": [(member["id"], member["name"]) for member in cast],
        "directors": [(m["id"], m["name"]) for m in document["credits"]["crew"] if m["job"] == "Director"],
    }


def _found(movie: Any) -> dict[str, Any]:
    credits = {
        role: [(c.person.tmdb_id, c.person.name) for c in movie.credits.all() if c.role == role]
        for role in ("cast", "director")
    }
    return {
        "title": movie.title,
        "original_title": movie.original_title,
        "release_date": movie.release_date,
        "year": movie.year,
        "overview": movie.overview,
        "language": movie.language,
        "runtime": movie.runtime_minutes,
        "poster": movie.poster_path,
        "imdb_id": movie.imdb_id,
        "genres": {genre.name for genre in movie.genres.all()},
        "keywords": {keyword.name for keyword in movie.keywords.all()},
        "cast": credits["cast"],
        "directors": credits["director"],
    }


def _environment(folder: Path, url: str, options: Any) -> dict[str, str]:
    (folder / "config.yaml").write_text("tmdb: {min_votes: 0}\n", encoding="utf-8")
    return {
        "DJANGO_SETTINGS_MODULE": "movierec.settings",
        "ENV_FILE": str(folder / "no.env"),
        "CONFIG_FILE": str(folder / "config.yaml"),
        "VAR_DIR": str(folder),
        "DATABASE_URL": "",
        "REDIS_URL": options.redis,
        "REDIS_PREFIX": f"movierec-benchmark-{secrets.token_hex(4)}",
        "SECRET_KEY": secrets.token_hex(),
        "METRICS_TOKEN": secrets.token_hex(),
        "TMDB_API_URL": url,
        "TMDB_READ_TOKEN": TOKEN,
        "LOG_LEVEL": "WARNING",
        "OPENBLAS_NUM_THREADS": "1",
    }


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sync", description="Measure a full sync with TMDB.")
    parser.add_argument("--data", type=Path, required=True, help=f"folder that holds {TMDB}")
    parser.add_argument("--movies", type=int, default=None, help="only so many (default: all)")
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--latency", type=float, default=0.02, help="seconds before each answer (default 0.02)")
    parser.add_argument("--postgres", default="", help="postgres://user@host:port/postgres")
    parser.add_argument("--redis", default="", help="redis://host:port/0")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main()
