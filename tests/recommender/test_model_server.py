import os
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from django.db import connections
from prometheus_client import REGISTRY

from catalog.models import Movie
from recommender.estimators import ESTIMATORS, Dataset
from recommender.export import movie_frame, rating_frame
from recommender.models import ServedModel
from recommender.services import activate, recommend, recommend_new
from recommender.serving import model_server
from recommender.serving.model_server import server
from recommender.serving.periodic import PeriodicThread
from tests import processes
from tests.artefact_files import flip_bit, overwrite, replace_array, rewrite_manifest
from tests.factories import MovieFactory, RatingFactory

pytestmark = pytest.mark.django_db


def save(version: int, algorithm: str = "popularity") -> Path:
    """An artefact beside those of the running site, not yet activated."""
    folder = Path(model_server.settings.MODEL_DIR) / f"{version}-{algorithm}"
    dataset = Dataset.from_frames(rating_frame(), movie_frame(), implicit_threshold=3.5)
    ESTIMATORS[algorithm]().fit(dataset).save(folder)
    return folder


def promote(version: int, algorithm: str = "popularity") -> None:
    activate(version=version, algorithm=algorithm, artifact=f"{version}-{algorithm}")


def answered_by(user) -> tuple[int | None, str | None]:
    recommendations = recommend(user=user, k=3, surface="test")
    return recommendations.model_version, recommendations.fallback


def wait_for(condition) -> None:
    processes.wait_for(condition, seconds=60, what="the change", pause=0.02)


@pytest.fixture
def quick(settings):
    """Looks for changes every 50 ms instead of every few seconds."""
    often = settings.POLICY.serving.model_copy(update={"refresh_seconds": 0.05, "new_movies_refresh_seconds": 0.05})
    settings.POLICY = settings.POLICY.model_copy(update={"serving": often})


def flip_a_byte(folder: Path) -> None:
    flip_bit(max(folder.glob("*.npy"), key=lambda path: path.stat().st_size))


def cut_a_file(folder: Path) -> None:
    file = max(folder.glob("*.npy"), key=lambda path: path.stat().st_size)
    overwrite(file, file.read_bytes()[:-8])


def name_a_newer_format(folder: Path) -> None:
    rewrite_manifest(folder, format_version=99)


def hold_a_nan(folder: Path) -> None:
    scores = np.load(folder / "scores_.npy")
    scores[0] = np.nan
    replace_array(folder, "scores_.npy", scores)


def lose_the_manifest(folder: Path) -> None:
    (folder / "manifest.json").unlink()


DAMAGES = [flip_a_byte, cut_a_file, name_a_newer_format, hold_a_nan, lose_the_manifest]


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_artefact_leaves_the_old_model_serving(train, fan, damage, caplog):
    train(version=1)
    damage(save(2))
    promote(2)
    failures = REGISTRY.get_sample_value("movierec_model_load_failures_total")
    for _ in range(3):
        server.refresh()
        assert answered_by(fan) == (1, "previous")
    assert caplog.text.count("Model 2 cannot be served") == 1
    assert REGISTRY.get_sample_value("movierec_model_load_failures_total") == failures + 1


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_new_process_falls_back_to_the_previous_champion(train, fan, damage):
    train(version=1)
    damage(save(2))
    promote(2)
    server.reset()
    assert answered_by(fan) == (1, "previous")


def test_without_a_loadable_model_movies_are_popular_ones(train, fan):
    train(version=1)
    flip_a_byte(Path(model_server.settings.MODEL_DIR) / "1-ease")
    server.reset()
    assert answered_by(fan)[0] is None
    assert recommend(user=fan, k=30, surface="test").results


def test_the_model_in_memory_stays_when_no_other_loads(train, fan):
    train(version=1)
    for version in (2, 3):
        flip_a_byte(save(version))
        promote(version)
    server.refresh()
    assert answered_by(fan) == (1, "previous")


def test_a_repaired_artefact_is_loaded(train, fan, monkeypatch):
    train(version=1)
    folder = save(2)
    hidden = folder.rename(folder.with_name("hidden"))
    promote(2)
    server.refresh()
    assert answered_by(fan) == (1, "previous")
    hidden.rename(folder)
    monkeypatch.setattr(model_server, "RETRY_SECONDS", 0.0)
    server.refresh()
    assert answered_by(fan) == (2, None)


def test_rolling_back_needs_no_loading(train, fan, monkeypatch):
    train(version=1)
    train(version=2, algorithm="popularity")
    monkeypatch.setattr(model_server, "load_model", None)
    promote(1, "ease")
    server.refresh()
    assert answered_by(fan) == (1, None)
    assert [loaded.slot for loaded in server.models()] == ["champion", "previous"]


def test_nothing_is_served_after_the_pointers_are_removed(train, fan):
    train()
    ServedModel.objects.all().delete()
    server.refresh()
    assert answered_by(fan)[0] is None


@pytest.mark.django_db(transaction=True)
@pytest.mark.wording
def test_a_promotion_is_followed_within_seconds(threads, quick, train, fan, client):
    train(version=1)
    client.force_login(fan)
    swaps = REGISTRY.get_sample_value("movierec_model_swaps_total")
    assert "Model 1 · personal" in client.get("/").content.decode()
    save(2)
    promote(2)
    wait_for(lambda: answered_by(fan) == (2, None))
    assert "Model 2 · personal" in client.get("/").content.decode()
    promote(1, "ease")
    wait_for(lambda: answered_by(fan) == (1, None))
    assert REGISTRY.get_sample_value("movierec_model_swaps_total") == swaps + 2


@pytest.mark.django_db(transaction=True)
def test_requests_do_not_wait_for_a_model_that_is_being_loaded(threads, quick, train, fan, monkeypatch):
    train(version=1)
    save(2)
    may_go_on, is_loading, has_waited = threading.Event(), threading.Event(), threading.Event()
    load = model_server.load_model

    def slow_load(row):
        is_loading.set()
        went_on = may_go_on.wait(60)
        has_waited.set()
        assert went_on
        return load(row)

    assert answered_by(fan) == (1, None)
    monkeypatch.setattr(model_server, "load_model", slow_load)
    promote(2)
    assert is_loading.wait(60)
    assert answered_by(fan) == (1, None)
    assert not has_waited.is_set()
    may_go_on.set()
    wait_for(lambda: answered_by(fan) == (2, None))


@pytest.mark.django_db(transaction=True)
def test_a_new_movie_is_recommendable_within_seconds(threads, quick, train, fan):
    train()
    assert recommend_new(user=fan, surface="test").results == []
    movie = MovieFactory(year=2027)
    wait_for(lambda: [r.movie for r in recommend_new(user=fan, surface="test").results] == [movie])
    movie.delete()
    wait_for(lambda: not server.models()[0].new.size)


def test_a_movie_is_new_until_a_model_is_trained_on_its_ratings(train, camps, fan, nora):
    train(version=1)
    movie = MovieFactory(year=1930)
    RatingFactory(user=nora, movie=movie, rating=5.0)
    server.refresh()
    assert [result.movie for result in recommend_new(user=fan, surface="test").results] == [movie]
    train(version=2)
    assert recommend_new(user=fan, surface="test").results == []


def test_an_unchanged_catalogue_is_cheap_to_look_at(train, camps, django_assert_num_queries):
    train()
    [before] = server.models()
    with django_assert_num_queries(5):  # the pointers, the movies, three kinds of links
        server.refresh()
    assert server.models()[0] is before


def test_changed_metadata_is_refreshed_for_new_movies_only(train, camps):
    train()
    fresh = MovieFactory(title="Untitled")
    server.refresh()
    [before] = server.models()
    Movie.objects.get(pk=camps["Romance"][0].pk).save()
    fresh.title = "Titled"
    fresh.save()
    server.refresh()
    [after] = server.models()
    titles = dict(zip(after.model.movie_ids_.tolist(), after.model.titles_, strict=True))
    assert after.model is not before.model
    assert titles[fresh.pk] == "Titled"


@pytest.mark.django_db(transaction=True)
def test_forked_processes_follow_the_model_they_inherit(train, fan, monkeypatch):
    """Gunicorn's master loads it for all, and may fork one again days later."""
    train(1, "popularity")
    server.reset()
    server.preload()
    assert not server.thread.is_alive()

    def ends_well(version: int, n_loads: int) -> bool:
        connections.close_all()
        if (child := os.fork()) == 0:
            loads: list[int] = []
            load = model_server.load_model
            monkeypatch.setattr(model_server, "load_model", lambda row: loads.append(row.version) or load(row))
            served = server.champion()
            os._exit(0 if served is not None and (served.version, len(loads)) == (version, n_loads) else 1)
        return os.waitpid(child, 0)[1] == 0

    assert ends_well(version=1, n_loads=0)

    save(2)
    ServedModel.objects.filter(slot="champion").update(version=2, artifact="2-popularity", checksum="")

    assert ends_well(version=2, n_loads=1)


def test_each_process_has_a_thread_of_its_own(threads):
    calls: list[int] = []
    thread = PeriodicThread("test", lambda: calls.append(1), lambda: 0.01)
    thread.ensure_started()
    wait_for(lambda: calls)
    child = os.fork()
    if child == 0:  # the thread of the parent is not here, and a lock that it held must not be either
        calls.clear()
        thread.ensure_started()
        for _ in range(500):
            if calls:
                os._exit(0)
            time.sleep(0.01)
        os._exit(1)
    thread.stop()
    assert os.waitpid(child, 0)[1] == 0


def test_a_thread_survives_exceptions(threads, caplog):
    calls: list[int] = []

    def fail() -> None:
        calls.append(1)
        raise RuntimeError("broken on purpose")

    thread = PeriodicThread("a failing thread", fail, lambda: 0.01)
    thread.ensure_started()
    wait_for(lambda: len(calls) > 3)
    thread.stop()
    assert caplog.text.count("Background thread 'a failing thread' failed") == 1


def test_no_request_waits_for_the_look_ups_of_reasons(train, camps):
    train()
    assert "_audience_rows" in vars(server.champion().model)
    MovieFactory()
    server.refresh()
    assert "_audience_rows" in vars(server.champion().model)
