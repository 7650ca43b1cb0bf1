"""May a model go live? A pure function of what is known of it and of the policy; no database, no files, no clock.

Every rule says what it looked at, what it found and what it asked for. One rule that failed refuses the model; a
change of algorithm or parameters that too few users judged is neither passed nor refused.
"""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from mlops.gate.rules import (
    FAILED,
    NOT_ENOUGH_EVIDENCE,
    NOT_JUDGED,
    PASSED,
    PairedInterval,
    Rule,
    above,
    at_least,
    at_least_share_of,
    at_most,
    at_most_times,
    not_clearly_worse,
    outcome,
    reported,
)
from mlops.policy import GatePolicy

REFUSED = "refused"


@dataclass(frozen=True)
class Lists:
    """What a model's lists are like over the catalogue; `exposure` is each group's share of what is shown."""

    coverage: float | None
    popularity_gini: float | None
    mean_popularity: float | None = None
    scores_new_movies: bool = False
    exposure: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Shadow:
    """Requests asked again, of the candidate and of the champion (None: there is none); `asked` says which."""

    asked: str
    n_requests: int
    n_errors: int
    n_hidden: int
    latency_p95_ms: float | None
    champion_latency_p95_ms: float | None = None
    overlap: float | None = None
    score_psi: float | None = None


@dataclass(frozen=True)
class Evidence:
    """What is known of a candidate; `champion` and what is measured against it are None for the first model."""

    baseline: str
    against_baseline: PairedInterval
    lists: Lists
    fresh_process: Mapping[str, Any]
    artifact_mb: float
    data_age_hours: float
    is_refresh: bool = False
    champion: Lists | None = None
    against_champion: PairedInterval | None = None
    against_recent_best: PairedInterval | None = None
    recent_best: str = ""
    against_linear: PairedInterval | None = None
    slices: Mapping[str, PairedInterval] = field(default_factory=dict)
    feature_costs: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    catalogue: Mapping[str, float] = field(default_factory=dict)
    shadow: Shadow | None = None


@dataclass(frozen=True)
class Verdict:
    decision: str
    rules: list[Rule]

    def as_rows(self) -> list[dict[str, Any]]:
        return [asdict(rule) for rule in self.rules]


def judge(evidence: Evidence, policy: GatePolicy) -> Verdict:
    rules = [
        *_fresh_process(evidence, policy),
        above(f"better than the best simple baseline ({evidence.baseline})", evidence.against_baseline, 0.0),
        *_against_a_linear_model(evidence, policy),
        *_against_champion(evidence, policy),
        *_shadow(evidence, policy),
        *_features(evidence, policy),
        at_most("artifact size, MB", evidence.artifact_mb, policy.max_artifact_mb),
        at_most("data age, hours", evidence.data_age_hours, policy.max_data_age_hours),
    ]
    outcomes = {rule.outcome for rule in rules}
    if FAILED in outcomes:
        return Verdict(REFUSED, rules)
    return Verdict(NOT_ENOUGH_EVIDENCE if NOT_ENOUGH_EVIDENCE in outcomes else PASSED, rules)


def _fresh_process(evidence: Evidence, policy: GatePolicy) -> Iterator[Rule]:
    found = evidence.fresh_process
    checks = found.get("checks") or {"answers": False}
    errors = found.get("errors") or {}
    for name, passed in checks.items():
        said = name.replace("_", " ")
        error = errors.get(name) or found.get("error")
        why = f": {error}" if error else ""
        sentence = f"In a fresh process: {said}." if passed else f"In a fresh process it is not so: {said}{why}."
        yield Rule(f"fresh process: {said}", outcome(passed), sentence)
    if not all(checks.values()):
        return
    yield _finds_what_was_liked(found, policy)
    yield at_most("latency of a list, ms", found.get("latency_ms"), policy.max_latency_ms)
    yield at_most("memory of a process, MB", found.get("memory_mb"), policy.max_memory_mb)


def _finds_what_was_liked(found: Mapping[str, Any], policy: GatePolicy) -> Rule:
    """By the saved files, of people whose whole history they have learnt from: a model of other data cannot."""
    name, share, n_liked = "liked movies in the first tenth", found.get("liked_share"), found.get("n_liked") or 0
    if n_liked < policy.min_liked:
        return Rule(name, NOT_JUDGED, f"{name}: {n_liked} movies to look for, too few to judge.", share)
    return at_least(name, share, policy.min_liked_share)


def _features(evidence: Evidence, policy: GatePolicy) -> Iterator[Rule]:
    """Of the kind of features that costs most: what it costs with each training, and what it takes."""
    for unit, allowed in (("seconds", policy.max_feature_seconds), ("MB", policy.max_feature_mb)):
        costs = {kind: cost[unit] for kind, cost in evidence.feature_costs.items()}
        if costs:
            dearest = max(costs, key=lambda kind: costs[kind])
            yield at_most(f"cost of features, {unit}", costs[dearest], allowed, f"for {dearest}")


def _against_a_linear_model(evidence: Evidence, policy: GatePolicy) -> Iterator[Rule]:
    if evidence.against_linear is not None:
        name = "against a plain linear model (ease)"
        yield not_clearly_worse(name, evidence.against_linear, policy.max_linear_loss, 2)


def _against_champion(evidence: Evidence, policy: GatePolicy) -> Iterator[Rule]:
    champion, difference = evidence.champion, evidence.against_champion
    if champion is None or difference is None:
        yield Rule("against the champion", NOT_JUDGED, "There is no champion yet: the baseline rule decides.")
        return
    yield _difference_to_champion(evidence.is_refresh, difference, policy)
    if evidence.is_refresh and evidence.against_recent_best is not None:
        yield _refresh(f"against the best recent champion ({evidence.recent_best})", evidence, policy)
    lists = evidence.lists
    yield at_least_share_of(
        "coverage, against the champion's", lists.coverage, champion.coverage, policy.min_coverage_ratio
    )
    name = "popularity Gini, against the champion's"
    yield at_most_times(name, lists.popularity_gini, champion.popularity_gini, policy.max_gini_ratio)
    name = "mean popularity of what is shown, against the champion's"
    yield at_most_times(name, lists.mean_popularity, champion.mean_popularity, policy.max_popularity_ratio)
    yield from _exposure(lists, champion, evidence.catalogue, policy)
    if champion.scores_new_movies and not lists.scores_new_movies:
        yield Rule("new movies", FAILED, "The champion can recommend new movies, this model cannot.")
    for part, bounds in evidence.slices.items():
        name = f"slice {part}, against the champion"
        yield not_clearly_worse(name, bounds, policy.max_slice_loss, policy.min_slice_users)


def _difference_to_champion(is_refresh: bool, difference: PairedInterval, policy: GatePolicy) -> Rule:
    kind = "refresh" if is_refresh else "change"
    name = f"against the champion, as a {kind}"
    threshold = -policy.refresh_margin if is_refresh else policy.change_margin
    if difference.n_users >= policy.min_users:
        return above(name, difference, threshold)
    few = f"{difference.n_users} users were evaluated, {policy.min_users} are needed to judge a {kind}"
    found = NOT_JUDGED if is_refresh else NOT_ENOUGH_EVIDENCE
    rest = ": a refresh passes on the other rules." if is_refresh else "."
    return Rule(name, found, few + rest, difference.mean, difference.interval, threshold)


def _refresh(name: str, evidence: Evidence, policy: GatePolicy) -> Rule:
    """Many refreshes, each a little worse, must not add up."""
    difference = evidence.against_recent_best or PairedInterval(None, None, None, 0)
    if difference.n_users >= policy.min_users:
        return above(name, difference, -policy.refresh_margin)
    few = f"{name}: {difference.n_users} users, {policy.min_users} are needed to judge."
    return Rule(name, NOT_JUDGED, few, difference.mean, difference.interval, -policy.refresh_margin)


def _exposure(lists: Lists, champion: Lists, catalogue: Mapping[str, float], policy: GatePolicy) -> Iterator[Rule]:
    """No language, country or decade of some size loses its place in the lists."""
    for group, share in catalogue.items():
        if share >= policy.min_group_share:
            name = f"exposure of {group} ({share:.0%} of the catalogue)"
            shown, before = lists.exposure.get(group, 0.0), champion.exposure.get(group, 0.0)
            yield at_least_share_of(name, shown, before, policy.min_exposure_ratio)


def _shadow(evidence: Evidence, policy: GatePolicy) -> Iterator[Rule]:
    shadow = evidence.shadow
    if shadow is None or not shadow.n_requests:
        yield Rule("shadow replay", NOT_JUDGED, "There are no requests to ask again.")
        return
    of_n = f"of {shadow.n_requests} {shadow.asked}"
    yield at_most("shadow replay: lists that it could not make", shadow.n_errors, 0, of_n)
    yield at_most("shadow replay: seen or dismissed movies shown", shadow.n_hidden, 0, of_n)
    if shadow.n_requests < policy.min_replay_requests:
        few = f"{shadow.n_requests} {shadow.asked}; {policy.min_replay_requests} are needed to compare."
        yield Rule("shadow replay: latency, overlap, scores", NOT_JUDGED, few)
        return
    yield _shadow_latency(shadow, policy)
    if evidence.champion is None:
        return
    name = "shadow replay: overlap@10 with the champion's lists"
    if policy.min_replay_overlap is None:
        yield reported(name, shadow.overlap, "gate.min_replay_overlap")
    else:
        yield at_least(name, shadow.overlap, policy.min_replay_overlap)
    name = "shadow replay: PSI of the scores"
    if policy.max_replay_psi is None:
        yield reported(name, shadow.score_psi, "gate.max_replay_psi")
    else:
        yield at_most(name, shadow.score_psi, policy.max_replay_psi)


def _shadow_latency(shadow: Shadow, policy: GatePolicy) -> Rule:
    name = "shadow replay: 95th percentile of latency, ms"
    if shadow.champion_latency_p95_ms is None:
        return at_most(name, shadow.latency_p95_ms, policy.max_latency_ms)
    allowed = policy.max_replay_latency_ratio * shadow.champion_latency_p95_ms
    return at_most(name, shadow.latency_p95_ms, max(round(allowed, 3), policy.replay_latency_floor_ms))
