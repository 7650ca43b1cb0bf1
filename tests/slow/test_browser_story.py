"""One user's complete history on the site in a browser, from sign-up to the deletion of the account."""

import re

import pytest
from django.apps import apps
from playwright.sync_api import Page, expect

from catalog.models import Movie, User
from recommender.models import Impression
from recommender.serving.lists import impressions
from tests.factories import UserFactory
from tests.slow.pages import PASSWORD, follow, sign_in
from tests.slow.test_browser_welcome import begin, keep_in_account, listed, rate_three

pytestmark = [pytest.mark.slow, pytest.mark.browser, pytest.mark.django_db(transaction=True)]

KIND = "Science Fiction"  # what she likes


@pytest.fixture
def bob(trained_camps) -> User:
    return UserFactory(username="bob")


def first_minute(page: Page) -> list[str]:
    """Rates three titles as a visitor and keeps them in a new account; returns the list that this gave."""
    begin(page)
    rate_three(page)
    first = listed(page)
    keep_in_account(page, "ada")
    assert listed(page) == first
    return first


def titles(page: Page) -> list[str]:
    return page.locator("#list .movie-card-title").all_text_contents()


def rate_the_first(page: Page) -> str:
    """On the page "For you", by the card's own stars; returns the title."""
    page.goto("/for-you/")
    card = page.locator("#list .movie-card").first
    title = card.locator(".movie-card-title").inner_text()
    with page.expect_response(re.compile("/rating/$")):
        card.get_by_role("slider").fill("4.5")
        card.get_by_role("slider").press("Enter")
    return title


def read_the_reason(page: Page) -> None:
    """On the card, and all of it in the panel behind it."""
    reason = page.locator("#list .movie-card-reason").first
    expect(reason).to_contain_text(f"Because you liked {KIND}")
    named = reason.locator("cite").inner_text()
    reason.locator("a").click()
    expect(page.locator(".why-bars li").filter(has_text=named)).to_be_visible()


def watch(page: Page, title: str) -> None:
    """Adds the movie to the diary and to a new list, both from its page."""
    page.goto(Movie.objects.get(title=title).get_absolute_url())
    own = page.get_by_role("region", name=f"Your activity for {title}")
    own.locator("summary", has_text="Watched").click()
    own.get_by_role("button", name="Add to diary").click()
    expect(own.locator(".own-state").first).to_contain_text("Watched")
    own.locator("summary", has_text="Lists").click()
    own.get_by_label("New list").fill("A weekend in space")
    own.get_by_role("button", name="Save", exact=True).click()
    expect(own).to_contain_text("In your lists: A weekend in space")
    page.goto("/diary/")
    expect(page.get_by_role("link", name=title, exact=True)).to_be_visible()


def share(page: Page) -> str:
    """Makes the list public; returns its address."""
    page.goto("/lists/")
    follow(page.get_by_role("link", name="A weekend in space"))
    address = page.url
    page.get_by_role("link", name="Edit list").click()
    page.get_by_label("Public").check()
    follow(page.get_by_role("button", name="Save", exact=True))
    page.goto(address)
    expect(page.get_by_text("Public. Anyone with the link can view it.")).to_be_visible()
    return address


def delete_account(page: Page) -> None:
    page.goto("/accounts/delete/")
    page.get_by_label("Confirm with your password").fill(PASSWORD)
    page.get_by_role("button", name="Delete permanently").click()
    page.wait_for_url("/")


def rows_of(user_id: int) -> list[str]:
    """What still refers to the user, in any app."""
    return [
        f"{model._meta.label}.{field.name}"
        for model in apps.get_models(include_auto_created=True)
        for field in model._meta.local_concrete_fields
        if field.related_model is User and model._base_manager.filter(**{field.name: user_id}).exists()
    ]


def test_a_life_on_the_site(visit, bob):
    ada, other = visit(), visit()
    first_minute(ada)
    user_id = User.objects.get(username="ada").pk
    ada.goto("/for-you/")
    before = titles(ada)
    rated = rate_the_first(ada)
    ada.goto("/for-you/")
    assert rated in before and rated not in titles(ada)
    read_the_reason(ada)
    watch(ada, rated)

    address = share(ada)
    other.goto(address)
    expect(other.get_by_role("heading", name="A weekend in space")).to_be_visible()
    sign_in(other, "bob")
    other.goto(address)
    expect(other.locator(".movie-card-title")).to_have_text([rated])
    assert other.request.get("/together/?with=ada").status == 422
    ada.goto("/together/")
    ada.get_by_role("button", name="Allow this").click()
    expect(ada.get_by_role("button", name="Stop allowing this")).to_be_visible()
    other.goto("/together/?with=ada")
    assert titles(other)[0].startswith(KIND) and rated not in titles(other)

    impressions.flush()
    assert Impression.objects.filter(user=user_id).exists()
    assert "catalog.Rating.user" in rows_of(user_id)
    delete_account(ada)
    assert rows_of(user_id) == []
    assert other.request.get(address).status == 404
    assert other.request.get("/together/?with=ada").status == 422
