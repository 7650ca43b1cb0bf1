"""Every page of the admin in a real browser: `visit` fails on whatever the Content-Security-Policy blocks."""

import re
from typing import Any

import pytest
from django.conf import settings
from django.contrib import admin
from django.db.models import Model
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django_celery_beat.models import PeriodicTask
from playwright.sync_api import Page, expect

from mlops.schedules import ensure_schedules
from tests.mlops.site import make_version

pytestmark = [pytest.mark.slow, pytest.mark.browser, pytest.mark.django_db(transaction=True)]

VALUES: dict[str, Any] = {
    "BooleanField": True,
    "DateField": timezone.now().date(),
    "DateTimeField": timezone.now(),
    "JSONField": {},
    "CharField": "x",
    "TextField": "x",
    "SlugField": "x",
}


def row_of(model: type[Model]) -> Model:
    """A row that is there, else a new one with what it must have."""
    return model._base_manager.first() or model._base_manager.create(
        **{
            field.name: _value_of(field)
            for field in model._meta.concrete_fields
            if not (field.null or field.blank or field.has_default() or field.auto_created)
            and not (field.is_relation and field.remote_field.parent_link)
        }
    )


def _value_of(field: Any) -> Any:
    if field.is_relation:
        return row_of(field.related_model)
    return field.choices[0][0] if field.choices else VALUES.get(field.get_internal_type(), 1)


@pytest.fixture
def staff_page(visit, sam) -> Page:
    page = visit(viewport={"width": 1280, "height": 900})
    client = Client()
    client.force_login(sam)
    name = settings.SESSION_COOKIE_NAME
    page.goto("/healthz")
    page.context.add_cookies([{"name": name, "value": client.cookies[name].value, "url": page.url}])
    return page


def test_no_page_of_a_model_breaks_the_policy(staff_page, alice, quick):
    ensure_schedules()
    make_version()
    for model, its_admin in admin.site._registry.items():
        base = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        addresses = [reverse(f"{base}_changelist"), reverse(f"{base}_change", args=[row_of(model).pk])]
        request = type("Request", (), {"user": alice.__class__.objects.get(username="sam")})()
        if its_admin.has_add_permission(request):
            addresses.append(reverse(f"{base}_add"))
        for address in addresses:
            answer = staff_page.goto(address)
            assert answer is not None and answer.ok, address
            # A table of one row leads to it.
            assert staff_page.url.endswith((address, addresses[1]) if address == addresses[0] else address)
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
    page.get_by_role("button", name="Save and continue editing").click()
    row = PeriodicTask.objects.select_related("crontab").get(name="by hand")
    assert (row.task, row.crontab.minute, row.crontab.hour) == ("mlops.prune", "5", "4")
    expect(page.locator(".field-crontab")).to_contain_text(re.compile("04:05"))
    expect(page.locator(".field-crontab_translation")).to_be_hidden()

    page.locator("#id_crontab").select_option("")
    expect(page.locator(".field-crontab")).not_to_contain_text(re.compile("04:05.*At", re.DOTALL))
    add_by_popup(page, "interval", every="3", period="hours")
    page.get_by_role("button", name="Save and continue editing").click()
    row.refresh_from_db()
    assert (row.crontab, row.interval.every, row.interval.period) == (None, 3, "hours")

    page.locator("#id_interval").select_option("")
    add_by_popup(page, "clocked", clocked_time_0="2027-01-01", clocked_time_1="12:00:00")
    page.locator("#id_one_off").check()
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator(".messagelist")).to_contain_text("was changed successfully")
    row.refresh_from_db()
    assert (row.interval, row.clocked.clocked_time.year, row.one_off) == (None, 2027, True)
