"""Before a promotion: recent requests are answered again, by the new model and by the champion."""

import logging
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
from django.conf import settings

from mlops.evaluation.psi import population_stability_index
from mlops.gate.codes import ReplaySource
from mlops.gate.inputs import Replay
from mlops.models import ModelVersion
from recommender.serving.loaded_model import LoadedModel
from recommender.serving.replay import Answer, Replayed, lists_of_latest_raters, open_model, recent_requests, replay

logger = logging.getLogger(__name__)

TOP = 10
SCORE_CLASSES = 10
SAMPLE = 6  # changed lists that the version's page shows
RATERS = 50  # users whose lists are made on a site without requests


def replay_requests(version: ModelVersion, champion: ModelVersion | None) -> dict[str, Any]:
    """`figures` for the gate and a `sample` of lists that would change: JSON-able, without names or ids of users."""
    requests, source = recent_requests(settings.POLICY.gate.replay_requests), ReplaySource.RECENT.value
    if not requests and settings.POLICY.gate.replay_requests:
        requests, source = lists_of_latest_raters(RATERS), ReplaySource.RATERS.value
    candidate, reference = _open(version), _open(champion) if champion else None
    if candidate is None:
        return {"figures": asdict(Replay(source, len(requests), len(requests), 0, None)), "sample": []}
    models = [candidate] if reference is None else [candidate, reference]
    found = [replayed for replayed in replay(requests, models) if _is_for_a_model(replayed)]
    return {"figures": asdict(_figures(found, source)), "sample": _sample(found)}


def _open(version: ModelVersion) -> LoadedModel | None:
    try:
        return open_model(version=version.pk, algorithm=version.algorithm, artifact=version.artifact)
    except Exception:
        # Damaged files may raise anything; each of a candidate's requests then counts as an error.
        logger.warning("version %s cannot be loaded for the replay", version.pk, exc_info=True)
        return None


def _is_for_a_model(replayed: Replayed) -> bool:
    """False for users without ratings of movies that a model knows: they are shown popular movies."""
    return any(answer.movies or answer.error for answer in replayed.answers)


def _figures(found: Sequence[Replayed], source: str) -> Replay:
    candidate = [replayed.answers[0] for replayed in found]
    reference = [replayed.answers[1] for replayed in found if len(replayed.answers) > 1]
    pairs = [(own, other) for own, other in zip(candidate, reference, strict=False) if own.movies and other.movies]
    return Replay(
        source=source,
        n_requests=len(found),
        n_errors=sum(not answer.movies for answer in candidate),
        n_excluded=sum(answer.n_excluded for answer in candidate),
        latency_p95_ms=_p95_ms(candidate),
        champion_latency_p95_ms=_p95_ms(reference),
        overlap=float(np.mean([_overlap(own, other) for own, other in pairs])) if pairs else None,
        score_psi=_score_psi(pairs),
    )


def _p95_ms(answers: Sequence[Answer]) -> float | None:
    seconds = [answer.seconds for answer in answers if answer.movies]
    return round(1000 * float(np.quantile(seconds, 0.95)), 3) if seconds else None


def _overlap(own: Answer, other: Answer) -> float:
    first, second = set(own.movies[:TOP]), set(other.movies[:TOP])
    return len(first & second) / max(len(first), len(second))


def _score_psi(pairs: Sequence[tuple[Answer, Answer]]) -> float | None:
    """Over tenths of the champion's scores; None where those are all alike."""
    own = np.array([score for answer, _ in pairs for score in answer.scores])
    other = np.array([score for _, answer in pairs for score in answer.scores])
    if not len(own) or not len(other):
        return None
    edges = np.unique(np.quantile(other, np.linspace(0, 1, SCORE_CLASSES + 1)[1:-1]))
    counts = [np.bincount(np.searchsorted(edges, scores), minlength=len(edges) + 1) for scores in (own, other)]
    return round(population_stability_index(*counts), 4)


def _sample(found: Sequence[Replayed]) -> list[dict[str, Any]]:
    """One list for each of the first users whose list would change."""
    sample: dict[int, dict[str, Any]] = {}
    for replayed in found:
        if len(sample) == SAMPLE:
            break
        if replayed.request.user_id in sample or len(replayed.answers) < 2:
            continue
        own, other = (list(answer.movies[:TOP]) for answer in replayed.answers)
        comes, goes = [movie for movie in own if movie not in other], [movie for movie in other if movie not in own]
        if comes or goes:
            stays = len(own) - len(comes)
            sample[replayed.request.user_id] = {
                "n_ratings": replayed.n_ratings,
                "comes": comes,
                "goes": goes,
                "n_stays": stays,
            }
    return list(sample.values())
