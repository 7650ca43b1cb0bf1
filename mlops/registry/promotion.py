"""Promotion and rollback. Only this module changes which version is the champion.

The version's row, the audit trail and the pointer that web processes follow change in one transaction. The files are
verified before the transaction, so that it holds no locks while hundreds of MB are read. MLflow's aliases are updated
later.
"""

import logging
from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from catalog.jobs.messages import send
from catalog.models import User
from mlops.errors import NothingToRollBackTo, NotPromotable, NotRefusable, ReasonRequired, VersionNotFound
from mlops.findings import Finding
from mlops.models import GateDecision, ModelVersion, Promotion
from mlops.registry.artifacts import require_artifact
from recommender.services import activate

logger = logging.getLogger(__name__)

Status, Kind = ModelVersion.Status, Promotion.Kind
SYNC_TASK, PUSH_TASK = "mlops.sync_registry", "mlops.push_data"


def promote(
    *, version: int, by: User | None = None, kind: str = Kind.PROMOTED, reason: str = "", force: bool = False
) -> Promotion:
    """Makes the version the champion. Requires `force` and a reason if the version did not pass the gate.

    Raises VersionNotFound, NotPromotable, ReasonRequired, ArtifactNotAvailable.
    """
    row = get_version(version)
    if not force:
        _require_passed(row)
    elif not reason.strip():
        raise ReasonRequired(_("Give a reason for promoting a model that did not pass the gate."))
    return _make_champion(row, promoted_by=by, kind=Kind.FORCED if force else kind, reason=reason.strip())


def roll_back(
    *,
    to: int | None = None,
    by: User | None = None,
    reason: str = "",
    kind: str = Kind.ROLLED_BACK,
    replacing: int | None = None,
    findings: Sequence[Finding] = (),
) -> Promotion:
    """Restores the previous champion, or the former champion `to`.

    With `replacing`, does so only if that version is still the champion. `findings` are the reasons of an automatic
    rollback. Raises NothingToRollBackTo, VersionNotFound, NotPromotable, ArtifactNotAvailable.
    """
    row = predecessor_of_champion() if to is None else get_version(to)
    if row is None:
        raise NothingToRollBackTo(_("No earlier champion is available."))
    if row.status not in (Status.FORMER, Status.CHAMPION):
        raise NotPromotable(_("Version {version} was never the champion. Promote it instead.").format(version=row.pk))
    trail = {"kind": kind, "reason": reason.strip(), "findings": [finding.to_dict() for finding in findings]}
    return _make_champion(row, replacing=replacing, promoted_by=by, **trail)


def predecessor_of_champion() -> ModelVersion | None:
    """Returns the version that `roll_back` would restore, or None.

    Follows the audit trail back from the champion. Skips rollbacks and versions whose files were removed.
    """
    current = ModelVersion.champion()
    visited: set[int] = set()
    while current is not None and current.pk not in visited:
        if visited and current.artifact_removed_at is None:
            return current
        visited.add(current.pk)
        came = Promotion.objects.filter(version=current).exclude(kind__in=Promotion.ROLL_BACKS).first()
        current = came.previous if came else None
    return None


def refuse(*, version: int, by: User, reason: str) -> GateDecision:
    """Records that a person refuses a candidate. Afterwards, it can only be promoted with `force`.

    Raises VersionNotFound, ReasonRequired, NotRefusable.
    """
    if not reason.strip():
        raise ReasonRequired(_("Give a reason for rejecting the model."))
    row = get_version(version)
    with transaction.atomic():
        refused = ModelVersion.objects.filter(pk=row.pk, status=Status.CANDIDATE).update(status=Status.REFUSED)
        if not refused:
            text = _("Version {version} is not a candidate ({status}).")
            raise NotRefusable(text.format(version=version, status=row.get_status_display()))
        last = GateDecision.objects.filter(version=row).first()
        decision = GateDecision.objects.create(
            version=row,
            champion=last.champion if last else None,
            outcome=GateDecision.Outcome.REFUSED,
            rules=last.rules if last else [],
            decided_by=by,
            reason=reason.strip(),
        )
        transaction.on_commit(_ask_for_sync)
    logger.info("version %s was refused by a person", version)
    return decision


def get_version(pk: int) -> ModelVersion:
    row = ModelVersion.objects.filter(pk=pk).first()
    if row is None:
        raise VersionNotFound(_("Model version {version} does not exist.").format(version=pk))
    return row


def _require_passed(version: ModelVersion) -> None:
    if version.status == Status.FORMER:
        return  # it has been live before, so `promote` may restore it as `roll_back` does
    decision = GateDecision.objects.filter(version=version).first()
    if decision is None:
        raise NotPromotable(_("The gate has not decided about version {version} yet.").format(version=version.pk))
    if decision.outcome != GateDecision.Outcome.PASSED:
        text, outcome = _("Version {version} did not pass the gate ({outcome})."), decision.get_outcome_display()
        raise NotPromotable(f"{text.format(version=version.pk, outcome=outcome)} {decision.sentence}")


def _make_champion(version: ModelVersion, *, replacing: int | None = None, **trail: Any) -> Promotion:
    """Makes the version the champion and returns the promotion's row. `trail` holds the row's other fields."""
    require_artifact(version)
    with transaction.atomic():
        # All processes lock the rows in order of their keys, which prevents deadlocks.
        rows = ModelVersion.objects.select_for_update().filter(Q(status=Status.CHAMPION) | Q(pk=version.pk))
        locked = {row.pk: row for row in rows.order_by("pk")}
        previous = next((row for row in locked.values() if row.status == Status.CHAMPION), None)
        if previous == version:
            raise NotPromotable(_("Version {version} is already the champion.").format(version=version.pk))
        if replacing is not None and (previous is None or previous.pk != replacing):
            raise NotPromotable(_("Version {version} is no longer the champion.").format(version=replacing))
        if locked[version.pk].artifact_removed_at:
            text = _("Retention has just removed the files of version {version}.")
            raise NotPromotable(text.format(version=version.pk))
        ModelVersion.objects.filter(status=Status.CHAMPION).update(status=Status.FORMER)
        ModelVersion.objects.filter(pk=version.pk).update(status=Status.CHAMPION)
        promotion = Promotion.objects.create(version=version, previous=previous, **trail)
        activate(
            version=version.pk,
            algorithm=version.algorithm,
            artifact=version.artifact,
            checksum=version.artifact_checksum,
        )
        transaction.on_commit(_ask_to_push)
        if promotion.kind != Kind.AUTOMATIC:  # a training mirrors its version itself
            transaction.on_commit(_ask_for_sync)
    version.refresh_from_db()
    logger.info("version %s is the champion (%s)", version.pk, promotion.kind)
    return promotion


def _ask_to_push() -> None:
    """Requests a push to the model store, from which other hosts fetch the champion."""
    if settings.MODEL_STORE:
        send(PUSH_TASK, queue="default", expires=3600)  # if the broker refuses the message, Beat pushes later


def _ask_for_sync() -> None:
    send(SYNC_TASK, queue="default", expires=3600)  # if the broker refuses the message, Beat syncs later
