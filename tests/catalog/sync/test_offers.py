"""Where to watch according to TMDB: services of the site's region, kept as long as TMDB allows."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.utils import timezone

from catalog.models import Movie, Offer, SyncItem, SyncRun, TMDBRecord, WatchService
from catalog.sync.pages import first_items
from catalog.sync.work_items import SyncRequest
from tests.catalog.sync.runs import succeeded, sync_ids
from tests.factories import RatingFactory
from tests.tmdb_stand_in import document

pytestmark = pytest.mark.django_db

NETFLIX, TUBI, APPLE = (8, "Netflix", 1), (73, "Tubi", 40), (2, "Apple TV", 3)


def listed(service: tuple[int, str, int]) -> dict[str, Any]:
    number, name, place = service
    return {"provider_id": number, "provider_name": name, "logo_path": "/x.jpg", "display_priority": place}


def places(**regions: dict[str, list[Any]]) -> dict[str, Any]:
    link = "https://www.themoviedb.org/movie/603/watch?locale="
    return {
        "watch/providers": {
            "results": {
                region: {"link": link + region}
                | {kind: [listed(service) for service in services] for kind, services in kinds.items()}
                for region, kinds in regions.items()
            }
        }
    }


IN_TWO_REGIONS = places(
    VN={"flatrate": [NETFLIX], "ads": [TUBI, NETFLIX], "rent": [APPLE], "buy": [APPLE]}, DE={"flatrate": [APPLE]}
)


@pytest.fixture
def viet_nam(settings) -> None:
    settings.SITE_REGION = "VN"


def offers() -> set[tuple[str, int, str, str]]:
    return set(Offer.objects.values_list("kind", "service", "region", "source"))


def test_services_of_the_sites_region_are_kept_by_kind(tmdb, viet_nam):
    tmdb.serve(document(603) | IN_TWO_REGIONS, document(604))

    sync_ids(603, 604)

    kinds = [("stream", 8), ("stream", 73), ("rent", 2), ("buy", 2)]
    assert offers() == {(kind, service, "VN", "tmdb") for kind, service in kinds}
    assert {offer.movie.tmdb_id for offer in Offer.objects.all()} == {603}
    assert list(WatchService.objects.values_list("pk", "name", "position")) == [NETFLIX, APPLE, TUBI]
    assert set(TMDBRecord.objects.values_list("region", flat=True)) == {"VN"}


def test_each_sync_of_a_movie_replaces_its_services(tmdb, viet_nam):
    tmdb.serve(document(603) | IN_TWO_REGIONS)
    sync_ids(603)
    assert sync_ids(603).message == "1 unchanged."
    tmdb.serve(document(603) | places(VN={"flatrate": [(8, "Netflix Basic", 2)]}))

    assert sync_ids(603).message == "1 updated."
    assert offers() == {("stream", 8, "VN", "tmdb")}
    assert WatchService.objects.get(pk=8).name == "Netflix Basic"
    tmdb.serve(document(603))
    sync_ids(603)
    assert offers() == set()


def test_without_a_region_nothing_is_asked_and_nothing_stays(tmdb, settings, viet_nam):
    tmdb.serve(document(603) | IN_TWO_REGIONS)
    sync_ids(603)
    settings.SITE_REGION = ""
    sync_ids(603)

    assert offers() == set()
    assert ["providers" in asked for asked in tmdb.asked] == [True, False]


def test_the_next_sync_replaces_services_of_another_region(tmdb, settings, viet_nam):
    tmdb.serve(document(603) | IN_TWO_REGIONS)
    sync_ids(603)
    assert due() == []
    settings.SITE_REGION = "DE"
    assert due() == ["603"]
    sync_ids(603)

    assert offers() == {("stream", 2, "DE", "tmdb")}


def test_services_get_old_sooner_than_the_rest(tmdb, settings, viet_nam):
    tmdb.serve(document(603))
    sync_ids(603)
    TMDBRecord.objects.update(fetched_at=timezone.now() - timedelta(days=15))

    assert due() == ["603"]
    settings.SITE_REGION = ""
    assert due() == []


def due() -> list[str]:
    if not SyncRun.objects.filter(scope="everything").exists():
        succeeded("everything", days_ago=0)
    items = first_items(SyncRequest(SyncRun.Scope.EVERYTHING))
    return [item.key for item in items if item.kind == SyncItem.Kind.MOVIE]


@pytest.mark.parametrize(
    ("said", "kept", "reason"),
    [
        ({"flatrate": [listed(NETFLIX), {"provider_id": "x", "provider_name": "Bad"}]}, {8}, "provider_id"),
        ({"flatrate": [listed(NETFLIX)], "rent": "everywhere"}, {8}, "rent"),
        ("everywhere", set(), "services"),
    ],
)
def test_a_bad_service_costs_itself_alone(tmdb, viet_nam, said, kept, reason):
    tmdb.serve(document(603) | {"watch/providers": {"results": {"VN": said}}})
    sync_ids(603)

    assert {service for _, service, _, _ in offers()} == kept
    assert reason in str(TMDBRecord.objects.get().reasons)


def test_a_purge_takes_services_along(tmdb, settings, viet_nam):
    tmdb.serve(document(603) | IN_TWO_REGIONS)
    sync_ids(603)
    RatingFactory(movie=Movie.objects.get())
    settings.TMDB_READ_TOKEN = ""
    call_command("purge_provider", "tmdb")

    assert Movie.objects.count() == 1
    assert not Offer.objects.exists()
    assert not WatchService.objects.exists()
