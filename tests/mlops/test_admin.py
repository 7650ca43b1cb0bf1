import pytest
from django.contrib.auth.models import Permission
from django.urls import reverse
from django.utils.html import escape

from catalog.models import Movie
from mlops.models import GateDecision, ModelVersion, PipelineRun, Promotion, RunStep
from mlops.monitoring.auto_rollback import assess
from mlops.services import check_drift, promote
from tests.factories import UserFactory
from tests.mlops.site import figures_beside_a_champion, make_version, rule

VIEWS = [f"view_{name}" for name in ("pipelinerun", "modelversion", "promotion", "gatedecision", "driftreport")]


@pytest.fixture
def browser(client, sam):
    client.force_login(sam)
    return client


@pytest.fixture
def onlooker(client, db):
    """Staff that may look at everything and do nothing."""
    user = UserFactory(is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=VIEWS))
    client.force_login(user)
    return client


def url(name: str, *args: int) -> str:
    return reverse(f"admin:mlops_{name}", args=args)


def refused_version() -> ModelVersion:
    return make_version(decision="refused", rules=[rule("Too slow.", "failed")])


def test_the_admin_links_to_the_dashboard(browser):
    page = browser.get(reverse("admin:index"))

    assert f'href="{reverse("mlops:dashboard")}"' in page.content.decode()
    assert browser.get(reverse("mlops:dashboard")).status_code == 200


@pytest.mark.wording
def test_train_now_queues_a_run_and_shows_it(browser, sam, quick):
    page = browser.get(url("pipelinerun_changelist"))
    assert "Train now" in page.content.decode()

    page = browser.post(url("pipelinerun_train"), follow=True)

    run = PipelineRun.objects.get()
    assert (run.status, run.trigger, run.requested_by) == ("queued", "admin", sam)
    text = page.content.decode()
    assert f"Training run {run.pk} has been queued." in text
    assert "Waiting for a training worker" in text
    assert "Train now" not in browser.get(url("pipelinerun_changelist")).content.decode()
    page = browser.post(url("pipelinerun_train"), follow=True)
    assert "Only one training can run at a time" in page.content.decode()


@pytest.mark.wording
def test_a_run_shows_its_steps_live_and_reloads_at_its_end(browser, quick):
    run = PipelineRun.objects.create(
        status="running", trigger="admin", algorithm="ease", log="12:00 hello", share=0.41, remaining_seconds=200
    )
    RunStep.objects.create(run=run, name="fit", activity="fitting")

    fragment = browser.get(url("pipelinerun_progress", run.pk))
    text = fragment.content.decode()
    assert "fitting on all data" in text
    assert "12:00 hello" in text
    assert "41 %, about 3 min left" in text
    assert "every 2s" in text
    assert "HX-Refresh" not in fragment
    PipelineRun.objects.update(status="failed", outcome="step_failed", details={"error": "Too few ratings."})
    fragment = browser.get(url("pipelinerun_progress", run.pk))
    assert (fragment["HX-Refresh"], "every 2s" in fragment.content.decode()) == ("true", False)
    assert "Too few ratings." in browser.get(url("pipelinerun_change", run.pk)).content.decode()


@pytest.mark.wording
def test_cancel_and_start_again(browser, quick):
    run = PipelineRun.objects.create(status="running", trigger="admin", algorithm="popularity")

    assert "will stop shortly" in browser.post(url("pipelinerun_cancel", run.pk), follow=True).content.decode()
    run.refresh_from_db()
    assert run.cancel_requested_at is not None
    PipelineRun.objects.update(status="errored")
    browser.post(url("pipelinerun_again", run.pk))
    again = PipelineRun.objects.first()
    assert (again.pk > run.pk, again.status, again.algorithm) == (True, "queued", "popularity")


@pytest.mark.wording
def test_a_version_shows_figures_intervals_and_the_decision(browser, alice, quick):
    version = refused_version()

    text = browser.get(url("modelversion_change", version.pk)).content.decode()

    for shown in ("+0.1000 [+0.0800, +0.1200]", "0.2000", "Too slow.", "refused", "Force"):
        assert shown in text
    assert browser.get(url("modelversion_changelist")).status_code == 200


@pytest.mark.wording
def test_promoting_asks_first_and_for_a_reason(browser, sam, alice, quick):
    first, second = make_version(), make_version()
    promote(version=first.pk)
    address = url("modelversion_promote", second.pk)

    assert "will replace version" in browser.get(address).content.decode()
    assert ModelVersion.objects.get(status="champion") == first
    assert "reason" in browser.post(address, {"reason": " "}).context["form"].errors
    page = browser.post(address, {"reason": "better lists"}, follow=True)

    assert f"Version {second.pk} is now the champion" in page.content.decode()
    promotion = Promotion.objects.first()
    assert (promotion.version, promotion.promoted_by, promotion.kind) == (second, sam, "promoted")


@pytest.mark.wording
def test_rolling_back_takes_one_click_wherever_one_looks(browser, sam, alice, quick):
    first, second, third = make_version(), make_version(), make_version()
    for version in (first, second, third):
        promote(version=version.pk)
    for page in (url("modelversion_changelist"), url("modelversion_change", third.pk)):
        assert f"Roll back to version {second.pk}<" in browser.get(page).content.decode()
    assert f"Roll back to version {first.pk}<" in browser.get(url("modelversion_change", first.pk)).content.decode()
    assert browser.get(url("modelversion_rollback", first.pk)).status_code == 405

    page = browser.post(url("modelversion_rollback", second.pk), follow=True)

    assert f"Version {second.pk} is now the champion (rolled back)" in page.content.decode()
    browser.post(url("modelversion_rollback", first.pk), {"reason": "odd lists"})
    assert ModelVersion.objects.get(status="champion") == first
    entry = Promotion.objects.first()
    assert (entry.kind, entry.promoted_by, entry.reason) == ("rolled_back", sam, "odd lists")


@pytest.mark.wording
def test_refusing_asks_for_a_reason(browser, sam, alice, quick):
    version = make_version()
    address = url("modelversion_refuse", version.pk)
    assert ">Reject<" in browser.get(url("modelversion_change", version.pk)).content.decode()
    assert "It can then only be promoted by force" in browser.get(address).content.decode()

    page = browser.post(address, {"reason": "odd lists for children"}, follow=True)

    text = page.content.decode()
    assert "by sam: odd lists for children" in text
    assert (">Reject<" in text, ">Promote<" in text, ">Force promotion<" in text) == (False, False, True)
    assert "is not a candidate" in browser.post(address, {"reason": "again"}, follow=True).content.decode()


@pytest.mark.wording
def test_a_challenger_is_compared_with_the_champion_by_lists(browser, alice, quick):
    champion = make_version()
    promote(version=champion.pk)
    movies = list(Movie.objects.order_by("pk")[:4])
    change = {"n_ratings": 7, "comes": [movies[0].pk, 10**9], "goes": [movies[1].pk], "n_stays": 8}
    challenger = make_version(decision=None, figures=figures_beside_a_champion(sample=[change]))
    rules = [rule("Fine.", figure=0.5, interval=(0.4, 0.6))]
    GateDecision.objects.create(version=challenger, champion=champion, outcome="passed", rules=rules)

    text = browser.get(url("modelversion_change", challenger.pk)).content.decode()

    for shown in (
        "Comparison with the champion",
        "+0.0100 [+0.0050, +0.0150]",
        "Examples of changed lists",
        "7 ratings",
        "genre Drama",
    ):
        assert shown in text, shown
    assert (escape(str(movies[0])) in text, escape(str(movies[1])) in text, "12.5%" in text) == (True,) * 3
    assert "0.4000 to 0.6000" in text


def test_what_kept_a_model_from_passing_comes_first(browser, alice, quick):
    outcomes = ("passed", "not_judged", "failed", "not_enough_evidence")
    rules = [rule(f"It is {outcome}.", outcome) for outcome in outcomes]
    version = make_version(decision="refused", rules=rules)

    for page in (url("modelversion_change", version.pk), url("gatedecision_change", version.decisions.get().pk)):
        text = browser.get(page).content.decode()
        shown = sorted(outcomes, key=lambda outcome: text.index(f"It is {outcome}."))
        assert shown == ["failed", "not_enough_evidence", "passed", "not_judged"]


def test_page_of_the_champion_shows_its_health(browser, alice, quick):
    version = make_version()
    promote(version=version.pk)

    text = browser.get(url("modelversion_change", version.pk)).content.decode()

    for finding in assess().findings:
        assert finding.title in text
        assert finding.sentence in text


def test_forcing_says_what_the_gate_said(browser, alice, quick):
    version = refused_version()
    address = url("modelversion_promote", version.pk)

    assert "Too slow." in browser.get(address).content.decode()
    browser.post(address, {"reason": "the champion is broken"})

    assert Promotion.objects.get().kind == "forced"


@pytest.mark.wording
def test_a_version_with_broken_files_is_refused_with_the_reason(browser, alice, quick, settings):
    version = make_version()
    (settings.MODEL_DIR / version.artifact / "manifest.json").unlink()

    page = browser.post(url("modelversion_promote", version.pk), {"reason": "try"}, follow=True)

    assert "cannot be loaded" in page.content.decode()
    assert not Promotion.objects.exists()


def test_who_may_only_look_cannot_act(onlooker, alice, quick):
    version, refused = make_version(), refused_version()
    run = PipelineRun.objects.create(status="running", trigger="admin", algorithm="ease")

    for address in (
        url("pipelinerun_train"),
        url("pipelinerun_cancel", run.pk),
        url("pipelinerun_again", run.pk),
        url("modelversion_promote", version.pk),
        url("modelversion_promote", refused.pk),
        url("modelversion_refuse", version.pk),
        url("modelversion_rollback", version.pk),
    ):
        assert onlooker.post(address, {"reason": "me"}).status_code == 403, address
    for name, pk in (("modelversion", version.pk), ("pipelinerun", run.pk)):
        text = onlooker.get(url(f"{name}_change", pk)).content.decode()
        assert not any(f">{verb}<" in text for verb in ("Promote", "Refuse", "Force", "Cancel", "Start again")), name


def test_an_ordinary_user_sees_none_of_it(client, alice, quick):
    client.force_login(alice)

    assert client.get(url("pipelinerun_changelist")).status_code == 302
    assert client.post(url("pipelinerun_train")).status_code == 302
    assert not PipelineRun.objects.exists()


def test_the_audit_cannot_be_changed_or_removed(browser, alice, quick):
    promote(version=make_version().pk)
    promotion = Promotion.objects.get()

    assert browser.get(url("promotion_changelist")).status_code == 200
    assert browser.get(url("promotion_change", promotion.pk)).status_code == 200
    for address in (url("promotion_add"), url("promotion_delete", promotion.pk)):
        assert browser.post(address, {"post": "yes"}).status_code == 403
    assert browser.post(url("promotion_change", promotion.pk), {"reason": "other"}).status_code == 403
    promotion.refresh_from_db()
    assert promotion.reason == ""


def test_verdicts_snapshots_and_drift_reports_are_shown(browser, alice, quick):
    version = refused_version()
    report = check_drift()

    assert "Too slow." in browser.get(url("gatedecision_change", version.decisions.get().pk)).content.decode()
    assert browser.get(url("gatedecision_changelist")).status_code == 200
    assert browser.get(url("datasetsnapshot_change", version.snapshot.pk)).status_code == 200
    assert report.findings[0].title in browser.get(url("driftreport_change", report.pk)).content.decode()
    assert browser.get(url("modelversion_change", 10**6)).status_code == 302


@pytest.mark.parametrize("name", ["pipelinerun", "modelversion", "gatedecision", "promotion", "datasetsnapshot"])
def test_a_list_costs_the_same_for_many_rows(browser, alice, quick, django_assert_max_num_queries, name):
    for _ in range(6):
        version = make_version()
        promote(version=version.pk)
        PipelineRun.objects.create(status="failed", trigger="admin", algorithm="ease")

    with django_assert_max_num_queries(14):
        assert browser.get(url(f"{name}_changelist")).status_code == 200
