"""Checks the site's dependencies: installed libraries, TMDB and MLflow. A change opens an alert.

Libraries are compared with requirements.txt and with those that trained the champion. TMDB's configuration is compared
with its last known state, and its response for one movie with the expected fields. MLflow is synchronized with our
rows.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils import timezone

from catalog.errors import ProviderError, ProviderUnavailable
from catalog.providers.tmdb import connect
from catalog.site_settings import tmdb_read_token
from mlops.data.evidence import record
from mlops.errors import MirrorIncomplete
from mlops.evaluation.lineage import library_versions
from mlops.findings import Finding, Outcome, describe_all
from mlops.models import Dependency, ModelVersion, TestEvidence
from mlops.monitoring.alerts import alert_on, set_alert
from mlops.monitoring.codes import AlertCode, DependencyCode, EvidenceCode, Message
from mlops.registry import mlflow_reconcile

PROBED_MOVIE = 603  # TMDB id of The Matrix, which TMDB will not remove
PIN = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;#]+)")
CHANGES_SHOWN = 5


def check_dependencies() -> list[Finding]:
    """Runs the checks, updates alerts of reachable dependencies and records evidence. Returns the findings."""
    findings = [_champion_libraries(), _pinned_libraries()]
    if tmdb_read_token():
        findings.append(_tmdb())
    for finding in findings:
        if is_reachable(finding):
            alert_on(finding)
    outcome = Outcome.OK if all(is_reachable(finding) for finding in findings) else Outcome.INSUFFICIENT_DATA
    record("Mo1", TestEvidence.Source.BEAT, Finding(EvidenceCode.DEPENDENCIES, outcome), *findings)
    return findings


def sync_registry() -> dict[str, int]:
    """Mirrors missing versions and searches to MLflow, and updates tags, aliases and the alert. Returns the number
    logged.

    Raises MirrorBusy at once if another process writes to MLflow. Raises MirrorIncomplete at the end if some entries
    failed.
    """
    report = mlflow_reconcile.sync_registry()
    set_alert(AlertCode.MLFLOW, *report.findings)
    if report.failures:
        raise MirrorIncomplete(describe_all(report.failures))
    return {"logged": report.n_logged}


def is_reachable(finding: Finding) -> bool:
    return finding.outcome != Outcome.INSUFFICIENT_DATA


def _champion_libraries() -> Finding:
    champion = ModelVersion.champion()
    before = champion.libraries if champion else {}
    now = library_versions()
    changes = _changes({name: before[name] for name in before if name in now}, now)
    return _of_libraries(DependencyCode.CHAMPION_LIBRARIES, changes, version=champion.pk if champion else None)


def _pinned_libraries() -> Finding:
    pins = _pins_in(settings.BASE_DIR / "requirements.txt")
    return _of_libraries(DependencyCode.PINNED_LIBRARIES, _changes(pins, library_versions(pins)))


def _pins_in(path: Path) -> dict[str, str]:
    """Returns the pinned versions, keyed by name. Follows included files (`-r FILE`)."""
    pins: dict[str, str] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("-r "):
            pins |= _pins_in(path.with_name(line.removeprefix("-r ").strip()))
        elif match := PIN.match(line):
            pins[match[1]] = match[2]
    return pins


def _changes(before: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    changed = [(name, version) for name, version in before.items() if now.get(name) != version]
    return [f"{name} {version} -> {now.get(name, 'none')}" for name, version in changed]


def _of_libraries(code: DependencyCode, changes: list[str], **params: Any) -> Finding:
    if not changes:
        return Finding(code, Outcome.OK, message=Message.UNCHANGED)
    return Finding(code, Outcome.ALERT, params={"n": len(changes), "changes": changes[:CHANGES_SHOWN], **params})


def _tmdb() -> Finding:
    """Checks TMDB. An undocumented response or a rejected token opens an alert. An outage does not."""
    code = DependencyCode.TMDB
    try:
        with connect() as tmdb:
            now = tmdb.configuration()
            ignored = tmdb.movie(PROBED_MOVIE).document.ignored
    except ProviderUnavailable:
        return Finding(code, Outcome.INSUFFICIENT_DATA, message=Message.UNREACHABLE)
    except ProviderError as error:
        return Finding(code, Outcome.ALERT, params={"error": str(error)})
    if ignored:
        return Finding(code, Outcome.ALERT, params={"error": "; ".join(ignored)})
    if keys := _changed_keys("TMDB", now):
        return Finding(code, Outcome.ALERT, params={"keys": keys}, message=Message.TMDB_CONFIGURATION)
    return Finding(code, Outcome.OK, message=Message.UNCHANGED)


def _changed_keys(name: str, now: dict[str, Any]) -> list[str]:
    """Returns the keys whose values differ from the last known state. Stores the new state."""
    moment = timezone.now()
    row, is_new = Dependency.objects.get_or_create(name=name, defaults={"state": now})
    changed = sorted(key for key in {*row.state, *now} if row.state.get(key) != now.get(key))
    values = {"seen_at": moment} | ({"state": now, "changed_at": moment} if changed and not is_new else {})
    Dependency.objects.filter(pk=row.pk).update(**values)
    return changed
