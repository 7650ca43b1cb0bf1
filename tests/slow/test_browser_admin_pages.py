"""Every admin page in a browser. `visit` fails if the Content-Security-Policy blocks anything."""

import re

import pytest
from django.conf import settings
from django.test import Client
from django_celery_beat.models import PeriodicTask
from playwright.sync_api import Page, expect

from tests.mlops.test_admin_pages import admin_pages
from tests.slow.pages import follow

pytestmark = [pytest.mark.slow, pytest.mark.once, pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def staff_page(visit, sam) -> Page:
    page = visit(viewport={"width": 1280, "height": 900})
    client = Client()
    client.force_login(sam)
    name = settings.SESSION_COOKIE_NAME
    page.goto("/healthz")
    page.context.add_cookies([{"name": name, "value": client.cookies[name].value, "url": page.url}])
    return page


def test_no_page_of_a_model_breaks_the_policy(staff_page, sam, alice, quick):
    for address, arrived in admin_pages(sam):
        answer = staff_page.goto(address)
        assert answer is not None and answer.ok, address
        assert staff_page.url.endswith(arrived)
        expect(staff_page.locator("#content-main")).to_be_attached()


def add_by_popup(page: Page, field: str, **values: str) -> None:
    with page.expect_popup() as opened:
        page.locator(f"#add_id_{field}").click()
    popup = opened.value
    for name, value in values.items():
        control = popup.locator(f"#id_{name}")
        control.select_option(value) if control.evaluate("e => e.tagName") == "SELECT" else control.fill(value)
    with popup.expect_event("close"):
        popup.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator(f"#id_{field}")).not_to_have_value("")


def test_a_schedule_is_made_and_changed_with_its_popups(staff_page, db):
    page = staff_page
    page.goto("/admin/django_celery_beat/periodictask/add/")
    page.locator("#id_name").fill("by hand")
    page.locator("#id_regtask").select_option("mlops.prune")
    add_by_popup(page, "crontab", minute="5", hour="4")
    follow(page.get_by_role("button", name="Save and continue editing"))
    row = PeriodicTask.objects.select_related("crontab").get(name="by hand")
    assert (row.task, row.crontab.minute, row.crontab.hour) == ("mlops.prune", "5", "4")
    expect(page.locator(".field-crontab")).to_contain_text(re.compile("04:05"))
    expect(page.locator(".field-crontab_translation")).to_be_hidden()

    page.locator("#id_crontab").select_option("")
    expect(page.locator(".field-crontab")).not_to_contain_text(re.compile("04:05.*At", re.DOTALL))
    add_by_popup(page, "interval", every="3", period="hours")
    follow(page.get_by_role("button", name="Save and continue editing"))
    row.refresh_from_db()
    assert (row.crontab, row.interval.every, row.interval.period) == (None, 3, "hours")

    page.locator("#id_interval").select_option("")
    add_by_popup(page, "clocked", clocked_time_0="2027-01-01", clocked_time_1="12:00:00")
    page.locator("#id_one_off").check()
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator(".messagelist")).to_contain_text("was changed successfully")
    row.refresh_from_db()
    assert (row.interval, row.clocked.clocked_time.year, row.one_off) == (None, 2027, True)
