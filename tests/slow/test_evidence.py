"""Records evidence from CI's artifact with `make evidence` and a fake GitHub client."""

import json
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mlops.models import TestEvidence
from tests.processes import BIN, ROOT, environment

pytestmark = [pytest.mark.slow, pytest.mark.once, pytest.mark.django_db(transaction=True)]

GH = """#!/bin/sh
case "$*" in
"run list"*) echo 4711 ;;
"run download 4711 --name evidence --dir "*) cp "$EVIDENCE" "$7" ;;
*) exit 2 ;;
esac
"""


def run_script(path: str, **changes: str) -> subprocess.CompletedProcess[str]:
    values = environment(**changes) | {"PATH": path}
    command = ["bash", "deploy/evidence"]
    return subprocess.run(command, cwd=ROOT, env=values, capture_output=True, text=True, check=False)


def test_what_ci_showed_counts_in_full(tmp_path: Path):
    shown = {"D7": {"passed": ["tests/a.py::test_one"], "failed": []}}
    content = {"suite": "embedded", "automatic": True, "revision": "abc", "ran_at": datetime.now(UTC).isoformat()}
    (tmp_path / "embedded.json").write_text(json.dumps(content | {"tests": shown}))
    gh = tmp_path / "gh"
    gh.write_text(GH)
    gh.chmod(0o755)

    done = run_script(f"{tmp_path}:{BIN}:/usr/bin:/bin", EVIDENCE=str(tmp_path / "embedded.json"))

    assert done.returncode == 0, done.stderr
    assert "evidence for 1 of the 28 tests" in done.stdout
    assert "D7   1    All input feature code is tested" in done.stdout
    assert TestEvidence.objects.get(test="D7").is_automatic


def test_without_the_client_the_way_by_hand_is_said(tmp_path: Path):
    tools = tmp_path / "bin"
    tools.mkdir()
    for name in ("bash", "mktemp", "rm"):
        (tools / name).symlink_to(f"/usr/bin/{name}" if Path(f"/usr/bin/{name}").exists() else f"/bin/{name}")

    done = run_script(str(tools))

    assert done.returncode == 1
    assert "manage.py record_evidence FILE" in done.stderr
