"""The staff's page in a real browser: on a phone and on a desk, and a training that can be followed."""

import pytest
from playwright.sync_api import expect

from mlops.models import RunStep
from tests.mlops.test_dashboard import at_work

__all__ = ["at_work"]

pytestmark = [pytest.mark.slow, pytest.mark.once, pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.mark.parametrize("width", [390, 1280])
def test_it_fits_and_follows_a_training_without_a_reload(visit, sam, at_work, width):
    page = visit(viewport={"width": width, "height": 800})
    page.goto("/accounts/sign-in/?next=/mlops/")
    page.get_by_label("Username").fill(sam.username)
    page.get_by_label("Password").fill("correct horse battery")
    page.get_by_role("button", name="Sign in").click()

    runs = page.get_by_role("region", name="Training runs").first
    expect(runs).to_contain_text("evaluate: 3/9 champion")
    expect(page.get_by_role("img", name="Hit rate at 10 of new positive ratings, by day")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")

    page.evaluate("document.body.dataset.mark = 'kept'")
    RunStep.objects.update(activity_details={"done": 8, "total": 9, "model": "champion"})
    expect(runs).to_contain_text("evaluate: 8/9 champion")
    assert page.evaluate("document.body.dataset.mark") == "kept"
