"""May a model go live? A pure function of what is known of it and of the policy; no database, no files, no clock.

Every rule says what it looked at, what it found and what it asked for. One rule that failed refuses the model; a
change of algorithm or parameters that too few users judged is neither passed nor refused.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol

PASSED, FAILED, NOT_ENOUGH_EVIDENCE, NOT_JUDGED = "passed", "failed", "not_enough_evidence", "not_judged"
REFUSED = "refused"


class GatePolicy(Protocol):
    """The bounds of config.yaml's `gate`."""

    refresh_margin: float
    change_margin: float
    min_users: int
    min_coverage_ratio: float
    max_gini_ratio: float
    min_slice_users: int
    max_slice_loss: float
    max_artifact_mb: float
    max_latency_ms: float
    max_data_age_hours: float


@dataclass(frozen=True)
class Bounds:
    """A paired difference in nDCG with its 95 % interval; None where there are too few users for one."""

    mean: float | None
    low: float | None
    high: float | None
    n_users: int


@dataclass(frozen=True)
class Lists:
    """What a model's lists are like over the catalogue."""

    coverage: float | None
    popularity_gini: float | None
    scores_new_movies: bool = False


@dataclass(frozen=True)
class Evidence:
    """What is known of a candidate; `champion` and what is measured against it are None for the first model."""

    baseline: str
    against_baseline: Bounds
    lists: Lists
    fresh_process: Mapping[str, Any]
    artifact_mb: float
    data_age_hours: float
    is_refresh: bool = False
    champion: Lists | None = None
    against_champion: Bounds | None = None
    slices: Mapping[str, Bounds] = field(default_factory=dict)


@dataclass(frozen=True)
class Rule:
    name: str
    outcome: str
    sentence: str
    figure: float | None = None
    interval: tuple[float, float] | None = None
    threshold: float | None = None


@dataclass(frozen=True)
class Verdict:
    decision: str
    rules: list[Rule]

    def as_rows(self) -> list[dict[str, Any]]:
        return [asdict(rule) for rule in self.rules]


def judge(evidence: Evidence, policy: GatePolicy) -> Verdict:
    rules = [
        *_fresh_process(evidence, policy),
        _better_than_baseline(evidence),
        *_against_champion(evidence, policy),
        _at_most("artifact size, MB", evidence.artifact_mb, policy.max_artifact_mb),
        _at_most("data age, hours", evidence.data_age_hours, policy.max_data_age_hours),
    ]
    outcomes = {rule.outcome for rule in rules}
    if FAILED in outcomes:
        return Verdict(REFUSED, rules)
    return Verdict(NOT_ENOUGH_EVIDENCE if NOT_ENOUGH_EVIDENCE in outcomes else PASSED, rules)


def _fresh_process(evidence: Evidence, policy: GatePolicy) -> Iterator[Rule]:
    found = evidence.fresh_process
    checks = found.get("checks") or {"answers": False}
    for name, passed in checks.items():
        said = name.replace("_", " ")
        why = f": {found['error']}" if found.get("error") else ""
        yield Rule(
            f"fresh process: {said}",
            PASSED if passed else FAILED,
            f"In a fresh process: {said}." if passed else f"In a fresh process it is not so: {said}{why}.",
        )
    if all(checks.values()):
        yield _at_most("latency of a list, ms", found.get("latency_ms"), policy.max_latency_ms)


def _better_than_baseline(evidence: Evidence) -> Rule:
    return _above(f"better than the best simple baseline ({evidence.baseline})", evidence.against_baseline, 0.0)


def _against_champion(evidence: Evidence, policy: GatePolicy) -> Iterator[Rule]:
    champion, difference = evidence.champion, evidence.against_champion
    if champion is None or difference is None:
        yield Rule("against the champion", NOT_JUDGED, "There is no champion yet: the baseline rule decides.")
        return
    yield _difference_to_champion(evidence.is_refresh, difference, policy)
    yield _ratio(
        "coverage, against the champion's", evidence.lists.coverage, champion.coverage, policy.min_coverage_ratio, 1
    )
    yield _ratio(
        "popularity Gini, against the champion's",
        evidence.lists.popularity_gini,
        champion.popularity_gini,
        policy.max_gini_ratio,
        -1,
    )
    if champion.scores_new_movies and not evidence.lists.scores_new_movies:
        yield Rule("new movies", FAILED, "The champion can recommend new movies, this model cannot.")
    for name, bounds in evidence.slices.items():
        yield _slice(name, bounds, policy)


def _difference_to_champion(is_refresh: bool, difference: Bounds, policy: GatePolicy) -> Rule:
    kind = "refresh" if is_refresh else "change"
    name = f"against the champion, as a {kind}"
    threshold = -policy.refresh_margin if is_refresh else policy.change_margin
    if difference.n_users >= policy.min_users:
        return _above(name, difference, threshold)
    few = f"{difference.n_users} users were evaluated, {policy.min_users} are needed to judge a {kind}"
    outcome = NOT_JUDGED if is_refresh else NOT_ENOUGH_EVIDENCE
    rest = ": a refresh passes on the other rules." if is_refresh else "."
    return Rule(name, outcome, few + rest, difference.mean, _interval(difference), threshold)


def _slice(name: str, bounds: Bounds, policy: GatePolicy) -> Rule:
    """Clearly worse: by more than the policy's loss, and not by chance."""
    rule, threshold = f"slice {name}, against the champion", -policy.max_slice_loss
    interval = _interval(bounds)
    if bounds.n_users < policy.min_slice_users or interval is None or bounds.mean is None:
        few = f"{bounds.n_users} users in slice {name}: too few to judge."
        return Rule(rule, NOT_JUDGED, few, bounds.mean, interval, threshold)
    is_worse = bounds.mean < threshold and interval[1] < 0
    sentence = (
        f"In slice {name} nDCG differs from the champion's by {_bounds(bounds)}; at least {threshold:g} is asked."
    )
    return Rule(rule, FAILED if is_worse else PASSED, sentence, bounds.mean, interval, threshold)


def _above(name: str, bounds: Bounds, threshold: float) -> Rule:
    interval = _interval(bounds)
    if interval is None:
        return Rule(
            name, FAILED, f"{name}: too few users for an interval ({bounds.n_users}).", bounds.mean, None, threshold
        )
    passed = interval[0] > threshold
    sentence = f"nDCG differs by {_bounds(bounds)} ({name}); the lower bound has to be above {threshold:g}."
    return Rule(name, PASSED if passed else FAILED, sentence, bounds.mean, interval, threshold)


def _ratio(name: str, figure: float | None, reference: float | None, ratio: float, sign: int) -> Rule:
    """At least (sign 1) or at most (sign -1) `ratio` times the reference."""
    if not _is_number(reference):
        return Rule(name, NOT_JUDGED, f"{name}: the champion has no figure.", figure)
    threshold = ratio * float(reference or 0.0)
    if not _is_number(figure):
        return Rule(name, FAILED, f"{name}: this model has no figure.", None, None, threshold)
    passed = sign * float(figure or 0.0) >= sign * threshold - 1e-12
    words = "at least" if sign > 0 else "at most"
    sentence = f"{name}: {figure:.4g}; {words} {threshold:.4g} is asked ({ratio:g} times {reference:.4g})."
    return Rule(name, PASSED if passed else FAILED, sentence, figure, None, threshold)


def _at_most(name: str, figure: float | None, threshold: float) -> Rule:
    passed = _is_number(figure) and float(figure or 0.0) <= threshold
    shown = f"{figure:.4g}" if _is_number(figure) else "no figure"
    return Rule(
        name,
        PASSED if passed else FAILED,
        f"{name}: {shown}; at most {threshold:g} is allowed.",
        figure,
        None,
        threshold,
    )


def _interval(bounds: Bounds) -> tuple[float, float] | None:
    if not all(_is_number(value) for value in (bounds.mean, bounds.low, bounds.high)):
        return None
    return float(bounds.low or 0.0), float(bounds.high or 0.0)


def _bounds(bounds: Bounds) -> str:
    return f"{bounds.mean:+.4f} [{bounds.low:+.4f}, {bounds.high:+.4f}], {bounds.n_users} users"


def _is_number(value: float | None) -> bool:
    return value is not None and math.isfinite(value)
