"""Prepares a site from scratch. Resumes after an interruption and repeats nothing."""

import re
import socket
from datetime import timedelta

import pytest
from django.contrib.auth import authenticate
from django.core.management import CommandError, call_command
from django.utils import timezone
from django_celery_beat.models import PeriodicTask

from catalog.models import Movie, Rating, User
from mlops.models import PipelineRun
from movierec.management.commands.bootstrap import SENTINEL, check_port
from tests.catalog.ingest.movielens import write_folder
from tests.factories import MovieFactory
from tests.processes import free_port


@pytest.fixture
def new_site(db, settings, tmp_path):
    settings.VAR_DIR = tmp_path
    settings.STATIC_ROOT = tmp_path / "static"
    settings.MOVIELENS_PATH = str(write_folder(tmp_path / "movielens"))
    PeriodicTask.objects.all().delete()
    return settings


@pytest.fixture
def bootstrap(capsys):
    def bootstrap(*arguments: str) -> str:
        call_command("bootstrap", *arguments)
        return capsys.readouterr().out

    return bootstrap


def test_a_new_site_gets_everything_it_needs(new_site, bootstrap, client):
    said = bootstrap()

    assert Movie.objects.count() == 3
    assert Rating.objects.count() == 4
    assert PeriodicTask.objects.filter(enabled=True).count() >= len(new_site.POLICY.schedules.model_dump())
    assert list((new_site.STATIC_ROOT / "css").glob("*.css"))
    assert not User.objects.filter(is_staff=True).exists()
    [page] = re.findall(r"http://127\.0\.0\.1:\d+(/setup/\?code=\S+)", said)
    assert client.get(page).status_code == 200


def test_each_step_says_how_long_it_took(new_site, bootstrap):
    said = bootstrap()

    for step in ("Database", "Static files", "Schedules", "Sample movies and ratings", "First model"):
        assert re.search(rf"==> {step}\n(.*\n)*?    done in \d+\.\d s", said)


def test_too_few_ratings_for_a_model_are_said_and_stop_nothing(new_site, bootstrap):
    said = bootstrap()

    assert "No model was promoted" in said
    assert "popular movies" in said
    assert "/setup/?code=" in said


def test_a_training_lost_on_another_host_is_repeated(new_site, bootstrap, change_policy):
    change_policy("training", stale_after_seconds=1)
    change_policy("jobs", heartbeat_seconds=0.4)
    now = timezone.now() + timedelta(seconds=5)  # still fresh when the training's turn comes
    killed = PipelineRun.objects.create(
        trigger="command",
        algorithm="ease",
        status="running",
        worker_pid=1,
        started_at=now,
        heartbeat_at=now,
    )

    said = bootstrap()

    killed.refresh_from_db()
    assert "waiting for its end" in said
    assert killed.status == PipelineRun.Status.ERRORED
    assert PipelineRun.objects.exclude(pk=killed.pk).get().status == PipelineRun.Status.FAILED  # too few ratings


def test_a_second_start_loads_nothing(new_site, bootstrap):
    link = bootstrap().splitlines()[-1]
    collected = (new_site.STATIC_ROOT / ".collected").stat().st_mtime_ns

    said = bootstrap()

    assert "Sample" not in said
    assert said.splitlines()[-1] == link
    assert (new_site.STATIC_ROOT / ".collected").stat().st_mtime_ns == collected


def test_existing_movies_are_kept(new_site, bootstrap):
    MovieFactory(title="Ours")

    said = bootstrap()

    assert "Sample" not in said
    assert Movie.objects.count() == 1


def test_an_interrupted_sample_is_finished(new_site, bootstrap):
    MovieFactory(title="Toy Story", movielens_id=1)
    (new_site.VAR_DIR / SENTINEL).touch()

    bootstrap()

    assert Movie.objects.filter(movielens_id__isnull=False).count() == 3
    assert not (new_site.VAR_DIR / SENTINEL).exists()


def test_a_wrong_sample_path_stops_with_what_is_wrong(new_site, bootstrap, tmp_path):
    new_site.MOVIELENS_PATH = str(tmp_path / "nowhere")

    with pytest.raises(CommandError, match="nowhere"):
        bootstrap()

    assert (new_site.VAR_DIR / SENTINEL).exists()


@pytest.fixture
def unattended(monkeypatch) -> None:
    monkeypatch.setenv("DJANGO_SUPERUSER_USERNAME", "ops")
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", "of the environment")


def test_the_environment_makes_the_staff_account(new_site, bootstrap, unattended):
    said = bootstrap() + bootstrap()

    assert authenticate(username="ops", password="of the environment").is_superuser
    assert said.count("Staff account") == 1
    assert "of the environment" not in said
    assert "/setup/" not in said


def test_the_environment_takes_no_existing_name(new_site, bootstrap, unattended):
    visitor = User.objects.create_user(username="ops", password="their own")

    with pytest.raises(CommandError, match="DJANGO_SUPERUSER_USERNAME"):
        bootstrap()

    visitor.refresh_from_db()
    assert not visitor.is_staff


def test_a_name_without_a_password_is_refused(new_site, bootstrap, unattended, monkeypatch):
    monkeypatch.delenv("DJANGO_SUPERUSER_PASSWORD")

    with pytest.raises(CommandError, match="DJANGO_SUPERUSER_PASSWORD"):
        bootstrap()


@pytest.mark.parametrize(
    ("asked", "host", "family"),
    [("", "127.0.0.1", socket.AF_INET), ("[::1]", "::1", socket.AF_INET6), ("0.0.0.0", "127.0.0.1", socket.AF_INET)],
)
def test_a_port_in_use_is_named_with_the_way_out(monkeypatch, asked, host, family):
    monkeypatch.setenv("HOST", asked)
    with socket.socket(family) as taken:
        taken.bind((host, 0))
        taken.listen()
        port = taken.getsockname()[1]

        with pytest.raises(CommandError, match=rf"Port {port} of {host} .* PORT={port + 1} make run"):
            check_port(port)


def test_a_port_in_use_stops_before_anything_is_prepared(new_site, bootstrap):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()

        with pytest.raises(CommandError, match="cannot be used"):
            bootstrap("--serve", "--port", str(taken.getsockname()[1]))

    assert not Movie.objects.exists()


def test_a_free_port_is_no_problem():
    check_port(free_port())
