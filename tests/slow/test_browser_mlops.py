"""The staff dashboard in a browser, on mobile and desktop, during a training."""

import pytest
from playwright.sync_api import expect

from mlops.dashboard.page import TABS
from mlops.models import DriftReport, PipelineRun, Promotion, RunStep
from mlops.services import promote
from tests.mlops.site import FIGURES, figures_beside_a_champion, make_version
from tests.mlops.test_dashboard import at_work
from tests.slow.pages import fits, sign_in

__all__ = ["at_work"]

pytestmark = [pytest.mark.slow, pytest.mark.once, pytest.mark.browser, pytest.mark.django_db(transaction=True)]


CUT = (
    "[...document.querySelectorAll('.ops-scroll, .mlops-scroll')].filter(e => e.scrollWidth > e.clientWidth + 1).length"
)


@pytest.mark.parametrize("width", [360, 390, 1280])
def test_every_page_fits_with_all_its_columns(visit, sam, at_work, width):
    figures = figures_beside_a_champion([])
    candidate = make_version(figures=figures)
    promote(version=candidate.pk)
    page = visit(viewport={"width": width, "height": 800})
    sign_in(page, sam.username, arrive="/mlops/")
    rows = (
        ("modelversion", candidate),
        ("pipelinerun", PipelineRun.objects.get()),
        ("driftreport", DriftReport.objects.get()),
    )
    addresses = [f"/mlops/?tab={tab}" for tab in TABS] + [f"/admin/mlops/{kind}/{row.pk}/change/" for kind, row in rows]
    for address in addresses:
        page.goto(address)
        assert fits(page), address
        assert page.evaluate(CUT) == 0, address
    expect(page.locator("svg.plot").first).to_be_visible()


def test_a_figure_explains_itself_to_the_keyboard(visit, sam, at_work):
    page = visit(viewport={"width": 390, "height": 800})
    sign_in(page, sam.username, arrive="/mlops/")
    term = page.get_by_role("link", name="nDCG@10")
    assert "weighted by rank" in term.get_attribute("title")
    page.get_by_role("link", name="ML Test Score").focus()
    page.keyboard.press("Tab")
    while page.evaluate("document.activeElement.className") != "term":
        page.keyboard.press("Tab")
    assert "weighted by rank" in page.evaluate("getComputedStyle(document.activeElement, '::after').content")
    page.keyboard.press("Enter")
    expect(page.locator("#means-ndcg")).to_be_visible()


@pytest.mark.parametrize("javascript", [True, False])
def test_the_champion_is_rolled_back_after_a_second_click(visit, sam, at_work, javascript):
    newer = make_version(figures=FIGURES)
    promote(version=newer.pk)
    page = visit(javascript=javascript, viewport={"width": 390, "height": 800})
    sign_in(page, sam.username, arrive="/mlops/")
    sure = page.get_by_role("button", name=f"Roll back to version {at_work.pk}")
    expect(sure).to_be_hidden()

    page.locator("summary", has_text="Roll back").click()
    page.get_by_label("Reason (optional)").fill("Too slow.")
    sure.click()

    expect(page.get_by_text(f"Version {at_work.pk} is now served (rolled back).")).to_be_visible()
    assert Promotion.objects.first().reason == "Too slow."


@pytest.mark.parametrize("width", [390, 1280])
def test_it_fits_and_follows_a_training_without_a_reload(visit, sam, at_work, width):
    page = visit(viewport={"width": width, "height": 800})
    sign_in(page, sam.username, arrive="/mlops/")
    runs = page.get_by_role("region", name="Training runs").first
    expect(runs).to_contain_text("evaluate: 3/9 champion")
    assert fits(page)

    page.evaluate("document.body.dataset.mark = 'kept'")
    RunStep.objects.update(activity_details={"done": 8, "total": 9, "model": "champion"})
    expect(runs).to_contain_text("evaluate: 8/9 champion")
    assert page.evaluate("document.body.dataset.mark") == "kept"
