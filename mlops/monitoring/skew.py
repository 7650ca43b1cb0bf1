"""Training/serving skew: compares inputs, metadata and scores in serving with the champion's training."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from django.utils import timezone

from catalog.models import Movie, Rating
from mlops.data.checks import check_frames
from mlops.data.evidence import record
from mlops.data.snapshot_files import plain
from mlops.data.snapshots import read_snapshot
from mlops.data.validation import known_genres
from mlops.errors import SnapshotNotAvailable
from mlops.findings import Finding, Outcome
from mlops.models import ModelVersion, TestEvidence
from mlops.monitoring.alerts import alert_on
from mlops.monitoring.codes import Message, SkewCode
from mlops.monitoring.personal_lists import personal_lists
from mlops.registry.artifacts import folder_of, load_version
from recommender.estimators import load_recommender
from recommender.export import RATING_COLUMNS, movie_frame
from recommender.serving.profile import UserProfile

PEOPLE, MOVIES = 200, 500  # sample sizes, below SQLite's limit on parameters
MOVIES_SHOWN = 5
TOLERANCE = 1e-6
TESTS = {SkewCode.INPUTS: "Mo2", SkewCode.METADATA: "Mo3", SkewCode.SCORES: "Mo3"}  # ML Test Score


def check_skew() -> dict[str, bool]:
    """Runs all checks, records evidence and updates alerts. Returns whether each check passed, keyed by code.

    Returns an empty dict without a champion.
    """
    champion = ModelVersion.champion()
    if champion is None:
        return {}
    people = sample_people()
    checks = [check_inputs(people), check_metadata(champion), check_scores(champion, people)]
    findings = [finding for finding in checks if finding is not None]
    for finding in findings:
        record(TESTS[SkewCode(finding.code)], TestEvidence.Source.BEAT, finding)
        alert_on(finding)
    return {finding.code: finding.outcome == Outcome.OK for finding in findings}


def sample_people() -> list[int]:
    """Returns the users who last saw a list, followed by those who rated last."""
    shown = personal_lists().order_by("-shown_at", "-id").values_list("user_id", flat=True)[: 5 * PEOPLE]
    rated = Rating.objects.for_training().order_by("-rated_at", "-id").values_list("user_id", flat=True)[: 50 * PEOPLE]
    return list(dict.fromkeys([*shown, *rated]))[:PEOPLE]


def check_inputs(people: list[int]) -> Finding:
    """Applies the training data rules to the ratings used in serving."""
    rows = Rating.objects.filter(user__in=people).order_by("rated_at", "id").values_list(*RATING_COLUMNS)
    ratings = pd.DataFrame(list(rows), columns=RATING_COLUMNS)
    ratings["rated_at"] = pd.to_datetime(ratings["rated_at"], utc=True).astype("datetime64[us, UTC]")
    movies = movie_frame(movie_ids=ratings["movie_id"].tolist())
    report = check_frames(ratings, movies, now=timezone.now(), genres=known_genres())
    params = {"n_rows": report.n_rows, "n_users": len(people), "n_bad": report.n_bad, "rules": sorted(report.reasons)}
    message = Message.BROKEN_RULES if report.n_bad else ""
    outcome = Outcome.alert_if(report.n_bad > 0 or not report.n_rows)
    return Finding(SkewCode.INPUTS, outcome, params=params, message=message)


def check_metadata(champion: ModelVersion) -> Finding | None:
    """Compares the metadata in the snapshot and in serving, for movies unchanged since the export.

    Returns None if there are no such movies.
    """
    code = SkewCode.METADATA
    if champion.snapshot.unavailable_reason:
        return None
    try:
        trained = read_snapshot(champion.snapshot)[1].set_index("movie_id")
    except SnapshotNotAvailable as error:
        return Finding(code, Outcome.ALERT, params={"error": str(error)}, message=Message.NO_SNAPSHOT)
    unchanged = Movie.objects.filter(updated_at__lt=champion.snapshot.exported_at, pk__in=_spread(list(trained.index)))
    ids = sorted(unchanged.values_list("pk", flat=True))
    if not ids:
        return None
    served = movie_frame(movie_ids=ids).set_index("movie_id")
    columns = [column for column in served.columns if column in trained.columns]
    differ = [movie for movie in ids if _values(served, movie, columns) != _values(trained, movie, columns)]
    params = {"n": len(ids), "n_fields": len(columns), "n_differ": len(differ), "movies": differ[:MOVIES_SHOWN]}
    return Finding(code, Outcome.alert_if(bool(differ)), params=params, message=Message.DIFFERENT if differ else "")


def check_scores(champion: ModelVersion, people: list[int]) -> Finding:
    """Compares lists and scores of the model as web processes load it with those of its files, loaded directly."""
    served, stored = load_version(champion), load_recommender(Path(folder_of(champion)), mmap=False)
    known = frozenset(stored.movie_ids_.tolist())
    histories = [history for user in people[:50] if (history := _history(user, known))]
    if not histories:
        return Finding(SkewCode.SCORES, Outcome.ALERT, message=Message.NO_HISTORY)
    options: dict[str, Any] = {"k": 10, "candidates": [m for m in stored.movie_ids_.tolist() if m in served.rated]}
    a, b = (model.recommend_for_history(histories, **options) for model in (served.model, stored))
    same_movies = a["movie_id"].tolist() == b["movie_id"].tolist()
    difference = float(np.abs(a["score"].to_numpy() - b["score"].to_numpy()).max()) if len(a) == len(b) else math.inf
    outcome = Outcome.alert_if(not (same_movies and difference <= TOLERANCE))
    figure = difference if math.isfinite(difference) else None
    return Finding(SkewCode.SCORES, outcome, figure, TOLERANCE, params={"n": len(histories)})


def _history(user: int, known: frozenset[int]) -> dict[int, float]:
    rows = Rating.objects.filter(user=user).order_by("-rated_at", "-id").values_list("movie_id", "rating")
    return UserProfile(user, dict(rows)).history(known)


def _spread(ids: list[int]) -> list[int]:
    """Returns an evenly spaced sample of the ids."""
    return sorted(ids)[:: max(1, math.ceil(len(ids) / MOVIES))]


def _values(frame: pd.DataFrame, movie: int, columns: list[str]) -> list[Any]:
    row = frame.loc[movie]
    return [plain(row[column]) or None for column in columns]
