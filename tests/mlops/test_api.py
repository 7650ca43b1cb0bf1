import pytest
from django.contrib.auth.models import Permission

from mlops.models import DriftReport, ModelVersion, PipelineRun
from mlops.services import check_drift, promote
from tests.factories import UserFactory
from tests.mlops.site import make_version


def staff(*permissions: str):
    user = UserFactory(is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    return user


@pytest.fixture
def as_sam(api, sam):
    api.force_authenticate(sam)
    return api


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("get", "models/"),
        ("get", "models/1/"),
        ("post", "models/1/promote/"),
        ("post", "models/rollback/"),
        ("get", "runs/"),
        ("post", "runs/"),
        ("post", "runs/1/cancel/"),
        ("get", "drift/"),
    ],
)
def test_all_of_it_is_for_staff_alone(api, alice, method, path):
    address = f"/api/v1/{path}"
    assert getattr(api, method)(address).status_code == 401
    api.force_authenticate(alice)
    assert getattr(api, method)(address).status_code == 403


def test_models_with_their_figures_and_verdict(as_sam, alice, quick):
    version = make_version()

    listed = as_sam.get("/api/v1/models/").json()["results"]
    shown = as_sam.get(f"/api/v1/models/{version.pk}/").json()

    assert [(row["version"], row["status"], row["ndcg"]) for row in listed] == [(version.pk, "candidate", 0.2)]
    assert shown["figures"]["differences"]["popular"]["low"] == 0.08
    assert (shown["verdict"]["decision"], shown["verdict"]["rules"]) == ("passed", [])
    assert shown["data_hash"] == version.snapshot.content_hash
    assert as_sam.get("/api/v1/models/?status=champion").json()["results"] == []


def test_a_model_that_is_not_there(as_sam, quick):
    for answer in (as_sam.get("/api/v1/models/99/"), as_sam.post("/api/v1/models/99/promote/")):
        assert (answer.status_code, set(answer.json())) == (404, {"error"})


def test_promote_and_roll_back(as_sam, sam, alice, quick):
    first, second = make_version(), make_version()
    promote(version=first.pk)

    answer = as_sam.post(f"/api/v1/models/{second.pk}/promote/", {"reason": "newer"}, format="json")
    assert answer.status_code == 200, answer.json()
    assert {name: answer.json()[name] for name in ("version", "previous", "kind", "promoted_by", "reason")} == {
        "version": second.pk,
        "previous": first.pk,
        "kind": "promoted",
        "promoted_by": "sam",
        "reason": "newer",
    }
    answer = as_sam.post("/api/v1/models/rollback/")
    assert (answer.status_code, answer.json()["version"]) == (200, first.pk)
    answer = as_sam.post("/api/v1/models/rollback/")
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "nothing_to_roll_back_to")
    answer = as_sam.post("/api/v1/models/rollback/", {"to": second.pk}, format="json")
    assert (answer.status_code, answer.json()["version"]) == (200, second.pk)


def test_a_refused_model_needs_force_a_reason_and_the_permission(api, alice, quick):
    version = make_version(decision="refused")
    address = f"/api/v1/models/{version.pk}/promote/"

    api.force_authenticate(staff("promote_modelversion"))
    answer = api.post(address, {}, format="json")
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "not_promotable")
    assert api.post(address, {"force": True, "reason": "urgent"}, format="json").status_code == 403
    api.force_authenticate(staff("force_modelversion"))
    answer = api.post(address, {"force": True}, format="json")
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "reason_required")
    assert api.post(address, {"force": True, "reason": "urgent"}, format="json").json()["kind"] == "forced"


def test_staff_without_the_permission_may_look_but_not_act(api, alice, quick):
    version = make_version()
    api.force_authenticate(staff())

    assert api.get("/api/v1/models/").status_code == 200
    assert api.post(f"/api/v1/models/{version.pk}/promote/").status_code == 403
    assert api.post("/api/v1/models/rollback/").status_code == 403
    assert api.post("/api/v1/runs/").status_code == 403
    assert ModelVersion.objects.filter(status="champion").count() == 0


def test_start_look_at_and_cancel_a_training(as_sam, quick):
    answer = as_sam.post("/api/v1/runs/", {"algorithm": "ease"}, format="json")
    assert (answer.status_code, answer.json()["status"], answer.json()["started_by"]) == (202, "queued", "sam")
    run = answer.json()["id"]
    answer = as_sam.post("/api/v1/runs/")
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "training_already_active")
    assert as_sam.post(f"/api/v1/runs/{run}/cancel/").json()["status"] == "cancelled"
    assert as_sam.post(f"/api/v1/runs/{run}/cancel/").status_code == 409
    answer = as_sam.post("/api/v1/runs/", {"algorithm": "magic"}, format="json")
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "unknown_algorithm")
    assert as_sam.get(f"/api/v1/runs/{run}/").json()["steps"] == []
    assert [row["id"] for row in as_sam.get("/api/v1/runs/?trigger=api").json()["results"]] == [run]


def test_drift_reports(as_sam, quick):
    check_drift()

    (report,) = as_sam.get("/api/v1/drift/").json()["results"]
    assert (report["status"], report["id"]) == ("insufficient_data", DriftReport.objects.get().pk)


@pytest.mark.parametrize("path", ["models/", "runs/"])
def test_a_list_costs_the_same_for_many_rows(as_sam, alice, quick, django_assert_max_num_queries, path):
    for _ in range(6):
        run = PipelineRun.objects.create(trigger="api", algorithm="ease", status="succeeded")
        make_version(run=run)

    with django_assert_max_num_queries(3):
        assert len(as_sam.get(f"/api/v1/{path}").json()["results"]) == 6


@pytest.mark.parametrize("number", [2**63, 10**30])
def test_a_number_that_no_row_can_have_is_not_found(as_sam, alice, quick, number):
    promote(version=make_version().pk)

    answers = [
        as_sam.get(f"/api/v1/models/{number}/"),
        as_sam.post(f"/api/v1/models/{number}/promote/"),
        as_sam.post("/api/v1/models/rollback/", {"to": number}, format="json"),
        as_sam.post(f"/api/v1/runs/{number}/cancel/"),
    ]

    assert [answer.status_code for answer in answers] == [404] * 4
