"""The gate's rules. Each rule is a function of the candidate's figures and the policy. `RULES` lists them in order.

Rules are pure functions. They use no database, files or clock. One failed rule refuses the model. If a change of
algorithm or parameters was evaluated for too few users, it is neither passed nor refused.

To add a rule, write its function here, its title in `codes.py` and its threshold in the policy.
"""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from mlops.findings import Finding, Outcome
from mlops.gate.accuracy import liked_share, precision, predicted_stars
from mlops.gate.bounds import above, at_least, at_most, not_clearly_worse, outcome_of
from mlops.gate.codes import Message, Rule
from mlops.gate.inputs import GateInput, Replay
from mlops.policy import GatePolicy
from mlops.registry import codes as smoke

PASSED, REFUSED, NOT_ENOUGH_EVIDENCE = "passed", "refused", "not_enough_evidence"
Findings = Iterator[Finding]


def smoke_test(given: GateInput, policy: GatePolicy) -> Findings:
    result = given.smoke_test
    checks = result.get("checks") or {smoke.SmokeCheck.ANSWERS.removeprefix(smoke.PREFIX): False}
    errors = result.get("errors") or {}
    for name, passed in checks.items():
        error = None if passed else errors.get(name) or result.get("error")
        message = "" if passed else smoke.FAILED_WITH_ERROR if error else smoke.FAILED
        params = {"error": error} if error else {}
        yield Finding(f"{smoke.PREFIX}{name}", outcome_of(passed), params=params, message=message)
    if all(checks.values()):
        yield liked_share(result, policy)
        yield at_most(Rule.LATENCY_MS, result.get("latency_ms"), policy.max_latency_ms)
        yield at_most(Rule.MEMORY_MB, result.get("memory_mb"), policy.max_memory_mb)


def baseline(given: GateInput, policy: GatePolicy) -> Findings:
    yield above(Rule.BASELINE, given.against_baseline, 0.0, given.baseline)


def linear_model(given: GateInput, policy: GatePolicy) -> Findings:
    if given.against_linear is not None:
        yield not_clearly_worse(Rule.LINEAR_MODEL, given.against_linear, policy.max_linear_loss, 2)


def champion(given: GateInput, policy: GatePolicy) -> Findings:
    difference, needed = given.against_champion, policy.min_users
    if given.champion is None or difference is None:
        yield Finding(Rule.CHAMPION, Outcome.NOT_JUDGED, message=Message.NO_CHAMPION)
    elif given.is_refresh:
        few = Outcome.NOT_JUDGED, Message.REFRESH_PASSES
        yield above(Rule.CHAMPION_REFRESH, difference, -policy.refresh_margin, min_users=needed, if_few=few)
    else:
        few = Outcome.NOT_ENOUGH_EVIDENCE, Message.USERS_NEEDED
        yield above(Rule.CHAMPION_CHANGE, difference, policy.change_margin, min_users=needed, if_few=few)


def recent_champion(given: GateInput, policy: GatePolicy) -> Findings:
    """Compares a refresh with the best recent champion, so that small losses of many refreshes cannot add up."""
    difference = given.against_recent_best
    if given.is_refresh and difference is not None:
        margin, few = -policy.refresh_margin, (Outcome.NOT_JUDGED, Message.USERS_NEEDED)
        best = str(given.recent_best)
        yield above(Rule.RECENT_CHAMPION, difference, margin, best, min_users=policy.min_users, if_few=few)


def lists(given: GateInput, policy: GatePolicy) -> Findings:
    if (before := given.champion) is None:
        return
    now = given.lists
    gini, popularity = before.popularity_gini, before.mean_popularity
    yield at_least(Rule.COVERAGE, now.coverage, before.coverage, times=policy.min_coverage_ratio)
    yield at_most(Rule.POPULARITY_GINI, now.popularity_gini, gini, times=policy.max_gini_ratio)
    yield at_most(Rule.MEAN_POPULARITY, now.mean_popularity, popularity, times=policy.max_popularity_ratio)
    for group, share in given.catalogue.items():  # no group above the minimum size may vanish from the lists
        if share >= policy.min_group_share:
            shown, reference = now.exposure.get(group, 0.0), before.exposure.get(group, 0.0)
            yield at_least(Rule.EXPOSURE, shown, reference, group, policy.min_exposure_ratio, share=share)
    if before.scores_new_movies and not now.scores_new_movies:
        yield Finding(Rule.NEW_MOVIES, Outcome.FAILED, message=Message.CANNOT_SCORE_NEW)


def slices(given: GateInput, policy: GatePolicy) -> Findings:
    if given.champion is not None:
        for name, difference in given.slices.items():
            yield not_clearly_worse(Rule.SLICE, difference, policy.max_slice_loss, policy.min_slice_users, name)


def replay(given: GateInput, policy: GatePolicy) -> Findings:
    found = given.replay
    if found is None or not found.n_requests:
        yield Finding(Rule.REPLAY, Outcome.NOT_JUDGED, message=Message.NO_REQUESTS)
        return
    params: dict[str, Any] = {"n_requests": found.n_requests, "source": found.source}
    yield at_most(Rule.REPLAY_ERRORS, found.n_errors, 0, **params)
    yield at_most(Rule.REPLAY_EXCLUDED, found.n_excluded, 0, **params)
    if found.n_requests < policy.min_replay_requests:
        params["min_requests"] = policy.min_replay_requests
        yield Finding(Rule.REPLAY, Outcome.NOT_JUDGED, params=params, message=Message.TOO_FEW_REQUESTS)
        return
    yield at_most(Rule.REPLAY_LATENCY_MS, found.latency_p95_ms, _allowed_ms(found, policy))
    if given.champion is not None:
        overlap, psi = policy.min_replay_overlap, policy.max_replay_psi
        yield at_least(Rule.REPLAY_OVERLAP, found.overlap, overlap, key="gate.min_replay_overlap")
        yield at_most(Rule.REPLAY_PSI, found.score_psi, psi, key="gate.max_replay_psi")


def _allowed_ms(found: Replay, policy: GatePolicy) -> float:
    if found.champion_latency_p95_ms is None:
        return policy.max_latency_ms
    allowed = policy.max_replay_latency_ratio * found.champion_latency_p95_ms
    return max(round(allowed, 3), policy.replay_latency_floor_ms)


def features(given: GateInput, policy: GatePolicy) -> Findings:
    """Checks the time and memory that the most expensive kind of features adds to each training."""
    limits = (
        (Rule.FEATURE_SECONDS, "seconds", policy.max_feature_seconds),
        (Rule.FEATURE_MB, "MB", policy.max_feature_mb),
    )
    for rule, unit, limit in limits:
        costs = [(cost[unit], kind) for kind, cost in given.feature_costs.items()]
        if costs:
            most, kind = max(costs)
            yield at_most(rule, most, limit, kind)


def origin(given: GateInput, policy: GatePolicy) -> Findings:
    """Refuses to replace a champion trained on this site's ratings with a model trained only on sample data."""
    if given.champion is not None and given.is_sample and not given.champion_is_sample:
        yield Finding(Rule.ORIGIN, Outcome.FAILED, message=Message.SAMPLE_OVER_LIVE)


def size_and_age(given: GateInput, policy: GatePolicy) -> Findings:
    yield at_most(Rule.ARTIFACT_MB, given.artifact_mb, policy.max_artifact_mb)
    yield at_most(Rule.DATA_AGE_HOURS, given.data_age_hours, policy.max_data_age_hours)


Judge = Callable[[GateInput, GatePolicy], Findings]
COMPARISONS: tuple[Judge, ...] = (
    baseline,
    linear_model,
    champion,
    recent_champion,
    precision,
    predicted_stars,
    lists,
    slices,
)
RULES: tuple[Judge, ...] = (smoke_test, *COMPARISONS, replay, features, origin, size_and_age)


class Decision(NamedTuple):
    """The gate's decision. `outcome` is a value of `GateDecision.Outcome`."""

    outcome: str
    findings: list[Finding]


def decide(given: GateInput, policy: GatePolicy) -> Decision:
    findings = [finding for rule in RULES for finding in rule(given, policy)]
    outcomes = {finding.outcome for finding in findings}
    if Outcome.FAILED in outcomes:
        return Decision(REFUSED, findings)
    return Decision(NOT_ENOUGH_EVIDENCE if Outcome.NOT_ENOUGH_EVIDENCE in outcomes else PASSED, findings)
