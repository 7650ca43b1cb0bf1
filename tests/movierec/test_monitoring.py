"""The files of deploy/monitoring are valid, tested, and refer to existing metrics and labels."""

import json
import math
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from django.db.models import TextChoices
from flower.events import PrometheusMetrics
from prometheus_client import REGISTRY
from prometheus_client.metrics import MetricWrapperBase
from prometheus_client.parser import text_string_to_metric_families

from benchmarks.dashboards import MONITORING, configuration
from mlops.dashboard.metrics import RowsCollector
from mlops.monitoring import codes
from movierec.policy import Policy
from tests.documents import anchors
from tests.processes import ROOT, answers, free_port, wait_for

pytestmark = pytest.mark.once

OF_PROMETHEUS = {"up": set(), "scrape_duration_seconds": set(), "ALERTS": {"alertname", "alertstate", "severity"}}
OF_A_TARGET = {"job", "instance"}
WORDS = {"and", "or", "unless", "by", "without", "on", "ignoring", "group_left", "group_right", "bool", "offset"}
LIMITS = {  # alert -> the default of the policy that its limit follows
    "ServerErrors": Policy().auto_rollback.max_error_share,
    "SlowLists": Policy().auto_rollback.max_latency_ms / 1000,
    "ChampionTooOld": 2 * Policy().retraining.champion_age_days * 86400,
}


def read(name: str) -> Any:
    return yaml.safe_load((MONITORING / name).read_text(encoding="utf-8"))


def rules(kind: str = "alert") -> dict[str, dict[str, Any]]:
    return {rule[kind]: rule for group in read("rules.yml")["groups"] for rule in group["rules"] if kind in rule}


def dashboards() -> dict[str, dict[str, Any]]:
    files = sorted((MONITORING / "grafana" / "dashboards").glob("*.json"))
    return {file.stem: json.loads(file.read_text(encoding="utf-8")) for file in files}


def queries() -> dict[str, tuple[str, str]]:
    """Where it stands -> query, and the text beside it that may name labels."""
    found = {name: (rule["expr"], " ".join(rule["annotations"].values())) for name, rule in rules().items()}
    found |= {name: (rule["expr"], "") for name, rule in rules("record").items()}
    for board, content in dashboards().items():
        for panel in content["panels"]:
            for target in panel["targets"]:
                found[f"{board}: {panel['title']} {target['refId']}"] = (target["expr"], target["legendFormat"])
    return found


def check(program: str, *words: str | Path) -> str:
    """Runs a program of Prometheus, which has to succeed; returns its output."""
    if shutil.which(program) is None:
        pytest.skip(f"{program} is not installed (on Debian: apt-get install prometheus prometheus-alertmanager)")
    done = subprocess.run([program, *words], cwd=MONITORING, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_prometheus_accepts_the_configuration(tmp_path):
    names = {file.stem: "127.0.0.1:9" for file in (MONITORING / "targets").glob("*.yml")}
    assert "SUCCESS" in check("promtool", "check", "config", configuration(tmp_path, "secret", **names))


def test_alertmanager_accepts_the_example():
    assert "SUCCESS" in check("amtool", "check-config", "alertmanager.yml")


def test_the_tests_of_the_rules_pass():
    assert "SUCCESS" in check("promtool", "test", "rules", "rules_test.yml")


def test_each_rule_is_tested_firing_and_silent():
    fires, silent = set(), set()
    for group in read("rules_test.yml")["tests"]:
        given = {re.match(r"\w+", series["series"])[0] for series in group["input_series"]}
        for test in group["promql_expr_test"]:
            name = re.search(r'alertname="(\w+)"', test["expr"])[1]
            named = set(metrics(rules()[name]["expr"]))
            named |= {part for rule in named & set(rules("record")) for part in metrics(rules("record")[rule]["expr"])}
            assert given & named, f"{name}: a test without its figures shows nothing"
            (fires if test.get("exp_samples") else silent).add(name)

    assert fires == silent == set(rules())


@pytest.mark.parametrize("alert", LIMITS)
def test_limits_follow_the_defaults_of_the_policy(alert):
    [limit] = re.findall(r"> ([\d.* ]+)$", rules()[alert]["expr"].strip(), re.MULTILINE)

    assert math.prod(float(factor) for factor in limit.split("*")) == pytest.approx(LIMITS[alert])


def test_each_rule_says_what_to_do():
    for name, rule in rules().items():
        page, _, anchor = rule["annotations"]["runbook"].partition("#")
        assert anchor in anchors(ROOT / page), name
        assert rule["annotations"].keys() == {"summary", "description", "runbook"}, name
        assert f"`{name}`" in (ROOT / page).read_text(encoding="utf-8")
        assert rule["labels"]["severity"] in {"critical", "warning"} or name == "SiteAlert"


def test_critical_alerts_of_the_site_exist():
    pattern = re.search(r'match "\^\((.*)\)\$"', rules()["SiteAlert"]["labels"]["severity"])[1]
    kinds = [kind for kind in vars(codes).values() if isinstance(kind, type) and issubclass(kind, TextChoices)]
    known = {str(code) for kind in kinds for code in kind.values}

    critical = {code for code in known if re.fullmatch(pattern, code)}
    assert len(critical) == 6  # as many as the pattern has alternatives


def metrics(query: str) -> list[str]:
    """The names of metrics in a query: all words that are no function, label, text, range or operator."""
    bare = re.sub(r'"[^"]*"|\{[^}]*\}|\[[^\]]*\]|\b(by|without|on|ignoring)\s*\([^)]*\)', " ", query)
    found = re.findall(r"(?<![\w.])([a-zA-Z_:][\w:]*)(?!\w*\s*\()", bare)
    return [name for name in found if name not in WORDS]


def labels(query: str, text: str) -> set[str]:
    """The labels that a query, or a text beside it, names."""
    bare = re.sub(r'"(?:[^"\\]|\\.)*"', '""', query)
    inside = ",".join(re.findall(r"\{([^}]*)\}", bare))
    found = set(re.findall(r"(\w+)\s*(?:=~|!~|!=|=)", inside))
    for group in re.findall(r"\b(?:by|without|on|ignoring)\s*\(([^)]*)\)", bare):
        found |= set(re.findall(r"\w+", group))
    return found | set(re.findall(r"\{\{\s*(?:\$labels\.)?(\w+)\s*\}\}", text))


def exported() -> dict[str, set[str]]:
    """Every metric that Prometheus gets -> its labels: of the site, Flower, the exporter and Prometheus itself."""
    flower = vars(PrometheusMetrics()).values()
    found = OF_PROMETHEUS | dict(_counted()) | _of_the_host()
    found |= {family.name: set(family._labelnames) for family in RowsCollector().collect()}
    for metric in flower:
        REGISTRY.unregister(metric)
    return found


def _counted() -> Iterator[tuple[str, set[str]]]:
    """Of the client library: each kind has names and labels of its own."""
    suffixes = {"counter": ["_total"], "histogram": ["_bucket", "_sum", "_count"], "gauge": [""]}
    for metric in REGISTRY._collector_to_names:
        if isinstance(metric, MetricWrapperBase):
            for suffix in suffixes[metric._type]:
                yield metric._name + suffix, {*metric._labelnames, *(["le"] if suffix == "_bucket" else [])}


def _of_the_host() -> dict[str, set[str]]:
    """A real scrape: which metrics there are depends on the system."""
    program, port = shutil.which("prometheus-node-exporter") or shutil.which("node_exporter"), free_port()
    if program is None:
        pytest.skip("the exporter of the host's figures is not installed (Debian: prometheus-node-exporter)")
    address = f"127.0.0.1:{port}"
    command = [program, f"--web.listen-address={address}"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as exporter:
        try:
            wait_for(lambda: answers(f"http://{address}/"), seconds=60, what="the exporter answers")
            text = httpx.get(f"http://{address}/metrics", timeout=60).text
        finally:
            exporter.kill()
    families = text_string_to_metric_families(text)
    return {sample.name: set(sample.labels) for family in families for sample in family.samples}


def test_metrics_and_labels_of_queries_are_exported(client, db):
    client.get("/healthz")  # django-prometheus makes its metrics with the middleware
    known = exported() | {name: {"task"} for name in rules("record")}
    for place, (query, text) in queries().items():
        named = metrics(query)
        assert named, place
        assert [name for name in named if name not in known] == [], place
        allowed = OF_A_TARGET.union(*(known[name] for name in named))
        assert labels(query, text) - {"value"} <= allowed, place


def test_queries_are_valid(tmp_path):
    """Prometheus parses each of them, as the rule that it would be."""
    numbered = enumerate(query.replace("$__rate_interval", "1m") for query, _ in queries().values())
    group = {"name": "all", "rules": [{"record": f"query_{number}", "expr": query} for number, query in numbered]}
    (tmp_path / "queries.yml").write_text(yaml.safe_dump({"groups": [group]}), encoding="utf-8")

    assert f"{len(queries())} rules found" in check("promtool", "check", "rules", tmp_path / "queries.yml")


@pytest.mark.django_db
def test_figures_of_the_database_are_not_summed():
    """Every web process shows the same ones."""
    shared = {family.name for family in RowsCollector().collect()}
    summed = re.compile(r"\b(?:sum|avg)(?: by \([^)]*\))? ?\((\w+)")

    assert [place for place, (query, _) in queries().items() if shared & set(summed.findall(query))] == []
    assert summed.findall("sum(a) + sum by (b) (c)") == ["a", "c"]


def test_dashboards_are_complete():
    source = read("grafana/provisioning/datasources/prometheus.yml")["datasources"][0]
    boards = dashboards()

    assert {board["uid"] for board in boards.values()} == {f"movierec-{name}" for name in boards}
    for name, board in boards.items():
        panels = board["panels"]
        assert len({panel["id"] for panel in panels}) == len({panel["title"] for panel in panels}) == len(panels)
        for panel in panels:
            place = f"{name}: {panel['title']}"
            assert panel["datasource"] == {"type": source["type"], "uid": source["uid"]}, place
            assert panel["description"].endswith("."), place
            assert panel["fieldConfig"]["defaults"]["unit"], place
            assert panel["gridPos"]["x"] + panel["gridPos"]["w"] <= 24, place


def test_containers_match_the_configuration():
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
    services = compose["services"]
    added = {name: service for name, service in services.items() if service.get("profiles") == ["monitoring"]}
    ports = {port.rpartition(":")[2] for service in services.values() for port in service.get("ports", [])}
    targets = [target for file in (MONITORING / "targets").glob("*.yml") for target in _targets(file)]

    assert added.keys() == {"prometheus", "alertmanager", "grafana", "node-exporter"}
    assert all(re.search(r":v?\d+\.\d+\.\d+$", service["image"]) for service in added.values())
    assert all(port.startswith("127.0.0.1:") for service in added.values() for port in service.get("ports", []))
    assert {target.partition(":")[0] for target in targets} == {"web", "flower", "node-exporter", "alertmanager"}
    assert {target.partition(":")[2] for target in targets} <= ports | {*services["web"]["expose"], "9100"}
    for service in added.values():
        for source in (volume.partition(":")[0] for volume in service.get("volumes", [])):
            assert not source.startswith("./") or (ROOT / source).exists(), source


def _targets(file: Path) -> list[str]:
    return [target for group in yaml.safe_load(file.read_text(encoding="utf-8")) for target in group["targets"]]


def test_grafana_refuses_to_start_without_a_password():
    """As its container does: Grafana's own default would be admin."""
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
    script = compose["services"]["grafana"]["entrypoint"][2].replace("$$", "$").replace("/run.sh", "true")
    refused, started = (
        subprocess.run(
            ["sh", "-c", script], env={"GF_SECURITY_ADMIN_PASSWORD": password}, capture_output=True, text=True
        )
        for password in ("", "secret")
    )

    assert (refused.returncode, refused.stderr) == (1, "set GRAFANA_PASSWORD in .env\n")
    assert started.returncode == 0
