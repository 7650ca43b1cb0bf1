"""Reads the tables of a MovieLens data set; broken rows go to the rejects."""

import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TypeVar

from catalog.errors import BadRow
from catalog.ingest.movielens.layout import Layout
from catalog.ingest.movielens.rejects import Rejects
from catalog.ingest.movielens.rows import parse_link, parse_movie, parse_tag, rating_parser
from catalog.ingest.movies import MovieRecord
from catalog.ingest.ratings import RatingRow
from catalog.models.rating import CLOCK_TOLERANCE
from catalog.progress import progress_bar

# Tags used at least this often in the whole file become keywords; each movie keeps its most frequent ones.
TAG_USED_AT_LEAST = 2
KEYWORDS_PER_MOVIE = 30

Row = TypeVar("Row")


@dataclass
class MovieLensFiles:
    layout: Layout
    rejects: Rejects
    show_progress: bool = False
    rows: Counter[str] = field(default_factory=Counter)  # per file, broken ones included

    def movies(self) -> dict[int, MovieRecord]:
        """Movies by MovieLens id, with external ids and keywords if the data set has them."""
        movies: dict[int, MovieRecord] = {}

        def parse(line: bytes) -> MovieRecord:
            record = parse_movie(line, self.layout.separator)
            if record.movielens_id in movies:
                raise BadRow(f"movie {record.movielens_id} appears twice")
            return record

        for record in self._read("movies", parse):
            movies[record.movielens_id or 0] = record
        if self.layout.has("links"):
            for movie, imdb_id, tmdb_id in self._read("links", lambda line: parse_link(line, self.layout.separator)):
                if movie in movies:
                    movies[movie].imdb_id, movies[movie].tmdb_id = imdb_id, tmdb_id
        if self.layout.has("tags"):
            for movie, keywords in self._keywords().items():
                if movie in movies:
                    movies[movie].keywords = keywords
        return movies

    def ratings(self, movies: dict[int, MovieRecord], *, title: str, report: bool) -> Iterator[RatingRow]:
        """Valid ratings in file order. Pass `report` in only one of several passes."""
        latest = int(time.time()) + int(CLOCK_TOLERANCE.total_seconds())
        parse = rating_parser(self.layout.separator, movies=movies, latest=latest)
        return self._read("ratings", parse, title=title, report=report)

    def _keywords(self) -> dict[int, tuple[str, ...]]:
        used: Counter[tuple[int, str]] = Counter()
        for movie, tag in self._read("tags", lambda line: parse_tag(line, self.layout.separator)):
            used[movie, tag] += 1
        overall: Counter[str] = Counter()
        for (_, tag), n in used.items():
            overall[tag] += n
        by_movie: dict[int, list[tuple[int, str]]] = defaultdict(list)
        for (movie, tag), n in used.items():
            if overall[tag] >= TAG_USED_AT_LEAST:
                by_movie[movie].append((-n, tag))
        return {movie: tuple(tag for _, tag in sorted(tags)[:KEYWORDS_PER_MOVIE]) for movie, tags in by_movie.items()}

    def _read(
        self, table: str, parse: Callable[[bytes], Row], *, title: str = "", report: bool = True
    ) -> Iterator[Row]:
        file = self.layout.file(table)
        size = self.layout.archive.sizes[file]
        with progress_bar(total=size, description=title or f"Reading {file}", shown=self.show_progress) as bar:
            for number, line in self.layout.lines(table, bar.update):
                self.rows[file] += report
                try:
                    row = parse(line)
                except BadRow as error:
                    if report:
                        self.rejects.add(file=file, line=number, reason=str(error), row=line)
                    continue
                yield row
