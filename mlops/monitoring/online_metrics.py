"""Online metrics of champions: scores each new positive rating against the list that its user saw before it.

This is the last personal list shown shortly before the rating. If none was shown, the list is computed with the serving
code, from the champion and the user's ratings at that time. The current popular list is scored for comparison. It has
an advantage, because these ratings may have made their movies popular.
"""

import logging
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from itertools import islice
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from catalog.models import Rating
from mlops.models import ModelVersion, OnlineMetrics, Promotion, Watermark
from mlops.monitoring.personal_lists import K, personal_lists
from mlops.registry.artifacts import load_version
from recommender.models import Dismissal, Impression
from recommender.serving import candidates, stored_order
from recommender.serving.profile import UserProfile
from recommender.serving.request import ListRequest

logger = logging.getLogger(__name__)


DailyMetrics = dict[tuple[int, date], OnlineMetrics]  # unsaved rows, keyed by version and day


def score_online_metrics(*, now: datetime | None = None) -> dict[str, int]:
    """Scores at most `max_ratings` ratings after the watermark. Returns how many were scored and read.

    Scores and watermark are written in one transaction, so each rating counts once even if a task is killed or
    delivered twice.
    """
    policy = settings.POLICY.online_metrics
    champions = list(Promotion.objects.order_by("promoted_at", "id").values_list("promoted_at", "version_id"))
    if not champions:
        return {"scored": 0, "read": 0}
    mark, _ = Watermark.objects.get_or_create(name=Watermark.Job.ONLINE_METRICS, defaults={"at": champions[0][0]})
    until = (now or timezone.now()) - timedelta(seconds=policy.lag_seconds)
    later = Q(rated_at__gt=mark.at) | Q(rated_at=mark.at, pk__gt=mark.last_id)
    rows = list(Rating.objects.for_training().filter(later, rated_at__lte=until)[: policy.max_ratings])
    if not rows:
        return {"scored": 0, "read": 0}
    scores = _score([row for row in rows if _is_positive(row)], champions)
    if not _keep(scores, mark, rows[-1]):
        return {"scored": 0, "read": 0}
    return {"scored": sum(daily.n for daily in scores.values()), "read": len(rows)}


def _is_positive(rating: Rating) -> bool:
    threshold = settings.POLICY.training.implicit_threshold
    return threshold is None or rating.rating >= threshold


def _keep(scores: DailyMetrics, mark: Watermark, last: Rating) -> bool:
    """Saves the scores and moves the watermark.

    Returns False if another process has already moved the watermark, and thus counted these ratings.
    """
    with transaction.atomic():
        moved = Watermark.objects.filter(pk=mark.pk, at=mark.at, last_id=mark.last_id)
        if not moved.update(at=last.rated_at, last_id=last.pk):
            return False
        for (version, day), daily in scores.items():
            row, _ = OnlineMetrics.objects.get_or_create(version_id=version, day=day)
            sums = {name: F(name) + getattr(daily, name) for name in OnlineMetrics.SUMS}
            OnlineMetrics.objects.filter(pk=row.pk).update(**sums)
    return True


def _score(positives: list[Rating], champions: list[tuple[datetime, int]]) -> DailyMetrics:
    if not positives:
        return {}
    shown, users, top = _shown_before(positives), _Users(positives), stored_order.popular_movies()
    scores: DailyMetrics = defaultdict(OnlineMetrics)
    unseen: dict[int, list[Rating]] = defaultdict(list)
    moments = [moment for moment, _ in champions]

    def score(version: int, rating: Rating, movies: list[int], *, was_shown: bool) -> None:
        unwanted = users.profile(rating).excluded
        popular = islice((movie for movie in top if movie not in unwanted), K)
        rank = movies.index(rating.movie_id) + 1 if rating.movie_id in movies else 0
        daily = scores[version, rating.rated_at.date()]
        daily.add(rank, was_shown=was_shown, is_popular=rating.movie_id in popular)

    for rating in positives:
        impression = shown.get(rating.pk)
        if impression is not None:
            score(impression.model_version or 0, rating, [item[0] for item in impression.items[:K]], was_shown=True)
        elif place := bisect_right(moments, rating.rated_at):
            unseen[champions[place - 1][1]].append(rating)
    for version, ratings in unseen.items():
        for rating, movies in _would_have_shown(version, ratings, users):
            score(version, rating, movies, was_shown=False)
    return scores


def _shown_before(ratings: list[Rating]) -> dict[int, Impression]:
    """Returns the last complete personal list shown to the user shortly before each rating, keyed by rating."""
    within = timedelta(hours=settings.POLICY.online_metrics.shown_within_hours)
    rows = personal_lists().filter(
        model_version__in=ModelVersion.objects.values("pk"),
        shown_at__gte=ratings[0].rated_at - within,
        shown_at__lte=ratings[-1].rated_at,
    )
    of_user: dict[int, list[Impression]] = defaultdict(list)
    users = {rating.user_id for rating in ratings}
    for row in rows.order_by("shown_at", "id").iterator():
        if row.user_id in users and len(row.items) >= K:
            of_user[row.user_id].append(row)
    found = {}
    for rating in ratings:
        lists = of_user.get(rating.user_id, [])
        place = bisect_right([row.shown_at for row in lists], rating.rated_at)
        if place and rating.rated_at - lists[place - 1].shown_at <= within:
            found[rating.pk] = lists[place - 1]
    return found


def _would_have_shown(version: int, ratings: list[Rating], users: "_Users") -> Iterable[tuple[Rating, list[int]]]:
    """Yields each rating with the ten movies that the version would have recommended at that time.

    Skips users who had not rated a movie that the model knows, because they saw popular movies.
    """
    row = ModelVersion.objects.get(pk=version)
    if row.artifact_removed_at is not None:
        logger.warning("the artefact of version %s was removed: %d ratings are not scored", version, len(ratings))
        return
    served = load_version(row)
    for rating in ratings:
        listed = candidates.personal(served, ListRequest.of(users.profile(rating), K), include_new=False)
        if listed:
            yield rating, [candidate.movie_id for candidate in listed]


class _Users:
    """The histories of the users who gave these ratings. Returns a user's profile at the time of a rating."""

    def __init__(self, ratings: list[Rating]) -> None:
        self._history: dict[int, list[tuple[Any, ...]]] = defaultdict(list)
        self._dismissed: dict[int, list[tuple[datetime, int]]] = defaultdict(list)
        rows = Rating.objects.filter(user__in=_people(ratings)).order_by("-rated_at", "-id")  # serving's order
        for user, *rest in rows.values_list("user_id", "rated_at", "pk", "movie_id", "rating"):
            self._history[user].append(tuple(rest))
        dismissals = Dismissal.objects.filter(user__in=_people(ratings))
        for user, at, movie in dismissals.values_list("user_id", "created_at", "movie_id"):
            self._dismissed[user].append((at, movie))

    def profile(self, rating: Rating) -> UserProfile:
        """Returns the user's profile immediately before the rating."""
        place = (rating.rated_at, rating.pk)
        earlier = {movie: stars for at, pk, movie, stars in self._history[rating.user_id] if (at, pk) < place}
        unwanted = {movie for at, movie in self._dismissed[rating.user_id] if at < rating.rated_at}
        return UserProfile(rating.user_id, earlier, frozenset(unwanted))


def _people(ratings: list[Rating]) -> Any:
    """Returns the users' ids as a subquery, because SQLite limits the number of parameters."""
    moments = [rating.rated_at for rating in ratings]
    return Rating.objects.filter(rated_at__range=(min(moments), max(moments))).values("user_id")
