"""A user's own pages in a browser, from a rating to a shared list and a deleted account."""

import re

import pytest
from django.apps import apps
from playwright.sync_api import expect

from catalog.models import User
from catalog.services import add_to_watchlist
from tests.factories import MovieFactory
from tests.slow.pages import PASSWORD, fits
from tests.slow.test_browser_catalog import rate, sign_up

pytestmark = [pytest.mark.slow, pytest.mark.once, pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_rate_watch_list_share_and_delete(visit):
    movie = MovieFactory(title="Heat", year=1995)
    page = visit()
    user = sign_up(page)
    add_to_watchlist(user=user, movie=movie)
    page.goto(movie.get_absolute_url())
    rate(page, "Heat", 4.5)
    expect(page.get_by_text("It was removed from your watchlist.")).to_be_visible()
    expect(page.get_by_role("button", name="Add to watchlist")).to_be_visible()

    page.locator(".own").get_by_text("Note", exact=True).click()
    page.locator("#note-note").fill("Not saved yet")
    page.get_by_text("Watched", exact=True).click()
    page.get_by_label("Watched on").fill("2026-05-31")
    page.locator(".own").get_by_label("Private note").first.fill("With Ada.")
    page.get_by_role("button", name="Add to diary").click()
    expect(page.get_by_role("link", name="31 May 2026")).to_be_visible()
    expect(page.locator("#note-note")).to_have_value("Not saved yet")
    page.locator(".own").get_by_text("Lists", exact=True).click()
    page.get_by_label("New list").fill("Heists")
    page.locator(".own").get_by_role("button", name="Save", exact=True).click()
    page.get_by_role("link", name="Heists").click()

    page.get_by_role("link", name="Edit list").click()
    page.get_by_label("Public").check()
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("Public. Anyone with the link can view it.")).to_be_visible()
    address = page.url
    page.goto("/diary/")
    for text in ("May 2026", "Heat", "With Ada."):
        expect(page.locator("main")).to_contain_text(text)

    other = visit()
    other.goto(address)
    expect(other.get_by_role("heading", name="Heists")).to_be_visible()
    expect(other.get_by_role("link", name="Heat", exact=True)).to_be_visible()
    expect(other.get_by_text("ada", exact=True)).to_have_count(0)

    page.goto("/accounts/delete/")
    page.get_by_label("Confirm with your password").fill(PASSWORD)
    page.get_by_role("button", name="Delete permanently").click()
    expect(page).to_have_url(re.compile(r"/$"))
    gone = other.request.get(address)
    assert gone.status == 404
    assert not User.objects.exists()
    assert [str(row) for model in relations_to_users() for row in model._base_manager.all()] == []


def relations_to_users() -> list[type]:
    fields = ((model, field) for model in apps.get_models() for field in model._meta.concrete_fields)
    return [model for model, field in fields if field.related_model is User and not field.null]


def test_the_same_without_javascript(visit):
    movie = MovieFactory(title="Heat", year=1995)
    page = visit(javascript=False)
    sign_up(page)
    page.goto("/diary/add/?q=heat")
    page.get_by_label("Watched on").fill("2026-05-31")
    page.get_by_role("button", name="Add to diary").click()
    expect(page.locator(".diary-month")).to_contain_text("May 2026")
    page.goto(movie.get_absolute_url())
    page.locator(".own").get_by_text("Lists", exact=True).click()
    page.get_by_label("New list").fill("Heists")
    page.locator(".own").get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("In your lists:")).to_be_visible()
    page.goto("/diary/")
    page.get_by_role("link", name=re.compile("^Edit.*Heat")).click()
    page.get_by_role("button", name="Delete from diary").click()
    expect(page.get_by_role("heading", name="Your diary is empty")).to_be_visible()


def test_own_pages_fit_a_phone(visit):
    movie = MovieFactory(title="Heat", year=1995)
    page = visit(viewport={"width": 360, "height": 700})
    user = sign_up(page)
    page.goto(movie.get_absolute_url())
    rate(page, "Heat", 4)
    expect(page.get_by_text("You rated Heat")).to_be_visible()
    for address in ("diary/", "diary/add/?q=heat", "lists/", "statistics/", "not-interested/", "accounts/profile/"):
        page.goto(f"/{address}")
        assert fits(page), address
    assert user.ratings.count() == 1
