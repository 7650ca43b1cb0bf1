"""The staff dashboard for people without knowledge of metrics: its headline, buttons and explanations."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.utils import timezone

from catalog.models import User
from mlops.dashboard.meanings import TERMS
from mlops.dashboard.page import TABS
from mlops.findings import Outcome
from mlops.models import Alert, DriftReport, ModelVersion, OnlineMetrics, PipelineRun, Promotion
from mlops.monitoring.codes import AlertCode
from mlops.services import promote
from tests.factories import UserFactory
from tests.mlops.site import FIGURES, make_version
from tests.processes import ROOT

pytestmark = pytest.mark.django_db

ACTIONS = ["train", "promote", "roll-back", "check-drift"]
EVALUATED = FIGURES | {"interval": {"mean": 0.2, "low": 0.18, "high": 0.22, "n_users": 400, "n_rows": 800}}


def sentence(client: Client) -> str:
    return client.get("/mlops/").context["headline"].sentence


@pytest.fixture
def staff(client, sam) -> Client:
    client.force_login(sam)
    return client


@pytest.fixture
def champion(alice, quick) -> ModelVersion:
    version = make_version(figures=EVALUATED)
    promote(version=version.pk)
    return version


SHOWN = "{} new likes were in the list shown before. The popular list would have included {}."


@pytest.mark.wording
@pytest.mark.parametrize(
    ("hits", "popular_hits", "state", "shown"),
    [
        (30, 10, "Healthy", ("3 of 10", 1)),
        (17, 12, "Not clearly better than popularity", ("17 of 100", 12)),
        (10, 30, "Worse than popularity", ("1 of 10", 3)),
    ],
)
def test_it_opens_with_what_people_liked_next(staff, champion, hits, popular_hits, state, shown):
    for days in (0, 1):
        day = (timezone.now() - timedelta(days=days)).date()
        OnlineMetrics.objects.create(version=champion, day=day, n=100, n_shown=60, hits=hits, popular_hits=popular_hits)
    unknown = {"n": 1000, "hits": 1000, "popular_hits": None}  # before the popular list was scored
    OnlineMetrics.objects.create(version=champion, day=timezone.now().date() - timedelta(days=3), **unknown)

    headline = staff.get("/mlops/").context["headline"]

    assert headline.sentence == f"{state}: {SHOWN.format(*shown)}"
    assert headline.basis.startswith("Based on 200 likes from the last 28 days. 120 followed a recorded list")


@pytest.mark.wording
def test_with_few_likes_it_says_what_the_evaluation_found(staff, champion):
    OnlineMetrics.objects.create(version=champion, day=timezone.now().date(), n=99, hits=0, popular_hits=99)

    headline = staff.get("/mlops/").context["headline"]

    assert headline.sentence == (
        "Healthy: Before promotion, the model's lists included 4 of 10 next likes and the popular list 2."
    )
    assert headline.basis == (
        "Based on 800 lists for 400 users and ratings that the model had not seen. "
        "Likes scored in the last 28 days: 99."
    )


@pytest.mark.wording
def test_without_figures_it_claims_nothing(staff, alice, quick):
    assert sentence(staff) == "No model is served yet. Lists show popular and new movies."

    version = make_version(figures={})
    promote(version=version.pk)

    assert sentence(staff) == f"Version {version.pk} is served. There is not enough data yet to measure its quality."


@pytest.mark.wording
def test_open_alerts_come_first(staff, champion):
    Alert.objects.create(code=AlertCode.DRIFT)

    headline = staff.get("/mlops/").context["headline"]

    assert headline.sentence.startswith("Needs attention: 1 alert is open. Healthy: Before promotion")
    assert headline.outcome == Outcome.ALERT


def test_the_champion_s_own_page_opens_with_it_too(admin_client, champion):
    said = sentence(admin_client)

    page = admin_client.get(f"/admin/mlops/modelversion/{champion.pk}/change/").content.decode()

    assert said.replace("'", "&#x27;") in page


def test_train_queues_a_run_that_the_page_follows(admin_client, quick):
    page = admin_client.post("/mlops/train/", follow=True)

    run = PipelineRun.objects.get()
    assert (run.trigger, run.requested_by.is_superuser, run.status) == ("admin", True, "queued")
    assert page.redirect_chain == [("/mlops/", 302)]
    assert "/mlops/runs/?busy" in page.content.decode()
    assert admin_client.post("/mlops/train/", follow=True).context["messages"]._loaded_data[0].level_tag == "error"
    PipelineRun.objects.update(status="succeeded")
    assert admin_client.get("/mlops/runs/?busy").headers["HX-Refresh"] == "true"
    assert "HX-Refresh" not in admin_client.get("/mlops/runs/").headers


def test_promote_names_the_version_and_keeps_the_reason(admin_client, champion):
    waiting = make_version(figures=EVALUATED)
    make_version(decision="refused")
    assert admin_client.get("/mlops/").context["waiting"] == waiting

    admin_client.post("/mlops/promote/", {"version": waiting.pk, "reason": " "})
    assert ModelVersion.champion() == champion
    admin_client.post("/mlops/promote/", {"version": waiting.pk, "reason": "Better on newcomers."})

    assert ModelVersion.champion() == waiting
    assert (Promotion.objects.first().reason, Promotion.objects.first().kind) == ("Better on newcomers.", "promoted")
    assert admin_client.get("/mlops/").context["waiting"] is None


def test_promote_does_not_pass_by_the_gate(admin_client, champion):
    refused = make_version(decision="refused")

    admin_client.post("/mlops/promote/", {"version": refused.pk, "reason": "Trust me."})

    assert ModelVersion.champion() == champion


def test_roll_back_restores_the_predecessor(admin_client, champion):
    newer = make_version(figures=EVALUATED)
    promote(version=newer.pk)
    assert admin_client.get("/mlops/").context["back_to"] == champion

    admin_client.post("/mlops/roll-back/", {"version": champion.pk})

    assert ModelVersion.champion() == champion
    assert Promotion.objects.first().kind == "rolled_back"


@pytest.mark.parametrize("version", ["", "abc", "²", "99999999999999999999"])
def test_a_version_that_is_no_number_is_not_found(admin_client, version):
    assert admin_client.post("/mlops/roll-back/", {"version": version}).status_code == 404


def test_check_drift_asks_a_worker_and_waits(admin_client, monkeypatch):
    sent: list[str] = []
    monkeypatch.setattr("mlops.dashboard.views.send", lambda task, **options: not sent.append(task))

    page = admin_client.post("/mlops/check-drift/", follow=True).content.decode()

    assert sent == ["mlops.check_drift"]
    assert "/mlops/runs/?busy" in page
    DriftReport.objects.create(status="ok", checks=[], window_start=timezone.now(), window_end=timezone.now())
    assert admin_client.get("/mlops/runs/?busy").headers["HX-Refresh"] == "true"
    assert "?busy" not in admin_client.get("/mlops/").content.decode()


@pytest.mark.wording
def test_check_drift_says_when_no_worker_can_be_asked(admin_client, monkeypatch):
    monkeypatch.setattr("mlops.dashboard.views.send", lambda task, **options: False)

    page = admin_client.post("/mlops/check-drift/", follow=True).content.decode()

    assert "The task queue is not responding" in page
    assert "?busy" not in page


@pytest.mark.parametrize("action", ACTIONS)
def test_each_button_needs_its_permission(client, nora, action, champion):
    address = f"/mlops/{action}/"
    assert client.post(address).headers["Location"].startswith("/accounts/sign-in/")
    client.force_login(nora)
    assert client.post(address).status_code == 404
    client.force_login(UserFactory(is_staff=True))
    assert client.post(address).status_code == 403
    assert client.get(address).status_code == 405
    assert f'action="{address}"' not in client.get("/mlops/").content.decode()


def test_a_permission_shows_its_button_alone(client, champion):
    user: User = UserFactory(is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="start_training"))
    client.force_login(user)

    page = client.get("/mlops/").content.decode()

    assert [action for action in ACTIONS if f'action="/mlops/{action}/"' in page] == ["train"]


@pytest.mark.parametrize("tab", TABS)
def test_each_figure_has_its_meaning(staff, champion, tab):
    page = staff.get(f"/mlops/?tab={tab}").content.decode()

    assert TABS[tab].terms
    for code in TABS[tab].terms:
        assert f'id="means-{code}"' in page
    assert "means-" + '"' not in page.replace("&#x27;", "'")  # a term that the tab does not list


@pytest.mark.wording
def test_the_documents_explain_the_same_figures():
    page = (ROOT / "docs" / "mlops.md").read_text(encoding="utf-8")

    assert [code for code, term in TERMS.items() if f"| {term.name} | {term.meaning} |" not in page] == []


def test_other_programs_are_linked_where_they_are_known(staff, settings):
    settings.STAFF_LINKS = {"MLflow": "https://mlflow.example.org", "Flower": ""}

    page = staff.get("/mlops/").content.decode()

    assert '<a href="https://mlflow.example.org">MLflow</a>' in page
    assert "Flower" not in page
