"""An operator in a browser: trains, reads the figures, promotes another version and rolls back."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from catalog.models import User
from mlops.models import ModelVersion, Promotion
from tests.mlops.site import make_version
from tests.processes import running
from tests.slow.pages import PASSWORD, fits, follow, sign_in

pytestmark = [pytest.mark.slow, pytest.mark.browser, pytest.mark.django_db(transaction=True)]

WORKER = ("celery", "--app", "movierec", "worker", "--queues", "training", "--concurrency", "1")


@pytest.fixture
def rater(rated_site) -> User:
    user = User.objects.get(username="rater1")
    user.set_password(PASSWORD)
    user.save()
    return user


def expect_lists_of(home: Page, version: int) -> None:
    """The web process swaps the model in by itself; the visitor reloads."""
    for _ in range(15):
        home.goto("/")
        if f"Model {version} " in home.get_by_role("region", name="For you", exact=True).inner_text():
            return
        home.wait_for_timeout(1000)
    raise AssertionError(f"the home page does not show model {version}")


def test_training_promoting_and_rolling_back(visit, threads, rater, sam, tmp_path: Path):
    admin, home = visit(viewport={"width": 1280, "height": 900}), visit()
    sign_in(admin, sam.username)
    sign_in(home, rater.username)

    with running(*WORKER, log=tmp_path / "worker.log"):
        admin.goto("/admin/mlops/pipelinerun/")
        admin.get_by_role("button", name="Train now").click()
        expect(admin.locator("#content-main")).to_contain_text("was promoted", timeout=120_000)
    first = ModelVersion.objects.get(status="champion").pk
    expect_lists_of(home, first)

    admin.goto(f"/admin/mlops/modelversion/{first}/change/")
    expect(admin.locator("#content-main")).to_contain_text("better than the best simple baseline")
    for width in (390, 1280):
        admin.set_viewport_size({"width": width, "height": 900})
        assert fits(admin), width

    second = make_version().pk
    admin.goto(f"/admin/mlops/modelversion/{second}/change/")
    admin.get_by_role("link", name="Promote").click()
    admin.get_by_label("Reason").fill("to see popular movies")
    admin.get_by_role("button", name=f"Promote version {second}").click()
    expect(admin.locator("body")).to_contain_text(f"{second}")
    expect_lists_of(home, second)

    admin.goto("/admin/mlops/modelversion/")
    follow(admin.get_by_role("button", name=f"Roll back to version {first}"))
    expect_lists_of(home, first)
    kinds = list(Promotion.objects.order_by("id").values_list("version_id", "kind", "promoted_by__username"))
    assert kinds == [(first, "automatic", None), (second, "promoted", "sam"), (first, "rolled_back", "sam")]
