"""Settings are validated on start, and .env.example lists every key."""

import re
import subprocess
import sys

import pytest

from tests.processes import ROOT, environment

ONLY_FOR_READING_ENV = {"ENV_FILE"}  # says where .env is, so it cannot stand in it
SECRETS = {"SECRET_KEY": "signs", "METRICS_TOKEN": "reads"}
OIDC = {"OIDC_ISSUER": "https://id.example.org", "OIDC_CLIENT_ID": "movierec", "OIDC_CLIENT_SECRET": "hunter2hunter2"}
EXAMPLE = ROOT / ".env.example"


def check(*, tmp_path, **changes: str) -> subprocess.CompletedProcess[str]:
    values = environment() | {"VAR_DIR": str(tmp_path / "var"), "DATABASE_URL": "", "REDIS_URL": ""} | changes
    return subprocess.run(
        [sys.executable, "manage.py", "diffsettings"], cwd=ROOT, env=values, capture_output=True, text=True, check=False
    )


def keys_read_by_settings() -> set[str]:
    text = (ROOT / "movierec" / "settings.py").read_text(encoding="utf-8")
    found = re.findall(r'\benv\.\w+\(\s*"([A-Z_]+)"', text)
    assert "DATABASE_URL" in found
    return set(found) - ONLY_FOR_READING_ENV


def keys_read_elsewhere() -> set[str]:
    gunicorn = (ROOT / "deploy" / "gunicorn.py").read_text(encoding="utf-8")
    compose = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
    return set(re.findall(r'environ\.get\("([A-Z_]+)"', gunicorn)) | set(re.findall(r"\$\{([A-Z_]+)", compose))


def keys_in_the_example() -> list[str]:
    return re.findall(r"^#?([A-Z_]+)=", EXAMPLE.read_text(encoding="utf-8"), re.MULTILINE)


def test_every_key_that_settings_read_is_in_the_example():
    assert keys_read_by_settings() - set(keys_in_the_example()) == set()


def test_every_key_of_the_example_is_read_by_something():
    assert set(keys_in_the_example()) - keys_read_by_settings() - keys_read_elsewhere() == set()


def test_no_key_is_twice_in_the_example():
    assert len(keys_in_the_example()) == len(set(keys_in_the_example()))


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"DEBUG": "maybe"}, "DEBUG: expected true or false, got 'maybe'"),
        ({"PORT": "http"}, "PORT: expected a whole number from 1 to 65535, got 'http'"),
        ({"WEB_WORKERS": "0"}, "WEB_WORKERS: expected a whole number from 1"),
        ({"WORKER_NICE": "-5"}, "WORKER_NICE: expected a whole number from 0 to 19"),
        ({"REDIS_URL": "127.0.0.1:6379"}, "REDIS_URL: expected an address as redis://"),
        ({"MLFLOW_TRACKING_URI": "127.0.0.1:5000"}, "MLFLOW_TRACKING_URI: expected http://host:5000 or sqlite"),
        ({"MOVIELENS_URL": "ftp://host/file"}, "MOVIELENS_URL: expected an address as http://"),
        ({"TMDB_LOGO_URL": "http://host/logo"}, "TMDB_LOGO_URL: expected https://"),
        ({"LOG_LEVEL": "LOUD"}, "LOG_LEVEL: expected one of DEBUG|INFO"),
        ({"FLOWER_BASIC_AUTH": "only-a-name"}, "FLOWER_BASIC_AUTH: expected user:password"),
        ({"EMAIL_URL": "pigeon://coop"}, "EMAIL_URL"),
        ({"OIDC_ISSUER": "https://id.example.org"}, "takes OIDC_CLIENT_ID and OIDC_CLIENT_SECRET"),
        ({"OIDC_NAME": "Club ID"}, "takes OIDC_ISSUER and OIDC_CLIENT_ID and OIDC_CLIENT_SECRET"),
        (OIDC | {"OIDC_ISSUER": "http://id.example.org"}, "OIDC_ISSUER: expected an address as https://"),
        (OIDC | {"OIDC_ISSUER": "https://id.example.org?a=b"}, "OIDC_ISSUER: expected an address as https://"),
        (OIDC | {"OIDC_ISSUER": "https://[id"}, "OIDC_ISSUER: expected an address as https://"),
        ({"PASSWORD_SIGN_IN": "false"}, "PASSWORD_SIGN_IN=false takes another way in"),
        ({"DATABASE_URL": "mysql://a@b/c"} | SECRETS, "DATABASE_URL: expected an address as postgres://"),
        ({"DATABASE_URL": "postgres://a@b:port/c"} | SECRETS, "DATABASE_URL: expected postgres://"),
        ({"DATABASE_URL": "postgres://a@b/c", "SECRET_KEY": ""}, "SECRET_KEY is not set"),
        ({"DATABASE_URL": "postgres://a@b/c", "METRICS_TOKEN": ""}, "METRICS_TOKEN is not set"),
    ],
)
def test_a_bad_value_refuses_to_start_and_names_the_key(tmp_path, changes, named):
    started = check(tmp_path=tmp_path, **changes)

    assert started.returncode == 1
    assert named in started.stderr
    assert "Traceback" not in started.stderr


@pytest.mark.parametrize(
    ("content", "named"),
    [
        (b"PORT=8001\n\nSECRET_KEY = hunter2\n", "movierec.env, line 3: expected NAME=value"),
        (b"PORT=8001\n  SECRET_KEY=hunter2\n", "movierec.env, line 2: expected NAME=value"),
        (b"SECRET_KEY=h\xfcnter2\n", "movierec.env: expected a readable file in UTF-8"),
    ],
)
def test_a_bad_file_refuses_to_start_and_names_the_line(tmp_path, content, named):
    file = tmp_path / "movierec.env"
    file.write_bytes(content)
    started = check(tmp_path=tmp_path, ENV_FILE=str(file))

    assert started.returncode == 1
    assert named in started.stderr
    assert "hunter2" not in started.stderr
    assert "Traceback" not in started.stderr


def test_a_value_is_read_as_it_is_written(tmp_path):
    """A value may begin with $, which django-environ takes for the name of a variable, and a file with a mark."""
    file = tmp_path / "movierec.env"
    file.write_bytes(b"\xef\xbb\xbfFLOWER_BASIC_AUTH=$ada:b#1\n  # a comment\n \nexport CODE_REVISION='a b'\n")
    started = check(tmp_path=tmp_path, ENV_FILE=str(file)).stdout

    assert "CODE_REVISION = 'a b'" in started
    assert "FLOWER_BASIC_AUTH = '$ada:b#1'" in started


def test_the_secret_of_the_provider_is_not_shown(tmp_path):
    started = check(tmp_path=tmp_path, PASSWORD_SIGN_IN="false", SECRET_KEY_FALLBACKS="one,two", **OIDC)

    assert "https://id.example.org" in started.stdout and "hunter2" not in started.stdout + started.stderr
    assert "PASSWORD_SIGN_IN = False" in started.stdout
    assert "SECRET_KEY_FALLBACKS = ['one', 'two']" in started.stdout


def test_a_bad_policy_refuses_to_start_and_names_the_key(tmp_path):
    file = tmp_path / "config.yaml"
    file.write_text("evaluation: {k: 1000}\n", encoding="utf-8")

    started = check(tmp_path=tmp_path, CONFIG_FILE=str(file))

    assert started.returncode == 1
    assert f"{file}, line 1: evaluation.k: " in started.stderr


def test_the_site_starts_with_an_empty_policy(tmp_path):
    (tmp_path / "config.yaml").touch()

    assert check(tmp_path=tmp_path, CONFIG_FILE=str(tmp_path / "config.yaml")).returncode == 0


def test_a_bad_secret_is_not_shown(tmp_path):
    started = check(tmp_path=tmp_path, TMDB_READ_TOKEN="eyJh bGci", FLOWER_BASIC_AUTH="hunter2")

    assert started.returncode == 1
    assert "bGci" not in started.stderr


def test_secrets_are_generated_once_and_private(tmp_path):
    secrets = [tmp_path / "var" / name for name in ("secret_key", "metrics_token")]

    check(tmp_path=tmp_path, SECRET_KEY="", METRICS_TOKEN="")
    first = [file.read_text(encoding="utf-8") for file in secrets]
    check(tmp_path=tmp_path, SECRET_KEY="", METRICS_TOKEN="")

    assert first == [file.read_text(encoding="utf-8") for file in secrets]
    assert first[0] != first[1]
    assert all(len(text) >= 50 for text in first)
    assert all(file.stat().st_mode & 0o777 == 0o600 for file in secrets)
    assert list((tmp_path / "var").glob("*.part")) == []


def test_the_image_can_back_up_the_server_of_compose():
    """Programs that are older than the server refuse to."""
    compose = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
    image = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    assert re.findall(r"image: postgres:(\d+)", compose) == re.findall(r"postgresql-client-(\d+)", image) != []
