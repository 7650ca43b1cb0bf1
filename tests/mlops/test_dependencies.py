"""Checks of the site's dependencies. A change opens an alert."""

from typing import Any

import pytest
from django.core.management import call_command

from mlops.evaluation.lineage import library_versions
from mlops.models import Alert, Dependency, TestEvidence
from mlops.monitoring.codes import DependencyCode, Message
from mlops.services import check_dependencies, promote
from mlops.tasks import check_dependencies as check_task
from tests.mlops.site import make_version
from tests.tmdb_fixtures import tmdb, tmdb_policy
from tests.tmdb_stand_in import Answer, document

__all__ = ["tmdb", "tmdb_policy"]

pytestmark = [pytest.mark.django_db, pytest.mark.ml_test("Mo1")]


@pytest.fixture
def provider(tmdb):
    tmdb.movies[603] = document(603)
    return tmdb


def open_alerts() -> dict[str, dict[str, Any]]:
    """By code: the finding of each open alert."""
    return {alert.code: alert.findings[0] for alert in Alert.objects.filter(closed_at=None)}


def test_without_changes_there_is_no_alert(provider, capsys):
    call_command("check_dependencies")
    call_command("check_dependencies")

    assert open_alerts() == {}
    assert TestEvidence.objects.get(test="Mo1").passed
    by_web_processes = {DependencyCode.CHAMPION_FILES, DependencyCode.COUNTER, DependencyCode.DISK}
    checked = [code.label for code in DependencyCode if code not in by_web_processes]
    assert [line.partition(":")[0] for line in capsys.readouterr().out.splitlines()][:3] == checked


def test_changed_configuration_is_an_alert_once(provider):
    check_task()
    provider.configuration = provider.configuration | {"change_keys": ["everything"]}

    assert "change_keys" in check_task()[DependencyCode.TMDB]
    alert = open_alerts()[DependencyCode.TMDB]
    assert (alert["message"], alert["params"]) == (Message.TMDB_CONFIGURATION, {"keys": ["change_keys"]})
    assert Dependency.objects.get().state["change_keys"] == ["everything"]

    check_task()
    assert open_alerts() == {}


@pytest.mark.parametrize(
    ("path", "answer", "error"),
    [
        ("movie/603", Answer(body=document(603, genres="Drama")), "genres"),
        ("movie/603", Answer(404, {"status_code": 34}), "movie/603"),
        ("configuration", Answer(body=["images"]), "configuration"),
        ("configuration", Answer(401, {"status_code": 7, "status_message": "Invalid API key"}), "TMDB_READ_TOKEN"),
    ],
)
def test_unexpected_answer_is_an_alert(provider, path, answer, error):
    provider.answer_next(path, answer)

    check_task()

    assert error in open_alerts()[DependencyCode.TMDB]["params"]["error"]


def test_unreachable_provider_is_not_an_alert(provider):
    provider.answer_next("configuration", *[Answer(503)] * 6)

    findings = {finding.code: finding for finding in check_dependencies()}

    assert findings[DependencyCode.TMDB].message == Message.UNREACHABLE
    assert open_alerts() == {}
    assert not TestEvidence.objects.get(test="Mo1").passed


def test_libraries_other_than_the_champions_are_an_alert(alice, quick):
    version = make_version(libraries=library_versions() | {"numpy": "1.0.0"})
    promote(version=version.pk)

    check_task()

    changes = [f"numpy 1.0.0 -> {library_versions()['numpy']}"]
    alert = open_alerts()[DependencyCode.CHAMPION_LIBRARIES]
    assert alert["params"] == {"n": 1, "changes": changes, "version": version.pk}


def test_libraries_other_than_the_pinned_are_an_alert(settings, tmp_path):
    pins = "".join(f"no-such-package{n}==2.0\n" for n in range(6))
    (tmp_path / "requirements-web.txt").write_text("numpy==1.0.0  # arrays\n")
    (tmp_path / "requirements.txt").write_text(f"-r requirements-web.txt\n{pins}# a comment\n")
    settings.BASE_DIR = tmp_path

    check_task()

    params = open_alerts()[DependencyCode.PINNED_LIBRARIES]["params"]
    assert params["n"] == 7
    assert params["changes"][0].startswith("numpy 1.0.0 -> ")
    assert params["changes"][1:] == [f"no-such-package{n} 2.0 -> none" for n in range(4)]
