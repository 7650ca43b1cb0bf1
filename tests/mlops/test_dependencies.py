"""What the site relies on is looked at daily; what changed there is told."""

import pytest
from django.core.management import call_command

from mlops.evaluation.lineage import library_versions
from mlops.models import Alert, Dependency, Evidence
from mlops.services import promote
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


def open_alerts() -> dict[str, str]:
    return dict(Alert.objects.filter(closed_at=None).values_list("subject", "message"))


def test_where_nothing_changed_nothing_is_told(provider, capsys):
    call_command("check_dependencies")
    call_command("check_dependencies")

    assert open_alerts() == {}
    assert Evidence.objects.get(test="Mo1").passed
    assert "TMDB: as it was" in capsys.readouterr().out


def test_a_changed_configuration_of_the_provider_is_told_until_it_is_known(provider):
    check_task()
    provider.configuration = provider.configuration | {"change_keys": ["everything"]}

    assert check_task()["TMDB"] == "its configuration changed: change_keys"
    assert open_alerts() == {"dependency: TMDB": "its configuration changed: change_keys"}
    assert Dependency.objects.get().state["change_keys"] == ["everything"]

    check_task()
    assert open_alerts() == {}


@pytest.mark.parametrize(
    ("path", "answer", "said"),
    [
        ("movie/603", Answer(body=document(603, genres="Drama")), "genres"),
        ("movie/603", Answer(404, {"status_code": 34}), "TMDB has no movie/603"),
        ("configuration", Answer(body=["images"]), "configuration is not what it was"),
        ("configuration", Answer(401, {"status_code": 7, "status_message": "Invalid API key"}), "TMDB_READ_TOKEN"),
    ],
)
def test_an_answer_of_another_shape_is_told(provider, path, answer, said):
    provider.answer_next(path, answer)

    check_task()

    assert said in open_alerts()["dependency: TMDB"]


def test_a_provider_that_does_not_answer_was_not_looked_at(provider):
    provider.answer_next("configuration", *[Answer(503)] * 6)

    check_task()

    assert open_alerts() == {}
    assert not Evidence.objects.get(test="Mo1").passed
    assert Evidence.objects.get(test="Mo1").detail == "no answer of TMDB"


def test_other_libraries_than_the_champion_learnt_with_are_told(alice, quick):
    version = make_version(libraries=library_versions() | {"numpy": "1.0.0"})
    promote(version=version.pk)

    check_task()

    now = library_versions()["numpy"]
    expected = f"version {version.pk} learnt with others: numpy 1.0.0 -> {now}"
    assert open_alerts() == {"dependency: the champion's libraries": expected}


def test_other_libraries_than_are_pinned_are_told(settings, tmp_path):
    (tmp_path / "requirements.txt").write_text("numpy==1.0.0  # arrays\nno-such-package==2.0\n# a comment\n")
    settings.BASE_DIR = tmp_path

    check_task()

    message = open_alerts()["dependency: pinned libraries"]
    assert "numpy 1.0.0 -> " in message
    assert "no-such-package 2.0 is gone" in message
