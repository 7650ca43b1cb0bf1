"""`pytest --evidence FILE` writes results for the ML Test Score, from tests marked `ml_test("D1", ...)`.

`manage.py record_evidence FILE` stores them. Loaded as a plugin. With xdist, the workers' reports reach the controller,
which writes the file. Skipped tests do not count.
"""

import json
import os
import subprocess
from collections import defaultdict
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mlops.evaluation.lineage import tree_hash

MARK = "ml_test"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--evidence", metavar="FILE", help="write what marked tests showed for the ML Test Score")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    for mark in item.iter_markers(MARK):
        item.user_properties.extend((MARK, test) for test in mark.args)


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("--evidence") and not hasattr(config, "workerinput"):
        config.pluginmanager.register(Collector(Path(config.getoption("--evidence"))))


class Collector:
    def __init__(self, path: Path) -> None:
        self.path = path
        self.outcomes: dict[str, dict[str, bool]] = defaultdict(dict)
        self.tree = tree_hash()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.skipped:
            return
        for name, test in report.user_properties:
            if name == MARK and (report.when == "call" or report.failed):
                known = self.outcomes[str(test)].get(report.nodeid, True)
                self.outcomes[str(test)][report.nodeid] = known and report.passed

    def pytest_sessionfinish(self) -> None:
        tests = {
            test: {
                "passed": sorted(node for node, passed in nodes.items() if passed),
                "failed": sorted(node for node, passed in nodes.items() if not passed),
            }
            for test, nodes in sorted(self.outcomes.items())
        }
        content = {
            "suite": "on services" if os.environ.get("DATABASE_URL") else "embedded",
            "automatic": bool(os.environ.get("CI")),
            "revision": revision(),
            "tree": self.tree if self.tree == tree_hash() else "",  # empty if the code changed during the tests
            "ran_at": datetime.now(UTC).isoformat(),
            "tests": tests,
        }
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def revision() -> str:
    done = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=False)
    return done.stdout.strip()
