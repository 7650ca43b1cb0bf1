"""A small site with learnable tastes, and a policy under which it can be trained in seconds."""

from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import yaml
from django.conf import settings

from catalog.jobs.process import namespace
from catalog.models import Movie, User
from mlops.findings import LEGACY, Finding
from mlops.models import DatasetSnapshot, GateDecision, ModelVersion, UserPseudonym
from recommender.estimators import Dataset, artifact_checksum
from recommender.estimators.popularity import PopularityRecommender
from recommender.export import movie_frame, rating_frame
from tests.factories import insert_ratings

N_USERS, N_TOPICS, TOPIC_SIZE, N_HITS = 120, 10, 8, 10
BEGIN = datetime(2025, 1, 1, tzinfo=UTC)


def fill_catalogue(first: int | None = None) -> None:
    """Each user likes most movies of three topics and some hits: EASE beats every simple baseline on it.

    Movies get new ids, or those from `first` on: a model that was trained on such a site fits the next one, too.
    """
    movies = Movie.objects.bulk_create(
        Movie(pk=first and first + n, title=f"Movie {n}", year=1980 + n % 40, search_title=f"movie {n}")
        for n in range(N_HITS + 80)
    )
    users = User.objects.bulk_create([User(username=f"rater{n}", password="!") for n in range(N_USERS)])
    # In order, not drawn: a test's model must not depend on chance.
    UserPseudonym.objects.bulk_create([UserPseudonym(user=user, number=1_000 + n) for n, user in enumerate(users)])
    insert_ratings((users[user].pk, movies[movie].pk, *rest) for user, movie, *rest in _drawn())


@cache
def _drawn() -> list[tuple[int, int, float, datetime]]:
    """User and movie by place, stars and time of each rating. Every site has the same: drawn once in a process."""
    rng = np.random.default_rng(0)
    ratings = []
    for user in range(N_USERS):
        start = BEGIN + timedelta(days=rng.uniform(0, 300))
        for place, movie in enumerate(_tastes(rng)):
            rated_at = start + timedelta(days=1.5 * place)
            ratings.append((user, movie, float(rng.choice([3.5, 4.0, 4.5, 5.0])), rated_at))
    return ratings


def _tastes(rng: np.random.Generator) -> list[int]:
    topics = rng.choice(N_TOPICS, 3, replace=False)
    liked = [N_HITS + topic * TOPIC_SIZE + n for topic in topics for n in rng.permutation(TOPIC_SIZE)[:6]]
    liked += [hit for hit in range(N_HITS) if rng.random() < 0.7 * (1 - hit / N_HITS / 2)]
    liked += rng.integers(0, N_HITS + N_TOPICS * TOPIC_SIZE, 2).tolist()
    return list(dict.fromkeys(rng.permutation(liked).tolist()))


# The worker of a job that has been killed: no process has this PID.
KILLED_WORKER = {"worker_namespace": namespace(), "worker_pid": 2**30, "worker_start": 1}


def write_policy(path: Path, **changes: dict[str, Any]) -> Path:
    """A config.yaml with quick settings, and `changes` by section on top."""
    quick: dict[str, dict[str, Any]] = {
        "training": {
            "algorithm": "ease",
            "parameters": {"ease": {"regularization": 20}},
            "min_ratings": 100,
            "threads": 1,
            "heartbeat_seconds": 1,
            "stale_after_seconds": 5,
        },
        "gate": {"replay_latency_floor_ms": 1000},  # a busy machine must not look like a slow model
        "evaluation": {"cuts": [0.6], "half_lives_days": [30], "bootstrap_resamples": 1000},
    }
    policy = {section: quick.get(section, {}) | changes.get(section, {}) for section in (*quick, *changes)}
    path.write_text(yaml.safe_dump(policy, sort_keys=False), encoding="utf-8")
    return path


def make_snapshot(**fields: Any) -> DatasetSnapshot:
    number = DatasetSnapshot.objects.count()
    defaults = {"content_hash": f"{number:064d}", "folder": f"{number:064d}", "size_bytes": 1}
    return DatasetSnapshot.objects.create(**defaults | {"n_ratings": 10, "n_users": 2, "n_movies": 10} | fields)


def make_version(*, decision: str | None = "passed", rules: list[dict[str, Any]] | None = None, **fields: Any):
    """A version with real files (a popularity model of the ratings that are there) and a hand-made decision."""
    name = f"made-{uuid4().hex}"
    folder = settings.MODEL_DIR / name
    PopularityRecommender().fit(Dataset.from_frames(rating_frame(), movie_frame())).save(folder)
    defaults: dict[str, Any] = {
        "algorithm": "popularity",
        "config_hash": "0" * 64,
        "random_state": 0,
        "artifact": name,
        "artifact_checksum": artifact_checksum(folder),
        "artifact_bytes": 1000,
        "figures": FIGURES,
    }
    if "snapshot" not in fields:
        fields["snapshot"] = make_snapshot()
    version = ModelVersion.objects.create(**defaults | fields)
    if decision:
        GateDecision.objects.create(version=version, outcome=decision, rules=rules or [])
    return version


def rule(text: str, outcome: str = "passed", **fields: Any) -> dict[str, Any]:
    """A row of a decision with this sentence."""
    return Finding(LEGACY, outcome, params={"name": text, "text": text}, **fields).to_dict()


def _interval(mean: float, low: float, high: float) -> dict[str, Any]:
    return {"mean": mean, "low": low, "high": high, "n_users": 400, "n_rows": 800, "confidence": 0.95}


def _summary(ndcg: float) -> dict[str, Any]:
    lists = {"coverage": 0.3, "novelty": 4.0, "popularity_gini": 0.8, "intra_list_diversity": 0.6}
    return {"ndcg": ndcg, "recall": 2 * ndcg, "precision": ndcg / 2, "rmse": 0.9, "n_users": 400} | lists


FIGURES: dict[str, Any] = {
    "models": {
        "candidate": {"summary": _summary(0.2), "slices": {"history_0": {"ndcg": 0.1, "n_users": 120}}},
        "popular": {"summary": _summary(0.1), "slices": {}},
    },
    "best_simple_baseline": "popular",
    "differences": {"popular": _interval(0.1, 0.08, 0.12)},
    "slice_differences": {},
    "scores_new_movies": {"candidate": False},
    "smoke_test": {"checks": {"finite_scores": True}, "latency_ms": 2.0},
}


def figures_beside_a_champion(sample: list[dict[str, Any]]) -> dict[str, Any]:
    models = FIGURES["models"] | {"champion": {"summary": _summary(0.19), "slices": {}}}
    replay = {
        "source": "replay.recent_requests",
        "n_requests": 30,
        "n_errors": 0,
        "n_excluded": 0,
        "latency_p95_ms": 3.0,
    }
    return FIGURES | {
        "models": models,
        "differences": FIGURES["differences"] | {"champion": _interval(0.01, 0.005, 0.015)},
        "scores_new_movies": {"candidate": False, "champion": False},
        "groups": {"genre Drama": 0.4},
        "exposure": {"candidate": {"genre Drama": 0.125}, "champion": {"genre Drama": 0.25}},
        "replay": {"figures": replay, "sample": sample},
    }
