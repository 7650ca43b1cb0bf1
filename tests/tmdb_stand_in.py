"""A stand-in for TMDB: its API over HTTP on loopback, with scripted failures.

    with TMDBStandIn([document(603, title="The Matrix")]) as tmdb:
        tmdb.answer_next("movie/603", Answer(429, retry_after="1"), Answer(cut=True))

`python -m tests.tmdb_stand_in DOCUMENTS.jsonl.gz --port P` serves documents in the shape of `/movie/{id}`.
"""

import argparse
import gzip
import json
import re
import threading
from dataclasses import dataclass, field
from datetime import date
from email.message import Message
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.http_stand_in import Answer, HTTPStandIn

TOKEN = "stand-in-token"
MAX_PAGE = 500
MAX_DAYS = 14
INVALID_TOKEN = {
    "status_code": 7,
    "status_message": "Invalid API key: You must be granted a valid key.",
    "success": False,
}
NOT_FOUND = {
    "success": False,
    "status_code": 34,
    "status_message": "The resource you requested could not be found.",
}


def document(tmdb_id: int, *, title: str = "", **changes: Any) -> dict[str, Any]:
    """Returns a movie in TMDB's format with everything appended."""
    return {
        "adult": False,
        "id": tmdb_id,
        "imdb_id": f"tt{tmdb_id:07}",
        "title": title or f"Title {tmdb_id}",
        "original_title": title or f"Title {tmdb_id}",
        "original_language": "en",
        "overview": f"What happens in {tmdb_id}.",
        "release_date": "2020-05-17",
        "status": "Released",
        "runtime": 100,
        "poster_path": f"/poster{tmdb_id}.jpg",
        "genres": [{"id": 18, "name": "Drama"}],
        "keywords": {"keywords": [{"id": 1, "name": "friendship"}]},
        "credits": {
            "cast": [{"id": 10, "name": "Ada Player", "character": "Herself", "order": 0}],
            "crew": [{"id": 11, "name": "Dan Director", "job": "Director", "department": "Directing"}],
        },
        "external_ids": {"imdb_id": f"tt{tmdb_id:07}"},
        "release_dates": {"results": []},
        "alternative_titles": {"titles": []},
        "watch/providers": {"results": {}},
        "popularity": 1.5,
        "vote_average": 7.1,
        "vote_count": 100,
    } | changes


@dataclass
class TMDBStandIn(HTTPStandIn):
    documents: list[dict[str, Any]] = field(default_factory=list)
    page_size: int = 20
    latency: float = 0
    port: int = 0

    def __post_init__(self) -> None:
        self.movies = {movie["id"]: movie for movie in self.documents}
        self.configuration = {"images": {"secure_base_url": "https://image.tmdb.org/t/p/"}, "change_keys": ["title"]}
        self.changes: dict[int, date] = {}
        self.merged: dict[int, int] = {}  # answered with a redirect to the other id
        self.tokens = {TOKEN}
        self._list: tuple[Any, list[dict[str, Any]]] = (None, [])
        self.listen(self.port)
        self.url = f"{self.origin}/3"

    def serve(self, *movies: dict[str, Any]) -> None:
        """Serves only these documents."""
        self.movies = {movie["id"]: movie for movie in movies}

    def respond(self, target: str, headers: Message) -> Answer:
        path = urlsplit(target).path
        scripted = self.note(target.removeprefix("/3/"), path.removeprefix("/3/"))
        if scripted and scripted.status != 200:
            return scripted
        answer = self._truth(path, {key: values[0] for key, values in parse_qs(urlsplit(target).query).items()})
        if headers.get("Authorization", "").removeprefix("Bearer ") not in self.tokens:
            answer = Answer(401, INVALID_TOKEN)
        if scripted:
            answer.delay, answer.cut = scripted.delay, scripted.cut
            answer.body = answer.body if scripted.body is None else scripted.body
        return answer

    def _truth(self, path: str, query: dict[str, str]) -> Answer:
        if not path.startswith("/3/"):
            return Answer.html(404)
        if path == "/3/configuration":
            return Answer(body=self.configuration)
        if path == "/3/movie/changes":
            return self._changes(query)
        if path == "/3/discover/movie":
            return self._discover(query)
        if found := re.fullmatch(r"/3/movie/(\d+)", path):
            return self._movie(int(found[1]), query)
        return Answer(404, NOT_FOUND)

    def _movie(self, tmdb_id: int, query: dict[str, str]) -> Answer:
        if tmdb_id in self.merged:
            return Answer(301, location=f"/3/movie/{self.merged[tmdb_id]}")
        if tmdb_id not in self.movies:
            return Answer(404, NOT_FOUND)
        appended = {"credits", "keywords", "release_dates", "external_ids", "alternative_titles", "watch/providers"}
        left_out = appended - set(query.get("append_to_response", "").split(","))
        return Answer(body={key: value for key, value in self.movies[tmdb_id].items() if key not in left_out})

    def _changes(self, query: dict[str, str]) -> Answer:
        start, end = date.fromisoformat(query["start_date"]), date.fromisoformat(query["end_date"])
        if (end - start).days > MAX_DAYS:
            return Answer(422, {"status_code": 20, "status_message": "Invalid date range.", "success": False})
        found = [tmdb_id for tmdb_id, day in self.changes.items() if start <= day <= end]
        return self._page([{"id": tmdb_id, "adult": None} for tmdb_id in found], query, size=self.page_size * 5)

    def _discover(self, query: dict[str, str]) -> Answer:
        """Returns pages of a list, which is computed once because its pages are requested in order."""
        asked = (id(self.movies), len(self.movies), *sorted(pair for pair in query.items() if pair[0] != "page"))
        if self._list[0] != asked:
            self._list = (asked, self._released(query))
        return self._page(self._list[1], query, size=self.page_size)

    def _released(self, query: dict[str, str]) -> list[dict[str, Any]]:
        first, last = query["primary_release_date.gte"], query["primary_release_date.lte"]
        found = [
            movie
            for movie in self.movies.values()
            if first <= (movie.get("release_date") or "") <= last
            and movie.get("vote_count", 0) >= float(query.get("vote_count.gte", 0))
            and (query.get("include_adult") == "true" or not movie["adult"])
        ]
        found.sort(key=lambda movie: (movie["release_date"], movie["id"]))
        return [{"id": movie["id"], "title": movie["title"]} for movie in found]

    def _page(self, rows: list[dict[str, Any]], query: dict[str, str], *, size: int) -> Answer:
        page = int(query.get("page", 1))
        if page > MAX_PAGE:
            return Answer(422, {"errors": [f"page must be less than or equal to {MAX_PAGE}"]})
        body = {
            "page": page,
            "results": rows[(page - 1) * size : page * size],
            "total_pages": -(-len(rows) // size),
            "total_results": len(rows),
        }
        return Answer(body=body)


def read_documents(path: Path) -> list[dict[str, Any]]:
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def main() -> None:
    parser = argparse.ArgumentParser(description="Serve documents as TMDB does.")
    parser.add_argument("documents", type=Path, help="a .jsonl.gz of movies")
    parser.add_argument("--port", type=int, default=8090)
    options = parser.parse_args()
    with TMDBStandIn(read_documents(options.documents), port=options.port) as tmdb:
        print(f"TMDB_API_URL={tmdb.url} TMDB_READ_TOKEN={TOKEN}", flush=True)  # noqa: T201
        threading.Event().wait()


if __name__ == "__main__":
    main()
