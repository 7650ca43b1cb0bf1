"""The public profile. It is private until its owner publishes it, and staff can hide it."""

from datetime import date

import pytest

from catalog.diary import record_viewing
from catalog.lists import create_list
from catalog.models import MovieList, Person, Profile
from catalog.profiles import hide_profile
from tests.factories import RatingFactory

pytestmark = pytest.mark.django_db

ADDRESS = "/people/cinephile/"


def publish(client, **values):
    return client.post("/accounts/profile/", {"name": "cinephile", "is_public": "on", **values}, follow=True)


@pytest.fixture
def nora_published(client, nora, movie):
    create_list(user=nora, name="Best", is_public=True)
    create_list(user=nora, name="Hidden gems")
    RatingFactory(user=nora, movie=movie)
    record_viewing(user=nora, movie=movie, watched_on=date(2026, 5, 31), note="A secret.")
    client.force_login(nora)
    publish(client)
    client.logout()
    return nora


def test_everybody_sees_what_is_published_and_no_more(client, nora_published):
    page = client.get(ADDRESS).content.decode()

    assert "Best" in page
    for hidden in ("Hidden gems", "Heat", "A secret.", "nora"):
        assert hidden not in page


def test_the_diary_is_shown_by_choice_without_notes(client, nora_published):
    client.force_login(nora_published)
    publish(client, shows_diary="on")
    client.logout()
    page = client.get(ADDRESS).content.decode()

    assert 'datetime="2026-05-31"' in page
    assert "A secret." not in page


def test_a_private_profile_is_its_owners_alone(client, nora_published, bob):
    client.force_login(nora_published)
    client.post("/accounts/profile/", {"name": "cinephile"})
    assert client.get(ADDRESS).status_code == 200
    client.force_login(bob)
    assert client.get(ADDRESS).status_code == 404
    client.logout()
    assert client.get(ADDRESS).status_code == 404


def test_staff_take_down_and_lift(client, nora_published, sam):
    users = {"_selected_action": [nora_published.pk]}
    address = f"/lists/{MovieList.objects.get(name='Best').key}/"
    client.force_login(sam)
    client.post("/admin/catalog/user/", users | {"action": "hide_published"})
    client.logout()
    assert (client.get(ADDRESS).status_code, client.get(address).status_code) == (404, 404)

    client.force_login(nora_published)
    assert client.get("/accounts/").context["profile"].hidden_at
    assert publish(client).status_code == 422
    client.force_login(sam)
    client.post("/admin/catalog/user/", users | {"action": "lift_hiding"})
    client.logout()
    assert (client.get(ADDRESS).status_code, client.get(address).status_code) == (404, 200)
    client.force_login(nora_published)
    publish(client)
    client.logout()
    assert client.get(ADDRESS).status_code == 200


def test_a_user_without_a_profile_can_be_hidden(nora):
    assert hide_profile(user=nora)
    assert not hide_profile(user=nora)
    assert Profile.objects.get().hidden_at


@pytest.mark.parametrize("name", ["", "1234", "12-monkeys", "Upper", "a", "x" * 31, "with space", "bob", "taken"])
def test_a_name_that_cannot_be_is_refused_and_kept(client, nora, bob, name):
    Profile.objects.create(user=bob, name="taken")
    client.force_login(nora)
    answer = publish(client, name=name)

    assert answer.status_code == 422
    assert answer.context["form"].errors["name"]
    assert f'value="{name}"' in answer.content.decode() or not name
    assert not Profile.objects.filter(is_public=True).exists()


def test_white_space_around_a_name_is_not_of_it(client, nora):
    client.force_login(nora)

    assert publish(client, name=" cinephile\n").status_code == 200
    assert Profile.objects.get().name == "cinephile"


def test_film_people_and_profiles_share_an_address(client, nora_published):
    person = Person.objects.create(name="Cinephile")

    assert client.get(person.get_absolute_url()).context["person"] == person
    assert client.get(ADDRESS).context["profile"].user == nora_published


def test_a_deactivated_user_publishes_nothing(client, nora_published):
    nora_published.is_active = False
    nora_published.save()

    assert client.get(ADDRESS).status_code == 404
    assert client.get(f"/lists/{MovieList.objects.get(name='Best').key}/").status_code == 404


def test_the_choice_needs_somebody(client):
    assert client.get("/accounts/profile/")["Location"] == "/accounts/sign-in/?next=/accounts/profile/"
