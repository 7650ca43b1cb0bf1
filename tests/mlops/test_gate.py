"""Tests every rule of the gate with hand-made figures."""

import json
from dataclasses import replace

import pytest

from mlops.evaluation.intervals import PairedInterval
from mlops.findings import Finding
from mlops.gate.codes import Message, ReplaySource, Rule
from mlops.gate.inputs import GateInput, Lists, Replay
from mlops.gate.rules import decide
from mlops.registry.codes import SmokeCheck
from movierec.policy import load_policy
from tests.processes import ROOT

pytestmark = pytest.mark.ml_test("I4")

POLICY = load_policy(ROOT / "config.yaml").gate.model_copy(update={"max_artifact_mb": 100, "max_latency_ms": 50})
FIRST = GateInput(
    baseline="popular",
    against_baseline=PairedInterval(0.03, 0.01, 0.05, 175),
    lists=Lists(coverage=0.30, popularity_gini=0.80, mean_popularity=0.1, scores_new_movies=True),
    smoke_test={
        "checks": {"finite_scores": True, "no_seen_movies": True},
        "latency_ms": 5.0,
        "memory_mb": 300,
        "liked_share": 0.8,
        "n_liked": 200,
    },
    artifact_mb=10,
    data_age_hours=1,
    figures={"precision": 0.02, "rmse": 0.9, "n_stars": 200},
    reference={"rmse": 0.9},
)
PRECISION = {"precision": PairedInterval(0.01, 0.001, 0.02, 400)}
CHAMPION = {"champion": FIRST.lists, "against_champion": PairedInterval(0.02, 0.005, 0.035, 400)}
CHANGE = replace(FIRST, **CHAMPION, metric_differences=PRECISION)
REFRESH = replace(CHANGE, is_refresh=True, against_champion=PairedInterval(-0.005, -0.015, 0.005, 400))


def outcomes(given: GateInput) -> dict[str, str]:
    return {finding.key: finding.outcome for finding in decide(given, POLICY).findings}


def failed(given: GateInput) -> list[str]:
    return [finding.key for finding in decide(given, POLICY).findings if finding.outcome == "failed"]


@pytest.mark.parametrize("given", [FIRST, CHANGE, REFRESH], ids=["first", "change", "refresh"])
def test_good_models_pass(given):
    decision = decide(given, POLICY)

    assert (decision.outcome, failed(given)) == ("passed", [])


def test_every_rule_says_figure_interval_and_threshold():
    rule = next(r for r in decide(CHANGE, POLICY).findings if r.code == Rule.CHAMPION_CHANGE)

    assert (rule.figure, rule.interval, rule.threshold) == (0.02, (0.005, 0.035), 0.0)
    assert (rule.message, rule.params) == (Message.ABOVE, {"n_users": 400})


@pytest.mark.parametrize("low", [0.0, -0.001])
def test_a_model_not_clearly_better_than_the_baseline_is_refused(low):
    decision = decide(replace(FIRST, against_baseline=PairedInterval(0.02, low, 0.04, 175)), POLICY)

    assert decision.outcome == "refused"


@pytest.mark.ml_test("D3")
def test_features_that_cost_too_much_are_refused_by_the_dearest():
    costs = {"genre": {"seconds": 0.1, "MB": 1.0}, "cast": {"seconds": 2.0, "MB": 0.5}}
    assert outcomes(replace(FIRST, feature_costs=costs))["gate.feature_seconds:cast"] == "passed"

    slow = decide(replace(FIRST, feature_costs=costs | {"overview": {"seconds": 999.0, "MB": 5.0}}), POLICY)

    [rule] = [rule for rule in slow.findings if rule.outcome == "failed"]
    assert (slow.outcome, rule.key) == ("refused", "gate.feature_seconds:overview")
    assert (rule.figure, rule.threshold) == (999.0, 120)


def test_one_user_is_no_evidence_against_a_baseline():
    assert failed(replace(FIRST, against_baseline=PairedInterval(0.5, None, None, 1))) == ["gate.baseline:popular"]


def test_a_refresh_may_be_a_little_worse_but_a_change_may_not():
    difference = PairedInterval(-0.005, -0.015, 0.005, 400)

    assert decide(replace(REFRESH, against_champion=difference), POLICY).outcome == "passed"
    assert decide(replace(CHANGE, against_champion=difference), POLICY).outcome == "refused"


def test_a_refresh_that_may_be_clearly_worse_is_refused():
    given = replace(REFRESH, against_champion=PairedInterval(-0.012, -0.021, -0.003, 400))

    assert failed(given) == [Rule.CHAMPION_REFRESH]


def test_few_users_pass_a_refresh_on_the_other_rules():
    given = replace(REFRESH, against_champion=PairedInterval(-0.05, -0.1, 0.0, 299))

    assert decide(given, POLICY).outcome == "passed"
    assert outcomes(given)[Rule.CHAMPION_REFRESH] == "not_judged"


def test_few_users_are_not_enough_evidence_for_a_change():
    given = replace(CHANGE, against_champion=PairedInterval(0.05, 0.01, 0.09, 299))

    assert decide(given, POLICY).outcome == "not_enough_evidence"


def test_a_rule_that_failed_outweighs_missing_evidence():
    given = replace(CHANGE, against_champion=PairedInterval(0.05, 0.01, 0.09, 299), artifact_mb=101)

    assert decide(given, POLICY).outcome == "refused"


@pytest.mark.parametrize(
    ("coverage", "decision"), [(0.27, "passed"), (0.269, "refused"), (None, "refused"), (float("nan"), "refused")]
)
def test_coverage_may_fall_to_nine_tenths_of_the_champions(coverage, decision):
    given = replace(CHANGE, lists=replace(CHANGE.lists, coverage=coverage))

    assert decide(given, POLICY).outcome == decision


@pytest.mark.parametrize(("gini", "decision"), [(0.84, "passed"), (0.8401, "refused")])
def test_concentration_may_rise_by_a_twentieth(gini, decision):
    given = replace(CHANGE, lists=replace(CHANGE.lists, popularity_gini=gini))

    assert decide(given, POLICY).outcome == decision


def test_a_model_that_forgot_how_to_rank_new_movies_is_refused():
    assert failed(replace(CHANGE, lists=replace(CHANGE.lists, scores_new_movies=False))) == [Rule.NEW_MOVIES]


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
    given = replace(CHANGE, slices={"history_0": bounds})

    assert outcomes(given)["gate.slice:history_0"] == outcome
    assert decide(given, POLICY).outcome == ("refused" if outcome == "failed" else "passed")


def process(**changes) -> dict:
    return {"smoke_test": {**FIRST.smoke_test, **changes}}


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"artifact_mb": 100.1}, Rule.ARTIFACT_MB),
        ({"data_age_hours": 48.1}, Rule.DATA_AGE_HOURS),
        (process(latency_ms=51.0), Rule.LATENCY_MS),
        (process(latency_ms=None), Rule.LATENCY_MS),
        (process(memory_mb=4097), Rule.MEMORY_MB),
        (process(memory_mb=None), Rule.MEMORY_MB),
        (process(liked_share=0.24), Rule.LIKED_SHARE),
        (process(liked_share=None), Rule.LIKED_SHARE),
        (process(checks={"no_seen_movies": False}), SmokeCheck.SEEN),
        ({"smoke_test": {}}, SmokeCheck.ANSWERS),
        ({"against_linear": PairedInterval(-0.01, -0.02, -0.001, 175)}, Rule.LINEAR_MODEL),
        ({"replay": Replay(ReplaySource.RECENT, 1, 1, 0, 5.0)}, Rule.REPLAY_ERRORS),
        ({"replay": Replay(ReplaySource.RECENT, 1, 0, 1, 5.0)}, Rule.REPLAY_EXCLUDED),
        ({"replay": Replay(ReplaySource.RECENT, 20, 0, 0, 51.0)}, Rule.REPLAY_LATENCY_MS),
    ],
)
def test_each_guardrail_refuses_by_itself(change, rule):
    assert failed(replace(FIRST, **change)) == [rule]


def test_few_liked_movies_are_too_few_to_decide():
    given = replace(FIRST, **process(liked_share=0.0, n_liked=49))

    assert outcomes(given)[Rule.LIKED_SHARE] == "not_judged"


@pytest.mark.parametrize("bounds", [PairedInterval(-0.01, -0.02, 0.001, 175), PairedInterval(0.01, 0.0, 0.02, 175)])
def test_a_linear_model_must_be_surely_better_to_refuse(bounds):
    assert decide(replace(FIRST, against_linear=bounds), POLICY).outcome == "passed"


def test_refreshes_that_each_lose_a_little_do_not_add_up():
    given = replace(REFRESH, against_recent_best=PairedInterval(-0.018, -0.025, -0.01, 400), recent_best=3)

    assert failed(given) == ["gate.recent_champion:3"]
    few = replace(given, against_recent_best=PairedInterval(-0.018, -0.025, -0.01, 299))
    assert outcomes(few)["gate.recent_champion:3"] == "not_judged"
    change = replace(given, is_refresh=False, against_champion=PairedInterval(0.02, 0.005, 0.035, 400))
    assert decide(change, POLICY).outcome == "passed"


@pytest.mark.parametrize(("popularity", "decision"), [(0.105, "passed"), (0.1051, "refused")])
def test_what_is_shown_may_become_a_twentieth_more_popular(popularity, decision):
    given = replace(CHANGE, lists=replace(CHANGE.lists, mean_popularity=popularity))

    assert decide(given, POLICY).outcome == decision


@pytest.mark.parametrize(
    ("share", "shown", "decision"), [(0.05, 0.049, "refused"), (0.05, 0.05, "passed"), (0.049, 0.0, "passed")]
)
def test_a_language_keeps_half_of_its_place_in_the_lists(share, shown, decision):
    given = replace(
        CHANGE,
        champion=replace(CHANGE.lists, exposure={"language fr": 0.1}),
        lists=replace(CHANGE.lists, exposure={"language fr": shown}),
        catalogue={"language fr": share},
    )

    assert decide(given, POLICY).outcome == decision


REPLAY = Replay(ReplaySource.RECENT, 20, 0, 0, 30.0, champion_latency_p95_ms=25.0, overlap=0.4, score_psi=0.3)


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
    found = outcomes(replace(CHANGE, replay=replace(REPLAY, **change)))

    assert found[Rule.REPLAY_LATENCY_MS] == outcome


def test_overlap_and_scores_are_reported_and_limited_by_policy():
    given = replace(CHANGE, replay=REPLAY)
    overlap, psi = Rule.REPLAY_OVERLAP, Rule.REPLAY_PSI

    assert (outcomes(given)[overlap], outcomes(given)[psi]) == ("not_judged", "not_judged")
    strict = POLICY.model_copy(update={"min_replay_overlap": 0.5, "max_replay_psi": 0.25})
    refused = [rule.code for rule in decide(given, strict).findings if rule.outcome == "failed"]
    assert refused == [overlap, psi]


def test_few_recent_requests_are_not_compared():
    given = replace(REFRESH, replay=replace(REPLAY, n_requests=19, latency_p95_ms=900.0))

    assert outcomes(given)[Rule.REPLAY] == "not_judged"
    assert decide(given, POLICY).outcome == "passed"


def test_error_of_the_smoke_test_is_part_of_the_decision():
    broken = {"checks": {"loads_and_answers": False}, "error": "ArtifactError: the checksum does not match"}

    finding = decide(replace(FIRST, smoke_test=broken), POLICY).findings[0]
    assert (finding.code, finding.params) == (SmokeCheck.LOADS, {"error": broken["error"]})


@pytest.mark.parametrize(
    "given",
    [
        FIRST,
        CHANGE,
        replace(REFRESH, against_recent_best=PairedInterval(None, None, None, 2), recent_best=3),
        replace(CHANGE, replay=REPLAY, slices={"history_0": PairedInterval(None, None, None, 0)}),
        replace(CHANGE, lists=Lists(None, None), catalogue={"language fr": 0.5}, smoke_test={"error": "OSError"}),
        *(replace(CHANGE, figures=figures, reference={}) for figures in ({}, {"n_stars": 200})),
    ],
)
@pytest.mark.wording
def test_sentences_lack_nothing(given):
    for finding in decide(given, POLICY).findings:
        assert finding.title != finding.code
        assert "?" not in finding.sentence
        assert Finding.from_dict(json.loads(json.dumps(finding.to_dict()))).sentence == finding.sentence


@pytest.mark.wording
def test_rule_is_explained_in_a_sentence():
    finding = next(f for f in decide(CHANGE, POLICY).findings if f.code == Rule.CHAMPION_CHANGE)
    assert finding.sentence == (
        "nDCG difference +0.0200 [+0.0050, +0.0350], 400 users (change compared with the champion). "
        "The lower bound must be above 0."
    )


@pytest.mark.wording
def test_no_tolerated_loss_reads_as_zero():
    given = replace(CHANGE, against_linear=PairedInterval(0.01, 0.002, 0.02, 175))
    findings = decide(given, POLICY.model_copy(update={"max_linear_loss": 0.0})).findings
    finding = next(f for f in findings if f.code == Rule.LINEAR_MODEL)
    assert finding.sentence.endswith("Models clearly worse than 0 are rejected.")
