"""Users and ratings by the operator's ids."""

import secrets
from collections.abc import Sequence
from typing import Any

from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.db import transaction
from django.db.models import Q, QuerySet
from django.db.models.functions import Lower

from catalog.aggregates import rebuild_aggregates
from catalog.ingest.bulk.lines import NumberedLine, RatingLine, UserLine
from catalog.ingest.bulk.report import BulkReport
from catalog.ingest.ratings import RatingWriter
from catalog.models import Movie, Source, User


def upsert_users(lines: Sequence[NumberedLine[UserLine]], report: BulkReport) -> None:
    """Derives missing usernames from external ids. A username that is already taken rejects the line."""
    with transaction.atomic():
        users = _known({line.external_id for _, line in lines})
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
                user = users[line.external_id] = _new(line.external_id)
                fresh.append(user)
            if _set(user, name, line):
                if user.pk is not None:
                    changed[user.pk] = user
            elif user.pk is None or user.pk not in changed:
                n_unchanged += 1
            owners[name.lower()] = line.external_id
        User.objects.bulk_create(fresh)
        User.objects.bulk_update(changed.values(), ["username", "email"])
    report.inserted += len(fresh)
    report.updated += len(changed)
    report.unchanged += n_unchanged


def _known(external_ids: set[str]) -> dict[str, User]:
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


def _new(external_id: str) -> User:
    return User(source=Source.BULK, external_id=external_id, password=UNUSABLE_PASSWORD_PREFIX + secrets.token_hex(20))


def _set(user: User, name: str, line: UserLine) -> bool:
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
    report.inserted += writer.counts.inserted
    report.updated += writer.counts.updated
    report.unchanged += writer.counts.unchanged + writer.counts.repeated


def _keys(rows: QuerySet[Any], external_ids: set[str]) -> dict[str, int]:
    return dict(rows.filter(external_id__in=external_ids).order_by().values_list("external_id", "pk"))
