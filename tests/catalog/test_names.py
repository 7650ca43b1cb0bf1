"""Names of lists and profiles must be visible."""

import pytest

from catalog.errors import InvalidList, InvalidProfile
from catalog.lists import change_list, create_list
from catalog.models import MovieList, Profile
from catalog.profiles import save_profile
from catalog.text import visible
from tests.factories import api_client_of

UNSEEN = ["\u200b", " \u200b\u200d ", "\u3164", "\u2800", "\ufeff", "\u202e", "\u0301", "\x00", "\t", "\U000e0061", ""]


@pytest.mark.parametrize("text", UNSEEN)
def test_what_cannot_be_seen_is_no_text(text):
    assert visible(text) == ""


@pytest.mark.parametrize("text", ["a", "Người Nhện", "怪獣", "🏴‍☠️", "❤️", "7", "!", "שלום", "e\u0301"])
def test_what_can_be_seen_stays_as_it_is(text):
    assert visible(f" {text}\n") == text


@pytest.mark.django_db
@pytest.mark.parametrize("name", UNSEEN)
def test_a_list_needs_a_name_that_can_be_seen(client, nora, movie, name):
    with pytest.raises(InvalidList):
        create_list(user=nora, name=name)
    made = create_list(user=nora, name="Best")
    with pytest.raises(InvalidList):
        change_list(made, name=name)
    client.force_login(nora)
    client.post("/lists/", {"name": name})
    client.post(f"/movies/{movie.pk}/lists/", {"name": name, "list": []})
    assert api_client_of(nora).post("/api/v1/lists/", {"name": name}, format="json").status_code in (400, 409)

    assert [row.name for row in MovieList.objects.all()] == ["Best"]


@pytest.mark.django_db
@pytest.mark.parametrize("name", [*UNSEEN, "ada\u200b", "Ada", "a", "7up", "ada\n!"])
def test_a_public_profile_needs_a_name_of_the_known_form(nora, name):
    with pytest.raises(InvalidProfile):
        save_profile(user=nora, name=name, is_public=True, shows_diary=False)

    assert not Profile.objects.filter(is_public=True).exists()
