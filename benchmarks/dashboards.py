"""Checks that each panel of the dashboards shows data: python -m benchmarks.dashboards

Trains and promotes a model on the test site of benchmarks/chaos and injects drift, under load. Also runs Flower, an
exporter of host metrics, and Prometheus with the configuration of deploy/monitoring and its own targets. Then runs each
query of each dashboard over the whole period, as Grafana would. The exit code is 1 if a query returns nothing or a rule
fails.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import httpx

from benchmarks.chaos.demo import POLICY
from benchmarks.chaos.installation import Installation
from benchmarks.chaos.policy import merged
from benchmarks.chaos.processes import BIN, ROOT
from benchmarks.chaos.servers import Server
from benchmarks.tables import render

MONITORING = ROOT / "deploy" / "monitoring"
STEP, RATE = 15, "1m"  # Grafana's choice for an hour with scrapes every 15 s
FREQUENT = merged(
    POLICY,
    {
        "online_metrics": {"lag_seconds": 0},
        "schedules": {"score-online-metrics": {"every_seconds": 10}, "check-staleness": {"every_seconds": 10}},
    },
)


class Program(Server):
    """A monitoring program on a free port. `path` answers when it is ready."""

    def __init__(self, installation: Installation, name: str, path: str, *words: str) -> None:
        super().__init__(installation.folder, installation.logs / f"{name}.log", installation.environment)
        self.name, self._path, self._words = name, path, words

    def command(self) -> list[str]:
        return [word.format(port=self.port) for word in self._words]

    def answers(self) -> bool:
        with suppress(httpx.HTTPError):
            return httpx.get(f"http://{self.target}{self._path}", timeout=5).status_code == 200
        return False

    @property
    def target(self) -> str:
        return f"127.0.0.1:{self.port}"


def configuration(folder: Path, token: str, **targets: str) -> Path:
    """Copies the configuration of deploy/monitoring into the folder, with own targets. Returns its path."""
    for name in ("prometheus.yml", "rules.yml"):
        shutil.copy(MONITORING / name, folder / name)
    (folder / "metrics_token").write_text(token, encoding="ascii")
    (folder / "targets").mkdir()
    for name, target in targets.items():
        (folder / "targets" / f"{name}.yml").write_text(json.dumps([{"targets": [target]}]), encoding="ascii")
    return folder / "prometheus.yml"


def panels() -> Iterator[tuple[str, str, str]]:
    """Yields the dashboard, title and query for each query of each panel."""
    for file in sorted((MONITORING / "grafana" / "dashboards").glob("*.json")):
        for panel in json.loads(file.read_text(encoding="utf-8"))["panels"]:
            for target in panel["targets"]:
                yield file.stem, panel["title"], target["expr"]


def main() -> int:
    argparse.ArgumentParser(prog="python -m benchmarks.dashboards", description=__doc__).parse_args()
    with ExitStack() as stack:
        installation = stack.enter_context(Installation(policy=FREQUENT))
        steps = installation.load("benchmarks.chaos.demo_steps")
        prometheus = _monitor(installation, stack)
        began = time.time()
        demo = steps.Demo(installation, None)
        demo.begin()
        with demo.load():
            for step in (demo.train_first, demo.inject_drift, demo.detect_drift):
                step()
            time.sleep(4 * STEP)
        rows = [
            {"dashboard": board, "panel": title} | _shown(prometheus, query, began) for board, title, query in panels()
        ]
        rules = _ask(prometheus, "rules")["groups"]
    print(render("Queries of panels", rows))
    found = [rule for group in rules for rule in group["rules"]]
    print(f"{len(found)} rules; firing: {[rule['name'] for rule in found if rule['state'] == 'firing']}")
    bad = [f"{row['dashboard']}: {row['panel']}" for row in rows if not row["samples"]]
    bad += [f"{rule['name']}: {rule['lastError']}" for rule in found if rule["health"] != "ok"]
    print(f"{len(rows)} queries, {len(bad)} problems {bad}")
    return 1 if bad else 0


def _monitor(installation: Installation, stack: ExitStack) -> Program:
    installation.environment["FLOWER_BASIC_AUTH"] = "watcher:secret"
    exporter = shutil.which("prometheus-node-exporter") or "node_exporter"
    web, manage = "--web.listen-address=127.0.0.1:{port}", [str(BIN / "python"), "manage.py"]
    flower = Program(installation, "flower", "/healthcheck", *manage, "flower", "--port={port}")
    node = Program(installation, "node", "/", exporter, web)
    folder = installation.folder / "monitoring"
    folder.mkdir()
    targets = {"movierec": f"127.0.0.1:{installation.port}", "flower": flower.target, "node": node.target}
    config = configuration(folder, installation.environment["METRICS_TOKEN"], **targets)
    store = f"--storage.tsdb.path={folder / 'data'}"
    prometheus = Program(installation, "prometheus", "/-/ready", "prometheus", f"--config.file={config}", store, web)
    for program in (flower, node, prometheus):
        stack.callback(program.end)
        program.launch()
        program.wait()
    return prometheus


def _ask(prometheus: Program, what: str, **parameters: object) -> Any:
    answer = httpx.get(f"http://{prometheus.target}/api/v1/{what}", params=parameters, timeout=30)  # type: ignore[arg-type]
    answer.raise_for_status()
    return answer.json()["data"]


def _shown(prometheus: Program, query: str, began: float) -> dict[str, int]:
    """Returns the number of series and samples that Grafana could draw."""
    span = {"start": began, "end": time.time(), "step": STEP}
    found = _ask(prometheus, "query_range", query=query.replace("$__rate_interval", RATE), **span)["result"]
    values = [value for series in found for _, value in series["values"] if value != "NaN"]
    return {"series": len(found), "samples": len(values)}


if __name__ == "__main__":
    sys.exit(main())
