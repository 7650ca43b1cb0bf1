"""Searches for hyper-parameters with optuna. Trials are evaluated on later data that the gate never uses.

The trials' rows are the source of truth. Optuna's study is built from them in memory, so that a killed search continues
after its last finished trial and the admin shows all trials. Early stopping is asynchronous successive halving over the
cuts (Li et al., "A System for Massively Parallel Hyperparameter Tuning", 2020).
"""

from collections.abc import Callable, Mapping
from time import perf_counter
from typing import Any

import optuna
from django.conf import settings
from django.db import IntegrityError
from django.utils import timezone
from optuna.trial import TrialState, create_trial
from threadpoolctl import threadpool_limits

from mlops.errors import SearchRunsElsewhere, StepFailed
from mlops.evaluation.comparison import fit_and_evaluate
from mlops.evaluation.lineage import fitting_threads
from mlops.evaluation.open_parameters import complete
from mlops.evaluation.parameters import from_json, to_json
from mlops.models import TuningStudy, TuningTrial
from mlops.registry.mlflow_sync import mirror
from mlops.tuning.studies import CANDIDATE, PRESENT, distributions, gain, later_data, open_study
from recommender.evaluation.comparison import pool

OnTrial = Callable[[TuningStudy, TuningTrial], None]
Status = TuningTrial.Status
STATES = {Status.FINISHED: TrialState.COMPLETE, Status.STOPPED: TrialState.PRUNED, Status.FAILED: TrialState.FAIL}


def tune(
    *,
    algorithm: str | None = None,
    n_trials: int | None = None,
    snapshot: str | None = None,
    restart: bool = False,
    on_trial: OnTrial | None = None,
) -> TuningStudy:
    """Runs a search and returns its study. Continues an interrupted search unless `restart` is set.

    Raises UnknownAlgorithm, InvalidSpace, SnapshotNotAvailable, StepFailed, SearchRunsElsewhere.
    """
    study = open_study(algorithm=algorithm, n_trials=n_trials, snapshot=snapshot, restart=restart)
    with threadpool_limits(limits=fitting_threads(), user_api="blas"):
        Search(study, on_trial).run()
    return study


class Search:
    def __init__(self, study: TuningStudy, on_trial: OnTrial | None) -> None:
        self.study = study
        self.on_trial = on_trial
        self.space = distributions(study.algorithm, study.space)
        self.cuts = later_data(study.snapshot)
        self.proposals = self._proposals()
        self.is_mirrored = True

    def run(self) -> None:
        first = self.study.trials.count()
        for trial in self.study.trials.all():
            self._report(trial)
        for number in range(first, self.study.n_trials + 1):
            self._report(self._present() if number == 0 else self._propose(number))
        self._end()

    def _proposals(self) -> optuna.Study:
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        done = self.study.trials.count()
        sampler = optuna.samplers.TPESampler(
            seed=settings.POLICY.training.random_state + done,  # so that a resumed search draws new values
            n_startup_trials=settings.POLICY.tuning.random_trials,
            multivariate=True,
        )
        proposals = optuna.create_study(direction="maximize", sampler=sampler)
        for trial in self.study.trials.exclude(number=0):
            proposals.add_trial(self._optuna_trial(trial))
        return proposals

    def _optuna_trial(self, trial: TuningTrial) -> Any:
        """Converts the trial to an optuna trial. A trial that was stopped early has its scores so far."""
        return create_trial(
            state=STATES[Status(trial.status)],
            value=trial.ndcg if trial.status == Status.FINISHED else None,
            params={name: trial.parameters[name] for name in self.space},
            distributions=self.space,
            intermediate_values=dict(enumerate(trial.scores)),
        )

    def _present(self) -> TuningTrial:
        """Evaluates the current parameters on all cuts. A candidate must beat this score.

        Open parameters are chosen once, on the data before the first cut, and are the same in all trials.
        """
        try:
            used = complete(self.study.algorithm, from_json(self.study.given), lambda: self.cuts[0].dataset)
        except ValueError as error:
            raise StepFailed(f"The current parameters cannot be fitted: {error}") from error
        return self._try(0, used, may_stop=False)

    def _propose(self, number: int) -> TuningTrial:
        proposed = self.proposals.ask(self.space)
        used = self.study.trials.get(number=0).parameters
        trial = self._try(number, used | proposed.params, may_stop=True)
        for place, score in enumerate(trial.scores):
            proposed.report(score, place)
        value = trial.ndcg if trial.status == Status.FINISHED else None
        self.proposals.tell(proposed, value, state=STATES[Status(trial.status)])
        return trial

    def _try(self, number: int, parameters: Mapping[str, Any], *, may_stop: bool) -> TuningTrial:
        trial = TuningTrial(study=self.study, number=number, parameters=to_json(parameters), status=Status.FINISHED)
        started = perf_counter()
        try:
            self._evaluate(trial, may_stop)
        except (ValueError, FloatingPointError) as error:
            trial.status, trial.details = Status.FAILED, {"error": str(error)}
            if number == 0:
                raise StepFailed(f"The current parameters cannot be evaluated: {error}") from error
        trial.seconds = perf_counter() - started
        try:
            trial.save()
        except IntegrityError:
            raise SearchRunsElsewhere(f"Another process works on {self.study}.") from None
        return trial

    def _evaluate(self, trial: TuningTrial, may_stop: bool) -> None:
        parameters = from_json(trial.parameters)
        found = []
        for place, cut in enumerate(self.cuts):
            found.append(fit_and_evaluate(cut, self.study.algorithm, parameters))
            trial.scores.append(float(found[-1].summary()["ndcg"]))
            is_last = place == len(self.cuts) - 1
            if may_stop and not is_last and not self._is_promising(trial.scores[-1], place):
                trial.status = Status.STOPPED
                break
        trial.ndcg = float(pool(found).summary()["ndcg"])

    def _is_promising(self, score: float, place: int) -> bool:
        """Returns whether the score is in the top `keep_share` of all trials at this cut, including this one."""
        proposed = self.study.trials.exclude(number=0).values_list("scores", flat=True)
        others = [scores[place] for scores in proposed if len(scores) > place]
        better = sum(other > score for other in others)
        return better < max(settings.POLICY.tuning.keep_share * (len(others) + 1), 1)

    def _end(self) -> None:
        """Compares the best trial with the current parameters, paired by user, and ends the search.

        The score of the best of many trials is biased upwards, so the interval is needed.
        """
        best, present = self.study.best, self.study.trials.get(number=0)
        if best is not None and best.number and self.study.difference is None:
            both = {CANDIDATE: from_json(best.parameters), PRESENT: from_json(present.parameters)}
            self.study.difference = gain(self.cuts, self.study.algorithm, both)
        self.study.ended_at = timezone.now()
        self.study.save(update_fields=["difference", "ended_at"])
        self.is_mirrored = self.is_mirrored and mirror(self.study)

    def _report(self, trial: TuningTrial) -> None:
        # If MLflow is down, one attempt per search is enough; `sync_registry` catches up later.
        self.is_mirrored = self.is_mirrored and mirror(self.study)
        if self.on_trial is not None:
            self.on_trial(self.study, trial)
