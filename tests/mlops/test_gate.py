"""Every rule of the gate with numbers made by hand."""

from dataclasses import replace

import pytest

from mlops.gate.decision import Evidence, Lists, Shadow, judge
from mlops.gate.rules import PairedInterval
from movierec.policy import load_policy
from tests.processes import ROOT

pytestmark = pytest.mark.ml_test("I4")

POLICY = load_policy(ROOT / "config.yaml").gate.model_copy(update={"max_artifact_mb": 100, "max_latency_ms": 50})
FIRST = Evidence(
    baseline="popular",
    against_baseline=PairedInterval(0.03, 0.01, 0.05, 175),
    lists=Lists(coverage=0.30, popularity_gini=0.80, mean_popularity=0.1, scores_new_movies=True),
    fresh_process={
        "checks": {"finite_scores": True, "no_seen_movies": True},
        "latency_ms": 5.0,
        "memory_mb": 300,
        "liked_share": 0.8,
        "n_liked": 200,
    },
    artifact_mb=10,
    data_age_hours=1,
)
CHANGE = replace(
    FIRST,
    champion=FIRST.lists,
    against_champion=PairedInterval(0.02, 0.005, 0.035, 400),
)
REFRESH = replace(CHANGE, is_refresh=True, against_champion=PairedInterval(-0.005, -0.015, 0.005, 400))


def outcomes(evidence: Evidence) -> dict[str, str]:
    return {rule.name: rule.outcome for rule in judge(evidence, POLICY).rules}


def failed(evidence: Evidence) -> list[str]:
    return [rule.name for rule in judge(evidence, POLICY).rules if rule.outcome == "failed"]


@pytest.mark.parametrize("evidence", [FIRST, CHANGE, REFRESH], ids=["first", "change", "refresh"])
def test_good_models_pass(evidence):
    verdict = judge(evidence, POLICY)

    assert (verdict.decision, failed(evidence)) == ("passed", [])


def test_every_rule_says_figure_interval_and_threshold():
    rule = next(r for r in judge(CHANGE, POLICY).rules if r.name == "against the champion, as a change")

    assert (rule.figure, rule.interval, rule.threshold) == (0.02, (0.005, 0.035), 0.0)
    assert rule.sentence == (
        "nDCG differs by +0.0200 [+0.0050, +0.0350], 400 users (against the champion, as a change); "
        "the lower bound has to be above 0."
    )


@pytest.mark.parametrize("low", [0.0, -0.001])
def test_a_model_not_surely_better_than_the_best_baseline_is_refused(low):
    verdict = judge(replace(FIRST, against_baseline=PairedInterval(0.02, low, 0.04, 175)), POLICY)

    assert verdict.decision == "refused"


@pytest.mark.ml_test("D3")
def test_features_that_cost_too_much_are_refused_by_the_dearest():
    costs = {"genre": {"seconds": 0.1, "MB": 1.0}, "cast": {"seconds": 2.0, "MB": 0.5}}
    assert outcomes(replace(FIRST, feature_costs=costs))["cost of features, seconds"] == "passed"

    slow = judge(replace(FIRST, feature_costs=costs | {"overview": {"seconds": 999.0, "MB": 5.0}}), POLICY)

    [rule] = [rule for rule in slow.rules if rule.outcome == "failed"]
    assert (slow.decision, rule.name) == ("refused", "cost of features, seconds")
    assert rule.sentence == "cost of features, seconds: 999 for overview; at most 120 is allowed."


def test_one_user_is_no_evidence_against_a_baseline():
    assert failed(replace(FIRST, against_baseline=PairedInterval(0.5, None, None, 1))) == [
        "better than the best simple baseline (popular)"
    ]


def test_a_refresh_may_be_a_little_worse_but_a_change_may_not():
    difference = PairedInterval(-0.005, -0.015, 0.005, 400)

    assert judge(replace(REFRESH, against_champion=difference), POLICY).decision == "passed"
    assert judge(replace(CHANGE, against_champion=difference), POLICY).decision == "refused"


def test_a_refresh_that_may_be_clearly_worse_is_refused():
    evidence = replace(REFRESH, against_champion=PairedInterval(-0.012, -0.021, -0.003, 400))

    assert failed(evidence) == ["against the champion, as a refresh"]


def test_few_users_pass_a_refresh_on_the_other_rules():
    evidence = replace(REFRESH, against_champion=PairedInterval(-0.05, -0.1, 0.0, 299))

    assert judge(evidence, POLICY).decision == "passed"
    assert outcomes(evidence)["against the champion, as a refresh"] == "not_judged"


def test_few_users_are_not_enough_evidence_for_a_change():
    evidence = replace(CHANGE, against_champion=PairedInterval(0.05, 0.01, 0.09, 299))

    assert judge(evidence, POLICY).decision == "not_enough_evidence"


def test_a_rule_that_failed_outweighs_missing_evidence():
    evidence = replace(CHANGE, against_champion=PairedInterval(0.05, 0.01, 0.09, 299), artifact_mb=101)

    assert judge(evidence, POLICY).decision == "refused"


@pytest.mark.parametrize(
    ("coverage", "decision"), [(0.27, "passed"), (0.269, "refused"), (None, "refused"), (float("nan"), "refused")]
)
def test_coverage_may_fall_to_nine_tenths_of_the_champions(coverage, decision):
    evidence = replace(CHANGE, lists=replace(CHANGE.lists, coverage=coverage))

    assert judge(evidence, POLICY).decision == decision


@pytest.mark.parametrize(("gini", "decision"), [(0.84, "passed"), (0.8401, "refused")])
def test_concentration_may_rise_by_a_twentieth(gini, decision):
    evidence = replace(CHANGE, lists=replace(CHANGE.lists, popularity_gini=gini))

    assert judge(evidence, POLICY).decision == decision


def test_a_model_that_forgot_how_to_rank_new_movies_is_refused():
    assert failed(replace(CHANGE, lists=replace(CHANGE.lists, scores_new_movies=False))) == ["new movies"]


@pytest.mark.parametrize(
    ("bounds", "outcome"),
    [
        (PairedInterval(-0.02, -0.03, -0.01, 200), "failed"),
        (PairedInterval(-0.02, -0.05, 0.01, 200), "passed"),  # it may be chance
        (PairedInterval(-0.005, -0.008, -0.002, 200), "passed"),  # surely worse, but by less than policy minds
        (PairedInterval(-0.02, -0.03, -0.01, 199), "not_judged"),
        (PairedInterval(None, None, None, 0), "not_judged"),
    ],
)
def test_a_slice_that_is_clearly_worse_refuses(bounds, outcome):
    evidence = replace(CHANGE, slices={"history_0": bounds})

    assert outcomes(evidence)["slice history_0, against the champion"] == outcome
    assert judge(evidence, POLICY).decision == ("refused" if outcome == "failed" else "passed")


def process(**changes) -> dict:
    return {"fresh_process": {**FIRST.fresh_process, **changes}}


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"artifact_mb": 100.1}, "artifact size, MB"),
        ({"data_age_hours": 48.1}, "data age, hours"),
        (process(latency_ms=51.0), "latency of a list, ms"),
        (process(latency_ms=None), "latency of a list, ms"),
        (process(memory_mb=4097), "memory of a process, MB"),
        (process(memory_mb=None), "memory of a process, MB"),
        (process(liked_share=0.24), "liked movies in the first tenth"),
        (process(liked_share=None), "liked movies in the first tenth"),
        (process(checks={"no_seen_movies": False}), "fresh process: no seen movies"),
        ({"fresh_process": {}}, "fresh process: answers"),
        ({"against_linear": PairedInterval(-0.01, -0.02, -0.001, 175)}, "against a plain linear model (ease)"),
        ({"shadow": Shadow("recent requests", 1, 1, 0, 5.0)}, "shadow replay: lists that it could not make"),
        ({"shadow": Shadow("requests", 1, 0, 1, 5.0)}, "shadow replay: seen or dismissed movies shown"),
        ({"shadow": Shadow("requests", 20, 0, 0, 51.0)}, "shadow replay: 95th percentile of latency, ms"),
    ],
)
def test_each_guardrail_refuses_by_itself(change, rule):
    assert failed(replace(FIRST, **change)) == [rule]


def test_few_liked_movies_are_too_few_to_judge():
    evidence = replace(FIRST, **process(liked_share=0.0, n_liked=49))

    assert outcomes(evidence)["liked movies in the first tenth"] == "not_judged"


@pytest.mark.parametrize("bounds", [PairedInterval(-0.01, -0.02, 0.001, 175), PairedInterval(0.01, 0.0, 0.02, 175)])
def test_a_linear_model_must_be_surely_better_to_refuse(bounds):
    assert judge(replace(FIRST, against_linear=bounds), POLICY).decision == "passed"


def test_refreshes_that_each_lose_a_little_do_not_add_up():
    evidence = replace(REFRESH, against_recent_best=PairedInterval(-0.018, -0.025, -0.01, 400), recent_best="version 3")

    assert failed(evidence) == ["against the best recent champion (version 3)"]
    few = replace(evidence, against_recent_best=PairedInterval(-0.018, -0.025, -0.01, 299))
    assert outcomes(few)["against the best recent champion (version 3)"] == "not_judged"
    change = replace(evidence, is_refresh=False, against_champion=PairedInterval(0.02, 0.005, 0.035, 400))
    assert judge(change, POLICY).decision == "passed"


@pytest.mark.parametrize(("popularity", "decision"), [(0.105, "passed"), (0.1051, "refused")])
def test_what_is_shown_may_become_a_twentieth_more_popular(popularity, decision):
    evidence = replace(CHANGE, lists=replace(CHANGE.lists, mean_popularity=popularity))

    assert judge(evidence, POLICY).decision == decision


@pytest.mark.parametrize(
    ("share", "shown", "decision"), [(0.05, 0.049, "refused"), (0.05, 0.05, "passed"), (0.049, 0.0, "passed")]
)
def test_a_language_keeps_half_of_its_place_in_the_lists(share, shown, decision):
    evidence = replace(
        CHANGE,
        champion=replace(CHANGE.lists, exposure={"language fr": 0.1}),
        lists=replace(CHANGE.lists, exposure={"language fr": shown}),
        catalogue={"language fr": share},
    )

    assert judge(evidence, POLICY).decision == decision


SHADOW = Shadow("recent requests", 20, 0, 0, 30.0, champion_latency_p95_ms=25.0, overlap=0.4, score_psi=0.3)


@pytest.mark.parametrize(
    ("change", "outcome"),
    [
        ({}, "passed"),
        ({"latency_p95_ms": 31.3}, "failed"),  # 1.25 times 25 is 31.25
        ({"latency_p95_ms": 19.0, "champion_latency_p95_ms": 1.0}, "passed"),  # below what anybody notices
        ({"latency_p95_ms": None}, "failed"),
    ],
)
def test_recent_requests_may_take_a_quarter_longer(change, outcome):
    found = outcomes(replace(CHANGE, shadow=replace(SHADOW, **change)))

    assert found["shadow replay: 95th percentile of latency, ms"] == outcome


def test_overlap_and_scores_are_reported_and_bounded_if_policy_says_so():
    evidence = replace(CHANGE, shadow=SHADOW)
    overlap, psi = "shadow replay: overlap@10 with the champion's lists", "shadow replay: PSI of the scores"

    assert (outcomes(evidence)[overlap], outcomes(evidence)[psi]) == ("not_judged", "not_judged")
    strict = POLICY.model_copy(update={"min_replay_overlap": 0.5, "max_replay_psi": 0.25})
    refused = [rule.name for rule in judge(evidence, strict).rules if rule.outcome == "failed"]
    assert refused == [overlap, psi]


def test_few_recent_requests_are_not_compared():
    evidence = replace(REFRESH, shadow=replace(SHADOW, n_requests=19, latency_p95_ms=900.0))

    assert outcomes(evidence)["shadow replay: latency, overlap, scores"] == "not_judged"
    assert judge(evidence, POLICY).decision == "passed"


def test_what_a_broken_process_said_is_part_of_the_verdict():
    broken = {"checks": {"loads_and_answers": False}, "error": "ArtifactError: the checksum does not match"}

    assert "the checksum does not match" in judge(replace(FIRST, fresh_process=broken), POLICY).rules[0].sentence
