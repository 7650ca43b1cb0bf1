"""Fixtures: a secret URL of nora's, and a catalogue with the movie used in the cases."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from catalog.hooks.services import create_hook
from catalog.models import Movie
from tests.factories import MovieFactory


@pytest.fixture
def alien(db) -> Movie:
    return MovieFactory(title="Alien", year=1979, imdb_id="tt0078748", tmdb_id=348)


@pytest.fixture
def secret(nora) -> str:
    return create_hook(user=nora).secret


@pytest.fixture
def send(client, secret) -> Callable[..., Any]:
    """Sends a payload as its server does: a case of `cases`, or a part of one."""

    def send(service: str, case: dict[str, Any], key: str = "", **headers: str) -> Any:
        address, text = f"/api/v1/hooks/{service}/{key or secret}/", json.dumps(case["payload"])
        if case["sent_as"] == "multipart":
            picture = SimpleUploadedFile("thumb.jpg", b"\xff\xd8picture", "image/jpeg")
            return client.post(address, {"payload": text, "thumb": picture}, headers=headers)
        if case["sent_as"] == "form":
            return client.post(address, {"data": text}, headers=headers)
        return client.post(address, text, content_type=case["sent_as"], headers=headers)

    return send
