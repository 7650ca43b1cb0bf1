"""Hyper-parameter searches are evaluated on early data only, can be resumed, and are used only if adopted."""

from io import StringIO

import mlflow
import pytest
from django.contrib.auth.models import Permission
from django.core.management import CommandError, call_command
from django.db import IntegrityError
from django.urls import reverse

from catalog.models import Rating
from mlops.errors import InvalidSpace, NothingToAdopt, SearchRunsElsewhere
from mlops.models import DatasetSnapshot, ModelVersion, ParameterChoice, TuningStudy, TuningTrial
from mlops.services import (
    adopt_parameters,
    prune,
    run_training,
    start_training,
    sync_registry,
    tune,
    withdraw_parameters,
)
from mlops.tuning import search, studies
from mlops.tuning.studies import distributions
from movierec.policy import PolicyError, load_policy
from tests.factories import UserFactory
from tests.mlops.conftest import use_policy
from tests.mlops.site import make_snapshot, write_policy
from tests.processes import ROOT

SPACE = {"ease": {"regularization": {"low": 1, "high": 3000, "log": True}}}
QUICK = {"trials": 4, "random_trials": 2, "cuts": [0.6, 0.8], "spaces": SPACE}


@pytest.fixture
def site(rated_site, settings, tmp_path):
    """Without an MLflow that answers, which takes most of the time; the tests of its mirror have one."""
    configure(settings, tmp_path)
    settings.MLFLOW_TRACKING_URI = "http://127.0.0.1:1"


def configure(settings, tmp_path, training=None, **tuning):
    """A regularisation of 3000 is far too much for the site: a search does better."""
    given = {"parameters": {"ease": {"regularization": 3000}}} | (training or {})
    use_policy(settings, write_policy(tmp_path / "config.yaml", training=given, tuning=QUICK | tuning))


def scores(study):
    return [(trial.number, trial.status, trial.ndcg) for trial in study.trials.all()]


def made_study() -> TuningStudy:
    """As a search leaves it: the second of its trials is the best."""
    study = TuningStudy.objects.create(
        algorithm="ease", snapshot=make_snapshot(), space=SPACE["ease"], recipe="0" * 64, n_trials=2
    )
    for number, (regularization, ndcg) in enumerate([(3000.0, 0.1), (9.0, 0.2), (40.0, 0.3)]):
        study.trials.create(
            number=number, status="finished", parameters={"regularization": regularization}, ndcg=ndcg, seconds=1
        )
    return study


@pytest.fixture
def interrupted(site, monkeypatch):
    """A search that ended by Ctrl-C in the middle of its third trial; lets the next one go on."""
    fit_and_evaluate = studies.fit_and_evaluate

    def evaluate(*args):
        if TuningTrial.objects.count() == 2:
            raise KeyboardInterrupt
        return fit_and_evaluate(*args)

    monkeypatch.setattr(search, "fit_and_evaluate", evaluate)
    with pytest.raises(KeyboardInterrupt):
        tune()
    monkeypatch.setattr(search, "fit_and_evaluate", fit_and_evaluate)
    return TuningStudy.objects.get()


def test_a_search_finds_better_parameters_and_the_difference(site):
    study = tune()

    assert [trial.number for trial in study.trials.all()] == [0, 1, 2, 3, 4]
    assert study.best.number > 0
    assert study.best.parameters["regularization"] < 1000
    assert study.best.ndcg > study.trials.get(number=0).ndcg
    assert study.difference["low"] > 0
    assert study.difference["n_users"] > 20
    assert study.ended_at is not None


def test_trials_use_only_data_before_the_first_cut_of_the_gate(site, settings):
    study = tune(n_trials=1)

    seen = studies.later_data(study.snapshot)
    moments = list(Rating.objects.order_by("rated_at").values_list("rated_at", flat=True))
    first_of_gate = moments[int(settings.POLICY.evaluation.cuts[0] * len(moments))]
    assert len(seen) == 2
    assert max(cut.split.test["rated_at"].max() for cut in seen) < first_of_gate


def test_trials_that_do_badly_at_the_first_cut_are_stopped_there(site, settings, tmp_path):
    configure(settings, tmp_path, keep_share=0.01, trials=6)

    study = tune()

    stopped = study.trials.filter(status="stopped")
    assert stopped.exists()
    assert {len(trial.scores) for trial in stopped} == {1}
    best_first = max(trial.scores[0] for trial in study.trials.exclude(number=0))
    assert {trial.scores[0] < best_first for trial in stopped} == {True}
    assert study.best.status == "finished"


def test_a_stopped_search_goes_on_with_its_own_data_and_trials(interrupted):
    assert (interrupted.trials.count(), interrupted.ended_at) == (2, None)
    before = scores(interrupted)
    Rating.objects.first().delete()

    study = tune()

    assert study == interrupted
    assert scores(study)[:2] == before
    assert [trial.number for trial in study.trials.all()] == [0, 1, 2, 3, 4]
    assert DatasetSnapshot.objects.count() == 1


def test_a_restart_begins_anew_on_new_data(interrupted):
    Rating.objects.first().delete()

    study = tune(restart=True, n_trials=1)

    interrupted.refresh_from_db()
    assert study != interrupted
    assert interrupted.ended_at is not None
    assert study.snapshot != interrupted.snapshot


def test_retention_keeps_the_data_of_a_stopped_search(interrupted, settings):
    for number in range(settings.POLICY.retention.snapshots):
        DatasetSnapshot.objects.create(
            content_hash=f"{number:064d}", folder=str(number), n_ratings=1, n_users=1, n_movies=1, size_bytes=1
        )

    prune()

    interrupted.snapshot.refresh_from_db()
    assert interrupted.snapshot.removed_at is None


def test_the_same_search_tries_the_same_and_finds_the_same(site):
    first, second = tune(n_trials=3), tune(n_trials=3, restart=True)

    assert first != second
    assert [trial.parameters for trial in first.trials.all()] == [trial.parameters for trial in second.trials.all()]
    assert scores(first) == scores(second)


def test_two_processes_do_not_work_on_one_search(interrupted, monkeypatch):
    def save(self, *args, **kwargs):
        raise IntegrityError("the number is taken")

    monkeypatch.setattr(TuningTrial, "save", save)

    with pytest.raises(SearchRunsElsewhere, match="Another process"):
        tune()


def test_a_trial_whose_fit_fails_is_kept_and_the_search_goes_on(site, monkeypatch):
    fit_and_evaluate = studies.fit_and_evaluate

    def evaluate(cut, algorithm, parameters):
        if TuningTrial.objects.count() == 1:
            raise ValueError("regularization: too small")
        return fit_and_evaluate(cut, algorithm, parameters)

    monkeypatch.setattr(search, "fit_and_evaluate", evaluate)

    study = tune()

    failed = study.trials.get(status="failed")
    assert (failed.number, failed.details, failed.ndcg) == (1, {"error": "regularization: too small"}, None)
    assert study.trials.count() == 5


@pytest.mark.parametrize("details", [{}, {"error": ""}, {"error": "too small"}])
def test_a_failed_trial_is_shown_whatever_is_known_of_it(client, sam, details):
    study = TuningStudy.objects.create(algorithm="ease", snapshot=make_snapshot(), space={}, n_trials=1)
    study.trials.create(number=1, status="failed", parameters={}, seconds=1, details=details)
    client.force_login(sam)

    assert client.get(f"/admin/mlops/tuningstudy/{study.pk}/change/").status_code == 200
    assert client.get("/mlops/").status_code == 200


def test_each_trial_is_a_nested_run_in_mlflow(site, settings, mlflow_store):
    settings.MLFLOW_TRACKING_URI = mlflow_store
    study = tune(n_trials=2)

    mlflow.set_tracking_uri(mlflow_store)
    client = mlflow.MlflowClient()
    study.refresh_from_db()
    parent = client.get_run(study.mlflow_run_id)
    assert parent.data.metrics["against/present/mean"] == study.difference["mean"]
    assert parent.info.status == "FINISHED"
    experiment = parent.info.experiment_id
    nested = client.search_runs([experiment], f"tags.mlflow.parentRunId = '{study.mlflow_run_id}'")
    assert len(nested) == 3
    best = client.get_run(study.best.mlflow_run_id)
    assert best.data.metrics["ndcg"] == study.best.ndcg
    assert float(best.data.params["regularization"]) == study.best.parameters["regularization"]


def test_a_search_is_not_lost_while_mlflow_is_down(site, settings, mlflow_store):
    study = tune(n_trials=1)
    study.refresh_from_db()
    assert (study.mlflow_run_id, study.ended_at is None) == ("", False)
    settings.MLFLOW_TRACKING_URI = mlflow_store

    sync_registry()

    study.refresh_from_db()
    assert study.mlflow_run_id
    assert not study.trials.filter(mlflow_run_id="").exists()


@pytest.mark.wording
def test_trainings_use_parameters_while_they_are_adopted(site, settings):
    study = made_study()
    settings.POLICY = settings.POLICY.model_copy(
        update={"training": settings.POLICY.training.model_copy(update={"parameters": {}})}
    )
    found = {"regularization": 40.0}

    def next_parameters():
        run = start_training(trigger="command")
        parameters = run.parameters
        run.delete()
        return parameters

    assert next_parameters() == {}
    choice = adopt_parameters(study=study.pk)
    assert next_parameters() == found
    run_training(run_id=start_training(trigger="command").pk)
    assert ModelVersion.objects.get().parameters == found
    withdraw_parameters(choice=choice.pk)
    assert next_parameters() == {}
    with pytest.raises(NothingToAdopt, match="not in force"):
        withdraw_parameters(choice=choice.pk)


def test_a_value_in_the_policy_counts_more_than_an_adopted_one(db, settings, tmp_path):
    configure(settings, tmp_path)
    adopt_parameters(study=made_study().pk)

    assert start_training(trigger="command").parameters == {"regularization": 3000}


def test_the_latest_choice_takes_the_place_of_the_one_before(db):
    study = made_study()
    first, second = adopt_parameters(study=study.pk), adopt_parameters(study=study.pk)

    first.refresh_from_db()
    assert first.withdrawn_at is not None
    assert ParameterChoice.in_force("ease") == second


def test_the_default_search_spaces_fit_the_algorithms():
    spaces = load_policy(ROOT / "config.yaml").tuning.spaces

    assert "hybrid" in spaces
    for algorithm, space in spaces.items():
        found = distributions(algorithm, {name: search.model_dump(mode="json") for name, search in space.items()})
        assert list(found) == list(space)


@pytest.mark.parametrize(
    ("search", "message"),
    [
        ({}, "low and high, or choices"),
        ({"low": 1}, "low must be below high"),
        ({"low": 2, "high": 1}, "low must be below high"),
        ({"low": 0, "high": 1, "log": True}, "low must be above 0"),
        ({"low": 0, "high": 1, "choices": [1, 2]}, "low and high, or choices"),
    ],
)
def test_an_invalid_search_range_is_refused_at_start(tmp_path, search, message):
    path = write_policy(tmp_path / "config.yaml", tuning={"spaces": {"ease": {"regularization": search}}})

    with pytest.raises(PolicyError, match=f"tuning.spaces.ease.regularization: .*{message}"):
        load_policy(path)


@pytest.mark.parametrize(
    ("space", "message"),
    [
        ({"ease": {"magic": {"low": 1, "high": 2}}}, "tuning.spaces.ease.magic: there is no such hyper-parameter"),
        ({"ease": {"regularization": {"low": -1, "high": 2}}}, "tuning.spaces.ease.regularization: .*above 0"),
    ],
)
def test_a_space_that_the_algorithm_does_not_have_is_refused(db, settings, tmp_path, space, message):
    configure(settings, tmp_path, spaces=space)

    with pytest.raises(InvalidSpace, match=message):
        tune()
    assert not TuningStudy.objects.exists()


def test_an_algorithm_without_a_space_is_refused(db):
    with pytest.raises(InvalidSpace, match="has no ranges for rp3beta"):
        tune(algorithm="rp3beta")
    assert not TuningStudy.objects.exists()


@pytest.mark.wording
def test_tune_model_prints_what_was_tried_and_adopts_on_request(site):
    out = StringIO()
    call_command("tune_model", "--trials", "3", "--adopt", stdout=out)

    study = TuningStudy.objects.get()
    text = out.getvalue()
    assert "used now   finished" in text
    assert f"trial {study.best.number} is the best" in text
    assert f"regularization: {study.best.parameters['regularization']}" in text
    assert ParameterChoice.in_force("ease").trial == study.best
    with pytest.raises(CommandError, match="Unknown algorithm 'magic'"):
        call_command("tune_model", "--algorithm", "magic")
    with pytest.raises(CommandError, match="expected a whole number"):
        call_command("tune_model", "--trials", "0")


def test_tune_model_says_where_there_is_nothing_to_judge_by(quick, transactional_db, alice):
    with pytest.raises(CommandError, match="no later data to evaluate a search on"):
        call_command("tune_model")


@pytest.mark.wording
def test_what_is_used_already_can_not_be_adopted(db):
    study = made_study()
    study.trials.exclude(number=0).delete()

    with pytest.raises(NothingToAdopt, match="no better parameters"):
        adopt_parameters(study=study.pk)
    with pytest.raises(NothingToAdopt, match="no completed trials"):
        adopt_parameters(study=study.pk + 1)


@pytest.mark.wording
def test_staff_adopt_and_withdraw_in_the_admin(client, sam):
    study = made_study()
    client.force_login(sam)
    page = client.get(reverse("admin:mlops_tuningstudy_change", args=[study.pk])).content.decode()
    assert f"Adopt trial {study.best.number}" in page
    assert ">current<" in page

    page = client.post(reverse("admin:mlops_tuningstudy_adopt", args=[study.pk]), follow=True).content.decode()

    choice = ParameterChoice.in_force("ease")
    assert (choice.adopted_by, "The next training will use it" in page) == (sam, True)
    page = client.get(reverse("admin:mlops_parameterchoice_change", args=[choice.pk])).content.decode()
    assert "Withdraw" in page
    client.post(reverse("admin:mlops_parameterchoice_withdraw", args=[choice.pk]))
    choice.refresh_from_db()
    assert choice.withdrawn_by == sam


def test_those_who_may_only_look_can_not_adopt(db, client):
    study = made_study()
    onlooker = UserFactory(is_staff=True)
    onlooker.user_permissions.set(Permission.objects.filter(codename__in=["view_tuningstudy"]))
    client.force_login(onlooker)

    assert client.get(reverse("admin:mlops_tuningstudy_changelist")).status_code == 200
    assert "Adopt" not in client.get(reverse("admin:mlops_tuningstudy_change", args=[study.pk])).content.decode()
    assert client.post(reverse("admin:mlops_tuningstudy_adopt", args=[study.pk])).status_code == 403
    assert not ParameterChoice.objects.exists()
