"""What the site relies on and does not make itself: does it still look as it did? What changed raises an alert.

Libraries are held against those the champion learnt with and against what requirements.txt pins; TMDB, where the site
reads it, against what its configuration said before, and against the shape of a movie as this site reads it.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import metadata
from typing import Any

from django.conf import settings
from django.utils import timezone

from catalog.errors import ProviderError, ProviderUnavailable
from catalog.providers.tmdb import connect
from mlops.data.evidence import record
from mlops.evaluation.lineage import library_versions
from mlops.models import Dependency, Evidence, ModelVersion
from mlops.monitoring.alerts import set_alert

PROBED_MOVIE = 603  # one that TMDB will not remove
PIN = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;#]+)")
CHANGES_SHOWN = 5


@dataclass(frozen=True)
class DependencyCheck:
    """`change` in a sentence, empty where nothing changed. `is_reachable` is false where nobody answered."""

    name: str
    change: str = ""
    is_reachable: bool = True


def check_dependencies() -> list[DependencyCheck]:
    """Opens and closes an alert for each, and keeps as evidence that it was looked."""
    checks = [_champions_libraries(), _pinned_libraries()]
    if settings.TMDB_READ_TOKEN:
        checks.append(_tmdb())
    for check in checks:
        if check.is_reachable:
            set_alert(f"dependency: {check.name}", check.change)
    unseen = [check.name for check in checks if not check.is_reachable]
    changed = [f"{check.name}: {check.change}" for check in checks if check.change]
    said = [f"no answer of {name}" for name in unseen] + changed
    detail = "; ".join(said) or f"{', '.join(check.name for check in checks)} are as they were"
    record("Mo1", Evidence.Source.BEAT, "dependencies are looked at", passed=not unseen, detail=detail)
    return checks


def _champions_libraries() -> DependencyCheck:
    champion = ModelVersion.objects.filter(status=ModelVersion.Status.CHAMPION).first()
    before = champion.libraries if champion else {}
    now = library_versions()
    changes = _changes({name: before[name] for name in before if name in now}, now)
    said = f"version {champion.pk} learnt with others: {changes}" if champion and changes else ""
    return DependencyCheck("the champion's libraries", said)


def _pinned_libraries() -> DependencyCheck:
    path = settings.BASE_DIR / "requirements.txt"
    lines = path.read_text(encoding="utf-8").splitlines()
    pins = {match[1]: match[2] for line in lines if (match := PIN.match(line))}
    found = {name: version for name in pins if (version := _installed(name)) is not None}
    changes = _changes(pins, found)
    return DependencyCheck(
        "pinned libraries", f"others are installed than requirements.txt pins: {changes}" if changes else ""
    )


def _installed(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _tmdb() -> DependencyCheck:
    """An answer that cannot be read, or a token that is refused, is a change too; no answer is none."""
    try:
        with connect() as tmdb:
            now = tmdb.configuration()
            tmdb.movie(PROBED_MOVIE)
    except ProviderUnavailable:
        return DependencyCheck("TMDB", is_reachable=False)
    except ProviderError as error:
        return DependencyCheck("TMDB", str(error))
    return DependencyCheck("TMDB", _change_of("TMDB", now))


def _change_of(name: str, now: dict[str, Any]) -> str:
    """Against what was seen last, which this becomes."""
    moment = timezone.now()
    row, is_new = Dependency.objects.get_or_create(name=name, defaults={"state": now})
    changed = sorted(key for key in {*row.state, *now} if row.state.get(key) != now.get(key))
    values = {"seen_at": moment} | ({"state": now, "changed_at": moment} if changed and not is_new else {})
    Dependency.objects.filter(pk=row.pk).update(**values)
    return f"its configuration changed: {', '.join(changed)}" if changed else ""


def _changes(before: Mapping[str, str], now: Mapping[str, str]) -> str:
    found = list(_each_change(before, now))
    more = f" and {len(found) - CHANGES_SHOWN} more" if len(found) > CHANGES_SHOWN else ""
    return ", ".join(found[:CHANGES_SHOWN]) + more


def _each_change(before: Mapping[str, str], now: Mapping[str, str]) -> Iterator[str]:
    for name, version in before.items():
        if name in now and now[name] != version:
            yield f"{name} {version} -> {now[name]}"
        elif name not in now:
            yield f"{name} {version} is gone"
