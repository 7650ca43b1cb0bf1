"""Inserts or updates movies, users and ratings by the operator's ids."""

from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet
from django.db.models.functions import Lower

from catalog.aggregates import rebuild_aggregates
from catalog.ingest.bulk.lines import MovieLine, NumberedLine, RatingLine, UserLine
from catalog.ingest.fields import values_from
from catalog.ingest.identity import IDS, IdIndex, having_any_id, ids_of
from catalog.ingest.links import links_by_name
from catalog.ingest.movies import LISTS, MovieBatch
from catalog.ingest.ratings import RatingWriter
from catalog.ingest.report import BulkReport
from catalog.models import Movie, Source, User


def upsert_movies(lines: Sequence[NumberedLine[MovieLine]], report: BulkReport) -> None:
    """Finds each movie by external id or, failing that, by another id. Then sets the external id.

    Sets the fields present in a line, unless they were edited by hand. Leaves all others unchanged. Lists are replaced
    by those of the last line that contains them.
    """
    with transaction.atomic():
        batch = MovieBatch(Source.BULK, having_any_id(ids_of([line for _, line in lines], IDS)))
        # keyed by object id, because new movies have no primary key yet
        lists: dict[int, tuple[Movie, dict[str, Any]]] = {}
        n_taken = 0
        for number, line in lines:
            movie = batch.by_id.find(line, own="external_id")
            if wrong := _problem(batch.by_id, line, movie):
                report.reject(number, wrong)
                continue
            values = values_from(line, Source.BULK, given=line.model_fields_set)
            if line.release_date:
                values.setdefault("year", line.release_date.year)
            movie = batch.put(movie, values)
            _, named = lists.setdefault(id(movie), (movie, {}))
            named |= {name: getattr(line, name) for name in LISTS if name in line.model_fields_set}
            n_taken += 1
        links = links_by_name(Source.BULK, [named for _, named in lists.values()])
        movies = [movie for movie, _ in lists.values()]
        updated = batch.save(zip(movies, links, strict=True), replace=True)
    report.add(len(batch.new), len(updated), n_taken - len(batch.new) - len(updated))


def _problem(known: IdIndex[Movie], line: MovieLine, movie: Movie | None) -> str:
    values = values_from(line, Source.BULK)
    taken = known.taken(values, movie)
    missing = "" if movie or line.title else "title: required for a new movie"
    return next((f"{name}: {values[name]} belongs to another movie, {owner}" for name, owner in taken.items()), missing)


def upsert_users(lines: Sequence[NumberedLine[UserLine]], report: BulkReport) -> None:
    """Inserts or updates users. A missing username is derived from the external id. A taken one rejects the line."""
    with transaction.atomic():
        users = {line.external_id: User.without_login(Source.BULK, line.external_id) for _, line in lines}
        known = User.objects.select_for_update().filter(source=Source.BULK, external_id__in=users)
        users |= {user.external_id: user for user in known}
        owners = _owners_of_names({line.username or users[line.external_id].username for _, line in lines})
        fresh: dict[str, User] = {}
        changed: dict[str, User] = {}
        n_unchanged = 0
        for number, line in lines:
            user = users[line.external_id]
            name = line.username or user.username
            if owners.setdefault(name.lower(), line.external_id) != line.external_id:
                report.reject(number, f"username: {name} is taken")
                continue
            email = line.email if "email" in line.model_fields_set else user.email
            if user.pk is None:
                fresh[line.external_id] = user
            elif (user.username, user.email) != (name, email):
                changed[line.external_id] = user
            else:
                n_unchanged += 1
            user.username, user.email = name, email
            user.note_skeleton()
        User.objects.bulk_create(fresh.values())
        User.objects.bulk_update(changed.values(), ["username", "email", "skeleton"])
    report.add(len(fresh), len(changed), n_unchanged)


def _owners_of_names(names: set[str]) -> dict[str, str]:
    """Maps lower-case usernames to their owner's external id, which is empty for users of the site."""
    lower = {name.lower() for name in names}
    # Also compared in original case, because SQLite lower-cases only ASCII letters.
    rows = User.objects.alias(lower=Lower("username")).filter(Q(lower__in=lower) | Q(username__in=names))
    return {user.username.lower(): user.external_id if user.source == Source.BULK else "" for user in rows.iterator()}


def upsert_ratings(lines: Sequence[NumberedLine[RatingLine]], report: BulkReport) -> None:
    """Writes ratings. Only a user's latest rating of a movie is used. Ratings given on this site are kept."""
    with transaction.atomic():
        users = _keys(User.objects.filter(source=Source.BULK), {line.user for _, line in lines})
        movies = _keys(Movie.objects.all(), {line.movie for _, line in lines})
        touched = set()
        with RatingWriter(Source.BULK) as writer:
            for number, line in lines:
                user, movie = users.get(line.user), movies.get(line.movie)
                if user is None or movie is None:
                    what, name = ("user", line.user) if user is None else ("movie", line.movie)
                    report.reject(number, f"{what}: no {what} has the external id {name!r}; send it first")
                    continue
                writer.add(user, movie, line.rating, int(line.rated_at.timestamp()))
                touched.add(movie)
        rebuild_aggregates(touched)
    counts = writer.counts
    report.add(counts.inserted, counts.updated, counts.unchanged + counts.repeated)


def _keys(rows: QuerySet[Any], external_ids: set[str]) -> dict[str, int]:
    return dict(rows.filter(external_id__in=external_ids).order_by().values_list("external_id", "pk"))
