"""Users who follow sources at stand-ins, and the worker's task."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from catalog.following.services import follow
from catalog.following.syncs import start_sync
from catalog.models import FollowedSource, SourceSync
from catalog.tasks import sync_source
from tests.catalog.following.sites import Page, Sites

ADDRESS = "https://files.example.org/list.csv?key=hidden-in-logs"
RSS = "https://letterboxd.com/nora/rss/"


@pytest.fixture(scope="session")
def certificates(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("certificates")


@pytest.fixture
def sites(certificates, monkeypatch, settings) -> Iterator[Sites]:
    settings.TRAKT_CLIENT_ID = "client-id"
    with Sites(certificates) as sites:
        monkeypatch.setattr("catalog.following.fetching.FETCHER", sites.fetcher())
        yield sites


@pytest.fixture
def following(db, nora, sites) -> Callable[..., FollowedSource]:
    """Adds a source of Nora's and syncs it once."""

    def following(kind: str = "letterboxd", address: str = "nora", **values: Any) -> FollowedSource:
        source = follow(user=nora, kind=kind, address=address, trigger="page", **values)
        run(source)
        return source

    return following


def run(source: FollowedSource) -> SourceSync:
    """The worker takes the sync that waits, or a new one."""
    waiting = source.syncs.filter(status="queued").first() or start_sync(source, trigger="page")
    assert waiting
    sync_source(sync_id=waiting.pk)
    waiting.refresh_from_db()
    source.refresh_from_db()
    return waiting


def serve_trakt(sites: Sites, **lists: list[list[dict[str, Any]]]) -> None:
    """Serves a user's lists, each given as pages."""
    for name in ("history", "ratings", "watchlist"):
        pages = lists.get(name) or [[]]
        for number, items in enumerate(pages, 1):
            address = f"https://api.trakt.tv/users/nora/{name}/movies?page={number}&limit=250"
            headers = {"X-Pagination-Page-Count": str(len(pages))}
            sites.serve(address, Page(json.dumps(items).encode(), headers=headers))
