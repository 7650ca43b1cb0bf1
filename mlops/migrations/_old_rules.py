"""Rules of the gate as decisions held them before they had codes: a name and a sentence, parsed into a finding's row.

What is not recognised keeps its text under the code `legacy`, or as the message `legacy` of a known code.
"""

import re
from collections.abc import Callable
from typing import Any

Params = dict[str, Any]

NAMES: list[tuple[str, str]] = [
    (r"better than the best simple baseline \((?P<subject>.+)\)", "gate.baseline"),
    (r"against a plain linear model \(ease\)", "gate.linear_model"),
    (r"against the champion", "gate.champion"),
    (r"against the champion, as a refresh", "gate.champion_refresh"),
    (r"against the champion, as a change", "gate.champion_change"),
    (r"against the best recent champion \(version (?P<subject>\d+)\)", "gate.recent_champion"),
    (r"coverage, against the champion's", "gate.coverage"),
    (r"popularity Gini, against the champion's", "gate.popularity_gini"),
    (r"mean popularity of what is shown, against the champion's", "gate.mean_popularity"),
    (r"exposure of (?P<subject>.+) \((?P<share>\d+)% of the catalogue\)", "gate.exposure"),
    (r"new movies", "gate.new_movies"),
    (r"slice (?P<subject>.+), against the champion", "gate.slice"),
    (r"cost of features, seconds", "gate.feature_seconds"),
    (r"cost of features, MB", "gate.feature_mb"),
    (r"artifact size, MB", "gate.artifact_mb"),
    (r"data age, hours", "gate.data_age_hours"),
    (r"liked movies in the first tenth", "gate.liked_share"),
    (r"latency of a list, ms", "gate.latency_ms"),
    (r"memory of a process, MB", "gate.memory_mb"),
    (r"shadow replay", "gate.replay"),
    (r"shadow replay: latency, overlap, scores", "gate.replay"),
    (r"shadow replay: lists that it could not make", "gate.replay_errors"),
    (r"shadow replay: seen or dismissed movies shown", "gate.replay_excluded"),
    (r"shadow replay: 95th percentile of latency, ms", "gate.replay_latency_ms"),
    (r"shadow replay: overlap@10 with the champion's lists", "gate.replay_overlap"),
    (r"shadow replay: PSI of the scores", "gate.replay_psi"),
]
SENTENCES: list[tuple[str, str]] = [
    (r"nDCG differs by .*, (?P<n_users>\d+) users \(.*\); the lower bound has to be above \S+", "gate.above"),
    (r"nDCG differs by .*, (?P<n_users>\d+) users \(.*\); clearly worse than \S+ is refused\.", "gate.not_worse"),
    (r".*: too few users for an interval \((?P<n_users>\d+)\)\.", "gate.no_interval"),
    (r".*: (?P<n_users>\d+) users, too few to judge\.", "gate.too_few_users"),
    (r"(?P<n_users>\d+) users were evaluated, (?P<min_users>\d+) are needed .*: a refresh .*", "gate.refresh_passes"),
    (r"(?P<n_users>\d+) users were evaluated, (?P<min_users>\d+) are needed .*", "gate.users_needed"),
    (r".*: (?P<n_users>\d+) users, (?P<min_users>\d+) are needed to judge\.", "gate.users_needed"),
    (r"There is no champion yet: the baseline rule decides\.", "gate.no_champion"),
    (r".*: the champion has no figure\.", "gate.no_reference"),
    (r".*: this model has no figure\.", "gate.no_figure"),
    (r".*; at least \S+ is asked \((?P<ratio>\S+) times (?P<reference>\S+)\)\.", "gate.at_least_times"),
    (r".*; at most \S+ is asked \((?P<ratio>\S+) times (?P<reference>\S+)\)\.", "gate.at_most_times"),
    (r".*: no figure(?: .*)?; at (?:most|least) \S+ is (?:allowed|asked)\.", "gate.no_figure"),
    (r".*: \S+ of (?P<n_requests>\d+) (?P<source>.+); at most \S+ is allowed\.", "gate.at_most"),
    (r".*: \S+ for (?P<subject>.+); at most \S+ is allowed\.", "gate.at_most"),
    (r".*: \S+; at most \S+ is allowed\.", "gate.at_most"),
    (r".*: \S+; at least \S+ is asked\.", "gate.at_least"),
    (r".*; no bound is set \((?P<key>\S+) in config\.yaml\)\.", "gate.no_threshold"),
    (r".*: (?P<n_liked>\d+) movies to look for, too few to judge\.", "gate.too_few_movies"),
    (r"There are no requests to ask again\.", "gate.no_requests"),
    (r"(?P<n_requests>\d+) (?P<source>.+); (?P<min_requests>\d+) are needed to compare\.", "gate.too_few_requests"),
    (r"The champion can recommend new movies, this model cannot\.", "gate.cannot_score_new"),
]
SOURCES = {"recent requests": "replay.recent_requests", "lists of the latest raters": "replay.latest_raters"}
CONVERTED: dict[str, Callable[[str], Any]] = {
    **dict.fromkeys(("n_users", "min_users", "n_requests", "min_requests", "n_liked"), int),
    **dict.fromkeys(("ratio", "reference"), float),
    "share": lambda percent: int(percent) / 100,
    "source": lambda source: SOURCES.get(source, source),
    "key": lambda key: key.replace("shadow", "replay"),
}


def with_code(rule: dict[str, Any]) -> dict[str, Any]:
    """A finding's row; one that has a code already is returned as it is."""
    if "code" in rule:
        return rule
    name, sentence = str(rule.get("name", "")), str(rule.get("sentence", ""))
    common = {key: rule.get(key) for key in ("outcome", "figure", "threshold", "interval")}
    if name.startswith("fresh process: "):
        return common | _smoke_check(name.removeprefix("fresh process: "), sentence, rule["outcome"] == "passed")
    code, named = _match(NAMES, name)
    message, said = _match(SENTENCES, sentence)
    if not code:
        params = {"name": name, "text": sentence}
        return common | {"code": "legacy", "params": params, "message": "", "subject": ""}
    params = named | said
    subject = params.pop("subject", "")
    if not message:
        message, params["text"] = "legacy", sentence
    return common | {"code": code, "params": params, "message": message, "subject": subject}


def _smoke_check(said: str, sentence: str, passed: bool) -> dict[str, Any]:
    error = sentence.partition(f"{said}: ")[2].removesuffix(".")
    message = "" if passed else "smoke_failed_with_error" if error else "smoke_failed"
    params = {"error": error} if error else {}
    return {"code": f"smoke.{said.replace(' ', '_')}", "params": params, "message": message, "subject": ""}


def _match(patterns: list[tuple[str, str]], text: str) -> tuple[str, Params]:
    for pattern, code in patterns:
        found = re.fullmatch(pattern, text, re.DOTALL)
        if found:
            values = {name: value for name, value in found.groupdict().items() if value is not None}
            return code, {name: CONVERTED.get(name, str)(value) for name, value in values.items()}
    return "", {}
