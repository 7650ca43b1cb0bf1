"""The gate's rules about predicted stars and the precision of lists."""

from dataclasses import replace

import pytest

from mlops.evaluation.intervals import PairedInterval
from mlops.gate.codes import Rule
from mlops.gate.rules import decide
from tests.mlops.test_gate import CHANGE, FIRST, POLICY, outcomes

pytestmark = pytest.mark.ml_test("I4")


@pytest.mark.parametrize("given", [FIRST, CHANGE], ids=["against the baseline", "compared with the champion"])
@pytest.mark.parametrize(
    ("rmse", "outcome"), [(0.945, "passed"), (0.9451, "failed"), (None, "failed"), (float("nan"), "failed")]
)
def test_predicted_stars_may_be_a_twentieth_worse(given, rmse, outcome):
    given = replace(given, figures={**given.figures, "rmse": rmse})

    assert outcomes(given)[Rule.RMSE_REFERENCE] == outcome
    assert decide(given, POLICY).outcome == ("passed" if outcome == "passed" else "refused")


@pytest.mark.parametrize("n_stars", [0, 199, None])
def test_stars_are_not_judged_by_few_ratings(n_stars):
    given = replace(FIRST, figures={"rmse": 3.0 if n_stars else None, "n_stars": n_stars})

    found = outcomes(given)
    assert (found[Rule.RMSE], Rule.RMSE_REFERENCE in found) == ("not_judged", False)
    assert decide(given, POLICY).outcome == "passed"


@pytest.mark.parametrize(
    ("bounds", "outcome"),
    [
        (PairedInterval(-0.003, -0.005, -0.001, 200), "failed"),
        (PairedInterval(-0.003, -0.007, 0.001, 200), "passed"),
        (PairedInterval(-0.001, -0.0015, -0.0005, 200), "passed"),
        (PairedInterval(-0.003, -0.005, -0.001, 199), "not_judged"),
    ],
)
def test_clearly_less_precise_lists_refuse(bounds, outcome):
    given = replace(CHANGE, metric_differences={"precision": bounds})

    assert outcomes(given)[Rule.PRECISION_CHAMPION] == outcome
    assert decide(given, POLICY).outcome == ("refused" if outcome == "failed" else "passed")


@pytest.mark.parametrize(
    ("policy", "refusing"),
    [
        ({"max_rmse": 0.9, "min_precision": 0.02}, []),
        ({"max_rmse": 0.899}, [Rule.RMSE]),
        ({"min_precision": 0.0201}, [Rule.PRECISION]),
    ],
)
def test_stars_and_precision_have_thresholds_of_their_own(policy, refusing):
    assert (outcomes(FIRST)[Rule.RMSE], outcomes(FIRST)[Rule.PRECISION]) == ("not_judged", "not_judged")

    findings = decide(FIRST, POLICY.model_copy(update=policy)).findings

    assert [finding.code for finding in findings if finding.outcome == "failed"] == refusing
