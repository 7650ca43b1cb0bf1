"""The model card shows a version's stored data. It is the same everywhere and names no person."""

import pytest
import yaml
from django.core.management import call_command
from django.urls import reverse
from django.utils.translation import override

from catalog.models import Source
from mlops.models import GateDecision, ModelVersion
from mlops.registry.mlflow_client import connect
from mlops.registry.model_card import TERMS, card_file, model_card, model_card_html, write_card
from mlops.services import prune, refuse, sync_registry
from tests.mlops.site import FIGURES, make_snapshot, make_version


@pytest.fixture
def trained(rated_site) -> ModelVersion:
    call_command("train_model")
    return ModelVersion.objects.get()


@pytest.mark.wording
def test_a_training_writes_the_card_beside_the_artefact(trained, settings):
    card = card_file(trained).read_text(encoding="utf-8")

    assert card == model_card(trained)
    head, body = card.removeprefix("---\n").split("---\n\n", 1)
    [result] = yaml.safe_load(head)["model-index"][0]["results"]
    assert result["dataset"]["revision"] == trained.snapshot.content_hash
    assert {"type": "ndcg", "value": round(trained.ndcg, 4)} in result["metrics"]
    for part in (trained.artifact_checksum, "| regularization | 20", "history 20 plus", "Passed."):
        assert part in body
    summary = trained.figures["models"]["popular"]["summary"]
    assert f"| {summary['ndcg']:.4f} | {summary['recall']:.4f} |" in body


@pytest.mark.wording
def test_limits_are_computed_from_the_data(trained):
    facts = trained.figures["data"]
    assert (facts["n_movies"], facts["rated"]) == (90, 1.0)
    assert facts["top"] == pytest.approx(0.23, abs=0.1)
    assert facts["with"]["genres"] == 0.0
    card = model_card(trained)

    assert "0.0% of the 90 movies have no rating: the model never recommends them." in card
    assert "genres 100.0%" in card
    assert f"have {facts['top']:.1%} of the ratings" in card
    coverage = trained.figures["models"]["candidate"]["summary"]["coverage"]
    assert f"contain {coverage:.1%} of the movies" in card
    small = trained.figures["models"]["candidate"]["slices"]["history_20_plus"]["n_users"]
    assert f"history 20 plus ({small})" in card
    interval = trained.figures["slice_intervals"]["history_20_plus"]
    assert f"[{interval['low']:.4f}, {interval['high']:.4f}]" in card


@pytest.mark.parametrize("source", Source.values)
def test_every_source_of_data_has_its_terms(alice, quick, source):
    card = model_card(make_version(snapshot=make_snapshot(sources=[source])))

    assert f"| {Source(source).label} | {TERMS[source]} |" in card


def test_a_source_of_a_later_version_is_named(alice, quick):
    card = model_card(make_version(snapshot=make_snapshot(sources=["wikipedia"])))

    assert "| wikipedia | not known here |" in card


def test_the_card_is_the_same_in_every_language(alice, quick, sam):
    version = make_version()
    card = model_card(version)
    with override("vi"):
        assert model_card(version) == card
    refuse(version=version.pk, by=sam, reason="as Alice Doe asked")

    assert model_card(ModelVersion.objects.get(pk=version.pk)) == card
    assert "sam" not in card.split()


@pytest.mark.wording
def test_an_older_version_says_what_was_not_recorded(alice, quick):
    card = model_card(make_version(figures={}, decision=None))

    assert "The coverage of the data was not recorded" in card
    assert "The gate has not decided yet." in card
    assert "not recorded | not recorded" in card


def test_nothing_in_a_card_becomes_html(alice, quick):
    version = make_version(chosen={"<script>alert(1)</script>": "[x](javascript:alert(1))"}, figures=FIGURES)

    html = model_card_html(version)

    assert "<script" not in html
    assert "href" not in html
    assert "<h2>Limits</h2>" in html


def test_the_admin_shows_it_and_offers_the_file(client, alice, sam, quick):
    version = make_version()
    address = reverse("admin:mlops_modelversion_card", args=[version.pk])
    client.force_login(sam)

    assert address in client.get(reverse("admin:mlops_modelversion_change", args=[version.pk])).content.decode()
    assert "<h3>By slice</h3>" in client.get(address).content.decode()
    file = client.get(f"{address}?download")
    assert (file.content.decode(), file["Content-Type"]) == (model_card(version), "text/markdown; charset=utf-8")
    assert f"version-{version.pk}.md" in file["Content-Disposition"]


def test_retention_removes_it_with_the_artefact(alice, quick):
    versions = [make_version(decision="refused", status="refused") for _ in range(5)]
    for version in versions:
        write_card(version)

    prune()

    assert [card_file(version).exists() for version in versions] == [False, False, True, True, True]


@pytest.mark.wording
def test_mlflow_holds_the_card_of_the_last_decision(trained, own_store):
    sync_registry()
    trained.refresh_from_db()

    def logged() -> str:
        return connect().artifacts.load_text(f"runs:/{trained.mlflow_run_id}/model_card.md")

    assert logged() == model_card(trained)
    GateDecision.objects.create(version=trained, outcome="refused", rules=[])
    sync_registry()
    assert "Refused." in logged()
    assert logged() == model_card(trained)
