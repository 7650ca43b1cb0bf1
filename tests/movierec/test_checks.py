"""Each system check reports its stable id and a helpful hint."""

import pytest
from django.core.checks import run_checks

from movierec import checks  # noqa: F401 (registers them)


@pytest.fixture
def found():
    def found(*, deploy: bool = False) -> set[str]:
        messages = [m for m in run_checks(include_deployment_checks=deploy) if m.id.startswith("movierec.")]
        assert all(message.hint for message in messages)
        return {message.id for message in messages}

    return found


def policy_with(settings, **training):
    policy = settings.POLICY
    return policy.model_copy(update={"training": policy.training.model_copy(update=training)})


def test_the_default_site_passes(found):
    assert found() == set()


def test_a_model_folder_that_is_not_writable(found, settings, tmp_path):
    (tmp_path / "file").touch()
    settings.MODEL_DIR = tmp_path / "file" / "models"

    assert found() == {"movierec.E001"}


def test_a_model_folder_that_does_not_exist_yet(found, settings, tmp_path):
    settings.MODEL_DIR = tmp_path / "new" / "models"

    assert found() == set()


@pytest.mark.parametrize("training", [{"algorithm": "magic"}, {"parameters": {"magic": {}}}])
def test_an_unknown_algorithm(found, settings, training):
    settings.POLICY = policy_with(settings, **training)

    assert found() == {"movierec.E002"}


@pytest.mark.parametrize("parameters", [{"regularisation": 5}, {"regularization": -1}])
def test_a_hyper_parameter_that_is_unknown_or_out_of_range(found, settings, parameters):
    settings.POLICY = policy_with(settings, parameters={"ease": parameters})

    assert found() == {"movierec.E003"}


def test_debug_in_production(found, settings):
    settings.DEBUG, settings.EMBEDDED = True, False

    assert found() == {"movierec.E004"}


def test_no_host_at_all(found, settings):
    settings.ALLOWED_HOSTS = []

    assert found() == {"movierec.E005"}


def test_every_host_in_production(found, settings):
    settings.ALLOWED_HOSTS, settings.EMBEDDED = ["*"], False

    assert found() == {"movierec.E006"}


def test_an_origin_without_https(found, settings):
    settings.HTTPS, settings.CSRF_TRUSTED_ORIGINS = True, ["http://movies.example.org"]

    assert found() == {"movierec.E007"}


def test_production_without_https_and_redis_warns(found, settings):
    settings.EMBEDDED, settings.HTTPS, settings.REDIS_URL = False, False, ""

    assert found(deploy=True) == {"movierec.W001", "movierec.W002"}
