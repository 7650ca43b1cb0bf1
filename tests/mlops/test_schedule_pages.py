"""Pages handle any row, and the admin's forms accept only schedules that Beat can run."""

from zoneinfo import ZoneInfo

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.admin.templatetags.admin_urls import admin_urlname
from django.contrib.auth.models import Permission
from django.urls import reverse
from django_celery_beat.models import CrontabSchedule, IntervalSchedule, PeriodicTask

from tests.factories import UserFactory
from tests.mlops.schedule_rows import odd_rows

__all__ = ["odd_rows"]


def test_odd_rows_break_no_page(client, sam, odd_rows):
    client.force_login(sam)
    page = client.get("/mlops/?tab=schedules")
    shown = {row.name: (when, next_at) for row, when, next_at in page.context["schedules"]}
    assert "day_of_week" in shown["weekday 7"][0]
    assert "Mars/Olympus" in shown["unknown zone"][0]
    assert {shown[name][1] for name in odd_rows} == {None}

    for path in ("", *(f"{pk}/change/" for pk in PeriodicTask.objects.values_list("pk", flat=True))):
        assert client.get(f"/admin/django_celery_beat/periodictask/{path}").status_code == 200, path
    for path in ("", *(f"{pk}/change/" for pk in CrontabSchedule.objects.values_list("pk", flat=True))):
        assert client.get(f"/admin/django_celery_beat/crontabschedule/{path}").status_code == 200, path


@pytest.mark.parametrize("model", list(apps.get_app_config("django_celery_beat").get_models()))
def test_odd_rows_break_no_page_of_staff_who_may_only_view(client, odd_rows, model):
    viewer = UserFactory(is_staff=True)
    viewer.user_permissions.set(
        Permission.objects.filter(content_type__app_label="django_celery_beat", codename__startswith="view_")
    )
    client.force_login(viewer)
    assert client.get("/mlops/?tab=schedules").status_code == 200
    if model in admin.site._registry:
        pages = reverse(admin_urlname(model._meta, "changelist"))
        for path in ("", *(f"{pk}/change/" for pk in model.objects.values_list("pk", flat=True))):
            assert client.get(f"{pages}{path}").status_code == 200, path


@pytest.mark.wording
@pytest.mark.parametrize(
    ("model", "fields", "expected"),
    [
        ("crontabschedule", {"day_of_week": "7"}, "day_of_week"),
        ("crontabschedule", {"day_of_month": "30", "month_of_year": "2"}, "never occurs"),
        ("intervalschedule", {"every": "1", "period": "microseconds"}, "interval"),
        ("periodictask", {"args": '{"a": 1}'}, "args"),
    ],
)
def test_the_admin_says_what_is_expected(client, sam, model, fields, expected):
    client.force_login(sam)
    hourly = IntervalSchedule.objects.create(every=1, period="hours")
    valid = {
        "crontabschedule": dict.fromkeys(("minute", "hour", "day_of_week", "day_of_month", "month_of_year"), "*")
        | {"timezone": "UTC"},
        "intervalschedule": {"every": "2", "period": "hours"},
        "periodictask": {"name": "a", "task": "mlops.prune", "interval": hourly.pk, "args": "[]", "kwargs": "{}"}
        | {"headers": "{}", "enabled": "on"},
    }[model]
    valid |= {"periodictask_set-TOTAL_FORMS": 0, "periodictask_set-INITIAL_FORMS": 0}
    url = f"/admin/django_celery_beat/{model}/add/"

    refused = client.post(url, valid | fields)

    assert refused.status_code == 200
    assert any(expected in text for text in refused.context["adminform"].form.non_field_errors())
    assert client.post(url, valid).status_code == 302


def test_an_unknown_zone_is_shown_in_its_form_and_not_replaced(client, sam, odd_rows):
    client.force_login(sam)
    row = PeriodicTask.objects.get(name="unknown zone").crontab
    url = f"/admin/django_celery_beat/crontabschedule/{row.pk}/change/"
    form = client.get(url).context["adminform"].form
    assert form.initial["timezone"] == form.fields["timezone"].choices[0][0] == "Mars/Olympus"

    no_tasks = {"periodictask_set-TOTAL_FORMS": 0, "periodictask_set-INITIAL_FORMS": 0}
    refused = client.post(url, form.initial | no_tasks)
    assert "Mars/Olympus" in str(refused.context["adminform"].form.errors)
    assert client.post(url, form.initial | no_tasks | {"timezone": "Asia/Tokyo"}).status_code == 302
    row.refresh_from_db()
    assert row.timezone == ZoneInfo("Asia/Tokyo")
