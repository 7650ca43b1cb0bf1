"""Inserts or updates movies, users and ratings by the operator's ids."""

import secrets
from collections.abc import Sequence
from typing import Any

from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.db import transaction
from django.db.models import Q, QuerySet
from django.db.models.functions import Lower
from django.utils import timezone

from catalog.aggregates import rebuild_aggregates
from catalog.ingest.bulk.lines import MovieLine, NumberedLine, RatingLine, UserLine
from catalog.ingest.bulk.report import BulkReport
from catalog.ingest.fields import assign, supplied_by, values_from
from catalog.ingest.identity import IDS, IdIndex, having_any_id, ids_of
from catalog.ingest.links import links_by_name, write_links
from catalog.ingest.ratings import RatingWriter
from catalog.models import Movie, SearchTerm, Source, User

LISTS = {"genres", "keywords", "cast", "directors"}
SEARCHED = {"title", "original_title"}


def upsert_movies(lines: Sequence[NumberedLine[MovieLine]], report: BulkReport) -> None:
    """Finds a movie by external id, else by another id, and then gives it the external one.

    Fields that a line names are set, unless a person edited them by hand; all others stay.
    """
    with transaction.atomic():
        wanted = having_any_id(ids_of([line for _, line in lines], IDS))
        known = IdIndex(Movie.objects.select_for_update().filter(wanted).order_by("pk"))
        changed: dict[int, Movie] = {}  # by object id: a new movie has no key yet
        pairs: list[tuple[Movie, MovieLine]] = []
        fresh: list[Movie] = []
        for number, line in lines:
            movie = known.find(line, own="external_id")
            if wrong := _problem(known, line, movie):
                report.reject(number, wrong)
                continue
            if movie is None:
                movie = Movie(source=Source.BULK)
                fresh.append(movie)
            if _set_movie(movie, line) and movie.pk is not None:
                changed[id(movie)] = movie
            known.add(movie)
            pairs.append((movie, line))
        _save_movies(fresh, list(changed.values()))
        linked = _link(pairs, fresh={movie.pk for movie in fresh})
        Movie.objects.filter(pk__in=linked).update(updated_at=timezone.now())
    updated = linked | {movie.pk for movie in changed.values()}
    report.add(len(fresh), len(updated), len(pairs) - len(fresh) - len(updated))


def _problem(known: IdIndex[Movie], line: MovieLine, movie: Movie | None) -> str:
    values = values_from(line, Source.BULK)
    taken = known.taken(values, movie)
    missing = "" if movie or line.title else "title: required for a new movie"
    return next((f"{name}: {values[name]} belongs to another movie, {owner}" for name, owner in taken.items()), missing)


def _set_movie(movie: Movie, line: MovieLine) -> bool:
    """True when something changed."""
    values = values_from(line, Source.BULK, given=line.model_fields_set)
    if line.release_date:
        values.setdefault("year", line.release_date.year)
    changed = assign(movie, values, Source.BULK)
    if SEARCHED & changed.keys():
        movie.set_search()
    return bool(changed)


def _save_movies(fresh: list[Movie], changed: list[Movie]) -> None:
    Movie.objects.bulk_create(fresh)
    now = timezone.now()
    for movie in changed:
        movie.updated_at = now
    columns = [*supplied_by(Source.BULK), "search_title", "search_terms", "field_sources", "updated_at"]
    Movie.objects.bulk_update(changed, columns)
    SearchTerm.objects.learn(movie.search_terms for movie in (*fresh, *changed))


def _link(pairs: list[tuple[Movie, MovieLine]], *, fresh: set[int]) -> set[int]:
    """Replaces the lists that lines name, each by the last line that names it. Returns the changed movies."""
    lists: dict[Movie, dict[str, Any]] = {}
    for movie, line in pairs:
        lists[movie] = lists.get(movie, {}) | {name: getattr(line, name) for name in LISTS & line.model_fields_set}
    links = links_by_name(Source.BULK, list(lists.values()))
    return write_links(Source.BULK, zip(lists, links, strict=True), fresh=fresh, replace=True)


def upsert_users(lines: Sequence[NumberedLine[UserLine]], report: BulkReport) -> None:
    """Derives missing usernames from external ids. A username that is already taken rejects the line."""
    with transaction.atomic():
        users = _known_users({line.external_id for _, line in lines})
        owners = _owners_of_names(lines)
        fresh: list[User] = []
        changed: dict[int, User] = {}
        n_unchanged = 0
        for number, line in lines:
            user = users.get(line.external_id)
            name = line.username or (user.username if user else _name_of(line.external_id))
            owner = owners.get(name.lower())
            if owner is not None and owner != line.external_id:
                report.reject(number, f"username: {name} is taken")
                continue
            if user is None:
                password = UNUSABLE_PASSWORD_PREFIX + secrets.token_hex(20)
                user = User(source=Source.BULK, external_id=line.external_id, password=password)
                users[line.external_id] = user
                fresh.append(user)
            if _set_user(user, name, line):
                if user.pk is not None:
                    changed[user.pk] = user
            elif user.pk is None or user.pk not in changed:
                n_unchanged += 1
            owners[name.lower()] = line.external_id
        User.objects.bulk_create(fresh)
        User.objects.bulk_update(changed.values(), ["username", "email"])
    report.add(len(fresh), len(changed), n_unchanged)


def _known_users(external_ids: set[str]) -> dict[str, User]:
    rows = User.objects.filter(source=Source.BULK, external_id__in=external_ids)
    return {user.external_id: user for user in rows.select_for_update()}


def _owners_of_names(lines: Sequence[NumberedLine[UserLine]]) -> dict[str, str]:
    """Owners of the usernames (in lower case) by external id, which is empty for users of the site."""
    names = {line.username or _name_of(line.external_id) for _, line in lines}
    lower = {name.lower() for name in names}
    # Also matched unchanged, since SQLite lowers only ASCII letters.
    rows = User.objects.alias(lower=Lower("username")).filter(Q(lower__in=lower) | Q(username__in=names))
    return {user.username.lower(): user.external_id if user.source == Source.BULK else "" for user in rows.iterator()}


def _name_of(external_id: str) -> str:
    return f"{Source.BULK.value}-{external_id}"


def _set_user(user: User, name: str, line: UserLine) -> bool:
    email = line.email if "email" in line.model_fields_set else user.email
    if (user.username, user.email) == (name, email):
        return False
    user.username, user.email = name, email
    return True


def upsert_ratings(lines: Sequence[NumberedLine[RatingLine]], report: BulkReport) -> None:
    """A user's latest rating of a movie counts; ratings given on this site stay."""
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
