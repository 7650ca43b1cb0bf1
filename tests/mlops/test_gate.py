"""Every rule of the gate with numbers made by hand."""

from dataclasses import replace

import pytest

from mlops.gate import Bounds, Evidence, Lists, judge
from movierec.policy import Gate

POLICY = Gate(
    refresh_margin=0.02,
    change_margin=0.0,
    min_users=300,
    min_coverage_ratio=0.9,
    max_gini_ratio=1.05,
    min_slice_users=200,
    max_slice_loss=0.01,
    max_artifact_mb=100,
    max_latency_ms=50,
    max_data_age_hours=48,
)
FIRST = Evidence(
    baseline="popular",
    against_baseline=Bounds(0.03, 0.01, 0.05, 175),
    lists=Lists(coverage=0.30, popularity_gini=0.80, scores_new_movies=True),
    fresh_process={"checks": {"finite_scores": True, "no_seen_movies": True}, "latency_ms": 5.0},
    artifact_mb=10,
    data_age_hours=1,
)
CHANGE = replace(
    FIRST,
    champion=Lists(coverage=0.30, popularity_gini=0.80, scores_new_movies=True),
    against_champion=Bounds(0.02, 0.005, 0.035, 400),
)
REFRESH = replace(CHANGE, is_refresh=True, against_champion=Bounds(-0.005, -0.015, 0.005, 400))


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
    verdict = judge(replace(FIRST, against_baseline=Bounds(0.02, low, 0.04, 175)), POLICY)

    assert verdict.decision == "refused"


def test_one_user_is_no_evidence_against_a_baseline():
    assert failed(replace(FIRST, against_baseline=Bounds(0.5, None, None, 1))) == [
        "better than the best simple baseline (popular)"
    ]


def test_a_refresh_may_be_a_little_worse_but_a_change_may_not():
    difference = Bounds(-0.005, -0.015, 0.005, 400)

    assert judge(replace(REFRESH, against_champion=difference), POLICY).decision == "passed"
    assert judge(replace(CHANGE, against_champion=difference), POLICY).decision == "refused"


def test_a_refresh_that_may_be_clearly_worse_is_refused():
    evidence = replace(REFRESH, against_champion=Bounds(-0.012, -0.021, -0.003, 400))

    assert failed(evidence) == ["against the champion, as a refresh"]


def test_few_users_pass_a_refresh_on_the_other_rules():
    evidence = replace(REFRESH, against_champion=Bounds(-0.05, -0.1, 0.0, 299))

    assert judge(evidence, POLICY).decision == "passed"
    assert outcomes(evidence)["against the champion, as a refresh"] == "not_judged"


def test_few_users_are_not_enough_evidence_for_a_change():
    evidence = replace(CHANGE, against_champion=Bounds(0.05, 0.01, 0.09, 299))

    assert judge(evidence, POLICY).decision == "not_enough_evidence"


def test_a_rule_that_failed_outweighs_missing_evidence():
    evidence = replace(CHANGE, against_champion=Bounds(0.05, 0.01, 0.09, 299), artifact_mb=101)

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
        (Bounds(-0.02, -0.03, -0.01, 200), "failed"),
        (Bounds(-0.02, -0.05, 0.01, 200), "passed"),  # it may be chance
        (Bounds(-0.005, -0.008, -0.002, 200), "passed"),  # surely worse, but by less than policy minds
        (Bounds(-0.02, -0.03, -0.01, 199), "not_judged"),
        (Bounds(None, None, None, 0), "not_judged"),
    ],
)
def test_a_slice_that_is_clearly_worse_refuses(bounds, outcome):
    evidence = replace(CHANGE, slices={"history_0": bounds})

    assert outcomes(evidence)["slice history_0, against the champion"] == outcome
    assert judge(evidence, POLICY).decision == ("refused" if outcome == "failed" else "passed")


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"artifact_mb": 100.1}, "artifact size, MB"),
        ({"data_age_hours": 48.1}, "data age, hours"),
        ({"fresh_process": {"checks": {"ok": True}, "latency_ms": 51.0}}, "latency of a list, ms"),
        ({"fresh_process": {"checks": {"ok": True}}}, "latency of a list, ms"),
        ({"fresh_process": {"checks": {"no_seen_movies": False}}}, "fresh process: no seen movies"),
        ({"fresh_process": {}}, "fresh process: answers"),
    ],
)
def test_each_guardrail_refuses_by_itself(change, rule):
    assert failed(replace(FIRST, **change)) == [rule]


def test_what_a_broken_process_said_is_part_of_the_verdict():
    broken = {"checks": {"loads_and_answers": False}, "error": "ArtifactError: the checksum does not match"}

    assert "the checksum does not match" in judge(replace(FIRST, fresh_process=broken), POLICY).rules[0].sentence
