"""Ratings by the operator's ids of user and movie."""

from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from catalog.ingest.bulk.lines import NumberedLine, RatingLine
from catalog.ingest.bulk.report import BulkReport
from catalog.ingest.ratings import RatingWriter
from catalog.models import Movie, Source, User
from catalog.services import rebuild_aggregates


def upsert_ratings(lines: Sequence[NumberedLine[RatingLine]], report: BulkReport) -> None:
    """The latest rating of a movie by a person counts; one that was given on this site stays."""
    with transaction.atomic():
        users = _keys(User.objects.filter(source=Source.BULK), {line.user for _, line in lines})
        movies = _keys(Movie.objects.all(), {line.movie for _, line in lines})
        touched = set()
        with RatingWriter(Source.BULK) as writer:
            for number, line in lines:
                user, movie = users.get(line.user), movies.get(line.movie)
                if user is None or movie is None:
                    what, name = ("user", line.user) if user is None else ("movie", line.movie)
                    report.reject(number, f"{what}: there is none with the external id {name!r}; bring it first")
                    continue
                writer.add(user, movie, line.rating, int(line.rated_at.timestamp()))
                touched.add(movie)
        rebuild_aggregates(touched)
    report.inserted += writer.counts.inserted
    report.updated += writer.counts.updated
    report.unchanged += writer.counts.unchanged + writer.counts.repeated


def _keys(rows: QuerySet[Any], external_ids: set[str]) -> dict[str, int]:
    return dict(rows.filter(external_id__in=external_ids).order_by().values_list("external_id", "pk"))
