"""The recommender's public services: lists, explanations, feedback and activation of the served model."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from pathlib import PurePosixPath
from typing import Unpack
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from catalog.models import Movie, MovieGenre, User
from recommender import estimators, metrics
from recommender.errors import InvalidArtifact, InvalidRequest, ListNotShown, NotExplainable
from recommender.explanations import Reason, contributions
from recommender.models import Dismissal, Feedback, Impression, ServedModel, ServingStatsMinute
from recommender.reasons import Attributed, attribute_movie
from recommender.serving import candidates, stored_order, titles
from recommender.serving.batch import Wanted, make_lists
from recommender.serving.candidates import Candidate
from recommender.serving.fallback_chain import NEWEST, POPULAR, VARIED, Source, find_movies, model_sources
from recommender.serving.filters import FilterValues, MovieFilters
from recommender.serving.list_ids import is_list_of
from recommender.serving.lists import RecommendationList, make_list
from recommender.serving.loaded_model import LoadedModel
from recommender.serving.model_server import server
from recommender.serving.profile import UserProfile
from recommender.serving.request import ListRequest
from recommender.serving.together import together
from recommender.serving.trace import ListTrace

DELETED_AT_ONCE = 1000  # rows per transaction, so that SQLite's single writer is not blocked for long


def recommend(
    *,
    user: User | None,
    k: int = 10,
    include_new: bool = False,
    exclude: Iterable[int] = (),
    include_seen: bool = False,
    adventure: float = 0.0,
    companions: Sequence[UserProfile] = (),
    explain: bool = False,
    surface: str | None,
    profile: UserProfile | None = None,
    trace: ListTrace | None = None,
    **filters: Unpack[FilterValues],
) -> RecommendationList:
    """Return k movies for the user from their current ratings, or popular movies for a user without ratings.

    `filters` and `exclude` apply before the list is cut to k. `adventure` ranges from -1 (similar, well-known movies)
    to 1 (diverse, little-known movies). With `companions`, the list is for all of them together. Pass `profile` for a
    visitor, or to avoid reading the user's ratings again. `trace` records how the list is made. A list without a
    `surface` is not recorded.
    """
    request = ListRequest.of(
        profile or UserProfile.of(user),
        k,
        filters=filters,
        exclude=exclude,
        include_seen=include_seen,
        adventure=adventure,
        companions=companions,
        trace=trace,
    )
    sources = model_sources(together if companions else partial(candidates.personal, include_new=include_new))
    return make_list([*sources, POPULAR, NEWEST], request, surface=surface, explain=explain)


def recommend_many(wanted: Sequence[Wanted], *, surface: str) -> list[RecommendationList | None]:
    """Return the result of `recommend` for each user, in order, or None for a user that does not exist.

    Scores the users together.
    """
    return list(make_lists(wanted, surface=surface))


def recommend_new(
    *,
    user: User | None,
    k: int = 10,
    explain: bool = False,
    surface: str | None,
    profile: UserProfile | None = None,
    trace: ListTrace | None = None,
) -> RecommendationList:
    """Return movies without ratings in the champion's snapshot, ranked by the user's taste in metadata.

    A user without ratings gets the newest of them. So does everyone if the model does not score new movies.
    """
    request = ListRequest.of(profile or UserProfile.of(user), k, trace=trace)
    sources = [*model_sources(candidates.new), _newest_new()]
    return make_list(sources, request, surface=surface, explain=explain)


def similar(
    *,
    movie: Movie,
    k: int = 10,
    user: User | None = None,
    surface: str | None = "similar",
    profile: UserProfile | None = None,
) -> RecommendationList:
    """Return similar movies that the user has not seen or dismissed, or popular movies of its genre without a model."""
    request = ListRequest.of(profile or UserProfile.of(user), k, exclude=[movie.pk])

    def like_the_movie(loaded: LoadedModel, request: ListRequest) -> list[Candidate]:
        return candidates.similar(loaded, movie.pk, request)

    return make_list([*model_sources(like_the_movie), _popular_like(movie), POPULAR, NEWEST], request, surface=surface)


def popular(*, user: User | None, k: int = 10, surface: str, profile: UserProfile | None = None) -> RecommendationList:
    """Return the movies that are popular now, except those that the user has seen or dismissed."""
    request = ListRequest.of(profile or UserProfile.of(user), k)
    return make_list([POPULAR, NEWEST], request, surface=surface, asked=POPULAR.name)


def newest(*, k: int = 10, surface: str) -> RecommendationList:
    """Return the latest releases, the same for all users."""
    return make_list([NEWEST], ListRequest.of(UserProfile(), k), surface=surface, asked=NEWEST.name)


def titles_to_rate(
    *, profile: UserProfile, not_seen: Iterable[int] = (), shown: Sequence[int] = (), k: int = 12
) -> list[Movie]:
    """Return the well-known titles whose ratings would most improve the lists for this profile, best first.

    Titles in `shown` keep their positions. Without a served model, returns popular titles of all genres.
    """
    request = ListRequest.of(profile, k, exclude=not_seen)
    _source, found, movies = find_movies([*model_sources(titles.informative), VARIED, NEWEST], request)
    return [movies[movie] for movie in estimators.keep_places(shown, [candidate.movie_id for candidate in found])]


def _newest_new() -> Source:
    """Return the source of the newest new movies. Without a served model, every movie is new."""
    champion = server.champion()
    return NEWEST if champion is None else Source(NEWEST.name, partial(candidates.newest_new, champion))


def _popular_like(movie: Movie) -> Source:
    def popular_of_genre(request: ListRequest) -> list[Candidate]:
        link = MovieGenre.objects.filter(movie=movie).select_related("genre").order_by("genre__name").first()
        return stored_order.popular(replace(request, filters=MovieFilters(genre=link.genre.slug))) if link else []

    return Source(POPULAR.name, popular_of_genre)


@dataclass(frozen=True)
class Explanation:
    """The served model's score of a movie for a user. `contributions` sum to the score."""

    source: str
    score: float
    model_version: int
    contributions: list[Reason]
    is_seen: bool
    is_dismissed: bool


def explain(*, user: User, movie: Movie) -> Explanation:
    """Explain the served model's score of any movie, recommended or not. Raises NotExplainable."""
    profile = UserProfile.of(user)
    loaded, history = _explainable(profile, movie)
    rows = contributions(loaded.model, history, movie.pk)
    return Explanation(
        source="new" if movie.pk in loaded.new else "personal",
        score=sum(row.contribution for row in rows),
        model_version=loaded.version,
        contributions=rows,
        is_seen=movie.pk in profile.seen,
        is_dismissed=movie.pk in profile.dismissed,
    )


def attribute(*, profile: UserProfile, movie: Movie) -> Attributed:
    """Return the effect of each of the user's ratings on the movie's score at fixed weights. Raises NotExplainable."""
    loaded, history = _explainable(profile, movie)
    return attribute_movie(loaded.model, profile.ratings, history, movie.pk)


def _explainable(profile: UserProfile, movie: Movie) -> tuple[LoadedModel, dict[int, float]]:
    loaded = server.champion()
    if loaded is None:
        raise NotExplainable(_("No model is served. Lists contain popular or newest movies."))
    history = profile.history(loaded.known)
    if not history:
        raise NotExplainable(_("The model does not know any of the user's movies. Their lists contain popular movies."))
    if movie.pk not in loaded.known or (movie.pk in loaded.new and not loaded.model.scores_new_movies):
        values = {"version": loaded.version, "algorithm": loaded.model.algorithm, "movie": movie}
        raise NotExplainable(_("Model %(version)s (%(algorithm)s) does not score the new movie %(movie)s.") % values)
    return loaded, history


def record_feedback(*, user: User, movie: Movie, kind: str, request_id: UUID | None = None) -> Feedback:
    """Record what the user did with a recommended movie.

    `not_interested` removes the movie from all lists of the user, and `undo` reverts this. Both are idempotent. Raises
    ListNotShown if the list with this `request_id` was not shown to the user or did not contain the movie. Feedback
    without a `request_id` does not count in any metric.
    """
    if kind not in Feedback.Kind.values:
        expected = ", ".join(Feedback.Kind.values)
        raise InvalidRequest(
            "kind", _("expected one of %(expected)s, got %(kind)r") % {"expected": expected, "kind": kind}
        )
    if request_id is not None and not _was_shown(user, movie, request_id):
        raise ListNotShown("request_id", _("no list with this id that contains this movie was shown to you"))
    with transaction.atomic():
        if kind == Feedback.Kind.NOT_INTERESTED:
            Dismissal.objects.get_or_create(user=user, movie=movie)
        elif kind == Feedback.Kind.UNDO:
            Dismissal.objects.filter(user=user, movie=movie).delete()
        feedback = Feedback.objects.create(user=user, movie=movie, kind=kind, request_id=request_id)
    metrics.FEEDBACK.labels(kind).inc()
    return feedback


def _was_shown(user: User, movie: Movie, request_id: UUID) -> bool:
    """Return whether the list was shown, by its impression or, until that is written, by the signature of the id."""
    impression = Impression.objects.filter(request_id=request_id).first()
    if impression is None:
        return is_list_of(request_id, user.pk)
    return impression.user_id == user.pk and any(movie_id == movie.pk for movie_id, _rank, _source in impression.items)


def prune_impressions() -> int:
    """Delete impressions older than the policy's limit. Return their number."""
    before = timezone.now() - timedelta(days=settings.POLICY.serving.impressions_days)
    removed = 0
    while ids := list(Impression.objects.filter(shown_at__lt=before).values_list("pk", flat=True)[:DELETED_AT_ONCE]):
        removed += Impression.objects.filter(pk__in=ids).delete()[0]
    return removed


def prune_serving_stats() -> int:
    """Delete serving stats older than the policy's limit. Return the number of rows."""
    before = timezone.now() - timedelta(days=settings.POLICY.serving.stats_days)
    return ServingStatsMinute.objects.filter(minute__lt=before).delete()[0]


def activate(*, version: int, algorithm: str, artifact: str, checksum: str = "") -> ServedModel:
    """Make the web processes serve the artefact, a folder below MODEL_DIR. They follow within seconds.

    The current champion becomes the previous champion, which is the fallback and the target of a rollback. Activating
    the served version again only updates its artefact. If `checksum` is given, an artefact with another checksum is not
    served.
    """
    folder = PurePosixPath(artifact)
    if folder.is_absolute() or ".." in folder.parts or not folder.parts:
        raise InvalidArtifact(_("artifact: expected a folder inside MODEL_DIR, got %r") % artifact)
    with transaction.atomic():
        slots = {row.slot: row for row in ServedModel.objects.select_for_update()}
        champion = slots.get(ServedModel.Slot.CHAMPION)
        if champion is not None and champion.version != version:
            _set_pointer(ServedModel.Slot.PREVIOUS, champion)
        row = ServedModel(version=version, algorithm=algorithm, artifact=artifact, checksum=checksum)
        return _set_pointer(ServedModel.Slot.CHAMPION, row)


def _set_pointer(slot: ServedModel.Slot, to: ServedModel) -> ServedModel:
    names = ("version", "algorithm", "artifact", "checksum", "activated_at")
    row, _ = ServedModel.objects.update_or_create(slot=slot, defaults={name: getattr(to, name) for name in names})
    return row
