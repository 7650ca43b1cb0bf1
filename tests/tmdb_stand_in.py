"""A stand-in for TMDB: its API over real HTTP on loopback, with the failures that a test scripts.

    with TMDBStandIn([document(603, title="The Matrix")]) as tmdb:
        tmdb.answer_next("movie/603", Answer(429, retry_after="1"), Answer(cut=True))

`python -m tests.tmdb_stand_in DOCUMENTS.jsonl.gz --port P` serves documents in the shape of `/movie/{id}`.
"""

import argparse
import gzip
import json
import re
import threading
import time
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

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
HTML = "<html>\r\n<head><title>{0}</title></head>\r\n<body><center><h1>{0}</h1></center></body>\r\n</html>\r\n"


def document(tmdb_id: int, *, title: str = "", **changes: Any) -> dict[str, Any]:
    """A movie as TMDB describes it with everything appended."""
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
        "popularity": 1.5,
        "vote_average": 7.1,
        "vote_count": 100,
    } | changes


@dataclass
class Answer:
    """What is answered instead of the truth."""

    status: int = 200
    body: Any = None
    retry_after: str | None = None
    delay: float = 0
    cut: bool = False  # half of the body, then the connection ends
    location: str | None = None

    @classmethod
    def html(cls, status: int) -> Self:
        return cls(status, HTML.format(status).encode())


@dataclass
class TMDBStandIn:
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
        self.arrivals: list[float] = []
        self.asked: list[str] = []  # path and query
        self._scripts: dict[str, list[Answer]] = defaultdict(list)
        self._list: tuple[Any, list[dict[str, Any]]] = (None, [])
        self._lock = threading.Lock()
        self._server = _Server(("127.0.0.1", self.port), _handler(self))
        self.url = f"http://127.0.0.1:{self._server.server_port}/3"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def serve(self, *movies: dict[str, Any]) -> None:
        """These documents and no others."""
        self.movies = {movie["id"]: movie for movie in movies}

    def answer_next(self, path: str, *answers: Answer) -> None:
        self._scripts[path].extend(answers)

    def n_asked(self, path: str) -> int:
        return sum(urlsplit(asked).path == path for asked in self.asked)

    def busiest_second(self) -> int:
        """The most requests that came in within any second."""
        arrivals = sorted(self.arrivals)
        first, most = 0, 0
        for last, moment in enumerate(arrivals):
            while arrivals[first] <= moment - 1:
                first += 1
            most = max(most, last - first + 1)
        return most

    def respond(self, target: str, authorization: str) -> Answer:
        with self._lock:
            self.arrivals.append(time.monotonic())
            self.asked.append(target.removeprefix("/3/"))
            path = urlsplit(target).path
            script = self._scripts.get(path.removeprefix("/3/"))
            scripted = script.pop(0) if script else None
        if scripted and scripted.status != 200:
            return scripted
        answer = self._truth(path, {key: values[0] for key, values in parse_qs(urlsplit(target).query).items()})
        if authorization.removeprefix("Bearer ") not in self.tokens:
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
        appended = {"credits", "keywords", "release_dates", "external_ids", "alternative_titles"}
        left_out = appended - set(query.get("append_to_response", "").split(","))
        return Answer(body={key: value for key, value in self.movies[tmdb_id].items() if key not in left_out})

    def _changes(self, query: dict[str, str]) -> Answer:
        start, end = date.fromisoformat(query["start_date"]), date.fromisoformat(query["end_date"])
        if (end - start).days > MAX_DAYS:
            return Answer(422, {"status_code": 20, "status_message": "Invalid date range.", "success": False})
        found = [tmdb_id for tmdb_id, day in self.changes.items() if start <= day <= end]
        return self._page([{"id": tmdb_id, "adult": None} for tmdb_id in found], query, size=self.page_size * 5)

    def _discover(self, query: dict[str, str]) -> Answer:
        """Pages of a long list follow each other: it is made once."""
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


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        pass  # a client that was killed


def _handler(stand_in: TMDBStandIn) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True
        wbufsize = -1  # header and body in one packet

        def do_GET(self) -> None:
            answer = stand_in.respond(self.path, self.headers.get("Authorization", ""))
            time.sleep(stand_in.latency + answer.delay)
            body = answer.body if isinstance(answer.body, bytes) else json.dumps(answer.body).encode()
            self.send_response(answer.status)
            self.send_header("Content-Type", "text/html" if body.startswith(b"<html") else "application/json")
            self.send_header("Content-Length", str(len(body)))
            if answer.retry_after:
                self.send_header("Retry-After", answer.retry_after)
            if answer.location:
                self.send_header("Location", answer.location)
            self.end_headers()
            self.wfile.write(body[: len(body) // 2] if answer.cut else body)
            self.wfile.flush()
            self.close_connection = self.close_connection or answer.cut

        def log_message(self, format: str, *args: Any) -> None:
            pass

    return Handler


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
