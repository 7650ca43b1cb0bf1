"""What the rest of the site asks of the recommender: lists, feedback, and which model to serve."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import PurePosixPath
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from catalog.models import Genre, Movie, MovieGenre, User
from recommender import metrics
from recommender.errors import InvalidArtifact, InvalidRequest, NotExplainable, RecommenderError
from recommender.models import Dismissal, Feedback, Impression, ServedMinute, ServedModel
from recommender.reasons import Reason, contributions
from recommender.serving import candidates
from recommender.serving.candidates import Pick, Wish
from recommender.serving.fallback_chain import (
    NEWEST,
    POPULAR,
    Recommendation,
    RecommendationList,
    Step,
    make_list,
    model_steps,
)
from recommender.serving.model_server import server
from recommender.serving.profile import Viewer

__all__ = [
    "Explanation",
    "InvalidArtifact",
    "InvalidRequest",
    "NotExplainable",
    "Recommendation",
    "RecommendationList",
    "RecommenderError",
    "activate",
    "explain",
    "newest",
    "popular",
    "prune_impressions",
    "prune_served_minutes",
    "recommend",
    "recommend_new",
    "record_feedback",
    "similar",
]

MAX_K = 100
MAX_EXCLUDED = 1000
PRUNED_AT_ONCE = 1000  # rows in one transaction, so that nobody waits long for SQLite's only writer


def recommend(
    *,
    user: User,
    k: int = 10,
    include_new: bool = False,
    genre: str | None = None,
    exclude: Iterable[int] = (),
    explain: bool = False,
    surface: str,
    viewer: Viewer | None = None,
) -> RecommendationList:
    """k movies for the user from their ratings of this moment; popular ones for who has not rated yet.

    `genre` (name or slug) and `exclude` narrow the choice before it is cut to k. `viewer` saves reading the
    user's ratings where the caller has just done so.
    """
    viewer = viewer or Viewer.of(user)
    wish = _wish(k, viewer, genre=genre, exclude=exclude)
    steps = model_steps(lambda served, wish: candidates.personal(served, viewer, wish, include_new=include_new))
    return make_list([*steps, POPULAR, NEWEST], wish, viewer, surface=surface, explain=explain)


def recommend_new(
    *, user: User, k: int = 10, explain: bool = False, surface: str, viewer: Viewer | None = None
) -> RecommendationList:
    """Movies without a rating in the champion's snapshot, by taste from their metadata; for a user without
    ratings, or with a model that cannot judge new movies, the newest of them."""
    viewer = viewer or Viewer.of(user)
    steps = model_steps(lambda served, wish: candidates.new(served, viewer, wish))
    return make_list([*steps, _newest_new()], _wish(k, viewer), viewer, surface=surface, explain=explain)


def similar(
    *, movie: Movie, k: int = 10, user: User | None = None, surface: str = "similar", viewer: Viewer | None = None
) -> RecommendationList:
    """Movies like this one, less those that the user has seen or dismissed; without a model popular ones of a genre."""
    viewer = viewer or Viewer.of(user)
    wish = replace(_wish(k, viewer), hidden=viewer.hidden | {movie.pk})
    steps = model_steps(lambda served, wish: candidates.similar(served, movie.pk, wish))
    return make_list([*steps, _popular_like(movie), POPULAR, NEWEST], wish, viewer, surface=surface)


def popular(*, user: User | None, k: int = 10, surface: str, viewer: Viewer | None = None) -> RecommendationList:
    """Popular now, less what the user has seen or dismissed."""
    viewer = viewer or Viewer.of(user)
    return make_list([POPULAR, NEWEST], _wish(k, viewer), viewer, surface=surface, asked=POPULAR.name)


def newest(*, k: int = 10, surface: str) -> RecommendationList:
    """The latest releases, the same for everybody."""
    viewer = Viewer()
    return make_list([NEWEST], _wish(k, viewer), viewer, surface=surface, asked=NEWEST.name)


def _newest_new() -> Step:
    """Where no model is served every movie is new."""
    champion = next(iter(server.served()), None)
    return NEWEST if champion is None else Step("newest", lambda wish: candidates.newest_new(champion, wish))


def _popular_like(movie: Movie) -> Step:
    def pick(wish: Wish) -> list[Pick]:
        link = MovieGenre.objects.filter(movie=movie).order_by("genre__name").first()
        return candidates.popular(replace(wish, genre_id=link.genre_id)) if link else []

    return Step(POPULAR.name, pick)


def _wish(k: int, viewer: Viewer, *, genre: str | None = None, exclude: Iterable[int] = ()) -> Wish:
    if not 1 <= k <= MAX_K:
        raise InvalidRequest("k", f"expected a number from 1 to {MAX_K}, got {k}")
    excluded = frozenset(exclude)
    if len(excluded) > MAX_EXCLUDED:
        raise InvalidRequest("exclude", f"expected at most {MAX_EXCLUDED} movies, got {len(excluded)}")
    wish = Wish(k, viewer.hidden | excluded)
    return wish if genre is None else _of_genre(wish, genre)


def _of_genre(wish: Wish, genre: str) -> Wish:
    named = Q(genre__slug=genre.lower()) | Q(genre__name__iexact=genre)
    links = list(MovieGenre.objects.filter(named).values_list("genre_id", "movie_id"))
    if links:
        return replace(wish, genre_id=links[0][0], of_genre=frozenset(movie for _, movie in links))
    known = Genre.objects.filter(Q(slug=genre.lower()) | Q(name__iexact=genre)).first()
    if known is None:
        raise InvalidRequest("genre", f"there is no genre {genre!r}; give the name or slug of one")
    return replace(wish, genre_id=known.pk)


@dataclass(frozen=True)
class Explanation:
    """Why the served model gives a movie its score for a user: `contributions` sum to `score`."""

    source: str
    score: float
    model_version: int
    contributions: list[Reason]
    is_seen: bool
    is_dismissed: bool


def explain(*, user: User, movie: Movie) -> Explanation:
    """The whole account of one score, for a movie that is in the user's lists or not. Raises NotExplainable."""
    served = next(iter(server.served()), None)
    if served is None:
        raise NotExplainable("No model is served: lists are popular or newest movies.")
    viewer = Viewer.of(user)
    history = viewer.history(served.known)
    if not history:
        raise NotExplainable("The model knows no movie that this user rated: their lists are popular movies.")
    is_new = movie.pk in served.new
    if movie.pk not in served.known or (is_new and not served.model.scores_new_movies):
        raise NotExplainable(f"Model {served.version} ({served.model.algorithm}) does not score {movie}: it is new.")
    rows = contributions(served, history, movie.pk)
    return Explanation(
        source="new" if is_new else "personal",
        score=sum(row.contribution for row in rows),
        model_version=served.version,
        contributions=rows,
        is_seen=movie.pk in viewer.seen,
        is_dismissed=movie.pk in viewer.dismissed,
    )


def record_feedback(*, user: User, movie: Movie, kind: str, request_id: UUID | None = None) -> Feedback:
    """Keep what the user did with a recommended movie. `not_interested` hides the movie from all of their lists,
    `undo` shows it again; both may be repeated."""
    if kind not in Feedback.Kind.values:
        raise InvalidRequest("kind", f"expected one of {', '.join(Feedback.Kind.values)}, got {kind!r}")
    with transaction.atomic():
        if kind == Feedback.Kind.NOT_INTERESTED:
            Dismissal.objects.get_or_create(user=user, movie=movie)
        elif kind == Feedback.Kind.UNDO:
            Dismissal.objects.filter(user=user, movie=movie).delete()
        feedback = Feedback.objects.create(user=user, movie=movie, kind=kind, request_id=request_id)
    metrics.FEEDBACK.labels(kind).inc()
    return feedback


def prune_impressions() -> int:
    """Remove shown lists that are older than the policy keeps them; how many there were."""
    before = timezone.now() - timedelta(days=settings.POLICY.serving.impressions_days)
    removed = 0
    while ids := list(Impression.objects.filter(shown_at__lt=before).values_list("pk", flat=True)[:PRUNED_AT_ONCE]):
        removed += Impression.objects.filter(pk__in=ids).delete()[0]
    return removed


def prune_served_minutes() -> int:
    """Remove the counts of minutes that are older than the policy keeps them; how many rows there were."""
    before = timezone.now() - timedelta(days=settings.POLICY.serving.stats_days)
    return ServedMinute.objects.filter(minute__lt=before).delete()[0]


def activate(*, version: int, algorithm: str, artifact: str) -> ServedModel:
    """Point the web processes at the artefact (a folder below MODEL_DIR); they follow within seconds.

    The champion becomes the previous one, to which the ladder falls and a roll-back returns; naming the
    version that is served already only corrects its artefact.
    """
    folder = PurePosixPath(artifact)
    if folder.is_absolute() or ".." in folder.parts or not folder.parts:
        raise InvalidArtifact(f"artifact: expected a folder below MODEL_DIR, got {artifact!r}")
    with transaction.atomic():
        slots = {row.slot: row for row in ServedModel.objects.select_for_update()}
        champion = slots.get(ServedModel.Slot.CHAMPION)
        if champion is not None and champion.version != version:
            _point(ServedModel.Slot.PREVIOUS, champion)
        row = ServedModel(version=version, algorithm=algorithm, artifact=artifact)
        return _point(ServedModel.Slot.CHAMPION, row)


def _point(slot: ServedModel.Slot, to: ServedModel) -> ServedModel:
    names = ("version", "algorithm", "artifact", "activated_at")
    row, _ = ServedModel.objects.update_or_create(slot=slot, defaults={name: getattr(to, name) for name in names})
    return row
