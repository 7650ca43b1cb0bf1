"""Reasons for recommending a movie, from the model's attribution at fixed weights.

Each movie of a personal list has a main reason. The movie's panel shows all parts of its score.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from django.conf import settings
from django.db.models import TextChoices
from django.utils.html import format_html
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from catalog.models import Movie, genre_label

if TYPE_CHECKING:
    from recommender.estimators import Recommender
    from recommender.estimators.attribution import Attribution
    from recommender.estimators.interactions import HistoryRows

LIKED = 4.0  # lowest rating of a movie described as liked
FEATURE_SHARE = 0.2  # largest share of a list with a feature as the reason; a known movie tells users more


class ReasonCode(TextChoices):
    """Codes of reasons, with the sentences shown to users as labels."""

    LIKED = "liked", _("Because you liked %(name)s")
    RATED = "rated", _("Because you rated %(name)s")
    WATCHED = "watched", _("Because you watched %(name)s")
    GENRE = "genre", _("Because you like %(name)s movies")
    KEYWORD = "keyword", _("Because you like movies tagged %(name)s")
    CAST = "cast", _("Because you like movies with %(name)s")
    DIRECTOR = "director", _("Because you like movies by %(name)s")
    RATINGS = "ratings", _("Based on all your ratings")
    POPULAR = "popular", _("Popular on this site")


@cache
def _sentence(code: ReasonCode, language: str) -> str:
    """Return the sentence in the active language, which is `language`. A look-up costs more than a movie's JSON."""
    return str(code.label)


class MainReason(NamedTuple):
    """The largest plausible contribution to a score. The code RATINGS means that there is none."""

    code: ReasonCode
    movie_id: int | None = None
    name: str = ""
    contribution: float | None = None  # drop in the score without it, at the same weights

    @property
    def sentence(self) -> str:
        return _sentence(self.code, get_language()) % {"name": self.shown_name}

    @property
    def shown_name(self) -> str:
        return genre_label(self.name) if self.code is ReasonCode.GENRE else self.name

    @property
    def as_html(self) -> str:
        """Return the sentence as HTML, with the name in a `cite` element."""
        return format_html(str(self.code.label).replace("%(name)s", "<cite>{}</cite>"), self.shown_name)

    @property
    def as_json(self) -> dict[str, Any]:
        own = self._asdict()
        return {"code": own.pop("code").value, "sentence": self.sentence} | own

    def named(self, movies: dict[int, Movie]) -> MainReason:
        """Return the reason with the movie's current title, or RATINGS if the movie has been deleted."""
        if self.movie_id is None:
            return self
        movie = movies.get(self.movie_id)
        return MainReason(ReasonCode.RATINGS) if movie is None else self._replace(name=movie.title)


def main_reasons(
    model: Recommender, ratings: dict[int, float], history: HistoryRows, movie_ids: list[int], n_features: int
) -> dict[int, MainReason]:
    """Return for each movie the liked or watched similar movie that adds most to its score.

    `history` is the model's input for the user, whose stars are in `ratings`. The first `n_features` movies without
    such a reason get a genre, a keyword or a person. The others get "From your ratings overall", because many ratings
    together may explain a movie's score.
    """
    attribution: Attribution = model.attribute(history, movie_ids)
    if not attribution.parts.any():
        return dict.fromkeys(movie_ids, MainReason(ReasonCode.POPULAR))
    threshold = settings.POLICY.training.implicit_threshold
    lowest = LIKED if threshold is None else threshold
    rated = attribution.rated_ids.tolist()
    is_liked = np.array([ratings.get(movie, lowest) >= lowest for movie in rated], dtype=bool)
    parts = np.where(attribution.is_near & is_liked, attribution.parts, 0.0)
    best = parts.argmax(axis=1)
    reasons = {
        movie: _reason(ratings, rated[at], float(falls[at])) if part[at] > 0 else MainReason(ReasonCode.RATINGS)
        for movie, at, part, falls in zip(movie_ids, best.tolist(), parts, attribution.falls, strict=True)
    }
    without = [movie for movie, reason in reasons.items() if reason.movie_id is None]
    return reasons | _features(model, history, without[:n_features])


def _features(model: Recommender, history: HistoryRows, movie_ids: list[int]) -> dict[int, MainReason]:
    found = model.named_features(history, movie_ids) if movie_ids else []
    return {
        movie: MainReason(ReasonCode(kind), None, name, feature.contribution)
        for movie, feature in zip(movie_ids, found, strict=True)
        if feature
        for kind, _sep, name in [feature.id.partition(":")]
    }


def _reason(ratings: dict[int, float], movie_id: int, contribution: float) -> MainReason:
    rating = ratings.get(movie_id)
    code = ReasonCode.WATCHED if rating is None else ReasonCode.LIKED if rating >= LIKED else ReasonCode.RATED
    return MainReason(code, movie_id, "", contribution)


class Bar(NamedTuple):
    """A part of a movie's score. `x` and `width` are percentages of the plot. All parts have the same scale."""

    name: str
    points: float  # hundredths of the score
    x: float
    width: float
    movie: Movie | None = None
    rating: float | None = None


class Attributed(NamedTuple):
    """All parts of one movie's personal score, largest first, and the contributions of features."""

    points: float
    ratings: list[Bar]
    features: list[Bar]


def attribute_movie(
    model: Recommender, ratings: dict[int, float], history: dict[int, float], movie_id: int
) -> Attributed:
    """Return all parts of the score, including those that are not plausible reasons."""
    attribution: Attribution = model.attribute(history, [movie_id])
    rated, parts = attribution.rated_ids.tolist(), attribution.parts[0]
    features = model.attribute_features(history, movie_id)
    values = [100 * feature.contribution for feature in features]
    movies = Movie.objects.in_bulk(rated)
    order = [at for at in np.argsort(-np.abs(parts), kind="stable").tolist() if rated[at] in movies]
    listed = [movies[rated[at]] for at in order]
    bars = zip(_bars([movie.title for movie in listed], (100 * parts[order]).tolist()), listed, strict=True)
    return Attributed(
        points=float(100 * parts.sum()),
        ratings=[bar._replace(movie=movie, rating=ratings.get(movie.pk)) for bar, movie in bars],
        features=_bars([feature.name for feature in features], values),
    )


def _bars(names: list[str], values: list[float]) -> list[Bar]:
    low, high = min([0.0, *values]), max([0.0, *values])
    scale = 100 / ((high - low) or 1.0)
    return [
        Bar(name, value, scale * (min(value, 0.0) - low), scale * abs(value))
        for name, value in zip(names, values, strict=True)
    ]
