"""Backtests of the champion's recipe: the benefit of features, and the cost of age."""

from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from catalog.models import Rating
from mlops.models import Backtest, ModelVersion, TestEvidence
from mlops.monitoring.codes import AblationCode, StalenessCode
from mlops.monitoring.staleness import staleness_checks
from mlops.services import backtest, collect_evidence, export_snapshot, promote
from mlops.tasks import backtest_features, backtest_staleness
from movierec.policy import load_policy
from tests.mlops.site import fill_catalogue, make_version, write_policy
from tests.recommender.conftest import camps

__all__ = ["camps"]

pytestmark = [pytest.mark.django_db, pytest.mark.ml_test("D2", "M4")]

CONTENT = {"regularization": 1.0, "steepness": 1.0}


def champion_of_its_data(algorithm: str, **parameters: float) -> ModelVersion:
    version = make_version(algorithm=algorithm, parameters=parameters, snapshot=export_snapshot())
    promote(version=version.pk)
    return version


def test_each_kind_of_features_is_ablated_once(camps, quick, capsys):
    version = champion_of_its_data("content", **CONTENT)

    call_command("backtest_model", "features")

    row = Backtest.objects.get()
    assert (row.kind, row.version) == ("features", version)
    kinds = ("genres", "year", "words", "features")  # there are no people, keywords or languages
    assert set(row.figures) == {f"feature.{kind}" for kind in kinds}
    assert row.figures["feature.genres"]["outcome"] in AblationCode.values
    assert row.figures["feature.genres"]["worth"]["lists.all"]["n_users"] > 0
    assert f"Version {version.pk}: {row.summary}" in capsys.readouterr().out


def test_champion_without_features_is_not_ablated(rated_site):
    champion_of_its_data("ease", regularization=20.0)

    with pytest.raises(CommandError, match=r"\(ease\)"):
        call_command("backtest_model", "features")
    assert backtest_features() == {"status": "skipped"}
    assert not Backtest.objects.exists()


def test_without_a_champion_there_is_nothing_to_test(quick, db):
    with pytest.raises(CommandError, match="champion"):
        call_command("backtest_model", "staleness")


def test_cost_of_age_is_a_curve_over_the_same_later_data(rated_site):
    version = champion_of_its_data("ease", regularization=20.0)

    backtest_staleness()

    row = Backtest.objects.get()
    curve = row.figures["curve"]
    assert (row.version, row.passed) == (version, True)
    assert [point["days"] for point in curve] == [0, 7, 30, 90]
    assert curve[0]["loss"] == 0
    assert curve[-1]["loss"] > 0.05  # three months in which tastes are learnt
    assert {point["difference"]["n_users"] for point in curve} == {curve[0]["difference"]["n_users"]}
    assert row.figures["max_age_days"] in (7, 30)


def test_ages_before_there_were_ratings_are_left_out(quick, db, settings):
    fill_catalogue()
    settings.POLICY = load_policy(write_policy(quick, staleness={"backtest_ages_days": [30, 5000]}))
    champion_of_its_data("popularity", half_life_days=30.0)

    row = backtest(kind="staleness")

    assert [point["days"] for point in row.figures["curve"]] == [0, 30]


def test_the_age_that_costs_much_is_what_alerts(alice, quick):
    version = make_version()
    promote(version=version.pk)
    figures = {"curve": [], "max_age_days": 7.0}
    Backtest.objects.create(kind="staleness", version=version, figures=figures, passed=True)

    limits = {check.code: check.limit for check in staleness_checks()}

    assert limits[StalenessCode.CHAMPION_DATA] == timedelta(days=7)


ABLATION = {"feature.genres": {"outcome": "ablation.unclear", "worth": {}}}
CURVE = {"curve": [{"days": 0.0, "loss": 0.0}, {"days": 7.0, "loss": 0.02}], "max_age_days": 7.0}


@pytest.mark.parametrize(("kind", "figures", "test"), [("features", ABLATION, "D2"), ("staleness", CURVE, "M4")])
def test_last_backtest_of_each_kind_is_evidence(alice, quick, kind, figures, test):
    version = make_version()
    for passed in (True, False):
        Backtest.objects.create(passed=passed, kind=kind, version=version, figures=figures)

    collect_evidence()

    row = TestEvidence.objects.get(test=test)
    assert (row.passed, row.code) == (False, f"evidence.backtest:{kind}")
    assert row.findings[0]["params"] == {"version": version.pk, "backtest": Backtest.objects.first().pk}


def test_staff_see_it_line_by_line(client, sam, alice, quick):
    interval = {"mean": -0.02, "low": -0.03, "high": -0.01}
    curve = [{"days": 7.0, "ndcg": 0.2, "loss": 0.1, "difference": interval}]
    figures = {"curve": curve, "max_age_days": 7.0}
    row = Backtest.objects.create(
        kind="staleness", version=make_version(), figures=figures, passed=True, ended_at=timezone.now()
    )
    client.force_login(sam)

    page = client.get(f"/admin/mlops/backtest/{row.pk}/change/").content.decode()

    assert "nDCG 0.2000  -0.0200 [-0.0300, -0.0100]" in page
    assert not Rating.objects.filter(user=sam).exists()
