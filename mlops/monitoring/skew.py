"""Does what is served still fit what was trained? Checks on the inputs of lists, on metadata, and on the artefact."""

import logging
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from django.utils import timezone

from catalog.models import Movie, Rating
from mlops.data.checks import check_frames
from mlops.data.evidence import record
from mlops.data.snapshots import read_snapshot
from mlops.data.validation import known_genres
from mlops.errors import SnapshotNotAvailable
from mlops.models import Evidence, ModelVersion
from mlops.monitoring.alerts import set_alert
from mlops.monitoring.personal_lists import personal_lists
from mlops.registry.artifacts import folder_of
from recommender.estimators import load_recommender
from recommender.export import RATING_COLUMNS, movie_frame
from recommender.models import ServedModel
from recommender.serving.model_server import load_model
from recommender.serving.profile import UserProfile

logger = logging.getLogger(__name__)

PEOPLE, MOVIES = 200, 500  # of a sample: below the number of parameters that every SQLite takes
TOLERANCE = 1e-6


@dataclass(frozen=True)
class Finding:
    """One check: the test of the ML Test Score it stands for, and what was found."""

    test: str
    name: str
    passed: bool
    detail: str


def check_skew() -> list[Finding]:
    """All checks, kept as evidence; one that fails is an alert. Without a champion there is nothing to look at."""
    champion = ModelVersion.objects.filter(status=ModelVersion.Status.CHAMPION).select_related("snapshot").first()
    if champion is None:
        return []
    people = sample_people()
    checks = [check_inputs(people), check_metadata(champion), check_scores(champion, people)]
    findings = [finding for finding in checks if finding is not None]
    for finding in findings:
        record(finding.test, Evidence.Source.BEAT, finding.name, passed=finding.passed, detail=finding.detail)
        set_alert(finding.name, "" if finding.passed else finding.detail)
    return findings


def sample_people() -> list[int]:
    """Those who were shown lists last, then those who rated last."""
    shown = personal_lists().order_by("-shown_at", "-id").values_list("user_id", flat=True)[: 5 * PEOPLE]
    rated = Rating.objects.for_training().order_by("-rated_at", "-id").values_list("user_id", flat=True)[: 50 * PEOPLE]
    return list(dict.fromkeys([*shown, *rated]))[:PEOPLE]


def check_inputs(people: list[int]) -> Finding:
    """The histories that lists are made from, by the rules that training data have to keep."""
    rows = Rating.objects.filter(user__in=people).order_by("rated_at", "id").values_list(*RATING_COLUMNS)
    ratings = pd.DataFrame(list(rows), columns=RATING_COLUMNS)
    ratings["rated_at"] = pd.to_datetime(ratings["rated_at"], utc=True).astype("datetime64[us, UTC]")
    movies = movie_frame(movie_ids=ratings["movie_id"].tolist())
    report = check_frames(ratings, movies, now=timezone.now(), genres=known_genres())
    detail = f"{report.n_rows} rows of {len(people)} people, {report.n_bad} break a rule"
    name = "serving inputs keep the rules of training data"
    return Finding("Mo2", name, report.n_rows > 0 and not report.n_bad, f"{detail} {report.sentence()}".strip())


def check_metadata(champion: ModelVersion) -> Finding | None:
    """Movies that nobody changed since the export: what is served of them is what was trained on. None where all
    were changed, or the snapshot is kept no more."""
    name = "metadata is the same in training and serving"
    if champion.snapshot.unavailable_reason:
        return None
    try:
        trained = read_snapshot(champion.snapshot)[1].set_index("movie_id")
    except SnapshotNotAvailable as error:
        return Finding("Mo3", name, False, str(error))
    unchanged = Movie.objects.filter(updated_at__lt=champion.snapshot.exported_at, pk__in=_spread(list(trained.index)))
    ids = sorted(unchanged.values_list("pk", flat=True))
    if not ids:
        return None
    served = movie_frame(movie_ids=ids).set_index("movie_id")
    columns = [column for column in served.columns if column in trained.columns]
    differ = [movie for movie in ids if _values(served, movie, columns) != _values(trained, movie, columns)]
    detail = f"{len(ids)} unchanged movies compared in {len(columns)} fields, {len(differ)} differ"
    return Finding("Mo3", name, not differ, detail + (f": {differ[:5]}" if differ else ""))


def check_scores(champion: ModelVersion, people: list[int]) -> Finding:
    """The model as web processes hold it, against its files read anew; and numbers that are numbers."""
    name = "served scores are those of the artefact"
    row = ServedModel(version=champion.pk, algorithm=champion.algorithm, artifact=champion.artifact)
    served, stored = load_model(row), load_recommender(Path(folder_of(champion)), mmap=False)
    known = frozenset(stored.movie_ids_.tolist())
    histories = [history for user in people[:50] if (history := _history(user, known))]
    if not histories:
        return Finding("Mo3", name, False, "nobody has rated a movie that the champion knows")
    options: dict[str, Any] = {"k": 10, "candidates": [m for m in stored.movie_ids_.tolist() if m in served.rated]}
    a, b = (model.recommend_for_history(histories, **options) for model in (served.model, stored))
    same_movies = a["movie_id"].tolist() == b["movie_id"].tolist()
    difference = float(np.abs(a["score"].to_numpy() - b["score"].to_numpy()).max()) if len(a) == len(b) else math.inf
    detail = f"{len(histories)} lists, largest difference of a score {difference:.2g}"
    return Finding("Mo3", name, same_movies and difference <= TOLERANCE, detail)


def _history(user: int, known: frozenset[int]) -> dict[int, float]:
    rows = Rating.objects.filter(user=user).order_by("-rated_at", "-id").values_list("movie_id", "rating")
    return UserProfile(user, dict(rows)).history(known)


def _spread(ids: list[int]) -> list[int]:
    """An even sample."""
    return sorted(ids)[:: max(1, math.ceil(len(ids) / MOVIES))]


def _values(frame: pd.DataFrame, movie: int, columns: list[str]) -> list[Any]:
    row = frame.loc[movie]
    return [_plain(row[column]) for column in columns]


def _plain(value: Any) -> Any:
    if isinstance(value, (list, tuple, np.ndarray)):
        return [str(part) for part in value]
    return None if pd.isna(value) or value == "" else str(value)
