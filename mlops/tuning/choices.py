"""Adopts hyper-parameters for trainings and records who did so."""

from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from catalog.models import User
from mlops.errors import NothingToAdopt
from mlops.models import ParameterChoice, TuningStudy, TuningTrial


def parameters_in_force(algorithm: str) -> dict[str, Any]:
    """Returns the parameters of the next training: adopted ones, overridden by config.yaml."""
    choice = ParameterChoice.in_force(algorithm)
    return (choice.parameters if choice else {}) | settings.POLICY.training.parameters.get(algorithm, {})


def adopt_parameters(*, study: int, by: User | None = None) -> ParameterChoice:
    """Makes trainings use the study's best trial, and withdraws any earlier choice. Raises NothingToAdopt."""
    row = TuningStudy.objects.filter(pk=study).first()
    best = row.best if row else None
    if row is None or best is None:
        raise NothingToAdopt(_("Search {search} has no completed trials.").format(search=study))
    if best.number == 0:
        text = _("Search {search} found no better parameters than the current ones.")
        raise NothingToAdopt(text.format(search=study))
    with transaction.atomic():
        _withdraw(ParameterChoice.objects.select_for_update().filter(algorithm=row.algorithm), by)
        return ParameterChoice.objects.create(
            algorithm=row.algorithm, parameters=searched(best), trial=best, adopted_by=by
        )


def withdraw_parameters(*, choice: int, by: User | None = None) -> None:
    """Withdraws the choice, so that trainings tune parameters again. Raises NothingToAdopt if it is not in force."""
    if not _withdraw(ParameterChoice.objects.filter(pk=choice), by):
        raise NothingToAdopt(_("Choice {choice} is not in force.").format(choice=choice))


def _withdraw(choices: Any, by: User | None) -> int:
    found: int = choices.filter(withdrawn_at=None).update(withdrawn_at=timezone.now(), withdrawn_by=by)
    return found


def searched(trial: TuningTrial) -> dict[str, Any]:
    """Returns the trial's searched hyper-parameters. Trainings choose the others."""
    return {name: value for name, value in trial.parameters.items() if name in trial.study.space}
