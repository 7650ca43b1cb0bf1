"""Tests a sync with a stand-in for Wikidata at its real pace: `python -m benchmarks.wikidata --data DIR`.

The catalogue is MovieLens'. The stand-in's items contain the facts of DIR/tmdb_movies.jsonl.gz in Wikidata's format. A
movie without a document gets the facts and people of another one. Most people and some movies have a picture on
Commons, and some of these must not be shown. The best-known movies are read first, then all others, while the command
is repeatedly killed and restarted. Then every movie is compared with its item, field by field, and with its picture. No
data comes from Wikidata.
"""

from __future__ import annotations

import argparse
import itertools
import random
import secrets
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.data import TMDB
from benchmarks.site import load
from benchmarks.tables import render
from tests.commons_documents import commons_file
from tests.tmdb_stand_in import read_documents
from tests.wikidata_documents import amount, document, film, item, statement, text
from tests.wikidata_documents import time as moment
from tests.wikidata_stand_in import WikidataStandIn

ROOT = Path(__file__).resolve().parent.parent
COMMAND = [sys.executable, "manage.py", "sync_wikidata"]
PICTURED = {"people": 70, "films": 12}  # percent
FIRST_LENT = 3_500_000  # larger than TMDB's own ids
FIRST_ITEM = {"films": 1_000_000, "people": 2_000_000, "things": 3_000_000}


def main(arguments: list[str] | None = None) -> None:
    options = _options(arguments)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        site = load("benchmarks.wikidata_site", _environment(folder))
        links = site.create(options.data, options.movies)
        items = Items()
        films = {imdb_id: items.film(found) for imdb_id, found in _documents(options.data, links).items()}
        with WikidataStandIn([*films.values(), *items.others.values()], pause=1.0, latency=options.latency) as wikidata:
            wikidata.serve_files(*items.files)
            _point_at(wikidata, folder)
            rows = [_first(wikidata, options.first, folder), _all(wikidata, options.kills, len(films), folder)]
        print(render("Sync with Wikidata", rows, {"minutes": 1}))
        print(render("Beside what Wikidata says", [site.differences(films, items.names, items.authors)]))
        print(f"Broken rules: {wikidata.broken_rules or 'none'}")


def _documents(data: Path, links: dict[str, int | None]) -> dict[str, dict[str, Any]]:
    """Returns a document for each IMDb id. If the file has none, uses another movie's with a new id."""
    wanted = set(links.values())
    known = {found["id"]: found for found in read_documents(data / TMDB) if found["id"] in wanted}
    lent = itertools.cycle(list(known.values()))
    documents = {}
    for number, (imdb_id, tmdb_id) in enumerate(links.items()):
        found = known.pop(tmdb_id or 0, None) or next(lent) | {"id": FIRST_LENT + number}
        documents[imdb_id] = found | {"imdb_id": imdb_id}
    return documents


class Items:
    """Items of people, genres, subjects, countries and languages, one per name, and picture files."""

    def __init__(self) -> None:
        self.others: dict[str, dict[str, Any]] = {}
        self.names: dict[int, str] = {}
        self.files: list[dict[str, Any]] = []
        self.authors: dict[int, str] = {}  # of pictures that may be shown, keyed by item

    def number(self, kind: str, key: str, name: str, *statements: dict[str, Any]) -> int:
        if key not in self.others:
            number = FIRST_ITEM[kind] + len(self.others)
            self.names[number] = name
            self.others[key] = document(number, {"en": name}, *statements, *self.picture(kind, number))
        return int(self.others[key]["id"][1:])

    def picture(self, kind: str, number: int) -> list[dict[str, Any]]:
        """Returns the statement with the item's file, if any. Of fifty files, one was deleted and one is not free."""
        if number * 37 % 100 >= PICTURED.get(kind, 0):
            return []
        file, author = f"Portrait of {number} (cropped).jpg", f"Photographer {number} & Co"
        if number % 50 != 1:
            is_free = number % 50 != 2
            artist = f'<a href="//commons.wikimedia.org/wiki/User:{number}">{author.replace("&", "&amp;")}</a>'
            self.files.append(commons_file(file, artist, **({} if is_free else {"NonFree": "true"})))
            if is_free:
                self.authors[number] = author
        return [statement("P18", text(file))]

    def film(self, found: dict[str, Any]) -> dict[str, Any]:
        code = found["original_language"]
        language = self.number("things", f"language {code}", code, statement("P218", text(code)))
        rows = [statement("P364", item(language))]
        if found.get("release_date"):
            rows.append(statement("P577", moment(found["release_date"])))
        if found.get("runtime"):
            rows.append(statement("P2047", amount(f"+{found['runtime']}")))
        for property_name, kind, names in _lists(found):
            rows += [statement(property_name, item(self.number(kind, f"{kind} {key}", name))) for key, name in names]
        number = FIRST_ITEM["films"] + found["id"]
        rows += self.picture("films", number)
        return film(number, found["title"], *rows, imdb_id=found.get("imdb_id") or "")


def _lists(found: dict[str, Any]) -> list[tuple[str, str, list[tuple[Any, str]]]]:
    genres = [(f"genre {genre['name']}", f"{genre['name'].lower()} film") for genre in found.get("genres", [])]
    words = [word["name"].strip() for word in found["keywords"]["keywords"][:5]]
    subjects = [(f"subject {word}", word) for word in words]
    countries = [(row["name"], row["name"]) for row in found.get("production_countries", [])]
    credits = found["credits"]
    directors = [(member["id"], member["name"]) for member in credits["crew"] if member["job"] == "Director"]
    cast = [(member["id"], member["name"]) for member in sorted(credits["cast"], key=lambda member: member["order"])]
    return [
        ("P136", "things", genres),
        ("P921", "things", subjects),
        ("P495", "things", countries),
        ("P57", "people", directors),
        ("P161", "people", cast),
    ]


def _first(wikidata: WikidataStandIn, n_movies: int, folder: Path) -> dict[str, Any]:
    started = time.monotonic()
    subprocess.run([*COMMAND, "--limit", str(n_movies)], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    minutes = (time.monotonic() - started) / 60
    return {"movies": n_movies, "kills": 0, "minutes": minutes, "requests": len(wikidata.arrivals)}


def _all(wikidata: WikidataStandIn, n_kills: int, n_movies: int, folder: Path) -> dict[str, Any]:
    """Syncs all movies. Kills the worker after a random 15 to 45 seconds until all kills are done."""
    started, before = time.monotonic(), len(wikidata.arrivals)
    n_killed, log = 0, (folder / "log").open("wb")
    while (worker := subprocess.Popen(COMMAND, cwd=ROOT, stdout=log, stderr=log)).poll() is None:
        try:
            code = worker.wait(random.uniform(15, 45) if n_killed < n_kills else None)
        except subprocess.TimeoutExpired:
            worker.kill()
            worker.wait()
            n_killed += 1
            wikidata.n_lost += 1  # a request may have been in progress
            continue
        if code != 0:
            raise SystemExit(f"The sync failed:\n{(folder / 'log').read_text()[-3000:]}")
        break
    log.close()
    minutes = (time.monotonic() - started) / 60
    return {"movies": n_movies, "kills": n_killed, "minutes": minutes, "requests": len(wikidata.arrivals) - before}


def _point_at(wikidata: WikidataStandIn, folder: Path) -> None:
    text_of = f"WIKIDATA_API_URL={wikidata.api_url}\nWIKIDATA_QUERY_URL={wikidata.query_url}\n"
    text_of += f"WIKIPEDIA_API_URL={wikidata.articles_url}\nCOMMONS_API_URL={wikidata.commons_url}\n"
    (folder / "site.env").write_text(text_of, encoding="utf-8")


def _environment(folder: Path) -> dict[str, str]:
    (folder / "config.yaml").write_text("{}\n", encoding="utf-8")
    (folder / "site.env").touch()
    return {
        "DJANGO_SETTINGS_MODULE": "movierec.settings",
        "ENV_FILE": str(folder / "site.env"),
        "CONFIG_FILE": str(folder / "config.yaml"),
        "VAR_DIR": str(folder),
        "DATABASE_URL": "",
        "REDIS_URL": "",
        "SECRET_KEY": secrets.token_hex(),
        "METRICS_TOKEN": secrets.token_hex(),
        "WIKIDATA_CONTACT": "benchmark@localhost",
        "LOG_LEVEL": "WARNING",
        "OPENBLAS_NUM_THREADS": "1",
    }


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.wikidata", description="Measure a sync with Wikidata.")
    parser.add_argument("--data", type=Path, required=True, help=f"folder that holds {TMDB} and MovieLens")
    parser.add_argument("--movies", type=int, default=None, help="only so many of the best known (default: all)")
    parser.add_argument("--first", type=int, default=500, help="movies that are read first (default 500)")
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--latency", type=float, default=0.1, help="seconds before each answer (default 0.1)")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main()
